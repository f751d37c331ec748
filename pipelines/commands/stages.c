#include "pipelines/commands/stages.h"

#include <string.h>

#include "gate/base/clock.h"
#include "gate/reference.h"
#include "pipelines/commands/updates.h"
#include "pipelines/stages/decision.h"

enum readiness { STATE_READY, STATE_WAITS, STATE_CURRENT };

static const char *const names[] = {"ready", "waits", "up-to-date"};
static const char *const words[] = {"ready", "waits", "up to date"};
static const enum style styles[] = {STYLE_GOOD, STYLE_WARN, STYLE_DIM};

static enum readiness state_of(const struct entry_answer *answer) {
    return answer->up_to_date ? STATE_CURRENT : answer->fits ? STATE_READY : STATE_WAITS;
}

static int describe(const struct gate *gate, size_t s, struct text *out, struct error *err) {
    const struct stage *stage = &gate->config->stages.items[s];
    const struct entry_answer *answer = &gate->answers[s];
    size_t count = answer->changes.count;
    switch (state_of(answer)) {
    case STATE_READY:
        text_printf(out, "%zu value%s of %s (set %.*s) may enter: `pingate promote %s`", count,
                    count == 1 ? "" : "s", stage->from, SET_SHORT_LENGTH, answer->set, stage->name);
        break;
    case STATE_WAITS:
        text_printf(out, "%zu value%s of %s (set %.*s): %s", count, count == 1 ? "" : "s",
                    stage->from, SET_SHORT_LENGTH, answer->set, or_empty(answer->reason));
        break;
    case STATE_CURRENT:
        text_printf(out, "%s has nothing newer", stage->from);
        break;
    }
    for (size_t i = 0; i < answer->kept.count; i++)
        text_printf(out, "; %s", answer->kept.items[i].reason);
    return text_check(out, err);
}

int stages_add(struct table *table, const struct gate *gate, struct error *err) {
    for (size_t s = 0; gate->answers != NULL && s < gate->config->stages.count; s++) {
        const struct stage *stage = &gate->config->stages.items[s];
        if (stage->from == NULL)
            continue;
        enum readiness state = state_of(&gate->answers[s]);
        _cleanup_(text_clear) struct text note = {0};
        struct table_row *row = table_add(table, err);
        if (row == NULL || describe(gate, s, &note, err) < 0 ||
            table_cell(row, STYLE_BOLD, stage->name, err) < 0 ||
            table_cell(row, styles[state], words[state], err) < 0 ||
            table_note(row, text_string(&note), err) < 0)
            return -1;
    }
    return 0;
}

static json_t *changes_to_json(const struct entry_change_list *changes) {
    json_t *list = json_array();
    for (size_t i = 0; i < changes->count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "from", changes->items[i].line, "to",
                                              changes->items[i].candidate));
    return list;
}

static json_t *stage_to_json(const struct gate *gate, size_t s) {
    const struct stage *stage = &gate->config->stages.items[s];
    const struct entry_answer *answer = &gate->answers[s];
    char when[CLOCK_RFC3339_SIZE] = "";
    if (answer->when_ms > 0)
        clock_rfc3339(answer->when_ms, when);
    return json_pack("{s:s, s:s, s:s, s:s?, s:s, s:s?, s:o, s:s?, s:o}", "name", stage->name,
                     "from", stage->from, "set", gate->sets[s].id, "source",
                     answer->set[0] != '\0' ? answer->set : NULL, "state", names[state_of(answer)],
                     "code", answer->code != CODE_NONE ? verdict_code_name(answer->code) : NULL,
                     "reason", answer->reason != NULL ? json_clean(answer->reason) : json_null(),
                     "when", *when != '\0' ? when : NULL, "changes",
                     changes_to_json(&answer->changes));
}

json_t *stages_to_json(const struct gate *gate, struct error *err) {
    json_t *list = json_array();
    for (size_t s = 0; gate->answers != NULL && s < gate->config->stages.count; s++) {
        if (gate->config->stages.items[s].from == NULL)
            continue;
        json_t *stage = stage_to_json(gate, s);
        if (stage == NULL || json_array_append_new(list, stage) < 0) {
            json_decref(list);
            list = NULL;
            break;
        }
    }
    if (list == NULL)
        error_no_memory(err);
    return list;
}

/* What keeps something out; approvals show in what is ready. */
static bool keeps_out(const struct ledger_entry *entry) {
    return entry->type == LEDGER_HELD || entry->type == LEDGER_DENIED;
}

static int describe_decision(const struct ledger_entry *entry, struct text *out,
                             struct error *err) {
    char until[CLOCK_RFC3339_SIZE];
    if (entry->image != NULL)
        text_printf(out, "%s ", reference_familiar(entry->image));
    if (entry->digest != NULL)
        text_printf(out, "%s ", entry->digest);
    if (entry->set != NULL)
        text_printf(out, "set %.*s ", SET_SHORT_LENGTH, entry->set);
    text_printf(out, "by %s", or_empty(entry->actor));
    if (entry->until_ms > 0) {
        clock_rfc3339(entry->until_ms, until);
        text_printf(out, " until %s", until);
    }
    text_printf(out, ": %s", or_empty(entry->reason));
    return text_check(out, err);
}

static int add_decision(struct table *table, const struct ledger_entry *entry, struct error *err) {
    _cleanup_(text_clear) struct text note = {0};
    struct table_row *row = table_add(table, err);
    if (row == NULL || describe_decision(entry, &note, err) < 0 ||
        table_cell(row, STYLE_BOLD, entry->stage != NULL ? entry->stage : "every stage", err) < 0 ||
        table_cell(row, STYLE_WARN, ledger_type_name(entry->type), err) < 0)
        return -1;
    return table_note(row, text_string(&note), err);
}

int stages_add_decisions(struct table *table, const struct gate *gate, struct error *err) {
    struct decision_list decisions = {0};
    int result = decision_list_read(&gate->ledger, clock_now_ms(), &decisions, err);
    for (size_t i = 0; i < decisions.count && result == 0; i++)
        if (keeps_out(decisions.items[i]))
            result = add_decision(table, decisions.items[i], err);
    decision_list_clear(&decisions);
    return result;
}

static json_t *decision_to_json(const struct ledger_entry *entry) {
    char until[CLOCK_RFC3339_SIZE] = "";
    if (entry->until_ms > 0)
        clock_rfc3339(entry->until_ms, until);
    return json_pack("{s:s, s:s, s:s?, s:o, s:s?, s:s?, s:o, s:s?, s:o}", "id", entry->id, "type",
                     ledger_type_name(entry->type), "stage", entry->stage, "image",
                     entry->image != NULL ? json_clean(entry->image) : json_null(), "digest",
                     entry->digest, "set", entry->set, "actor",
                     entry->actor != NULL ? json_clean(entry->actor) : json_null(), "until",
                     *until != '\0' ? until : NULL, "reason",
                     entry->reason != NULL ? json_clean(entry->reason) : json_null());
}

json_t *decisions_to_json(const struct gate *gate, struct error *err) {
    struct decision_list decisions = {0};
    json_t *list = json_array();
    int result = decision_list_read(&gate->ledger, clock_now_ms(), &decisions, err);
    for (size_t i = 0; i < decisions.count && result == 0; i++)
        if (keeps_out(decisions.items[i]) &&
            json_array_append_new(list, decision_to_json(decisions.items[i])) < 0)
            result = error_no_memory(err);
    decision_list_clear(&decisions);
    if (result == 0 && list != NULL)
        return list;
    json_decref(list);
    if (result == 0)
        error_no_memory(err);
    return NULL;
}
