#include "gate/base/json_walk.h"

#include "tests/unit/unit.h"

static bool is_json(const char *text) {
    struct json_walk walk;
    json_walk_start(&walk, text, strlen(text));
    json_walk_skip(&walk);
    return json_walk_done(&walk);
}

START_TEST(json_or_not) {
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"{}", true},
        {"[]", true},
        {" \t\r\n[ ] ", true},
        {"null", true},
        {"true", true},
        {"false", true},
        {"0", true},
        {"-0", true},
        {"12.5e-3", true},
        {"1E+9", true},
        {"\"\"", true},
        {"\"a\\n\\u0041\\ud83d\\ude00\"", true},
        {"{\"a\":1,\"b\":[1,2,{\"c\":null}]}", true},
        {"[[[[]]],[]]", true},
        {"", false},
        {" ", false},
        {"{", false},
        {"[", false},
        {"]", false},
        {"[1,]", false},
        {"[,1]", false},
        {"[1 2]", false},
        {"[1,2", false},
        {"{\"a\"}", false},
        {"{\"a\":}", false},
        {"{\"a\":1,}", false},
        {"{,}", false},
        {"{a:1}", false},
        {"{\"a\":1 \"b\":2}", false},
        {"{\"a\":1]", false},
        {"[1}", false},
        {"01", false},
        {"-", false},
        {"1.", false},
        {".5", false},
        {"1e", false},
        {"+1", false},
        {"nul", false},
        {"True", false},
        {"\"", false},
        {"\"\n\"", false},
        {"\"\\x\"", false},
        {"\"\\u12\"", false},
        {"\"\\u0000\"", false},
        {"\"\\ud83d\"", false},
        {"\"\\ude00\"", false},
        {"\"\\ud83d\\u0041\"", false},
        {"'a'", false},
        {"{} {}", false},
        {"[] x", false},
        {"/**/[]", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(is_json(rows[i].text) == rows[i].valid, "row %zu: %s", i, rows[i].text);
}
END_TEST

START_TEST(walks) {
    static const char json[] =
        "{\"skip\":{\"tags\":[9]},\"name\":\"a\\u00e4\\/\\\"\",\"size\":-1.5,"
        "\"list\":[\"x\",[],\"y\"],\"none\":[]}";
    struct json_walk walk;
    struct text key = {0};
    struct text word = {0};
    char seen[256] = "";
    json_walk_start(&walk, json, strlen(json));
    for (bool in = json_walk_object(&walk); in && json_walk_key(&walk, &key);) {
        double number;
        strncat(seen, text_string(&key), 32);
        if (strcmp(text_string(&key), "name") == 0) {
            ck_assert(json_walk_string(&walk, &word));
            ck_assert_str_eq(text_string(&word), "a\xc3\xa4/\"");
        } else if (strcmp(text_string(&key), "size") == 0) {
            ck_assert(json_walk_number(&walk, &number));
            ck_assert(number == -1.5);
        } else if (json_walk_peek(&walk) == JSON_WALK_ARRAY) {
            for (bool list = json_walk_array(&walk); list && json_walk_item(&walk);) {
                if (json_walk_peek(&walk) != JSON_WALK_STRING) {
                    ck_assert(json_walk_skip(&walk));
                    continue;
                }
                ck_assert(json_walk_string(&walk, &word));
                strncat(seen, text_string(&word), 32);
            }
        } else {
            ck_assert(json_walk_skip(&walk));
        }
        strncat(seen, ";", 2);
    }
    ck_assert(json_walk_done(&walk));
    ck_assert_str_eq(seen, "skip;name;size;listxy;none;");
    text_clear(&key);
    text_clear(&word);
}
END_TEST

START_TEST(another_kind_breaks_it) {
    struct json_walk walk;
    struct text word = {0};
    double number;
    static const char *const rows[] = {"{}", "[]", "\"a\"", "1", "null"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *row = rows[i];
        size_t length = strlen(row);
        json_walk_start(&walk, row, length);
        ck_assert_msg(json_walk_object(&walk) == (*row == '{'), "%s", row);
        json_walk_start(&walk, row, length);
        ck_assert_msg(json_walk_array(&walk) == (*row == '['), "%s", row);
        json_walk_start(&walk, row, length);
        ck_assert_msg(json_walk_string(&walk, &word) == (*row == '"'), "%s", row);
        json_walk_start(&walk, row, length);
        ck_assert_msg(json_walk_number(&walk, &number) == (*row == '1'), "%s", row);
        if (*row != '1') {
            ck_assert(!json_walk_done(&walk));
            ck_assert(!json_walk_skip(&walk));
        }
    }
    text_clear(&word);
}
END_TEST

START_TEST(depth_has_an_end) {
    char json[2 * JSON_WALK_DEPTH + 8];
    for (size_t depth = JSON_WALK_DEPTH - 1; depth <= JSON_WALK_DEPTH + 1; depth++) {
        memset(json, '[', depth);
        memset(json + depth, ']', depth);
        json[2 * depth] = '\0';
        ck_assert_msg(is_json(json) == (depth <= JSON_WALK_DEPTH), "depth %zu", depth);
    }
}
END_TEST

START_TEST(bytes_of_zero) {
    struct json_walk walk;
    json_walk_start(&walk, "[1\0]", 4);
    json_walk_skip(&walk);
    ck_assert(!json_walk_done(&walk));
    json_walk_start(&walk, "[]\0", 3);
    json_walk_skip(&walk);
    ck_assert(!json_walk_done(&walk));
    json_walk_start(&walk, "\"a\0b\"", 5);
    json_walk_skip(&walk);
    ck_assert(!json_walk_done(&walk));
}
END_TEST

UNIT_MAIN("json_walk", {
    tcase_add_test(cases, json_or_not);
    tcase_add_test(cases, walks);
    tcase_add_test(cases, another_kind_breaks_it);
    tcase_add_test(cases, depth_has_an_end);
    tcase_add_test(cases, bytes_of_zero);
})
