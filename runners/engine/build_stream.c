#include "runners/engine/build_stream.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gate/base/array.h"
#include "gate/base/base64.h"
#include "runners/engine/build_trace.h"

#define SHORT_ID 12u /* digits of an id, as the classic builder prints it */

static int replace(char **field, const char *bytes, size_t length, struct error *err) {
    char *copy = string_dup_length(
        bytes, strnlen(bytes, length < BUILD_STEP_WORDS ? length : BUILD_STEP_WORDS), err);
    if (copy == NULL)
        return -1;
    free(*field);
    *field = copy;
    return 0;
}

static int say(const struct build_stream *stream, const char *before, const char *name,
               const char *after, struct error *err) {
    _cleanup_(text_clear) struct text words = {0};
    text_printf(&words, "=> %s%s%s\n", before, name, after);
    return text_check(&words, err) == 0
               ? stream->on_output(stream->context, words.bytes, words.length, err)
               : -1;
}

/* Of the instruction in a step's name, "[stage 2/3] RUN make": "RUN make". */
static const char *instruction_of(const char *name) {
    const char *close = *name == '[' ? strchr(name, ']') : NULL;
    return close != NULL ? close + 1 + strspn(close + 1, " ") : name;
}

/* BuildKit */

static struct build_step *find_step(struct build_stream *stream, const struct build_words *digest,
                                    struct error *err) {
    for (size_t i = 0; i < stream->steps.count; i++) {
        struct build_step *step = &stream->steps.items[i];
        if (strlen(step->digest) == digest->length &&
            memcmp(step->digest, digest->bytes, digest->length) == 0)
            return step;
    }
    if (stream->steps.count == BUILD_STEPS || digest->length == 0 || digest->length > 200 ||
        memchr(digest->bytes, '\0', digest->length) != NULL)
        return NULL;
    char *copy = string_dup_length(digest->bytes, digest->length, err);
    struct build_step *step = copy != NULL ? array_add(&stream->steps, err) : NULL;
    if (step == NULL)
        free(copy);
    else
        step->digest = copy;
    return step;
}

static int step_failed(struct build_stream *stream, const struct build_step *step,
                       const struct build_words *why, struct error *err) {
    static const char cancelled[] = "context canceled"; /* for another one that failed */
    bool first = stream->step_error == NULL &&
                 memmem(why->bytes, why->length, cancelled, sizeof cancelled - 1) == NULL;
    if (!first)
        return 0;
    if (replace(&stream->step, step->name, SIZE_MAX, err) < 0 ||
        replace(&stream->step_error, why->bytes, why->length, err) < 0)
        return -1;
    stream->speaking = 0;
    return say(stream, "ERROR ", step->name, "", err);
}

static int step_done(struct build_stream *stream, struct build_step *step, struct error *err) {
    if (step->done)
        return 0;
    step->done = true;
    return string_has_prefix(instruction_of(step->name), "FROM ")
               ? stream->on_use(stream->context, step->name, err)
               : 0;
}

static int announce(struct build_stream *stream, struct build_step *step, bool cached,
                    struct error *err) {
    if (step->announced)
        return 0;
    step->announced = true;
    if (stream->step_error == NULL && replace(&stream->step, step->name, SIZE_MAX, err) < 0)
        return -1;
    stream->speaking = cached ? 0 : (size_t)(step - stream->steps.items) + 1;
    if (say(stream, cached ? "CACHED " : "", step->name, "", err) < 0)
        return -1;
    return stream->on_step(stream->context, step->name, err);
}

static int on_vertex(void *context, const struct build_vertex *vertex, struct error *err) {
    struct build_stream *stream = context;
    struct build_step *step = find_step(stream, &vertex->digest, err);
    if (step == NULL)
        return err->kind != ERROR_NONE ? -1 : 0;
    if (step->name == NULL &&
        replace(&step->name, vertex->name.length > 0 ? vertex->name.bytes : "a step",
                vertex->name.length > 0 ? vertex->name.length : SIZE_MAX, err) < 0)
        return -1;
    if ((vertex->started || vertex->cached) && announce(stream, step, vertex->cached, err) < 0)
        return -1;
    if (vertex->error.length > 0)
        return step_failed(stream, step, &vertex->error, err);
    return vertex->completed ? step_done(stream, step, err) : 0;
}

static int on_log(void *context, const struct build_log *log, struct error *err) {
    struct build_stream *stream = context;
    struct build_step *step = find_step(stream, &log->vertex, err);
    if (step == NULL && err->kind != ERROR_NONE)
        return -1;
    size_t number = step != NULL ? (size_t)(step - stream->steps.items) + 1 : 0;
    if (step != NULL && step->name != NULL && number != stream->speaking &&
        say(stream, "", step->name, "", err) < 0)
        return -1;
    stream->speaking = number;
    return log->bytes.length > 0
               ? stream->on_output(stream->context, log->bytes.bytes, log->bytes.length, err)
               : 0;
}

static int read_trace(struct build_stream *stream, const char *aux, size_t length,
                      struct error *err) {
    struct build_trace trace = {.on_vertex = on_vertex, .on_log = on_log, .context = stream};
    text_truncate(&stream->decoded, 0);
    if (!base64_decode(&stream->decoded, aux, length))
        return error_set(err, ERROR_PROTOCOL, "what the engine tells of the build is no base64");
    if (text_check(&stream->decoded, err) < 0)
        return -1;
    return build_trace_read(&trace, text_string(&stream->decoded), stream->decoded.length, err);
}

/* The dialects of text */

/* "Step 2/3 : RUN make", "STEP 2/3: RUN make", "[1/2] STEP 2/3: RUN make": where the instruction begins, or NULL. */
static const char *step_line(const char *line) {
    if (*line == '[')
        line = line + 1 + strspn(line + 1, "0123456789/");
    line += string_has_prefix(line, "] ") ? 2 : 0;
    if (!string_has_prefix(line, "Step ") && !string_has_prefix(line, "STEP "))
        return NULL;
    const char *at = line + strlen("Step ");
    size_t digits = strspn(at, "0123456789/");
    if (digits == 0)
        return NULL;
    at += digits + strspn(at + digits, " ");
    return *at == ':' ? at + 1 + strspn(at + 1, " ") : NULL;
}

static int begin_step(struct build_stream *stream, const char *instruction, struct error *err) {
    stream->cached = false;
    stream->from = strncasecmp(instruction, "FROM", 4) == 0;
    if (replace(&stream->step, instruction, SIZE_MAX, err) < 0 ||
        stream->on_step(stream->context, stream->step, err) < 0)
        return -1;
    /* also of COPY --from=… and RUN --mount=from=… */
    return strstr(instruction, "@sha256:") != NULL
               ? stream->on_use(stream->context, instruction, err)
               : 0;
}

/* " ---> 2e6dd5575040": what a step of the classic builder made; of a FROM, what it took. */
static int note_image(struct build_stream *stream, const char *id, struct error *err) {
    if (strspn(id, "0123456789abcdef") != SHORT_ID || strlen(id) != SHORT_ID) {
        stream->cached = stream->cached || strcmp(id, "Using cache") == 0;
        return 0;
    }
    if (stream->from)
        return stream->on_use(stream->context, id, err);
    return stream->cached || stream->between.count == BUILD_LEFT
               ? 0
               : string_list_add(&stream->between, id, err);
}

static int read_text_line(struct build_stream *stream, struct error *err) {
    const char *line = text_string(&stream->line);
    const char *instruction = step_line(line);
    int result = 0;
    if (instruction != NULL)
        result = begin_step(stream, instruction, err);
    else if (string_has_prefix(line, " ---> "))
        result = note_image(stream, line + strlen(" ---> "), err);
    text_truncate(&stream->line, 0);
    return result;
}

/* Its lines are looked at as they come whole; a long one is looked at as far as it says what is wanted. */
static int read_text(struct build_stream *stream, const char *bytes, size_t length,
                     struct error *err) {
    if (stream->on_output(stream->context, bytes, length, err) < 0)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n') {
            if (read_text_line(stream, err) < 0)
                return -1;
        } else if (stream->line.length < 4096) {
            text_add_char(&stream->line, bytes[i]);
        }
    }
    return text_check(&stream->line, err);
}

/* Both */

static int note_id(struct build_stream *stream, const char *id, struct error *err) {
    static const char prefix[] = "sha256:";
    size_t length = strlen(prefix);
    if (id == NULL || !string_has_prefix(id, prefix) ||
        strspn(id + length, "0123456789abcdef") != 64 || strlen(id) != length + 64)
        return error_set(err, ERROR_PROTOCOL, "the engine built an image without an id");
    char *copy = string_dup(id, err);
    if (copy == NULL)
        return -1;
    free(stream->image_id);
    stream->image_id = copy;
    return 0;
}

static int on_line(void *context, const json_t *line, struct error *err) {
    struct build_stream *stream = context;
    if (line == NULL) /* it could be an error that nobody reads */
        return error_set(err, ERROR_PROTOCOL,
                         "what the engine tells of the build is not what a build tells");
    const json_t *text = json_object_get(line, "stream");
    const json_t *aux = json_object_get(line, "aux");
    const char *kind = json_string_value(json_object_get(line, "id"));
    json_int_t code =
        json_integer_value(json_object_get(json_object_get(line, "errorDetail"), "code"));
    if (code != 0)
        stream->exit_code = code;
    if (json_is_string(text))
        return read_text(stream, json_string_value(text), json_string_length(text), err);
    if (json_is_string(aux) && kind != NULL && strcmp(kind, "moby.buildkit.trace") == 0)
        return read_trace(stream, json_string_value(aux), json_string_length(aux), err);
    if (json_is_object(aux) && (kind == NULL || strcmp(kind, "moby.image.id") == 0))
        return note_id(stream, json_string_value(json_object_get(aux, "ID")), err);
    return 0;
}

int build_stream_feed(void *context, const char *bytes, size_t length, struct error *err) {
    struct build_stream *stream = context;
    stream->progress.on_line = on_line;
    stream->progress.context = stream;
    stream->progress.line_limit = BUILD_LINE_LIMIT;
    return progress_feed(&stream->progress, bytes, length, err);
}

int build_stream_end(struct build_stream *stream, struct error *err) {
    return progress_end(&stream->progress, err);
}

bool build_stream_blames_step(const struct build_stream *stream) {
    static const char *const words[] = {"exit code: ", "exit status ", "not found",
                                        "no such file or directory", "does not exist"};
    const char *why = stream->step_error != NULL ? stream->step_error : stream->progress.failure;
    bool told_apart =
        stream->steps.count > 0; /* BuildKit: then the step that failed is known, or none did */
    if (stream->step == NULL || why == NULL || (told_apart && stream->step_error == NULL))
        return false;
    const char *instruction = instruction_of(stream->step);
    bool runs = strncasecmp(instruction, "RUN ", 4) == 0;
    if (!runs && strncasecmp(instruction, "COPY ", 5) != 0 &&
        strncasecmp(instruction, "ADD ", 4) != 0)
        return false;
    if (stream->exit_code != 0)
        return runs;
    for (size_t i = runs ? 0 : 2; i < sizeof words / sizeof *words; i++)
        if (strstr(why, words[i]) != NULL)
            return true;
    return false;
}

void build_stream_clear(struct build_stream *stream) {
    for (size_t i = 0; i < stream->steps.count; i++) {
        free(stream->steps.items[i].digest);
        free(stream->steps.items[i].name);
    }
    free(stream->steps.items);
    free(stream->image_id);
    free(stream->step);
    free(stream->step_error);
    string_list_clear(&stream->between);
    progress_clear(&stream->progress);
    text_clear(&stream->line);
    text_clear(&stream->decoded);
    *stream = (struct build_stream){0};
}
