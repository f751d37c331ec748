/* junit_case: private to junit*.c. A suite that is being drawn, and the cases in it.
 */
#pragma once

#include "reports/report.h"

struct counts {
    size_t tests, failures, errors, skipped;
    int64_t duration_ms;
};

/* One suite while it is drawn: its head needs the counts, so its cases are collected first. */
struct suite {
    struct text body;
    struct counts counts;
};

/* What all suites of one file share. */
struct drawing {
    const struct result *result;
    struct text *out; /* the suites */
    struct counts counts;
    struct string_list keys; /* one an update: stable, unique */
    json_t *
        names; /* classname and name of each case so far, with how often, so that none comes twice */
    size_t divisor; /* of what streams and cases from inside may take; 1: all of it */
    size_t tail_failed, tail_passed;
    size_t inside_bytes; /* of cases from inside, so far */
    struct error *err;
};

struct test_case {
    const char *classname;
    const char *name;
    enum outcome outcome;
    const char *type;    /* of failure, error, skipped */
    const char *message; /* of the same; NULL is none */
    int64_t duration_ms;
    const struct result_command *command; /* whose output is told; NULL is none */
    const char *more;                     /* within failure and error, after the message; NULL */
    const char *said;                     /* its system-out where there is no command; NULL */
    /* the case that tells how the trial went, with the trial's build, services and earlier attempts; else NULL */
    const struct result_trial *trial;
    const char *detail; /* of a case from inside: what stands below its message; NULL */
};

/* What one suite may be after its cases: everything but names, which come later. */
void junit_end_suite(struct text *out, const struct suite *suite, const char *name,
                     const struct text *head, const char *timestamp);
void junit_property(struct text *out, const char *name, const char *value); /* none without value */

void suite_clear(struct suite *suite);

/* name="value", escaped. */
void junit_attribute(struct text *out, const char *name, const char *value);
void junit_time(struct text *out, int64_t duration_ms);

/* A case; its name gets " (2)" when the file has it already. */
int junit_case(struct drawing *drawing, struct suite *suite,
               const struct test_case *test_case) _must_check_;

/* "answers: passed 2026-11-25T10:53:00Z, entry 4f0c…, not run again": of a trial that a pass on record stands in for. Heap. */
char *junit_reused_words(const struct result_trial *trial, struct error *err) _must_check_;

/* The suites of its JUnit files, each within this one. False in *told: no failure of theirs was drawn. */
int junit_inside(struct drawing *drawing, struct suite *suite, const char *classname,
                 const struct result_trial *trial, bool *told) _must_check_;

/* A case for each command, one for the trial when no command tells how it went, and the suites from inside. */
int junit_trial(struct drawing *drawing, struct suite *suite, const char *classname,
                const struct result_trial *trial) _must_check_;
