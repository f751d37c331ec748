/* registry: asks registries, many questions at once on few connections.
 *
 *     struct registry *registry;
 *     registry_new(&options, cancel, &registry, err);
 *     registry_resolve(registry, &reference, on_digest, context, err);   queues one HEAD
 *     registry_tags(registry, &reference, on_tags, context, err);        queues the pages of the tag list
 *     registry_blobs(registry, &reference, &platform, on_blobs, context, err);   queues one GET, two for an index
 *     registry_config(registry, &reference, &platform, on_config, context, err);  the same, and one GET more
 *     registry_run(registry, err);                                       until all are answered; callbacks may queue more
 *     registry_free(registry);
 *
 * Each question is answered once: with data, or with its own error; one failed look-up never harms another. Retries,
 * rate limits, tokens, redirects and pages are settled inside. Answers are verified: a digest is the sha256 of the exact bytes
 * or the registry's own word for them, and where both are known they must agree.
 *
 * A question's time counts from its first request on, not while it waits for its turn (REGISTRY_ACTIVE_LIMIT). A registry that
 * let questions run out of time and answered nothing else is not asked for the rest: a dead registry costs one time-out, however
 * many images it has.
 *
 * Credentials go to the registry's own origin, and to its token server by the rule of auth.h; never along a redirect to
 * another origin.
 *
 * Errors of an answer: not-found (no such tag or repository), auth, rate-limit, network, timeout, limit, protocol; io when the
 * file with the authorities cannot be read.
 *   src  OCI distribution-spec 1.1
 */
#pragma once

#include <stdint.h>

#include "gate/base/array.h"
#include "gate/base/cancel.h"
#include "gate/reference.h"
#include "gate/registry/content.h"
#include "gate/registry/credentials.h"
#include "gate/registry/manifest.h"

#define REGISTRY_TAGS_LIMIT  200000u /* tags of one image; more is an error */
#define REGISTRY_PAGES_LIMIT 4096u   /* pages of one list: the tags' limit at 50 a page */
#define REGISTRY_ACTIVE_LIMIT                                                                      \
    100u /* questions at a time to one registry: streams that HTTP/2 servers allow */
#define REGISTRY_LOOKUP_TIMEOUT_MS 60000 /* default for one question with its retries and tokens */

struct registry_host {
    char *domain;  /* as in references */
    char *ca_file; /* PEM, NULL is the system's */
    char *
        token_server; /* host that may see its credentials, see auth.h; NULL where the user named none */
    int64_t timeout_ms; /* one question; 0 is the default */
    bool plain_http;    /* by the user's word; loopback hosts need none */
};

struct registry_options {
    const struct registry_host *hosts; /* settings by host; others get the defaults */
    size_t host_count;
    struct credentials *credentials; /* may be NULL: anonymous; must outlive the registry */
    int64_t timeout_ms;              /* one question; 0 is REGISTRY_LOOKUP_TIMEOUT_MS */
};

struct registry;

int registry_new(const struct registry_options *options, struct cancel *cancel,
                 struct registry **out, struct error *err) _must_check_;
void registry_free(struct registry *registry);
void registry_freep(struct registry **registry);

struct registry_digest {
    char digest[DIGEST_SIZE]; /* of the index if there is one */
    enum manifest_kind kind;  /* image or index */
    char *media_type;         /* as the registry said, "" when it did not */
    int64_t size_bytes;       /* of the manifest; -1 when unknown */
};

/* answer is NULL when err is set, and the other way round; both are lent. Return -1 with *fatal set to stop the run. */
typedef int registry_on_digest(void *context, const struct registry_digest *answer,
                               const struct error *err, struct error *fatal);
typedef int registry_on_tags(void *context, const struct string_list *tags, const struct error *err,
                             struct error *fatal);

/* Which digest a tag names now; or, for a reference with a digest and no tag, whether the digest is still there. */
int registry_resolve(struct registry *registry, const struct reference *reference,
                     registry_on_digest *on_digest, void *context, struct error *err) _must_check_;

/* All tags, all pages, in the registry's order. */
int registry_tags(struct registry *registry, const struct reference *reference,
                  registry_on_tags *on_tags, void *context, struct error *err) _must_check_;

typedef int registry_on_blobs(void *context, const struct blob_list *blobs, const struct error *err,
                              struct error *fatal);

/* What an engine pulls for an image on a platform: the blobs of the manifest that the digest names, or of the image that the
 * index of that digest has for the platform. Both are verified by their digests. Each GET is one that registries may count
 * as a pull (Docker Hub does), so it is only asked when somebody wants to see the sizes.
 *
 *   in   reference  with a digest; its tag is not looked at
 *   err  of the answer, besides the above: not-found  the index has no image for the platform;  limit, protocol  as content.h
 */
int registry_blobs(struct registry *registry, const struct reference *reference,
                   const struct platform *platform, registry_on_blobs *on_blobs, void *context,
                   struct error *err) _must_check_;

/* Which manifest a platform's engine takes of an index: its digest, as the index has it, whose bytes are verified; of an image's own
 * manifest, that one: for which platform it is, an engine finds out. One GET.
 *   err  of the answer, besides the above: not-found  the index has no image for the platform;  protocol  as content.h
 */
int registry_child(struct registry *registry, const struct reference *reference,
                   const struct platform *platform, registry_on_digest *on_digest, void *context,
                   struct error *err) _must_check_;

#define REGISTRY_CONFIG_LIMIT                                                                      \
    (1u << 20) /* bytes of an image's configuration; large ones have 100 kB, most of it history */

/* blobs: as they stand in the manifest, the configuration first, then the layers, lowest first. */
typedef int registry_on_config(void *context, const struct blob_list *blobs,
                               const struct text *config, const struct error *err,
                               struct error *fatal);

/* The configuration of an image on a platform, as it was made, without pulling it; and its blobs. As registry_blobs, with one
 * more GET, of a blob, which no registry counts as a pull. Its bytes have the digest that the manifest names; what stands in
 * them was written by whoever made the image.
 *   src  OCI image-spec 1.1, "Image Configuration"
 */
int registry_config(struct registry *registry, const struct reference *reference,
                    const struct platform *platform, registry_on_config *on_config, void *context,
                    struct error *err) _must_check_;

int registry_run(struct registry *registry, struct error *err) _must_check_;

struct registry_counts {
    size_t requests; /* sent, with retries and tokens */
    size_t tokens;   /* of them, for tokens */
    size_t retries;
};
struct registry_counts registry_counts(const struct registry *registry);
