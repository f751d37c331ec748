#include "pipelines/commands/command.h"
#include "pipelines/commands/listing.h"
#include "pipelines/commands/stages.h"
#include "pipelines/commands/updates.h"
#include "pipelines/gate.h"

static json_t *status_to_json(const struct gate *gate, struct error *err) {
    json_t *updates = updates_to_json(gate, err);
    json_t *stages = updates != NULL ? stages_to_json(gate, err) : NULL;
    json_t *decisions = stages != NULL ? decisions_to_json(gate, err) : NULL;
    if (decisions != NULL)
        return json_pack("{s:i, s:o, s:o, s:o}", "version", 1, "updates", updates, "stages", stages,
                         "decisions", decisions);
    json_decref(updates);
    json_decref(stages);
    return NULL;
}

static void tell_counts(struct invocation *invocation, const struct update_list *updates) {
    static const struct {
        enum verdict state;
        const char *one, *many;
    } parts[] = {
        {VERDICT_PROMOTE, "update", "updates"},
        {VERDICT_LOOKUP_FAILED, "could not be looked up", "could not be looked up"},
        {VERDICT_HOLD, "held", "held"},
        {VERDICT_UP_TO_DATE, "up to date", "up to date"},
    };
    size_t counts[VERDICT_COUNT] = {0};
    for (size_t i = 0; i < updates->count; i++)
        counts[listing_state(&updates->items[i])]++;
    _cleanup_(text_clear) struct text words = {0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t count = counts[parts[i].state];
        if (count > 0)
            text_printf(&words, "%s%zu %s", words.length > 0 ? ", " : "", count,
                        count == 1 ? parts[i].one : parts[i].many);
    }
    terminal_line(
        invocation->terminal, "%s%s", words.length > 0 ? text_string(&words) : "no pins were found",
        counts[VERDICT_PROMOTE] > 0 ? "; `pingate run --dry-run` tests what is newer" : "");
}

static int print_status(struct invocation *invocation, const struct gate *gate, struct error *err) {
    _cleanup_(table_clear) struct table table = {0};
    _cleanup_(text_clear) struct text out = {0};
    _cleanup_(table_clear) struct table stages = {0};
    _cleanup_(table_clear) struct table decisions = {0};
    if (listing_add(&table, &gate->updates, NULL, &invocation->screen, err) < 0 ||
        stages_add(&stages, gate, err) < 0 || stages_add_decisions(&decisions, gate, err) < 0)
        return -1;
    table_draw(&table, &invocation->screen, &out);
    if (stages.count > 0) {
        text_add(&out, table.count > 0 ? "\nstages\n" : "stages\n");
        table_draw(&stages, &invocation->screen, &out);
    }
    if (decisions.count > 0) {
        text_add(&out, "\nheld and denied\n");
        table_draw(&decisions, &invocation->screen, &out);
    }
    if (command_print(invocation, &out, err) < 0)
        return -1;
    tell_counts(invocation, &gate->updates);
    return 0;
}

static int run(struct invocation *invocation, int *exit_status, struct error *err) {
    _cleanup_(config_clear) struct config config = {0};
    if (command_config(invocation, &config, err) < 0)
        return -1;
    _cleanup_(result_clear) struct result result = {0};
    struct gate_options options = {.root = invocation->root,
                                   .images = &invocation->options.images,
                                   .urgent = &invocation->options.urgent,
                                   .state = command_state(invocation)};
    _cleanup_(gate_clear) struct gate gate = {.options = &options,
                                              .config = &config,
                                              .cancel = invocation->cancel,
                                              .terminal = invocation->terminal,
                                              .result = &result,
                                              .workspace = {.fd = -1}};
    if (gate_find(&gate, err) < 0 || gate_open_ledger(&gate, err) < 0 ||
        gate_look_up(&gate, err) < 0 || gate_obey(&gate, err) < 0 || gate_pause(&gate, err) < 0 ||
        gate_answer_stages(&gate, err) < 0)
        return -1;
    bool updates = false;
    bool failed = false;
    for (size_t i = 0; i < gate.updates.count; i++) {
        updates = updates || !gate.updates.items[i].decided;
        failed = failed || (gate.updates.items[i].decided &&
                            gate.updates.items[i].verdict == VERDICT_LOOKUP_FAILED);
    }
    if (failed)
        *exit_status = EXIT_COULD_NOT;
    else if (updates && invocation->options.given[OPTION_EXIT_CODE])
        *exit_status = EXIT_UPDATES;
    if (invocation->options.given[OPTION_JSON])
        return command_print_json(invocation, status_to_json(&gate, err), err);
    return print_status(invocation, &gate, err);
}

static const enum option_id options[] = {OPTION_JSON,  OPTION_EXIT_CODE, OPTION_IMAGE,
                                         OPTION_STATE, OPTION_URGENT,    OPTION_END};
static const char *const examples[] = {"pingate status", "what is newer",
                                       "pingate status --exit-code",
                                       "exits with 4 when something is", NULL};

const struct command command_status;
const struct command command_status = {
    .name = "status",
    .arguments = "",
    .summary = "show what is newer; tests and writes nothing",
    .description = "Asks the registries for candidates of every pinned image that the update "
                   "policy allows, and shows them. A "
                   "look-up that failed is shown as such and gives exit status 3.\n"
                   "Where stages are configured, it also tells what waits for each, why, and until "
                   "when.",
    .options = options,
    .examples = examples,
    .run = run,
};
