#include "gate/base/text.h"

#include "gate/base/array.h"
#include "tests/unit/unit.h"

START_TEST(grows_and_steals) {
    struct error err = {0};
    struct text text = {0};
    ck_assert_str_eq(text_string(&text), "");
    for (int i = 0; i < 1000; i++)
        text_printf(&text, "%d,", i % 10);
    text_append(&text, "\0x", 2);
    ck_assert_uint_eq(text.length, 2002);
    text_truncate(&text, 3);
    unit_ok(text_check(&text, &err), &err);
    char *string = text_steal(&text, &err);
    ck_assert_str_eq(string, "0,1");
    ck_assert_ptr_null(text.bytes);
    free(string);
}
END_TEST

START_TEST(ceiling_is_kept) {
    struct error err = {0};
    struct text text = {.ceiling = 4};
    text_add(&text, "abc");
    text_add(&text, "de");
    text_add(&text, "f");
    ck_assert_str_eq(text_string(&text), "abc");
    unit_fails(text_check(&text, &err), &err, ERROR_LIMIT, "4 bytes");
    text_clear(&text);
}
END_TEST

START_TEST(nearest_word) {
    static const char *const names[] = {"policy", "images", "cooldown", "tags", NULL};
    static const struct {
        const char *word;
        const char *nearest;
    } rows[] = {{"polcy", "policy"}, {"image", "images"}, {"colldown", "cooldown"},
                {"tag", "tags"},     {"zebra", NULL},     {"", NULL},
                {"x", NULL},         {"cool", "cooldown"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *got = string_nearest(rows[i].word, names);
        ck_assert_msg(string_equal(got, rows[i].nearest), "%s: got %s", rows[i].word,
                      got != NULL ? got : "nothing");
    }
}
END_TEST

START_TEST(lists_of_strings) {
    struct error err = {0};
    struct string_list list = {0};
    unit_ok(string_list_add(&list, "b", &err), &err);
    unit_ok(string_list_add(&list, "a", &err), &err);
    string_list_sort(&list);
    ck_assert_str_eq(list.items[0], "a");
    ck_assert(string_list_has(&list, "b"));
    ck_assert(!string_list_has(&list, "c"));
    string_list_clear(&list);
}
END_TEST

START_TEST(sizes_in_words) {
    static const struct {
        int64_t bytes;
        const char *words;
    } rows[] = {
        {0, "0 kB"},
        {1, "1 kB"},
        {1000, "1 kB"},
        {1001, "2 kB"},
        {999000, "999 kB"},
        {999001, "1.0 MB"},
        {1000000, "1.0 MB"},
        {1000001, "1.1 MB"},
        {43120000, "43.2 MB"},
        {999900000, "999.9 MB"},
        {999900001, "1.0 GB"},
        {1300000000, "1.3 GB"},
        {17592186044416, "17.6 TB"},
        {INT64_MAX, "9.3 EB"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char words[32];
        bytes_words(rows[i].bytes, words, sizeof words);
        ck_assert_msg(strcmp(words, rows[i].words) == 0, "row %zu: %s", i, words);
    }
}
END_TEST

UNIT_MAIN("text", {
    tcase_add_test(cases, sizes_in_words);
    tcase_add_test(cases, grows_and_steals);
    tcase_add_test(cases, ceiling_is_kept);
    tcase_add_test(cases, nearest_word);
    tcase_add_test(cases, lists_of_strings);
})
