/* history: what people ask the ledger afterwards: which entries are about this; what stood there on that day, and on what
 * evidence. Pure: a sorted ledger goes in. It judges nothing: whether a set may enter is entry.h's.
 */
#pragma once

#include "pipelines/stages/ledger.h"

/* Which entries; what is NULL or 0 does not matter. */
struct history_query {
    const char *stage; /* entries about it, and decisions that hold for every stage */
    const struct string_list
        *images;               /* selectors; entries about one of the images that they name */
    const char *set;           /* its id; entries that name it, and evidence of its values */
    unsigned int types;        /* 1 << type */
    int64_t first_ms, last_ms; /* of their times; last 0: no end */
};

struct history_entries {
    const struct ledger_entry **items; /* newest first; lent from the ledger */
    size_t count;
    size_t capacity;
};

int history_select(const struct ledger *ledger, const struct history_query *query,
                   struct history_entries *out, struct error *err) _must_check_;
void history_entries_clear(struct history_entries *entries);

/* The set that begins with these digits.
 * err: usage, when none does that the ledger knows, or several do */
int history_find_set(const struct ledger *ledger, const char *digits, const char **id,
                     struct error *err) _must_check_;

/* An entry that tells the values of the set, or NULL. */
const struct ledger_entry *history_set_entry(const struct ledger *ledger, const char *id);

/* The stages that entries are about, sorted. */
int history_stages(const struct ledger *ledger, struct string_list *out,
                   struct error *err) _must_check_;

/* A time in which one set stood in a stage, as far as the ledger tells. */
struct history_stand {
    const char *stage;
    const struct ledger_entry *first; /* that told of it: observed, promoted or rolled-back */
    const struct ledger_entry
        *carrier;               /* the promotion or rollback that brought it; NULL: not known */
    int64_t since_ms, until_ms; /* until 0: it still stands there */
};

struct history_stand_list {
    struct history_stand *items; /* by time */
    size_t count;
    size_t capacity;
};

/* What stood in the stage at some time from first to last. */
int history_stood(const struct ledger *ledger, const char *stage, int64_t first_ms, int64_t last_ms,
                  struct history_stand_list *out, struct error *err) _must_check_;
void history_stand_list_clear(struct history_stand_list *stands);

/* One entry that speaks for or against a value that stood. */
struct history_proof {
    size_t value;                     /* index in stand->first->values */
    const struct ledger_entry *entry; /* evidence: the newest of its test, platform and source */
    bool later;                       /* it failed after the set had come in */
};

struct history_proof_list {
    struct history_proof *items; /* by value, newest first */
    size_t count;
    size_t capacity;
};

/* The evidence on which the set came in: of each value and each test the newest until then, of which all that took part lies in
 * the set; and what failed since, until last_ms. Compared by digest: a stage's `map` may give images other names. */
int history_proofs(const struct ledger *ledger, const struct history_stand *stand, int64_t last_ms,
                   struct history_proof_list *out, struct error *err) _must_check_;
void history_proof_list_clear(struct history_proof_list *proofs);

/* The approvals for that stage that name the set, the snapshot it was copied from, or one of its digests, until it came in. */
int history_approvals(const struct ledger *ledger, const struct history_stand *stand,
                      struct history_entries *out, struct error *err) _must_check_;

/* The digests of an entry's values. */
int history_digests(const struct ledger_entry *entry, struct words *out, struct arena *arena,
                    struct error *err) _must_check_;
/* Whether all that took part in the evidence is among the digests. */
bool history_lies_in(const struct ledger_entry *evidence, const struct words *digests);

/* What is odd in a ledger that is whole. */
enum history_oddity {
    HISTORY_FUTURE,      /* an entry from later than now */
    HISTORY_UNKNOWN,     /* an entry of a type that this version does not know */
    HISTORY_CRITICAL,    /* the same, and it blocks every promotion */
    HISTORY_UNKNOWN_SET, /* a decision about a set that nothing tells of */
    HISTORY_OTHER_SET,   /* a set's id is not that of its values */
    HISTORY_ODDITY_COUNT
};

#define HISTORY_FUTURE_MS                                                                          \
    (5 * 60000) /* clocks of CI machines differ by so much, and nobody minds */

struct history_finding {
    enum history_oddity oddity;
    const struct ledger_entry *entry;
};

struct history_finding_list {
    struct history_finding *items; /* in the order of the ledger */
    size_t count;
    size_t capacity;
};

const char *history_oddity_name(enum history_oddity oddity); /* "unknown-set" */
int history_findings(const struct ledger *ledger, int64_t now_ms, struct history_finding_list *out,
                     struct error *err) _must_check_;
void history_finding_list_clear(struct history_finding_list *findings);
