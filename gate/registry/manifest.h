/* manifest: the types of manifests, what an answer says of its digest, the next page of a list; pure.
 *
 * An answer is believed when it is a manifest: of the four types, or by its shape where the media type lacks ("manifests" is
 * an index, "config" and "layers" an image). A login page that a proxy slips in with 200 has a sha256 too, and is none.
 *   src  OCI image-spec 1.1, "Image Index", "Image Manifest"; distribution-spec 1.1, "Pulling manifests"; RFC 8288
 */
#pragma once

#include "gate/base/http.h"
#include "gate/digest.h"

/* Every type that a registry may keep; without the index types it would quietly answer for amd64. */
#define MANIFEST_ACCEPT                                                                            \
    "Accept: application/vnd.oci.image.index.v1+json, "                                            \
    "application/vnd.docker.distribution.manifest.list.v2+json, "                                  \
    "application/vnd.oci.image.manifest.v1+json, "                                                 \
    "application/vnd.docker.distribution.manifest.v2+json"

enum manifest_kind {
    MANIFEST_UNKNOWN,
    MANIFEST_IMAGE, /* of one platform */
    MANIFEST_INDEX, /* of several: a list of manifests */
    MANIFEST_OLD    /* schema 1, which has no digest that could be pinned */
};

/* By the Content-Type, parameters and case aside; unknown for NULL. */
enum manifest_kind manifest_kind_of_type(const char *content_type);

/* By the bytes; unknown for what is no manifest, or both an image and an index. */
enum manifest_kind manifest_kind_of_body(const char *bytes, size_t length);

/* What a HEAD or GET of a manifest says of its digest.
 *   in   body  of a GET; NULL for a HEAD
 *   out  digest; "" when a HEAD does not tell digest and type: ask with GET
 *        kind
 *   err  protocol  header and body disagree, the header is no digest, the answer is no manifest or one of schema 1
 */
int manifest_digest(const struct http_response *response, const struct text *body,
                    char digest[DIGEST_SIZE], enum manifest_kind *kind,
                    struct error *err) _must_check_;

/* The target of Link: <…>; rel="next", as it was given; NULL where there is none (without an error) or no memory (with one).
 *
 *     Link   = link *( "," link )
 *     link   = "<" target ">" *( ";" name [ "=" ( word | quoted-string ) ] )
 */
char *manifest_next_page(const struct http_response *response, struct error *err) _must_check_;
