#include "runners/grants.h"

#include "tests/unit/unit.h"

START_TEST(by_name_and_kind) {
    struct error err = {0};
    struct grants grants = {0};
    unit_ok(grants_add(&grants, "TOKEN", "a\0b\0c", 5, true, &err), &err);
    unit_ok(grants_add(&grants, "TOKEN", "", 0, false, &err), &err);
    const struct grant *secret = grants_find(&grants, "TOKEN", true);
    ck_assert_uint_eq(secret->length, 5);
    ck_assert_int_eq(memcmp(secret->value, "a\0b\0c", 6), 0);
    ck_assert_str_eq(grants_find(&grants, "TOKEN", false)->value, "");
    ck_assert_ptr_null(grants_find(&grants, "token", true));
    ck_assert_ptr_null(grants_find(&grants, "TOKE", true));
    ck_assert_ptr_null(grants_find(NULL, "TOKEN", true));
    grants_clear(&grants);
}
END_TEST

START_TEST(secrets_are_taken_out) {
    struct error err = {0};
    struct grants grants = {0};
    unit_ok(grants_add(&grants, "PLAIN", "visible", 7, false, &err), &err);
    unit_ok(grants_seal(&grants, &err), &err);
    ck_assert_ptr_null(grants.redact); /* nothing to take out */
    unit_ok(grants_add(&grants, "TOKEN", "hidden", 6, true, &err), &err);
    unit_ok(grants_seal(&grants, &err), &err);
    char *words = strdup("visible hidden");
    unit_ok(redact_string(grants.redact, &words, &err), &err);
    ck_assert_str_eq(words, "visible ***");
    free(words);
    grants_clear(&grants);
}
END_TEST

START_TEST(limits) {
    struct error err = {0};
    struct grants grants = {0};
    static const size_t refused[] = {0, GRANT_SECRET_LEAST - 1, GRANT_SECRET_LIMIT + 1};
    char *large = calloc(1, GRANT_SECRET_LIMIT + 2);
    memset(large, 'x', GRANT_SECRET_LIMIT + 1);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(grants_add(&grants, "TOKEN", large, refused[i], true, &err), -1);
        ck_assert_int_eq(err.kind, ERROR_LIMIT);
        ck_assert_msg(strstr(error_message(&err), "TOKEN") != NULL, "%s", error_message(&err));
        ck_assert_msg(strstr(error_message(&err), "xxxx") == NULL, "%s", error_message(&err));
        error_clear(&err);
    }
    unit_ok(grants_add(&grants, "TOKEN", large, GRANT_SECRET_LIMIT, true, &err), &err);
    unit_ok(grants_add(&grants, "ENV", large, 0, false, &err), &err);
    for (size_t i = 1; i < GRANTS_LIMIT; i++)
        unit_ok(grants_add(&grants, "MORE", large, 1, false, &err), &err);
    ck_assert_int_eq(grants_add(&grants, "MORE", large, 1, false, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_LIMIT);
    error_clear(&err);
    unit_ok(grants_add(&grants, "OTHER", "12345", 5, true, &err), &err);
    free(large);
    grants_clear(&grants);
}
END_TEST

UNIT_MAIN("grants", {
    tcase_add_test(cases, by_name_and_kind);
    tcase_add_test(cases, secrets_are_taken_out);
    tcase_add_test(cases, limits);
})
