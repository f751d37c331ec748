/* listing: updates before they are tested, as `status` and `run --plan` show them: what is newer first, then what nobody knows.
 */
#pragma once

#include "gate/update.h"
#include "reports/table.h"

/* VERDICT_PROMOTE for one that has a candidate and no verdict yet. */
enum verdict listing_state(const struct update *update);

/* in   notes  one for each update, for those without a reason; NULL, or NULL within, for none */
int listing_add(struct table *table, const struct update_list *updates, char *const *notes,
                const struct screen *screen, struct error *err) _must_check_;
