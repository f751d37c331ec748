/* base64: RFC 4648, both alphabets. */
#pragma once

#include <stddef.h>

#include "gate/base/text.h"

/* Appends; padded. `url`: the alphabet with - and _. */
void base64_encode(struct text *out, const void *bytes, size_t length, bool url);

/* Appends; takes both alphabets, padded or not. False when it is no base64. */
bool base64_decode(struct text *out, const char *text, size_t length);
