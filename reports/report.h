/* report: the table of sinks. A new report is one file and one line in report.c.
 *
 * A run that may die should write its reports early, with an error in them ("the run did not end"), and again at its end:
 * files are replaced whole.
 */
#pragma once

#include "gate/base/text.h"
#include "reports/result.h"

struct report {
    const char *name;        /* for `pingate report NAME`: "junit" */
    const char *file;        /* in the output folder: "junit.xml" */
    const char *description; /* for help */
    int (*draw)(const struct result *result, struct text *out, struct error *err);
};

extern const struct report *const reports[]; /* NULL-terminated */
const struct report *report_find(const char *name);

/* Draws every report into the folder (made when it lacks; a .gitignore with "*" makes it ignore itself). One report that
 * fails does not keep the others from being written. err: the first that failed. */
int report_write_all(const struct result *result, const char *folder,
                     struct error *err) _must_check_;

/* The sinks, each in the file of its name. */
extern const struct report report_json, report_junit, report_markdown, report_diff;
