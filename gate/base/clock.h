/* clock: points in time and durations.
 *
 * Times are milliseconds: since 1970 (UTC) for what is written down, monotonic for what is measured. Durations in
 * configuration need a unit: "500ms", "90s", "5m", "24h", "3d", and sums such as "1h30m".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gate/base/error.h"

#define CLOCK_RFC3339_SIZE 32 /* bytes, with the NUL */

int64_t clock_now_ms(void);       /* since 1970; may jump */
int64_t clock_monotonic_ms(void); /* only differences mean something */

/* "2026-11-24T00:05:20Z" */
void clock_rfc3339(int64_t time_ms, char out[CLOCK_RFC3339_SIZE]);

/* Parses a duration. out: milliseconds, at most ten years. err: config, with what was expected. */
int clock_parse_duration(const char *text, int64_t *out_ms, struct error *err) _must_check_;

/* For people: "0.3 s", "12 s", "2 m 3 s", "3 d 2 h". */
void clock_duration_words(int64_t duration_ms, char *out, size_t size);
