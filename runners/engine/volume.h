/* volume: makes and removes volumes by name. */
#pragma once

#include "runners/engine/engine.h"
#include "runners/engine/labels.h"

/* image: for LABEL_IMAGE; NULL for none */
int volume_create(struct engine *engine, const char *name, const struct labels *labels,
                  const char *image, struct error *err) _must_check_;
/* One that is nowhere on a disk: what is in it is there for as long as some container that mounts it runs. */
int volume_create_in_memory(struct engine *engine, const char *name, const struct labels *labels,
                            struct error *err) _must_check_;
/* Gone already is fine. */
int volume_remove(struct engine *engine, const char *name, struct error *err);
