/* pins: one file's bytes through the scanner and back, for the targets of the formats.
 *
 * A fuzzer does not guess 64 hex digits, so in the seeds \x01, \x02 and \x03 stand for "@sha256:" and a digest each.
 */
#pragma once

#include "tests/fuzz/fuzz.h"

/* name: decides which formats look at the bytes. Requires what tests/golden/moved.h says, for a short tag and a long one. */
void fuzz_pins(const char *name, const uint8_t *bytes, size_t size);
