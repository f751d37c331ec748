/* decision: what people said of sets, digests, images and stages, and which of it still counts. Pure.
 *
 * An approval, a denial or a hold counts until its `until`, or until a release in the same words (stage, image, set, digest)
 * that comes later. A release from the future (a clock that jumped) lifts only what is from the future as well, until its
 * time has come: what else it came before, nobody knows.
 */
#pragma once

#include "pipelines/stages/ledger.h"

struct decision_list {
    const struct ledger_entry **items; /* newest first; lent from the ledger */
    size_t count;
    size_t capacity;
};

/* All that count now, of every stage. Takes O(n log n). err: no-memory. */
int decision_list_read(const struct ledger *ledger, int64_t now_ms, struct decision_list *out,
                       struct error *err) _must_check_;
void decision_list_clear(struct decision_list *list);

/* Whether its `until` has not come. */
bool decision_counts(const struct ledger_entry *entry, int64_t at_ms);
/* Whether a ends after b; no end is the latest. */
bool decision_ends_later(const struct ledger_entry *a, const struct ledger_entry *b);
