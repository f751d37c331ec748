/* entry_parts: what the files of entry share: one reading of the ledger for the step from one stage into the next.
 *
 *     entry_world.c      values by number, their names in the stage that is entered
 *     entry_timeline.c   what stood where and when: soak, arrivals, steps back
 *     entry_decisions.c  denials, holds, approvals (decision.h tells which count)
 *     entry_evidence.c   outcomes by test, values and platform
 *     entry_changes.c    snapshots, and what each would change
 *     entry_judge.c      whether one of them is fit
 *     entry.c, entry_pause.c   the answers
 *
 * Everything is read once, by number: an index into `values`. Pointers into `values` hold until the next value is added.
 */
#pragma once

#include "gate/base/index.h"
#include "pipelines/stages/entry.h"

#define ENTRY_NONE  ((size_t)-1)
#define ENTRY_NEVER INT64_MIN /* a time that is none */

/* The number of the key; `number` where it is new. */
int entry_number(struct index *index, const char *key, size_t length, size_t number, size_t *out,
                 struct error *err) _must_check_;
bool entry_find(const struct index *index, const char *key, size_t length, size_t *out);

/* One test on one combination of values on one platform. */
struct entry_trial {
    const char *test;
    size_t test_number;   /* in the configuration; ENTRY_NONE: recorded from outside */
    const size_t *values; /* in the names it was recorded with */
    size_t value_count;
    int64_t passed,
        failed; /* places of the newest ones in the ledger, from 1; 0: a pass from the future; -1: none */
    const struct ledger_entry *failure; /* the newest */
};

struct entry_trial_link {
    const struct entry_trial *trial;
    struct entry_trial_link *next;
};

struct entry_word_link {
    const struct ledger_entry *entry;
    struct entry_word_link *next;
};

struct entry_value {
    const char *line; /* lent, or in the arena */
    struct set_value parts;
    size_t image; /* number of its image */
    size_t
        here; /* the value with the names of the stage that is entered; ENTRY_NONE: not asked for yet */
    size_t far; /* the same from the names of the stage whose tests count */

    /* in the earlier stage */
    int64_t seen_ms;     /* first observed */
    int64_t open_ms;     /* since when all observations hold it; may lie in the future */
    int64_t longest_ms;  /* how long the longest time was that is over */
    int64_t arrived_ms;  /* see entry.h, "Backwards" */
    bool renewed;        /* arrived by a promotion */
    int64_t reverted_ms; /* the stage went back from it */
    const struct ledger_entry *reverted; /* by that entry */
    size_t observation;                  /* number of the last one that held it, from 1 */

    /* in the stage that is entered */
    int64_t entered_ms;     /* first observed, promoted or rolled back to */
    int64_t arrived_any_ms; /* the newest arrival of a value that has this name here */

    struct entry_trial_link
        *trials;         /* that hold this value, under this name or one that becomes it */
    const size_t *tests; /* of the earlier stage that cover it, by its own name */
    size_t test_count;
    bool tests_known;

    const struct ledger_entry *denied; /* the denial that ends last */
    bool denial_known;

    size_t in_result, in_changes; /* the stamp of the judgement that put it there */
};

struct entry_value_list {
    struct entry_value *items;
    size_t count;
    size_t capacity;
};

struct entry_word_list {
    const struct ledger_entry **items;
    size_t count;
    size_t capacity;
};

struct entry_number_list {
    size_t *items;
    size_t count;
    size_t capacity;
};

/* A change, by numbers. */
struct entry_move {
    size_t old, new, source;
};

struct entry_move_list {
    struct entry_move *items;
    size_t count;
    size_t capacity;
};

/* What a snapshot would do; those that would do the same are one. */
struct entry_group {
    const char *set;  /* of the newest */
    int64_t since_ms; /* 0: never observed */
    bool stands;
    struct entry_move_list moves;
    struct entry_kept_list kept;
    struct {
        const char **items;
        size_t count, capacity;
    } sets; /* all that fell together */
};

struct entry_group_list {
    struct entry_group *items;
    size_t count;
    size_t capacity;
};

struct entry_world {
    const struct ledger *ledger;
    const struct config *config;
    const struct stage *stage, *from;
    const struct stage *tested; /* whose tests count: `from`, or before it */
    const struct set *standing; /* in `from` */
    int64_t now_ms;

    struct arena arena;
    struct index lines, images;
    struct entry_value_list values;
    struct entry_number_list target; /* what stands in the stage */
    struct entry_number_list
        image_target_count; /* by image: how many values of it the stage holds */

    size_t observations;      /* of `from` */
    int64_t last_observed_ms; /* the newest of them */

    struct index words; /* a set or digest -> its number in `said` */
    struct {
        struct entry_word_link **items;
        size_t count, capacity;
    } said; /* approvals and denials by it */
    struct entry_word_list selector_denials, holds, image_holds;
    const struct ledger_entry *unknown; /* a critical entry of an unknown type */

    struct index trials_index;
    struct {
        struct entry_trial **items;
        size_t count, capacity;
    } trials;
    size_t stamp;
};

/* ---- entry_world.c ---- */

/* Reads the ledger for that step. standing, target: what stands in stage->from and in the stage. */
int entry_world_read(const struct ledger *ledger, const struct config *config,
                     const struct stage *stage, const struct set *standing,
                     const struct set *target, int64_t now_ms, struct entry_world *out,
                     struct error *err) _must_check_;
void entry_world_clear(struct entry_world *world);

/* err: input when the line is no value. */
int entry_value_number(struct entry_world *world, const char *line, size_t *out,
                       struct error *err) _must_check_;
/* Fills `here` and `far` of a value. */
int entry_value_rename(struct entry_world *world, size_t value, struct error *err) _must_check_;
int64_t entry_time(const struct entry_world *world, const struct ledger_entry *entry);
bool entry_image_is_pinned(const struct entry_world *world, size_t image); /* in the stage */
/* "redis:7.2", or with the beginning of its digest where tags do not tell. NULL with *err set. */
char *entry_value_words(const struct entry_world *world, size_t value, struct error *err);

/* ---- entry_timeline.c ---- */

int entry_timeline_read(struct entry_world *world, struct error *err) _must_check_;
/* How long all observations held it, at the longest; at: now or later. */
int64_t entry_soaked_ms(const struct entry_world *world, size_t value, int64_t at_ms);
bool entry_stands(const struct entry_world *world, size_t value); /* in `from` now */
/* Whether to go from old to new would be backwards: see entry.h. */
bool entry_is_backwards(const struct entry_world *world, const struct entry_move *move);

/* ---- entry_decisions.c ---- */

int entry_decisions_read(struct entry_world *world, struct error *err) _must_check_;
/* The denial of a value by digest or selector that ends last, or NULL. source: its number in the earlier stage's names. */
const struct ledger_entry *entry_value_denial(struct entry_world *world, size_t value,
                                              size_t source);
/* What was said of a set or digest; a list, NULL for nothing. */
const struct entry_word_link *entry_said(const struct entry_world *world, const char *word);
/* The hold that keeps this change from happening, or NULL. */
const struct ledger_entry *entry_image_hold(const struct entry_world *world,
                                            const struct entry_move *move);

/* ---- entry_evidence.c ---- */

int entry_evidence_read(struct entry_world *world, struct error *err) _must_check_;
/* Whether the trial is about the result that is stamped. */
bool entry_trial_lies_in_result(const struct entry_world *world, const struct entry_trial *trial);
bool entry_trial_revokes(const struct entry_world *world, const struct entry_trial *trial);
/* Fills `tests` of a value: those of the earlier stage that cover it. */
int entry_tests_of(struct entry_world *world, size_t value, struct error *err) _must_check_;

/* ---- entry_changes.c ---- */

/* The snapshots that would change something, newest first, until one that would not.
 *   in   limit    how many to look at; the first is what stands there now
 *   out  nothing  the newest would change nothing: no groups, and what is kept of it in *kept */
int entry_groups_find(struct entry_world *world, size_t limit, struct entry_group_list *groups,
                      bool *nothing, struct entry_kept_list *kept, struct error *err) _must_check_;
void entry_group_list_clear(struct entry_group_list *groups);
void entry_kept_list_clear(struct entry_kept_list *kept);

/* ---- entry_judge.c ---- */

struct entry_finding {
    enum verdict_code code;
    char *reason;    /* of the first that it was found of */
    int64_t when_ms; /* when time alone ends it; 0: never */
    size_t count;    /* of how many it was found */
};

struct entry_judgement {
    struct entry_finding *items; /* in the order of entry.h, a code once; empty: fit */
    size_t count;
    size_t capacity;
    int64_t when_ms; /* when time alone makes it fit; 0: never, or unknown */
};

/* pauses: of the stage that is entered; may be NULL. */
int entry_judge(struct entry_world *world, const struct entry_group *group,
                const struct entry_pause_list *pauses, struct entry_judgement *out,
                struct error *err) _must_check_;
/* Whether that change of what stands in the earlier stage waits for nothing but time.
 *   out  soaks     false: it soaked, or waiting leads nowhere (see entry_pauses)
 *        until_ms  when its soak is done; 0: it was not yet observed */
int entry_soaks(struct entry_world *world, const struct entry_group *group, size_t move,
                bool *soaks, int64_t *until_ms, struct error *err) _must_check_;
void entry_judgement_clear(struct entry_judgement *judgement);
