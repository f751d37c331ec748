/* junit_keep: what is kept of the suites and cases of the JUnit files of one trial, while junit_read reads them.
 *
 *     struct junit_keep keep = {0};
 *     junit_read_kept(bytes, length, "out/junit.xml", &keep, &totals, err);     for each file
 *     junit_keep_finish(&keep);                                                 keep.items, keep.count are ready then
 *     junit_keep_clear(&keep);
 *
 * The files are hostile, so each kind of case has its own room: a million skipped ones leave the failed ones theirs. What is
 * beyond the limits is counted in its suite, and not kept.
 */
#pragma once

#include "reports/result.h"

#define JUNIT_SUITES_KEPT   1000u  /* of a trial; the cases of more count in the last one */
#define JUNIT_FAILED_KEPT   1000u  /* of a trial: failed and broken cases */
#define JUNIT_FLAKY_KEPT    200u   /* … that passed when they were run again */
#define JUNIT_SKIPPED_KEPT  1000u  /* … that were skipped */
#define JUNIT_PASSED_KEPT   10000u /* … that passed */
#define JUNIT_NAME_LIMIT    300u   /* bytes of a name, or a class's */
#define JUNIT_MESSAGE_LIMIT 1000u  /* bytes of a message */
#define JUNIT_DETAIL_LIMIT  4096u  /* bytes of the text below it */
#define JUNIT_KEPT_BYTES                                                                           \
    (4u                                                                                            \
     << 20) /* of all texts of a trial; from there on only failed cases are kept, without details */

enum junit_kind { JUNIT_FAILED, JUNIT_FLAKY, JUNIT_SKIPPED, JUNIT_PASSED, JUNIT_KINDS };

struct junit_keep {
    struct result_suite *items;
    size_t count;
    size_t capacity;
    size_t kept[JUNIT_KINDS]; /* cases */
    size_t bytes;             /* of their texts */
};

/* Where cases of this suite go: its index. file, name: copied, cut. err: no-memory */
int junit_keep_suite(struct junit_keep *keep, const char *file, const char *name, size_t *suite,
                     struct error *err) _must_check_;

/* Counts a case in its suite, and keeps a copy where there is room. err: no-memory */
int junit_keep_case(struct junit_keep *keep, size_t suite, const struct result_case *from,
                    struct error *err) _must_check_;

/* Failed cases first, flaky ones, skipped ones, then those that passed, in each suite. */
void junit_keep_finish(struct junit_keep *keep);
/* Lets go of all cases; what their suites count stays. */
void junit_keep_counts(struct junit_keep *keep);
void junit_keep_clear(struct junit_keep *keep);
