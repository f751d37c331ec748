/* terminal: live progress for people, plain lines for logs. Safe to call from any thread.
 *
 * On a live screen (screen.h) what runs now is redrawn in place at the bottom: look-ups, pulls with bytes and rate, trials
 * with their command and its time against the limit. Elsewhere each event is one plain line, without carriage returns, and
 * what runs long says so once a minute, so that nobody takes it for dead.
 *
 * A thread of its own draws four times a second: nothing else happens while one command runs for minutes. The cursor is
 * never hidden, and what a frame changes in the terminal (no wrapping) it changes back in the same write.
 */
#pragma once

#include <stdint.h>

#include "gate/base/cancel.h"
#include "gate/base/error.h"
#include "reports/screen.h"

struct terminal;

struct terminal_options {
    FILE *stream;                /* stderr */
    bool quiet;                  /* only warnings and errors */
    bool utf8;                   /* see screen.h */
    const struct cancel *cancel; /* its request is said once; may be NULL */
};

int terminal_new(const struct terminal_options *options, struct terminal **out,
                 struct error *err) _must_check_;
void terminal_free(struct terminal *terminal); /* takes the live lines away */
void terminal_freep(struct terminal **terminal);

/* Takes the live lines away until the next begin, update or count: before something else is printed on the same screen. */
void terminal_rest(struct terminal *terminal);

const char *
terminal_arrow(const struct terminal *terminal); /* "→", or "->" where it cannot be shown */

/* A line that stays: "found 12 pins of 4 images in 7 files". */
void terminal_line(struct terminal *terminal, const char *format, ...) _printf_(2, 3);
void terminal_warning(struct terminal *terminal, const char *format, ...) _printf_(2, 3);
void terminal_error(struct terminal *terminal, const char *format, ...) _printf_(2, 3);

/* How far something is. What is 0 is not shown. */
struct terminal_amount {
    int64_t done_bytes, total_bytes;
    int64_t limit_ms; /* for the time since begin */
};

/* A thing that runs now, under a key of the caller's ("pull docker.io/…", "trial 3"): begin shows it, update changes its
 * words and amounts, end takes it away and leaves one line: a mark in its colour, and words, cut to one row of a live screen
 * (the summary has them whole). An end with STYLE_BAD or STYLE_WARN is said even when quiet. */
void terminal_begin(struct terminal *terminal, const char *key, const char *words,
                    const struct terminal_amount *amount);
void terminal_update(struct terminal *terminal, const char *key, const char *words,
                     const struct terminal_amount *amount);
void terminal_end(struct terminal *terminal, const char *key, enum style style, const char *mark,
                  const char *words);

/* "looked up 37 of 200": one line that counts; ends by itself when done == total. */
void terminal_count(struct terminal *terminal, const char *words, size_t done, size_t total);
