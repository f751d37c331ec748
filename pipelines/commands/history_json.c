#include "pipelines/commands/history.h"
#include "pipelines/commands/updates.h"
#include "pipelines/stages/ledger_json.h"

/* Appends; whatever is NULL makes it fail. */
static bool append(json_t *array, json_t *take_item) {
    return json_array_append_new(array, take_item) == 0;
}

/* take_array when all of it is there. */
static json_t *whole(json_t *take_array, bool is_whole, struct error *err) {
    if (take_array != NULL && is_whole)
        return take_array;
    json_decref(take_array);
    error_no_memory(err);
    return NULL;
}

static json_t *document(json_t *take_json, struct error *err) {
    if (take_json == NULL && err->kind == ERROR_NONE)
        error_no_memory(err);
    return take_json;
}

json_t *history_entries_to_json(const struct history_entries *entries, size_t limit,
                                struct error *err) {
    json_t *array = json_array();
    bool good = true;
    size_t count = limit != 0 && limit < entries->count ? limit : entries->count;
    for (size_t i = 0; good && i < count; i++)
        good = append(array, ledger_entry_to_json(entries->items[i]));
    array = whole(array, good, err);
    if (array == NULL)
        return NULL;
    return document(json_pack("{s:i, s:I, s:o}", "version", 1, "found", (json_int_t)entries->count,
                              "entries", array),
                    err);
}

static json_t *proofs_to_json(const struct history_proof_list *proofs, size_t value) {
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < proofs->count; i++) {
        const struct history_proof *proof = &proofs->items[i];
        if (proof->value == value)
            good = append(array, json_pack("{s:b, s:o}", "later", proof->later, "entry",
                                           ledger_entry_to_json(proof->entry)));
    }
    if (!good)
        json_decref(array);
    return good ? array : NULL;
}

static json_t *approvals_to_json(const struct history_entries *approvals) {
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < approvals->count; i++)
        good = append(array, ledger_entry_to_json(approvals->items[i]));
    if (!good)
        json_decref(array);
    return good ? array : NULL;
}

static json_t *values_to_json(const struct history_stand *stand,
                              const struct history_proof_list *proofs) {
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < stand->first->value_count; i++)
        good = append(array, json_pack("{s:s, s:o}", "value", stand->first->values[i], "evidence",
                                       proofs_to_json(proofs, i)));
    if (!good)
        json_decref(array);
    return good ? array : NULL;
}

static json_t *stand_to_json(const struct ledger *ledger, const struct history_stand *stand,
                             int64_t last_ms, struct error *err) {
    struct history_proof_list proofs = {0};
    struct history_entries approvals = {0};
    json_t *json = NULL;
    if (history_proofs(ledger, stand, last_ms, &proofs, err) == 0 &&
        history_approvals(ledger, stand, &approvals, err) == 0) {
        json_t *carrier =
            stand->carrier != NULL ? ledger_entry_to_json(stand->carrier) : json_null();
        json = document(json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "set", stand->first->set,
                                  "since", ledger_time_to_json(stand->since_ms), "until",
                                  ledger_time_to_json(stand->until_ms), "first",
                                  ledger_entry_to_json(stand->first), "carrier", carrier, "values",
                                  values_to_json(stand, &proofs), "approvals",
                                  approvals_to_json(&approvals)),
                        err);
    }
    history_proof_list_clear(&proofs);
    history_entries_clear(&approvals);
    return json;
}

static json_t *stage_to_json(const struct ledger *ledger, const struct history_stage *stage,
                             int64_t last_ms, struct error *err) {
    json_t *array = json_array();
    bool good = true;
    for (size_t i = 0; good && i < stage->stands.count; i++)
        good = append(array, stand_to_json(ledger, &stage->stands.items[i], last_ms, err));
    array = whole(array, good, err);
    return array != NULL
               ? document(json_pack("{s:s, s:o}", "stage", stage->name, "stood", array), err)
               : NULL;
}

json_t *history_stages_to_json(const struct ledger *ledger, const struct history_stage_list *stages,
                               int64_t first_ms, int64_t last_ms, struct error *err) {
    json_t *array = json_array();
    bool good = true;
    for (size_t i = 0; good && i < stages->count; i++)
        good = append(array, stage_to_json(ledger, &stages->items[i], last_ms, err));
    array = whole(array, good, err);
    if (array == NULL)
        return NULL;
    return document(json_pack("{s:i, s:o, s:o, s:o}", "version", 1, "from",
                              ledger_time_to_json(first_ms), "to", ledger_time_to_json(last_ms),
                              "stages", array),
                    err);
}

static json_t *damage_to_json(const struct ledger_damage_list *damage) {
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < damage->count; i++)
        good = append(array, json_pack("{s:o, s:o}", "file", json_clean(damage->items[i].file),
                                       "reason", json_clean(damage->items[i].reason)));
    if (!good)
        json_decref(array);
    return good ? array : NULL;
}

static json_t *findings_to_json(const struct history_finding_list *findings) {
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < findings->count; i++)
        good = append(array, json_pack("{s:s, s:o}", "finding",
                                       history_oddity_name(findings->items[i].oddity), "entry",
                                       ledger_entry_to_json(findings->items[i].entry)));
    if (!good)
        json_decref(array);
    return good ? array : NULL;
}

json_t *history_check_to_json(const struct ledger *ledger, const struct ledger_damage_list *damage,
                              const struct history_finding_list *findings, struct error *err) {
    return document(json_pack("{s:i, s:I, s:I, s:o, s:o}", "version", 1, "files",
                              (json_int_t)ledger->files, "found", (json_int_t)ledger->count,
                              "damaged", damage_to_json(damage), "findings",
                              findings_to_json(findings)),
                    err);
}
