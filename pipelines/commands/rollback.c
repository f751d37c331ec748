#include "gate/selector.h"
#include "pipelines/commands/gated.h"

static int run(struct invocation *invocation, int *exit_status, struct error *err) {
    const struct options *given = &invocation->options;
    _cleanup_(string_list_clear) struct string_list images = {0};
    if (given->argument_count == 2) {
        if (selector_check(given->arguments[1], err) < 0) {
            err->kind = ERROR_USAGE;
            return -1;
        }
        if (string_list_add(&images, given->arguments[1], err) < 0)
            return -1;
    }
    _cleanup_(free_pointer) char *output = command_output_folder(invocation, err);
    if (output == NULL)
        return -1;
    struct gate_options options = gated_options(invocation, output);
    options.images = &images;
    options.back = given->arguments[0];
    options.to = given->values[OPTION_TO];
    options.force = given->given[OPTION_OVERRIDE];
    options.reason = given->values[OPTION_REASON];
    return gated_run(invocation, &options, exit_status, err);
}

static const enum option_id options[] = {
    OPTION_TO,     OPTION_REASON, OPTION_DRY_RUN,         OPTION_OVERRIDE,
    OPTION_OUTPUT, OPTION_JSON,   OPTION_ALLOW_GENERATED, OPTION_END};
static const char *const examples[] = {"pingate rollback production --reason \"loses writes\"",
                                       "the set before, and a hold so that it stays",
                                       "pingate rollback staging redis",
                                       "only redis",
                                       "pingate rollback production --to 3f2a90c1d4e5 --dry-run",
                                       "what would change if that set went back",
                                       NULL};

const struct command command_rollback;
const struct command command_rollback = {
    .name = "rollback",
    .arguments = "STAGE [IMAGE]",
    .arguments_least = 1,
    .arguments_most = 2,
    .summary = "put an earlier set of a stage back, and hold it",
    .description =
        "Writes the set that stood in the stage before (or that of --to) back into its files: "
        "tags and digests, byte for byte as they were. The digests are proved to be in their "
        "registries first; --force goes on without. Nothing is looked up and nothing tested. What "
        "is new since stays, and is told.\n"
        "The stage, or with IMAGE this image in it, is held from then on, so that the next run "
        "does not undo it: `pingate release` when what was wrong is mended. What a stage went back "
        "from enters no later one until it stands there anew.\n"
        "Which set stood when: `pingate history STAGE`.",
    .options = options,
    .examples = examples,
    .run = run,
};
