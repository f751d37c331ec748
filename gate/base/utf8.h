/* utf8: what is valid UTF-8 (RFC 3629: no surrogates, no over-long forms, nothing above U+10FFFF). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define UTF8_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD, for bytes that are none */

/* The length in bytes of the character at the front, or 0 when there is none (bad bytes, or left is 0). */
size_t utf8_length(const char *at, size_t left);
bool utf8_valid(const char *bytes, size_t length);
