/* trial_container: makes and removes what one trial has in the engine, so that nothing stays there unseen.
 *
 * Whatever is made has a name that is known before: what was perhaps made by a call that was never answered is removed by it.
 */
#pragma once

#include "runners/trial_run.h"

/* The container of one step, not started.
 *   out  id  owned; NULL on -1, and then there is no container
 *   err  cancelled; as of container_create */
int trial_container_make(const struct trial_run *run, const struct trial_spec *spec, size_t step,
                         char **id, struct error *err) _must_check_;

/* Id of the image that a step runs in. */
const char *trial_step_image(const struct trial_run *run, const struct trial_spec *spec,
                             size_t step);

/* What cannot be removed is told to run->on_left. id: also a name */
void trial_container_remove(const struct trial_run *run, const char *id);

/* For a look (--keep): it is ended, and told to run->on_kept by the beginning of its id. */
void trial_container_leave(const struct trial_run *run, const char *id);
void trial_volume_remove(const struct trial_run *run, const char *name);
void trial_network_remove(const struct trial_run *run, const char *id);

/* Whether a call that failed may have made something all the same. */
bool trial_may_have_worked(const struct error *err);
