#include "runners/command_outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"

void command_outcome_set(struct command_result *command, enum outcome outcome, const char *reason) {
    struct error ignored = {0};
    command->outcome = outcome;
    free(command->reason);
    command->reason = string_dup(reason, &ignored); /* without memory the outcome still stands */
    error_clear(&ignored);
}

bool command_outcome_init_failed(const struct text *err_tail, char *words, size_t size) {
    static const char *const names[] = {"[FATAL tini", "catatonit: failed to exec",
                                        "ERROR (catatonit:"};
    const char *line = text_string(err_tail);
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        found = found || string_has_prefix(line, names[i]);
    const char *close = found && *line == '[' ? strchr(line, ']') : NULL;
    const char *from = close != NULL ? close + 1 + strspn(close + 1, " ") : line;
    snprintf(words, size, "%.*s", (int)strcspn(from, "\r\n"), from);
    return found;
}

static void say_exit(int exit_code, struct command_result *command) {
    char words[300];
    char reason[400];
    bool of_init = exit_code == 1 || exit_code == 126 || exit_code == 127;
    if (exit_code == 137)
        snprintf(
            reason, sizeof reason,
            "exited with 137: killed by SIGKILL, and not for the memory limit or the time, as far "
            "as the engine tells; the command itself, another program or the host did it");
    else if (of_init && command_outcome_init_failed(&command->err_tail, words, sizeof words))
        snprintf(reason, sizeof reason, "could not be started: %s (%s)", words,
                 strstr(words, "No such file") != NULL ? "it is not in the image"
                                                       : "it may not be run there");
    else
        snprintf(reason, sizeof reason, "exited with %d", exit_code);
    command_outcome_set(command, OUTCOME_FAILED, reason);
}

void command_outcome_of_end(const struct container_state *state, const char *image_id,
                            struct command_result *command) {
    char reason[400];
    command->exit_code = state->started && state->finished_ms > 0 ? state->exit_code : -1;
    if (!state->started) {
        command_outcome_set(command, OUTCOME_ERROR,
                            "the container never started, though the engine said so: its own log "
                            "may tell why");
    } else if (state->finished_ms == 0) {
        command_outcome_set(
            command, OUTCOME_ERROR,
            "the engine does not know when the container ended, so its exit code proves "
            "nothing");
    } else if (strcmp(state->image, image_id) != 0) {
        command_outcome_set(
            command, OUTCOME_ERROR,
            "the container ran another image than the one that was pulled: somebody "
            "changed it meanwhile, or the engine mixes them up");
    } else if (state->oom) {
        snprintf(reason, sizeof reason,
                 "out of memory: the limit was hit (exit code %d); the test's \"memory\" sets it",
                 state->exit_code);
        command_outcome_set(command, OUTCOME_OOM, reason);
    } else if (state->exit_code != 0) {
        say_exit(state->exit_code, command);
    } else if (state->error[0] != '\0') {
        snprintf(reason, sizeof reason, "exited with 0, and the engine tells of an error: %s",
                 state->error);
        command_outcome_set(command, OUTCOME_ERROR, reason);
    } else {
        command_outcome_set(command, OUTCOME_PASSED, NULL);
    }
}

void command_outcome_of_late(struct engine *engine, const char *id, struct time_limit limit,
                             struct command_result *command) {
    char words[64];
    char reason[500];
    struct container_state state;
    _cleanup_(error_clear) struct error err = {0};
    clock_duration_words(limit.limit_ms, words, sizeof words);
    if (container_inspect(engine, id, &state, &err) < 0) {
        snprintf(reason, sizeof reason,
                 "the %s's time (%s) was over, and the engine did not tell how it stood: %s",
                 limit.whose, words, error_message(&err));
        command_outcome_set(command, OUTCOME_ERROR, reason);
    } else if (!state.running) {
        snprintf(reason, sizeof reason,
                 "the container had ended (exit code %d), and its log had not when the %s's time "
                 "(%s) was over",
                 state.exit_code, limit.whose, words);
        command_outcome_set(command, OUTCOME_ERROR, reason);
    } else {
        snprintf(reason, sizeof reason, "timed out: the %s may take %s%s", limit.whose, words,
                 limit.all);
        command_outcome_set(command, OUTCOME_TIMED_OUT, reason);
    }
}

void command_outcome_of_error(const struct error *why, struct command_result *command) {
    char reason[800];
    if (why->kind == ERROR_CANCELLED)
        snprintf(reason, sizeof reason, "ended before it was done: %s", error_message(why));
    else
        snprintf(reason, sizeof reason, "%s", error_message(why));
    command_outcome_set(command, OUTCOME_ERROR, reason);
}

void command_outcome_of_start(struct engine *cleaner, const char *id, const struct error *why,
                              struct command_result *command) {
    struct container_state state = {0};
    struct error ignored = {0};
    bool seen = container_inspect(cleaner, id, &state, &ignored) == 0;
    error_clear(&ignored);
    bool lacks = state.exit_code == 126 || state.exit_code == 127 ||
                 strstr(error_message(why), "unable to find user") != NULL ||
                 strstr(error_message(why), "unable to find group") != NULL;
    char reason[800];
    snprintf(reason, sizeof reason, "could not be started: %s", error_message(why));
    command_outcome_set(command,
                        why->kind == ERROR_ENGINE && seen && !state.started && lacks
                            ? OUTCOME_FAILED
                            : OUTCOME_ERROR,
                        reason);
}
