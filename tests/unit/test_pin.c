#include "gate/pin.h"

#include "gate/base/array.h"
#include "tests/unit/unit.h"

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct pin made_pin(void) {
    struct error err = {0};
    struct pin pin = {.format = "yaml", .line = 3, .column = 12, .offset = 40, .length = 87};
    pin.file = strdup("deploy/a.yaml");
    pin.path = strdup("spec.containers[0].image");
    pin.reference = strdup("redis:7.2@" DIGEST);
    pin.spans[0] = (struct pin_span){PIN_PART_DIGEST, 50, DIGEST_LENGTH};
    pin.spans[1] = (struct pin_span){PIN_PART_TAG, 46, 3};
    pin.span_count = 2;
    unit_ok(reference_parse(pin.reference, &pin.name, &err), &err);
    return pin;
}

START_TEST(names_of_parts) {
    ck_assert_str_eq(pin_part_name(PIN_PART_TAG), "tag");
    ck_assert_str_eq(pin_part_name(PIN_PART_DIGEST), "digest");
    ck_assert_str_eq(pin_part_name(PIN_PART_VERSION_COMMENT), "version-comment");
}
END_TEST

START_TEST(clears) {
    struct pin pin = made_pin();
    pin_clear(&pin);
    ck_assert_ptr_null(pin.file);
    ck_assert_ptr_null(pin.name.image);
    pin_clear(&pin); /* an empty one is fine */
}
END_TEST

START_TEST(by_file_then_offset) {
    char a[] = "a", b[] = "b", a_b[] = "a/b";
    const struct pin pins[] = {
        {.file = a, .offset = 5},   {.file = a, .offset = 50}, {.file = a, .offset = 400},
        {.file = a_b, .offset = 0}, {.file = b, .offset = 1},
    };
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++) {
            int order = pin_compare(&pins[i], &pins[j]);
            ck_assert_msg((order > 0) - (order < 0) == (i > j) - (i < j), "%zu against %zu", i, j);
        }
}
END_TEST

START_TEST(lists) {
    struct error err = {0};
    struct pin_list pins = {0};
    for (int i = 0; i < 20; i++)
        *(struct pin *)array_add(&pins, &err) = made_pin();
    ck_assert_uint_eq(pins.count, 20);
    pin_list_clear(&pins);
    ck_assert_ptr_null(pins.items);
    struct skipped_list skipped = {0};
    *(struct skipped *)array_add(&skipped, &err) =
        (struct skipped){strdup("Dockerfile"), 3, strdup("$BASE"), strdup("variable")};
    *(struct skipped *)array_add(&skipped, &err) =
        (struct skipped){strdup("b"), 0, NULL, strdup("too large")};
    skipped_list_clear(&skipped);
    ck_assert_uint_eq(skipped.count, 0);
}
END_TEST

UNIT_MAIN("pin", {
    tcase_add_test(cases, names_of_parts);
    tcase_add_test(cases, clears);
    tcase_add_test(cases, by_file_then_offset);
    tcase_add_test(cases, lists);
})
