#include "runners/engine/network.h"

#include <string.h>

/* Docker's ids are hexadecimal, and so are Podman's. */
static bool is_id(const char *id) {
    return id != NULL && *id != '\0' && strspn(id, "0123456789abcdef") == strlen(id);
}

int network_create(struct engine *engine, const char *name, const struct labels *labels,
                   bool internal, char **id, struct error *err) {
    *id = NULL;
    json_auto_t *body =
        json_pack("{s:s, s:s, s:b, s:b, s:o}", "Name", name, "Driver", "bridge", "CheckDuplicate",
                  1, "Internal", internal ? 1 : 0, "Labels", labels_to_json(labels));
    if (body == NULL)
        return error_no_memory(err);
    long status;
    json_auto_t *answer = NULL;
    struct engine_call call = {.method = "POST", .path = "/networks/create", .body = body};
    if (engine_call(engine, &call, &status, &answer, err) < 0)
        return error_wrap(err, "make the network %s", name);
    const char *given = json_string_value(json_object_get(answer, "Id"));
    if (!is_id(given))
        return error_set(err, ERROR_PROTOCOL, "the engine made the network %s without an id", name);
    *id = string_dup(given, err);
    return *id != NULL ? 0 : -1;
}

int network_remove(struct engine *engine, const char *id, struct error *err) {
    _cleanup_(free_pointer) char *path = string_format(err, "/networks/%s", id);
    return path != NULL ? engine_delete(engine, path, err) : -1;
}
