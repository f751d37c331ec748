/* log: a line of what the service prints, on either stream. Lines end where they end, whatever frames they came in; the last one,
 * which has no end yet, counts once the service is silent. */
#include <stdio.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/regex.h"
#include "runners/engine/frames.h"
#include "runners/ready_parts.h"

#define SILENCE_MS 250

struct line {
    char bytes[REGEX_SUBJECT_LIMIT]; /* of longer ones the beginning */
    size_t length;
};

struct watch {
    struct ready_wait *wait;
    struct regex *regex;
    struct frames frames;
    struct line lines[2];
    bool found;
    bool over; /* the wait has ended for another reason, which is in wait->state */
};

static int match(struct watch *watch, const struct line *line, struct error *err) {
    struct regex_match found;
    if (regex_match(watch->regex, line->bytes, line->length, &found, err) < 0)
        return error_wrap(err, "ready: log: \"%s\"", regex_pattern(watch->regex));
    watch->found = watch->found || found.found;
    if (line->length > 0)
        snprintf(watch->wait->said, sizeof watch->wait->said, "its last line was \"%.*s\"",
                 (int)(line->length < 200 ? line->length : 200), line->bytes);
    return 0;
}

static int on_bytes(void *context, int stream, const char *bytes, size_t length,
                    struct error *err) {
    struct watch *watch = context;
    struct line *line = &watch->lines[stream - 1];
    for (size_t i = 0; i < length && !watch->found; i++) {
        if (bytes[i] != '\n') {
            if (line->length < sizeof line->bytes)
                line->bytes[line->length++] = bytes[i];
            continue;
        }
        if (line->length > 0 && line->bytes[line->length - 1] == '\r')
            line->length--;
        if (match(watch, line, err) < 0)
            return -1;
        line->length = 0;
    }
    return 0;
}

/* Ends the call; what it means is in the watch. */
static int stop(struct error *err) {
    return error_set(err, ERROR_LIMIT, "the log was read far enough");
}

static int on_log(void *context, const char *bytes, size_t length, struct error *err) {
    struct watch *watch = context;
    if (frames_feed(&watch->frames, bytes, length, err) < 0)
        return -1;
    return watch->found ? stop(err) : 0;
}

static int match_rests(struct watch *watch, struct error *err) {
    for (size_t i = 0; i < 2 && !watch->found; i++)
        if (watch->lines[i].length > 0 && match(watch, &watch->lines[i], err) < 0)
            return -1;
    return 0;
}

/* Podman now and then does not end the log of a container that has ended. */
static int on_silence(void *context, struct error *err) {
    struct watch *watch = context;
    if (match_rests(watch, err) < 0)
        return -1;
    if (watch->found)
        return stop(err);
    if (ready_look(watch->wait, &watch->over, err) < 0)
        return -1;
    return watch->over ? stop(err) : 0;
}

static int follow(struct watch *watch, int64_t timeout_ms, struct error *err) {
    struct ready_wait *wait = watch->wait;
    _cleanup_(free_pointer) char *path =
        string_format(err, "/containers/%s/logs?follow=1&stdout=1&stderr=1", wait->id);
    if (path == NULL)
        return -1;
    watch->frames = (struct frames){.on_bytes = on_bytes, .context = watch};
    watch->lines[0].length = watch->lines[1].length = 0;
    long status;
    struct engine_call call = {.method = "GET",
                               .path = path,
                               .needs_end = true,
                               .timeout_ms = timeout_ms,
                               .on_data = on_log,
                               .on_silence = on_silence,
                               .silence_ms = SILENCE_MS,
                               .context = watch};
    if (engine_call(wait->engine, &call, &status, NULL, err) == 0)
        return match_rests(watch, err);
    if (!watch->found && !watch->over && err->kind != ERROR_TIMEOUT)
        return -1;
    error_clear(err);
    return 0;
}

/* A log that ends is read again from its beginning while the service runs: an engine may end it for reasons of its own. */
int ready_wait_log(struct ready_wait *wait, const struct test_ready *ready, struct error *err) {
    _cleanup_(regex_freep) struct regex *regex = NULL;
    if (regex_compile(ready->text, &regex, err) < 0)
        return -1;
    _cleanup_(free_pointer) struct watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return error_no_memory(err);
    watch->wait = wait;
    watch->regex = regex;
    for (;;) {
        bool late;
        int64_t left_ms = wait->deadline_ms - clock_monotonic_ms();
        if (follow(watch, left_ms > 1 ? left_ms : 1, err) < 0)
            return -1;
        if (watch->found)
            wait->state = READY_YES;
        else if (!watch->over && ready_look(wait, &watch->over, err) < 0)
            return -1;
        if (watch->found || watch->over)
            return 0;
        if (ready_pause(wait, &late, err) < 0)
            return -1;
        if (late)
            return 0;
    }
}
