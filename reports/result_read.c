#include <stdlib.h>

#include "reports/result_parts.h"

/* Reading. Errors are raised where the value is and wrapped with the way to it on the way out. */

static const char *kind_words(enum field_kind kind) {
    switch (kind) {
    case FIELD_STRING:
        return "a string";
    case FIELD_STRING_OR_NULL:
        return "a string or null";
    case FIELD_INT64:
    case FIELD_INT:
    case FIELD_UINT:
        return "a whole number in its range";
    case FIELD_SIZE:
        return "a whole number of at least 0";
    case FIELD_BOOL:
        return "true or false";
    case FIELD_VERDICT:
        return "the name of a verdict";
    case FIELD_CODE:
        return "the name of a code, or null";
    case FIELD_OUTCOME:
        return "the name of an outcome";
    case FIELD_STRING_LIST:
        return "a list of strings";
    case FIELD_SIZES:
        return "a list of whole numbers of at least 0";
    case FIELD_STRUCTS:
        return "a list of objects";
    case FIELD_STRUCT_OR_NULL:
        return "an object or null";
    }
    return "";
}

static int wrong(const struct field *field, struct error *err) {
    return error_set(err, ERROR_INPUT, "%s must be %s", field->name, kind_words(field->kind));
}

static int read_name(const struct field *field, const json_t *value, void *at, struct error *err) {
    const char *name = json_string_value(value);
    bool known = false;
    if (field->kind == FIELD_CODE && json_is_null(value)) {
        *(enum verdict_code *)at = CODE_NONE;
        return 0;
    }
    if (name == NULL)
        return wrong(field, err);
    if (field->kind == FIELD_VERDICT)
        known = verdict_from_name(name, at);
    else if (field->kind == FIELD_CODE)
        known = verdict_code_from_name(name, at);
    else
        known = outcome_from_name(name, at);
    return known ? 0 : wrong(field, err);
}

static int read_number(const struct field *field, const json_t *value, void *at,
                       struct error *err) {
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || (field->kind == FIELD_SIZE && number < 0) ||
        (field->kind == FIELD_INT && (number < INT32_MIN || number > INT32_MAX)) ||
        (field->kind == FIELD_UINT && (number < 0 || number > INT32_MAX)))
        return wrong(field, err);
    if (field->kind == FIELD_INT)
        *(int *)at = (int)number;
    else if (field->kind == FIELD_UINT)
        *(unsigned int *)at = (unsigned int)number;
    else if (field->kind == FIELD_SIZE)
        *(size_t *)at = (size_t)number;
    else
        *(int64_t *)at = number;
    return 0;
}

static int read_string(const struct field *field, const json_t *value, char **out,
                       struct error *err) {
    if (field->kind == FIELD_STRING_OR_NULL && json_is_null(value))
        return 0;
    if (!json_is_string(value))
        return wrong(field, err);
    *out = string_dup(json_string_value(value), err);
    return *out != NULL ? 0 : -1;
}

static int struct_from_json(const struct fields *fields, const json_t *object, char *base,
                            struct error *err);

static int read_strings(const struct field *field, const json_t *array, struct string_list *out,
                        struct error *err) {
    size_t i;
    const json_t *item;
    json_array_foreach(array, i, item) {
        if (!json_is_string(item))
            return wrong(field, err);
        if (string_list_add(out, json_string_value(item), err) < 0)
            return -1;
    }
    return 0;
}

static int read_items(const struct field *field, const json_t *array, char *base,
                      struct error *err) {
    size_t size = field->kind == FIELD_SIZES ? sizeof(size_t) : field->fields->size;
    size_t *count = (size_t *)(base + field->count_offset);
    if (json_array_size(array) == 0)
        return 0;
    char *items = calloc(json_array_size(array), size);
    if (items == NULL)
        return error_no_memory(err);
    *(char **)(base + field->offset) = items;
    size_t i;
    const json_t *item;
    json_array_foreach(array, i, item) {
        *count = i + 1;
        if (field->kind == FIELD_STRUCTS) {
            if (struct_from_json(field->fields, item, items + i * size, err) < 0)
                return error_wrap(err, "%s[%zu]", field->name, i);
        } else if (!json_is_integer(item) || json_integer_value(item) < 0)
            return wrong(field, err);
        else
            ((size_t *)(void *)items)[i] = (size_t)json_integer_value(item);
    }
    return 0;
}

static int read_struct(const struct field *field, const json_t *value, char **out,
                       struct error *err) {
    if (json_is_null(value))
        return 0;
    if (!json_is_object(value))
        return wrong(field, err);
    *out = calloc(1, field->fields->size);
    if (*out == NULL)
        return error_no_memory(err);
    return struct_from_json(field->fields, value, *out, err) == 0
               ? 0
               : error_wrap(err, "%s", field->name);
}

static int read_field(const struct field *field, const json_t *value, char *base,
                      struct error *err) {
    char *at = base + field->offset;
    switch (field->kind) {
    case FIELD_STRING:
    case FIELD_STRING_OR_NULL:
        return read_string(field, value, (char **)at, err);
    case FIELD_INT64:
    case FIELD_INT:
    case FIELD_UINT:
    case FIELD_SIZE:
        return read_number(field, value, at, err);
    case FIELD_BOOL:
        *(bool *)at = json_is_true(value);
        return json_is_boolean(value) ? 0 : wrong(field, err);
    case FIELD_VERDICT:
    case FIELD_CODE:
    case FIELD_OUTCOME:
        return read_name(field, value, at, err);
    case FIELD_STRING_LIST:
        return json_is_array(value) ? read_strings(field, value, (struct string_list *)at, err)
                                    : wrong(field, err);
    case FIELD_SIZES:
    case FIELD_STRUCTS:
        return json_is_array(value) ? read_items(field, value, base, err) : wrong(field, err);
    case FIELD_STRUCT_OR_NULL:
        return read_struct(field, value, (char **)at, err);
    }
    return -1;
}

static int struct_from_json(const struct fields *fields, const json_t *object, char *base,
                            struct error *err) {
    if (!json_is_object(object))
        return error_set(err, ERROR_INPUT, "must be an object");
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        const json_t *value = json_object_get(object, field->name);
        if (value == NULL && field->optional)
            continue;
        if (value == NULL)
            return error_set(err, ERROR_INPUT, "%s lacks", field->name);
        if (read_field(field, value, base, err) < 0)
            return -1;
    }
    return 0;
}

static int check_list(const struct result *result, const char *where, size_t item, const char *name,
                      const size_t *indexes, size_t count, struct error *err) {
    for (size_t k = 0; k < count; k++)
        if (indexes[k] >= result->update_count)
            return error_set(err, ERROR_INPUT, "%s[%zu]: %s: there is no update %zu, only %zu",
                             where, item, name, indexes[k], result->update_count);
    return 0;
}

/* Sinks index result.updates by what trials and culprits say. */
static int check_indexes(const struct result *result, struct error *err) {
    for (size_t i = 0; i < result->trial_count; i++)
        if (check_list(result, "trials", i, "updates", result->trials[i].updates,
                       result->trials[i].update_count, err) < 0)
            return -1;
    for (size_t i = 0; i < result->update_count; i++)
        if (check_list(result, "updates", i, "culprits", result->updates[i].culprits,
                       result->updates[i].culprit_count, err) < 0)
            return -1;
    return 0;
}

int result_from_json(const json_t *json, struct result *out, struct error *err) {
    *out = (struct result){0};
    const json_t *version = json_object_get(json, "version");
    if (!json_is_integer(version))
        return error_set(err, ERROR_INPUT, "no result of a run: version lacks");
    if (json_integer_value(version) != RESULT_VERSION)
        return error_set(err, ERROR_INPUT,
                         "result of version %" JSON_INTEGER_FORMAT "; this program reads %d",
                         json_integer_value(version), RESULT_VERSION);
    if (struct_from_json(&result_fields, json, (char *)out, err) < 0 ||
        check_indexes(out, err) < 0) {
        result_clear(out);
        return error_wrap(err, "result");
    }
    return 0;
}
