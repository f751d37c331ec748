/* clock: points in time and durations.
 *
 * Times are milliseconds: since 1970 (UTC) for what is written down, monotonic for what is measured. Durations in
 * configuration need a unit: "500ms", "90s", "5m", "24h", "3d", and sums such as "1h30m".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate/base/error.h"

#define CLOCK_RFC3339_SIZE 32 /* bytes, with the NUL */

int64_t clock_now_ms(void);       /* since 1970; may jump */
int64_t clock_monotonic_ms(void); /* only differences mean something */

/* "2026-11-24T00:05:20Z" */
void clock_rfc3339(int64_t time_ms, char out[CLOCK_RFC3339_SIZE]);

/* "2026-11-24T00:05:20.123Z": the one form of a time in the ledger. A time before 1970 or after 9999 is taken to that end. */
void clock_rfc3339_ms(int64_t time_ms, char out[CLOCK_RFC3339_SIZE]);

/* Reads exactly what clock_rfc3339_ms writes. Pure. */
bool clock_parse_rfc3339_ms(const char *text, int64_t *out_ms) _must_check_;

/* What people write: "2026-11-24", a whole day of UTC; "2026-11-24T10:53Z", with seconds and their parts as well, or with
 * "+01:00" for Z; a blank may stand for the T.
 *
 *   out  first_ms, last_ms  of the day, or twice the same
 *   err  usage, with what was expected */
int clock_parse_time(const char *text, int64_t *first_ms, int64_t *last_ms,
                     struct error *err) _must_check_;

/* Parses a duration. out: milliseconds, at most ten years. err: config, with what was expected. */
int clock_parse_duration(const char *text, int64_t *out_ms, struct error *err) _must_check_;

/* For people: "0.3 s", "12 s", "2 m 3 s", "3 d 2 h". */
void clock_duration_words(int64_t duration_ms, char *out, size_t size);
