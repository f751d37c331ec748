/* updates: the machine form of updates that nobody has tested yet, of `status` and `run --plan`. For people: listing.h.
 *
 * One that has a candidate is `hold / not-tested` in the machine form: so far it may not move.
 */
#pragma once

#include <jansson.h>

#include "pipelines/gate.h"

/* A list, as "updates" of schemas/status.schema.json. NULL with *err set. */
json_t *updates_to_json(const struct gate *gate, struct error *err) _must_check_;

/* How many of `further` would be tried when the candidate fails. */
size_t further_count(const struct update *update);

/* A string of untrusted words. NULL when there is no memory. */
json_t *json_clean(const char *words);

/* The list with one more item; NULL when either is NULL or there is no memory: a list that lost something must not look
 * whole. Both are consumed. */
json_t *json_with_item(json_t *take_list, json_t *take_item);
