/* service_spec: the container that a service of a trial runs in, as the engine is asked for it. */
#pragma once

#include <jansson.h>

#include "runners/engine/labels.h"
#include "runners/trial.h"

/* The body of POST /containers/create; pure. A health check of the test's own is not in it: ready_healthy.c runs it.
 * network: its id. NULL with *err set. */
json_t *service_spec(const struct trial_spec *trial, size_t service, const char *network,
                     const struct labels *labels, struct error *err) _must_check_;
