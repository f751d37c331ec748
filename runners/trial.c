#include "runners/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/base/clock.h"
#include "gate/base/file.h"
#include "runners/artifacts.h"
#include "runners/command_log.h"
#include "runners/command_outcome.h"
#include "runners/engine/volume.h"
#include "runners/secrets.h"
#include "runners/service.h"
#include "runners/trial_build.h"
#include "runners/trial_container.h"
#include "runners/workspace_open.h"

#define INSPECT_TRIES    50 /* after the log's end an engine may still say "running" for a moment */
#define INSPECT_PAUSE_US 100000

void trial_spec_clear(struct trial_spec *spec) {
    for (size_t i = 0; i < spec->step_count; i++) {
        free(spec->steps[i].image);
        free(spec->steps[i].tag);
        free(spec->steps[i].digest);
        free(spec->steps[i].child);
    }
    free(spec->steps);
    if (spec->build != NULL)
        trial_build_clear(spec->build);
    free(spec->build);
    for (size_t i = 0; i < spec->service_count; i++) {
        free(spec->services[i].image);
        free(spec->services[i].tag);
        free(spec->services[i].digest);
    }
    free(spec->services);
    free(spec->title);
    free(spec->unfit);
    free(spec->log_folder);
    free(spec->artifact_folder);
    string_list_clear(&spec->environment);
    *spec = (struct trial_spec){0};
}

void command_result_clear(struct command_result *command) {
    free(command->reason);
    free(command->out_path);
    free(command->err_path);
    text_clear(&command->out_tail);
    text_clear(&command->err_tail);
    *command = (struct command_result){0};
}

void trial_result_clear(struct trial_result *result) {
    for (size_t i = 0; i < result->command_count; i++)
        command_result_clear(&result->commands[i]);
    for (size_t i = 0; i < result->service_count; i++)
        service_result_clear(&result->services[i]);
    free(result->services);
    artifacts_clear(&result->artifacts);
    if (result->build != NULL)
        build_result_clear(result->build);
    free(result->build);
    string_list_clear(&result->attempt_reasons);
    if (result->found_free != NULL)
        result->found_free(result->found);
    free(result->commands);
    free(result->reason);
    *result = (struct trial_result){0};
}

char *trial_attempt_folder(const char *folder, unsigned int attempt, struct error *err) {
    if (folder == NULL)
        return NULL;
    return attempt == 1 ? string_dup(folder, err)
                        : string_format(err, "%s/attempt-%u", folder, attempt);
}

/* One container of a trial, while it is there. */
struct running {
    const struct trial_run *run;
    const struct trial_spec *spec;
    size_t step;
    const char *id;
    int64_t budget_ms;   /* what is left of the test's time, or the command's own */
    int64_t finished_ms; /* by the engine's clock, once it has ended */
    struct command_result *command;
};

/* The log has ended, so the container has or is about to. When the log was earlier, either the engine is a moment late or the
 * log was cut.
 *
 * Podman ends the log that it follows with the container, also when there is more to read (176 of 200 MB were seen): what
 * counts is read from the beginning. */
static int wait_for_end(const struct running *running, struct command_log *log,
                        struct container_state *state, struct error *err) {
    struct engine *engine = running->run->engine;
    for (int i = 0;; i++) {
        if (container_inspect(engine, running->id, state, err) < 0)
            return -1;
        if (!state->running && (log->dropped || engine_is_podman(engine)))
            return command_log_read_again(log, engine, running->id, err);
        if (!state->running)
            return i > 0 ? command_log_is_whole(log, engine, running->id, err) : 0;
        if (i == INSPECT_TRIES)
            return error_set(err, ERROR_ENGINE,
                             "the log ended and the container still runs: the log is not whole");
        usleep(INSPECT_PAUSE_US);
    }
}

/* Podman now and then begins a log that is followed with what is no frame: there following it is only the wait. */
static bool podman_garbled(const struct running *running, const struct error *why) {
    return engine_is_podman(running->run->engine) && why->kind == ERROR_PROTOCOL;
}

/* What says how long it may run: the command's own limit where that is the nearer one, else the test's. */
static struct time_limit time_limit(const struct running *running) {
    const struct test *test = running->spec->test;
    int64_t own_ms = running->spec->steps[running->step].command->timeout_ms;
    bool own = own_ms > 0 && running->budget_ms >= own_ms;
    return own ? (struct time_limit){"command", "", own_ms}
               : (struct time_limit){"test", " in all", test->timeout_ms};
}

/* From its start to its end. */
static int follow(struct running *running, struct command_log *log, struct error *err) {
    struct engine *engine = running->run->engine;
    struct command_result *command = running->command;
    int64_t started_ms = clock_monotonic_ms();
    struct container_state state = {0};
    int result = command_log_follow(log, engine, running->run->cleaner, running->id,
                                    running->budget_ms, err);
    bool late = clock_monotonic_ms() - started_ms >= running->budget_ms;
    if (result < 0 && podman_garbled(running, err)) {
        error_clear(err);
        result = 0;
    }
    bool read = result == 0;
    if (read)
        result = wait_for_end(running, log, &state, err);
    command->duration_ms = clock_monotonic_ms() - started_ms;
    command_log_close(log);
    if (result == 0) {
        command_outcome_of_end(&state, trial_step_image(running->run, running->spec, running->step),
                               command);
        running->finished_ms = state.finished_ms;
    } else if (log->over) {
        char reason[128];
        snprintf(reason, sizeof reason, "printed more than %lld bytes (log_limit)",
                 (long long)log->limit_bytes);
        command_outcome_set(command, OUTCOME_FAILED, reason);
    } else if (!read && err->kind == ERROR_TIMEOUT && late) {
        command_outcome_of_late(engine, running->id, time_limit(running), command);
    } else {
        return -1;
    }
    error_clear(err);
    return 0;
}

/* Where the test is for another platform than the engine's, that says nothing of the image. */
static void check_emulation(const struct running *running) {
    const char *wanted = running->spec->test->platform;
    const char *own = running->run->platform;
    struct command_result *command = running->command;
    if (wanted == NULL || strcmp(wanted, own) == 0 || command->outcome != OUTCOME_FAILED ||
        command->reason == NULL || strstr(command->reason, "xec format error") == NULL)
        return;
    char reason[300];
    snprintf(reason, sizeof reason,
             "this engine runs %s and has no emulation for %s: register one on its host "
             "(binfmt_misc with qemu-user-static), or run where the platform is native",
             own, wanted);
    command_outcome_set(command, OUTCOME_ERROR, reason);
}

static int run_container(struct running *running, struct error *err) {
    const struct trial_run *run = running->run;
    _cleanup_(command_log_close) struct command_log log;
    if (command_log_open(&log, running->spec, running->step, running->command, err) < 0)
        return -1;
    if (container_start(run->engine, running->id, err) == 0)
        return follow(running, &log, err);
    if (err->kind == ERROR_CANCELLED)
        return -1;
    command_outcome_of_start(run->cleaner, running->id, err, running->command);
    error_clear(err);
    return 0;
}

/* The last proof of a pass. It is asked for when the container is gone, so that nothing has to be waited for. */
static int prove_own_exit(const struct trial_run *run, const char *id, int64_t finished_ms,
                          struct command_result *command, struct error *err) {
    bool signalled = false;
    if (container_was_signalled(run->engine, id, finished_ms, &signalled, err) < 0)
        return -1;
    if (signalled)
        command_outcome_set(
            command, OUTCOME_ERROR,
            "exited with 0 after somebody stopped its container, or the engine was shut down");
    return 0;
}

/* Out of the container that is the trial's last, as it will not be there for long. One that still runs could go on writing for
 * ever. err: no-memory */
static int fetch_artifacts(const struct running *running, struct artifacts *artifacts,
                           struct error *err) {
    const struct trial_run *run = running->run;
    const struct trial_spec *spec = running->spec;
    bool passed = running->command->outcome == OUTCOME_PASSED;
    if (spec->artifact_folder == NULL || (passed && running->step + 1 < spec->step_count))
        return 0;
    struct error ignored = {0};
    if (!passed && container_kill(run->cleaner, running->id, &ignored) < 0)
        error_clear(&ignored);
    return artifacts_fetch(run->engine, running->id, spec->test, spec->artifact_folder, artifacts,
                           err);
}

static int run_step(const struct trial_run *run, const struct trial_spec *spec, size_t step,
                    struct trial_result *trial, int64_t budget_ms, struct error *err) {
    struct command_result *command = &trial->commands[step];
    _cleanup_(free_pointer) char *id = NULL;
    if (trial_container_make(run, spec, step, &id, err) < 0)
        return -1;
    int result = 0;
    int64_t own_ms = spec->steps[step].command->timeout_ms;
    struct running running = {.run = run,
                              .spec = spec,
                              .step = step,
                              .id = id,
                              .budget_ms = own_ms > 0 && own_ms < budget_ms ? own_ms : budget_ms,
                              .command = command};
    if (step == 0 && run->workspace != NULL)
        result = container_put(run->engine, id, WORKSPACE_MOUNT, run->workspace->fd,
                               run->workspace->size_bytes, err);
    if (result == 0)
        result = workspace_open(run, spec, step, id, err);
    if (result == 0)
        result = secrets_deliver(run, spec, id, err);
    if (result == 0)
        result = run_container(&running, err);
    if (result == 0)
        check_emulation(&running);
    if (result == 0)
        result = fetch_artifacts(&running, &trial->artifacts, err);
    if (!run->keep || (result == 0 && command->outcome == OUTCOME_PASSED)) {
        trial_container_remove(run, id);
    } else {
        trial_container_leave(run, id);
    }
    if (result == 0 && command->outcome == OUTCOME_PASSED)
        result = prove_own_exit(run, id, running.finished_ms, command, err);
    return result;
}

static const char *or_nothing(const char *text) {
    return text != NULL ? text : "";
}

/* The trial is what its first command is that did not pass; where they all passed, or none ran, what its services say. */
static void summarise_services(const struct trial_spec *spec, struct trial_result *result) {
    const struct service_result *service = trial_services_failed(result);
    if (service == NULL)
        return;
    bool speaks = result->outcome == OUTCOME_PASSED || result->outcome == OUTCOME_SKIPPED;
    struct error ignored = {0};
    const char *name = spec->services[service - result->services].service->name;
    const char *why = or_nothing(service->end.reason);
    char *reason = speaks ? string_format(&ignored, "service %s: %s", name, why)
                          : string_format(&ignored, "%s; service %s: %s",
                                          or_nothing(result->reason), name, why);
    if (speaks)
        result->outcome = service->end.outcome;
    free(result->reason);
    result->reason = reason;
    error_clear(&ignored);
}

static void summarise(const struct trial_spec *spec, struct trial_result *result) {
    result->outcome = OUTCOME_PASSED;
    struct error ignored = {0};
    if (result->build != NULL && result->build->outcome != OUTCOME_PASSED) {
        result->outcome = result->build->outcome;
        result->reason = string_dup(result->build->reason, &ignored);
        error_clear(&ignored);
        return;
    }
    for (size_t i = 0; i < result->command_count; i++) {
        const struct command_result *command = &result->commands[i];
        if (command->outcome == OUTCOME_PASSED)
            continue;
        result->outcome = command->outcome;
        result->reason =
            string_format(&ignored, "command %zu of %zu (%s): %s", i + 1, result->command_count,
                          spec->steps[i].command->text, or_nothing(command->reason));
        break;
    }
    if (result->command_count == 0) {
        result->outcome = OUTCOME_ERROR;
        result->reason = string_dup("no command ran", &ignored);
    }
    error_clear(&ignored);
    summarise_services(spec, result);
}

/* Logs hold no secrets by now, but an engine may have quoted anything. Without memory it says nothing. */
static void redact_reason(const struct redact *redact, char **reason) {
    struct error ignored = {0};
    if (redact_string(redact, reason, &ignored) < 0) {
        free(*reason);
        *reason = NULL;
    }
    error_clear(&ignored);
}

static void redact_reasons(const struct trial_spec *spec, struct trial_result *result) {
    const struct redact *redact = spec->grants != NULL ? spec->grants->redact : NULL;
    if (redact == NULL)
        return;
    redact_reason(redact, &result->reason);
    for (size_t i = 0; i < result->command_count; i++)
        redact_reason(redact, &result->commands[i].reason);
    for (size_t i = 0; i < result->service_count; i++)
        redact_reason(redact, &result->services[i].end.reason);
    if (result->build != NULL) {
        redact_reason(redact, &result->build->reason);
        redact_reason(redact, &result->build->step);
    }
}

/* The test's time is that of its build and its commands, from start to end; what the engine takes to make containers does not
 * count. */
static int run_steps(const struct trial_run *run, const struct trial_spec *spec,
                     struct trial_result *result, struct error *err) {
    int64_t budget_ms = spec->test->timeout_ms;
    if (result->build != NULL)
        budget_ms -= result->build->duration_ms;
    for (size_t step = 0; step < spec->step_count; step++) {
        struct command_result *command = &result->commands[step];
        if (run->on_command != NULL)
            run->on_command(run->context, step);
        if (run_step(run, spec, step, result, budget_ms > 1 ? budget_ms : 1, err) < 0) {
            command_outcome_of_error(err, command);
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

/* What the commands and services say of the trial, and then what is asked for beyond them, which can say no, but only to what
 * would pass. */
static void settle(const struct trial_run *run, const struct trial_spec *spec,
                   struct trial_result *result) {
    summarise(spec, result);
    struct error why = {0};
    if (run->check != NULL && run->check(spec, result, &why) < 0) {
        struct error ignored = {0};
        free(result->reason);
        result->outcome = OUTCOME_ERROR;
        result->reason = string_dup(error_message(&why), &ignored);
        error_clear(&ignored);
    }
    error_clear(&why);
}

/* Nothing was begun, and why is what its first command comes to. */
static int fail_first(const struct trial_run *run, const struct trial_spec *spec,
                      struct trial_result *result, struct error *err) {
    command_outcome_of_error(err, &result->commands[0]);
    settle(run, spec, result);
    if (err->kind == ERROR_CANCELLED)
        return -1;
    error_clear(err);
    return 0;
}

static int run_beside_services(const struct trial_run *run, const struct trial_spec *spec,
                               struct trial_result *result, struct error *err) {
    if (secrets_hold(run, spec, err) < 0)
        return fail_first(run, spec, result, err);
    struct trial_services services;
    int status = trial_services_start(run, spec, result, &services, err);
    bool ready = status == 0 && trial_services_ready(result);
    if (ready)
        status = run_steps(run, spec, result, err);
    for (size_t i = 0; !ready && i < result->command_count; i++)
        command_outcome_set(&result->commands[i], OUTCOME_SKIPPED,
                            "not run: a service did not get ready");
    trial_services_finish(run, spec, result, &services, status < 0);
    settle(run, spec, result);
    trial_services_remove(run, &services, run->keep && result->outcome != OUTCOME_PASSED);
    return status;
}

/* What the commands run in first, where it is built. */
static int build_and_run(struct trial_run *run, const struct trial_spec *spec,
                         struct trial_result *result, struct error *err) {
    if (spec->build == NULL)
        return run_beside_services(run, spec, result, err);
    int status = trial_build(run, spec, result, err);
    if (result->build == NULL) /* no memory */
        return fail_first(run, spec, result, err);
    if (status == 0 && result->build->outcome == OUTCOME_PASSED) {
        run->built = result->build->image_id;
        return run_beside_services(run, spec, result, err);
    }
    for (size_t i = 0; i < result->command_count; i++)
        command_outcome_set(&result->commands[i], OUTCOME_SKIPPED,
                            "not run: there is no image to run it in");
    settle(run, spec, result);
    if (status < 0 && err->kind == ERROR_CANCELLED)
        return -1;
    error_clear(err);
    return 0;
}

int trial_run(const struct trial_run *given, const struct trial_spec *spec,
              struct trial_result *result, struct error *err) {
    struct trial_run own = *given;
    struct trial_run *run = &own;
    int64_t began_ms = clock_monotonic_ms();
    *result = (struct trial_result){.outcome = OUTCOME_ERROR, .started_ms = clock_now_ms()};
    result->commands = calloc(spec->step_count + 1, sizeof *result->commands);
    if (result->commands == NULL)
        return error_no_memory(err);
    result->command_count = spec->step_count;
    for (size_t i = 0; i < spec->step_count; i++) {
        result->commands[i].exit_code = -1;
        command_outcome_set(&result->commands[i], OUTCOME_SKIPPED,
                            "not run: a command before it did not pass");
    }
    int status;
    if (file_make_folders(spec->log_folder, err) < 0 || cancel_check(run->cancel, err) < 0 ||
        volume_create(run->cleaner, run->name, run->labels, NULL, err) < 0)
        status = fail_first(run, spec, result, err);
    else
        status = build_and_run(run, spec, result, err);
    redact_reasons(spec, result);
    bool keeps = run->keep && result->outcome != OUTCOME_PASSED;
    secrets_drop(run, spec, keeps);
    if (!keeps)
        trial_volume_remove(run, run->name);
    else if (run->on_kept != NULL)
        run->on_kept(run->context, "volume", run->name);
    if (!keeps && result->build != NULL)
        trial_build_remove(run, spec);
    else if (result->build != NULL && result->build->image_id != NULL && !run->keep_images &&
             run->on_kept != NULL)
        run->on_kept(run->context, "image", result->build->image_id);
    result->duration_ms = clock_monotonic_ms() - began_ms;
    return status;
}
