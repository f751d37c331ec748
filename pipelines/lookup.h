/* lookup: gives each update its rule, and its candidate or the verdict that says why there is none.
 *
 *     _cleanup_(lookup_close) struct lookup lookup = {0};
 *     lookup_open(&config, cancel, &lookup, err);
 *     lookup_candidates(&lookup, &updates, &progress, err);      and whatever else is asked of lookup.registry
 */
#pragma once

#include "gate/policy/sightings.h"
#include "gate/registry/registry.h"
#include "gate/update.h"
#include "pipelines/config.h"

/* What cooldowns count from. Empty where no state is kept: everything is then seen for the first time. */
struct lookup_memory {
    struct sighting_list
        known; /* sorted; of earlier runs. The caller adds them after lookup_open */
    struct sighting_list
        seen; /* in this look-up: what registries answered, and pins; for the caller to record */
    int64_t now_ms; /* when the look-up was opened */
};

/* One for all questions of a command: what is asked later finds connections and tokens there. */
struct lookup {
    struct credentials *credentials;
    struct registry *registry; /* NULL: not open */
    struct lookup_memory memory;
};

/* With the settings and credentials of the user. err: input, io, no-memory. */
int lookup_open(const struct config *config, struct cancel *cancel, struct lookup *out,
                struct error *err) _must_check_;
void lookup_close(struct lookup *lookup);

struct lookup_progress {
    void (*looked_up)(void *context, size_t done, size_t total); /* may be NULL */
    void *context;
};

/* Pure: rules from the configuration; updates without a tag to follow are decided (hold / no-tag). */
int lookup_rules(const struct config *config, struct update_list *updates,
                 struct error *err) _must_check_;

/* Asks the registries for every update that is not decided. Afterwards each has a candidate, or is decided (up-to-date,
 * lookup-failed, hold). One failed look-up never harms another. err: cancelled, no-memory. */
int lookup_candidates(struct lookup *lookup, struct update_list *updates,
                      const struct lookup_progress *progress, struct error *err) _must_check_;

/* The next candidate behind one that is given up. */
struct lookup_further {
    char *tag, *digest; /* NULL: there is none */
    bool failed;        /* it could not be looked up */
    char *reason;       /* why there is none; NULL where there is one */
};

/* Asks for the next newest candidate of each update that is wanted: behind its present one, by the same rules of policy and
 * cooldown. Another tag of a digest that was a candidate already is no other candidate, and the pinned digest ends the search.
 * The updates stay as they are, but for `further`.
 *   in   wanted   one an update
 *   out  further  one an update, {0} before; cleared by lookup_further_clear also on -1
 *   err  cancelled, no-memory */
int lookup_further(struct lookup *lookup, struct update_list *updates, const bool *wanted,
                   struct lookup_further *further, struct error *err) _must_check_;
void lookup_further_clear(struct lookup_further *further, size_t count);

/* Asks whether the candidates of all updates that are not decided are still there: no tag is looked at. What is gone is hold /
 * digest-gone, what could not be asked lookup-failed; the others stay undecided. err: cancelled, no-memory. */
int lookup_proofs(struct lookup *lookup, struct update_list *updates,
                  const struct lookup_progress *progress, struct error *err) _must_check_;
