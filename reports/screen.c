#include "reports/screen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "reports/clean.h"

#define NARROWEST     20 /* columns; a window below that is not believed */
#define USUAL_COLUMNS 80
#define USUAL_ROWS    24

static bool is_set(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0';
}

static bool in_ci(void) {
    const char *ci = getenv("CI");
    return ci != NULL && *ci != '\0' && strcmp(ci, "false") != 0 && strcmp(ci, "0") != 0;
}

void screen_open(struct screen *screen, FILE *stream, bool utf8) {
    const char *type = getenv("TERM");
    bool terminal = isatty(fileno(stream)) == 1;
    bool able = terminal && type != NULL && *type != '\0' && strcmp(type, "dumb") != 0;
    *screen = (struct screen){.stream = stream,
                              .terminal = terminal,
                              .live = able && !in_ci(),
                              .colours = !is_set("NO_COLOR") && (able || is_set("FORCE_COLOR")),
                              .utf8 = utf8};
}

size_t screen_columns(const struct screen *screen) {
    struct winsize size;
    if (!screen->terminal)
        return SCREEN_ENDLESS;
    if (ioctl(fileno(screen->stream), TIOCGWINSZ, &size) < 0 || size.ws_col < NARROWEST)
        return USUAL_COLUMNS;
    return size.ws_col;
}

size_t screen_rows(const struct screen *screen) {
    struct winsize size;
    if (ioctl(fileno(screen->stream), TIOCGWINSZ, &size) < 0 || size.ws_row == 0)
        return USUAL_ROWS;
    return size.ws_row;
}

const char *screen_arrow(const struct screen *screen) {
    return screen->utf8 ? "→" : "->";
}

/* One character of cleaned text: its bytes in *length. */
static size_t width_of(const struct screen *screen, const char *at, size_t left, size_t *length) {
    uint32_t character;
    *length = clean_decode(at, left, &character);
    if (!screen->utf8 && screen->terminal && character >= 0x80)
        return 1; /* "?" */
    int width = wcwidth((wchar_t)character);
    return width < 0 ? 1 : (size_t)width;
}

static void put(const struct screen *screen, struct text *out, const char *at, size_t length) {
    if (length > 1 && !screen->utf8 && screen->terminal)
        text_add_char(out, '?');
    else
        text_append(out, at, length);
}

static void clean_line(struct text *out, const char *words) {
    clean_terminal(out, words, strlen(words), false);
}

static size_t width_of_bytes(const struct screen *screen, const char *bytes, size_t length) {
    size_t width = 0;
    for (size_t at = 0, taken; at < length; at += taken)
        width += width_of(screen, bytes + at, length - at, &taken);
    return width;
}

size_t screen_width(const struct screen *screen, const char *words) {
    _cleanup_(text_clear) struct text line = {0};
    clean_line(&line, words);
    return width_of_bytes(screen, text_string(&line), line.length);
}

size_t screen_fit(const struct screen *screen, struct text *out, const char *words,
                  size_t columns) {
    _cleanup_(text_clear) struct text line = {0};
    clean_line(&line, words);
    text_follow(out, &line);
    const char *bytes = text_string(&line);
    size_t whole = width_of_bytes(screen, bytes, line.length);
    size_t room = whole <= columns ? columns : columns > 0 ? columns - 1 : 0;
    size_t used = 0;
    for (size_t at = 0, taken; at < line.length; at += taken) {
        size_t width = width_of(screen, bytes + at, line.length - at, &taken);
        if (used + width > room)
            break;
        put(screen, out, bytes + at, taken);
        used += width;
    }
    if (whole <= columns || columns == 0)
        return used;
    text_add(out, screen->utf8 ? "…" : ">");
    return used + 1;
}

static const char *const colours[] = {
    [STYLE_PLAIN] = NULL,      [STYLE_BOLD] = "\x1b[1m", [STYLE_DIM] = "\x1b[2m",
    [STYLE_GOOD] = "\x1b[32m", [STYLE_BAD] = "\x1b[31m", [STYLE_WARN] = "\x1b[33m"};

void screen_paint(const struct screen *screen, struct text *out, enum style style,
                  const char *words) {
    bool coloured = screen->colours && colours[style] != NULL && *words != '\0';
    if (coloured)
        text_add(out, colours[style]);
    screen_fit(screen, out, words, SCREEN_ENDLESS);
    if (coloured)
        text_add(out, "\x1b[0m");
}

static void start_line(struct text *out, size_t indent) {
    text_add_char(out, '\n');
    for (size_t i = 0; i < indent; i++)
        text_add_char(out, ' ');
}

/* Gives the columns that the word takes. The first of a row is cleaned once more: what was harmless within a line may not
 * be at the start of one ("::"). */
static size_t put_word(const struct screen *screen, struct text *out, const char *word,
                       size_t length, bool first) {
    _cleanup_(text_clear) struct text line = {0};
    size_t width = 0;
    if (first)
        clean_terminal(&line, word, length, false);
    else
        text_append(&line, word, length);
    text_follow(out, &line);
    for (size_t at = 0, taken; at < line.length; at += taken) {
        width += width_of(screen, line.bytes + at, line.length - at, &taken);
        put(screen, out, line.bytes + at, taken);
    }
    return width;
}

static void wrap_paragraph(const struct screen *screen, struct text *out, const char *words,
                           size_t used, size_t indent, size_t columns) {
    bool fresh = true; /* no word on this row yet */
    for (const char *at = words + strspn(words, " "); *at != '\0'; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (!fresh && columns - used < width_of_bytes(screen, at, length) + 1) {
            start_line(out, indent);
            used = indent;
            fresh = true;
        }
        if (!fresh) {
            text_add_char(out, ' ');
            used++;
        }
        used += put_word(screen, out, at, length, fresh);
        used = used > columns ? columns : used;
        fresh = false;
        at += length;
    }
}

void screen_wrap(const struct screen *screen, struct text *out, const char *words, size_t used,
                 size_t indent, size_t columns) {
    used = used > columns ? columns : used;
    for (const char *at = words;;) {
        size_t length = strcspn(at, "\n");
        _cleanup_(text_clear) struct text line = {0};
        clean_terminal(&line, at, length, false);
        text_follow(out, &line);
        wrap_paragraph(screen, out, text_string(&line), used, indent, columns);
        at += length;
        if (*at == '\0')
            return;
        at++;
        start_line(out, indent);
        used = indent;
    }
}
