#include "runners/trial.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/base/clock.h"
#include "gate/base/file.h"
#include "gate/base/trace.h"
#include "runners/engine/frames.h"
#include "runners/trial_run.h"

#define INSPECT_TRIES    50 /* after the log's end an engine may still say "running" for a moment */
#define INSPECT_PAUSE_US 100000
#define LOG_AGAIN_CALLS  10 /* times what one call may take: to read a whole log again */

void trial_spec_clear(struct trial_spec *spec) {
    for (size_t i = 0; i < spec->step_count; i++) {
        free(spec->steps[i].image);
        free(spec->steps[i].tag);
        free(spec->steps[i].digest);
    }
    free(spec->steps);
    free(spec->title);
    free(spec->log_folder);
    string_list_clear(&spec->environment);
    *spec = (struct trial_spec){0};
}

void trial_result_clear(struct trial_result *result) {
    for (size_t i = 0; i < result->command_count; i++) {
        struct command_result *command = &result->commands[i];
        free(command->reason);
        free(command->out_path);
        free(command->err_path);
        text_clear(&command->out_tail);
        text_clear(&command->err_tail);
    }
    free(result->commands);
    free(result->reason);
    *result = (struct trial_result){0};
}

/* One stream of a command: the file gets all, memory the tail. */
struct sink {
    int fd;
    int64_t *bytes;
    struct text *tail;
};

struct capture {
    struct sink sinks[2];
    int64_t limit; /* bytes of one stream */
    bool over;     /* it was passed */
    struct frames frames;
};

static void keep_tail(struct text *tail, const char *bytes, size_t length) {
    if (length >= TRIAL_TAIL_BYTES) {
        bytes += length - TRIAL_TAIL_BYTES;
        length = TRIAL_TAIL_BYTES;
        text_truncate(tail, 0);
    }
    if (tail->length + length >
        2 * TRIAL_TAIL_BYTES) { /* seldom, so that each byte moves about once */
        size_t kept = TRIAL_TAIL_BYTES - length;
        memmove(tail->bytes, tail->bytes + tail->length - kept, kept);
        text_truncate(tail, kept);
    }
    text_append(tail, bytes, length);
}

static int on_bytes(void *context, int stream, const char *bytes, size_t length,
                    struct error *err) {
    struct capture *capture = context;
    struct sink *sink = &capture->sinks[stream - 1];
    *sink->bytes += (int64_t)length;
    keep_tail(sink->tail, bytes, length);
    if (file_write_all(sink->fd, bytes, length, err) < 0)
        return error_wrap(err, "write the log");
    capture->over = *sink->bytes > capture->limit;
    if (capture->over)
        return error_set(err, ERROR_LIMIT, "more than log_limit");
    return 0;
}

static int on_log(void *context, const char *bytes, size_t length, struct error *err) {
    struct capture *capture = context;
    return frames_feed(&capture->frames, bytes, length, err);
}

static void cut_tail(struct text *tail) {
    if (tail->length <= TRIAL_TAIL_BYTES)
        return;
    memmove(tail->bytes, tail->bytes + tail->length - TRIAL_TAIL_BYTES, TRIAL_TAIL_BYTES);
    text_truncate(tail, TRIAL_TAIL_BYTES);
}

static int open_log(const char *folder, size_t step, const char *stream, char **path, int *fd,
                    struct error *err) {
    *path = string_format(err, "%s/%zu-%s.log", folder, step + 1, stream);
    if (*path == NULL)
        return -1;
    *fd = open(*path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return *fd >= 0 ? 0 : error_set_errno(err, "write %s", *path);
}

static void say(struct command_result *command, enum outcome outcome, const char *reason) {
    struct error ignored = {0};
    command->outcome = outcome;
    free(command->reason);
    command->reason = string_dup(reason, &ignored); /* without memory the outcome still stands */
    error_clear(&ignored);
}

static int read_log(const struct trial_run *run, const char *id, const char *query,
                    struct capture *capture, int64_t timeout_ms, struct error *err) {
    _cleanup_(free_pointer) char *path =
        string_format(err, "/containers/%s/logs?%sstdout=1&stderr=1", id, query);
    if (path == NULL)
        return -1;
    long status;
    struct engine_call call = {.method = "GET",
                               .path = path,
                               .timeout_ms = timeout_ms,
                               .needs_end = true,
                               .on_data = on_log,
                               .context = capture};
    if (engine_call(run->engine, &call, &status, NULL, err) < 0)
        return -1;
    if (!frames_whole(&capture->frames))
        return error_set(err, ERROR_ENGINE, "the engine's log stream ended inside a frame");
    return 0;
}

/* Podman ends the log that it follows with the container, also when there is more to read (176 of 200 MB were seen), and now
 * and then begins it with what is no frame: there following it is the wait, and what counts is read from the beginning. */
static int read_from_beginning(const struct trial_run *run, const char *id, struct capture *capture,
                               struct error *err) {
    for (size_t i = 0; i < 2; i++) {
        struct sink *sink = &capture->sinks[i];
        if (ftruncate(sink->fd, 0) < 0 || lseek(sink->fd, 0, SEEK_SET) < 0)
            return error_set_errno(err, "write the log anew");
        *sink->bytes = 0;
        text_truncate(sink->tail, 0);
    }
    capture->frames.header_length = 0;
    return read_log(run, id, "", capture, LOG_AGAIN_CALLS * engine_timeout_ms(run->engine), err);
}

static int count_bytes(void *context, int stream, const char *bytes, size_t length,
                       struct error *err) {
    (void)bytes;
    (void)err;
    int64_t *counts = context;
    counts[stream - 1] += (int64_t)length;
    return 0;
}

/* The log ended before the engine knew of the container's end: either the engine is a moment late, or the log was cut. */
static int log_is_whole(const struct trial_run *run, const char *id,
                        const struct command_result *command, struct error *err) {
    int64_t counts[2] = {0};
    struct capture again = {.frames = {.on_bytes = count_bytes, .context = counts}};
    if (read_log(run, id, "", &again, LOG_AGAIN_CALLS * engine_timeout_ms(run->engine), err) < 0)
        return -1;
    if (counts[0] == command->out_bytes && counts[1] == command->err_bytes)
        return 0;
    return error_set(
        err, ERROR_ENGINE, "the log stream ended early: the engine has %lld bytes and sent %lld",
        (long long)(counts[0] + counts[1]), (long long)(command->out_bytes + command->err_bytes));
}

/* The log has ended, so the container has or is about to. */
static int wait_for_end(const struct trial_run *run, const char *id,
                        const struct command_result *command, struct container_state *state,
                        struct error *err) {
    for (int i = 0;; i++) {
        if (container_inspect(run->engine, id, state, err) < 0)
            return -1;
        if (!state->running)
            return i > 0 && !engine_is_podman(run->engine) ? log_is_whole(run, id, command, err)
                                                           : 0;
        if (i == INSPECT_TRIES)
            return error_set(err, ERROR_ENGINE,
                             "the log ended and the container still runs: the log is not whole");
        usleep(INSPECT_PAUSE_US);
    }
}

/* A shell gives 126 and 127 too, for programs that it did not find. The first process of the container (docker-init is tini,
 * Podman's is catatonit, which exits with 1) says on standard error when it was the command itself that could not be run. */
static bool init_failed(const struct text *err_tail, char *words, size_t size) {
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
        snprintf(reason, sizeof reason,
                 "exited with 137: killed by SIGKILL, and not for the memory limit or the time");
    else if (of_init && init_failed(&command->err_tail, words, sizeof words))
        snprintf(reason, sizeof reason, "could not be started: %s (%s)", words,
                 strstr(words, "No such file") != NULL ? "it is not in the image"
                                                       : "it may not be run there");
    else
        snprintf(reason, sizeof reason, "exited with %d", exit_code);
    say(command, OUTCOME_FAILED, reason);
}

/* Every proof of a pass is asked for here; what lacks one is no pass. */
static void judge_state(const struct container_state *state, const char *image_id,
                        struct command_result *command) {
    char reason[400];
    command->exit_code = state->started && state->finished_ms > 0 ? state->exit_code : -1;
    if (!state->started) {
        say(command, OUTCOME_ERROR, "the container never started");
    } else if (state->finished_ms == 0) {
        say(command, OUTCOME_ERROR, "the engine does not know when the container ended");
    } else if (strcmp(state->image, image_id) != 0) {
        say(command, OUTCOME_ERROR, "the container ran another image than the one that was pulled");
    } else if (state->oom) {
        snprintf(reason, sizeof reason, "out of memory: the limit was hit (exit code %d)",
                 state->exit_code);
        say(command, OUTCOME_OOM, reason);
    } else if (state->exit_code != 0) {
        say_exit(state->exit_code, command);
    } else if (state->error[0] != '\0') {
        snprintf(reason, sizeof reason, "exited with 0, and the engine tells of an error: %s",
                 state->error);
        say(command, OUTCOME_ERROR, reason);
    } else {
        command->outcome = OUTCOME_PASSED;
    }
}

/* The test's time is over. Only what the engine says to run still is timed out: a log that does not end can also be that of
 * an engine that is stuck. */
static void judge_late(const struct trial_run *run, const struct trial_spec *spec, const char *id,
                       struct command_result *command) {
    char words[64];
    char reason[500];
    struct container_state state;
    _cleanup_(error_clear) struct error err = {0};
    clock_duration_words(spec->test->timeout_ms, words, sizeof words);
    if (container_inspect(run->engine, id, &state, &err) < 0) {
        snprintf(reason, sizeof reason,
                 "the test's time (%s) was over, and the engine did not tell how it stood: %s",
                 words, error_message(&err));
        say(command, OUTCOME_ERROR, reason);
    } else if (!state.running) {
        snprintf(reason, sizeof reason,
                 "the container had ended (exit code %d), and its log had not when the test's time "
                 "(%s) was over",
                 state.exit_code, words);
        say(command, OUTCOME_ERROR, reason);
    } else {
        snprintf(reason, sizeof reason, "timed out: the test may take %s in all", words);
        say(command, OUTCOME_TIMED_OUT, reason);
    }
}

/* What kept a command from being judged: nothing that the test did. */
static void explain(struct command_result *command, const struct error *why) {
    char reason[800];
    if (why->kind == ERROR_CANCELLED)
        snprintf(reason, sizeof reason, "ended before it was done: %s", error_message(why));
    else
        snprintf(reason, sizeof reason, "%s", error_message(why));
    say(command, OUTCOME_ERROR, reason);
}

/* A command that is not in the image, or a user that is not, is the test's own "no"; anything else is the engine's fault. */
static void explain_start(const struct trial_run *run, const char *id,
                          struct command_result *command, const struct error *why) {
    struct container_state state = {0};
    struct error ignored = {0};
    bool seen = container_inspect(run->cleaner, id, &state, &ignored) == 0;
    error_clear(&ignored);
    bool lacks = state.exit_code == 126 || state.exit_code == 127 ||
                 strstr(error_message(why), "unable to find user") != NULL ||
                 strstr(error_message(why), "unable to find group") != NULL;
    char reason[800];
    snprintf(reason, sizeof reason, "could not be started: %s", error_message(why));
    say(command,
        why->kind == ERROR_ENGINE && seen && !state.started && lacks ? OUTCOME_FAILED
                                                                     : OUTCOME_ERROR,
        reason);
}

/* One container of a trial, while it is there. */
struct running {
    const struct trial_run *run;
    const struct trial_spec *spec;
    size_t step;
    const char *id;
    int64_t budget_ms;   /* what is left of the test's time */
    int64_t finished_ms; /* by the engine's clock, once it has ended */
    struct command_result *command;
};

/* From its start to its end. */
static int follow(struct running *running, struct capture *capture, struct error *err) {
    const struct trial_run *run = running->run;
    struct command_result *command = running->command;
    int64_t started_ms = clock_monotonic_ms();
    struct container_state state = {0};
    int result = read_log(run, running->id, "follow=1&", capture, running->budget_ms, err);
    bool late = clock_monotonic_ms() - started_ms >= running->budget_ms;
    bool podman = engine_is_podman(run->engine);
    if (podman && result < 0 && err->kind == ERROR_PROTOCOL) {
        error_clear(err);
        result = 0;
    }
    bool read = result == 0;
    if (read)
        result = wait_for_end(run, running->id, command, &state, err);
    if (result == 0 && podman)
        result = read_from_beginning(run, running->id, capture, err);
    command->duration_ms = clock_monotonic_ms() - started_ms;
    cut_tail(&command->out_tail);
    cut_tail(&command->err_tail);
    if (result == 0) {
        judge_state(&state, run->image_ids[running->step], command);
        running->finished_ms = state.finished_ms;
    } else if (capture->over) {
        char reason[128];
        snprintf(reason, sizeof reason, "printed more than %lld bytes (log_limit)",
                 (long long)capture->limit);
        say(command, OUTCOME_FAILED, reason);
    } else if (!read && err->kind == ERROR_TIMEOUT && late) {
        judge_late(run, running->spec, running->id, command);
    } else {
        return -1;
    }
    error_clear(err);
    return 0;
}

static int run_container(struct running *running, struct error *err) {
    const struct trial_run *run = running->run;
    const struct trial_spec *spec = running->spec;
    struct command_result *command = running->command;
    _cleanup_(file_closep) int out_fd = -1;
    _cleanup_(file_closep) int err_fd = -1;
    if (open_log(spec->log_folder, running->step, "stdout", &command->out_path, &out_fd, err) < 0 ||
        open_log(spec->log_folder, running->step, "stderr", &command->err_path, &err_fd, err) < 0)
        return -1;
    struct capture capture = {.sinks = {{out_fd, &command->out_bytes, &command->out_tail},
                                        {err_fd, &command->err_bytes, &command->err_tail}},
                              .limit = spec->test->log_limit_bytes,
                              .frames = {.on_bytes = on_bytes}};
    capture.frames.context = &capture;
    if (container_start(run->engine, running->id, err) == 0)
        return follow(running, &capture, err);
    if (err->kind == ERROR_CANCELLED)
        return -1;
    explain_start(run, running->id, command, err);
    error_clear(err);
    return 0;
}

/* The next run's sweep finds what could not be removed; whoever reads the report should know. */
static void tell_left(const struct trial_run *run, const char *what, const char *name,
                      const struct error *why) {
    char words[800];
    snprintf(words, sizeof words, "%s %s could not be removed: %s", what, name, error_message(why));
    if (run->on_left != NULL)
        run->on_left(run->context, words);
}

/* id: also a name */
static void remove_container(const struct trial_run *run, const char *id) {
    _cleanup_(error_clear) struct error why = {0};
    if (container_remove(run->cleaner, id, &why) < 0)
        tell_left(run, "container", id, &why);
}

/* Whether a call that failed may have done its work all the same. */
static bool may_have_worked(const struct error *err) {
    return err->kind != ERROR_NOT_FOUND && err->kind != ERROR_CONFLICT && err->kind != ERROR_ENGINE;
}

/* The quick way to be without a network. What refuses it may take the plain one, which says the better word if not. */
static int create_alone(const struct trial_run *run, size_t step, const char *name,
                        const json_t *body, char **id, struct error *err) {
    _cleanup_(free_pointer) char *hosts = alone_hosts(run->alone, run->alone_first + step, err);
    json_auto_t *quick = json_deep_copy(body);
    if (hosts == NULL)
        return -1;
    if (quick == NULL)
        return error_no_memory(err);
    if (alone_apply(quick, hosts, err) < 0)
        return -1;
    if (container_create(run->cleaner, name, quick, id, err) == 0)
        return 0;
    if (*id != NULL || err->kind != ERROR_ENGINE)
        return -1;
    trace(TRACE_ENGINE, "the engine makes the namespace: %s", error_message(err));
    error_clear(err);
    return container_create(run->cleaner, name, body, id, err);
}

static int make_container(const struct trial_run *run, const struct trial_spec *spec, size_t step,
                          char **id, struct error *err) {
    _cleanup_(free_pointer) char *name = string_format(err, "%s-%zu", run->name, step + 1);
    json_auto_t *body = container_spec(spec, step, run->name, run->labels, err);
    if (name == NULL || body == NULL || cancel_check(run->cancel, err) < 0)
        return -1;
    bool quick = run->alone != NULL && !spec->test->network;
    if ((quick ? create_alone(run, step, name, body, id, err)
               : container_create(run->cleaner, name, body, id, err)) == 0)
        return 0;
    if (*id != NULL)
        remove_container(run, *id);
    else if (may_have_worked(err))
        remove_container(run, name);
    return -1;
}

/* The last proof of a pass. It is asked for when the container is gone, so that nothing has to be waited for. */
static int prove_own_exit(const struct trial_run *run, const char *id, int64_t finished_ms,
                          struct command_result *command, struct error *err) {
    bool signalled = false;
    if (container_was_signalled(run->engine, id, finished_ms, &signalled, err) < 0)
        return -1;
    if (signalled)
        say(command, OUTCOME_ERROR,
            "exited with 0 after somebody stopped its container, or the engine was shut down");
    return 0;
}

static int run_step(const struct trial_run *run, const struct trial_spec *spec, size_t step,
                    struct command_result *command, int64_t budget_ms, struct error *err) {
    _cleanup_(free_pointer) char *id = NULL;
    if (make_container(run, spec, step, &id, err) < 0)
        return -1;
    int result = 0;
    struct running running = {.run = run,
                              .spec = spec,
                              .step = step,
                              .id = id,
                              .budget_ms = budget_ms,
                              .command = command};
    if (step == 0 && run->workspace != NULL)
        result = container_put(run->engine, id, WORKSPACE_MOUNT, run->workspace->fd,
                               run->workspace->size_bytes, err);
    if (result == 0)
        result = run_container(&running, err);
    if (!run->keep || (result == 0 && command->outcome == OUTCOME_PASSED)) {
        remove_container(run, id);
    } else {
        struct error ignored = {0};
        if (container_kill(run->cleaner, id, &ignored) < 0)
            error_clear(&ignored);
    }
    if (result == 0 && command->outcome == OUTCOME_PASSED)
        result = prove_own_exit(run, id, running.finished_ms, command, err);
    return result;
}

static void summarise(const struct trial_spec *spec, struct trial_result *result) {
    result->outcome = OUTCOME_PASSED;
    struct error ignored = {0};
    for (size_t i = 0; i < result->command_count; i++) {
        const struct command_result *command = &result->commands[i];
        if (command->outcome == OUTCOME_PASSED)
            continue;
        result->outcome = command->outcome;
        result->reason = string_format(&ignored, "command %zu of %zu (%s): %s", i + 1,
                                       result->command_count, spec->steps[i].command->text,
                                       command->reason != NULL ? command->reason : "");
        break;
    }
    if (result->command_count == 0) {
        result->outcome = OUTCOME_ERROR;
        result->reason = string_dup("no command ran", &ignored);
    }
    error_clear(&ignored);
}

/* The test's time is that of its commands, from start to end; what the engine takes to make containers does not count. */
static int run_steps(const struct trial_run *run, const struct trial_spec *spec,
                     struct trial_result *result, struct error *err) {
    int64_t budget_ms = spec->test->timeout_ms;
    for (size_t step = 0; step < spec->step_count; step++) {
        struct command_result *command = &result->commands[step];
        if (run->on_command != NULL)
            run->on_command(run->context, step);
        if (run_step(run, spec, step, command, budget_ms > 1 ? budget_ms : 1, err) < 0) {
            explain(command, err);
            if (err->kind == ERROR_CANCELLED)
                return -1;
            error_clear(err);
        }
        if (command->outcome != OUTCOME_PASSED)
            return 0;
        budget_ms -= command->duration_ms;
    }
    return 0;
}

static void remove_volume(const struct trial_run *run) {
    _cleanup_(error_clear) struct error why = {0};
    if (volume_remove(run->cleaner, run->name, &why) < 0)
        tell_left(run, "volume", run->name, &why);
}

int trial_run(const struct trial_run *run, const struct trial_spec *spec,
              struct trial_result *result, struct error *err) {
    int64_t began_ms = clock_monotonic_ms();
    *result = (struct trial_result){.outcome = OUTCOME_ERROR, .started_ms = clock_now_ms()};
    result->commands = calloc(spec->step_count + 1, sizeof *result->commands);
    if (result->commands == NULL)
        return error_no_memory(err);
    result->command_count = spec->step_count;
    for (size_t i = 0; i < spec->step_count; i++) {
        result->commands[i].exit_code = -1;
        say(&result->commands[i], OUTCOME_SKIPPED, "not run: a command before it did not pass");
    }
    struct error why = {0};
    int status = 0;
    if (file_make_folders(spec->log_folder, &why) < 0 || cancel_check(run->cancel, &why) < 0 ||
        volume_create(run->cleaner, run->name, run->labels, NULL, &why) < 0) {
        explain(&result->commands[0], &why);
        status = why.kind == ERROR_CANCELLED ? error_move(err, &why) : 0;
    } else {
        status = run_steps(run, spec, result, err);
    }
    error_clear(&why);
    summarise(spec, result);
    if (!run->keep || result->outcome == OUTCOME_PASSED)
        remove_volume(run);
    result->duration_ms = clock_monotonic_ms() - began_ms;
    return status;
}

static void quote(struct text *out, const char *word) {
    text_add_char(out, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            text_add(out, "'\\''");
        else
            text_add_char(out, *word);
    }
    text_add_char(out, '\'');
}

char *trial_reproduce(const struct trial_spec *spec, size_t step, struct error *err) {
    const struct test *test = spec->test;
    const struct trial_step *s = &spec->steps[step];
    struct text line = {0};
    text_printf(&line,
                "docker run --rm --init --security-opt no-new-privileges --network %s --memory "
                "%lld --memory-swap %lld --pids-limit %lld",
                test->network ? "bridge" : "none", (long long)test->memory_bytes,
                (long long)test->memory_bytes, (long long)test->pids);
    text_printf(&line, " --cpus %lld.%02lld -v \"$PWD:%s\" -w ",
                (long long)test->nano_cpus / 1000000000,
                (long long)test->nano_cpus / 10000000 % 100, WORKSPACE_FOLDER);
    quote(&line, test->workdir != NULL ? test->workdir : WORKSPACE_FOLDER);
    if (test->user != NULL) {
        text_add(&line, " -u ");
        quote(&line, test->user);
    }
    const struct string_list *both[] = {&test->environment, &spec->environment};
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < both[l]->count; i++) {
            text_add(&line, " -e ");
            quote(&line, both[l]->items[i]);
        }
    if (!test->keep_entrypoint) {
        text_add(&line, " --entrypoint ");
        quote(&line, s->command->argv[0]);
    }
    text_printf(&line, " %s@%s", s->image, s->digest);
    for (char **argument = s->command->argv + (test->keep_entrypoint ? 0 : 1); *argument != NULL;
         argument++) {
        text_add_char(&line, ' ');
        quote(&line, *argument);
    }
    return text_steal(&line, err);
}
