#include "pipelines/stages/stage.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/glob.h"
#include "gate/base/text.h"

const struct stage *stage_at(const struct stage_list *stages, size_t stage) {
    return stage < stages->count ? &stages->items[stage] : NULL;
}

const char *stage_name(const struct stage_list *stages, size_t stage) {
    return stage < stages->count ? stages->items[stage].name : STAGE_DEFAULT;
}

const struct stage *stage_find(const struct stage_list *stages, const char *name) {
    for (size_t i = 0; i < stages->count; i++)
        if (strcmp(stages->items[i].name, name) == 0)
            return &stages->items[i];
    return NULL;
}

int stage_of_file(const struct stage_list *stages, const char *file, size_t *stage,
                  struct error *err) {
    *stage = STAGE_NONE;
    for (size_t i = 0; i < stages->count; i++) {
        if (!glob_list_match_file(&stages->items[i].files, file))
            continue;
        if (*stage != STAGE_NONE)
            return error_set(err, ERROR_CONFIG,
                             "%s: both stage \"%s\" and stage \"%s\" claim this file; let one of "
                             "their globs leave it out",
                             file, stages->items[*stage].name, stages->items[i].name);
        *stage = i;
    }
    return 0;
}

size_t *stage_of_pins(const struct stage_list *stages, const struct pin_list *pins,
                      struct error *err) {
    _cleanup_(free_pointer) size_t *of = calloc(pins->count + 1, sizeof *of);
    if (of == NULL) {
        error_no_memory(err);
        return NULL;
    }
    for (size_t i = 0; i < pins->count; i++) {
        if (i > 0 && strcmp(pins->items[i].file, pins->items[i - 1].file) == 0)
            of[i] = of[i - 1];
        else if (stage_of_file(stages, pins->items[i].file, &of[i], err) < 0)
            return NULL;
    }
    return steal(of);
}

int stage_set(const struct pin_list *pins, const size_t *stage_of_pins, size_t stage,
              struct set *out, struct error *err) {
    _cleanup_(free_pointer) bool *use = calloc(pins->count + 1, sizeof *use);
    if (use == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < pins->count; i++)
        use[i] = stage_of_pins[i] == stage;
    return set_of_pins(pins, use, out, err);
}

char *stage_map_image(const struct stage *stage, const char *image, struct error *err) {
    const struct stage_map *best = NULL;
    size_t best_length = 0;
    for (size_t i = 0; i < stage->map.count; i++) {
        const struct stage_map *map = &stage->map.items[i];
        size_t length = strlen(map->from);
        if (length > best_length && strncmp(image, map->from, length) == 0 &&
            (image[length] == '/' || image[length] == '\0')) {
            best = map;
            best_length = length;
        }
    }
    return best != NULL ? string_format(err, "%s%s", best->to, image + best_length)
                        : string_dup(image, err);
}

bool stage_runs_test(const struct stage_list *stages, const struct stage *stage, const char *test) {
    if (stage != NULL && stage->tests.count > 0)
        return string_list_has(&stage->tests, test);
    if (stage != NULL && stage->from != NULL)
        return false;
    for (size_t i = 0; i < stages->count; i++)
        if (string_list_has(&stages->items[i].tests, test))
            return false;
    return true;
}

void stage_clear(struct stage *stage) {
    free(stage->name);
    free(stage->from);
    string_list_clear(&stage->files);
    string_list_clear(&stage->tests);
    for (size_t i = 0; i < stage->map.count; i++) {
        free(stage->map.items[i].from);
        free(stage->map.items[i].to);
    }
    free(stage->map.items);
    *stage = (struct stage){0};
}

void stage_list_clear(struct stage_list *stages) {
    for (size_t i = 0; i < stages->count; i++)
        stage_clear(&stages->items[i]);
    free(stages->items);
    *stages = (struct stage_list){0};
}
