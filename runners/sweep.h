/* sweep: removes what dead runs left on the engine; never anything of a living one.
 *
 * Everything carries labels (engine/container.h). Where host, boot and pid namespace are ours, the process decides: it lives
 * when its pid exists with the same start time. Elsewhere, and where one of the three is not known, only the expiry decides.
 * Nothing is ever pruned by a shared label.
 */
#pragma once

#include "runners/engine/container.h"

/* Pure: whether a thing with these labels was left by a dead run. alive: whether pid exists with that start time. */
bool sweep_is_dead(const json_t *their_labels, const struct labels *ours, int64_t now_seconds,
                   bool (*alive)(long pid, const char *started));

/* The truth about that: of this machine and this pid namespace. */
bool sweep_process_alive(long pid, const char *started);

/* removed: how many things went. Failures of single removals are passed over: the next run tries again. */
int sweep(struct engine *engine, const struct labels *ours, size_t *removed,
          struct error *err) _must_check_;
