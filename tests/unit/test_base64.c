#include "gate/base/base64.h"

#include "tests/unit/unit.h"

START_TEST(there_and_back) {
    static const struct {
        const char *plain;
        size_t length;
        const char *standard, *url;
    } rows[] = {
        /* RFC 4648, section 10 */
        {"", 0, "", ""},
        {"f", 1, "Zg==", "Zg=="},
        {"fo", 2, "Zm8=", "Zm8="},
        {"foo", 3, "Zm9v", "Zm9v"},
        {"foob", 4, "Zm9vYg==", "Zm9vYg=="},
        {"fooba", 5, "Zm9vYmE=", "Zm9vYmE="},
        {"foobar", 6, "Zm9vYmFy", "Zm9vYmFy"},
        {"\xff\xef\xbe", 3, "/+++", "_---"},
        {"\0\0\0", 3, "AAAA", "AAAA"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int url = 0; url < 2; url++) {
            const char *coded = url ? rows[i].url : rows[i].standard;
            struct text text = {0};
            base64_encode(&text, rows[i].plain, rows[i].length, url);
            ck_assert_str_eq(text_string(&text), coded);
            text_truncate(&text, 0);
            ck_assert_msg(base64_decode(&text, coded, strlen(coded)), "row %zu", i);
            ck_assert_msg(text.length == rows[i].length &&
                              memcmp(text_string(&text), rows[i].plain, text.length) == 0,
                          "row %zu", i);
            text_clear(&text);
        }
    }
}
END_TEST

START_TEST(taken_or_not) {
    static const struct {
        const char *coded;
        const char *plain; /* NULL: refused */
    } rows[] = {
        {"Zm8", "fo"},      {"Zg", "f"},        {"Zm9vYg=", "foob"}, {"Z", NULL},
        {"Zm9vY", NULL},    {"Zm9 v", NULL},    {"Zm9v\n", NULL},    {"Zm=v", NULL},
        {"Zm9v!!!!", NULL}, {"\xc3\xa4", NULL}, {"====", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text text = {0};
        bool taken = base64_decode(&text, rows[i].coded, strlen(rows[i].coded));
        ck_assert_msg(taken == (rows[i].plain != NULL), "row %zu: \"%s\"", i, rows[i].coded);
        if (taken)
            ck_assert_str_eq(text_string(&text), rows[i].plain);
        text_clear(&text);
    }
    struct text text = {0};
    ck_assert(!base64_decode(&text, "AA\0A", 4));
    text_clear(&text);
}
END_TEST

UNIT_MAIN("base64", {
    tcase_add_test(cases, there_and_back);
    tcase_add_test(cases, taken_or_not);
})
