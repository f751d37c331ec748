/* pty: a terminal for tests: a stream that is one, all that was written on it, and what its screen then shows.
 *
 * The screen is the part of a terminal that we rely on: CR, LF, cursor up, erase to the end of the line and of the screen,
 * colours (not kept), wrapping at the last column as real terminals do it. Anything else fails the test.
 */
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <uchar.h>
#include <unistd.h>
#include <wchar.h>

#include "gate/base/text.h"
#include "tests/unit/unit.h"

#define PTY_ROWS 200

struct pty {
    int master;
    FILE *stream;
    struct text written;
    size_t columns;
};

static inline void pty_resize(struct pty *pty, size_t columns) {
    struct winsize size = {.ws_row = PTY_ROWS, .ws_col = (unsigned short)columns};
    pty->columns = columns;
    ck_assert_int_eq(ioctl(pty->master, TIOCSWINSZ, &size), 0);
}

static inline void pty_open(struct pty *pty, size_t columns) {
    *pty = (struct pty){.master = posix_openpt(O_RDWR | O_NOCTTY)};
    ck_assert(pty->master >= 0 && grantpt(pty->master) == 0 && unlockpt(pty->master) == 0);
    int other = open(ptsname(pty->master), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(other, 0);
    pty->stream = fdopen(other, "w");
    ck_assert_ptr_nonnull(pty->stream);
    ck_assert_int_eq(fcntl(pty->master, F_SETFL, O_NONBLOCK), 0);
    pty_resize(pty, columns);
}

/* Reads what was written so far. */
static inline const char *pty_read(struct pty *pty) {
    char bytes[4096];
    fflush(pty->stream);
    for (ssize_t got; (got = read(pty->master, bytes, sizeof bytes)) > 0;)
        text_append(&pty->written, bytes, (size_t)got);
    return text_string(&pty->written);
}

static inline void pty_close(struct pty *pty) {
    fclose(pty->stream);
    close(pty->master);
    text_clear(&pty->written);
}

struct pty_screen {
    char32_t *cells; /* PTY_ROWS * columns; 0 is empty */
    size_t columns, row, column;
};

static inline void pty_erase(struct pty_screen *screen, size_t from, size_t to) {
    memset(screen->cells + from, 0, (to - from) * sizeof *screen->cells);
}

static inline const char *pty_escape(struct pty_screen *screen, const char *at) {
    size_t here = screen->row * screen->columns + screen->column;
    ck_assert_msg(*at == '[', "an escape that is no CSI: %.8s", at);
    char *end;
    unsigned long number = strtoul(at + 1, &end, 10);
    if (*end == 'A') {
        ck_assert_msg(number <= screen->row, "above the first row");
        screen->row -= number > 0 ? number : 1;
    } else if (*end == 'K')
        pty_erase(screen, here, (screen->row + 1) * screen->columns);
    else if (*end == 'J')
        pty_erase(screen, here, PTY_ROWS * screen->columns);
    else
        ck_assert_msg(*end == 'm', "an unknown sequence: %.8s", at);
    return end + 1;
}

static inline void pty_put(struct pty_screen *screen, wchar_t c) {
    size_t width = wcwidth(c) > 0 ? (size_t)wcwidth(c) : 0;
    if (screen->column + width > screen->columns) {
        screen->row++;
        screen->column = 0;
    }
    ck_assert_msg(screen->row < PTY_ROWS, "too many rows");
    if (width > 0)
        screen->cells[screen->row * screen->columns + screen->column] = (char32_t)c;
    screen->column += width;
}

/* What the screen shows: each row with its newline, no trailing spaces, up to the last row that is not empty. */
static inline char *pty_show(struct pty *pty) {
    struct pty_screen screen = {calloc(PTY_ROWS * pty->columns, sizeof(char32_t)), pty->columns, 0,
                                0};
    const char *at = pty_read(pty);
    for (wchar_t c; *at != '\0';) {
        if (*at == '\x1b')
            at = pty_escape(&screen, at + 1);
        else if (*at == '\r' || *at == '\n') {
            screen.column = 0;
            screen.row += *at++ == '\n';
        } else {
            int length = mbtowc(&c, at, strlen(at));
            ck_assert_msg(length > 0, "bytes that are no character: %.8s", at);
            pty_put(&screen, c);
            at += length;
        }
    }
    struct text shown = {0};
    size_t last = 0; /* behind the last character of all */
    for (size_t r = 0; r < PTY_ROWS; r++) {
        size_t start = shown.length;
        size_t end = start; /* behind the last character of this row */
        for (size_t c = 0; c < screen.columns; c++) {
            char bytes[8] = " ";
            char32_t cell = screen.cells[r * screen.columns + c];
            if (cell != 0)
                bytes[wctomb(bytes, (wchar_t)cell)] = '\0';
            text_add(&shown, bytes);
            end = cell != 0 && cell != ' ' ? shown.length : end;
            c += cell != 0 && wcwidth((wchar_t)cell) == 2 ? 1 : 0;
        }
        last = end > start ? end : last;
        text_truncate(&shown, end);
        text_add_char(&shown, '\n');
    }
    text_truncate(&shown, last);
    text_add_char(&shown, '\n');
    free(screen.cells);
    struct error err = {0};
    return text_steal(&shown, &err);
}
