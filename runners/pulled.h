/* pulled: which images runs pulled, so that they go again when nobody needs them, also after a kill.
 *
 * An engine keeps no labels for images that were pulled. So a run makes an empty volume for each, before it pulls, with its own
 * labels and one that names the image (LABEL_IMAGE). An image that is there already and has no such mark was there before all
 * runs, and stays. One that has the mark of another run is shared: this run marks it too, and whoever gives up the last mark
 * removes it. Marks of dead runs are swept like everything else (sweep.h).
 */
#pragma once

#include "runners/engine/engine.h"
#include "runners/engine/labels.h"

/* The marks of living runs on image ("name@digest"), this run's own not among them. */
int pulled_count_others(struct engine *engine, const struct labels *ours, const char *image,
                        size_t *count, struct error *err) _must_check_;

/* Gives up the mark (a volume), and removes the image when that was the last. An image in use stays. */
int pulled_release(struct engine *engine, const struct labels *ours, const char *mark,
                   const char *image, struct error *err) _must_check_;
