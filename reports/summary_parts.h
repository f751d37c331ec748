/* summary_parts: private to summary*.c. What its files share.
 */
#pragma once

#include "reports/summary.h"

#define SUMMARY_NAME_LIMIT  100 /* columns of an image, version or test */
#define SUMMARY_WORDS_LIMIT 300 /* columns of a command or reason */

/* On one line and not without end: a command can be a page, and names can be hostile. */
void summary_brief(const struct screen *screen, struct text *out, const char *words, size_t limit);

const char *summary_plural(size_t count); /* "s" or "" */

/* The trials that failed or broke, with their last lines. output: the folder of reports and logs */
int summary_failures(const struct result *result, const struct screen *screen, const char *output,
                     struct text *out, struct error *err) _must_check_;

/* Names the tests that passed only when they were run again. */
void summary_flaky(const struct result *result, const struct screen *screen, struct text *out);
