/* container_facts: what the engine tells of a container that runs beside others: how it is asked whether it is well, and where it is
 * reached. */
#pragma once

#include "gate/base/array.h"
#include "runners/engine/engine.h"

struct container_facts {
    struct string_list health; /* the command of its health check; empty: it has none */
    int64_t port;              /* the lowest tcp port that its image exposes; 0: none */
    char *address;             /* numeric, in the network that was asked for; NULL: none */
};

/* Of a container that was started.
 *   in   network  name or id of the network whose address is wanted
 *   err  as of engine_get;  protocol  the answer is malformed */
int container_facts_get(struct engine *engine, const char *id, const char *network,
                        struct container_facts *out, struct error *err) _must_check_;
/* The same from the engine's answer; pure. */
int container_facts_read(const json_t *answer, const char *network, struct container_facts *out,
                         struct error *err) _must_check_;
void container_facts_clear(struct container_facts *facts);
