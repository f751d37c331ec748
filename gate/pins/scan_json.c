#include "gate/pins/scan_json.h"

#include <string.h>

#include "gate/base/text.h"
#include "gate/base/utf8.h"

#define JSON_VERSION 1

static json_t *json_untrusted(const char *string) {
    json_t *plain = json_string(string);
    if (plain != NULL)
        return plain;
    _cleanup_(text_clear) struct text text = {0};
    size_t left = strlen(string);
    for (const char *at = string; left > 0;) {
        size_t length = utf8_length(at, left);
        if (length > 0)
            text_append(&text, at, length);
        else
            text_add(&text, UTF8_REPLACEMENT);
        at += length > 0 ? length : 1;
        left -= length > 0 ? length : 1;
    }
    return text.failed == ERROR_NONE ? json_string(text_string(&text)) : NULL;
}

static json_t *spans_to_json(const struct pin *pin) {
    json_t *spans = json_array();
    for (size_t i = 0; i < pin->span_count && spans != NULL; i++) {
        const struct pin_span *span = &pin->spans[i];
        json_t *item = json_pack("{s:s, s:I, s:I}", "part", pin_part_name(span->part), "offset",
                                 (json_int_t)span->offset, "length", (json_int_t)span->length);
        if (json_array_append_new(spans, item) < 0) {
            json_decref(spans);
            spans = NULL;
        }
    }
    return spans;
}

static json_t *pin_to_json(const struct pin *pin) {
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:o, s:s, s:s, s:s, s:s?, s:s}", "file",
                     json_untrusted(pin->file), "line", (json_int_t)pin->line, "column",
                     (json_int_t)pin->column, "offset", (json_int_t)pin->offset, "length",
                     (json_int_t)pin->length, "spans", spans_to_json(pin), "format", pin->format,
                     "reference", pin->reference, "image", pin->name.image, "tag", pin->name.tag,
                     "digest", pin->name.digest);
}

static json_t *skipped_to_json(const struct skipped *skipped) {
    return json_pack("{s:o, s:I, s:o, s:o}", "file", json_untrusted(skipped->file), "line",
                     (json_int_t)skipped->line, "text", json_untrusted(skipped->text), "reason",
                     json_untrusted(skipped->reason));
}

json_t *scan_to_json(const struct scan *scan, struct error *err) {
    json_t *pins = json_array(), *skipped = json_array();
    bool good = pins != NULL && skipped != NULL;
    for (size_t i = 0; i < scan->pins.count && good; i++)
        good = json_array_append_new(pins, pin_to_json(&scan->pins.items[i])) == 0;
    for (size_t i = 0; i < scan->skipped.count && good; i++)
        good = json_array_append_new(skipped, skipped_to_json(&scan->skipped.items[i])) == 0;
    json_t *whole = NULL;
    if (good)
        whole =
            json_pack("{s:i, s:O, s:O}", "version", JSON_VERSION, "pins", pins, "skipped", skipped);
    json_decref(pins);
    json_decref(skipped);
    if (whole == NULL)
        error_no_memory(err);
    return whole;
}
