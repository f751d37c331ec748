/* lookup: gives each update its rule, and its candidate or the verdict that says why there is none. */
#pragma once

#include "gate/update.h"
#include "pipelines/config.h"

struct lookup_progress {
    void (*looked_up)(void *context, size_t done, size_t total); /* may be NULL */
    void *context;
};

/* Pure: rules from the configuration; updates without a tag to follow are decided (hold / no-tag). */
int lookup_rules(const struct config *config, struct update_list *updates,
                 struct error *err) _must_check_;

/* Asks the registries for every update that is not decided. Afterwards each has a candidate, or is decided (up-to-date,
 * lookup-failed, hold). One failed look-up never harms another. err: cancelled, no-memory. */
int lookup_candidates(const struct config *config, struct update_list *updates,
                      struct cancel *cancel, const struct lookup_progress *progress,
                      struct error *err) _must_check_;
