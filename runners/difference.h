/* difference: where the output of a command first is another one than on the current digests; for people who ask why a test fails
 * now.
 *
 * Lines are compared without what differs from run to run anyway: digests and ids (12 and more hex digits, UUIDs), dates and times,
 * durations, IPv4 addresses, ports, addresses in memory, process ids. That leaves more out than it must: a difference that is
 * shown shall be one, and both logs are there whole. Bytes are compared, no characters; nothing is known of what they mean.
 */
#pragma once

#include <stdio.h>

#include "gate/base/text.h"

#define DIFFERENCE_LINE_BYTES  4096u    /* of each line that are compared */
#define DIFFERENCE_SHOWN_BYTES 160u     /* of each line that are shown */
#define DIFFERENCE_LINES       1000000u /* of each output; what follows is not compared */

/* Adds the line with "<time>" and its kin for what differs from run to run. Pure. */
void difference_normalise(const char *line, size_t length, struct text *out);

/* Reads both to the first line that differs.
 *   in   now, before  positioned at the beginning; binary
 *   out  words  "line 3: \"b\", and \"a\" on the current digest"; the line as it was; NULL where nothing differs; owned
 *   err  no-memory. What cannot be read ends there. */
int difference_find(FILE *now, FILE *before, char **words, struct error *err) _must_check_;
