#include "reports/screen.h"

#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "reports/table.h"
#include "tests/unit/pty.h"
#include "tests/unit/unit.h"

static struct screen plain(bool terminal, bool utf8) {
    return (struct screen){.stream = stdout, .terminal = terminal, .utf8 = utf8};
}

START_TEST(abilities) {
    static const struct {
        const char *term, *ci, *no_color, *force_color;
        bool on_pty, live, colours;
    } rows[] = {
        {"xterm", NULL, NULL, NULL, true, true, true},
        {"xterm", "", "", "", true, true, true},
        {"xterm", "true", NULL, NULL, true, false, true},
        {"xterm", "false", NULL, NULL, true, true, true},
        {"xterm", NULL, "1", NULL, true, true, false},
        {"xterm", NULL, "1", "1", true, true, false},
        {"dumb", NULL, NULL, NULL, true, false, false},
        {NULL, NULL, NULL, NULL, true, false, false},
        {"", NULL, NULL, NULL, true, false, false},
        {"xterm", NULL, NULL, NULL, false, false, false},
        {"xterm", NULL, NULL, "1", false, false, true},
    };
    struct pty pty;
    pty_open(&pty, 80);
    FILE *file = tmpfile();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct {
            const char *name, *value;
        } set[] = {{"TERM", rows[i].term},
                   {"CI", rows[i].ci},
                   {"NO_COLOR", rows[i].no_color},
                   {"FORCE_COLOR", rows[i].force_color}};
        for (size_t k = 0; k < 4; k++)
            if (set[k].value != NULL)
                setenv(set[k].name, set[k].value, 1);
            else
                unsetenv(set[k].name);
        struct screen screen;
        screen_open(&screen, rows[i].on_pty ? pty.stream : file, true);
        ck_assert_msg(screen.terminal == rows[i].on_pty, "row %zu", i);
        ck_assert_msg(screen.live == rows[i].live, "row %zu: live", i);
        ck_assert_msg(screen.colours == rows[i].colours, "row %zu: colours", i);
    }
    fclose(file);
    pty_close(&pty);
}
END_TEST

START_TEST(columns) {
    struct pty pty;
    struct screen screen;
    pty_open(&pty, 97);
    screen_open(&screen, pty.stream, true);
    ck_assert_uint_eq(screen_columns(&screen), 97);
    pty_resize(&pty, 41);
    ck_assert_uint_eq(screen_columns(&screen), 41);
    pty_resize(&pty, 3); /* not believed */
    ck_assert_uint_eq(screen_columns(&screen), 80);
    screen.terminal = false;
    ck_assert_uint_eq(screen_columns(&screen), SCREEN_ENDLESS);
    pty_close(&pty);
}
END_TEST

START_TEST(fits) {
    static const struct {
        const char *words;
        size_t columns;
        bool utf8;
        const char *drawn;
        size_t used;
    } rows[] = {
        {"abc", 3, true, "abc", 3},
        {"abcd", 3, true, "ab…", 3},
        {"abcd", 3, false, "ab>", 3},
        {"abcd", 1, true, "…", 1},
        {"abcd", 0, true, "", 0},
        {"", 5, true, "", 0},
        {"日本語", 6, true, "日本語", 6},
        {"日本語", 5, true, "日本…", 5},
        {"日本語", 4, true, "日…", 3}, /* a wide character is never cut in two */
        {"日本語", 4, false, "???", 3},
        {"e\xCC\x81tat", 4, true, "e\xCC\x81tat", 4},
        {"a\nb\tc", 9, true, "a b c", 5},
        {"\x1b[31mred\x1b[0m", 9, true, "red", 3},
        {"\x1b]0;title\x07x", 9, true, "x", 1},
        {"a\x1b[2Jb\x1b[10Ac", 9, true, "abc", 3},
        {"\xff", 4, true, "\xEF\xBF\xBD", 1},
        {"::error::x", 20, true, ":\xE2\x80\x8B:error::x", 10},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text out = {0};
        struct screen screen = plain(true, rows[i].utf8);
        size_t used = screen_fit(&screen, &out, rows[i].words, rows[i].columns);
        ck_assert_msg(strcmp(text_string(&out), rows[i].drawn) == 0, "row %zu: \"%s\"", i,
                      text_string(&out));
        ck_assert_msg(used == rows[i].used, "row %zu: used %zu", i, used);
        text_clear(&out);
    }
}
END_TEST

START_TEST(wraps) {
    static const struct {
        const char *words;
        size_t used, indent, columns;
        const char *drawn;
    } rows[] = {
        {"one two three", 0, 0, 80, "one two three"},
        {"one two three", 0, 0, 7, "one two\nthree"},
        {"one two three", 0, 2, 9, "one two\n  three"},
        {"one two three", 4, 2, 9, "one\n  two\n  three"},
        {"one  two ", 0, 0, 80, "one two"},
        {"one\ntwo", 0, 2, 80, "one\n  two"},
        {"a-word-that-is-too-long b", 0, 2, 10, "a-word-that-is-too-long\n  b"},
        {"a a-word-that-is-too-long b", 0, 2, 10, "a\n  a-word-that-is-too-long\n  b"},
        {"日本 語", 0, 0, 5, "日本\n語"},
        {"one two", 90, 0, 80, "one\ntwo"},
        {"", 0, 4, 80, ""},
        /* what a wrapped line begins with is not obeyed either */
        {"see ::error::x", 0, 2, 8, "see\n  :\xE2\x80\x8B:error::x"},
    };
    struct screen screen = plain(true, true);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text out = {0};
        screen_wrap(&screen, &out, rows[i].words, rows[i].used, rows[i].indent, rows[i].columns);
        ck_assert_msg(strcmp(text_string(&out), rows[i].drawn) == 0, "row %zu: \"%s\"", i,
                      text_string(&out));
        text_clear(&out);
    }
}
END_TEST

static void add_row(struct table *table, const char *a, const char *b, const char *note) {
    struct error err = {0};
    struct table_row *row = table_add(table, &err);
    ck_assert_ptr_nonnull(row);
    unit_ok(table_cell(row, STYLE_BOLD, a, &err), &err);
    unit_ok(table_cell(row, STYLE_GOOD, b, &err), &err);
    if (note != NULL)
        unit_ok(table_note(row, note, &err), &err);
}

START_TEST(tables) {
    static const struct {
        size_t columns; /* 0: no terminal */
        const char *drawn;
    } rows[] = {
        {0, "redis          update  7.2 is newer\n"
            "long/postgres  held    no test covers it at all\nx\n"},
        {80, "redis          update  7.2 is newer\n"
             "long/postgres  held    no test covers it at all\nx\n"},
        {30, "redis          update\n    7.2 is newer\n"
             "long/postgres  held\n    no test covers it at all\nx\n"},
        {20, "redis  update\n    7.2 is newer\n"
             "long/postgres  held\n    no test covers\n    it at all\nx\n"},
    };
    struct table table = {0};
    add_row(&table, "redis", "update", "7.2 is newer");
    add_row(&table, "long/postgres", "held", "no test covers it at all");
    add_row(&table, "x", "", NULL);
    struct pty pty;
    pty_open(&pty, 80);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct screen screen = plain(rows[i].columns > 0, true);
        screen.stream = pty.stream;
        pty_resize(&pty, rows[i].columns > 0 ? rows[i].columns : 80);
        struct text out = {0};
        table_draw(&table, &screen, &out);
        ck_assert_msg(strcmp(text_string(&out), rows[i].drawn) == 0, "row %zu:\n%s", i,
                      text_string(&out));
        text_clear(&out);
    }
    struct screen screen = plain(false, true);
    screen.colours = true;
    struct text out = {0};
    table_draw(&table, &screen, &out);
    ck_assert_ptr_nonnull(strstr(text_string(&out), "\x1b[32mupdate\x1b[0m  7.2"));
    text_clear(&out);
    pty_close(&pty);
    table_clear(&table);
}
END_TEST

UNIT_MAIN("screen", {
    setlocale(LC_CTYPE, "C.UTF-8");
    tcase_add_test(cases, abilities);
    tcase_add_test(cases, columns);
    tcase_add_test(cases, fits);
    tcase_add_test(cases, wraps);
    tcase_add_test(cases, tables);
})
