/* credentials: what the user's container tools know of registries: docker's and podman's files, and credential helpers.
 *
 * The files, in this order; the first that knows an image's registry is taken:
 *
 *     $REGISTRY_AUTH_FILE                                      when it is set, it alone
 *     $DOCKER_CONFIG/config.json, else ~/.docker/config.json
 *     $XDG_RUNTIME_DIR/containers/auth.json
 *     $XDG_CONFIG_HOME/containers/auth.json, else ~/.config/containers/auth.json
 *
 * Within a file the helper of "credHelpers" for the host comes first, then "credsStore", then "auths". Keys of "auths" come in
 * many forms: host, host:port, https://host, https://host/v1/, https://index.docker.io/v1/ for Docker Hub; and host/path, which
 * is for the images below that path only. Of several that fit, the longest is taken.
 *
 * A credential is only ever given for the host it was stored for. No message quotes a secret.
 */
#pragma once

#include "gate/base/array.h"
#include "gate/base/cancel.h"
#include "gate/base/error.h"

#define CREDENTIALS_FILE_LIMIT (1u << 20) /* bytes of one file */

struct credential {
    char *username;       /* NULL where there is none */
    char *password;       /* secret; NULL with an identity token */
    char *identity_token; /* secret; NULL where there is none */
    char *source;         /* where it was found: a file, or the helper and the file that names it */
    char *note;           /* why nothing was found, when that is worth telling; NULL otherwise */
};

struct credentials;

/* Reads the files; a missing one is empty, but for the one that REGISTRY_AUTH_FILE names.
 *   in   cancel  ends a helper that runs; may be NULL; must outlive the store
 *   err  input   malformed; the message names file and place, and never quotes secrets.  io
 */
int credentials_load(struct cancel *cancel, struct credentials **out,
                     struct error *err) _must_check_;

/* One file from bytes, as if it were the only one; for tests. */
int credentials_parse(const char *file, const char *bytes, size_t length, struct credentials **out,
                      struct error *err) _must_check_;
void credentials_free(struct credentials *credentials);
void credentials_freep(struct credentials **credentials);

/* The credential for an image ("docker.io/library/redis"), or for a registry alone ("docker.io", "host:port"). Anonymous, with
 * all NULL but perhaps a note, when there is none. May run a credential helper, once for each host; not for several threads at
 * a time.
 *   err  auth  the helper that "credHelpers" names for this host lacks, fails or hangs;  cancelled
 */
int credentials_find(struct credentials *credentials, const char *image, struct credential *out,
                     struct error *err) _must_check_;
bool credential_empty(const struct credential *credential);
void credential_clear(struct credential *credential); /* wipes the secrets */

/* The hosts (and paths) there are credentials for, for doctor; never the secrets. NULL-terminated, the store's. */
const char *const *credentials_hosts(const struct credentials *credentials);

/* The helper programs that the files name and PATH lacks, as sentences, for doctor. */
int credentials_problems(const struct credentials *credentials, struct string_list *out,
                         struct error *err) _must_check_;
