/* json_write: a tree of jansson as text, whole or not at all.
 *
 * jansson 2.14 does not look whether the key of a member could be written: where memory ends just there, json_dumps leaves it out
 * and gives what is left as if nothing was. Here each piece goes into a text, which remembers that one of them did not fit.
 */
#pragma once

#include <jansson.h>

#include "gate/base/text.h"

/* Appends. flags: of jansson, such as JSON_COMPACT.
 * err: no-memory, limit (the text's ceiling) */
int json_write(const json_t *json, size_t flags, struct text *out, struct error *err) _must_check_;
