/* dockerfile: the image of each FROM. Private to gate/pins.
 *
 *     FROM [--platform=…] reference [AS name]        in any letter case, quoted or not, over several lines or not
 *
 * Understood: a BOM, CRLF, the parser directive `# escape=`, comments and empty lines between continued lines, heredocs of RUN,
 * COPY and ADD (their bodies are no instructions), JSON forms. A pin's path is "stage N", N counting the FROMs from 0.
 *
 * What is not a whole literal reference (a variable, a part of a name on the next line) is left to the plain text scanner, which
 * finds the default of `${BASE:-redis:7@sha256:…}` and gives a reason for the rest. It also finds what stands elsewhere in the
 * file: ARG, COPY --from, RUN, comments.
 *   src  docs.docker.com/reference/dockerfile; moby/buildkit, frontend/dockerfile/parser (directives, heredocs)
 */
#pragma once

#include "gate/pins/formats.h"

extern const struct pin_format pin_format_dockerfile;
