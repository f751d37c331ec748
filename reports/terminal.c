#include "reports/terminal.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"
#include "gate/base/clock.h"

#define FRAME_MS   250   /* between two frames that nothing but time has changed */
#define EVENT_MS   100   /* at least between two frames of progress */
#define STILL_MS   60000 /* plain lines: how often a thing that runs says that it does */
#define LIVE_LINES 12    /* at most; the rest is counted */
#define LINE_LIMIT 500   /* columns of words in a line that stays: a command can be a page */

struct running {
    char *key, *words;
    int64_t started_ms;
    int64_t told_ms; /* plain: when a line last said that it runs */
    struct terminal_amount amount;
};

struct running_list {
    struct running *items;
    size_t count;
    size_t capacity;
};

struct terminal {
    struct screen screen;
    bool quiet;
    const struct cancel *cancel;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* the drawing thread ends */
    pthread_t thread;
    bool has_thread, ends;
    bool resting;    /* nothing is drawn until something happens */
    bool told_stop;  /* that the run was asked to stop */
    int64_t drew_ms; /* when the last frame was drawn */
    struct running_list running;
    char counter[128]; /* "looked up 3 of 7"; "" while nothing is counted */
    size_t drawn;      /* live lines on the screen now */
};

int terminal_new(const struct terminal_options *options, struct terminal **out, struct error *err) {
    struct terminal *terminal = calloc(1, sizeof *terminal);
    if (terminal == NULL)
        return error_no_memory(err);
    screen_open(&terminal->screen, options->stream, options->utf8);
    terminal->screen.live = terminal->screen.live && !options->quiet;
    terminal->quiet = options->quiet;
    terminal->cancel = options->cancel;
    pthread_mutex_init(&terminal->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&terminal->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *out = terminal;
    return 0;
}

static void running_clear(struct running *running) {
    free(running->key);
    free(running->words);
    *running = (struct running){0};
}

/* The frame. */

static void add_live_line(struct terminal *terminal, struct text *frame, const char *words,
                          const char *tail) {
    const struct screen *screen = &terminal->screen;
    size_t columns = screen_columns(screen) - 1; /* the last one makes some terminals wrap */
    size_t tail_width = screen_width(screen, tail);
    size_t room = columns > tail_width + 2 ? columns - tail_width - 2 : 0;
    text_add(frame, terminal->drawn++ > 0 ? "\n  " : "  ");
    size_t used = 2 + screen_fit(screen, frame, words, room);
    screen_fit(screen, frame, tail, columns - used);
    text_add(frame, "\x1b[K");
}

/* "7 s", "1 m 12 s", "10 m": whole seconds, so that nothing trembles. */
static void seconds_words(int64_t ms, char *out, size_t size) {
    if (ms >= 60000 && ms < 3600000 && ms / 1000 % 60 == 0)
        snprintf(out, size, "%lld m", (long long)ms / 60000);
    else if (ms < 60000)
        snprintf(out, size, "%lld s", (long long)ms / 1000);
    else
        clock_duration_words(ms / 1000 * 1000, out, size);
}

static void tail_words(const struct running *running, int64_t now_ms, char *out, size_t size) {
    const struct terminal_amount *amount = &running->amount;
    int64_t elapsed_ms = now_ms - running->started_ms;
    char elapsed[48];
    char limit[48];
    seconds_words(elapsed_ms, elapsed, sizeof elapsed);
    seconds_words(amount->limit_ms, limit, sizeof limit);
    char done[32];
    char total[32];
    char rate[32];
    bytes_words(amount->done_bytes, done, sizeof done);
    bytes_words(amount->total_bytes, total, sizeof total);
    bytes_words(elapsed_ms > 0 ? (int64_t)((double)amount->done_bytes * 1000 / (double)elapsed_ms)
                               : 0,
                rate, sizeof rate);
    if (amount->total_bytes > 0 && amount->done_bytes >= amount->total_bytes)
        snprintf(out, size, "  %s, unpacking, %s", done, elapsed);
    else if (amount->total_bytes > 0)
        snprintf(out, size, "  %s of %s, %s/s", done, total, rate);
    else if (amount->done_bytes > 0)
        snprintf(out, size, "  %s, %s/s", done, rate);
    else if (amount->limit_ms > 0)
        snprintf(out, size, "  %s of %s", elapsed, limit);
    else
        snprintf(out, size, "  %s", elapsed);
}

static void add_live_lines(struct terminal *terminal, struct text *frame, int64_t now_ms) {
    char tail[160];
    size_t rows = screen_rows(&terminal->screen);
    size_t limit = rows > LIVE_LINES + 3 ? LIVE_LINES : rows > 4 ? rows - 3 : 1;
    if (terminal->counter[0] != '\0')
        add_live_line(terminal, frame, terminal->counter, "");
    for (size_t i = 0; i < terminal->running.count && i < limit; i++) {
        tail_words(&terminal->running.items[i], now_ms, tail, sizeof tail);
        add_live_line(terminal, frame, terminal->running.items[i].words, tail);
    }
    if (terminal->running.count > limit) {
        snprintf(tail, sizeof tail, "and %zu more", terminal->running.count - limit);
        add_live_line(terminal, frame, tail, "");
    }
}

/* The live lines, over what stands there, and back to their beginning. There the cursor stays: a terminal that breaks its
 * rows anew in a narrower window takes the cursor along, wherever the live lines then end. While they are drawn nothing
 * wraps, since the window may be narrower already than we know. */
static void draw_live(struct terminal *terminal, struct text *frame, int64_t now_ms) {
    bool had_lines = terminal->drawn > 0;
    terminal->drawn = 0;
    if (terminal->resting) {
        text_add(frame, had_lines ? "\r\x1b[J" : "");
        return;
    }
    size_t before = frame->length;
    text_add(frame, "\x1b[?7l\r");
    add_live_lines(terminal, frame, now_ms);
    text_add(frame, "\x1b[J\r");
    if (terminal->drawn > 1)
        text_printf(frame, "\x1b[%zuA", terminal->drawn - 1);
    text_add(frame, "\x1b[?7h");
    if (!had_lines && terminal->drawn == 0)
        text_truncate(frame, before);
}

/* One write a frame: nothing flickers. `line` stays above the live lines; NULL only redraws. */
static void show(struct terminal *terminal, const char *line) {
    _cleanup_(text_clear) struct text frame = {0};
    bool live = terminal->screen.live;
    if (line == NULL && !live)
        return;
    if (line != NULL && terminal->drawn > 0) {
        text_add(&frame, "\r\x1b[J");
        terminal->drawn = 0;
    }
    if (line != NULL)
        text_printf(&frame, "%s\n", line);
    terminal->drew_ms = clock_monotonic_ms();
    if (live)
        draw_live(terminal, &frame, terminal->drew_ms);
    if (frame.length == 0)
        return;
    fwrite(text_string(&frame), 1, frame.length, terminal->screen.stream);
    fflush(terminal->screen.stream);
}

/* A mark in its colour, and words that may come from anywhere: cut to one row, or as many rows as they need. */
static void say(struct terminal *terminal, enum style style, const char *mark, const char *words,
                bool one_row) {
    const struct screen *screen = &terminal->screen;
    _cleanup_(text_clear) struct text line = {0};
    _cleanup_(text_clear) struct text brief = {0};
    size_t columns = screen_columns(screen);
    size_t used = 0;
    screen_paint(screen, &line, style, mark);
    if (*mark != '\0') {
        text_add_char(&line, ' ');
        used = screen_width(screen, mark) + 1;
    }
    screen_fit(screen, &brief, words, 2 * LINE_LIMIT);
    if (!one_row || !screen->live)
        screen_wrap(screen, &line, text_string(&brief), used, 2, columns);
    else if (columns > used + 1) /* the last one makes some terminals wrap */
        screen_fit(screen, &line, text_string(&brief), columns - used - 1);
    show(terminal, text_string(&line));
}

static void say_format(struct terminal *terminal, enum style style, const char *mark,
                       const char *format, va_list arguments) {
    _cleanup_(free_pointer) char *words = NULL;
    if (vasprintf(&words, format, arguments) < 0)
        words = NULL;
    pthread_mutex_lock(&terminal->lock);
    say(terminal, style, mark, words != NULL ? words : "out of memory", false);
    pthread_mutex_unlock(&terminal->lock);
}

const char *terminal_arrow(const struct terminal *terminal) {
    return screen_arrow(&terminal->screen);
}

void terminal_line(struct terminal *terminal, const char *format, ...) {
    if (terminal->quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    say_format(terminal, STYLE_PLAIN, "", format, arguments);
    va_end(arguments);
}

void terminal_warning(struct terminal *terminal, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say_format(terminal, STYLE_WARN, "warning:", format, arguments);
    va_end(arguments);
}

void terminal_error(struct terminal *terminal, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say_format(terminal, STYLE_BAD, "error:", format, arguments);
    va_end(arguments);
}

/* The thread that draws. */

static void say_still_running(struct terminal *terminal, int64_t now_ms) {
    for (size_t i = 0; i < terminal->running.count; i++) {
        struct running *running = &terminal->running.items[i];
        if (now_ms - running->told_ms < STILL_MS)
            continue;
        running->told_ms = now_ms;
        char tail[160];
        _cleanup_(text_clear) struct text words = {0};
        tail_words(running, now_ms, tail, sizeof tail);
        screen_fit(&terminal->screen, &words, running->words, LINE_LIMIT - sizeof tail);
        text_printf(&words, ",%s", tail + 1);
        say(terminal, STYLE_PLAIN, "still running:", text_string(&words), false);
    }
}

/* Before anything that ends because of it is told. */
static void tell_stop(struct terminal *terminal) {
    if (terminal->told_stop || terminal->quiet || !cancel_requested(terminal->cancel))
        return;
    terminal->told_stop = true;
    say(terminal, STYLE_WARN, "stopping:", "what this run has made is removed; wait a moment",
        false);
}

static void tick(struct terminal *terminal) {
    int64_t now_ms = clock_monotonic_ms();
    tell_stop(terminal);
    if (!terminal->screen.live)
        say_still_running(terminal, now_ms);
    else if (!terminal->resting && now_ms - terminal->drew_ms >= FRAME_MS / 2)
        show(terminal, NULL);
}

static void *draw_frames(void *context) {
    struct terminal *terminal = context;
    pthread_mutex_lock(&terminal->lock);
    while (!terminal->ends) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += FRAME_MS * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000L;
        }
        pthread_cond_timedwait(&terminal->wake, &terminal->lock, &until);
        if (!terminal->ends)
            tick(terminal);
    }
    pthread_mutex_unlock(&terminal->lock);
    return NULL;
}

/* With the first thing that runs. Signals go to other threads. Without a thread there are only fewer frames. */
static void start_thread(struct terminal *terminal) {
    if (terminal->has_thread || terminal->quiet)
        return;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    terminal->has_thread = pthread_create(&terminal->thread, NULL, draw_frames, terminal) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* What runs. */

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

static void show_progress(struct terminal *terminal) {
    terminal->resting = false;
    if (clock_monotonic_ms() - terminal->drew_ms >= EVENT_MS)
        show(terminal, NULL);
}

void terminal_begin(struct terminal *terminal, const char *key, const char *words,
                    const struct terminal_amount *amount) {
    _cleanup_(error_clear) struct error ignored = {
        0}; /* progress that cannot be shown harms nothing */
    pthread_mutex_lock(&terminal->lock);
    start_thread(terminal);
    char *copy = string_dup(key, &ignored);
    char *copied_words = string_dup(words, &ignored);
    struct running *running =
        copy != NULL && copied_words != NULL ? array_add(&terminal->running, &ignored) : NULL;
    if (running != NULL) {
        int64_t now_ms = clock_monotonic_ms();
        *running = (struct running){copy, copied_words, now_ms, now_ms, *amount};
        show_progress(terminal);
    } else {
        free(copy);
        free(copied_words);
    }
    pthread_mutex_unlock(&terminal->lock);
}

void terminal_update(struct terminal *terminal, const char *key, const char *words,
                     const struct terminal_amount *amount) {
    pthread_mutex_lock(&terminal->lock);
    struct running *running = find_running(terminal, key);
    if (running != NULL) {
        set_words(running, words);
        running->amount = *amount;
        show_progress(terminal);
    }
    pthread_mutex_unlock(&terminal->lock);
}

/* " (150.0 MB in 3.2 s)"; the last words on progress may have told less than came. */
static void add_amount(const struct running *running, struct text *out) {
    char done[32];
    char duration[48];
    if (running->amount.done_bytes <= 0)
        return;
    bool all = running->amount.total_bytes > running->amount.done_bytes;
    bytes_words(all ? running->amount.total_bytes : running->amount.done_bytes, done, sizeof done);
    clock_duration_words(clock_monotonic_ms() - running->started_ms, duration, sizeof duration);
    text_printf(out, " (%s in %s)", done, duration);
}

void terminal_end(struct terminal *terminal, const char *key, enum style style, const char *mark,
                  const char *words) {
    _cleanup_(text_clear) struct text all = {0};
    screen_fit(&terminal->screen, &all, words, LINE_LIMIT);
    pthread_mutex_lock(&terminal->lock);
    tell_stop(terminal);
    struct running *running = find_running(terminal, key);
    if (running != NULL) {
        size_t index = (size_t)(running - terminal->running.items);
        add_amount(running, &all);
        running_clear(running);
        memmove(running, running + 1, (terminal->running.count - index - 1) * sizeof *running);
        terminal->running.count--;
    }
    if (!terminal->quiet || style == STYLE_BAD || style == STYLE_WARN)
        say(terminal, style, mark, text_string(&all), true);
    pthread_mutex_unlock(&terminal->lock);
}

void terminal_count(struct terminal *terminal, const char *words, size_t done, size_t total) {
    pthread_mutex_lock(&terminal->lock);
    start_thread(terminal);
    snprintf(terminal->counter, sizeof terminal->counter, "%s %zu of %zu", words, done, total);
    if (done < total)
        show_progress(terminal);
    else {
        char line[sizeof terminal->counter];
        memcpy(line, terminal->counter, sizeof line);
        terminal->counter[0] = '\0';
        if (!terminal->quiet)
            say(terminal, STYLE_PLAIN, "", line, false);
    }
    pthread_mutex_unlock(&terminal->lock);
}

void terminal_rest(struct terminal *terminal) {
    pthread_mutex_lock(&terminal->lock);
    terminal->resting = true;
    show(terminal, NULL);
    pthread_mutex_unlock(&terminal->lock);
}

void terminal_free(struct terminal *terminal) {
    if (terminal == NULL)
        return;
    terminal_rest(terminal);
    pthread_mutex_lock(&terminal->lock);
    terminal->ends = true;
    pthread_cond_signal(&terminal->wake);
    pthread_mutex_unlock(&terminal->lock);
    if (terminal->has_thread)
        pthread_join(terminal->thread, NULL);
    for (size_t i = 0; i < terminal->running.count; i++)
        running_clear(&terminal->running.items[i]);
    free(terminal->running.items);
    pthread_cond_destroy(&terminal->wake);
    pthread_mutex_destroy(&terminal->lock);
    free(terminal);
}

void terminal_freep(struct terminal **terminal) {
    terminal_free(*terminal);
}
