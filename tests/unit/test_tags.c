#include "gate/registry/tags.h"

#include "tests/unit/unit.h"

static void join(const struct string_list *tags, char *out, size_t size) {
    out[0] = '\0';
    for (size_t i = 0; i < tags->count; i++)
        snprintf(out + strlen(out), size - strlen(out), "%s%s", i > 0 ? " " : "", tags->items[i]);
}

START_TEST(pages) {
    static const struct {
        const char *body;
        const char *tags; /* NULL: refused */
    } rows[] = {
        {"{\"name\":\"a\",\"tags\":[\"1.0\",\"1.1\"]}", "1.0 1.1"},
        {"{\"tags\":[\"b\",\"a\"]}", "b a"},
        {"{\"name\":\"a\",\"tags\":null}", ""},
        {"{\"name\":\"a\"}", ""},
        {"{\"tags\":[]}", ""},
        {"{\"child\":[\"x\"],\"manifest\":{\"tags\":[\"y\"]},\"name\":\"a\",\"tags\":[\"z\"]}",
         "z"},
        {"{\"tags\":[\"a\",7,null,{\"tags\":[\"b\"]},[\"c\"],\"d\"]}", "a d"},
        {"{\"tags\":[\"../x\",\"a b\",\"\",\"-a\",\"a\\n\",\"ok_1.-\",\"\\u0061\"]}", "ok_1.- a"},
        {"{\"tags\":[\"a\"],\"tags\":[\"b\"]}", "a b"},
        {"{}", NULL},
        {"[]", NULL},
        {"", NULL},
        {"null", NULL},
        {"{\"errors\":[{\"message\":\"no\"}]}", NULL},
        {"{\"tags\":true}", NULL},
        {"{\"tags\":\"a\"}", NULL},
        {"{\"tags\":{\"a\":\"b\"}}", NULL},
        {"{\"tags\":[\"a\"", NULL},
        {"{\"tags\":[\"a\"]} x", NULL},
        {"<html>", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct string_list tags = {0};
        char found[256];
        int result = tags_read(rows[i].body, strlen(rows[i].body), 100, &tags, &err);
        ck_assert_msg((result == 0) == (rows[i].tags != NULL), "row %zu: %s: %s", i, rows[i].body,
                      error_message(&err));
        ck_assert_msg(result == 0 || err.kind == ERROR_PROTOCOL, "row %zu: %s", i, rows[i].body);
        join(&tags, found, sizeof found);
        if (result == 0)
            ck_assert_str_eq(found, rows[i].tags);
        string_list_clear(&tags);
        error_clear(&err);
    }
}
END_TEST

START_TEST(limited) {
    struct error err = {0};
    struct string_list tags = {0};
    static const char body[] = "{\"tags\":[\"a\",\"b\",\"c\"]}";
    unit_ok(tags_read(body, strlen(body), 3, &tags, &err), &err);
    unit_fails(tags_read(body, strlen(body), 5, &tags, &err), &err, ERROR_LIMIT,
               "more than 5 tags");
    string_list_clear(&tags);
}
END_TEST

UNIT_MAIN("tags", {
    tcase_add_test(cases, pages);
    tcase_add_test(cases, limited);
})
