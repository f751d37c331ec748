#include "gate/base/array.h"

#include <stdint.h>

#include "tests/unit/unit.h"

struct thing {
    int number;
    char *name;
};

struct thing_list {
    struct thing *items;
    size_t count, capacity;
};

START_TEST(grows_zeroed) {
    struct error err = {0};
    struct thing_list list = {0};
    for (int i = 0; i < 1000; i++) {
        struct thing *thing = array_add(&list, &err);
        ck_assert_ptr_nonnull(thing);
        ck_assert_int_eq(thing->number, 0);
        ck_assert_ptr_null(thing->name);
        thing->number = i;
        thing->name = (char *)"x";
    }
    ck_assert_uint_eq(list.count, 1000);
    ck_assert_uint_ge(list.capacity, 1000);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(list.items[i].number, i);
    list.count = 10; /* places that are used again are zeroed again */
    struct thing *again = array_add(&list, &err);
    ck_assert_int_eq(again->number, 0);
    ck_assert_ptr_null(again->name);
    free(list.items);
}
END_TEST

/* The size in bytes would overflow: an error, the list as it was. */
START_TEST(too_large_is_no_memory) {
    struct error err = {0};
    void *items = NULL;
    size_t count = SIZE_MAX / 8, capacity = SIZE_MAX / 8;
    ck_assert_ptr_null(array_add_item(&items, &count, &capacity, 64, &err));
    ck_assert_int_eq(err.kind, ERROR_NO_MEMORY);
    ck_assert_uint_eq(count, SIZE_MAX / 8);
    ck_assert_ptr_null(items);
    error_clear(&err);
}
END_TEST

START_TEST(strings) {
    struct error err = {0};
    struct string_list list = {0};
    static const char *const words[] = {"b", "a", "\xc3\xa9", "B", "", "aa", "a"};
    static const char *const sorted[] = {"", "B", "a", "a", "aa", "b", "\xc3\xa9"};
    string_list_sort(&list); /* an empty one is fine */
    ck_assert(!string_list_has(&list, "a"));
    ck_assert(!string_list_has_sorted(&list, "a"));
    char word[8];
    for (size_t i = 0; i < 7; i++) {
        snprintf(word, sizeof word, "%s", words[i]);
        unit_ok(string_list_add(&list, word, &err), &err); /* copied: the buffer is used again */
    }
    string_list_sort(&list);
    for (size_t i = 0; i < 7; i++)
        ck_assert_msg(strcmp(list.items[i], sorted[i]) == 0, "%zu: %s", i, list.items[i]);
    ck_assert(string_list_has(&list, "aa"));
    ck_assert(string_list_has(&list, ""));
    ck_assert(!string_list_has(&list, "A"));
    ck_assert(!string_list_has(&list, "aaa"));
    for (size_t i = 0; i < 7; i++)
        ck_assert(string_list_has_sorted(&list, sorted[i]));
    ck_assert(!string_list_has_sorted(&list, "A"));
    ck_assert(!string_list_has_sorted(&list, "aaa"));
    string_list_clear(&list);
    ck_assert_ptr_null(list.items);
    ck_assert_uint_eq(list.count, 0);
    string_list_clear(&list);
}
END_TEST

UNIT_MAIN("array", {
    tcase_add_test(cases, grows_zeroed);
    tcase_add_test(cases, too_large_is_no_memory);
    tcase_add_test(cases, strings);
})
