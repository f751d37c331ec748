#include "pipelines/commands/updates.h"

#include <string.h>

#include "reports/clean.h"

json_t *json_clean(const char *words) {
    struct text cleaned = {0};
    clean_utf8(&cleaned, words, strlen(words));
    json_t *json = cleaned.failed == ERROR_NONE ? json_string(text_string(&cleaned)) : NULL;
    text_clear(&cleaned);
    return json;
}

json_t *json_with_item(json_t *take_list, json_t *take_item) {
    if (take_list == NULL)
        json_decref(take_item);
    else if (json_array_append_new(take_list, take_item) == 0)
        return take_list;
    json_decref(take_list);
    return NULL;
}

static json_t *side(const char *tag, const char *digest) {
    return json_pack("{s:s?, s:s?}", "tag", tag, "digest", digest);
}

static json_t *pins_to_json(const struct gate *gate, const struct update *update) {
    json_t *pins = json_array();
    for (size_t i = 0; i < update->pin_count; i++) {
        const struct pin *pin = &gate->scan.pins.items[update->pins[i]];
        pins =
            json_with_item(pins, json_pack("{s:o, s:I, s:s}", "file", json_clean(pin->file), "line",
                                           (json_int_t)pin->line, "format", pin->format));
    }
    return pins;
}

size_t further_count(const struct update *update) {
    size_t more = (size_t)update->candidates - (update->candidates > 0 ? 1 : 0);
    return update->candidate_digest == NULL ? 0
           : update->further.count < more   ? update->further.count
                                            : more;
}

/* Tags; what they name is asked only when it is needed. */
static json_t *further_to_json(const struct update *update) {
    json_t *tags = json_array();
    for (size_t i = 0; i < further_count(update); i++)
        tags = json_with_item(tags, json_string(update->further.items[i]));
    return tags;
}

static json_t *update_to_json(const struct gate *gate, const struct update *update) {
    enum verdict verdict = update->decided ? update->verdict : VERDICT_HOLD;
    enum verdict_code code = update->decided ? update->code : CODE_NOT_TESTED;
    json_t *candidate = update->candidate_digest != NULL
                            ? side(update->candidate_tag, update->candidate_digest)
                            : json_null();
    return json_pack("{s:s, s:o, s:o, s:o, s:s, s:s?, s:o, s:o}", "image", update->image, "current",
                     side(update->tag, update->digest), "candidate", candidate, "further",
                     further_to_json(update), "verdict", verdict_name(verdict), "code",
                     code != CODE_NONE ? verdict_code_name(code) : NULL, "reason",
                     json_clean(update->decided
                                    ? update->reason
                                    : "there is a candidate, and this command tests nothing"),
                     "pins", pins_to_json(gate, update));
}

json_t *updates_to_json(const struct gate *gate, struct error *err) {
    json_t *updates = json_array();
    for (size_t i = 0; i < gate->updates.count; i++)
        updates = json_with_item(updates, update_to_json(gate, &gate->updates.items[i]));
    if (updates == NULL)
        error_no_memory(err);
    return updates;
}
