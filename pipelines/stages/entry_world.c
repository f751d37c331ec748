#include "pipelines/stages/entry_parts.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "gate/reference.h"

/* ---- index ---- */

int entry_number(struct index *index, const char *key, size_t length, size_t number, size_t *out,
                 struct error *err) {
    if (entry_find(index, key, length, out))
        return 0;
    *out = number;
    return index_add(index, key, length, number, err);
}

bool entry_find(const struct index *index, const char *key, size_t length, size_t *out) {
    const struct index_slot *slot = index_find(index, key, length);
    if (slot != NULL)
        *out = slot->number;
    return slot != NULL;
}

/* ---- values ---- */

static int number_image(struct entry_world *world, const char *image, size_t *out,
                        struct error *err) {
    size_t new = world->image_target_count.count;
    if (entry_number(&world->images, image, strlen(image), new, out, err) < 0)
        return -1;
    return *out < new || array_add(&world->image_target_count, err) != NULL ? 0 : -1;
}

int entry_value_number(struct entry_world *world, const char *line, size_t *out,
                       struct error *err) {
    if (entry_find(&world->lines, line, strlen(line), out))
        return 0;
    struct entry_value *value = array_add(&world->values, err);
    if (value == NULL)
        return -1;
    *value = (struct entry_value){
        .line = line,
        .here = ENTRY_NONE,
        .far = ENTRY_NONE,
        .seen_ms = ENTRY_NEVER,
        .open_ms = ENTRY_NEVER,
        .arrived_ms = ENTRY_NEVER,
        .reverted_ms = ENTRY_NEVER,
        .entered_ms = ENTRY_NEVER,
        .arrived_any_ms = ENTRY_NEVER,
    };
    if (set_value_parse(line, &value->parts, err) < 0 ||
        number_image(world, value->parts.image, &value->image, err) < 0)
        return -1;
    return entry_number(&world->lines, line, strlen(line), world->values.count - 1, out, err);
}

/* The same value under another image name. */
static int renamed(struct entry_world *world, size_t value, const char *image, size_t *out,
                   struct error *err) {
    const struct set_value *parts = &world->values.items[value].parts;
    if (strcmp(parts->image, image) == 0) {
        *out = value;
        return 0;
    }
    _cleanup_(free_pointer) char *line = reference_text(image, parts->tag, parts->digest, err);
    if (line == NULL)
        return -1;
    if (entry_find(&world->lines, line, strlen(line), out))
        return 0;
    const char *kept = arena_string(&world->arena, line, strlen(line), err);
    return kept != NULL ? entry_value_number(world, kept, out, err) : -1;
}

/* Through the maps of the stages behind `tested`, up to the one that is entered. */
static char *map_from_tested(const struct entry_world *world, const char *image,
                             struct error *err) {
    const struct stage *path[STAGE_LIMIT];
    size_t length = 0;
    for (const struct stage *stage = world->stage; stage != world->tested && length < STAGE_LIMIT;
         stage = stage_find(&world->config->stages, stage->from))
        path[length++] = stage;
    char *name = string_dup(image, err);
    while (name != NULL && length > 0) {
        char *next = stage_map_image(path[--length], name, err);
        free(name);
        name = next;
    }
    return name;
}

int entry_value_rename(struct entry_world *world, size_t value, struct error *err) {
    if (world->values.items[value].here != ENTRY_NONE)
        return 0;
    const char *image = world->values.items[value].parts.image;
    _cleanup_(free_pointer) char *here_name = stage_map_image(world->stage, image, err);
    _cleanup_(free_pointer) char *far_name =
        here_name != NULL ? map_from_tested(world, image, err) : NULL;
    size_t here;
    size_t far;
    if (far_name == NULL || renamed(world, value, here_name, &here, err) < 0 ||
        renamed(world, value, far_name, &far, err) < 0)
        return -1;
    world->values.items[value].here = here;
    world->values.items[value].far = far;
    return 0;
}

bool entry_image_is_pinned(const struct entry_world *world, size_t image) {
    return world->image_target_count.items[image] > 0;
}

char *entry_value_words(const struct entry_world *world, size_t value, struct error *err) {
    const struct set_value *parts = &world->values.items[value].parts;
    const char *digest = parts->digest + strcspn(parts->digest, ":");
    return string_format(err, "%s%s%s@%.*s", reference_familiar(parts->image),
                         parts->tag != NULL ? ":" : "", parts->tag != NULL ? parts->tag : "",
                         SET_SHORT_LENGTH, *digest == ':' ? digest + 1 : digest);
}

int64_t entry_time(const struct entry_world *world, const struct ledger_entry *entry) {
    return entry->time_ms < world->now_ms ? entry->time_ms : world->now_ms;
}

/* ---- the world ---- */

static bool has_tests(const struct config *config, const struct stage *stage) {
    for (size_t i = 0; i < config->tests.count; i++)
        if (stage_runs_test(&config->stages, stage, config->tests.items[i].name))
            return true;
    return false;
}

/* The stage before, or the nearest one before it that has tests. */
static const struct stage *find_tested(const struct config *config, const struct stage *from) {
    const struct stage *stage = from;
    for (size_t i = 0; i < STAGE_LIMIT && stage != NULL && !has_tests(config, stage); i++)
        stage = stage->from != NULL ? stage_find(&config->stages, stage->from) : NULL;
    return stage != NULL ? stage : from;
}

static int number_target(struct entry_world *world, const struct set *target, struct error *err) {
    for (size_t i = 0; i < target->lines.count; i++) {
        size_t value;
        if (entry_value_number(world, target->lines.items[i], &value, err) < 0)
            return -1;
        size_t *place = array_add(&world->target, err);
        if (place == NULL)
            return -1;
        *place = value;
        world->image_target_count.items[world->values.items[value].image]++;
    }
    return 0;
}

static int number_standing(struct entry_world *world, struct error *err) {
    for (size_t i = 0; i < world->standing->lines.count; i++) {
        size_t value;
        if (entry_value_number(world, world->standing->lines.items[i], &value, err) < 0)
            return -1;
    }
    return 0;
}

static void find_unknown(struct entry_world *world) {
    for (size_t i = 0; i < world->ledger->count; i++)
        if (world->ledger->items[i].type == LEDGER_UNKNOWN && world->ledger->items[i].critical)
            world->unknown = &world->ledger->items[i];
}

int entry_world_read(const struct ledger *ledger, const struct config *config,
                     const struct stage *stage, const struct set *standing,
                     const struct set *target, int64_t now_ms, struct entry_world *out,
                     struct error *err) {
    const struct stage *from =
        stage->from != NULL ? stage_find(&config->stages, stage->from) : NULL;
    *out = (struct entry_world){.ledger = ledger,
                                .config = config,
                                .stage = stage,
                                .from = from,
                                .standing = standing,
                                .now_ms = now_ms};
    if (from == NULL)
        return error_set(err, ERROR_USAGE,
                         "stage \"%s\" has no stage before it: `pingate run` writes it",
                         stage->name);
    out->tested = find_tested(config, from);
    find_unknown(out);
    return number_target(out, target, err) == 0 && number_standing(out, err) == 0 &&
                   entry_timeline_read(out, err) == 0 && entry_decisions_read(out, err) == 0
               ? entry_evidence_read(out, err)
               : -1;
}

void entry_world_clear(struct entry_world *world) {
    for (size_t i = 0; i < world->values.count; i++)
        set_value_clear(&world->values.items[i].parts);
    free(world->values.items);
    free(world->target.items);
    free(world->image_target_count.items);
    free(world->said.items);
    free(world->selector_denials.items);
    free(world->holds.items);
    free(world->image_holds.items);
    free(world->trials.items);
    index_clear(&world->lines);
    index_clear(&world->images);
    index_clear(&world->words);
    index_clear(&world->trials_index);
    arena_clear(&world->arena);
    *world = (struct entry_world){0};
}
