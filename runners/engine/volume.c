#include "runners/engine/volume.h"

#include <string.h>

static int create(struct engine *engine, const char *name, json_t *body, struct error *err) {
    long status;
    json_auto_t *answer = NULL;
    struct engine_call call = {.method = "POST", .path = "/volumes/create", .body = body};
    if (engine_call(engine, &call, &status, &answer, err) < 0)
        return error_wrap(err, "make the volume %s", name);
    const char *made = json_string_value(json_object_get(answer, "Name"));
    if (made == NULL || strcmp(made, name) != 0)
        return error_set(err, ERROR_PROTOCOL, "make the volume %s: the engine made \"%.80s\"", name,
                         made != NULL ? made : "");
    return 0;
}

int volume_create(struct engine *engine, const char *name, const struct labels *labels,
                  const char *image, struct error *err) {
    json_auto_t *body = json_pack("{s:s, s:o}", "Name", name, "Labels", labels_to_json(labels));
    if (body == NULL || (image != NULL && json_object_set_new(json_object_get(body, "Labels"),
                                                              LABEL_IMAGE, json_string(image)) < 0))
        return error_no_memory(err);
    return create(engine, name, body, err);
}

/* Without a size: Podman takes that word for a quota, and refuses it on most file systems. */
int volume_create_in_memory(struct engine *engine, const char *name, const struct labels *labels,
                            struct error *err) {
    json_auto_t *body = json_pack("{s:s, s:o, s:s, s:{s:s, s:s, s:s}}", "Name", name, "Labels",
                                  labels_to_json(labels), "Driver", "local", "DriverOpts", "type",
                                  "tmpfs", "device", "tmpfs", "o", "mode=755,nosuid,nodev,noexec");
    return body != NULL ? create(engine, name, body, err) : error_no_memory(err);
}

int volume_remove(struct engine *engine, const char *name, struct error *err) {
    _cleanup_(free_pointer) char *path = string_format(err, "/volumes/%s?force=1", name);
    return path != NULL ? engine_delete(engine, path, err) : -1;
}
