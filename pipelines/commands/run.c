#include <string.h>

#include "gate/base/file.h"
#include "pipelines/commands/command.h"
#include "pipelines/commands/plan_print.h"
#include "pipelines/gate.h"
#include "pipelines/promotion.h"
#include "reports/summary.h"

static int recover(struct invocation *invocation, bool write, struct error *err) {
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

static bool promotes_passing(const struct invocation *invocation, const struct config *config) {
    const char *given = invocation->options.values[OPTION_PROMOTE];
    return given != NULL ? strcmp(given, "passing") == 0 : config->promote_passing;
}

/* What is between begin and end of a run: whatever fails here is in the reports. */
static int run_begun(struct invocation *invocation, struct gate_options *options,
                     struct result *result, struct error *err) {
    _cleanup_(config_clear) struct config config = {0};
    if (command_config(invocation, &config, err) < 0)
        return -1;
    options->promote_passing = promotes_passing(invocation, &config);
    if (options->since == NULL && recover(invocation, !options->dry_run, err) < 0)
        return -1;
    return gate_run(options, &config, invocation->cancel, invocation->terminal, result, err);
}

static int gate_and_print(struct invocation *invocation, struct gate_options *options,
                          int *exit_status, struct error *err) {
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

static struct gate_options gate_options_from(const struct invocation *invocation,
                                             const char *output) {
    const struct options *given = &invocation->options;
    return (struct gate_options){
        .command = invocation->command->name,
        .root = invocation->root,
        .output = output,
        .output_is_named = given->values[OPTION_OUTPUT] != NULL,
        .engine = given->values[OPTION_ENGINE],
        .since = given->values[OPTION_SINCE],
        .images = &given->images,
        .urgent = &given->urgent,
        .state = command_state(invocation),
        .jobs = given->jobs,
        .dry_run = given->given[OPTION_DRY_RUN],
        .keep = given->given[OPTION_KEEP],
        .keep_images = given->given[OPTION_KEEP_IMAGES],
        .allow_generated = given->given[OPTION_ALLOW_GENERATED],
    };
}

/* --plan: everything up to the engine, shown. */
static int show_plan(struct invocation *invocation, const struct gate_options *options,
                     struct error *err) {
    _cleanup_(config_clear) struct config config = {0};
    _cleanup_(result_clear) struct result result = {0};
    if (command_config(invocation, &config, err) < 0 || recover(invocation, false, err) < 0)
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
    struct gate_options options = gate_options_from(invocation, output);
    if (invocation->options.given[OPTION_PLAN])
        return show_plan(invocation, &options, err);
    return gate_and_print(invocation, &options, exit_status, err);
}

static int test(struct invocation *invocation, int *exit_status, struct error *err) {
    _cleanup_(free_pointer) char *output = command_output_folder(invocation, err);
    if (output == NULL)
        return -1;
    if (invocation->options.values[OPTION_SINCE] == NULL)
        return error_set(
            err, ERROR_USAGE,
            "test needs --since REF: the commit or branch whose pins are the baseline");
    struct gate_options options = gate_options_from(invocation, output);
    return gate_and_print(invocation, &options, exit_status, err);
}

static const enum option_id run_options[] = {
    OPTION_DRY_RUN,         OPTION_PLAN,  OPTION_IMAGE,  OPTION_JOBS, OPTION_PROMOTE,
    OPTION_OUTPUT,          OPTION_JSON,  OPTION_ENGINE, OPTION_KEEP, OPTION_KEEP_IMAGES,
    OPTION_ALLOW_GENERATED, OPTION_STATE, OPTION_URGENT, OPTION_END};
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

static const enum option_id test_options[] = {OPTION_SINCE,       OPTION_JOBS,   OPTION_OUTPUT,
                                              OPTION_JSON,        OPTION_ENGINE, OPTION_KEEP,
                                              OPTION_KEEP_IMAGES, OPTION_END};
static const char *const test_examples[] = {"pingate test --since origin/main",
                                            "gates a bot's pull request", NULL};

const struct command command_test;
const struct command command_test = {
    .name = "test",
    .arguments = "",
    .summary = "test the tree's pins where they differ from a commit",
    .description = "Tests the pins of the tree as they stand where they differ from those of "
                   "--since, whose digests are the "
                   "baseline. Looks nothing up and writes nothing but reports: it gates the pull "
                   "requests of bots and people.",
    .options = test_options,
    .examples = test_examples,
    .run = test,
};
