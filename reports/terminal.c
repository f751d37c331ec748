#include "reports/terminal.h"

#include <langinfo.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gate/base/array.h"
#include "gate/base/clock.h"
#include "gate/base/text.h"
#include "reports/clean.h"

#define FRAME_MS      100 /* at least between two frames */
#define NARROWEST     20  /* columns; a window below that is not believed */
#define USUAL_COLUMNS 80
#define LIVE_LINES    12 /* at most; the rest is counted */

struct running {
    char *key, *words;
    int64_t started_ms;
    int64_t done_bytes, total_bytes;
};

struct running_list {
    struct running *items;
    size_t count;
    size_t capacity;
};

struct terminal {
    FILE *stream;
    bool quiet, live, colours, utf8;
    pthread_mutex_t lock;
    struct running_list running;
    size_t drawn;      /* live lines on the screen now */
    int64_t frame_ms;  /* when the last frame was drawn */
    char counter[128]; /* "looked up 3 of 7"; "" while nothing is counted */
};

static bool choose(int wanted, bool automatic) {
    return wanted < 0 ? automatic : wanted == 1;
}

int terminal_new(const struct terminal_options *options, struct terminal **out, struct error *err) {
    struct terminal *terminal = calloc(1, sizeof *terminal);
    if (terminal == NULL)
        return error_no_memory(err);
    const char *type = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    bool able = isatty(fileno(options->stream)) && type != NULL && strcmp(type, "dumb") != 0;
    terminal->stream = options->stream;
    terminal->quiet = options->quiet;
    terminal->live = choose(options->live, able) && !options->quiet;
    terminal->colours = choose(options->colours, able && (no_colour == NULL || *no_colour == '\0'));
    terminal->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    pthread_mutex_init(&terminal->lock, NULL);
    *out = terminal;
    return 0;
}

static void running_clear(struct running *running) {
    free(running->key);
    free(running->words);
    *running = (struct running){0};
}

static size_t columns(const struct terminal *terminal) {
    struct winsize size;
    if (ioctl(fileno(terminal->stream), TIOCGWINSZ, &size) < 0 || size.ws_col < NARROWEST)
        return USUAL_COLUMNS;
    return size.ws_col;
}

/* Cleans, and cuts to the width so that a live line stays one line of the screen. Counts code points. */
static void add_fitting(const struct terminal *terminal, struct text *out, const char *words,
                        size_t width) {
    struct text cleaned = {0};
    clean_terminal(&cleaned, words, strlen(words), false);
    const char *at = text_string(&cleaned);
    size_t used = 0;
    for (; *at != '\0' && used + 1 < width; used++)
        do {
            text_add_char(out, terminal->utf8 || (unsigned char)*at < 0x80 ? *at : '?');
            at++;
        } while (((unsigned char)*at & 0xc0) == 0x80);
    if (*at != '\0')
        text_add(out, terminal->utf8 ? "…" : ">");
    text_clear(&cleaned);
}

static void erase_live(struct terminal *terminal, struct text *frame) {
    for (; terminal->drawn > 0; terminal->drawn--)
        text_add(frame, "\x1b[1A\x1b[2K");
}

static void add_running(struct terminal *terminal, const struct running *running,
                        struct text *frame) {
    char tail[96];
    int64_t elapsed_ms = clock_monotonic_ms() - running->started_ms;
    struct text line = {0};
    if (running->done_bytes > 0 && elapsed_ms > 0) {
        int64_t rate = running->done_bytes * 1000 / elapsed_ms;
        snprintf(tail, sizeof tail, " %.1f of %.1f MB, %.1f MB/s",
                 (double)running->done_bytes / 1e6, (double)running->total_bytes / 1e6,
                 (double)rate / 1e6);
    } else {
        snprintf(tail, sizeof tail, " %lld s", (long long)(elapsed_ms / 1000));
    }
    size_t width = columns(terminal);
    size_t room = width > strlen(tail) + 4 ? width - strlen(tail) - 4 : 1;
    add_fitting(terminal, &line, running->words, room);
    text_printf(frame, "  %s%s\n", text_string(&line), tail);
    text_clear(&line);
    terminal->drawn++;
}

static void draw_live(struct terminal *terminal, struct text *frame) {
    if (terminal->counter[0] != '\0') {
        text_printf(frame, "  %s\n", terminal->counter);
        terminal->drawn++;
    }
    for (size_t i = 0; i < terminal->running.count && i < LIVE_LINES; i++)
        add_running(terminal, &terminal->running.items[i], frame);
    if (terminal->running.count > LIVE_LINES) {
        text_printf(frame, "  and %zu more\n", terminal->running.count - LIVE_LINES);
        terminal->drawn++;
    }
}

/* One write a frame: nothing flickers. `line` stays above the live lines; NULL only redraws, and not too often. */
static void show(struct terminal *terminal, const char *line) {
    int64_t now_ms = clock_monotonic_ms();
    if (line == NULL && (!terminal->live || now_ms - terminal->frame_ms < FRAME_MS))
        return;
    _cleanup_(text_clear) struct text frame = {0};
    if (terminal->live)
        erase_live(terminal, &frame);
    if (line != NULL)
        text_printf(&frame, "%s\n", line);
    if (terminal->live)
        draw_live(terminal, &frame);
    terminal->frame_ms = now_ms;
    fwrite(text_string(&frame), 1, frame.length, terminal->stream);
    fflush(terminal->stream);
}

static void say(struct terminal *terminal, const char *colour, const char *prefix,
                const char *format, va_list arguments) {
    _cleanup_(free_pointer) char *words = NULL;
    if (vasprintf(&words, format, arguments) < 0)
        words = NULL;
    _cleanup_(text_clear) struct text line = {0};
    bool coloured = terminal->colours && colour != NULL;
    if (coloured)
        text_add(&line, colour);
    text_add(&line, prefix);
    if (coloured)
        text_add(&line, "\x1b[0m");
    clean_terminal(&line, words != NULL ? words : "out of memory",
                   strlen(words != NULL ? words : "out of memory"), false);
    pthread_mutex_lock(&terminal->lock);
    show(terminal, text_string(&line));
    pthread_mutex_unlock(&terminal->lock);
}

void terminal_line(struct terminal *terminal, const char *format, ...) {
    if (terminal->quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    say(terminal, NULL, "", format, arguments);
    va_end(arguments);
}

void terminal_warning(struct terminal *terminal, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(terminal, "\x1b[33m", "warning: ", format, arguments);
    va_end(arguments);
}

void terminal_error(struct terminal *terminal, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(terminal, "\x1b[31m", "error: ", format, arguments);
    va_end(arguments);
}

static struct running *find_running(struct terminal *terminal, const char *key) {
    for (size_t i = 0; i < terminal->running.count; i++)
        if (strcmp(terminal->running.items[i].key, key) == 0)
            return &terminal->running.items[i];
    return NULL;
}

static void set_words(struct running *running, const char *words) {
    _cleanup_(error_clear) struct error ignored = {0};
    char *copy = string_dup(words, &ignored);
    if (copy == NULL)
        return; /* the old words are still true */
    free(running->words);
    running->words = copy;
}

void terminal_begin(struct terminal *terminal, const char *key, const char *words) {
    if (!terminal->live)
        return;
    _cleanup_(error_clear) struct error ignored = {
        0}; /* progress that cannot be shown harms nothing */
    pthread_mutex_lock(&terminal->lock);
    char *copy = string_dup(key, &ignored);
    char *copied_words = string_dup(words, &ignored);
    struct running *running =
        copy != NULL && copied_words != NULL ? array_add(&terminal->running, &ignored) : NULL;
    if (running != NULL) {
        *running = (struct running){
            .key = copy, .words = copied_words, .started_ms = clock_monotonic_ms()};
        show(terminal, NULL);
    } else {
        free(copy);
        free(copied_words);
    }
    pthread_mutex_unlock(&terminal->lock);
}

void terminal_update(struct terminal *terminal, const char *key, const char *words,
                     int64_t done_bytes, int64_t total_bytes) {
    if (!terminal->live)
        return;
    pthread_mutex_lock(&terminal->lock);
    struct running *running = find_running(terminal, key);
    if (running != NULL) {
        set_words(running, words);
        running->done_bytes = done_bytes;
        running->total_bytes = total_bytes;
        show(terminal, NULL);
    }
    pthread_mutex_unlock(&terminal->lock);
}

void terminal_end(struct terminal *terminal, const char *key, enum outcome outcome,
                  const char *words) {
    pthread_mutex_lock(&terminal->lock);
    struct running *running = find_running(terminal, key);
    if (running != NULL) {
        size_t index = (size_t)(running - terminal->running.items);
        running_clear(running);
        memmove(running, running + 1, (terminal->running.count - index - 1) * sizeof *running);
        terminal->running.count--;
    }
    pthread_mutex_unlock(&terminal->lock);
    if (outcome == OUTCOME_PASSED)
        terminal_line(terminal, "%s", words);
    else
        terminal_warning(terminal, "%s", words);
}

void terminal_count(struct terminal *terminal, const char *words, size_t done, size_t total) {
    if (done == total) {
        pthread_mutex_lock(&terminal->lock);
        terminal->counter[0] = '\0';
        pthread_mutex_unlock(&terminal->lock);
        terminal_line(terminal, "%s %zu of %zu", words, done, total);
        return;
    }
    pthread_mutex_lock(&terminal->lock);
    snprintf(terminal->counter, sizeof terminal->counter, "%s %zu of %zu", words, done, total);
    show(terminal, NULL);
    pthread_mutex_unlock(&terminal->lock);
}

void terminal_free(struct terminal *terminal) {
    if (terminal == NULL)
        return;
    if (terminal->live) {
        struct text frame = {0};
        erase_live(terminal, &frame);
        fwrite(text_string(&frame), 1, frame.length, terminal->stream);
        fflush(terminal->stream);
        text_clear(&frame);
    }
    for (size_t i = 0; i < terminal->running.count; i++)
        running_clear(&terminal->running.items[i]);
    free(terminal->running.items);
    pthread_mutex_destroy(&terminal->lock);
    free(terminal);
}

void terminal_freep(struct terminal **terminal) {
    terminal_free(*terminal);
}
