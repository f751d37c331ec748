/* plan_print: what `run --plan` shows: updates, the trials they need, the bytes these pull. */
#pragma once

#include "pipelines/commands/command.h"
#include "pipelines/gate.h"

/* in: gate, up to gate_size. As schemas/plan.schema.json says with --json. */
int plan_print(struct invocation *invocation, const struct gate *gate,
               struct error *err) _must_check_;
