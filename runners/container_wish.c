#include "runners/container_wish.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"

/* Each of these gives NULL for what is not UTF-8, and without memory. */

static json_t *words(char *const *from) {
    json_t *list = json_array();
    for (; list != NULL && *from != NULL; from++)
        if (json_array_append_new(list, json_string(*from)) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *environment(const struct container_wish *wish) {
    json_t *list = json_array();
    for (size_t l = 0; l < CONTAINER_WISH_LISTS; l++)
        for (size_t i = 0; wish->environment[l] != NULL && i < wish->environment[l]->count; i++)
            if (json_array_append_new(list, json_string(wish->environment[l]->items[i])) < 0) {
                json_decref(list);
                return NULL;
            }
    return list;
}

static json_t *mounts(const struct container_wish *wish) {
    json_t *list = json_array();
    for (size_t i = 0; i < CONTAINER_WISH_MOUNTS && wish->mounts[i].volume != NULL; i++) {
        const struct container_mount *mount = &wish->mounts[i];
        json_t *entry = json_pack("{s:s, s:s, s:s}", "Type", "volume", "Source", mount->volume,
                                  "Target", mount->target);
        if (mount->read_only && entry != NULL)
            json_object_set_new(entry, "ReadOnly", json_true());
        if (json_array_append_new(list, entry) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static int add_tmpfs(const struct container_wish *wish, json_t *host) {
    json_t *all = json_object();
    for (size_t i = 0; wish->tmpfs != NULL && i < wish->tmpfs->count; i++) {
        struct error ignored = {0};
        char *path = string_dup(wish->tmpfs->items[i], &ignored);
        error_clear(&ignored);
        char *colon = path != NULL ? strchr(path, ':') : NULL;
        if (colon != NULL)
            *colon = '\0';
        int added = path == NULL ? -1
                                 : json_object_set_new(all, path,
                                                       json_string(colon != NULL ? colon + 1 : ""));
        free(path);
        if (added < 0) {
            json_decref(all);
            return -1;
        }
    }
    int result = 0;
    if (wish->strict && json_object_get(all, CONTAINER_TMP) == NULL)
        result = json_object_set_new(all, CONTAINER_TMP, json_string(CONTAINER_TMP_OPTIONS));
    if (result == 0 && json_object_size(all) > 0)
        return json_object_set_new(host, "Tmpfs", all);
    json_decref(all);
    return result;
}

static int add_ulimits(const struct container_wish *wish, json_t *host) {
    if (wish->ulimits == NULL || wish->ulimits->count == 0)
        return 0;
    json_t *list = json_array();
    for (size_t i = 0; i < wish->ulimits->count; i++) {
        const struct ulimit *limit = &wish->ulimits->items[i];
        if (json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "Name", limit->name, "Soft",
                                                  (json_int_t)limit->soft, "Hard",
                                                  (json_int_t)limit->hard)) < 0) {
            json_decref(list);
            return -1;
        }
    }
    return json_object_set_new(host, "Ulimits", list);
}

static json_t *host_config(const struct container_wish *wish) {
    json_t *host =
        json_pack("{s:b, s:s, s:[s], s:I, s:I, s:I, s:I, s:{s:s}, s:o}", "Init", 1, "NetworkMode",
                  wish->network, "SecurityOpt", "no-new-privileges", "Memory",
                  (json_int_t)wish->memory_bytes, "MemorySwap", (json_int_t)wish->memory_bytes,
                  "NanoCpus", (json_int_t)wish->nano_cpus, "PidsLimit", (json_int_t)wish->pids,
                  "LogConfig", "Type", "json-file", "Mounts", mounts(wish));
    if (host == NULL)
        return NULL;
    int result = 0;
    if (wish->shm_bytes > 0)
        result = json_object_set_new(host, "ShmSize", json_integer(wish->shm_bytes));
    if (result == 0 && wish->strict)
        result = json_object_set_new(host, "CapDrop", json_pack("[s]", "ALL")) < 0
                     ? -1
                     : json_object_set_new(host, "ReadonlyRootfs", json_true());
    if (result == 0 && add_tmpfs(wish, host) == 0 && add_ulimits(wish, host) == 0)
        return host;
    json_decref(host);
    return NULL;
}

/* The command in place of the entrypoint, without Cmd, clears the image's own on every engine; an empty list does not. */
static int add_command(const struct container_wish *wish, json_t *body) {
    if (wish->entrypoint == ENTRYPOINT_REPLACE &&
        json_object_set_new(body, "Entrypoint", words(wish->entrypoint_words)) < 0)
        return -1;
    if (wish->argv == NULL)
        return 0;
    const char *place = wish->entrypoint == ENTRYPOINT_CLEAR ? "Entrypoint" : "Cmd";
    return json_object_set_new(body, place, words(wish->argv));
}

static int add_text(json_t *body, const char *name, const char *value) {
    return value != NULL ? json_object_set_new(body, name, json_string(value)) : 0;
}

static int add_aliases(const struct container_wish *wish, json_t *body) {
    if (wish->aliases == NULL || wish->aliases->count == 0)
        return 0;
    json_t *list = json_array();
    for (size_t i = 0; i < wish->aliases->count; i++)
        if (json_array_append_new(list, json_string(wish->aliases->items[i])) < 0) {
            json_decref(list);
            return -1;
        }
    return json_object_set_new(
        body, "NetworkingConfig",
        json_pack("{s:{s:{s:o}}}", "EndpointsConfig", wish->network, "Aliases", list));
}

json_t *container_wish_body(const struct container_wish *wish, const struct labels *labels,
                            const char *what, struct error *err) {
    json_t *body =
        json_pack("{s:s, s:o, s:o, s:o, s:b}", "Image", wish->image, "Env", environment(wish),
                  "Labels", labels_to_json(labels), "HostConfig", host_config(wish), "Tty", 0);
    if (body != NULL && add_command(wish, body) == 0 && add_aliases(wish, body) == 0 &&
        add_text(body, "WorkingDir", wish->workdir) == 0 && add_text(body, "User", wish->user) == 0)
        return body;
    json_decref(body);
    error_set(err, ERROR_INPUT, "%s holds bytes that are not UTF-8", what);
    return NULL;
}
