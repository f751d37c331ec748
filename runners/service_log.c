#include "runners/service_log.h"

#include "gate/base/trace.h"
#include "runners/command_log.h"

static int read_whole(const struct trial_run *run, const struct trial_spec *spec,
                      const struct test_service *service, const char *id,
                      struct command_result *end, struct error *err) {
    _cleanup_(free_pointer) char *stem = string_format(err, "service-%s", service->name);
    _cleanup_(command_log_close) struct command_log log;
    if (command_log_open_as(&log, spec, stem != NULL ? stem : "service", end, err) < 0 ||
        stem == NULL)
        return -1;
    if (command_log_read_again(&log, run->engine, id, err) == 0)
        return 0;
    if (!log.over)
        return -1;
    error_clear(err);
    return command_log_read_tails(&log, run->engine, id, err);
}

void service_log_read(const struct trial_run *run, const struct trial_spec *spec,
                      const struct test_service *service, const char *id,
                      struct command_result *end) {
    _cleanup_(error_clear) struct error err = {0};
    if (read_whole(run, spec, service, id, end, &err) == 0)
        return;
    trace(TRACE_ENGINE, "log of service %s: %s", service->name, error_message(&err));
    if (end->reason == NULL)
        return;
    _cleanup_(error_clear) struct error ignored = {0};
    char *longer = string_format(&ignored, "%s (its log could not be read: %s)", end->reason,
                                 error_message(&err));
    if (longer == NULL)
        return;
    free(end->reason);
    end->reason = longer;
}

enum outcome service_outcome_of_end(const struct container_state *state, struct command_result *end,
                                    struct text *words) {
    bool known = state->started && !state->running && state->finished_ms > 0;
    end->exit_code = known ? state->exit_code : -1;
    if (!state->started) {
        text_printf(words, "never ran%s%s", state->error[0] != '\0' ? ": " : "", state->error);
        return OUTCOME_ERROR;
    }
    if (state->oom) {
        text_printf(words, "out of memory: the limit was hit");
        if (known)
            text_printf(words, " (exit code %d)", state->exit_code);
        return OUTCOME_OOM;
    }
    text_printf(words, "ended with %d", state->exit_code);
    if (state->error[0] != '\0')
        text_printf(words, " (%s)", state->error);
    return OUTCOME_FAILED;
}
