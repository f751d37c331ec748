#include "runners/sweep.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate/base/trace.h"
#include "runners/pulled.h"

static const char *label(const json_t *labels, const char *name) {
    const char *value = json_string_value(json_object_get(labels, name));
    return value != NULL ? value : "";
}

/* What cannot be told is not called dead: /proc may hide the processes of others. */
bool sweep_process_alive(long pid, const char *started) {
    if (kill((pid_t)pid, 0) < 0 && errno == ESRCH)
        return false;
    char path[64];
    char line[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return true;
    size_t got = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[got] = '\0';
    char *at = strrchr(line, ')');
    if (at != NULL && at[1] == ' ' && (at[2] == 'Z' || at[2] == 'X'))
        return false; /* ended, and not yet waited for */
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return true;
    size_t length = strlen(started);
    return strncmp(at + 1, started, length) == 0 &&
           (at[1 + length] == ' ' || at[1 + length] == '\0');
}

/* Known and the same. */
static bool same(const json_t *labels, const char *name, const char *ours) {
    return *ours != '\0' && strcmp(label(labels, name), ours) == 0;
}

bool sweep_is_dead(const json_t *theirs, const struct labels *ours, int64_t now_seconds,
                   bool (*alive)(long pid, const char *started)) {
    const char *run = label(theirs, "pingate.run");
    if (*run == '\0' || strcmp(run, ours->run_id) == 0)
        return false;
    bool near = same(theirs, "pingate.host", ours->host) &&
                same(theirs, "pingate.boot", ours->boot) &&
                same(theirs, "pingate.namespace", ours->namespace);
    long pid = strtol(label(theirs, "pingate.pid"), NULL, 10);
    if (near && pid > 0 && pid <= INT_MAX)
        return !alive(pid, label(theirs, "pingate.started"));
    int64_t expires = strtoll(label(theirs, "pingate.expires"), NULL, 10);
    return expires > 0 && expires < now_seconds;
}

/* A mark goes with the image that it is of. */
static int take_volume(struct engine *engine, const struct labels *ours, const json_t *item,
                       const char *name, struct error *err) {
    const char *image = label(json_object_get(item, "Labels"), LABEL_IMAGE);
    return *image != '\0' ? pulled_release(engine, ours, name, image, err)
                          : volume_remove(engine, name, err);
}

static int take_container(struct engine *engine, const struct labels *ours, const json_t *item,
                          const char *id, struct error *err) {
    (void)ours;
    (void)item;
    return container_remove(engine, id, err);
}

static int sweep_kind(struct engine *engine, const struct labels *ours, const char *list_path,
                      const char *member, const char *id_key,
                      int (*take)(struct engine *, const struct labels *, const json_t *,
                                  const char *, struct error *),
                      size_t *removed, struct error *err) {
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
                                         sweep_process_alive))
            continue;
        struct error why = {0};
        if (take(engine, ours, item, id, &why) == 0)
            (*removed)++;
        trace(TRACE_ENGINE, "swept %s: %s", id, error_message(&why));
        bool stuck = why.kind == ERROR_TIMEOUT || why.kind == ERROR_CANCELLED;
        if (stuck) { /* every further one would take as long */
            error_move(err, &why);
            return error_wrap(err, "remove what a dead run left");
        }
        error_clear(&why);
    }
    return 0;
}

#define OURS "filters=%7B%22label%22%3A%5B%22pingate.run%22%5D%7D" /* {"label":["pingate.run"]} */

int sweep(struct engine *engine, const struct labels *ours, size_t *removed, struct error *err) {
    *removed = 0;
    if (sweep_kind(engine, ours, "/containers/json?all=1&" OURS, NULL, "Id", take_container,
                   removed, err) < 0)
        return -1;
    return sweep_kind(engine, ours, "/volumes?" OURS, "Volumes", "Name", take_volume, removed, err);
}
