#include "runners/engine/container.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate/base/clock.h"
#include "gate/base/json_read.h"
#include "gate/base/trace.h"

#define EVENTS_LIMIT     (1u << 20) /* bytes of an engine's events of one container */
#define REMOVAL_LIMIT_MS 3000 /* for a removal that is under way; it takes a tenth of a second */
#define REMOVAL_POLL_MS  50

/* Warnings are of limits that this kernel lacks, and of one thing that makes the test another one. */
static int check_warnings(const json_t *answer, struct error *err) {
    size_t index;
    const json_t *item;
    json_array_foreach(json_object_get(answer, "Warnings"), index, item) {
        const char *words = json_string_value(item);
        if (words == NULL)
            continue;
        trace(TRACE_ENGINE, "warning: %s", words);
        if (strstr(words, "platform") != NULL && strstr(words, "not match") != NULL)
            return error_set(err, ERROR_ENGINE,
                             "the image is not for this engine's platform: the engine says \"%s\"",
                             words);
    }
    return 0;
}

int container_create(struct engine *engine, const char *name, const json_t *spec, char **id,
                     struct error *err) {
    return container_create_for(engine, name, NULL, spec, id, err);
}

int container_create_for(struct engine *engine, const char *name, const char *platform,
                         const json_t *spec, char **id, struct error *err) {
    *id = NULL;
    long status;
    json_auto_t *answer = NULL;
    _cleanup_(free_pointer) char *escaped = platform != NULL ? http_escape(platform, err) : NULL;
    if (platform != NULL && escaped == NULL)
        return -1;
    _cleanup_(free_pointer) char *path =
        string_format(err, "/containers/create?name=%s%s%s", name,
                      escaped != NULL ? "&platform=" : "", escaped != NULL ? escaped : "");
    if (path == NULL)
        return -1;
    struct engine_call call = {.method = "POST", .path = path, .body = (json_t *)spec};
    if (engine_call(engine, &call, &status, &answer, err) < 0)
        return error_wrap(err, "create the container");
    const char *given = json_string_value(json_object_get(answer, "Id"));
    if (given == NULL || strspn(given, "0123456789abcdef") != strlen(given) || *given == '\0')
        return error_set(err, ERROR_PROTOCOL, "the engine made a container without an id");
    *id = string_dup(given, err);
    return *id != NULL ? check_warnings(answer, err) : -1;
}

/* METHOD /containers/ID<rest>; *status is the engine's. */
static int on_container(struct engine *engine, const char *method, const char *id, const char *rest,
                        long *status, struct error *err) {
    _cleanup_(free_pointer) char *path = string_format(err, "/containers/%s%s", id, rest);
    if (path == NULL)
        return -1;
    struct engine_call call = {.method = method, .path = path};
    return engine_call(engine, &call, status, NULL, err);
}

int container_start(struct engine *engine, const char *id, struct error *err) {
    long status;
    if (on_container(engine, "POST", id, "/start", &status, err) < 0)
        return -1;
    if (status != 204)
        return error_set(err, ERROR_PROTOCOL, "the engine answered %ld to a start, not 204",
                         status);
    return 0;
}

int container_put(struct engine *engine, const char *id, const char *path, int tar_fd, int64_t size,
                  struct error *err) {
    _cleanup_(free_pointer) char *whole =
        string_format(err, "/containers/%s/archive?path=%s", id, path);
    if (whole == NULL)
        return -1;
    long status;
    struct engine_call call = {.method = "PUT",
                               .path = whole,
                               .body_fd = tar_fd,
                               .body_size = size,
                               .timeout_ms = CONTAINER_PUT_CALLS * engine_timeout_ms(engine),
                               .idle_timeout_ms = engine_timeout_ms(engine)};
    return engine_call(engine, &call, &status, NULL, err) < 0
               ? error_wrap(err, "copy the workspace in")
               : 0;
}

int container_get(struct engine *engine, const char *id, const char *path,
                  int (*on_data)(void *context, const char *bytes, size_t length,
                                 struct error *err),
                  void *context, struct error *err) {
    _cleanup_(free_pointer) char *escaped = http_escape(path, err);
    _cleanup_(free_pointer) char *whole =
        escaped != NULL ? string_format(err, "/containers/%s/archive?path=%s", id, escaped) : NULL;
    if (whole == NULL)
        return -1;
    long status;
    struct engine_call call = {.method = "GET",
                               .path = whole,
                               .timeout_ms = CONTAINER_PUT_CALLS * engine_timeout_ms(engine),
                               .idle_timeout_ms = engine_timeout_ms(engine),
                               .needs_end = true,
                               .on_data = on_data,
                               .context = context};
    return engine_call(engine, &call, &status, NULL, err);
}

/* What the engine need not do any more is done. */
static int fine_when_gone(int result, long status, struct error *err) {
    if (result == 0 || (status != 404 && status != 409 && status != 304))
        return result;
    error_clear(err);
    return 0;
}

int container_kill(struct engine *engine, const char *id, struct error *err) {
    long status = 0;
    int result = on_container(engine, "POST", id, "/kill", &status, err);
    return fine_when_gone(result, status, err);
}

/* Somebody removes it already. That is not gone yet: what it uses could not be removed behind it. */
static int wait_for_removal(struct engine *engine, const char *id, struct error *err) {
    int64_t deadline = clock_monotonic_ms() + REMOVAL_LIMIT_MS;
    _cleanup_(error_clear) struct error why = {0};
    error_move(&why, err);
    do {
        long status = 0;
        if (on_container(engine, "GET", id, "/json", &status, err) < 0)
            return fine_when_gone(-1, status, err);
        poll(NULL, 0, REMOVAL_POLL_MS);
    } while (clock_monotonic_ms() < deadline);
    return error_move(err, &why);
}

int container_remove(struct engine *engine, const char *id, struct error *err) {
    long status = 0;
    int result = on_container(engine, "DELETE", id, "?force=1&v=1", &status, err);
    return result < 0 && status == 409 ? wait_for_removal(engine, id, err)
                                       : fine_when_gone(result, status, err);
}

/* "2026-11-25T07:00:00.123456789Z", or with "+01:00": milliseconds since 1970, rounded up; 0 for what is none or has not
 * happened, which has a time of the year 1. */
static int64_t time_ms(const json_t *time) {
    const char *text = json_string_value(time);
    struct tm parts = {0};
    int read = 0;
    if (text == NULL ||
        sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
               &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &read) != 6)
        return 0;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    int64_t result = (int64_t)timegm(&parts) * 1000;
    const char *rest = text + read;
    if (*rest == '.') {
        size_t digits = strspn(rest + 1, "0123456789");
        result += (int64_t)(strtod(rest, NULL) * 1000) + 1;
        rest += 1 + digits;
    }
    int hours = 0;
    int minutes = 0;
    if ((*rest == '+' || *rest == '-') && sscanf(rest + 1, "%2d:%2d", &hours, &minutes) == 2)
        result -= (*rest == '+' ? 1 : -1) * (int64_t)(hours * 60 + minutes) * 60000;
    else if (strcmp(rest, "Z") != 0)
        return 0;
    return result > 0 ? result : 0;
}

static int read_state(const json_t *answer, const char *id, struct container_state *state,
                      struct error *err) {
    const json_t *now = json_object_get(answer, "State");
    const json_t *code = json_object_get(now, "ExitCode");
    const json_t *running = json_object_get(now, "Running");
    const json_t *oom = json_object_get(now, "OOMKilled");
    const char *theirs = json_string_value(json_object_get(answer, "Id"));
    const char *image = json_string_value(json_object_get(answer, "Image"));
    const char *error = json_string_value(json_object_get(now, "Error"));
    if (!json_is_integer(code) || !json_is_boolean(running) || !json_is_boolean(oom) ||
        !json_is_string(json_object_get(now, "StartedAt")) || theirs == NULL || image == NULL)
        return error_set(err, ERROR_PROTOCOL,
                         "the engine's word on the container lacks its state, or is malformed");
    if (strcmp(theirs, id) != 0)
        return error_set(err, ERROR_PROTOCOL, "the engine told of another container than asked");
    json_int_t number = json_integer_value(code);
    if (number < INT_MIN || number > INT_MAX) /* it must not become a 0 by being cut */
        return error_set(err, ERROR_PROTOCOL, "the engine told of exit code %lld, which is none",
                         (long long)number);
    state->started = time_ms(json_object_get(now, "StartedAt")) > 0;
    state->finished_ms = time_ms(json_object_get(now, "FinishedAt"));
    state->running = json_is_true(running) || json_is_true(json_object_get(now, "Paused")) ||
                     json_is_true(json_object_get(now, "Restarting"));
    state->oom = json_is_true(oom);
    state->exit_code = (int)number;
    snprintf(state->image, sizeof state->image, "%s", image);
    snprintf(state->error, sizeof state->error, "%s", error != NULL ? error : "");
    return 0;
}

int container_inspect(struct engine *engine, const char *id, struct container_state *state,
                      struct error *err) {
    *state = (struct container_state){0};
    _cleanup_(free_pointer) char *path = string_format(err, "/containers/%s/json", id);
    if (path == NULL)
        return -1;
    json_auto_t *answer = NULL;
    if (engine_get(engine, path, &answer, err) < 0)
        return err->kind == ERROR_NOT_FOUND
                   ? error_set(err, ERROR_ENGINE,
                               "the container is gone: somebody else removed it, or the engine "
                               "lost it")
                   : -1;
    return read_state(answer, id, state, err);
}

static int on_events(void *context, const char *bytes, size_t length, struct error *err) {
    struct text *lines = context;
    lines->ceiling = EVENTS_LIMIT;
    text_append(lines, bytes, length);
    return text_check(lines, err);
}

static bool is_event(const json_t *event, const char *id, const char *wanted) {
    const json_t *actor = json_object_get(event, "Actor");
    const char *action = json_string_value(json_object_get(event, "Action"));
    const char *of = json_string_value(json_object_get(actor, "ID"));
    return action != NULL && strcmp(action, wanted) == 0 && of != NULL && strcmp(of, id) == 0;
}

int container_was_signalled(struct engine *engine, const char *id, int64_t finished_ms,
                            bool *signalled, struct error *err) {
    *signalled = false;
    _cleanup_(text_clear) struct text lines = {0};
    int64_t until_ms = finished_ms + SIGNAL_MARGIN_MS;
    _cleanup_(free_pointer) char *filters =
        string_format(err, "{\"container\":[\"%s\"],\"event\":[\"kill\",\"die\"]}", id);
    _cleanup_(free_pointer) char *escaped = filters != NULL ? http_escape(filters, err) : NULL;
    _cleanup_(free_pointer) char *path =
        escaped != NULL
            ? string_format(err, "/events?since=1&until=%lld.%03lld&filters=%s",
                            (long long)until_ms / 1000, (long long)until_ms % 1000, escaped)
            : NULL;
    if (path == NULL)
        return -1;
    long status;
    struct engine_call call = {
        .method = "GET", .path = path, .on_data = on_events, .context = &lines};
    if (engine_call(engine, &call, &status, NULL, err) < 0)
        return error_wrap(err, "ask whether somebody stopped the container");
    bool ended = false;
    for (const char *at = text_string(&lines); *at != '\0';) {
        size_t length = strcspn(at, "\n");
        json_auto_t *event = NULL;
        if (json_read(at, length, 0, &event, NULL, err) < 0)
            return -1;
        *signalled = *signalled || is_event(event, id, "kill");
        ended = ended || is_event(event, id, "die");
        at += length + (at[length] == '\n' ? 1 : 0);
    }
    if (!ended && !*signalled)
        trace(TRACE_ENGINE, "no event of the end of %s: the engine does not keep them", id);
    return 0;
}
