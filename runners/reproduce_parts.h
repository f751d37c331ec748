/* reproduce_parts: what the files of reproduce share; nobody else includes it. */
#pragma once

#include "runners/reproduce.h"

void reproduce_quote(struct text *out, const char *word);
/* " OPTION 'value'" */
void reproduce_add_option(struct text *line, const char *option, const char *value);

#define REPRODUCE_NETWORK "pingate-look"

/* What comes before and behind the `docker run` of the command where the test has services: a subshell that makes the network,
 * starts them one after the other as far as the docker CLI can tell that they are ready, and takes all away at its end. */
void reproduce_services_before(struct text *line, const struct trial_spec *spec);
void reproduce_services_behind(struct text *line, const struct trial_spec *spec);
