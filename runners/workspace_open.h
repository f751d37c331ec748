/* workspace_open: a trial's workspace may be written by whoever its commands run as.
 *
 * It begins so (workspace.h). But commands in images of different users leave files that only their own user may write: before a command
 * of another image than the last one's, which runs as somebody else than root, a helper container opens them for all. Engines
 * have no call for that; a default access list on the folder would do on a Docker Engine, and Podman drops it.
 */
#pragma once

#include "runners/trial_run.h"

/* Where it is needed. id: the container of that step, made and not started. */
int workspace_open(const struct trial_run *run, const struct trial_spec *spec, size_t step,
                   const char *id, struct error *err) _must_check_;
