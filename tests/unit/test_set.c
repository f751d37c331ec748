#include "gate/set.h"

#include "gate/pins/scan.h"
#include "tests/unit/unit.h"

#define HEX   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static const char redis[] = "docker.io/library/redis:7.2@sha256:" HEX;
static const char nginx[] = "docker.io/library/nginx@sha256:" OTHER;

START_TEST(values_are_sorted_and_stand_once) {
    static const char file[] = "image: redis:7.2@sha256:" HEX "\nimage: nginx@sha256:" OTHER
                               "\nimage: docker.io/library/redis:7.2@sha256:" HEX "\n";
    struct error err = {0};
    struct scan scan = {0};
    struct set set;
    unit_ok(scan_bytes("a.yaml", file, sizeof file - 1, &scan, &err), &err);
    unit_ok(set_of_pins(&scan.pins, NULL, &set, &err), &err);
    ck_assert_uint_eq(set.lines.count, 2);
    ck_assert_str_eq(set.lines.items[0], nginx);
    ck_assert_str_eq(set.lines.items[1], redis);
    ck_assert(set_has(&set, redis));
    ck_assert(!set_has(&set, "docker.io/library/redis:7.2@sha256:" OTHER));
    set_clear(&set);
    const bool use[] = {false, true, false};
    unit_ok(set_of_pins(&scan.pins, use, &set, &err), &err);
    ck_assert_uint_eq(set.lines.count, 1);
    ck_assert_str_eq(set.lines.items[0], nginx);
    set_clear(&set);
    scan_clear(&scan);
}
END_TEST

/* The id is what sha256sum says of the lines. */
START_TEST(id_is_the_hash_of_its_lines) {
    const char *lines[] = {redis, nginx, redis};
    struct error err = {0};
    struct set set;
    char expected[HASH_HEX_SIZE];
    char *bytes = NULL;
    ck_assert_int_gt(asprintf(&bytes, "%s\n%s\n", nginx, redis), 0);
    unit_ok(hash_hex(bytes, strlen(bytes), expected, &err), &err);
    unit_ok(set_of_lines(lines, 3, &set, &err), &err);
    ck_assert_str_eq(set.id, expected);
    set_clear(&set);
    free(bytes);
    unit_ok(set_of_lines(NULL, 0, &set, &err), &err);
    ck_assert_str_eq(set.id, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    ck_assert(!set_has(&set, redis));
    set_clear(&set);
}
END_TEST

START_TEST(lines_that_are_no_values) {
    static const char *const rows[] = {"",
                                       "redis",
                                       "redis:7.2@sha256:" HEX, /* not its full name */
                                       "docker.io/library/redis:7.2",
                                       "docker.io/library/redis:7.2@sha256:0123",
                                       "docker.io/library/redis:7.2@sha256:" HEX "\n",
                                       " docker.io/library/redis:7.2@sha256:" HEX};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct set_value value;
        struct set set;
        ck_assert_msg(set_value_parse(rows[i], &value, &err) == -1, "\"%s\" is taken", rows[i]);
        ck_assert_int_eq(err.kind, ERROR_INPUT);
        error_clear(&err);
        ck_assert_int_eq(set_of_lines(&rows[i], 1, &set, &err), -1);
        set_clear(&set);
        error_clear(&err);
    }
}
END_TEST

START_TEST(value_in_its_parts) {
    struct error err = {0};
    struct set_value value;
    unit_ok(set_value_parse(redis, &value, &err), &err);
    ck_assert_str_eq(value.image, "docker.io/library/redis");
    ck_assert_str_eq(value.tag, "7.2");
    ck_assert_str_eq(value.digest, "sha256:" HEX);
    set_value_clear(&value);
    unit_ok(set_value_parse(nginx, &value, &err), &err);
    ck_assert_ptr_null(value.tag);
    set_value_clear(&value);
}
END_TEST

UNIT_MAIN("set", {
    tcase_add_test(cases, values_are_sorted_and_stand_once);
    tcase_add_test(cases, id_is_the_hash_of_its_lines);
    tcase_add_test(cases, lines_that_are_no_values);
    tcase_add_test(cases, value_in_its_parts);
})
