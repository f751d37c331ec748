#include "pipelines/stages/entry_parts.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "gate/reference.h"

/* The newest arrival among the values of an image that came back in one observation. */
struct comeback {
    size_t observation; /* that this is of */
    int64_t arrived_ms;
};

struct comeback_list {
    struct comeback *items;
    size_t count;
    size_t capacity;
};

/* The reading of the earlier stage's observations, one by one. */
struct reading {
    struct entry_world *world;
    struct entry_number_list held, before; /* values of this observation and of the last */
    struct comeback_list comebacks;        /* by image */
};

static void clear_reading(struct reading *reading) {
    free(reading->held.items);
    free(reading->before.items);
    free(reading->comebacks.items);
}

/* ---- observations ---- */

static int note_comeback(struct reading *reading, const struct entry_value *value,
                         struct error *err) {
    while (reading->comebacks.count <= value->image)
        if (array_add(&reading->comebacks, err) == NULL)
            return -1;
    struct comeback *comeback = &reading->comebacks.items[value->image];
    if (comeback->observation != reading->world->observations ||
        comeback->arrived_ms < value->arrived_ms)
        *comeback = (struct comeback){reading->world->observations, value->arrived_ms};
    return 0;
}

static int appear(struct reading *reading, struct entry_value *value,
                  const struct ledger_entry *entry, struct error *err) {
    int64_t time_ms = entry_time(reading->world, entry);
    value->open_ms = entry->time_ms;
    if (value->reverted != NULL && time_ms > value->reverted_ms)
        value->reverted = NULL;
    if (value->seen_ms != ENTRY_NEVER)
        return note_comeback(reading, value, err);
    value->seen_ms = time_ms;
    if (!value->renewed)
        value->arrived_ms = time_ms;
    return 0;
}

/* A value that makes room for one that arrived before it was gone back from. */
static void leave(struct reading *reading, struct entry_value *value,
                  const struct ledger_entry *entry) {
    int64_t time_ms = entry_time(reading->world, entry);
    int64_t held_ms = time_ms - value->open_ms;
    if (held_ms > value->longest_ms)
        value->longest_ms = held_ms;
    value->open_ms = ENTRY_NEVER;
    if (value->image >= reading->comebacks.count)
        return;
    const struct comeback *comeback = &reading->comebacks.items[value->image];
    if (comeback->observation == reading->world->observations &&
        comeback->arrived_ms < value->arrived_ms) {
        value->reverted_ms = time_ms;
        value->reverted = entry;
    }
}

static int observe(struct reading *reading, const struct ledger_entry *entry, struct error *err) {
    struct entry_world *world = reading->world;
    size_t number = ++world->observations;
    world->last_observed_ms = entry_time(world, entry);
    reading->held.count = 0;
    for (size_t i = 0; i < entry->value_count; i++) {
        size_t at;
        if (entry_value_number(world, entry->values[i], &at, err) < 0)
            return -1;
        struct entry_value *value = &world->values.items[at];
        if (value->observation == number)
            continue;
        if ((number == 1 || value->observation != number - 1) &&
            appear(reading, value, entry, err) < 0)
            return -1;
        value->observation = number;
        size_t *held = array_add(&reading->held, err);
        if (held == NULL)
            return -1;
        *held = at;
    }
    for (size_t i = 0; i < reading->before.count; i++) {
        struct entry_value *value = &world->values.items[reading->before.items[i]];
        if (value->observation != number)
            leave(reading, value, entry);
    }
    struct entry_number_list spare = reading->before;
    reading->before = reading->held;
    reading->held = spare;
    return 0;
}

/* ---- what moved ---- */

static int number_parts(struct entry_world *world, const char *image, const char *tag,
                        const char *digest, size_t *out, struct error *err) {
    _cleanup_(free_pointer) char *line = reference_text(image, tag, digest, err);
    if (line == NULL)
        return -1;
    if (entry_find(&world->lines, line, strlen(line), out))
        return 0;
    const char *kept = arena_string(&world->arena, line, strlen(line), err);
    return kept != NULL ? entry_value_number(world, kept, out, err) : -1;
}

static int read_promoted(struct entry_world *world, const struct ledger_entry *entry,
                         struct error *err) {
    for (size_t i = 0; i < entry->change_count; i++) {
        const struct ledger_change *change = &entry->changes[i];
        size_t at;
        if (change->digest == NULL)
            continue;
        if (number_parts(world, change->image, change->tag, change->digest, &at, err) < 0)
            return -1;
        struct entry_value *value = &world->values.items[at];
        value->arrived_ms = entry_time(world, entry);
        value->renewed = true;
        if (value->reverted != NULL && value->arrived_ms > value->reverted_ms)
            value->reverted = NULL;
    }
    return 0;
}

static int read_rolled_back(struct entry_world *world, const struct ledger_entry *entry,
                            struct error *err) {
    for (size_t i = 0; i < entry->change_count; i++) {
        const struct ledger_change *change = &entry->changes[i];
        size_t at;
        if (change->old_digest == NULL)
            continue;
        if (number_parts(world, change->image, change->old_tag, change->old_digest, &at, err) < 0)
            return -1;
        world->values.items[at].reverted_ms = entry_time(world, entry);
        world->values.items[at].reverted = entry;
    }
    return 0;
}

/* When the stage that is entered held a value first. */
static int read_entered(struct entry_world *world, const struct ledger_entry *entry,
                        struct error *err) {
    for (size_t i = 0; i < entry->value_count; i++) {
        size_t at;
        if (entry_value_number(world, entry->values[i], &at, err) < 0)
            return -1;
        if (world->values.items[at].entered_ms == ENTRY_NEVER)
            world->values.items[at].entered_ms = entry_time(world, entry);
    }
    return 0;
}

static int read_entry(struct reading *reading, const struct ledger_entry *entry,
                      struct error *err) {
    if (entry->type != LEDGER_OBSERVED && entry->type != LEDGER_PROMOTED &&
        entry->type != LEDGER_ROLLED_BACK)
        return 0;
    if (string_equal(entry->stage, reading->world->stage->name))
        return read_entered(reading->world, entry, err);
    if (!string_equal(entry->stage, reading->world->from->name))
        return 0;
    if (entry->type == LEDGER_OBSERVED)
        return observe(reading, entry, err);
    return entry->type == LEDGER_PROMOTED ? read_promoted(reading->world, entry, err)
                                          : read_rolled_back(reading->world, entry, err);
}

/* Arrivals are compared by the names of the stage that is entered. */
static int carry_arrivals(struct entry_world *world, struct error *err) {
    for (size_t i = 0; i < world->values.count; i++) {
        int64_t arrived_ms = world->values.items[i].arrived_ms;
        if (arrived_ms == ENTRY_NEVER)
            continue;
        if (entry_value_rename(world, i, err) < 0)
            return -1;
        struct entry_value *here = &world->values.items[world->values.items[i].here];
        if (here->arrived_any_ms < arrived_ms)
            here->arrived_any_ms = arrived_ms;
    }
    return 0;
}

int entry_timeline_read(struct entry_world *world, struct error *err) {
    _cleanup_(clear_reading) struct reading reading = {.world = world};
    for (size_t i = 0; i < world->ledger->count; i++)
        if (read_entry(&reading, &world->ledger->items[i], err) < 0)
            return -1;
    return carry_arrivals(world, err);
}

/* ---- questions ---- */

bool entry_stands(const struct entry_world *world, size_t value) {
    return set_has(world->standing, world->values.items[value].line);
}

int64_t entry_soaked_ms(const struct entry_world *world, size_t at, int64_t at_ms) {
    const struct entry_value *value = &world->values.items[at];
    int64_t open_ms = 0;
    if (value->open_ms != ENTRY_NEVER)
        open_ms = (entry_stands(world, at) ? at_ms : world->last_observed_ms) - value->open_ms;
    return open_ms > value->longest_ms ? open_ms : value->longest_ms;
}

bool entry_is_backwards(const struct entry_world *world, const struct entry_move *move) {
    const struct entry_value *old = &world->values.items[move->old];
    const struct entry_value *new = &world->values.items[move->new];
    if (old->arrived_any_ms != ENTRY_NEVER &&
        new->arrived_any_ms != ENTRY_NEVER &&new->arrived_any_ms < old->arrived_any_ms)
        return true;
    int64_t old_entered_ms = old->entered_ms != ENTRY_NEVER ? old->entered_ms : world->now_ms;
    return new->entered_ms !=
           ENTRY_NEVER &&new->entered_ms < old_entered_ms &&new->arrived_any_ms <= old_entered_ms;
}
