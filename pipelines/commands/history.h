/* history: how what the ledger tells is shown. The questions are stages/history.h's.
 */
#pragma once

#include <jansson.h>

#include "pipelines/commands/command.h"
#include "pipelines/stages/history.h"

/* What stood in one stage in the time that was asked for. */
struct history_stage {
    const char *name; /* lent */
    struct history_stand_list stands;
};

struct history_stage_list {
    struct history_stage *items;
    size_t count;
    size_t capacity;
};

void history_stage_list_clear(struct history_stage_list *stages);

/* For people. limit: entries at most; 0 is all. */
int history_print_entries(struct invocation *invocation, const struct history_entries *entries,
                          size_t limit, struct error *err) _must_check_;
int history_print_stages(struct invocation *invocation, const struct ledger *ledger,
                         const struct history_stage_list *stages, int64_t last_ms,
                         struct error *err) _must_check_;

/* For programs: schemas/history.schema.json. NULL with *err set. */
json_t *history_entries_to_json(const struct history_entries *entries, size_t limit,
                                struct error *err) _must_check_;
json_t *history_stages_to_json(const struct ledger *ledger, const struct history_stage_list *stages,
                               int64_t first_ms, int64_t last_ms, struct error *err) _must_check_;
json_t *history_check_to_json(const struct ledger *ledger, const struct ledger_damage_list *damage,
                              const struct history_finding_list *findings,
                              struct error *err) _must_check_;
