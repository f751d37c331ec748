/* credentials: what the user's container tools know of registries: ~/.docker/config.json ($DOCKER_CONFIG).
 *
 * Keys of "auths" come in many forms: host, host:port, https://host, https://host/v1/, and
 * https://index.docker.io/v1/ for Docker Hub. A credential is only ever given for the host it was stored for.
 */
#pragma once

#include "gate/base/error.h"

struct credential {
    char *username;       /* NULL with an identity token */
    char *password;       /* secret */
    char *identity_token; /* secret; NULL where there is none */
    char *source;         /* where it was found, for doctor: "~/.docker/config.json" */
};

struct credentials;

/* Reads the configuration; a missing file is an empty store. err: input when it is malformed (never quotes secrets). */
int credentials_load(struct credentials **out, struct error *err) _must_check_;
void credentials_free(struct credentials *credentials);
void credentials_freep(struct credentials **credentials);

/* domain as in struct reference ("docker.io", "host:port"). *out has all NULL when there is none (anonymous). May run a
 * credential helper. */
int credentials_find(struct credentials *credentials, const char *domain, struct credential *out,
                     struct error *err) _must_check_;
bool credential_empty(const struct credential *credential);
void credential_clear(struct credential *credential); /* wipes the secrets */

/* The hosts there are credentials for, for doctor; never the secrets. NULL-terminated, the store's. */
const char *const *credentials_hosts(const struct credentials *credentials);
