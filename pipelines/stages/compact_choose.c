#include <stdlib.h>
#include <string.h>

#include "pipelines/stages/compact.h"
#include "pipelines/stages/history.h"

/* One piece of evidence and what it is of. */
struct piece {
    const char *key; /* equal ones are one pointer */
    size_t index;    /* in the ledger; so later ones are newer */
    bool needed;
};

struct choice {
    const struct ledger *ledger;
    struct piece *pieces; /* by key, then index */
    size_t count;
    struct words keys;
    struct arena arena;
};

static const char *key_of(struct choice *choice, const struct ledger_entry *entry, struct text *key,
                          struct error *err) {
    const char *const parts[] = {entry->test,  entry->definition, entry->platform, entry->workspace,
                                 entry->trial, entry->source,     entry->stage};
    text_truncate(key, 0);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        text_add(key, parts[i] != NULL ? parts[i] : "");
        text_add_char(key, '\n');
    }
    for (size_t i = 0; i < entry->value_count; i++) {
        text_add(key, entry->values[i]);
        text_add_char(key, '\n');
    }
    if (text_check(key, err) < 0)
        return NULL;
    return words_add(&choice->keys, &choice->arena, text_string(key), key->length, err);
}

static int compare_pieces(const void *a_pointer, const void *b_pointer) {
    const struct piece *a = a_pointer;
    const struct piece *b = b_pointer;
    if (a->key != b->key)
        return (uintptr_t)a->key < (uintptr_t)b->key ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static int collect(struct choice *choice, struct error *err) {
    _cleanup_(text_clear) struct text key = {0};
    choice->pieces = calloc(choice->ledger->count + 1, sizeof *choice->pieces);
    if (choice->pieces == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < choice->ledger->count; i++) {
        if (choice->ledger->items[i].type != LEDGER_EVIDENCE)
            continue;
        struct piece *piece = &choice->pieces[choice->count++];
        piece->index = i;
        piece->key = key_of(choice, &choice->ledger->items[i], &key, err);
        if (piece->key == NULL)
            return -1;
    }
    if (choice->count > 1)
        qsort(choice->pieces, choice->count, sizeof *choice->pieces, compare_pieces);
    return 0;
}

/* Of each kind of evidence within the entry's values the newest up to that time. */
static int need_for(struct choice *choice, const struct ledger_entry *anchor, struct error *err) {
    struct words digests = {0};
    struct arena arena = {0};
    int result = history_digests(anchor, &digests, &arena, err);
    for (size_t i = 0; result == 0 && i < choice->count;) {
        struct piece *newest = NULL;
        size_t end = i;
        for (; end < choice->count && choice->pieces[end].key == choice->pieces[i].key; end++)
            if (choice->ledger->items[choice->pieces[end].index].time_ms <= anchor->time_ms)
                newest = &choice->pieces[end];
        if (end - i > 1 && newest != NULL && !newest->needed &&
            history_lies_in(&choice->ledger->items[newest->index], &digests))
            newest->needed = true;
        i = end;
    }
    words_clear(&digests);
    arena_clear(&arena);
    return result;
}

static bool is_promotion(const struct ledger_entry *entry) {
    return entry->type == LEDGER_PROMOTED || entry->type == LEDGER_ROLLED_BACK;
}

/* What a stage holds now: the first entry that told of it since it came, and the promotion that brought it. */
static int need_for_stage(struct choice *choice, const char *stage, struct error *err) {
    const struct ledger *ledger = choice->ledger;
    const struct ledger_entry *holds = NULL;
    for (size_t i = ledger->count; i-- > 0;) {
        const struct ledger_entry *entry = &ledger->items[i];
        if ((entry->type != LEDGER_OBSERVED && !is_promotion(entry)) ||
            strcmp(entry->stage, stage) != 0)
            continue;
        if (holds != NULL && strcmp(holds->set, entry->set) != 0)
            break;
        holds = entry;
        if (need_for(choice, entry, err) < 0)
            return -1;
    }
    return 0;
}

static int mark_needed(struct choice *choice, struct error *err) {
    _cleanup_(string_list_clear) struct string_list stages = {0};
    size_t promotions = 0;
    for (size_t i = choice->ledger->count; i-- > 0 && promotions < COMPACT_PROMOTIONS;) {
        const struct ledger_entry *entry = &choice->ledger->items[i];
        if (!is_promotion(entry))
            continue;
        promotions++;
        if (need_for(choice, entry, err) < 0)
            return -1;
    }
    if (history_stages(choice->ledger, &stages, err) < 0)
        return -1;
    for (size_t i = 0; i < stages.count; i++)
        if (need_for_stage(choice, stages.items[i], err) < 0)
            return -1;
    return 0;
}

static void mark_dropped(const struct choice *choice, int64_t now_ms, bool *drop) {
    for (size_t i = 0; i + 1 < choice->count; i++) {
        const struct piece *piece = &choice->pieces[i];
        const struct ledger_entry *entry = &choice->ledger->items[piece->index];
        const struct ledger_entry *next = &choice->ledger->items[piece[1].index];
        drop[piece->index] = piece[1].key == piece->key && !piece->needed &&
                             next->outcome == entry->outcome &&
                             entry->time_ms < now_ms - COMPACT_AGE_MS;
    }
}

int compact_choose(const struct ledger *ledger, int64_t now_ms, bool *drop, struct error *err) {
    struct choice choice = {.ledger = ledger};
    memset(drop, 0, ledger->count * sizeof *drop);
    int result = collect(&choice, err);
    if (result == 0)
        result = mark_needed(&choice, err);
    if (result == 0)
        mark_dropped(&choice, now_ms, drop);
    free(choice.pieces);
    words_clear(&choice.keys);
    arena_clear(&choice.arena);
    return result;
}
