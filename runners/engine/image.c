#include "runners/engine/image.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"
#include "gate/base/base64.h"

#define PROGRESS_LINE_LIMIT (1u << 20) /* bytes of one line of a pull's progress */
#define LAYERS_LIMIT        256        /* whose bytes are added up */

static bool holds_digest(const json_t *image, const char *digest) {
    size_t index;
    const json_t *item;
    json_array_foreach(json_object_get(image, "RepoDigests"), index, item) {
        const char *text = json_string_value(item);
        const char *at = text != NULL ? strchr(text, '@') : NULL;
        if (at != NULL && strcmp(at + 1, digest) == 0)
            return true;
    }
    return false;
}

int image_find(struct engine *engine, const char *image, const char *digest, char **id,
               struct error *err) {
    *id = NULL;
    _cleanup_(free_pointer) char *path = string_format(err, "/images/%s@%s/json", image, digest);
    if (path == NULL)
        return -1;
    long status;
    json_auto_t *answer = NULL;
    struct engine_call call = {.method = "GET", .path = path};
    if (engine_call(engine, &call, &status, &answer, err) < 0) {
        if (status != 404)
            return -1;
        error_clear(err);
        return 0;
    }
    const char *found = json_string_value(json_object_get(answer, "Id"));
    if (found == NULL)
        return error_set(err, ERROR_PROTOCOL, "the engine showed an image without an id");
    if (!holds_digest(answer, digest))
        return 0;
    *id = string_dup(found, err);
    return *id != NULL ? 0 : -1;
}

struct layer {
    char *id;
    int64_t done, total;
};

struct layer_list {
    struct layer *items;
    size_t count;
    size_t capacity;
};

struct pulling {
    struct text line;
    const struct image_progress *progress;
    struct layer_list layers;
    char *failure; /* the engine's own words */
};

static void pulling_clear(struct pulling *pulling) {
    for (size_t i = 0; i < pulling->layers.count; i++)
        free(pulling->layers.items[i].id);
    free(pulling->layers.items);
    text_clear(&pulling->line);
    free(pulling->failure);
}

static int count_layer(struct pulling *pulling, const json_t *line, struct error *err) {
    const char *id = json_string_value(json_object_get(line, "id"));
    const char *status = json_string_value(json_object_get(line, "status"));
    const json_t *detail = json_object_get(line, "progressDetail");
    if (id == NULL || status == NULL || strcmp(status, "Downloading") != 0 ||
        pulling->progress == NULL)
        return 0;
    size_t at = 0;
    while (at < pulling->layers.count && strcmp(pulling->layers.items[at].id, id) != 0)
        at++;
    if (at == LAYERS_LIMIT)
        return 0;
    if (at == pulling->layers.count) {
        struct layer *layer = array_add(&pulling->layers, err);
        if (layer == NULL || (layer->id = string_dup(id, err)) == NULL)
            return -1;
    }
    pulling->layers.items[at].done = json_integer_value(json_object_get(detail, "current"));
    pulling->layers.items[at].total = json_integer_value(json_object_get(detail, "total"));
    int64_t done = 0;
    int64_t total = 0;
    for (size_t i = 0; i < pulling->layers.count; i++) {
        done += pulling->layers.items[i].done;
        total += pulling->layers.items[i].total;
    }
    if (pulling->progress->on_bytes != NULL)
        pulling->progress->on_bytes(pulling->progress->context, done, total);
    return 0;
}

/* An error can come in the middle of a stream that began with 200. */
static int read_line(struct pulling *pulling, struct error *err) {
    json_auto_t *line = json_loadb(text_string(&pulling->line), pulling->line.length, 0, NULL);
    text_truncate(&pulling->line, 0);
    const char *failure =
        json_string_value(json_object_get(json_object_get(line, "errorDetail"), "message"));
    if (failure == NULL)
        failure = json_string_value(json_object_get(line, "error"));
    if (failure != NULL && pulling->failure == NULL) {
        pulling->failure = string_dup(failure, err);
        return pulling->failure != NULL ? 0 : -1;
    }
    return count_layer(pulling, line, err);
}

static int on_pull_data(void *context, const char *bytes, size_t length, struct error *err) {
    struct pulling *pulling = context;
    pulling->line.ceiling = PROGRESS_LINE_LIMIT;
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t part = end != NULL ? (size_t)(end - bytes) : length;
        text_append(&pulling->line, bytes, part);
        if (text_check(&pulling->line, err) < 0)
            return -1;
        if (end == NULL)
            return 0;
        if (pulling->line.length > 0 && read_line(pulling, err) < 0)
            return -1;
        bytes += part + 1;
        length -= part + 1;
    }
    return 0;
}

/* The engine takes padded base64url of JSON, and silently sends no credentials for anything else. */
static char *credential_header(const struct credential *credential, struct error *err) {
    json_auto_t *auth = credential->identity_token != NULL
                            ? json_pack("{s:s}", "identitytoken", credential->identity_token)
                            : json_pack("{s:s, s:s}", "username", credential->username, "password",
                                        credential->password);
    _cleanup_(free_pointer) char *plain = auth != NULL ? json_dumps(auth, JSON_COMPACT) : NULL;
    if (plain == NULL) {
        error_no_memory(err);
        return NULL;
    }
    struct text header = {0};
    text_add(&header, "X-Registry-Auth: ");
    base64_encode(&header, plain, strlen(plain), true);
    explicit_bzero(plain, strlen(plain));
    return text_steal(&header, err);
}

int image_pull(struct engine *engine, const char *image, const char *digest,
               const struct credential *credential, const struct image_progress *progress,
               char **id, struct error *err) {
    *id = NULL;
    _cleanup_(free_pointer) char *name = string_format(err, "%s@%s", image, digest);
    _cleanup_(free_pointer) char *escaped = name != NULL ? http_escape(name, err) : NULL;
    _cleanup_(free_pointer) char *path =
        escaped != NULL ? string_format(err, "/images/create?fromImage=%s", escaped) : NULL;
    if (path == NULL)
        return -1;
    _cleanup_(free_pointer) char *header = NULL;
    if (credential != NULL && !credential_empty(credential)) {
        header = credential_header(credential, err);
        if (header == NULL)
            return -1;
    }
    _cleanup_(pulling_clear) struct pulling pulling = {.progress = progress};
    struct engine_call call = {.method = "POST",
                               .path = path,
                               .header = header,
                               .timeout_ms = -1,
                               .idle_timeout_ms = IMAGE_PULL_IDLE_MS,
                               .on_data = on_pull_data,
                               .context = &pulling};
    long status;
    if (engine_call(engine, &call, &status, NULL, err) < 0)
        return error_wrap(err, "pull %s", name);
    if (pulling.line.length > 0 && read_line(&pulling, err) < 0)
        return -1;
    if (pulling.failure != NULL)
        return error_set(err, ERROR_ENGINE, "pull %s: %s", name, pulling.failure);
    if (image_find(engine, image, digest, id, err) < 0)
        return -1;
    if (*id == NULL)
        return error_set(err, ERROR_PROTOCOL,
                         "pull %s: the engine says it is done and holds no image of this digest",
                         name);
    return 0;
}

int image_remove(struct engine *engine, const char *image, const char *digest, struct error *err) {
    _cleanup_(free_pointer) char *path = string_format(err, "/images/%s@%s", image, digest);
    if (path == NULL)
        return -1;
    long status;
    struct engine_call call = {.method = "DELETE", .path = path};
    if (engine_call(engine, &call, &status, NULL, err) == 0)
        return 0;
    if (status != 404 && status != 409)
        return -1;
    error_clear(err);
    return 0;
}
