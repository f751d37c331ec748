/* content: what manifests hold: which image of an index a machine runs, and the blobs that an engine pulls for an image; pure.
 *
 *     index  { "manifests": [ { "digest", "size", "platform": { "os", "architecture", "variant" } }, … ] }
 *     image  { "config": { "digest", "size" }, "layers": [ { "digest", "size" }, … ] }
 *
 * The bytes come from strangers, and a number that is shown is believed: what lacks, stands twice, or is no number that could be
 * a size is an error and never a guess. The types of the parts play no role: some registries leave them out.
 *   src  OCI image-spec 1.1, "Image Index", "Image Manifest", "Content Descriptors"; distribution, "Image Manifest V 2, Schema 2"
 */
#pragma once

#include <stdint.h>

#include "gate/base/array.h"
#include "gate/digest.h"
#include "gate/platform.h"

#define CONTENT_LAYERS_LIMIT 1000u /* of one image; engines stack fewer than 130 */
#define CONTENT_BLOB_LIMIT                                                                         \
    (INT64_C(1) << 44) /* bytes of one blob, 16 TiB; sums of them stay far from overflow */

struct blob {
    char digest[DIGEST_SIZE];
    int64_t size_bytes; /* as it is stored and sent: layers mostly compressed */
};

struct blob_list {
    struct blob *items;
    size_t count;
    size_t capacity;
};

/* Which image of an index runs on a platform. Attestations, which stand there for "unknown/unknown", run on none.
 *   out  digest     its manifest's; "" on -1
 *   err  not-found  none runs there;  protocol  no index, or two images that run there equally well
 */
int content_child(const char *bytes, size_t length, const struct platform *platform,
                  char digest[DIGEST_SIZE], struct error *err) _must_check_;

/* Adds an image's config and layers to the list; it is as it was on -1.
 *   err  protocol  no manifest of an image, or one that does not tell digest and size of all its parts;  limit
 */
int content_blobs(const char *bytes, size_t length, struct blob_list *blobs,
                  struct error *err) _must_check_;

/* Adds up the sizes, each digest once: an engine pulls it once, for however many images.
 *   in   blobs  are sorted by it
 *   err  protocol  one digest has two sizes;  limit  more than can be counted
 */
int content_size(struct blob_list *blobs, int64_t *size_bytes, struct error *err) _must_check_;

void blob_list_clear(struct blob_list *blobs);
