/* helper: asks one of docker's credential helpers, programs named docker-credential-NAME.
 *
 *     docker-credential-NAME get <<<"https://index.docker.io/v1/"      or the host of another registry
 *     {"ServerURL": "…", "Username": "…", "Secret": "…"}
 *
 * The username "<token>" says that the secret is an identity token. "credentials not found" is how helpers say that they know of
 * none. A helper that waits for somebody to unlock a keyring is stopped after HELPER_TIMEOUT_MS.
 *   src  docker-credential-helpers, "Development"
 */
#pragma once

#include "gate/base/cancel.h"
#include "gate/registry/credentials.h"

#define HELPER_TIMEOUT_MS 10000
#define HELPER_OUTPUT_LIMIT                                                                        \
    (256u << 10) /* bytes of its answer; tokens of cloud registries take some KiB */

bool helper_name_valid(
    const char *name); /* a name that can stand in a program's: letters, digits, ".", "_", "-" */
bool helper_installed(const char *name); /* PATH has docker-credential-NAME */

/* in   host  as in references
 * out  credential  empty when the helper knows none; its source is not set
 * err  not-found  no such program;  timeout;  auth  it failed, or its answer makes no sense;  cancelled, no-memory
 */
int helper_ask(const char *name, const char *host, const struct cancel *cancel,
               struct credential *out, struct error *err) _must_check_;
