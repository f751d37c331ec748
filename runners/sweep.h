/* sweep: removes what dead runs left on the engine; never anything of a living one.
 *
 * labels.h tells what is dead. Nothing is ever pruned by a shared label.
 */
#pragma once

#include "runners/engine/engine.h"
#include "runners/engine/labels.h"

/* removed: how many things went. Failures of single removals are passed over: the next run tries again. */
int sweep(struct engine *engine, const struct labels *ours, size_t *removed,
          struct error *err) _must_check_;

/* Removes what this very run still has there, also its marks on images. err: the first thing that could not be removed */
int sweep_own(struct engine *engine, const struct labels *ours, struct error *err) _must_check_;
