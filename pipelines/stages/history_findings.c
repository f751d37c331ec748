#include <stdlib.h>
#include <string.h>

#include "gate/set.h"
#include "pipelines/stages/history.h"

static const char *const oddity_names[HISTORY_ODDITY_COUNT] = {
    [HISTORY_FUTURE] = "future",
    [HISTORY_UNKNOWN] = "unknown-type",
    [HISTORY_CRITICAL] = "critical",
    [HISTORY_UNKNOWN_SET] = "unknown-set",
    [HISTORY_OTHER_SET] = "set-not-of-values",
};

const char *history_oddity_name(enum history_oddity oddity) {
    return oddity_names[oddity];
}

static int add(struct history_finding_list *out, enum history_oddity oddity,
               const struct ledger_entry *entry, struct error *err) {
    struct history_finding *finding = array_add(out, err);
    if (finding == NULL)
        return -1;
    *finding = (struct history_finding){oddity, entry};
    return 0;
}

static bool names_set_of_values(const struct ledger_entry *entry) {
    return entry->type == LEDGER_OBSERVED || entry->type == LEDGER_PROMOTED ||
           entry->type == LEDGER_ROLLED_BACK;
}

/* The ids that stood somewhere, or were copied. */
static int known_sets(const struct ledger *ledger, struct words *out, struct arena *arena,
                      struct error *err) {
    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_entry *entry = &ledger->items[i];
        const char *const ids[] = {entry->set, entry->before, entry->snapshot};
        for (size_t j = 0; names_set_of_values(entry) && j < sizeof ids / sizeof *ids; j++)
            if (ids[j] != NULL && words_add(out, arena, ids[j], strlen(ids[j]), err) == NULL)
                return -1;
    }
    return 0;
}

static int check_set(const struct ledger_entry *entry, struct history_finding_list *out,
                     struct error *err) {
    struct set set = {0};
    int result = set_of_lines(entry->values, entry->value_count, &set, err);
    if (result == 0 && strcmp(set.id, entry->set) != 0)
        result = add(out, HISTORY_OTHER_SET, entry, err);
    set_clear(&set);
    return result;
}

static int look_at(const struct ledger_entry *entry, const struct words *known, int64_t now_ms,
                   struct history_finding_list *out, struct error *err) {
    if (entry->time_ms > now_ms + HISTORY_FUTURE_MS && add(out, HISTORY_FUTURE, entry, err) < 0)
        return -1;
    if (entry->type == LEDGER_UNKNOWN)
        return add(out, entry->critical ? HISTORY_CRITICAL : HISTORY_UNKNOWN, entry, err);
    if (names_set_of_values(entry))
        return check_set(entry, out, err);
    if (entry->set != NULL && words_find(known, entry->set, strlen(entry->set)) == NULL)
        return add(out, HISTORY_UNKNOWN_SET, entry, err);
    return 0;
}

int history_findings(const struct ledger *ledger, int64_t now_ms, struct history_finding_list *out,
                     struct error *err) {
    struct words known = {0};
    struct arena arena = {0};
    *out = (struct history_finding_list){0};
    int result = known_sets(ledger, &known, &arena, err);
    for (size_t i = 0; result == 0 && i < ledger->count; i++)
        result = look_at(&ledger->items[i], &known, now_ms, out, err);
    words_clear(&known);
    arena_clear(&arena);
    if (result < 0)
        history_finding_list_clear(out);
    return result;
}

void history_finding_list_clear(struct history_finding_list *findings) {
    free(findings->items);
    *findings = (struct history_finding_list){0};
}
