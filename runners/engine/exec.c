#include "runners/engine/exec.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runners/engine/frames.h"

#define INSPECT_TRIES    50 /* after the stream's end an engine may still say "running" for a moment */
#define INSPECT_PAUSE_US 20000

void exec_end_clear(struct exec_end *end) {
    text_clear(&end->said);
    *end = (struct exec_end){0};
}

static int create(struct engine *engine, const struct exec_wish *wish, char **id,
                  struct error *err) {
    _cleanup_(free_pointer) char *path = string_format(err, "/containers/%s/exec", wish->container);
    if (path == NULL)
        return -1;
    json_auto_t *words = json_array();
    for (const char *const *word = wish->argv; *word != NULL; word++)
        if (json_array_append_new(words, json_string(*word)) < 0)
            return error_set(err, ERROR_INPUT, "the command holds bytes that are not UTF-8");
    json_auto_t *body =
        json_pack("{s:b, s:b, s:O}", "AttachStdout", 1, "AttachStderr", 1, "Cmd", words);
    if (body == NULL)
        return error_no_memory(err);
    long status;
    json_auto_t *answer = NULL;
    struct engine_call call = {.method = "POST", .path = path, .body = body};
    if (engine_call(engine, &call, &status, &answer, err) < 0)
        return -1;
    const char *given = json_string_value(json_object_get(answer, "Id"));
    if (given == NULL || *given == '\0' || strspn(given, "0123456789abcdef") != strlen(given))
        return error_set(err, ERROR_PROTOCOL, "the engine gave a process in a container no id");
    *id = string_dup(given, err);
    return *id != NULL ? 0 : -1;
}

static int on_bytes(void *context, int stream, const char *bytes, size_t length,
                    struct error *err) {
    struct text *said = context;
    (void)stream;
    (void)err;
    if (length > EXEC_TAIL_BYTES) {
        bytes += length - EXEC_TAIL_BYTES;
        length = EXEC_TAIL_BYTES;
    }
    if (said->length + length > EXEC_TAIL_BYTES) {
        size_t kept =
            EXEC_TAIL_BYTES - length < said->length ? EXEC_TAIL_BYTES - length : said->length;
        memmove(said->bytes, said->bytes + said->length - kept, kept);
        text_truncate(said, kept);
    }
    text_append(said, bytes, length);
    return 0;
}

static int on_data(void *context, const char *bytes, size_t length, struct error *err) {
    return frames_feed(context, bytes, length, err);
}

static int run(struct engine *engine, const char *id, int64_t timeout_ms, struct exec_end *end,
               struct error *err) {
    _cleanup_(free_pointer) char *path = string_format(err, "/exec/%s/start", id);
    json_auto_t *body = json_pack("{s:b, s:b}", "Detach", 0, "Tty", 0);
    struct frames frames = {.on_bytes = on_bytes, .context = &end->said};
    if (path == NULL)
        return -1;
    if (body == NULL)
        return error_no_memory(err);
    long status;
    struct engine_call call = {.method = "POST",
                               .path = path,
                               .body = body,
                               .timeout_ms = timeout_ms,
                               .on_data = on_data,
                               .context = &frames};
    return engine_call(engine, &call, &status, NULL, err);
}

/* out  ended  false: it is said to run still, or its exit code is not known yet */
static int inspect(struct engine *engine, const char *id, bool *ended, int *exit_code,
                   struct error *err) {
    _cleanup_(free_pointer) char *path = string_format(err, "/exec/%s/json", id);
    json_auto_t *answer = NULL;
    if (path == NULL || engine_get(engine, path, &answer, err) < 0)
        return -1;
    const json_t *running = json_object_get(answer, "Running");
    const json_t *code = json_object_get(answer, "ExitCode");
    if (!json_is_boolean(running))
        return error_set(err, ERROR_PROTOCOL,
                         "the engine does not tell whether a process in a container runs");
    *ended = json_is_false(running) && json_is_integer(code);
    json_int_t number = json_integer_value(code);
    if (*ended && (number < INT_MIN || number > INT_MAX))
        return error_set(err, ERROR_PROTOCOL, "the engine told of exit code %lld, which is none",
                         (long long)number);
    *exit_code = *ended ? (int)number : -1;
    return 0;
}

/* Only the process itself may be said to take too long. */
static int of_engine(struct error *err) {
    if (err->kind == ERROR_TIMEOUT)
        err->kind = ERROR_ENGINE;
    return -1;
}

int exec_run(struct engine *engine, const struct exec_wish *wish, struct exec_end *end,
             struct error *err) {
    *end = (struct exec_end){.exit_code = -1};
    _cleanup_(free_pointer) char *id = NULL;
    if (create(engine, wish, &id, err) < 0)
        return of_engine(err);
    if (run(engine, id, wish->timeout_ms, end, err) < 0)
        return -1;
    bool ended = false;
    for (int i = 0; i < INSPECT_TRIES; i++) {
        if (inspect(engine, id, &ended, &end->exit_code, err) < 0)
            return of_engine(err);
        if (ended)
            return 0;
        usleep(INSPECT_PAUSE_US);
    }
    return error_set(err, ERROR_PROTOCOL,
                     "the engine does not tell how a process in a container ended, and says that "
                     "its output has");
}

void exec_last_line(const struct exec_end *end, char *line, size_t size) {
    const char *bytes = text_string(&end->said);
    size_t length = end->said.length;
    while (length > 0 && strchr(" \t\r\n", bytes[length - 1]) != NULL)
        length--;
    size_t from = length;
    while (from > 0 && bytes[from - 1] != '\n')
        from--;
    snprintf(line, size, "%.*s", (int)(length - from), bytes + from);
}

bool exec_lacks_program(const struct exec_end *end) {
    return (end->exit_code == 126 || end->exit_code == 127) &&
           strstr(text_string(&end->said), "exec failed") != NULL &&
           strstr(text_string(&end->said), "executable file not found") != NULL;
}
