/* service_log: what a service printed, and how it ended, in the words of reports. */
#pragma once

#include "runners/engine/container.h"
#include "runners/trial_run.h"

/* Reads the whole log of a service that runs or has ended into service-NAME-stdout.log and service-NAME-stderr.log of the trial's log
 * folder, and its last TRIAL_TAIL_BYTES into the result. No more than the test's log_limit of each stream; of a longer one the
 * files hold the beginning, and the tails the end all the same. What cannot be read changes no outcome: a service's log proves
 * nothing, and the reason of a service that failed tells of it. */
void service_log_read(const struct trial_run *run, const struct trial_spec *spec,
                      const struct test_service *service, const char *id,
                      struct command_result *end);

/* Of one that ended, and was not to: oom or failed. Sets the exit code; words: "ended with 1", "out of memory …" is added. */
enum outcome service_outcome_of_end(const struct container_state *state, struct command_result *end,
                                    struct text *words);
