#include <string.h>

#include "pipelines/commands/gated.h"

static int check(const struct invocation *invocation, struct error *err) {
    const struct options *given = &invocation->options;
    bool all = given->given[OPTION_ALL];
    if (all == (given->argument_count == 1))
        return error_set(err, ERROR_USAGE,
                         all ? "promote takes a stage or --all, not both"
                             : "promote needs a stage, such as `pingate promote production`, or "
                               "--all");
    if (given->given[OPTION_OVERRIDE] && all)
        return error_set(err, ERROR_USAGE, "--force is for one stage, which has to be named");
    if (given->given[OPTION_OVERRIDE] &&
        (given->values[OPTION_REASON] == NULL || given->values[OPTION_REASON][0] == '\0'))
        return error_set(err, ERROR_USAGE,
                         "--force needs --reason \"…\": it is recorded, and every report shows it");
    return 0;
}

static int run(struct invocation *invocation, int *exit_status, struct error *err) {
    if (check(invocation, err) < 0)
        return -1;
    _cleanup_(free_pointer) char *output = command_output_folder(invocation, err);
    if (output == NULL)
        return -1;
    struct gate_options options = gated_options(invocation, output);
    options.every_stage = invocation->options.given[OPTION_ALL];
    options.stage = options.every_stage ? NULL : invocation->options.arguments[0];
    options.force = invocation->options.given[OPTION_OVERRIDE];
    options.reason = invocation->options.values[OPTION_REASON];
    return gated_run(invocation, &options, exit_status, err);
}

static const enum option_id options[] = {OPTION_ALL,
                                         OPTION_DRY_RUN,
                                         OPTION_OVERRIDE,
                                         OPTION_REASON,
                                         OPTION_JOBS,
                                         OPTION_OUTPUT,
                                         OPTION_JSON,
                                         OPTION_ENGINE,
                                         OPTION_KEEP,
                                         OPTION_KEEP_IMAGES,
                                         OPTION_ALLOW_ENV,
                                         OPTION_ALLOW_SECRET,
                                         OPTION_ALLOW_GENERATED,
                                         OPTION_TIME_LIMIT,
                                         OPTION_NO_REUSE,
                                         OPTION_END};
static const char *const examples[] = {
    "pingate promote production --dry-run", "what would enter production, and what keeps it out",
    "pingate promote --all", "every stage that is ready, in order", NULL};

const struct command command_promote;
const struct command command_promote = {
    .name = "promote",
    .arguments = "[STAGE]",
    .arguments_most = 1,
    .summary = "copy the newest set that is fit from one stage into the next",
    .description =
        "Takes the newest snapshot of the stage before that has stood there for the soak time, "
        "whose tests passed and did not fail since, that nobody denied and enough people "
        "approved, and writes it into the stage's files. Looks no tag up: the digests are copied, "
        "and only proved to be there. The stage's own tests are run first.\n"
        "What is not fit says why, and when it will be. Nothing is wrong then: the exit status is "
        "0, and `changed` in result.json tells whether something was written.\n"
        "--force goes over the rule for entering, never over the stage's own tests; who did it, "
        "why and over what is recorded and shown.",
    .options = options,
    .examples = examples,
    .run = run,
};
