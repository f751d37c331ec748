#include <string.h>

#include "reports/clean.h"
#include "reports/result_parts.h"

/* Writing. A NULL from jansson is always a lack of memory here: texts are valid UTF-8 before it sees them. */

static json_t *string_to_json(const char *string) {
    if (string == NULL)
        return json_null();
    struct error ignored = {0};
    _cleanup_(text_clear) struct text clean = {0};
    clean_utf8(&clean, string, strlen(string));
    if (text_check(&clean, &ignored) < 0) {
        error_clear(&ignored);
        return NULL;
    }
    return json_stringn(text_string(&clean), clean.length);
}

static json_t *struct_to_json(const struct fields *fields, const char *base);

static json_t *list_to_json(const struct field *field, const char *base) {
    const char *at = base + field->offset;
    const struct string_list *strings = (const struct string_list *)at;
    size_t count = field->kind == FIELD_STRING_LIST ? strings->count
                                                    : *(const size_t *)(base + field->count_offset);
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < count; i++) {
        json_t *item = NULL;
        if (field->kind == FIELD_STRING_LIST)
            item = string_to_json(strings->items[i]);
        else if (field->kind == FIELD_SIZES)
            item = json_integer((json_int_t)(*(size_t *const *)at)[i]);
        else
            item = struct_to_json(field->fields, *(char *const *)at + i * field->fields->size);
        if (json_array_append_new(array, item) < 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *field_to_json(const struct field *field, const char *base) {
    const char *at = base + field->offset;
    switch (field->kind) {
    case FIELD_STRING: /* a run that broke early may have left one out */
        return *(char *const *)at == NULL ? json_string("") : string_to_json(*(char *const *)at);
    case FIELD_STRING_OR_NULL:
        return string_to_json(*(char *const *)at);
    case FIELD_INT64:
        return json_integer(*(const int64_t *)at);
    case FIELD_INT:
        return json_integer(*(const int *)at);
    case FIELD_UINT:
        return json_integer(*(const unsigned int *)at);
    case FIELD_SIZE:
        return json_integer((json_int_t) * (const size_t *)at);
    case FIELD_BOOL:
        return json_boolean(*(const bool *)at);
    case FIELD_VERDICT:
        return json_string(verdict_name(*(const enum verdict *)at));
    case FIELD_CODE:
        return *(const enum verdict_code *)at == CODE_NONE
                   ? json_null()
                   : json_string(verdict_code_name(*(const enum verdict_code *)at));
    case FIELD_OUTCOME:
        return json_string(outcome_name(*(const enum outcome *)at));
    case FIELD_STRING_LIST:
    case FIELD_SIZES:
    case FIELD_STRUCTS:
        return list_to_json(field, base);
    case FIELD_STRUCT_OR_NULL:
        return *(char *const *)at != NULL ? struct_to_json(field->fields, *(char *const *)at)
                                          : json_null();
    }
    return NULL;
}

static json_t *struct_to_json(const struct fields *fields, const char *base) {
    json_t *object = json_object();
    for (size_t i = 0; object != NULL && i < fields->count; i++) {
        json_t *value = field_to_json(&fields->items[i], base);
        if (json_object_set_new(object, fields->items[i].name, value) < 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

json_t *result_to_json(const struct result *result, struct error *err) {
    json_auto_t *object = json_object();
    json_auto_t *fields = struct_to_json(&result_fields, (const char *)result);
    if (object == NULL || fields == NULL ||
        json_object_set_new(object, "version", json_integer(RESULT_VERSION)) < 0 ||
        json_object_update(object, fields) < 0) {
        error_no_memory(err);
        return NULL;
    }
    return steal(object);
}
