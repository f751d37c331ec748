#include "runners/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate/base/trace.h"

static const char *label(const json_t *labels, const char *name) {
    const char *value = json_string_value(json_object_get(labels, name));
    return value != NULL ? value : "";
}

static bool process_alive(long pid, const char *started) {
    char path[64];
    char line[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t got = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[got] = '\0';
    char *at = strrchr(line, ')');
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return true; /* it is there; what cannot be read is not called dead */
    size_t length = strlen(started);
    return strncmp(at + 1, started, length) == 0 &&
           (at[1 + length] == ' ' || at[1 + length] == '\0');
}

bool sweep_is_dead(const json_t *theirs, const struct labels *ours, int64_t now_seconds,
                   bool (*alive)(long pid, const char *started)) {
    const char *run = label(theirs, "pingate.run");
    if (*run == '\0' || strcmp(run, ours->run_id) == 0)
        return false;
    bool near = strcmp(label(theirs, "pingate.host"), ours->host) == 0 &&
                strcmp(label(theirs, "pingate.boot"), ours->boot) == 0 &&
                strcmp(label(theirs, "pingate.namespace"), ours->namespace) == 0;
    long pid = strtol(label(theirs, "pingate.pid"), NULL, 10);
    if (near && pid > 0)
        return !alive(pid, label(theirs, "pingate.started"));
    int64_t expires = strtoll(label(theirs, "pingate.expires"), NULL, 10);
    return expires > 0 && expires < now_seconds;
}

static int sweep_kind(struct engine *engine, const struct labels *ours, const char *list_path,
                      const char *member, const char *id_key,
                      int (*take)(struct engine *, const char *, struct error *), size_t *removed,
                      struct error *err) {
    long status;
    json_auto_t *answer = NULL;
    struct engine_call call = {.method = "GET", .path = list_path};
    if (engine_call(engine, &call, &status, &answer, err) < 0)
        return error_wrap(err, "look for what dead runs left");
    size_t index;
    const json_t *item;
    json_array_foreach(member != NULL ? json_object_get(answer, member) : answer, index, item) {
        const char *id = json_string_value(json_object_get(item, id_key));
        if (id == NULL || !sweep_is_dead(json_object_get(item, "Labels"), ours, (int64_t)time(NULL),
                                         process_alive))
            continue;
        struct error ignored = {0};
        if (take(engine, id, &ignored) == 0)
            (*removed)++;
        trace(TRACE_ENGINE, "swept %s: %s", id, error_message(&ignored));
        error_clear(&ignored);
    }
    return 0;
}

int sweep(struct engine *engine, const struct labels *ours, size_t *removed, struct error *err) {
    *removed = 0;
    if (sweep_kind(engine, ours,
                   "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22pingate.run%22%5D%7D",
                   NULL, "Id", container_remove, removed, err) < 0)
        return -1;
    return sweep_kind(engine, ours, "/volumes?filters=%7B%22label%22%3A%5B%22pingate.run%22%5D%7D",
                      "Volumes", "Name", volume_remove, removed, err);
}
