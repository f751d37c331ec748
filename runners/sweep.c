#include "runners/sweep.h"

#include <time.h>

#include "gate/base/trace.h"
#include "runners/engine/container.h"
#include "runners/engine/volume.h"
#include "runners/pulled.h"

/* A mark goes with the image that it is of. */
static int take_volume(struct engine *engine, const struct labels *ours, const json_t *item,
                       const char *name, struct error *err) {
    const char *image = labels_text(json_object_get(item, "Labels"), LABEL_IMAGE);
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
        if (id == NULL || !labels_of_dead_run(json_object_get(item, "Labels"), ours,
                                              (int64_t)time(NULL), labels_process_alive))
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
