#include "gate/digest.h"

#include "tests/unit/unit.h"

#define HEX63 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
#define HEX64 HEX63 "5"

START_TEST(valid_or_not) {
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"sha256:" HEX64, true},
        {"sha256:0000000000000000000000000000000000000000000000000000000000000000", true},
        {"", false},
        {"sha256:", false},
        {"sha256", false},
        {HEX64, false},
        {"sha256:" HEX63, false},
        {"sha256:" HEX64 "0", false},
        {"sha256:" HEX64 " ", false},
        {"sha256:" HEX63 "g", false},
        {"sha256:" HEX63 "A", false},
        {"SHA256:" HEX64, false},
        {"sha256-" HEX64, false},
        {" sha256:" HEX64, false},
        {"sha512:" HEX64 HEX64, false},
        {"sha256:" HEX63 "\n", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(digest_valid(rows[i].text) == rows[i].valid, "row %zu: \"%s\"", i,
                      rows[i].text);
}
END_TEST

START_TEST(begins_here) {
    static const struct {
        const char *bytes;
        bool found;
    } rows[] = {
        {"sha256:" HEX64, true},         {"sha256:" HEX64 "\"", true},
        {"sha256:" HEX64 " AS x", true}, {"sha256:" HEX64 "g", true},
        {"sha256:" HEX64 "0", false},    {"sha256:" HEX64 "F", false},
        {"sha256:" HEX63, false},        {"sha256:" HEX63 " ", false},
        {"xsha256:" HEX64, false},       {"", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(digest_at(rows[i].bytes, strlen(rows[i].bytes)) == rows[i].found,
                      "row %zu: \"%s\"", i, rows[i].bytes);
    ck_assert_msg(digest_at("sha256:" HEX64 "0", DIGEST_LENGTH),
                  "bytes behind the length are not looked at");
}
END_TEST

START_TEST(of_bytes) {
    struct error err = {0};
    char digest[DIGEST_SIZE];
    unit_ok(digest_of("", 0, digest, &err), &err);
    ck_assert_str_eq(digest, "sha256:" HEX64);
    unit_ok(digest_of("a\0b", 3, digest, &err), &err);
    ck_assert_str_eq(digest,
                     "sha256:59b271ae1bbcb1d31d41929817f4b16fb439eb4f31520b5ad1d5ce98920a7138");
}
END_TEST

UNIT_MAIN("digest", {
    tcase_add_test(cases, valid_or_not);
    tcase_add_test(cases, begins_here);
    tcase_add_test(cases, of_bytes);
})
