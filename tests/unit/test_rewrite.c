#include "gate/pins/rewrite.h"

#include "gate/pins/scan.h"
#include "tests/unit/unit.h"

#define HEX_A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX_B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define A     "sha256:" HEX_A
#define B     "sha256:" HEX_B

static void rewrite_all(const char *bytes, const char *tag, const char *digest,
                        struct text *after) {
    struct error err = {0};
    struct scan scan = {0};
    struct edit_list edits = {0};
    unit_ok(scan_bytes("x.yaml", bytes, strlen(bytes), &scan, &err), &err);
    for (size_t i = 0; i < scan.pins.count; i++)
        unit_ok(rewrite_pin(&scan.pins.items[i], tag, digest, &edits, &err), &err);
    unit_ok(edits_apply(bytes, strlen(bytes), &edits, after, &err), &err);
    edit_list_clear(&edits);
    scan_clear(&scan);
}

START_TEST(moves_pins) {
    static const struct {
        const char *before, *tag, *after;
    } rows[] = {
        {"image: a:1@" A "\n", NULL, "image: a:1@" B "\n"},
        {"image: a:1@" A "\n", "1.10.0", "image: a:1.10.0@" B "\n"},
        {"image: a@" A, "1.10.0", "image: a@" B},
        {"\xEF\xBB\xBF"
         "a:1@" A " b:22@" A "\r\nc:333@" A,
         "4",
         "\xEF\xBB\xBF"
         "a:4@" B " b:4@" B "\r\nc:4@" B},
        {"nothing here", "4", "nothing here"},
        {"image: h:1/a:1@" A " # h:1", "2", "image: h:1/a:2@" B " # h:1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text after = {0};
        rewrite_all(rows[i].before, rows[i].tag, B, &after);
        ck_assert_str_eq(text_string(&after), rows[i].after);
        text_clear(&after);
    }
}
END_TEST

START_TEST(keeps_a_bare_digest_bare) {
    struct error err = {0};
    struct edit_list edits = {0};
    char digest[] = A, tag[] = "1";
    struct pin pin = {.span_count = 2,
                      .spans = {{PIN_PART_DIGEST, 10, 64}, {PIN_PART_VERSION_COMMENT, 80, 1}},
                      .name = {.digest = digest, .tag = tag}};
    unit_ok(rewrite_pin(&pin, "2", B, &edits, &err), &err);
    ck_assert_uint_eq(edits.count, 2);
    ck_assert_uint_eq(edits.items[0].offset, 10);
    ck_assert_str_eq(edits.items[0].old_bytes, HEX_A);
    ck_assert_str_eq(edits.items[0].new_bytes, HEX_B);
    ck_assert_str_eq(edits.items[1].old_bytes, "1");
    ck_assert_str_eq(edits.items[1].new_bytes, "2");
    edit_list_clear(&edits);
    unit_ok(rewrite_pin(&pin, "1", A, &edits, &err), &err);
    ck_assert_uint_eq(edits.count, 0);
    unit_fails(rewrite_pin(&pin, "1", "sha256:1", &edits, &err), &err, ERROR_INPUT, "digest");
    unit_fails(rewrite_pin(&pin, "a b", B, &edits, &err), &err, ERROR_INPUT,
               "\"a b\" is not a tag");
    ck_assert_uint_eq(edits.count, 0);
    edit_list_clear(&edits);
}
END_TEST

START_TEST(refuses_what_does_not_fit) {
    static char one[] = "one", two[] = "two", three[] = "three";
    static const char bytes[] = "zero\none two";
    struct error err = {0};
    struct text after = {0};
    struct edit good[] = {{9, two, three}, {5, one, two}};
    struct edit_list edits = {.items = good, .count = 2};
    unit_ok(edits_apply(bytes, strlen(bytes), &edits, &after, &err), &err);
    ck_assert_str_eq(text_string(&after), "zero\ntwo three");
    text_clear(&after);

    struct edit other[] = {{5, two, one}};
    edits = (struct edit_list){.items = other, .count = 1};
    unit_fails(edits_apply(bytes, strlen(bytes), &edits, &after, &err), &err, ERROR_CONFLICT,
               "line 2: \"two\" no longer stands there");
    struct edit behind[] = {{10, two, one}};
    edits = (struct edit_list){.items = behind, .count = 1};
    unit_fails(edits_apply(bytes, strlen(bytes), &edits, &after, &err), &err, ERROR_CONFLICT,
               "ends before byte 10");
    struct edit over[] = {{5, one, two}, {6, one, two}};
    edits = (struct edit_list){.items = over, .count = 2};
    unit_fails(edits_apply(bytes, strlen(bytes), &edits, &after, &err), &err, ERROR_BUG, "overlap");
    ck_assert_ptr_null(after.bytes);
}
END_TEST

UNIT_MAIN("rewrite", {
    tcase_add_test(cases, moves_pins);
    tcase_add_test(cases, keeps_a_bare_digest_bare);
    tcase_add_test(cases, refuses_what_does_not_fit);
})
