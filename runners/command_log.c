#include "runners/command_log.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "gate/base/file.h"

#define LOG_AGAIN_CALLS 10 /* times what one call may take: to read a whole log again */

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

static int on_bytes(void *context, int stream, const char *bytes, size_t length,
                    struct error *err) {
    struct command_log *log = context;
    struct log_sink *sink = &log->sinks[stream - 1];
    *sink->bytes += (int64_t)length;
    keep_tail(sink->tail, bytes, length);
    if (file_write_all(sink->fd, bytes, length, err) < 0)
        return error_wrap(err, "write the log");
    log->over = *sink->bytes > log->limit_bytes;
    if (log->over)
        return error_set(err, ERROR_LIMIT, "more than log_limit");
    return 0;
}

static int on_log(void *context, const char *bytes, size_t length, struct error *err) {
    struct command_log *log = context;
    return frames_feed(&log->frames, bytes, length, err);
}

static void cut_tail(struct text *tail) {
    if (tail->length <= TRIAL_TAIL_BYTES)
        return;
    memmove(tail->bytes, tail->bytes + tail->length - TRIAL_TAIL_BYTES, TRIAL_TAIL_BYTES);
    text_truncate(tail, TRIAL_TAIL_BYTES);
}

static int open_log(const char *folder, size_t step, const char *stream, char **path, int *fd,
                    struct error *err) {
    *path = string_format(err, "%s/%zu-%s.log", folder, step + 1, stream);
    if (*path == NULL)
        return -1;
    *fd = open(*path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return *fd >= 0 ? 0 : error_set_errno(err, "write %s", *path);
}

int command_log_open(struct command_log *log, const struct trial_spec *spec, size_t step,
                     struct command_result *command, struct error *err) {
    *log = (struct command_log){.sinks = {{-1, &command->out_bytes, &command->out_tail},
                                          {-1, &command->err_bytes, &command->err_tail}},
                                .limit_bytes = spec->test->log_limit_bytes,
                                .frames = {.on_bytes = on_bytes, .context = log}};
    const char *folder = spec->log_folder;
    if (open_log(folder, step, "stdout", &command->out_path, &log->sinks[0].fd, err) < 0)
        return -1;
    return open_log(folder, step, "stderr", &command->err_path, &log->sinks[1].fd, err);
}

void command_log_close(struct command_log *log) {
    for (size_t i = 0; i < 2; i++) {
        file_closep(&log->sinks[i].fd);
        cut_tail(log->sinks[i].tail);
    }
}

/* query: what comes before the streams in the address, "follow=1&" or "" */
static int read_log(struct command_log *log, struct engine *engine, const char *id,
                    const char *query, int64_t timeout_ms, struct error *err) {
    _cleanup_(free_pointer) char *path =
        string_format(err, "/containers/%s/logs?%sstdout=1&stderr=1", id, query);
    if (path == NULL)
        return -1;
    long status;
    struct engine_call call = {.method = "GET",
                               .path = path,
                               .timeout_ms = timeout_ms,
                               .needs_end = true,
                               .on_data = on_log,
                               .context = log};
    if (engine_call(engine, &call, &status, NULL, err) < 0)
        return -1;
    if (!frames_whole(&log->frames))
        return error_set(err, ERROR_ENGINE, "the engine's log stream ended inside a frame");
    return 0;
}

int command_log_follow(struct command_log *log, struct engine *engine, const char *id,
                       int64_t timeout_ms, struct error *err) {
    return read_log(log, engine, id, "follow=1&", timeout_ms, err);
}

int command_log_read_again(struct command_log *log, struct engine *engine, const char *id,
                           struct error *err) {
    for (size_t i = 0; i < 2; i++) {
        struct log_sink *sink = &log->sinks[i];
        if (ftruncate(sink->fd, 0) < 0 || lseek(sink->fd, 0, SEEK_SET) < 0)
            return error_set_errno(err, "write the log anew");
        *sink->bytes = 0;
        text_truncate(sink->tail, 0);
    }
    log->frames.header_length = 0;
    return read_log(log, engine, id, "", LOG_AGAIN_CALLS * engine_timeout_ms(engine), err);
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
    if (read_log(&again, engine, id, "", LOG_AGAIN_CALLS * engine_timeout_ms(engine), err) < 0)
        return -1;
    int64_t out_bytes = *log->sinks[0].bytes;
    int64_t err_bytes = *log->sinks[1].bytes;
    if (counts[0] == out_bytes && counts[1] == err_bytes)
        return 0;
    return error_set(err, ERROR_ENGINE,
                     "the log stream ended early: the engine has %lld bytes and sent %lld",
                     (long long)(counts[0] + counts[1]), (long long)(out_bytes + err_bytes));
}
