/* reproduce: a line for a shell that runs one command of a trial again with the docker CLI. */
#pragma once

#include "runners/trial.h"

/* Limits and all; where the image is built, with `docker build` before it, from the side Dockerfile in the log folder (trial_build.h); quoted so that it can be pasted. NULL with *err set. */
char *reproduce_command(const struct trial_spec *spec, size_t step, struct error *err) _must_check_;
