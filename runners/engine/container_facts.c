#include "runners/engine/container_facts.h"

#include <stdlib.h>
#include <string.h>

void container_facts_clear(struct container_facts *facts) {
    string_list_clear(&facts->health);
    free(facts->address);
    *facts = (struct container_facts){0};
}

/* {"Test": ["CMD", word…] or ["CMD-SHELL", script] or ["NONE"]}. A script goes to the image's own shell, which is `sh` unless the
 * image says otherwise. */
static int read_health(const json_t *config, struct string_list *argv, struct error *err) {
    const json_t *test = json_object_get(json_object_get(config, "Healthcheck"), "Test");
    const char *kind = json_string_value(json_array_get(test, 0));
    if (kind == NULL || strcmp(kind, "NONE") == 0)
        return 0;
    if (strcmp(kind, "CMD") != 0 && strcmp(kind, "CMD-SHELL") != 0)
        return error_set(err, ERROR_PROTOCOL,
                         "the container's health check is of a kind that is not known: \"%.40s\"",
                         kind);
    const json_t *shell = json_object_get(config, "Shell");
    bool script = strcmp(kind, "CMD-SHELL") == 0;
    for (size_t i = 0; script && i < json_array_size(shell); i++)
        if (json_is_string(json_array_get(shell, i)) &&
            string_list_add(argv, json_string_value(json_array_get(shell, i)), err) < 0)
            return -1;
    if (script && argv->count == 0 &&
        (string_list_add(argv, "/bin/sh", err) < 0 || string_list_add(argv, "-c", err) < 0))
        return -1;
    for (size_t i = 1; i < json_array_size(test); i++)
        if (json_is_string(json_array_get(test, i)) &&
            string_list_add(argv, json_string_value(json_array_get(test, i)), err) < 0)
            return -1;
    return 0;
}

/* {"6379/tcp": {}, …} */
static int64_t lowest_port(const json_t *config) {
    int64_t lowest = 0;
    const char *name;
    json_t *ignored;
    json_object_foreach(json_object_get(config, "ExposedPorts"), name, ignored) {
        char *end;
        long port = strtol(name, &end, 10);
        bool tcp = *end == '\0' || strcmp(end, "/tcp") == 0;
        if (tcp && port > 0 && port < 65536 && (lowest == 0 || port < lowest))
            lowest = port;
    }
    return lowest;
}

static const char *address_of(const json_t *endpoint) {
    const char *four = json_string_value(json_object_get(endpoint, "IPAddress"));
    const char *six = json_string_value(json_object_get(endpoint, "GlobalIPv6Address"));
    if (four != NULL && *four != '\0')
        return four;
    return six != NULL && *six != '\0' ? six : NULL;
}

/* Docker lists them by name, with their ids inside; Podman by name, whatever it was asked for. */
static const char *find_address(const json_t *answer, const char *network) {
    const char *name;
    json_t *endpoint;
    json_object_foreach(json_object_get(json_object_get(answer, "NetworkSettings"), "Networks"),
                        name, endpoint) {
        const char *id = json_string_value(json_object_get(endpoint, "NetworkID"));
        if (strcmp(name, network) == 0 || (id != NULL && strcmp(id, network) == 0))
            return address_of(endpoint);
    }
    return NULL;
}

int container_facts_read(const json_t *answer, const char *network, struct container_facts *out,
                         struct error *err) {
    *out = (struct container_facts){0};
    const json_t *config = json_object_get(answer, "Config");
    if (!json_is_object(config))
        return error_set(err, ERROR_PROTOCOL, "the engine's word on the container is malformed");
    out->port = lowest_port(config);
    if (read_health(config, &out->health, err) < 0)
        return -1;
    return string_copy(find_address(answer, network), &out->address, err);
}

int container_facts_get(struct engine *engine, const char *id, const char *network,
                        struct container_facts *out, struct error *err) {
    *out = (struct container_facts){0};
    _cleanup_(free_pointer) char *path = string_format(err, "/containers/%s/json", id);
    json_auto_t *answer = NULL;
    if (path == NULL || engine_get(engine, path, &answer, err) < 0)
        return -1;
    return container_facts_read(answer, network, out, err);
}
