#include "pipelines/stages/entry.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "pipelines/stages/entry_parts.h"

/* ---- the answer ---- */

static void copy_id(char to[HASH_HEX_SIZE], const char *from) {
    size_t length = strnlen(from, HASH_HEX_SIZE - 1);
    memcpy(to, from, length);
    to[length] = '\0';
}

static char *list_codes(const struct entry_judgement *judgement, struct error *err) {
    struct text codes = {0};
    for (size_t i = 0; i < judgement->count; i++)
        text_printf(&codes, "%s%s", i > 0 ? " " : "", verdict_code_name(judgement->items[i].code));
    return text_steal(&codes, err);
}

static int add_considered(const struct entry_group *group, const struct entry_judgement *judgement,
                          struct entry_answer *out, struct error *err) {
    struct entry_considered *item = array_add(&out->considered, err);
    if (item == NULL)
        return -1;
    copy_id(item->set, group->set);
    item->since_ms = group->since_ms;
    item->stands = group->stands;
    item->when_ms = judgement->when_ms;
    if ((item->codes = list_codes(judgement, err)) == NULL)
        return -1;
    if (judgement->count == 0)
        return 0;
    item->code = judgement->items[0].code;
    return string_copy(judgement->items[0].reason, &item->reason, err);
}

static int add_changes(const struct entry_world *world, const struct entry_group *group,
                       struct entry_answer *out, struct error *err) {
    for (size_t i = 0; i < group->moves.count; i++) {
        const struct entry_move *move = &group->moves.items[i];
        struct entry_change *change = array_add(&out->changes, err);
        if (change == NULL)
            return -1;
        if (string_copy(world->values.items[move->old].line, &change->line, err) < 0 ||
            string_copy(world->values.items[move->new].line, &change->candidate, err) < 0 ||
            string_copy(world->values.items[move->source].line, &change->source, err) < 0)
            return -1;
    }
    return 0;
}

/* The answer is about this snapshot. */
static int take_group(const struct entry_world *world, struct entry_group *group,
                      struct entry_answer *out, struct error *err) {
    copy_id(out->set, group->set);
    out->kept = group->kept;
    group->kept = (struct entry_kept_list){0};
    return add_changes(world, group, out, err);
}

/* ---- the newest changes nothing ---- */

static int answer_nothing(const struct entry_case *c, struct entry_answer *out, struct error *err) {
    copy_id(out->set, c->from->id);
    for (size_t i = 0; i < out->kept.count; i++) {
        if (out->kept.items[i].code != CODE_AMBIGUOUS)
            continue;
        out->code = CODE_AMBIGUOUS;
        return string_copy(out->kept.items[i].reason, &out->reason, err);
    }
    out->up_to_date = true;
    return 0;
}

/* ---- the choice ---- */

/* What --force goes over. */
static int force(const struct entry_judgement *judgement, struct entry_answer *out,
                 struct error *err) {
    if (judgement->count > 0 && judgement->items[0].code == CODE_UNKNOWN_ENTRY)
        return 0;
    out->fits = true;
    if (judgement->count == 0)
        return 0;
    out->overridden = list_codes(judgement, err);
    return out->overridden != NULL ? 0 : -1;
}

static int consider(const struct entry_case *c, struct entry_world *world,
                    struct entry_group *group, bool newest, const struct entry_pause_list *pauses,
                    struct entry_answer *out, struct error *err) {
    struct entry_judgement judgement = {0};
    int result = entry_judge(world, group, pauses, &judgement, err);
    if (result == 0)
        result = add_considered(group, &judgement, out, err);
    if (result == 0 && c->force)
        result = force(&judgement, out, err);
    else if (result == 0)
        out->fits = judgement.count == 0;
    if (result == 0 && newest && !out->fits) {
        out->code = judgement.items[0].code;
        out->when_ms = judgement.when_ms;
        result = string_copy(judgement.items[0].reason, &out->reason, err);
    }
    entry_judgement_clear(&judgement);
    return result;
}

static int choose(const struct entry_case *c, struct entry_world *world,
                  struct entry_group_list *groups, const struct entry_pause_list *pauses,
                  struct entry_answer *out, struct error *err) {
    size_t chosen = 0;
    for (size_t i = 0; i < groups->count && !out->fits; i++) {
        if (consider(c, world, &groups->items[i], i == 0, pauses, out, err) < 0)
            return -1;
        if (out->fits)
            chosen = i;
        if (c->force)
            break;
    }
    if (out->fits && chosen > 0) {
        out->code = CODE_NONE;
        out->when_ms = 0;
        free(out->reason);
        out->reason = NULL;
    }
    return take_group(world, &groups->items[chosen], out, err);
}

static int decide(const struct entry_case *c, struct entry_world *world,
                  struct entry_group_list *groups, struct entry_answer *out, struct error *err) {
    bool nothing;
    if (entry_groups_find(world, ENTRY_SNAPSHOT_LIMIT, groups, &nothing, &out->kept, err) < 0)
        return -1;
    if (nothing)
        return answer_nothing(c, out, err);
    struct entry_pause_list pauses = {0};
    int result = 0;
    if (c->sets != NULL)
        result = entry_pauses(c->ledger, c->config, c->stage, c->sets, c->now_ms, &pauses, err);
    if (result == 0)
        result = choose(c, world, groups, &pauses, out, err);
    entry_pause_list_clear(&pauses);
    return result;
}

int entry_decide(const struct entry_case *c, struct entry_answer *out, struct error *err) {
    *out = (struct entry_answer){0};
    struct entry_world world;
    struct entry_group_list groups = {0};
    int result = entry_world_read(c->ledger, c->config, c->stage, c->from, c->target, c->now_ms,
                                  &world, err);
    if (result == 0)
        result = decide(c, &world, &groups, out, err);
    entry_group_list_clear(&groups);
    entry_world_clear(&world);
    if (result < 0)
        entry_answer_clear(out);
    return result;
}

void entry_answer_clear(struct entry_answer *answer) {
    for (size_t i = 0; i < answer->changes.count; i++) {
        free(answer->changes.items[i].line);
        free(answer->changes.items[i].candidate);
        free(answer->changes.items[i].source);
    }
    free(answer->changes.items);
    entry_kept_list_clear(&answer->kept);
    for (size_t i = 0; i < answer->considered.count; i++) {
        free(answer->considered.items[i].codes);
        free(answer->considered.items[i].reason);
    }
    free(answer->considered.items);
    free(answer->reason);
    free(answer->overridden);
    *answer = (struct entry_answer){0};
}
