/* grants: what the caller lets tests have of his own: secrets, and variables of his environment.
 *
 * A pull request can edit pingate.yaml, so that file only requests. The caller grants by name, and nothing else of his environment
 * ever reaches a container. A secret's value is delivered as a file in memory (secrets.h) and redacted from all that is read
 * (command_log.h) or written (redact.h); a variable is an ordinary one, that the engine shows to whoever inspects the container.
 */
#pragma once

#include "gate/base/redact.h"
#include "gate/base/text.h"

#define GRANTS_LIMIT       64          /* of each kind */
#define GRANT_SECRET_LEAST 4           /* bytes; a shorter one cannot be told from other text */
#define GRANT_SECRET_LIMIT (64u << 10) /* bytes of one; a certificate with its chain has 10,000 */

struct grant {
    char *name;
    char *value; /* NUL-terminated, and may hold NULs; wiped before it is freed */
    size_t length;
    bool secret;
};

struct grants {
    struct grant *items;
    size_t count;
    size_t capacity;
    struct redact *redact; /* all values of secrets; NULL: there are none */
};

/* NULL: not granted. grants: may be NULL */
const struct grant *grants_find(const struct grants *grants, const char *name, bool secret);

/* Copies the value.
 *   err  limit  a secret that is too short or too long, too many of them */
int grants_add(struct grants *grants, const char *name, const char *value, size_t length,
               bool secret, struct error *err) _must_check_;

/* Once all are there: makes `redact`. */
int grants_seal(struct grants *grants, struct error *err) _must_check_;
void grants_clear(struct grants *grants);
