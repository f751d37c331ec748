/* command_outcome: what the end of one command means. The rules of trial.h for a pass stand here: whatever lacks a proof is none.
 *
 * The test says no (failed, timed-out, oom) only by what the engine knows of its container; what kept a command from being
 * judged is an `error`, whoever caused it.
 */
#pragma once

#include "runners/engine/container.h"
#include "runners/trial.h"

/* reason: copied; without memory the outcome stands alone */
void command_outcome_set(struct command_result *command, enum outcome outcome, const char *reason);

/* A shell gives 126 and 127 too, for programs that it did not find. The first process of the container (docker-init is tini,
 * Podman's is catatonit, which exits with 1) says on standard error when it was the command itself that could not be run.
 *   out  words  what it said, without its own name */
bool command_outcome_init_failed(const struct text *err_tail, char *words, size_t size);

/* Of a container whose log is whole. Also sets the exit code.
 *   in  image_id  that was pulled and proved */
void command_outcome_of_end(const struct container_state *state, const char *image_id,
                            struct command_result *command);

/* What says how long a command may run, for the words "the test may take 5 m in all". */
struct time_limit {
    const char *whose; /* "test", "command" */
    const char *all;   /* " in all" where the time is that of several; else "" */
    int64_t limit_ms;
};

/* When that time is over. Only what the engine says to run still is timed out: a log that does not end can also be that
 * of an engine that is stuck. */
void command_outcome_of_late(struct engine *engine, const char *id, struct time_limit limit,
                             struct command_result *command);

/* Of a start that failed, and was not cancelled. A command that is not in the image, or a user that is not, is the test's own
 * "no"; anything else is the engine's fault. */
void command_outcome_of_start(struct engine *cleaner, const char *id, const struct error *why,
                              struct command_result *command);

/* Of what kept a command from being judged: nothing that the test did. */
void command_outcome_of_error(const struct error *why, struct command_result *command);
