#include "pipelines/commands/gated.h"
#include "pipelines/commands/plan_print.h"

/* --plan: everything up to the engine, shown. */
static int show_plan(struct invocation *invocation, const struct gate_options *options,
                     struct error *err) {
    _cleanup_(config_clear) struct config config = {0};
    _cleanup_(result_clear) struct result result = {0};
    if (command_config(invocation, &config, err) < 0 || gated_recover(invocation, false, err) < 0)
        return -1;
    _cleanup_(gate_clear) struct gate gate = {.options = options,
                                              .config = &config,
                                              .cancel = invocation->cancel,
                                              .terminal = invocation->terminal,
                                              .result = &result,
                                              .workspace = {.fd = -1}};
    if (gate_find(&gate, err) < 0 || gate_look_up(&gate, err) < 0 || gate_plan(&gate, err) < 0 ||
        gate_check_files(&gate, err) < 0 || gate_size(&gate, err) < 0)
        return -1;
    return plan_print(invocation, &gate, err);
}

static int run(struct invocation *invocation, int *exit_status, struct error *err) {
    _cleanup_(free_pointer) char *output = command_output_folder(invocation, err);
    if (output == NULL)
        return -1;
    struct gate_options options = gated_options(invocation, output);
    if (invocation->options.given[OPTION_PLAN])
        return show_plan(invocation, &options, err);
    return gated_run(invocation, &options, exit_status, err);
}

static int test(struct invocation *invocation, int *exit_status, struct error *err) {
    _cleanup_(free_pointer) char *output = command_output_folder(invocation, err);
    if (output == NULL)
        return -1;
    const char *since = invocation->options.values[OPTION_SINCE];
    const char *stage = invocation->options.values[OPTION_STAGE];
    if ((since == NULL) == (stage == NULL))
        return error_set(
            err, ERROR_USAGE,
            "test needs either --since REF: the commit or branch whose pins are the baseline; or "
            "--stage STAGE: what stands there");
    struct gate_options options = gated_options(invocation, output);
    options.standing = stage;
    return gated_run(invocation, &options, exit_status, err);
}

static const enum option_id run_options[] = {OPTION_DRY_RUN,
                                             OPTION_PLAN,
                                             OPTION_IMAGE,
                                             OPTION_JOBS,
                                             OPTION_PROMOTE,
                                             OPTION_OUTPUT,
                                             OPTION_JSON,
                                             OPTION_ENGINE,
                                             OPTION_KEEP,
                                             OPTION_KEEP_IMAGES,
                                             OPTION_ALLOW_GENERATED,
                                             OPTION_STATE,
                                             OPTION_URGENT,
                                             OPTION_TIME_LIMIT,
                                             OPTION_NO_REUSE,
                                             OPTION_ALLOW_ENV,
                                             OPTION_ALLOW_SECRET,
                                             OPTION_END};
static const char *const run_examples[] = {"pingate run --dry-run",
                                           "look up and test, write nothing",
                                           "pingate run",
                                           "and move the pins that pass",
                                           "pingate run --image redis --jobs 2",
                                           "one image, two trials at once",
                                           NULL};

const struct command command_run;
const struct command command_run = {
    .name = "run",
    .arguments = "",
    .summary = "the gate: find, look up, test, report, move the pins",
    .description = "Finds the pins, asks the registries for candidates, runs the declared tests "
                   "against each candidate in "
                   "containers, writes reports and logs into the output folder, and moves the pins "
                   "when their tests passed.\n"
                   "The reports are always written, also when the gate is closed.\n"
                   "--plan stops before the engine. What is to be pulled it learns by asking for "
                   "one or two manifests of each image, which registries may count as pulls.",
    .options = run_options,
    .examples = run_examples,
    .run = run,
};

static const enum option_id test_options[] = {
    OPTION_SINCE,        OPTION_STAGE,      OPTION_DRY_RUN, OPTION_JOBS,        OPTION_OUTPUT,
    OPTION_JSON,         OPTION_ENGINE,     OPTION_KEEP,    OPTION_KEEP_IMAGES, OPTION_ALLOW_ENV,
    OPTION_ALLOW_SECRET, OPTION_TIME_LIMIT, OPTION_END};
static const char *const test_examples[] = {
    "pingate test --since origin/main", "gates a bot's pull request",
    "pingate test --stage staging",
    "what stands there, again: a failure keeps it out of the next stage", NULL};

const struct command command_test;
const struct command command_test = {
    .name = "test",
    .arguments = "",
    .summary = "test pins as they stand: where they differ from a commit, or those of a stage",
    .description =
        "Looks nothing up, and writes no pin.\n"
        "With --since it tests the pins of the tree where they differ from those of that "
        "commit, whose digests are the baseline, and writes nothing but reports: it "
        "gates the pull requests of bots and people.\n"
        "With --stage it tests what stands in that stage, and records what came of it: "
        "evidence for what was there before the first record, and no way on for what "
        "fails by now.",
    .options = test_options,
    .examples = test_examples,
    .run = test,
};
