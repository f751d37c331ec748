/* stages: what waits for each stage, as `status` shows it. Nothing where no stage comes from another one. */
#pragma once

#include <jansson.h>

#include "pipelines/gate.h"
#include "reports/table.h"

/* in: a gate after gate_answer_stages. One row for each stage that comes from another. */
int stages_add(struct table *table, const struct gate *gate, struct error *err) _must_check_;

/* One row for each hold and denial that counts now. */
int stages_add_decisions(struct table *table, const struct gate *gate,
                         struct error *err) _must_check_;

/* The same as "decisions" of schemas/status.schema.json. NULL with *err set. */
json_t *decisions_to_json(const struct gate *gate, struct error *err) _must_check_;

/* A list, as "stages" of schemas/status.schema.json. NULL with *err set. */
json_t *stages_to_json(const struct gate *gate, struct error *err) _must_check_;
