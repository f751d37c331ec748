#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "pipelines/stages/entry_parts.h"

static int add(struct entry_pause_list *out, const char *line, int64_t until_ms,
               const struct stage *later, struct error *err) {
    struct entry_pause *pause = NULL;
    for (size_t i = 0; i < out->count && pause == NULL; i++)
        if (strcmp(out->items[i].line, line) == 0)
            pause = &out->items[i];
    if (pause == NULL) {
        pause = array_add(out, err);
        if (pause == NULL || string_copy(line, &pause->line, err) < 0)
            return -1;
    }
    bool longer = until_ms == 0 || (pause->until_ms != 0 && until_ms > pause->until_ms);
    if (pause->later == NULL || longer) {
        pause->until_ms = until_ms;
        pause->later = later;
    }
    return 0;
}

/* What soaks for one later stage. */
static int find_in_world(struct entry_world *world, struct entry_group_list *groups,
                         struct entry_pause_list *out, struct error *err) {
    struct entry_kept_list kept = {0};
    bool nothing;
    int result = entry_groups_find(world, 1, groups, &nothing, &kept, err);
    entry_kept_list_clear(&kept);
    if (result < 0 || nothing)
        return result;
    for (size_t i = 0; i < groups->items[0].moves.count; i++) {
        int64_t until_ms;
        bool soaks;
        size_t source = groups->items[0].moves.items[i].source;
        if (entry_soaks(world, &groups->items[0], i, &soaks, &until_ms, err) < 0 ||
            (soaks && add(out, world->values.items[source].line, until_ms, world->stage, err) < 0))
            return -1;
    }
    return 0;
}

int entry_pauses(const struct ledger *ledger, const struct config *config,
                 const struct stage *stage, const struct set *sets, int64_t now_ms,
                 struct entry_pause_list *out, struct error *err) {
    *out = (struct entry_pause_list){0};
    const struct stage_list *stages = &config->stages;
    const struct set *standing = &sets[stage - stages->items];
    int result = 0;
    for (size_t i = 0; i < stages->count && result == 0; i++) {
        const struct stage *later = &stages->items[i];
        if (!string_equal(later->from, stage->name) || later->soak_ms == 0)
            continue;
        struct entry_world world;
        struct entry_group_list groups = {0};
        result = entry_world_read(ledger, config, later, standing, &sets[i], now_ms, &world, err);
        if (result == 0)
            result = find_in_world(&world, &groups, out, err);
        entry_group_list_clear(&groups);
        entry_world_clear(&world);
    }
    if (result < 0)
        entry_pause_list_clear(out);
    return result;
}

void entry_pause_list_clear(struct entry_pause_list *pauses) {
    for (size_t i = 0; i < pauses->count; i++)
        free(pauses->items[i].line);
    free(pauses->items);
    *pauses = (struct entry_pause_list){0};
}

const struct entry_pause *entry_pause_find(const struct entry_pause_list *pauses,
                                           const char *line) {
    for (size_t i = 0; i < pauses->count; i++)
        if (strcmp(pauses->items[i].line, line) == 0)
            return &pauses->items[i];
    return NULL;
}
