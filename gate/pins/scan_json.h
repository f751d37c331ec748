/* scan_json: what `scan --json` prints.
 *
 *     {"version": 1,
 *      "pins": [{"file", "line", "column", "offset", "length", "spans": [{"part", "offset", "length"}], "format",
 *                "reference", "image", "tag" (null where there is none), "digest"}],
 *      "skipped": [{"file", "line", "text", "reason"}]}
 *
 * Names and texts that are not UTF-8 get U+FFFD for each bad byte.
 */
#pragma once

#include <jansson.h>

#include "gate/pins/scan.h"

/* NULL with *err set (no-memory). The caller owns the result. */
json_t *scan_to_json(const struct scan *scan, struct error *err) _must_check_;
