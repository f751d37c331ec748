#include "reports/terminal.h"

#include <locale.h>
#include <poll.h>
#include <signal.h>

#include "gate/base/clock.h"
#include "tests/unit/pty.h"
#include "tests/unit/unit.h"

static const struct terminal_amount nothing = {0};

static struct terminal *open_terminal(FILE *stream, bool quiet, const struct cancel *cancel) {
    struct error err = {0};
    struct terminal *terminal = NULL;
    struct terminal_options options = {
        .stream = stream, .quiet = quiet, .utf8 = true, .cancel = cancel};
    unit_ok(terminal_new(&options, &terminal, &err), &err);
    return terminal;
}

static void live_environment(void) {
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "1", 1);
    unsetenv("CI");
    unsetenv("FORCE_COLOR");
}

/* Frames come by themselves: waits until the screen shows the words. */
static void wait_for(struct pty *pty, const char *words) {
    for (int i = 0; i < 400; i++) {
        char *shown = pty_show(pty);
        bool found = strstr(shown, words) != NULL;
        free(shown);
        if (found)
            return;
        poll(NULL, 0, 25);
    }
    ck_abort_msg("never shown: %s\n%s", words, pty_show(pty));
}

static void check_screen(struct pty *pty, const char *expected) {
    char *shown = pty_show(pty);
    ck_assert_msg(strcmp(shown, expected) == 0, "expected:\n%s\nshown:\n%s", expected, shown);
    free(shown);
}

START_TEST(live_lines_come_and_go) {
    struct pty pty;
    live_environment();
    pty_open(&pty, 60);
    struct terminal *terminal = open_terminal(pty.stream, false, NULL);
    terminal_line(terminal, "found 2 pins");
    terminal_begin(terminal, "a", "answers on redis:7.2.5",
                   &(struct terminal_amount){.limit_ms = 20000});
    terminal_begin(terminal, "b", "pull postgres@0123456789ab", &nothing);
    terminal_update(terminal, "b", "pull postgres@0123456789ab",
                    &(struct terminal_amount){.done_bytes = 5000000, .total_bytes = 20000000});
    wait_for(&pty, "5.0 MB of 20.0 MB");
    wait_for(&pty, "answers on redis:7.2.5  0 s of 20 s");
    terminal_end(terminal, "b", STYLE_PLAIN, "pulled:", "postgres@0123456789ab");
    terminal_end(terminal, "a", STYLE_BAD, "failed:", "answers on redis:7.2.5: exited with 1");
    terminal_free(terminal);
    char *shown = pty_show(&pty);
    ck_assert_msg(strncmp(shown, "found 2 pins\npulled: postgres@0123456789ab (20.0 MB in ", 54) ==
                      0,
                  "%s", shown);
    ck_assert_ptr_nonnull(strstr(shown, ")\nfailed: answers on redis:7.2.5: exited with 1\n"));
    ck_assert_ptr_null(strstr(shown, " of "));
    free(shown);
    /* Nothing of the terminal was changed that would have to be changed back. */
    ck_assert_ptr_null(strstr(pty_read(&pty), "\x1b[?"));
    pty_close(&pty);
}
END_TEST

/* Whatever stands in the words, a live line is one row, and none of it is obeyed. */
START_TEST(hostile_words_stay_on_their_row) {
    static const char *const words[] = {
        "\x1b[2J\x1b[1;1Hgone",
        "two\nrows\r\nor three",
        "日本語日本語日本語日本語日本語日本語日本語日本語日本語",
        "\xE2\x80\xAEreversed \xff\xfe",
        "\x1b]0;title\x07\x1bPq#0\x1b\\ sixel",
        "long long long long long long long long long long long long long long",
    };
    struct pty pty;
    live_environment();
    pty_open(&pty, 40);
    struct terminal *terminal = open_terminal(pty.stream, false, NULL);
    terminal_line(terminal, "first");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        terminal_begin(terminal, words[i], words[i], &nothing);
    terminal_begin(terminal, "last", "last", &nothing);
    wait_for(&pty, "last  0 s");
    char *shown = pty_show(&pty);
    size_t rows = 0;
    for (const char *at = shown; (at = strchr(at, '\n')) != NULL; at++)
        rows++;
    ck_assert_msg(rows == 1 + sizeof words / sizeof *words + 1, "%zu rows:\n%s", rows, shown);
    free(shown);
    terminal_free(terminal);
    check_screen(&pty, "first\n");
    pty_close(&pty);
}
END_TEST

START_TEST(many_are_counted) {
    struct pty pty;
    live_environment();
    pty_open(&pty, 40);
    struct terminal *terminal = open_terminal(pty.stream, false, NULL);
    for (int i = 0; i < 50; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        terminal_begin(terminal, key, "trial", &nothing);
    }
    wait_for(&pty, "and 38 more");
    terminal_count(terminal, "looked up", 3, 7);
    wait_for(&pty, "looked up 3 of 7");
    terminal_rest(terminal);
    check_screen(&pty, "\n");
    terminal_count(terminal, "looked up", 7, 7);
    terminal_free(terminal);
    check_screen(&pty, "looked up 7 of 7\n");
    pty_close(&pty);
}
END_TEST

/* A terminal breaks the rows anew when it becomes narrower: the way up is then longer. The screen of these tests does not do
 * that, so the bytes are read. */
START_TEST(narrower_windows) {
    struct pty pty;
    live_environment();
    pty_open(&pty, 100);
    struct terminal *terminal = open_terminal(pty.stream, false, NULL);
    const char *words = "a line of seventy columns, which is more than one row of a narrow window";
    terminal_begin(terminal, "a", words, &nothing);
    wait_for(&pty, words);
    pty_resize(&pty, 30);
    for (int i = 0; i < 400 && strstr(pty_read(&pty), "\x1b[3A") == NULL; i++)
        poll(NULL, 0, 25);
    ck_assert_ptr_nonnull(strstr(pty_read(&pty), "\r\x1b[3A"));
    terminal_free(terminal);
    pty_close(&pty);
}
END_TEST

START_TEST(a_stop_is_said_once) {
    struct error err = {0};
    struct cancel cancel;
    struct pty pty;
    live_environment();
    pty_open(&pty, 80);
    unit_ok(cancel_init(&cancel, &err), &err);
    struct terminal *terminal = open_terminal(pty.stream, false, &cancel);
    terminal_begin(terminal, "a", "trial", &nothing);
    cancel_request(&cancel, SIGINT);
    wait_for(&pty, "stopping:");
    wait_for(&pty, "trial  1 s"); /* and the frames go on */
    terminal_free(terminal);
    const char *said = strstr(pty_read(&pty), "stopping:");
    ck_assert_ptr_nonnull(said);
    ck_assert_ptr_null(strstr(said + 1, "stopping:"));
    cancel_clear(&cancel);
    pty_close(&pty);
}
END_TEST

static char *read_back(FILE *file) {
    struct text text = {0};
    struct error err = {0};
    char bytes[4096];
    rewind(file);
    for (size_t got; (got = fread(bytes, 1, sizeof bytes, file)) > 0;)
        text_append(&text, bytes, got);
    return text_steal(&text, &err);
}

/* Where it is no terminal: one line an event, no escapes and no carriage returns, whatever the words. */
START_TEST(plain_lines) {
    static const struct {
        bool quiet;
        const char *printed;
    } rows[] = {
        {false, "found 1 pin\n"
                "looked up 2 of 2\n"
                "warning: mind the gap\n"
                "pulled: redis\n"
                "failed: a b :: ##\xE2\x80\x8B[error]x\n"
                ":\xE2\x80\x8B:set-output name=a::b\n"
                "error: broken\n"},
        {true, "warning: mind the gap\nfailed: a b :: ##\xE2\x80\x8B[error]x\nerror: broken\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FILE *file = tmpfile();
        live_environment();
        struct terminal *terminal = open_terminal(file, rows[i].quiet, NULL);
        terminal_line(terminal, "found %d pin", 1);
        terminal_count(terminal, "looked up", 1, 2);
        terminal_count(terminal, "looked up", 2, 2);
        terminal_warning(terminal, "mind the %s", "gap");
        terminal_begin(terminal, "a", "pull", &nothing);
        terminal_update(terminal, "a", "pull", &nothing);
        terminal_end(terminal, "a", STYLE_PLAIN, "pulled:", "redis");
        terminal_end(terminal, "b", STYLE_BAD, "failed:", "a\r\nb :: ##[error]x\x1b[31m");
        terminal_line(terminal, "%s", "::set-output name=a::b");
        terminal_error(terminal, "broken");
        terminal_rest(terminal);
        terminal_free(terminal);
        char *printed = read_back(file);
        ck_assert_msg(strcmp(printed, rows[i].printed) == 0, "row %zu:\n%s", i, printed);
        free(printed);
        fclose(file);
    }
}
END_TEST

UNIT_MAIN("terminal", {
    setlocale(LC_CTYPE, "C.UTF-8");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, live_lines_come_and_go);
    tcase_add_test(cases, hostile_words_stay_on_their_row);
    tcase_add_test(cases, many_are_counted);
    tcase_add_test(cases, narrower_windows);
    tcase_add_test(cases, a_stop_is_said_once);
    tcase_add_test(cases, plain_lines);
})
