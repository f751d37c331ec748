#include "runners/engine/build.h"

#include <string.h>

#include "gate/base/json_write.h"

static int add_query(struct text *path, const char *key, const char *value, struct error *err) {
    _cleanup_(free_pointer) char *escaped = http_escape(value, err);
    if (escaped == NULL)
        return -1;
    text_printf(path, "&%s=%s", key, escaped);
    return 0;
}

static int add_json(struct text *path, const char *key, const json_t *value, struct error *err) {
    _cleanup_(text_clear) struct text words = {0};
    if (json_write(value, JSON_COMPACT | JSON_SORT_KEYS, &words, err) < 0)
        return -1;
    return add_query(path, key, text_string(&words), err);
}

static int add_arguments(struct text *path, const struct string_list *args, struct error *err) {
    json_auto_t *object = json_object();
    for (size_t i = 0; object != NULL && i < args->count; i++) {
        const char *equals = strchr(args->items[i], '=');
        if (equals == NULL ||
            json_object_setn_new(object, args->items[i], (size_t)(equals - args->items[i]),
                                 json_string(equals + 1)) < 0)
            return error_no_memory(err);
    }
    return object != NULL ? add_json(path, "buildargs", object, err) : error_no_memory(err);
}

static int make_path(const struct engine *engine, const struct build_wish *wish, struct text *path,
                     struct error *err) {
    text_printf(path, "/build?version=%d&rm=1&forcerm=1&pull=0", wish->buildkit ? 2 : 1);
    if (engine_is_podman(engine))
        text_add(path, "&layers=0"); /* else it keeps an image of each step */
    if (add_query(path, "dockerfile", wish->dockerfile, err) < 0 ||
        (wish->target != NULL && add_query(path, "target", wish->target, err) < 0) ||
        (wish->platform != NULL && add_query(path, "platform", wish->platform, err) < 0) ||
        add_json(path, "labels", wish->labels, err) < 0 ||
        (wish->args->count > 0 && add_arguments(path, wish->args, err) < 0))
        return -1;
    return text_check(path, err);
}

/* What an engine without BuildKit answers to version=2. */
static bool lacks_buildkit(long status, const char *words) {
    return status >= 400 &&
           (strcasestr(words, "buildkit") != NULL || strcasestr(words, "invalid version") != NULL);
}

int build_start(struct engine *engine, const struct build_wish *wish, struct build_stream *stream,
                struct error *err) {
    _cleanup_(text_clear) struct text path = {0};
    if (make_path(engine, wish, &path, err) < 0)
        return -1;
    struct engine_call call = {.method = "POST",
                               .path = text_string(&path),
                               .words = "/build",
                               .body_fd = wish->context_fd,
                               .body_size = wish->context_size,
                               .body_tail = wish->tail,
                               .timeout_ms = wish->timeout_ms,
                               .needs_end = true,
                               .on_data = build_stream_feed,
                               .context = stream};
    long status;
    if (engine_call(engine, &call, &status, NULL, err) < 0) {
        if (wish->buildkit && lacks_buildkit(status, error_message(err)))
            err->kind = ERROR_NOT_FOUND;
        else if (err->kind == ERROR_NOT_FOUND)
            err->kind = ERROR_ENGINE;
        return -1;
    }
    return build_stream_end(stream, err);
}

/* "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"], …] */
int engine_asks_for_bases(struct engine *engine, bool *asks, struct error *err) {
    *asks = false;
    json_auto_t *info = NULL;
    if (engine_get(engine, "/info", &info, err) < 0)
        return -1;
    size_t index;
    const json_t *pair;
    json_array_foreach(json_object_get(info, "DriverStatus"), index, pair) {
        const char *value = json_string_value(json_array_get(pair, 1));
        *asks = *asks || (value != NULL && strstr(value, "containerd.snapshotter") != NULL);
    }
    return 0;
}

int build_prove(struct engine *engine, const char *image_id, const char *name, struct error *err) {
    if (image_id == NULL)
        return error_set(err, ERROR_PROTOCOL,
                         "the engine says it is done and names no image that it built");
    _cleanup_(free_pointer) char *path = string_format(err, "/images/%s/json", image_id);
    json_auto_t *answer = NULL;
    if (path == NULL)
        return -1;
    if (engine_get(engine, path, &answer, err) < 0)
        return err->kind == ERROR_NOT_FOUND
                   ? error_set(err, ERROR_PROTOCOL,
                               "the engine says it built %s and holds no such image", image_id)
                   : -1;
    const char *id = json_string_value(json_object_get(answer, "Id"));
    const json_t *labels = json_object_get(json_object_get(answer, "Config"), "Labels");
    const char *label = json_string_value(json_object_get(labels, LABEL_BUILD));
    if (id == NULL || strcmp(id, image_id) != 0)
        return error_set(err, ERROR_PROTOCOL, "the engine showed another image than it built");
    if (label == NULL || strcmp(label, name) != 0)
        return error_set(err, ERROR_PROTOCOL,
                         "the image that the engine names (%s) is not the one that was asked for",
                         image_id);
    return 0;
}
