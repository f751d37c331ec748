/* json: the machine forms as text: result.json and what commands print with --json.
 */
#pragma once

#include <jansson.h>

#include "gate/base/text.h"

/* Two spaces of indent, fields in their order, ASCII alone and a newline at the end. "##" is written with an escape, so
 * that a CI system that reads the output obeys nothing in it: "##vso[" can be in any text, and a JSON text holds "##" only
 * within strings. err: no-memory; bug when json is NULL or holds invalid UTF-8. */
int json_draw(const json_t *json, struct text *out, struct error *err) _must_check_;
