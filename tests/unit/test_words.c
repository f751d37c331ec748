#include "gate/base/words.h"

#include "tests/unit/unit.h"

#define MANY 20000

START_TEST(equal_strings_are_one) {
    static const struct {
        const char *bytes;
        size_t length;
    } rows[] = {{"", 0},         {"a", 1},
                {"ab", 2},       {"abcdefg", 7},
                {"abcdefgh", 8}, {"abcdefghi", 9},
                {"a\0b", 3},     {"a\0c", 3},
                {"a\0", 2},      {"the quick brown fox jumps", 25}};
    enum { COUNT = sizeof rows / sizeof *rows };
    struct error err = {0};
    struct words words = {0};
    struct arena arena = {0};
    const char *first[COUNT];
    ck_assert_ptr_null(words_find(&words, "a", 1));
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert_ptr_null(words_find(&words, rows[i].bytes, rows[i].length));
        first[i] = words_add(&words, &arena, rows[i].bytes, rows[i].length, &err);
        ck_assert_ptr_nonnull(first[i]);
        ck_assert_int_eq(memcmp(first[i], rows[i].bytes, rows[i].length), 0);
        ck_assert_int_eq(first[i][rows[i].length], '\0');
    }
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert_ptr_eq(words_add(&words, &arena, rows[i].bytes, rows[i].length, &err), first[i]);
        ck_assert_ptr_eq(words_find(&words, rows[i].bytes, rows[i].length), first[i]);
    }
    ck_assert_uint_eq(words.index.count, COUNT);
    words_clear(&words);
    arena_clear(&arena);
}
END_TEST

START_TEST(many) {
    struct error err = {0};
    struct words words = {0};
    struct arena arena = {0};
    char word[32];
    static const char *first[MANY];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < MANY; i++) {
            int length = snprintf(word, sizeof word, "word %d", i);
            const char *kept = words_add(&words, &arena, word, (size_t)length, &err);
            ck_assert_ptr_nonnull(kept);
            ck_assert_str_eq(kept, word);
            if (round == 1)
                ck_assert_ptr_eq(kept, first[i]);
            first[i] = kept;
        }
    ck_assert_uint_eq(words.index.count, MANY);
    ck_assert(words.index.capacity >= (size_t)2 * MANY && words.index.capacity <= (size_t)8 * MANY);
    words_clear(&words);
    ck_assert_uint_eq(words.index.count, 0);
    arena_clear(&arena);
}
END_TEST

UNIT_MAIN("words", {
    tcase_add_test(cases, equal_strings_are_one);
    tcase_add_test(cases, many);
})
