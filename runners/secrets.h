/* secrets: the files in memory by which a trial's containers get what the caller granted.
 *
 * A secret's value is in no specification, label, variable or trace, and on no disk of the engine. It lies in a volume of memory
 * (tmpfs), which is there while some container that mounts it runs. So a helper container of ours (inside.h) holds it while the
 * trial lasts; archives that are put into that one land in the volume; commands mount it where they cannot write:
 *
 *     secrets_hold(run, spec, err);                 the volume, and its holder; once there is what the first command runs in
 *     secrets_deliver(run, spec, id, err);          before each command starts: the files, for the user of that container alone
 *     secrets_drop(run, spec, keep);                both go; with them what was in memory
 *
 * All three do nothing for a test without secrets.
 *   src  seen on Docker Engine 20.10 and Podman 4.3: an archive that is put into a container before it starts goes nowhere where a
 *        tmpfs is mounted, a volume of memory included
 */
#pragma once

#include "runners/trial_run.h"

int secrets_hold(const struct trial_run *run, const struct trial_spec *spec,
                 struct error *err) _must_check_;
int secrets_deliver(const struct trial_run *run, const struct trial_spec *spec, const char *id,
                    struct error *err) _must_check_;
/* keep: containers that mount the volume stay for a look; without its holder they find it empty. */
void secrets_drop(const struct trial_run *run, const struct trial_spec *spec, bool keep);

/* The volume's name; heap. NULL with *err set. */
char *secrets_volume(const struct trial_run *run, struct error *err) _must_check_;
