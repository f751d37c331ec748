#include "runners/sweep.h"

#include <string.h>
#include <time.h>

#include "gate/base/trace.h"
#include "runners/engine/container.h"
#include "runners/engine/image.h"
#include "runners/engine/network.h"
#include "runners/engine/volume.h"
#include "runners/pulled.h"

/* A mark goes with the image that it is of. */
static int take_volume(struct engine *engine, const struct labels *ours, const json_t *item,
                       struct error *err) {
    const char *name = json_string_value(json_object_get(item, "Name"));
    const char *image = labels_text(json_object_get(item, "Labels"), LABEL_IMAGE);
    return *image != '\0' ? pulled_release(engine, ours, name, image, err)
                          : volume_remove(engine, name, err);
}

static int take_container(struct engine *engine, const struct labels *ours, const json_t *item,
                          struct error *err) {
    (void)ours;
    return container_remove(engine, json_string_value(json_object_get(item, "Id")), err);
}

static int take_image(struct engine *engine, const struct labels *ours, const json_t *item,
                      struct error *err) {
    (void)ours;
    return image_remove(engine, json_string_value(json_object_get(item, "Id")), err);
}

static int take_network(struct engine *engine, const struct labels *ours, const json_t *item,
                        struct error *err) {
    (void)ours;
    return network_remove(engine, json_string_value(json_object_get(item, "Id")), err);
}

#define OURS "filters=%7B%22label%22%3A%5B%22pingate.run%22%5D%7D" /* {"label":["pingate.run"]} */

/* Containers first: a volume, a network or an image in use cannot be removed. Images are those that were built. */
static const struct kind {
    const char *list;   /* path of the question */
    const char *member; /* of the answer that is the list; NULL: the answer itself */
    const char *id;     /* member of an entry that names it */
    int (*take)(struct engine *engine, const struct labels *ours, const json_t *item,
                struct error *err);
} kinds[] = {
    {"/containers/json?all=1&" OURS, NULL, "Id", take_container},
    {"/images/json?all=1&" OURS, NULL, "Id", take_image},
    {"/networks?" OURS, NULL, "Id", take_network},
    {"/volumes?" OURS, "Volumes", "Name", take_volume},
};

static bool is_left(const json_t *item, const struct kind *kind, const struct labels *ours) {
    return json_is_string(json_object_get(item, kind->id)) &&
           labels_of_dead_run(json_object_get(item, "Labels"), ours, (int64_t)time(NULL),
                              labels_process_alive);
}

static int sweep_kind(struct engine *engine, const struct labels *ours, const struct kind *kind,
                      size_t *removed, struct error *err) {
    json_auto_t *answer = NULL;
    if (engine_get(engine, kind->list, &answer, err) < 0)
        return error_wrap(err, "look for what dead runs left");
    const json_t *list = kind->member != NULL ? json_object_get(answer, kind->member) : answer;
    size_t index;
    const json_t *item;
    json_array_foreach(list, index, item) {
        if (!is_left(item, kind, ours))
            continue;
        struct error why = {0};
        if (kind->take(engine, ours, item, &why) == 0)
            (*removed)++;
        trace(TRACE_ENGINE, "swept %s: %s", json_string_value(json_object_get(item, kind->id)),
              error_message(&why));
        bool stuck = why.kind == ERROR_TIMEOUT || why.kind == ERROR_CANCELLED;
        if (stuck) { /* every further one would take as long */
            error_move(err, &why);
            return error_wrap(err, "remove what a dead run left");
        }
        error_clear(&why);
    }
    return 0;
}

int sweep(struct engine *engine, const struct labels *ours, size_t *removed, struct error *err) {
    *removed = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (sweep_kind(engine, ours, &kinds[i], removed, err) < 0)
            return -1;
    return 0;
}

static int take_own(struct engine *engine, const struct labels *ours, const struct kind *kind,
                    struct error *err) {
    json_auto_t *answer = NULL;
    if (engine_get(engine, kind->list, &answer, err) < 0)
        return error_wrap(err, "look for what this run left");
    const json_t *list = kind->member != NULL ? json_object_get(answer, kind->member) : answer;
    size_t index;
    const json_t *item;
    json_array_foreach(list, index, item) {
        const char *run = labels_text(json_object_get(item, "Labels"), LABEL_RUN);
        if (json_is_string(json_object_get(item, kind->id)) && strcmp(run, ours->run_id) == 0 &&
            kind->take(engine, ours, item, err) < 0)
            return -1;
    }
    return 0;
}

int sweep_own(struct engine *engine, const struct labels *ours, struct error *err) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (take_own(engine, ours, &kinds[i], err) < 0)
            return -1;
    return 0;
}
