/* trial_junit: what the JUnit files of a trial say of it, before its outcome counts; where runners, which fetch the files, and
 * reports, which read them, meet.
 *
 *     tests:
 *       - {name: unit, run: make check, junit: [build/test-results/]}
 *
 * A trial whose commands all passed passes only if its files prove it, since a runner's exit status is easily lost (in a pipe, say):
 *
 *     failed   a test failed in a file (reports/junit_read.h says what that is); a file is no JUnit, too large, or no regular file;
 *              a pattern has no file that the test wrote, or none in whose files a test ran and passed
 *     error    not all files could be fetched, and none of those that came tells of a failure
 *     flaky    no failure, but a test that passed only when it was run again
 *
 * Some files without a test that passed are no failure, as long as others of the same pattern have one: runners write a file for
 * each class, also where all of it is left out on this platform. A trial that did not pass stays what it is, and all of this is
 * warnings then.
 */
#pragma once

#include "reports/junit_keep.h"
#include "runners/trial.h"

#define TRIAL_JUNIT_BYTES                                                                          \
    (256LL << 20) /* of all files of one trial; a test of 10,000 cases writes 10 MiB */

/* What is in trial_result.found of a test with `junit`. */
struct trial_junit {
    struct junit_keep kept;      /* its suites */
    struct string_list warnings; /* one sentence each; untrusted */
};

/* For schedule_options.check. err: no-memory */
int trial_junit_check(const struct trial_spec *spec, struct trial_result *result,
                      struct error *err) _must_check_;
