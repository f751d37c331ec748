/* reproduce: a line for a shell that runs one command of a trial again with the docker CLI. */
#pragma once

#include "runners/trial.h"

/* Limits and all; where the image is built, with `docker build` in the line, from the side Dockerfile in the log folder (trial_build.h);
 * quoted so that it can be pasted. What the caller granted is in no line: of his variables their names are, and for each secret NAME a
 * variable NAME_FILE, that the shell asks for. NULL with *err set. */
char *reproduce_command(const struct trial_spec *spec, size_t step, struct error *err) _must_check_;
