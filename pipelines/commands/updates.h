/* updates: how `status` and `run --plan` show updates that nobody has tested yet.
 *
 * One that has a candidate is `hold / not-tested` in the machine form: so far it may not move.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "pipelines/gate.h"

/* A list, as "updates" of schemas/status.schema.json. NULL with *err set. */
json_t *updates_to_json(const struct gate *gate, struct error *err) _must_check_;

/* One line: "redis:7.2.4  candidate  7.2.5@sha256:0123456789ab", or its verdict and reason. */
int update_print(const struct update *update, FILE *out, struct error *err) _must_check_;
