#include "pipelines/commands/gated.h"

#include <string.h>

#include "gate/base/file.h"
#include "pipelines/promotion.h"
#include "reports/summary.h"

int gated_recover(struct invocation *invocation, bool write, struct error *err) {
    enum promotion_state state;
    _cleanup_(text_clear) struct text words = {0};
    if (promotion_recover(invocation->root, write, &state, &words, err) < 0)
        return error_wrap(err, "recover an earlier run");
    if (state != PROMOTION_CLEAN)
        terminal_warning(invocation->terminal, "%s", text_string(&words));
    return 0;
}

static int print_outcome(struct invocation *invocation, const struct result *result,
                         const char *output, struct error *err) {
    if (invocation->options.given[OPTION_JSON])
        return command_print_json(invocation, result_to_json(result, err), err);
    _cleanup_(text_clear) struct text out = {0};
    if (summary_draw(result, &invocation->screen, output, invocation->options.given[OPTION_QUIET],
                     &out, err) < 0)
        return -1;
    return command_print(invocation, &out, err);
}

/* What is between begin and end of a run: whatever fails here is in the reports. */
static int run_begun(struct invocation *invocation, struct gate_options *options,
                     struct result *result, struct error *err) {
    _cleanup_(config_clear) struct config config = {0};
    if (command_config(invocation, &config, err) < 0)
        return -1;
    if (options->since == NULL && gated_recover(invocation, !options->dry_run, err) < 0)
        return -1;
    return gate_run(options, &config, invocation->cancel, invocation->terminal, result, err);
}

int gated_run(struct invocation *invocation, struct gate_options *options, int *exit_status,
              struct error *err) {
    _cleanup_(result_clear) struct result result = {0};
    _cleanup_(file_closep) int folder_fd = -1;
    if (gate_begin(options, &result, &folder_fd, err) < 0) {
        *exit_status = result.exit_status;
        return -1;
    }
    int outcome = run_begun(invocation, options, &result, err);
    outcome = gate_end(options, invocation->cancel, invocation->terminal, &result, outcome, err);
    *exit_status = result.exit_status;
    struct error why = {0};
    if (print_outcome(invocation, &result, options->output, &why) < 0 && outcome == 0)
        outcome = error_move(err, &why);
    error_clear(&why);
    return outcome;
}

struct gate_options gated_options(const struct invocation *invocation, const char *output) {
    const struct options *given = &invocation->options;
    return (struct gate_options){
        .command = invocation->command->name,
        .root = invocation->root,
        .output = output,
        .output_is_named = given->values[OPTION_OUTPUT] != NULL,
        .engine = given->values[OPTION_ENGINE],
        .since = given->values[OPTION_SINCE],
        .promote = given->values[OPTION_PROMOTE],
        .images = &given->images,
        .urgent = &given->urgent,
        .allow_env = &given->allow_env,
        .allow_secrets = &given->allow_secrets,
        .state = command_state(invocation),
        .jobs = given->jobs,
        .time_limit_ms = given->time_limit_ms,
        .no_reuse = given->given[OPTION_NO_REUSE],
        .dry_run = given->given[OPTION_DRY_RUN],
        .keep = given->given[OPTION_KEEP],
        .keep_images = given->given[OPTION_KEEP_IMAGES],
        .allow_generated = given->given[OPTION_ALLOW_GENERATED],
    };
}
