#include "reports/result.h"

#include <stdlib.h>
#include <string.h>

#include "reports/result_parts.h"

/* NEW_…: what an earlier program did not write. */
#define FIELD(type, member, kind)                                                                  \
    { #member, kind, offsetof(struct type, member), 0, NULL, false }
#define NEW_FIELD(type, member, kind)                                                              \
    { #member, kind, offsetof(struct type, member), 0, NULL, true }
#define LIST(type, member, counter, table)                                                         \
    {                                                                                              \
#member, FIELD_STRUCTS, offsetof(struct type, member), offsetof(struct type, counter),     \
            table, false                                                                           \
    }
#define NEW_LIST(type, member, counter, table)                                                     \
    {                                                                                              \
#member, FIELD_STRUCTS, offsetof(struct type, member), offsetof(struct type, counter),     \
            table, true                                                                            \
    }
#define NEW_STRUCT(type, member, table)                                                            \
    { #member, FIELD_STRUCT_OR_NULL, offsetof(struct type, member), 0, table, true }
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
    NEW_FIELD(result_command, limit_ms, FIELD_INT64),
    NEW_FIELD(result_command, difference, FIELD_STRING_OR_NULL),
};
TABLE(command_fields, result_command);

static const struct field reused_fields_items[] = {
    FIELD(result_reused, time_ms, FIELD_INT64),
    FIELD(result_reused, entry, FIELD_STRING),
};
TABLE(reused_fields, result_reused);

static const struct field service_fields_items[] = {
    FIELD(result_service, name, FIELD_STRING),
    FIELD(result_service, image, FIELD_STRING_OR_NULL),
    FIELD(result_service, outcome, FIELD_OUTCOME),
    FIELD(result_service, reason, FIELD_STRING_OR_NULL),
    FIELD(result_service, exit_code, FIELD_INT),
    FIELD(result_service, ready_ms, FIELD_INT64),
    FIELD(result_service, duration_ms, FIELD_INT64),
    FIELD(result_service, out_tail, FIELD_STRING_OR_NULL),
    FIELD(result_service, err_tail, FIELD_STRING_OR_NULL),
    FIELD(result_service, out_bytes, FIELD_INT64),
    FIELD(result_service, err_bytes, FIELD_INT64),
    FIELD(result_service, out_path, FIELD_STRING_OR_NULL),
    FIELD(result_service, err_path, FIELD_STRING_OR_NULL),
};
TABLE(service_fields, result_service);

static const struct field build_fields_items[] = {
    FIELD(result_build, dockerfile, FIELD_STRING),
    FIELD(result_build, target, FIELD_STRING_OR_NULL),
    FIELD(result_build, outcome, FIELD_OUTCOME),
    FIELD(result_build, reason, FIELD_STRING_OR_NULL),
    FIELD(result_build, step, FIELD_STRING_OR_NULL),
    FIELD(result_build, duration_ms, FIELD_INT64),
    FIELD(result_build, tail, FIELD_STRING_OR_NULL),
    FIELD(result_build, bytes, FIELD_INT64),
    FIELD(result_build, path, FIELD_STRING_OR_NULL),
    FIELD(result_build, diff, FIELD_STRING_OR_NULL),
};
TABLE(build_fields, result_build);

static const struct field case_fields_items[] = {
    FIELD(result_case, classname, FIELD_STRING_OR_NULL),
    FIELD(result_case, name, FIELD_STRING),
    FIELD(result_case, outcome, FIELD_OUTCOME),
    FIELD(result_case, message, FIELD_STRING_OR_NULL),
    FIELD(result_case, detail, FIELD_STRING_OR_NULL),
    FIELD(result_case, duration_ms, FIELD_INT64),
};
TABLE(case_fields, result_case);

static const struct field suite_fields_items[] = {
    FIELD(result_suite, file, FIELD_STRING),
    FIELD(result_suite, name, FIELD_STRING),
    FIELD(result_suite, tests, FIELD_SIZE),
    FIELD(result_suite, failed, FIELD_SIZE),
    FIELD(result_suite, errors, FIELD_SIZE),
    FIELD(result_suite, skipped, FIELD_SIZE),
    FIELD(result_suite, flaky, FIELD_SIZE),
    FIELD(result_suite, duration_ms, FIELD_INT64),
    LIST(result_suite, cases, case_count, &case_fields),
};
TABLE(suite_fields, result_suite);

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
    NEW_STRUCT(result_trial, reused, &reused_fields),
    LIST(result_trial, commands, command_count, &command_fields),
    NEW_FIELD(result_trial, artifact_folder, FIELD_STRING_OR_NULL),
    NEW_FIELD(result_trial, artifacts, FIELD_STRING_LIST),
    NEW_FIELD(result_trial, artifact_count, FIELD_SIZE),
    NEW_FIELD(result_trial, artifact_bytes, FIELD_INT64),
    NEW_STRUCT(result_trial, build, &build_fields),
    NEW_LIST(result_trial, services, service_count, &service_fields),
    NEW_LIST(result_trial, suites, suite_count, &suite_fields),
    NEW_FIELD(result_trial, attempts, FIELD_UINT),
    NEW_FIELD(result_trial, attempt_reasons, FIELD_STRING_LIST),
    NEW_FIELD(result_trial, limit_ms, FIELD_INT64),
    NEW_FIELD(result_trial, class, FIELD_STRING_OR_NULL),
    NEW_FIELD(result_trial, given_up, FIELD_BOOL),
};
TABLE(trial_fields, result_trial);

static const struct field pin_fields_items[] = {
    FIELD(result_pin, file, FIELD_STRING),
    FIELD(result_pin, line, FIELD_SIZE),
    FIELD(result_pin, format, FIELD_STRING_OR_NULL),
};
TABLE(pin_fields, result_pin);

static const struct field tried_fields_items[] = {
    FIELD(result_tried, tag, FIELD_STRING_OR_NULL),
    FIELD(result_tried, digest, FIELD_STRING_OR_NULL),
    FIELD(result_tried, test, FIELD_STRING_OR_NULL),
    FIELD(result_tried, reason, FIELD_STRING_OR_NULL),
    FIELD(result_tried, outcome, FIELD_OUTCOME),
};
TABLE(tried_fields, result_tried);

static const struct field change_fields_items[] = {
    FIELD(result_change, what, FIELD_STRING),
    FIELD(result_change, name, FIELD_STRING_OR_NULL),
    FIELD(result_change, before, FIELD_STRING_OR_NULL),
    FIELD(result_change, after, FIELD_STRING_OR_NULL),
    FIELD(result_change, denied, FIELD_BOOL),
};
TABLE(change_fields, result_change);

static const struct field changes_fields_items[] = {
    LIST(result_changes, items, count, &change_fields),
    FIELD(result_changes, more, FIELD_SIZE),
    FIELD(result_changes, size_before, FIELD_INT64),
    FIELD(result_changes, size_after, FIELD_INT64),
    FIELD(result_changes, layers_shared, FIELD_SIZE),
    FIELD(result_changes, layers, FIELD_SIZE),
};
TABLE(changes_fields, result_changes);

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
    NEW_LIST(result_update, tried, tried_count, &tried_fields),
    {"culprits", FIELD_SIZES, offsetof(struct result_update, culprits),
     offsetof(struct result_update, culprit_count), NULL, true},
    NEW_STRUCT(result_update, changes, &changes_fields),
    NEW_FIELD(result_update, flaky, FIELD_BOOL),
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
    NEW_LIST(result, stages, stage_count, &stage_fields),
    FIELD(result, warnings, FIELD_STRING_LIST),
    FIELD(result, errors, FIELD_STRING_LIST),
    NEW_FIELD(result, record, FIELD_STRING_OR_NULL),
    FIELD(result, diff, FIELD_STRING_OR_NULL),
};
const struct fields result_fields = {sizeof(struct result), result_fields_items,
                                     sizeof result_fields_items / sizeof *result_fields_items};

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

void result_suite_clear(struct result_suite *suite) {
    struct_clear(&suite_fields, (char *)suite);
    *suite = (struct result_suite){0};
}

void result_clear(struct result *result) {
    struct_clear(&result_fields, (char *)result);
    *result = (struct result){0};
}
