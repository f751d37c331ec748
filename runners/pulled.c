#include "runners/pulled.h"

#include <string.h>
#include <time.h>

#include "runners/engine/image.h"
#include "runners/engine/volume.h"

static char *marks_path(const char *image, struct error *err) {
    _cleanup_(free_pointer) char *filters =
        string_format(err, "{\"label\":[\"" LABEL_IMAGE "=%s\"]}", image);
    _cleanup_(free_pointer) char *escaped = filters != NULL ? http_escape(filters, err) : NULL;
    return escaped != NULL ? string_format(err, "/volumes?filters=%s", escaped) : NULL;
}

int pulled_count_others(struct engine *engine, const struct labels *ours, const char *image,
                        size_t *count, struct error *err) {
    *count = 0;
    _cleanup_(free_pointer) char *path = marks_path(image, err);
    if (path == NULL)
        return -1;
    long status;
    json_auto_t *answer = NULL;
    struct engine_call call = {.method = "GET", .path = path};
    if (engine_call(engine, &call, &status, &answer, err) < 0)
        return error_wrap(err, "ask who else uses %s", image);
    size_t index;
    const json_t *item;
    json_array_foreach(json_object_get(answer, "Volumes"), index, item) {
        const json_t *labels = json_object_get(item, "Labels");
        const char *run = labels_text(labels, LABEL_RUN);
        const char *theirs = labels_text(labels, LABEL_IMAGE);
        if (*run != '\0' && strcmp(run, ours->run_id) != 0 && strcmp(theirs, image) == 0 &&
            !labels_of_dead_run(labels, ours, (int64_t)time(NULL), labels_process_alive))
            (*count)++;
    }
    return 0;
}

/* The mark goes first: of two runs that end at once at least one then sees no other. */
int pulled_release(struct engine *engine, const struct labels *ours, const char *mark,
                   const char *image, struct error *err) {
    size_t others;
    struct error why = {0};
    int result = volume_remove(engine, mark, err);
    if (pulled_count_others(engine, ours, image, &others, &why) == 0 &&
        (others > 0 || image_remove(engine, image, &why) == 0))
        return result;
    if (result == 0)
        return error_move(err, &why);
    error_clear(&why);
    return result;
}
