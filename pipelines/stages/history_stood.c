#include <stdlib.h>
#include <string.h>

#include "gate/set.h"
#include "pipelines/stages/history.h"

static bool tells_what_stands(const struct ledger_entry *entry, const char *stage) {
    return (entry->type == LEDGER_OBSERVED || entry->type == LEDGER_PROMOTED ||
            entry->type == LEDGER_ROLLED_BACK) &&
           strcmp(entry->stage, stage) == 0;
}

int history_stood(const struct ledger *ledger, const char *stage, int64_t first_ms, int64_t last_ms,
                  struct history_stand_list *out, struct error *err) {
    struct history_stand *last = NULL;
    *out = (struct history_stand_list){0};
    for (size_t i = 0; i < ledger->count && ledger->items[i].time_ms <= last_ms; i++) {
        const struct ledger_entry *entry = &ledger->items[i];
        if (!tells_what_stands(entry, stage))
            continue;
        bool carries = entry->type != LEDGER_OBSERVED;
        if (last != NULL && strcmp(last->first->set, entry->set) == 0) {
            if (last->carrier == NULL && carries)
                last->carrier = entry;
            continue;
        }
        if (last != NULL)
            last->until_ms = entry->time_ms;
        if (last != NULL && last->until_ms <= first_ms)
            out->count--; /* over before it matters */
        last = array_add(out, err);
        if (last == NULL)
            return -1;
        *last =
            (struct history_stand){entry->stage, entry, carries ? entry : NULL, entry->time_ms, 0};
    }
    /* what ended the last one may be later than asked for */
    for (size_t i = 0; last != NULL && i < ledger->count; i++) {
        const struct ledger_entry *entry = &ledger->items[i];
        if (entry->time_ms > last_ms && tells_what_stands(entry, stage) &&
            strcmp(entry->set, last->first->set) != 0) {
            last->until_ms = entry->time_ms;
            break;
        }
    }
    return 0;
}

void history_stand_list_clear(struct history_stand_list *stands) {
    free(stands->items);
    *stands = (struct history_stand_list){0};
}

static bool has_digest(const struct ledger_entry *entry, const char *digest) {
    for (size_t i = 0; i < entry->value_count; i++)
        if (string_has_suffix(entry->values[i], digest))
            return true;
    return false;
}

static bool same_source(const struct ledger_entry *a, const struct ledger_entry *b) {
    return strcmp(a->test, b->test) == 0 && strcmp(a->platform, b->platform) == 0 &&
           strcmp(a->source, b->source) == 0;
}

static int64_t came_in_ms(const struct history_stand *stand) {
    return stand->carrier != NULL ? stand->carrier->time_ms : stand->since_ms;
}

/* about: evidence within the set, newest first. */
static int prove_value(const struct history_entries *about, const struct history_stand *stand,
                       size_t value, struct history_proof_list *out, struct error *err) {
    const char *digest = strrchr(stand->first->values[value], '@');
    size_t before = out->count;
    for (size_t i = 0; i < about->count; i++) {
        const struct ledger_entry *entry = about->items[i];
        bool later = entry->time_ms > came_in_ms(stand);
        if (digest == NULL || !has_digest(entry, digest) ||
            (later && !outcome_is_failure(entry->outcome)))
            continue;
        size_t j = before;
        while (j < out->count &&
               (out->items[j].later != later || !same_source(out->items[j].entry, entry)))
            j++;
        if (j < out->count)
            continue;
        struct history_proof *proof = array_add(out, err);
        if (proof == NULL)
            return -1;
        *proof = (struct history_proof){value, entry, later};
    }
    return 0;
}

static int evidence_within(const struct ledger *ledger, const struct words *digests,
                           int64_t last_ms, struct history_entries *out, struct error *err) {
    for (size_t i = ledger->count; i-- > 0;) {
        const struct ledger_entry *entry = &ledger->items[i];
        if (entry->type != LEDGER_EVIDENCE || entry->time_ms > last_ms || entry->value_count == 0 ||
            !history_lies_in(entry, digests))
            continue;
        const struct ledger_entry **item = array_add(out, err);
        if (item == NULL)
            return -1;
        *item = entry;
    }
    return 0;
}

int history_proofs(const struct ledger *ledger, const struct history_stand *stand, int64_t last_ms,
                   struct history_proof_list *out, struct error *err) {
    struct words digests = {0};
    struct arena arena = {0};
    struct history_entries about = {0};
    if (stand->until_ms != 0 && stand->until_ms < last_ms)
        last_ms = stand->until_ms;
    *out = (struct history_proof_list){0};
    int result = history_digests(stand->first, &digests, &arena, err);
    if (result == 0)
        result = evidence_within(ledger, &digests, last_ms, &about, err);
    for (size_t i = 0; result == 0 && i < stand->first->value_count; i++)
        result = prove_value(&about, stand, i, out, err);
    history_entries_clear(&about);
    words_clear(&digests);
    arena_clear(&arena);
    if (result < 0)
        history_proof_list_clear(out);
    return result;
}

void history_proof_list_clear(struct history_proof_list *proofs) {
    free(proofs->items);
    *proofs = (struct history_proof_list){0};
}

static bool approves(const struct ledger_entry *entry, const struct history_stand *stand) {
    if (entry->type != LEDGER_APPROVED || strcmp(entry->stage, stand->stage) != 0 ||
        entry->time_ms > came_in_ms(stand) ||
        (entry->until_ms != 0 && entry->until_ms < came_in_ms(stand)))
        return false;
    if (entry->digest != NULL && has_digest(stand->first, entry->digest))
        return true;
    return entry->set != NULL &&
           (strcmp(entry->set, stand->first->set) == 0 ||
            (stand->carrier != NULL && string_equal(entry->set, stand->carrier->snapshot)));
}

int history_approvals(const struct ledger *ledger, const struct history_stand *stand,
                      struct history_entries *out, struct error *err) {
    *out = (struct history_entries){0};
    for (size_t i = ledger->count; i-- > 0;) {
        if (!approves(&ledger->items[i], stand))
            continue;
        const struct ledger_entry **item = array_add(out, err);
        if (item == NULL)
            return -1;
        *item = &ledger->items[i];
    }
    return 0;
}
