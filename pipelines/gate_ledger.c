/* What a run records: what it saw in each stage, and what it wrote. Only where stages are configured. The entries are drafted
 * here as the run goes on, and written by its promotion, with the pins. */
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "pipelines/gate.h"

struct ledger_entry *gate_draft(struct gate *gate, enum ledger_type type, struct error *err) {
    struct ledger_entry *draft = array_add(&gate->drafts, err);
    if (draft == NULL)
        return NULL;
    *draft = (struct ledger_entry){
        .type = type, .time_ms = clock_now_ms(), .actor = gate->actor, .ci = gate->ci};
    return draft;
}

struct set *gate_keep_set(struct gate *gate, struct error *err) {
    struct gate_set *kept = calloc(1, sizeof *kept);
    if (kept == NULL) {
        error_no_memory(err);
        return NULL;
    }
    kept->next = gate->kept;
    gate->kept = kept;
    return &kept->set;
}

/* The newest set that was observed in the stage, or NULL. */
static const char *last_observed(const struct ledger *ledger, const char *stage) {
    for (size_t i = ledger->count; i > 0; i--) {
        const struct ledger_entry *entry = &ledger->items[i - 1];
        if (entry->type == LEDGER_OBSERVED && strcmp(entry->stage, stage) == 0)
            return entry->set;
    }
    return NULL;
}

/* A file that is not as the commit has it is not on the target branch. */
static int changed_file(const struct gate *gate, size_t stage, const char **file,
                        struct error *err) {
    const struct string_list *changed = &gate->checkout.changed;
    *file = NULL;
    for (size_t i = 0; i < changed->count && *file == NULL; i++) {
        size_t of;
        if (string_has_prefix(changed->items[i], ".pingate/"))
            continue;
        if (stage_of_file(&gate->config->stages, changed->items[i], &of, err) < 0)
            return -1;
        if (of == stage)
            *file = changed->items[i];
    }
    return 0;
}

static int observe(struct gate *gate, size_t stage, struct error *err) {
    const char *name = gate->config->stages.items[stage].name;
    const struct set *set = &gate->sets[stage];
    const char *last = last_observed(&gate->ledger, name);
    if ((last != NULL && strcmp(last, set->id) == 0) ||
        (last == NULL && set->lines.count == 0)) /* a stage that never held a pin */
        return 0;
    const char *changed;
    if (changed_file(gate, stage, &changed, err) < 0)
        return -1;
    if (changed != NULL) {
        terminal_line(gate->terminal,
                      "%s: %s is not as it was committed, so what stands there is not yet "
                      "recorded as observed",
                      name, changed);
        return 0;
    }
    struct ledger_entry *draft = gate_draft(gate, LEDGER_OBSERVED, err);
    if (draft == NULL)
        return -1;
    draft->stage = name;
    draft->set = set->id;
    draft->values = (const char *const *)set->lines.items;
    draft->value_count = set->lines.count;
    draft->branch = gate->checkout.branch;
    draft->commit = gate->checkout.commit;
    return 0;
}

static int observe_all(struct gate *gate, struct error *err) {
    const char *target = gate->config->target;
    if (checkout_look(gate->options->root, gate->cancel, &gate->checkout, err) < 0)
        return -1;
    if (!checkout_is_target(&gate->checkout, target)) {
        terminal_line(gate->terminal,
                      "this is %s%s%s and not %s, the target branch: what stands in the stages is "
                      "not recorded as observed",
                      gate->checkout.branch != NULL ? "branch \"" : "no branch",
                      gate->checkout.branch != NULL ? gate->checkout.branch : "",
                      gate->checkout.branch != NULL ? "\"" : "", target);
        return 0;
    }
    for (size_t i = 0; i < gate->config->stages.count; i++)
        if (observe(gate, i, err) < 0)
            return -1;
    return 0;
}

/* The drafts are entries to the rule as well: what is seen now counts from now on. */
static int add_drafts(struct gate *gate, struct error *err) {
    if (gate->drafts.count == 0)
        return 0;
    _cleanup_(ledger_file_clear) struct ledger_file file = {0};
    if (ledger_format(gate->drafts.items, gate->drafts.count, gate->drafts.items[0].time_ms, &file,
                      err) < 0 ||
        ledger_parse("observed now", text_string(&file.bytes), file.bytes.length, &gate->ledger,
                     err) < 0)
        return -1;
    ledger_sort(&gate->ledger);
    return 0;
}

int gate_open_ledger(struct gate *gate, struct error *err) {
    const struct stage_list *stages = &gate->config->stages;
    if (stages->count == 0)
        return 0;
    gate->actor = ledger_actor(gate->options->root, err);
    if (gate->actor == NULL)
        return -1;
    gate->ci = ledger_ci(err);
    if (gate->ci == NULL && err->kind != ERROR_NONE)
        return -1;
    gate->sets = calloc(stages->count, sizeof *gate->sets);
    if (gate->sets == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < stages->count; i++)
        if (stage_set(&gate->scan.pins, gate->stage_of, i, &gate->sets[i], err) < 0)
            return -1;
    if (ledger_load(gate->options->root, &gate->ledger, err) < 0)
        return error_wrap(err, "read the ledger");
    return observe_all(gate, err) < 0 || add_drafts(gate, err) < 0 ? -1 : 0;
}

static bool moves_in(const struct update *update, size_t stage) {
    return update->stage == stage && update->decided && update->verdict == VERDICT_PROMOTE;
}

/* What the stage holds once the pins are moved. */
static int set_after(const struct gate *gate, size_t stage, struct set *out, struct error *err) {
    const struct string_list *now = &gate->sets[stage].lines;
    if (gate->options->standing !=
        NULL) /* nothing moves; updates know no digest that stood before */
        return set_of_lines((const char *const *)now->items, now->count, out, err);
    _cleanup_(string_list_clear) struct string_list lines = {0};
    for (size_t i = 0; i < gate->updates.count; i++) {
        const struct update *update = &gate->updates.items[i];
        if (update->stage != stage)
            continue;
        /* what `test --stage` tests has no digest of before */
        bool new_one = moves_in(update, stage) || update->digest == NULL;
        _cleanup_(free_pointer) char *line =
            reference_text(update->image, new_one ? update->candidate_tag : update->tag,
                           new_one ? update->candidate_digest : update->digest, err);
        if (line == NULL || string_list_add(&lines, line, err) < 0)
            return -1;
    }
    return set_of_lines((const char *const *)lines.items, lines.count, out, err);
}

static struct ledger_change *changes_of(struct gate *gate, size_t stage, size_t *count,
                                        struct error *err) {
    *count = 0;
    struct ledger_change *changes =
        arena_take(&gate->words, (gate->updates.count + 1) * sizeof *changes, err);
    for (size_t i = 0; changes != NULL && i < gate->updates.count; i++) {
        const struct update *update = &gate->updates.items[i];
        if (moves_in(update, stage))
            changes[(*count)++] = (struct ledger_change){.image = update->image,
                                                         .old_tag = update->tag,
                                                         .old_digest = update->digest,
                                                         .tag = update->candidate_tag,
                                                         .digest = update->candidate_digest};
    }
    return changes;
}

static int draft_promotion(struct gate *gate, size_t stage, struct error *err) {
    const struct stage *of = &gate->config->stages.items[stage];
    size_t count;
    struct ledger_change *changes = changes_of(gate, stage, &count, err);
    if (changes == NULL || count == 0)
        return changes != NULL ? 0 : -1;
    struct set *after = gate_keep_set(gate, err);
    if (after == NULL || set_after(gate, stage, after, err) < 0)
        return -1;
    bool back = gate->options->back != NULL;
    struct ledger_entry *draft = gate_draft(gate, back ? LEDGER_ROLLED_BACK : LEDGER_PROMOTED, err);
    if (draft == NULL)
        return -1;
    draft->stage = of->name;
    draft->from = back ? NULL : of->from;
    draft->before = gate->sets[stage].id;
    draft->set = after->id;
    draft->values = (const char *const *)after->lines.items;
    draft->value_count = after->lines.count;
    draft->changes = changes;
    draft->change_count = count;
    gate_describe_entry(gate, stage, draft);
    return back ? gate_draft_holds(gate, err) : 0;
}

int gate_draft_promotions(struct gate *gate, struct error *err) {
    for (size_t i = 0; i < gate->config->stages.count; i++)
        if (draft_promotion(gate, i, err) < 0)
            return -1;
    return 0;
}

/* The stages that this command writes, and what became of each. */
static int fill_stage(const struct gate *gate, size_t s, struct result_stage *to,
                      struct error *err) {
    const struct stage *stage = &gate->config->stages.items[s];
    _cleanup_(set_clear) struct set after = {0};
    if (set_after(gate, s, &after, err) < 0 || string_copy(stage->name, &to->name, err) < 0 ||
        string_copy(gate->options->back == NULL ? stage->from : NULL, &to->from, err) < 0 ||
        string_copy(gate->sets[s].id, &to->before, err) < 0 ||
        string_copy(after.id, &to->set, err) < 0)
        return -1;
    const struct entry_answer *answer = gate->answers != NULL ? &gate->answers[s] : NULL;
    if (answer == NULL || answer->set[0] == '\0')
        return 0;
    if (string_copy(answer->set, &to->source, err) < 0 ||
        string_copy(answer->reason, &to->reason, err) < 0 ||
        string_copy(answer->overridden, &to->overridden, err) < 0)
        return -1;
    return answer->overridden != NULL ? string_copy(gate->options->reason, &to->forced, err) : 0;
}

int gate_fill_stages(struct gate *gate, struct error *err) {
    const struct stage_list *stages = &gate->config->stages;
    struct result *result = gate->result;
    if (gate->sets == NULL)
        return 0;
    result->stages = calloc(stages->count, sizeof *result->stages);
    if (result->stages == NULL)
        return error_no_memory(err);
    for (size_t s = 0; s < stages->count; s++) {
        if (!gate_writes(gate->options, &stages->items[s]))
            continue;
        struct result_stage stage = {0};
        if (fill_stage(gate, s, &stage, err) < 0) {
            result_stage_clear(&stage);
            return -1;
        }
        result->stages[result->stage_count++] = stage;
    }
    return 0;
}

void gate_close_ledger(struct gate *gate) {
    for (size_t i = 0; gate->answers != NULL && i < gate->config->stages.count; i++)
        entry_answer_clear(&gate->answers[i]);
    free(steal(gate->answers));
    for (size_t i = 0; gate->sets != NULL && i < gate->config->stages.count; i++)
        set_clear(&gate->sets[i]);
    free(steal(gate->sets));
    while (gate->kept != NULL) {
        struct gate_set *kept = gate->kept;
        gate->kept = kept->next;
        set_clear(&kept->set);
        free(kept);
    }
    free(steal(gate->drafts.items));
    evidence_clear(&gate->evidence);
    ledger_clear(&gate->ledger);
    checkout_clear(&gate->checkout);
    arena_clear(&gate->words);
    free(steal(gate->actor));
    free(steal(gate->ci));
}
