/* junit_read: what a JUnit file of a stranger says: how many tests ran, and whether one of them failed.
 *
 * The file is hostile: an engineer's cluster wrote it, or a container of an image that nobody trusts yet. A pass is never
 * inferred from it:
 *
 *     failed   a <failure> or <error> anywhere; an attribute `failures` or `errors` above zero, though no case tells of it; a case
 *              whose `status` or `result` is a failure; no test that ran and passed
 *     flaky    no failure, but a case that failed first and passed when it was run again
 *     passed   otherwise
 *
 * A file that was cut is no XML. The attribute `tests` is not held against the cases: Catch2 counts assertions there.
 *
 * Of a case that is kept the outcome is `error` where <error> tells it, its message is the attribute `message` of what tells
 * the outcome, else the first line of the text there, and that text is its detail. A million cases take a second.
 *
 * Read are <testsuites>, <testsuite> in any depth, <testcase> with <failure>, <error>, <skipped>, <flakyFailure>, <flakyError>,
 * <rerunFailure>, <rerunError>; everything else is passed over.
 *   src  the files of Ant, Surefire, Gradle, pytest, Go's gotestsum, GoogleTest, Jest, bats, and pingate itself
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "reports/junit_keep.h"

#define JUNIT_FILE_LIMIT  (64u << 20) /* bytes; forges take 30 */
#define JUNIT_CASES_LIMIT 1000000u

struct junit_totals {
    enum outcome outcome; /* passed, failed or flaky */
    size_t tests;         /* <testcase>s */
    size_t passed;        /* of them */
    size_t failed;        /* … with a failure or an error */
    size_t skipped;
    size_t flaky;        /* … that passed after they failed; they are among `passed` */
    char *first;         /* name of the first that failed; NULL: none has one. Untrusted */
    char *first_message; /* of the same; NULL: it has none, or nothing is kept. Untrusted */
    char *why;           /* it is "failed" though no case says so: one sentence; else NULL */
};

/* err: input when it is no XML, or no JUnit;  limit;  no-memory */
int junit_read(const char *bytes, size_t length, struct junit_totals *out,
               struct error *err) _must_check_;
/* The same, and keeps suites and cases. file: how it is called in reports. keep: cleared by the caller, also on -1. */
int junit_read_kept(const char *bytes, size_t length, const char *file, struct junit_keep *keep,
                    struct junit_totals *out, struct error *err) _must_check_;
void junit_totals_clear(struct junit_totals *totals);
