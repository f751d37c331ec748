#include "reports/result.h"

#include <stdlib.h>
#include <string.h>

#include "reports/clean.h"

/* One table a struct says how its fields are named and what they hold; clearing, writing and reading all walk it, so that
 * a new field is one line here and one in the schema. */
enum field_kind {
    FIELD_STRING,         /* char *, never NULL */
    FIELD_STRING_OR_NULL, /* char * */
    FIELD_INT64,          /* int64_t */
    FIELD_INT,            /* int */
    FIELD_SIZE,           /* size_t */
    FIELD_BOOL,           /* bool */
    FIELD_VERDICT,        /* enum verdict, by name */
    FIELD_CODE,           /* enum verdict_code, by name; null for CODE_NONE */
    FIELD_OUTCOME,        /* enum outcome, by name */
    FIELD_STRING_LIST,    /* struct string_list */
    FIELD_SIZES,          /* size_t * and its count */
    FIELD_STRUCTS,        /* pointer to structs and their count */
    FIELD_STRUCT_OR_NULL, /* pointer to one struct */
};

struct fields;

struct field {
    const char *name; /* in JSON */
    enum field_kind kind;
    size_t offset;
    size_t count_offset;         /* sizes and structs */
    const struct fields *fields; /* structs */
    bool optional;               /* may lack: what an earlier program did not write */
};

struct fields {
    size_t size; /* of the struct */
    const struct field *items;
    size_t count;
};

#define FIELD(type, member, kind)                                                                  \
    { #member, kind, offsetof(struct type, member), 0, NULL, false }
#define NEW_FIELD(type, member, kind)                                                              \
    { #member, kind, offsetof(struct type, member), 0, NULL, true }
#define LIST(type, member, counter, table)                                                         \
    {                                                                                              \
#member, FIELD_STRUCTS, offsetof(struct type, member), offsetof(struct type, counter),     \
            table, false                                                                           \
    }
#define TABLE(name, type)                                                                          \
    static const struct fields name = {sizeof(struct type), name##_items,                          \
                                       sizeof name##_items / sizeof *name##_items}

static const struct field command_fields_items[] = {
    FIELD(result_command, text, FIELD_STRING),
    FIELD(result_command, image, FIELD_STRING_OR_NULL),
    FIELD(result_command, outcome, FIELD_OUTCOME),
    FIELD(result_command, reason, FIELD_STRING_OR_NULL),
    FIELD(result_command, exit_code, FIELD_INT),
    FIELD(result_command, duration_ms, FIELD_INT64),
    FIELD(result_command, out_tail, FIELD_STRING_OR_NULL),
    FIELD(result_command, err_tail, FIELD_STRING_OR_NULL),
    FIELD(result_command, out_bytes, FIELD_INT64),
    FIELD(result_command, err_bytes, FIELD_INT64),
    FIELD(result_command, out_path, FIELD_STRING_OR_NULL),
    FIELD(result_command, err_path, FIELD_STRING_OR_NULL),
    FIELD(result_command, reproduce, FIELD_STRING_OR_NULL),
};
TABLE(command_fields, result_command);

static const struct field reused_fields_items[] = {
    FIELD(result_reused, time_ms, FIELD_INT64),
    FIELD(result_reused, entry, FIELD_STRING),
};
TABLE(reused_fields, result_reused);

static const struct field trial_fields_items[] = {
    FIELD(result_trial, test, FIELD_STRING),
    {"updates", FIELD_SIZES, offsetof(struct result_trial, updates),
     offsetof(struct result_trial, update_count), NULL, false},
    FIELD(result_trial, baseline, FIELD_BOOL),
    FIELD(result_trial, platform, FIELD_STRING_OR_NULL),
    FIELD(result_trial, outcome, FIELD_OUTCOME),
    FIELD(result_trial, reason, FIELD_STRING_OR_NULL),
    FIELD(result_trial, started_ms, FIELD_INT64),
    FIELD(result_trial, duration_ms, FIELD_INT64),
    {"reused", FIELD_STRUCT_OR_NULL, offsetof(struct result_trial, reused), 0, &reused_fields,
     true},
    LIST(result_trial, commands, command_count, &command_fields),
    NEW_FIELD(result_trial, artifact_folder, FIELD_STRING_OR_NULL),
    NEW_FIELD(result_trial, artifacts, FIELD_STRING_LIST),
    NEW_FIELD(result_trial, artifact_count, FIELD_SIZE),
    NEW_FIELD(result_trial, artifact_bytes, FIELD_INT64),
};
TABLE(trial_fields, result_trial);

static const struct field pin_fields_items[] = {
    FIELD(result_pin, file, FIELD_STRING),
    FIELD(result_pin, line, FIELD_SIZE),
    FIELD(result_pin, format, FIELD_STRING_OR_NULL),
};
TABLE(pin_fields, result_pin);

static const struct field update_fields_items[] = {
    FIELD(result_update, image, FIELD_STRING),
    FIELD(result_update, tag, FIELD_STRING_OR_NULL),
    FIELD(result_update, digest, FIELD_STRING_OR_NULL),
    FIELD(result_update, candidate_tag, FIELD_STRING_OR_NULL),
    FIELD(result_update, candidate_digest, FIELD_STRING_OR_NULL),
    FIELD(result_update, policy, FIELD_STRING_OR_NULL),
    FIELD(result_update, rule, FIELD_STRING_OR_NULL),
    FIELD(result_update, stage, FIELD_STRING_OR_NULL),
    FIELD(result_update, verdict, FIELD_VERDICT),
    FIELD(result_update, code, FIELD_CODE),
    FIELD(result_update, reason, FIELD_STRING),
    FIELD(result_update, reproduce, FIELD_STRING_OR_NULL),
    LIST(result_update, pins, pin_count, &pin_fields),
};
TABLE(update_fields, result_update);

static const struct field stage_fields_items[] = {
    FIELD(result_stage, name, FIELD_STRING),
    FIELD(result_stage, from, FIELD_STRING_OR_NULL),
    FIELD(result_stage, before, FIELD_STRING_OR_NULL),
    FIELD(result_stage, set, FIELD_STRING_OR_NULL),
    FIELD(result_stage, source, FIELD_STRING_OR_NULL),
    FIELD(result_stage, reason, FIELD_STRING_OR_NULL),
    FIELD(result_stage, overridden, FIELD_STRING_OR_NULL),
    FIELD(result_stage, forced, FIELD_STRING_OR_NULL),
};
TABLE(stage_fields, result_stage);

static const struct field result_fields_items[] = {
    FIELD(result, program_version, FIELD_STRING),
    FIELD(result, command, FIELD_STRING),
    FIELD(result, started_ms, FIELD_INT64),
    FIELD(result, finished_ms, FIELD_INT64),
    FIELD(result, dry_run, FIELD_BOOL),
    FIELD(result, promote, FIELD_STRING_OR_NULL),
    FIELD(result, changed, FIELD_BOOL),
    FIELD(result, exit_status, FIELD_INT),
    FIELD(result, engine, FIELD_STRING_OR_NULL),
    FIELD(result, set, FIELD_STRING_OR_NULL),
    LIST(result, updates, update_count, &update_fields),
    LIST(result, trials, trial_count, &trial_fields),
    {"stages", FIELD_STRUCTS, offsetof(struct result, stages), offsetof(struct result, stage_count),
     &stage_fields, true},
    FIELD(result, warnings, FIELD_STRING_LIST),
    FIELD(result, errors, FIELD_STRING_LIST),
    {"record", FIELD_STRING_OR_NULL, offsetof(struct result, record), 0, NULL, true},
    FIELD(result, diff, FIELD_STRING_OR_NULL),
};
TABLE(result_fields, result);

/* Clearing. */

static void struct_clear(const struct fields *fields, char *base) {
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        char *at = base + field->offset;
        if (field->kind == FIELD_STRING_LIST)
            string_list_clear((struct string_list *)at);
        else if (field->kind == FIELD_STRING || field->kind == FIELD_STRING_OR_NULL ||
                 field->kind == FIELD_SIZES)
            free(*(void **)at);
        else if (field->kind == FIELD_STRUCTS) {
            size_t count = *(size_t *)(base + field->count_offset);
            char *items = *(char **)at;
            for (size_t k = 0; k < count; k++)
                struct_clear(field->fields, items + k * field->fields->size);
            free(items);
        } else if (field->kind == FIELD_STRUCT_OR_NULL && *(char **)at != NULL) {
            struct_clear(field->fields, *(char **)at);
            free(*(char **)at);
        }
    }
}

void result_stage_clear(struct result_stage *stage) {
    struct_clear(&stage_fields, (char *)stage);
    *stage = (struct result_stage){0};
}

void result_clear(struct result *result) {
    struct_clear(&result_fields, (char *)result);
    *result = (struct result){0};
}

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

/* Reading. Errors are raised where the value is and wrapped with the way to it on the way out. */

static const char *kind_words(enum field_kind kind) {
    switch (kind) {
    case FIELD_STRING:
        return "a string";
    case FIELD_STRING_OR_NULL:
        return "a string or null";
    case FIELD_INT64:
    case FIELD_INT:
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
        (field->kind == FIELD_INT && (number < INT32_MIN || number > INT32_MAX)))
        return wrong(field, err);
    if (field->kind == FIELD_INT)
        *(int *)at = (int)number;
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

/* Sinks index result.updates by what trials say. */
static int check_indexes(const struct result *result, struct error *err) {
    for (size_t i = 0; i < result->trial_count; i++)
        for (size_t k = 0; k < result->trials[i].update_count; k++)
            if (result->trials[i].updates[k] >= result->update_count)
                return error_set(err, ERROR_INPUT,
                                 "trials[%zu]: updates: there is no update %zu, only %zu", i,
                                 result->trials[i].updates[k], result->update_count);
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
