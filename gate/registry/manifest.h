/* manifest: the types of manifests, the digest of an answer, the next page of a list; pure. */
#pragma once

#include "gate/base/http.h"
#include "gate/digest.h"

/* Every type that a registry may keep; without the index types it would quietly answer for amd64. */
#define MANIFEST_ACCEPT                                                                            \
    "Accept: application/vnd.oci.image.index.v1+json, "                                            \
    "application/vnd.docker.distribution.manifest.list.v2+json, "                                  \
    "application/vnd.oci.image.manifest.v1+json, "                                                 \
    "application/vnd.docker.distribution.manifest.v2+json"

/* What a HEAD or GET of a manifest says of its digest.
 *   in   body  of a GET; NULL for a HEAD
 *   out  digest; "" when a HEAD does not tell: ask with GET
 *   err  protocol  header and body disagree, the header is no digest; input-like protocol for schema 1 manifests
 */
int manifest_digest(const struct http_response *response, const struct text *body,
                    char digest[DIGEST_SIZE], struct error *err) _must_check_;

/* The target of Link: <…>; rel="next", or NULL where there is none (without an error) or no memory (with one). */
char *manifest_next_page(const struct http_response *response, struct error *err) _must_check_;
