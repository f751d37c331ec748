#include "runners/engine/image.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/base64.h"
#include "gate/base/json_write.h"
#include "runners/engine/progress.h"

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

int image_show(struct engine *engine, const char *image, const char *digest, json_t **shown,
               struct error *err) {
    *shown = NULL;
    _cleanup_(free_pointer) char *path = string_format(err, "/images/%s@%s/json", image, digest);
    if (path == NULL)
        return -1;
    json_auto_t *answer = NULL;
    if (engine_get(engine, path, &answer, err) < 0) {
        if (err->kind != ERROR_NOT_FOUND)
            return -1;
        error_clear(err);
        return 0;
    }
    if (json_string_value(json_object_get(answer, "Id")) == NULL)
        return error_set(err, ERROR_PROTOCOL, "the engine showed an image without an id");
    if (holds_digest(answer, digest))
        *shown = steal(answer);
    return 0;
}

int image_find(struct engine *engine, const char *image, const char *digest, char **id,
               struct error *err) {
    *id = NULL;
    json_auto_t *shown = NULL;
    if (image_show(engine, image, digest, &shown, err) < 0)
        return -1;
    return string_copy(json_string_value(json_object_get(shown, "Id")), id, err);
}

/* The engine takes padded base64url of JSON, and silently sends no credentials for anything else. */
static char *credential_header(const struct credential *credential, struct error *err) {
    json_auto_t *auth = credential->identity_token != NULL
                            ? json_pack("{s:s}", "identitytoken", credential->identity_token)
                            : json_pack("{s:s, s:s}", "username", credential->username, "password",
                                        credential->password);
    _cleanup_(text_clear) struct text words = {0};
    if (auth == NULL)
        error_no_memory(err);
    if (auth == NULL || json_write(auth, JSON_COMPACT, &words, err) < 0)
        return NULL;
    struct text header = {0};
    text_add(&header, "X-Registry-Auth: ");
    base64_encode(&header, words.bytes, words.length, true);
    explicit_bzero(words.bytes, words.length);
    return text_steal(&header, err);
}

int image_pull(struct engine *engine, const char *image, const char *digest, const char *platform,
               const struct credential *credential, const struct image_progress *progress,
               char **id, struct error *err) {
    *id = NULL;
    _cleanup_(free_pointer) char *name = string_format(err, "%s@%s", image, digest);
    _cleanup_(free_pointer) char *escaped = name != NULL ? http_escape(name, err) : NULL;
    _cleanup_(free_pointer) char *which = platform != NULL ? http_escape(platform, err) : NULL;
    if (platform != NULL && which == NULL)
        return -1;
    _cleanup_(free_pointer) char *path =
        escaped != NULL
            ? string_format(err, "/images/create?fromImage=%s%s%s", escaped,
                            which != NULL ? "&platform=" : "", which != NULL ? which : "")
            : NULL;
    if (path == NULL)
        return -1;
    _cleanup_(free_pointer) char *header = NULL;
    if (credential != NULL && !credential_empty(credential)) {
        header = credential_header(credential, err);
        if (header == NULL)
            return -1;
    }
    _cleanup_(progress_clear) struct progress stream = {0};
    if (progress != NULL) {
        stream.on_bytes = progress->on_bytes;
        stream.context = progress->context;
    }
    struct engine_call call = {.method = "POST",
                               .path = path,
                               .header = header,
                               .timeout_ms = IMAGE_PULL_CALLS * engine_timeout_ms(engine),
                               .idle_timeout_ms = IMAGE_PULL_IDLE_CALLS * engine_timeout_ms(engine),
                               .on_data = progress_feed,
                               .context = &stream};
    long status;
    if (engine_call(engine, &call, &status, NULL, err) < 0)
        return error_wrap(err, "pull %s", name);
    if (progress_end(&stream, err) < 0)
        return error_wrap(err, "pull %s", name);
    if (image_find(engine, image, digest, id, err) < 0)
        return -1;
    if (*id == NULL)
        return error_set(err, ERROR_PROTOCOL,
                         "pull %s: the engine says it is done and holds no image of this digest",
                         name);
    return 0;
}

int image_tag(struct engine *engine, const char *id, const char *image, const char *tag,
              struct error *err) {
    _cleanup_(free_pointer) char *escaped = http_escape(image, err);
    _cleanup_(free_pointer) char *path =
        escaped != NULL ? string_format(err, "/images/%s/tag?repo=%s&tag=%s", id, escaped, tag)
                        : NULL;
    if (path == NULL)
        return -1;
    long status;
    struct engine_call call = {.method = "POST", .path = path};
    return engine_call(engine, &call, &status, NULL, err) < 0
               ? error_wrap(err, "name the image %s:%s", image, tag)
               : 0;
}

int image_remove(struct engine *engine, const char *reference, struct error *err) {
    _cleanup_(free_pointer) char *path = string_format(err, "/images/%s", reference);
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
