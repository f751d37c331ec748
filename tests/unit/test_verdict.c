#include "gate/verdict.h"

#include <jansson.h>

#include "gate/base/text.h"
#include "tests/unit/unit.h"

/* The words of the design and of every machine form; they never change once they are out. */
static const char *const verdicts[] = {"up-to-date", "promote", "reject", "hold", "lookup-failed"};
static const char *const codes[] = {"",
                                    "no-tag",
                                    "not-a-version",
                                    "tag-mismatch",
                                    "no-test",
                                    "gate-closed",
                                    "not-selected",
                                    "not-tested",
                                    "not-writable",
                                    "not-written",
                                    "regression",
                                    "already-broken",
                                    "test-failed",
                                    "fails-together",
                                    "flaky",
                                    "change-denied",
                                    "unknown-entry",
                                    "denied",
                                    "on-hold",
                                    "revoked",
                                    "no-evidence",
                                    "not-observed",
                                    "soaking",
                                    "not-approved",
                                    "ambiguous",
                                    "downgrade",
                                    "digest-gone",
                                    "paused",
                                    "cooldown",
                                    "auth",
                                    "rate-limit",
                                    "network",
                                    "timeout",
                                    "not-found",
                                    "limit",
                                    "protocol",
                                    "io"};
static const char *const outcomes[] = {"passed", "failed", "flaky",  "timed-out",
                                       "oom",    "error",  "skipped"};

START_TEST(names) {
    ck_assert_int_eq(VERDICT_COUNT, sizeof verdicts / sizeof *verdicts);
    ck_assert_int_eq(CODE_COUNT, sizeof codes / sizeof *codes);
    ck_assert_int_eq(OUTCOME_COUNT, sizeof outcomes / sizeof *outcomes);
    for (int i = 0; i < VERDICT_COUNT; i++) {
        enum verdict verdict = VERDICT_COUNT;
        ck_assert_str_eq(verdict_name((enum verdict)i), verdicts[i]);
        ck_assert(verdict_from_name(verdicts[i], &verdict) && (int)verdict == i);
    }
    for (int i = 0; i < CODE_COUNT; i++) {
        enum verdict_code code = CODE_COUNT;
        ck_assert_str_eq(verdict_code_name((enum verdict_code)i), codes[i]);
        ck_assert(verdict_code_from_name(codes[i], &code) && (int)code == i);
    }
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        enum outcome outcome = OUTCOME_COUNT;
        ck_assert_str_eq(outcome_name((enum outcome)i), outcomes[i]);
        ck_assert(outcome_from_name(outcomes[i], &outcome) && (int)outcome == i);
    }
}
END_TEST

START_TEST(unknown_names) {
    static const char *const none[] = {"Promote", "promoted", " hold", "pass", "no_tag"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        enum verdict verdict = VERDICT_HOLD;
        enum verdict_code code = CODE_NO_TEST;
        enum outcome outcome = OUTCOME_OOM;
        ck_assert(!verdict_from_name(none[i], &verdict) && verdict == VERDICT_HOLD);
        ck_assert(!verdict_code_from_name(none[i], &code) && code == CODE_NO_TEST);
        ck_assert(!outcome_from_name(none[i], &outcome) && outcome == OUTCOME_OOM);
    }
}
END_TEST

/* A test said no; nothing else is a failure, and nothing but "passed" is a pass. */
START_TEST(failures) {
    for (int i = 0; i < OUTCOME_COUNT; i++)
        ck_assert_int_eq(outcome_is_failure((enum outcome)i),
                         i == OUTCOME_FAILED || i == OUTCOME_TIMED_OUT || i == OUTCOME_OOM);
}
END_TEST

static void check_schema(const char *name) {
    struct error err = {0};
    const char *source = getenv("PINGATE_TEST_SOURCE");
    char *path =
        string_format(&err, "%s/schemas/%s.schema.json", source != NULL ? source : ".", name);
    json_t *schema = json_load_file(path, 0, NULL);
    json_t *fields =
        json_object_get(json_object_get(json_object_get(schema, "$defs"), "update"), "properties");
    json_t *words = json_object_get(json_object_get(fields, "verdict"), "enum");
    json_t *numbers = json_object_get(json_object_get(fields, "code"), "enum");
    ck_assert_msg(json_array_size(words) == VERDICT_COUNT, "%s", path);
    for (int i = 0; i < VERDICT_COUNT; i++)
        ck_assert_str_eq(json_string_value(json_array_get(words, (size_t)i)), verdicts[i]);
    ck_assert_msg(json_array_size(numbers) == CODE_COUNT, "%s", path); /* null for none */
    for (int i = 1; i < CODE_COUNT; i++)
        ck_assert_str_eq(json_string_value(json_array_get(numbers, (size_t)i - 1)), codes[i]);
    json_decref(schema);
    free(path);
}

START_TEST(schemas_have_the_same_words) {
    check_schema("result");
    check_schema("status");
    check_schema("plan");
}
END_TEST

UNIT_MAIN("verdict", {
    tcase_add_test(cases, names);
    tcase_add_test(cases, unknown_names);
    tcase_add_test(cases, failures);
    tcase_add_test(cases, schemas_have_the_same_words);
})
