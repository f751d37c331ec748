/* digest: "sha256:" and 64 lowercase hex digits, the name of exact bytes.
 *
 * Only sha256 is accepted: it is what every registry and engine uses, and a gate should not be talked into another.
 *   src  OCI image-spec, "Digests"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gate/base/error.h"

#define DIGEST_LENGTH       71 /* "sha256:" + 64 */
#define DIGEST_SIZE         72 /* bytes, with the NUL */
#define DIGEST_SHORT_LENGTH 12 /* hex digits that people are shown */

bool digest_valid(const char *text); /* the whole string is a digest */
/* a digest begins here, and no 65th hex digit follows */
bool digest_at(const char *bytes, size_t length);

/* The digest of these bytes. */
int digest_of(const void *bytes, size_t length, char out[DIGEST_SIZE],
              struct error *err) _must_check_;
