/* terminal: live progress for people, plain lines for logs. Safe to call from any thread.
 *
 * On a terminal, lines for what runs now are redrawn in place at the bottom (look-ups, pulls with bytes and rate, trials with
 * their command and seconds); elsewhere each event is one plain line, without carriage returns. Colours only on a terminal
 * and without NO_COLOR (https://no-color.org) and TERM=dumb. Everything from outside is cleaned here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "gate/base/error.h"
#include "gate/verdict.h"

struct terminal;

struct terminal_options {
    FILE *stream; /* stderr */
    bool quiet;   /* only warnings and errors */
    int live;     /* 1 always, 0 never, -1: when the stream is a terminal */
    int colours;  /* the same */
};

int terminal_new(const struct terminal_options *options, struct terminal **out,
                 struct error *err) _must_check_;
void terminal_free(struct terminal *terminal); /* leaves the last state on the screen */
void terminal_freep(struct terminal **terminal);

/* A line that stays: "found 12 pins of 4 images in 7 files". */
void terminal_line(struct terminal *terminal, const char *format, ...) _printf_(2, 3);
void terminal_warning(struct terminal *terminal, const char *format, ...) _printf_(2, 3);
void terminal_error(struct terminal *terminal, const char *format, ...) _printf_(2, 3);

/* A thing that runs now, under a key of the caller's ("pull docker.io/…", "trial 3"): begin shows it, update changes its
 * words or amounts, end takes it away and leaves one line. Amounts of 0 are not shown. */
void terminal_begin(struct terminal *terminal, const char *key, const char *words);
void terminal_update(struct terminal *terminal, const char *key, const char *words,
                     int64_t done_bytes, int64_t total_bytes);
void terminal_end(struct terminal *terminal, const char *key, enum outcome outcome,
                  const char *words);

/* "looked up 37 of 200": one line that counts; ends by itself when done == total. */
void terminal_count(struct terminal *terminal, const char *words, size_t done, size_t total);
