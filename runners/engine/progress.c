#include "runners/engine/progress.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"
#include "gate/base/json_read.h"

#define BYTES_LIMIT ((int64_t)1 << 50) /* of one layer: so that no sum of them overflows */

void progress_clear(struct progress *progress) {
    for (size_t i = 0; i < progress->layers.count; i++)
        free(progress->layers.items[i].id);
    free(progress->layers.items);
    text_clear(&progress->line);
    free(progress->failure);
    *progress = (struct progress){0};
}

static int64_t bytes_of(const json_t *number) {
    json_int_t value = json_integer_value(number);
    return value < 0 ? 0 : value > BYTES_LIMIT ? BYTES_LIMIT : value;
}

static struct progress_layer *find_layer(struct progress *progress, const char *id,
                                         struct error *err) {
    size_t at = 0;
    while (at < progress->layers.count && strcmp(progress->layers.items[at].id, id) != 0)
        at++;
    if (at < progress->layers.count)
        return &progress->layers.items[at];
    char *copy = string_dup(id, err);
    struct progress_layer *layer = copy != NULL ? array_add(&progress->layers, err) : NULL;
    if (layer == NULL)
        free(copy);
    else
        layer->id = copy;
    return layer;
}

static int count_layer(struct progress *progress, const json_t *line, struct error *err) {
    const char *id = json_string_value(json_object_get(line, "id"));
    const char *status = json_string_value(json_object_get(line, "status"));
    const json_t *detail = json_object_get(line, "progressDetail");
    if (progress->on_bytes == NULL || id == NULL || status == NULL ||
        strcmp(status, "Downloading") != 0)
        return 0;
    if (progress->layers.count == PROGRESS_LAYERS)
        return 0;
    struct progress_layer *layer = find_layer(progress, id, err);
    if (layer == NULL)
        return -1;
    layer->done = bytes_of(json_object_get(detail, "current"));
    layer->total = bytes_of(json_object_get(detail, "total"));
    int64_t done = 0;
    int64_t total = 0;
    for (size_t i = 0; i < progress->layers.count; i++) {
        done += progress->layers.items[i].done;
        total += progress->layers.items[i].total;
    }
    progress->on_bytes(progress->context, done, total);
    return 0;
}

/* Whatever stands under these names is an error, also when it is no text or empty. */
static const char *failure_of(const json_t *line) {
    const json_t *detail = json_object_get(line, "errorDetail");
    const json_t *error = json_object_get(line, "error");
    if ((detail == NULL || json_is_null(detail)) && (error == NULL || json_is_null(error)))
        return NULL;
    const char *words = json_string_value(json_object_get(detail, "message"));
    if (words == NULL || *words == '\0')
        words = json_string_value(error);
    return words != NULL && *words != '\0' ? words : "the engine failed and did not say why";
}

static int read_line(struct progress *progress, struct error *err) {
    if (strspn(text_string(&progress->line), " \t\r") == progress->line.length) {
        text_truncate(&progress->line, 0);
        return 0;
    }
    json_auto_t *line = NULL;
    if (json_read(text_string(&progress->line), progress->line.length, JSON_ALLOW_NUL, &line, NULL,
                  err) < 0)
        return -1;
    text_truncate(&progress->line, 0);
    if (progress->on_line != NULL && progress->on_line(progress->context, line, err) < 0)
        return -1;
    const char *failure = failure_of(line);
    if (failure == NULL)
        return count_layer(progress, line, err);
    if (progress->failure != NULL)
        return 0;
    progress->failure = string_dup_length(failure, strnlen(failure, PROGRESS_WORDS), err);
    return progress->failure != NULL ? 0 : -1;
}

int progress_feed(void *context, const char *bytes, size_t length, struct error *err) {
    struct progress *progress = context;
    progress->line.ceiling = progress->line_limit != 0 ? progress->line_limit : PROGRESS_LINE_LIMIT;
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t part = end != NULL ? (size_t)(end - bytes) : length;
        text_append(&progress->line, bytes, part);
        if (text_check(&progress->line, err) < 0)
            return -1;
        if (end == NULL)
            return 0;
        if (progress->line.length > 0 && read_line(progress, err) < 0)
            return -1;
        bytes += part + 1;
        length -= part + 1;
    }
    return 0;
}

int progress_end(struct progress *progress, struct error *err) {
    if (progress->line.length > 0 && read_line(progress, err) < 0)
        return -1;
    return progress->failure != NULL ? error_set(err, ERROR_ENGINE, "%s", progress->failure) : 0;
}
