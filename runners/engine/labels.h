/* labels: whose a thing in the engine is. Everything pingate creates carries them.
 *
 * Where host, boot and pid namespace are ours, the process decides: it lives when its pid exists with the same start time.
 * Elsewhere, and where one of the three is not known, only the expiry decides.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "gate/base/error.h"

#define LABEL_RUN "pingate.run" /* a run's own id */
/* On the volumes of pulled.h: the reference that a run pulled. */
#define LABEL_IMAGE "pingate.image"

struct labels {
    const char *run_id;
    /* of the process that made it; "" where it cannot be told; owned */
    char *host, *boot, *namespace;
    long pid;
    char *started;   /* of the process, in clock ticks since boot; owned */
    int64_t expires; /* seconds since 1970 */
};

int labels_init(struct labels *labels, const char *run_id, struct error *err) _must_check_;
void labels_clear(struct labels *labels);
json_t *labels_to_json(const struct labels *labels); /* NULL without memory */

/* Of labels as the engine gave them: "" where the label lacks or is no text. */
const char *labels_text(const json_t *labels, const char *name);

/* Pure: whether a thing with these labels was left by a dead run. alive: whether pid exists with that start time. */
bool labels_of_dead_run(const json_t *theirs, const struct labels *ours, int64_t now_seconds,
                        bool (*alive)(long pid, const char *started));

/* The truth about that: of this machine and this pid namespace. */
bool labels_process_alive(long pid, const char *started);
