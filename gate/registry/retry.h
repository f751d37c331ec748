/* retry: when a registry is asked again; pure.
 *
 * What may pass is tried again: no answer, 408, 429, 5xx (but 501, which says "never"). The pause doubles from try to try,
 * unless the registry names one.
 *   src  RFC 9110, "Retry-After"
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RETRY_TRIES            5   /* of one request, the first among them */
#define RETRY_FIRST_DELAY_MS   500 /* before the second try; doubles */
#define RETRY_LONGEST_DELAY_MS 10000

bool retry_status(long status); /* an answer that may be another one later */

/* tries: how often it was asked so far, from 1. */
int64_t retry_delay_ms(unsigned int tries);

/* "120" or a date -> milliseconds from now_ms (since 1970) on, not below 0, INT64_MAX when it is beyond all bounds. -1: there is
 * no header (NULL), or it is neither. */
int64_t retry_after_ms(const char *header, int64_t now_ms);
