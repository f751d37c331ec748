#include "runners/command_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/trace.h"
#include "runners/engine/container.h"

#define LAST_LINES      "tail=1000&" /* that are asked for where tails alone are wanted */
#define LOG_AGAIN_CALLS 10           /* times what one call may take: to read a whole log again */

static void keep_tail(struct text *tail, const char *bytes, size_t length) {
    if (length >= TRIAL_TAIL_BYTES) {
        bytes += length - TRIAL_TAIL_BYTES;
        length = TRIAL_TAIL_BYTES;
        text_truncate(tail, 0);
    }
    /* seldom, so that each byte moves about once */
    if (tail->length + length > 2 * TRIAL_TAIL_BYTES) {
        size_t kept = TRIAL_TAIL_BYTES - length;
        memmove(tail->bytes, tail->bytes + tail->length - kept, kept);
        text_truncate(tail, kept);
    }
    text_append(tail, bytes, length);
}

static int keep(struct log_sink *sink, const char *bytes, size_t length, struct error *err) {
    keep_tail(sink->tail, bytes, length);
    return file_write_all(sink->fd, bytes, length, err) < 0 ? error_wrap(err, "write the log") : 0;
}

/* What came, or at the end of the log what was held back because it could be the beginning of a secret. */
static int keep_redacted(struct log_sink *sink, const char *bytes, size_t length, bool end,
                         struct error *err) {
    _cleanup_(text_clear) struct text shown = {0};
    redact_feed(&sink->redact, bytes, length, &shown);
    if (end)
        redact_end(&sink->redact, &shown);
    if (text_check(&shown, err) < 0)
        return -1;
    return shown.length > 0 ? keep(sink, shown.bytes, shown.length, err) : 0;
}

int log_sink_write(struct log_sink *sink, const char *bytes, size_t length, struct error *err) {
    *sink->bytes += (int64_t)length;
    return sink->redact.redact == NULL ? keep(sink, bytes, length, err)
                                       : keep_redacted(sink, bytes, length, false, err);
}

static int on_bytes(void *context, int stream, const char *bytes, size_t length,
                    struct error *err) {
    struct command_log *log = context;
    struct log_sink *sink = &log->sinks[stream - 1];
    if (log_sink_write(sink, bytes, length, err) < 0)
        return -1;
    log->over = *sink->bytes > log->limit_bytes;
    if (log->over)
        return error_set(err, ERROR_LIMIT, "more than log_limit");
    return 0;
}

/* A log on its way. */
struct reading {
    struct command_log *log;
    const char *id;       /* of the container */
    struct engine *other; /* NULL: silence is waited out */
};

static int on_log(void *context, const char *bytes, size_t length, struct error *err) {
    const struct reading *reading = context;
    return frames_feed(&reading->log->frames, bytes, length, err);
}

/* What cannot be told now is asked again, or told by the log. */
static int on_silence(void *context, struct error *err) {
    const struct reading *reading = context;
    struct container_state state;
    _cleanup_(error_clear) struct error ignored = {0};
    if (container_inspect(reading->other, reading->id, &state, &ignored) < 0 || state.running)
        return 0;
    reading->log->dropped = true;
    return error_set(err, ERROR_TIMEOUT, "the container has ended, and its log does not");
}

static void cut_tail(struct text *tail) {
    if (tail->length <= TRIAL_TAIL_BYTES)
        return;
    memmove(tail->bytes, tail->bytes + tail->length - TRIAL_TAIL_BYTES, TRIAL_TAIL_BYTES);
    text_truncate(tail, TRIAL_TAIL_BYTES);
}

static int open_log(const char *folder, const char *stem, const char *stream, char **path, int *fd,
                    struct error *err) {
    *path = string_format(err, "%s/%s-%s.log", folder, stem, stream);
    if (*path == NULL)
        return -1;
    *fd = open(*path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return *fd >= 0 ? 0 : error_set_errno(err, "write %s", *path);
}

int command_log_open_as(struct command_log *log, const struct trial_spec *spec, const char *stem,
                        struct command_result *command, struct error *err) {
    *log = (struct command_log){.sinks = {{-1, &command->out_bytes, &command->out_tail, {0}},
                                          {-1, &command->err_bytes, &command->err_tail, {0}}},
                                .limit_bytes = spec->test->log_limit_bytes,
                                .frames = {.on_bytes = on_bytes, .context = log}};
    const char *folder = spec->log_folder;
    for (size_t i = 0; i < 2 && spec->grants != NULL; i++)
        if (redact_begin(&log->sinks[i].redact, spec->grants->redact, err) < 0)
            return -1;
    if (open_log(folder, stem, "stdout", &command->out_path, &log->sinks[0].fd, err) < 0)
        return -1;
    return open_log(folder, stem, "stderr", &command->err_path, &log->sinks[1].fd, err);
}

int command_log_open(struct command_log *log, const struct trial_spec *spec, size_t step,
                     struct command_result *command, struct error *err) {
    char stem[24];
    snprintf(stem, sizeof stem, "%zu", step + 1);
    return command_log_open_as(log, spec, stem, command, err);
}

void log_sink_close(struct log_sink *sink) {
    /* what is held back is no whole secret; where it cannot be kept, the end of the log lacks, as without a disk */
    _cleanup_(error_clear) struct error ignored = {0};
    if (sink->fd >= 0 && sink->redact.redact != NULL &&
        keep_redacted(sink, "", 0, true, &ignored) < 0)
        trace(TRACE_ENGINE, "the end of a log is lost: %s", error_message(&ignored));
    redact_stream_clear(&sink->redact);
    file_closep(&sink->fd);
    cut_tail(sink->tail);
}

void command_log_close(struct command_log *log) {
    for (size_t i = 0; i < 2; i++)
        log_sink_close(&log->sinks[i]);
}

/* query: what comes before the streams in the address, "follow=1&" or "" */
static int read_log(struct reading *reading, struct engine *engine, const char *query,
                    struct engine_call *call, struct error *err) {
    _cleanup_(free_pointer) char *path =
        string_format(err, "/containers/%s/logs?%sstdout=1&stderr=1", reading->id, query);
    if (path == NULL)
        return -1;
    long status;
    call->method = "GET";
    call->path = path;
    call->needs_end = true;
    call->on_data = on_log;
    call->context = reading;
    if (engine_call(engine, call, &status, NULL, err) < 0)
        return -1;
    if (!frames_whole(&reading->log->frames))
        return error_set(err, ERROR_ENGINE, "the engine's log stream ended inside a frame");
    return 0;
}

/* Of a container that has ended: what the engine has is all there is, and comes without a pause. */
static int read_ended_log(struct command_log *log, struct engine *engine, const char *id,
                          struct error *err) {
    struct reading reading = {.log = log, .id = id};
    struct engine_call call = {.timeout_ms = LOG_AGAIN_CALLS * engine_timeout_ms(engine),
                               .idle_timeout_ms = engine_timeout_ms(engine)};
    return read_log(&reading, engine, "", &call, err);
}

int command_log_follow(struct command_log *log, struct engine *engine, struct engine *other,
                       const char *id, int64_t timeout_ms, struct error *err) {
    struct reading reading = {.log = log, .id = id, .other = other};
    struct engine_call call = {
        .timeout_ms = timeout_ms, .on_silence = on_silence, .silence_ms = COMMAND_LOG_SILENCE_MS};
    int result = read_log(&reading, engine, "follow=1&", &call, err);
    if (result == 0 || !log->dropped)
        return result;
    error_clear(err);
    return 0;
}

int command_log_read_again(struct command_log *log, struct engine *engine, const char *id,
                           struct error *err) {
    for (size_t i = 0; i < 2; i++) {
        struct log_sink *sink = &log->sinks[i];
        if (ftruncate(sink->fd, 0) < 0 || lseek(sink->fd, 0, SEEK_SET) < 0)
            return error_set_errno(err, "write the log anew");
        *sink->bytes = 0;
        text_truncate(sink->tail, 0);
        redact_again(&sink->redact);
    }
    log->frames.header_length = 0;
    return read_ended_log(log, engine, id, err);
}

static int on_tail_bytes(void *context, int stream, const char *bytes, size_t length,
                         struct error *err) {
    struct command_log *log = context;
    (void)err;
    keep_tail(log->sinks[stream - 1].tail, bytes, length);
    return 0;
}

int command_log_read_tails(struct command_log *log, struct engine *engine, const char *id,
                           struct error *err) {
    struct reading reading = {.log = log, .id = id};
    struct engine_call call = {.timeout_ms = LOG_AGAIN_CALLS * engine_timeout_ms(engine),
                               .idle_timeout_ms = engine_timeout_ms(engine)};
    log->frames = (struct frames){.on_bytes = on_tail_bytes, .context = log};
    for (size_t i = 0; i < 2; i++)
        text_truncate(log->sinks[i].tail, 0);
    return read_log(&reading, engine, LAST_LINES, &call, err);
}

static int count_bytes(void *context, int stream, const char *bytes, size_t length,
                       struct error *err) {
    (void)bytes;
    (void)err;
    int64_t *counts = context;
    counts[stream - 1] += (int64_t)length;
    return 0;
}

int command_log_is_whole(const struct command_log *log, struct engine *engine, const char *id,
                         struct error *err) {
    int64_t counts[2] = {0};
    struct command_log again = {.frames = {.on_bytes = count_bytes, .context = counts}};
    if (read_ended_log(&again, engine, id, err) < 0)
        return -1;
    int64_t out_bytes = *log->sinks[0].bytes;
    int64_t err_bytes = *log->sinks[1].bytes;
    if (counts[0] == out_bytes && counts[1] == err_bytes)
        return 0;
    return error_set(err, ERROR_ENGINE,
                     "the log stream ended early: the engine has %lld bytes and sent %lld",
                     (long long)(counts[0] + counts[1]), (long long)(out_bytes + err_bytes));
}
