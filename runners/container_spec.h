/* container_spec: the container that a command of a trial runs in, as the engine is asked for it. */
#pragma once

#include <jansson.h>

#include "runners/engine/labels.h"
#include "runners/trial.h"

/* Names of the trial's volumes. */
struct container_volumes {
    const char *workspace;
    const char *secrets; /* NULL: the test has none */
};

/* The body of POST /containers/create; pure. NULL with *err set. */
json_t *container_spec(const struct trial_spec *trial, size_t step,
                       const struct container_volumes *volumes, const struct labels *labels,
                       struct error *err) _must_check_;
