#include "pipelines/stages/entry_parts.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/text.h"
#include "gate/reference.h"

/* A set that stood in the earlier stage. */
struct snapshot {
    const char *set;
    const char *const *values;
    size_t value_count;
    int64_t since_ms;
    bool stands;
};

struct snapshot_list {
    struct snapshot *items;
    size_t count;
    size_t capacity;
};

/* The values of one image in a snapshot, chained through search.next. */
struct bucket {
    size_t first;  /* place in search.values */
    size_t single; /* the value with the stage's name, while there is one */
    bool several;
};

struct bucket_list {
    struct bucket *items;
    size_t count;
    size_t capacity;
};

struct search {
    struct entry_world *world;
    struct snapshot_list snapshots;        /* newest first */
    struct entry_number_list values, next; /* of one snapshot */
    struct bucket_list buckets;            /* by image, by the stage's names */
    struct index groups_index;             /* moves -> group */
};

static void clear_search(struct search *search) {
    free(search->snapshots.items);
    free(search->values.items);
    free(search->next.items);
    free(search->buckets.items);
    index_clear(&search->groups_index);
}

void entry_kept_list_clear(struct entry_kept_list *kept) {
    for (size_t i = 0; i < kept->count; i++) {
        free(kept->items[i].line);
        free(kept->items[i].reason);
    }
    free(kept->items);
    *kept = (struct entry_kept_list){0};
}

static void clear_group(struct entry_group *group) {
    free(group->moves.items);
    free(group->sets.items);
    entry_kept_list_clear(&group->kept);
    *group = (struct entry_group){0};
}

void entry_group_list_clear(struct entry_group_list *groups) {
    for (size_t i = 0; i < groups->count; i++)
        clear_group(&groups->items[i]);
    free(groups->items);
    *groups = (struct entry_group_list){0};
}

/* ---- snapshots ---- */

static int add_snapshot(struct search *search, struct index *sets, const char *set,
                        struct snapshot snapshot, struct error *err) {
    size_t number;
    if (entry_number(sets, set, strlen(set), search->snapshots.count, &number, err) < 0)
        return -1;
    struct snapshot *place;
    if (number < search->snapshots.count) {
        place = &search->snapshots.items[number];
    } else {
        place = array_add(&search->snapshots, err);
        if (place == NULL)
            return -1;
        *place = snapshot;
    }
    /* from the newest on, so what comes last was first */
    place->since_ms = snapshot.since_ms;
    return 0;
}

static int find_snapshots(struct search *search, struct error *err) {
    const struct entry_world *world = search->world;
    const struct set *standing = world->standing;
    struct index sets = {0};
    struct snapshot now = {.set = standing->id,
                           .values = (const char *const *)standing->lines.items,
                           .value_count = standing->lines.count,
                           .stands = true};
    int result = add_snapshot(search, &sets, standing->id, now, err);
    for (size_t i = world->ledger->count; i-- > 0 && result == 0;) {
        const struct ledger_entry *entry = &world->ledger->items[i];
        if (entry->type != LEDGER_OBSERVED || entry->set == NULL ||
            !string_equal(entry->stage, world->from->name))
            continue;
        struct snapshot past = {.set = entry->set,
                                .values = entry->values,
                                .value_count = entry->value_count,
                                .since_ms = entry_time(world, entry)};
        result = add_snapshot(search, &sets, entry->set, past, err);
    }
    index_clear(&sets);
    return result;
}

/* ---- what follows what ---- */

static struct entry_value *value_at(const struct search *search, size_t place) {
    return &search->world->values.items[search->values.items[place]];
}

static int fill_buckets(struct search *search, const struct snapshot *snapshot, struct error *err) {
    struct entry_world *world = search->world;
    search->values.count = 0;
    search->next.count = 0;
    for (size_t i = 0; i < snapshot->value_count; i++) {
        size_t value;
        if (entry_value_number(world, snapshot->values[i], &value, err) < 0 ||
            entry_value_rename(world, value, err) < 0)
            return -1;
        size_t *place = array_add(&search->values, err);
        if (place == NULL || array_add(&search->next, err) == NULL)
            return -1;
        *place = value;
    }
    while (search->buckets.count < world->image_target_count.count)
        if (array_add(&search->buckets, err) == NULL)
            return -1;
    for (size_t i = 0; i < search->buckets.count; i++)
        search->buckets.items[i] = (struct bucket){ENTRY_NONE, ENTRY_NONE, false};
    for (size_t i = search->values.count; i-- > 0;) {
        size_t here = value_at(search, i)->here;
        struct bucket *bucket = &search->buckets.items[world->values.items[here].image];
        search->next.items[i] = bucket->first;
        bucket->first = i;
        bucket->several =
            bucket->several || (bucket->single != ENTRY_NONE && bucket->single != here);
        bucket->single = here;
    }
    return 0;
}

/* The place of the one value in the bucket with that tag; ENTRY_NONE where there is none, or more than one (*several). */
static size_t with_tag(const struct search *search, const struct bucket *bucket, const char *tag,
                       bool *several) {
    size_t found = ENTRY_NONE;
    for (size_t at = bucket->first; at != ENTRY_NONE; at = search->next.items[at]) {
        if (!string_equal(value_at(search, at)->parts.tag, tag))
            continue;
        if (found == ENTRY_NONE)
            found = at;
        else if (value_at(search, found)->here != value_at(search, at)->here)
            *several = true;
    }
    return *several ? ENTRY_NONE : found;
}

/* What the update rule would take. */
static int by_policy(const struct search *search, const struct bucket *bucket, const char *tag,
                     size_t *out, bool *several, struct error *err) {
    *out = ENTRY_NONE;
    struct string_list tags = {0};
    int result = 0;
    for (size_t at = bucket->first; at != ENTRY_NONE && result == 0; at = search->next.items[at])
        if (value_at(search, at)->parts.tag != NULL)
            result = string_list_add(&tags, value_at(search, at)->parts.tag, err);
    const struct config_rule *rule =
        config_rule_for(search->world->config, value_at(search, bucket->first)->parts.image, tag);
    struct policy policy = {rule != NULL ? rule->policy : POLICY_DIGEST,
                            rule != NULL ? &rule->tags : NULL};
    struct policy_choices choices = {0};
    if (result == 0 && (result = policy_choose(&policy, tag, &tags, &choices, err)) < 0 &&
        err->kind == ERROR_INPUT) {
        error_clear(err); /* the tag is no version: nothing follows it by policy */
        result = 0;
    }
    for (size_t i = 0; i < choices.taken && *out == ENTRY_NONE && !*several; i++)
        *out = with_tag(search, bucket, choices.items[i].tag, several);
    policy_choices_clear(&choices);
    string_list_clear(&tags);
    return result;
}

/* Whether the snapshot holds a value of the image that belongs, by its tag, to no value of the stage. */
static bool has_unclaimed(const struct search *search, const struct bucket *bucket, size_t image) {
    const struct entry_world *world = search->world;
    for (size_t at = bucket->first; at != ENTRY_NONE; at = search->next.items[at]) {
        bool claimed = false;
        for (size_t i = 0; i < world->target.count && !claimed; i++) {
            const struct entry_value *value = &world->values.items[world->target.items[i]];
            claimed = value->image == image &&
                      string_equal(value->parts.tag, value_at(search, at)->parts.tag);
        }
        if (!claimed)
            return true;
    }
    return false;
}

/* The place of what follows a value of the stage, or ENTRY_NONE. */
static int find_follower(const struct search *search, size_t old, size_t *out, bool *ambiguous,
                         struct error *err) {
    const struct entry_world *world = search->world;
    const struct entry_value *value = &world->values.items[old];
    const struct bucket *bucket = &search->buckets.items[value->image];
    *out = ENTRY_NONE;
    *ambiguous = false;
    if (bucket->first == ENTRY_NONE)
        return 0;
    *out = with_tag(search, bucket, value->parts.tag, ambiguous);
    if (*out != ENTRY_NONE || *ambiguous)
        return 0;
    if (!bucket->several && world->image_target_count.items[value->image] == 1) {
        *out = bucket->first;
        return 0;
    }
    if (value->parts.tag != NULL &&
        by_policy(search, bucket, value->parts.tag, out, ambiguous, err) < 0)
        return -1;
    if (*out == ENTRY_NONE && !*ambiguous)
        *ambiguous = has_unclaimed(search, bucket, value->image);
    return 0;
}

/* ---- what would change ---- */

static int keep(struct entry_kept_list *kept, const struct entry_world *world, size_t old,
                enum verdict_code code, char *take_reason, struct error *err) {
    struct entry_kept *item = take_reason != NULL ? array_add(kept, err) : NULL;
    if (item == NULL) {
        free(take_reason);
        return -1;
    }
    item->code = code;
    item->reason = take_reason;
    item->line = string_dup(world->values.items[old].line, err);
    return item->line != NULL ? 0 : -1;
}

static int keep_ambiguous(const struct search *search, size_t old, struct entry_kept_list *kept,
                          struct error *err) {
    const struct entry_world *world = search->world;
    const struct entry_value *value = &world->values.items[old];
    struct text reason = {0};
    text_printf(&reason, "%s holds several values of %s, and it is not clear which follows %s%s:",
                world->from->name, reference_familiar(value->parts.image),
                value->parts.tag != NULL ? ":" : "the one",
                value->parts.tag != NULL ? value->parts.tag : " without a tag");
    const char *before = " ";
    for (size_t at = search->buckets.items[value->image].first; at != ENTRY_NONE;
         at = search->next.items[at]) {
        _cleanup_(free_pointer) char *words =
            entry_value_words(world, search->values.items[at], err);
        text_printf(&reason, "%s%s", before, words != NULL ? words : "");
        before = ", ";
    }
    return keep(kept, world, old, CODE_AMBIGUOUS, text_steal(&reason, err), err);
}

static int keep_held(const struct entry_world *world, const struct entry_move *move,
                     const struct ledger_entry *hold, struct entry_kept_list *kept,
                     struct error *err) {
    _cleanup_(free_pointer) char *words = entry_value_words(world, move->new, err);
    if (words == NULL)
        return -1;
    char until[CLOCK_RFC3339_SIZE] = "";
    if (hold->until_ms != 0)
        clock_rfc3339(hold->until_ms, until);
    char *reason = string_format(err, "%s holds %s%s%s: %s; %s waits",
                                 hold->actor != NULL ? hold->actor : "somebody", hold->image,
                                 until[0] != '\0' ? " until " : "", until,
                                 hold->reason != NULL ? hold->reason : "no reason given", words);
    return keep(kept, world, move->old, CODE_ON_HOLD, reason, err);
}

static int find_move(const struct search *search, size_t old, struct entry_group *group,
                     struct error *err) {
    const struct entry_world *world = search->world;
    size_t place;
    bool ambiguous;
    if (find_follower(search, old, &place, &ambiguous, err) < 0)
        return -1;
    if (ambiguous)
        return keep_ambiguous(search, old, &group->kept, err);
    if (place == ENTRY_NONE || value_at(search, place)->here == old)
        return 0;
    struct entry_move move = {old, value_at(search, place)->here, search->values.items[place]};
    const struct ledger_entry *hold = entry_image_hold(world, &move);
    if (hold != NULL)
        return keep_held(world, &move, hold, &group->kept, err);
    struct entry_move *added = array_add(&group->moves, err);
    if (added == NULL)
        return -1;
    *added = move;
    return 0;
}

static int find_group(struct search *search, const struct snapshot *snapshot,
                      struct entry_group *group, struct error *err) {
    if (fill_buckets(search, snapshot, err) < 0)
        return -1;
    *group = (struct entry_group){
        .set = snapshot->set, .since_ms = snapshot->since_ms, .stands = snapshot->stands};
    for (size_t i = 0; i < search->world->target.count; i++)
        if (find_move(search, search->world->target.items[i], group, err) < 0)
            return -1;
    return 0;
}

/* Into the group with the same moves, or as a new one. */
static int add_group(struct search *search, struct entry_group *take_group,
                     struct entry_group_list *groups, struct error *err) {
    size_t size = take_group->moves.count * sizeof *take_group->moves.items;
    const char *key = arena_string(&search->world->arena, take_group->moves.items, size, err);
    size_t number;
    if (key == NULL ||
        entry_number(&search->groups_index, key, size, groups->count, &number, err) < 0)
        return -1;
    if (number == groups->count) {
        struct entry_group *place = array_add(groups, err);
        if (place == NULL)
            return -1;
        *place = *take_group;
        *take_group = (struct entry_group){.set = place->set};
    }
    struct entry_group *group = &groups->items[number];
    if (take_group->since_ms != 0 &&
        (group->since_ms == 0 || take_group->since_ms < group->since_ms))
        group->since_ms = take_group->since_ms;
    const char **set = array_add(&group->sets, err);
    if (set == NULL)
        return -1;
    *set = take_group->set;
    return 0;
}

int entry_groups_find(struct entry_world *world, size_t limit, struct entry_group_list *groups,
                      bool *nothing, struct entry_kept_list *kept, struct error *err) {
    _cleanup_(clear_search) struct search search = {.world = world};
    *nothing = false;
    if (find_snapshots(&search, err) < 0)
        return -1;
    int result = 0;
    bool ended = false;
    for (size_t i = 0; i < search.snapshots.count && i < limit && !ended && result == 0; i++) {
        struct entry_group group = {0};
        result = find_group(&search, &search.snapshots.items[i], &group, err);
        ended = result == 0 && group.moves.count == 0;
        if (ended && i == 0) {
            *nothing = true;
            *kept = group.kept;
            group.kept = (struct entry_kept_list){0};
        }
        if (result == 0 && !ended)
            result = add_group(&search, &group, groups, err);
        clear_group(&group);
    }
    return result;
}
