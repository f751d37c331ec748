#include "pipelines/stages/ledger_json.h"

#include "gate/base/clock.h"
#include "pipelines/stages/ledger_parts.h"

json_t *ledger_time_to_json(int64_t time_ms) {
    char words[CLOCK_RFC3339_SIZE];
    if (time_ms == 0)
        return json_null();
    clock_rfc3339_ms(time_ms, words);
    return json_string(words);
}

static json_t *values_to_json(const struct ledger_entry *entry) {
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < entry->value_count; i++)
        if (json_array_append_new(array, json_string(entry->values[i])) < 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *change_to_json(const struct ledger_change *change) {
    return json_pack("{s:s, s:s?, s:s?, s:s?, s:s}", "image", change->image, "old_tag",
                     change->old_tag, "old_digest", change->old_digest, "tag", change->tag,
                     "digest", change->digest);
}

static json_t *changes_to_json(const struct ledger_entry *entry) {
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < entry->change_count; i++)
        if (json_array_append_new(array, change_to_json(&entry->changes[i])) < 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *field_to_json(const struct ledger_entry *entry, const struct ledger_field *field) {
    const void *from = (const char *)entry + field->offset;
    const char *string;
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_HASH:
    case FIELD_DIGEST:
    case FIELD_SELECTOR:
        string = *(const char *const *)from;
        return string != NULL ? json_string(string) : json_null();
    case FIELD_TIME:
        return ledger_time_to_json(*(const int64_t *)from);
    case FIELD_FLAG:
        return json_boolean(*(const bool *)from);
    case FIELD_OUTCOME:
        return json_string(outcome_name(*(const enum outcome *)from));
    case FIELD_VALUES:
        return values_to_json(entry);
    case FIELD_CHANGES:
        return changes_to_json(entry);
    }
    return NULL;
}

static json_t *body_to_json(const struct ledger_entry *entry) {
    if (entry->type == LEDGER_UNKNOWN)
        return json_null();
    unsigned int type = 1u << entry->type;
    json_t *body = json_object();
    for (const struct ledger_field *field = ledger_fields; body != NULL && field->name != NULL;
         field++)
        if (((field->required | field->one_of | field->optional) & type) != 0 &&
            json_object_set_new(body, field->name, field_to_json(entry, field)) < 0) {
            json_decref(body);
            return NULL;
        }
    return body;
}

json_t *ledger_entry_to_json(const struct ledger_entry *entry) {
    const char *type = entry->unknown != NULL ? entry->unknown : ledger_type_name(entry->type);
    return json_pack("{s:s, s:o, s:s, s:s, s:s?, s:s, s:s?, s:I, s:b, s:b, s:o}", "id", entry->id,
                     "time", ledger_time_to_json(entry->time_ms), "type", type, "actor",
                     entry->actor, "ci", entry->ci, "tool", entry->tool, "file", entry->file,
                     "line", (json_int_t)entry->line, "known", entry->type != LEDGER_UNKNOWN,
                     "critical", entry->critical, "body", body_to_json(entry));
}
