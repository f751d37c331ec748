/* network: makes and removes networks of containers.
 *
 * A name is no identity: engines before API 1.44 take a second network of one name unless they are told to look, and what is removed
 * by a name may then be the other. So a network is removed by its id; by its name only what was perhaps made by a call that was
 * never answered.
 *   src  Docker Engine API 1.41, POST /networks/create; seen on Docker Engine 20.10 and Podman 4.3
 */
#pragma once

#include "runners/engine/engine.h"
#include "runners/engine/labels.h"

/* A bridge network of its own.
 *   in   internal  there is no way out of it
 *   out  id        owned; NULL on -1
 *   err  conflict  the name is taken;  engine (as when all address ranges are in use), protocol, network, timeout */
int network_create(struct engine *engine, const char *name, const struct labels *labels,
                   bool internal, char **id, struct error *err) _must_check_;
/* id: or name. Gone already is fine; one that has containers is refused. */
int network_remove(struct engine *engine, const char *id, struct error *err);
