#include "gate/registry/content.h"

#include <jansson.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* What jansson makes of the same bytes, each digest once; -1 when a part is not as it should be. */
static int64_t add_part(const json_t *part, json_t *seen) {
    const char *digest = json_string_value(json_object_get(part, "digest"));
    const json_t *size = json_object_get(part, "size");
    if (digest == NULL || !json_is_number(size) || json_number_value(size) < 0)
        return -1;
    if (json_object_get(seen, digest) != NULL)
        return 0;
    json_object_set_new(seen, digest, json_true());
    return (int64_t)json_number_value(size);
}

static int64_t second_opinion(const json_t *root) {
    json_auto_t *seen = json_object();
    int64_t sum = add_part(json_object_get(root, "config"), seen);
    size_t i;
    json_t *layer;
    fuzz_require(sum >= 0 && json_is_array(json_object_get(root, "layers")));
    json_array_foreach(json_object_get(root, "layers"), i, layer) {
        int64_t part = add_part(layer, seen);
        fuzz_require(part >= 0);
        sum += part;
    }
    return sum;
}

static void check_image(const char *body, size_t size, const json_t *root) {
    struct error err = {0};
    struct blob_list blobs = {0};
    int64_t sum = -1;
    int64_t again = -1;
    if (content_blobs(body, size, &blobs, &err) < 0) {
        fuzz_require(blobs.count == 0);
        fuzz_require(err.kind == ERROR_PROTOCOL || err.kind == ERROR_LIMIT);
    } else {
        fuzz_require(blobs.count >= 1 && blobs.count <= CONTENT_LAYERS_LIMIT + 1);
        for (size_t i = 0; i < blobs.count; i++)
            fuzz_require(digest_valid(blobs.items[i].digest) && blobs.items[i].size_bytes >= 0 &&
                         blobs.items[i].size_bytes <= CONTENT_BLOB_LIMIT);
        if (content_size(&blobs, &sum, &err) == 0) {
            fuzz_require(root == NULL || second_opinion(root) == sum);
            fuzz_require(content_blobs(body, size, &blobs, &err) == 0 &&
                         content_size(&blobs, &again, &err) == 0 && again == sum);
        }
    }
    error_clear(&err);
    blob_list_clear(&blobs);
}

static void check_index(const char *body, size_t size, const json_t *root) {
    struct error err = {0};
    struct platform platform;
    char digest[DIGEST_SIZE];
    bool found = false;
    size_t i;
    json_t *child;
    platform_make("linux", "arm", "v7", &platform);
    if (content_child(body, size, &platform, digest, &err) < 0) {
        fuzz_require(digest[0] == '\0');
        fuzz_require(err.kind == ERROR_PROTOCOL || err.kind == ERROR_NOT_FOUND);
    } else {
        fuzz_require(digest_valid(digest));
        json_array_foreach(json_object_get(root, "manifests"), i, child) found =
            found || strcmp(json_string_value(json_object_get(child, "digest")) != NULL
                                ? json_string_value(json_object_get(child, "digest"))
                                : "",
                            digest) == 0;
        fuzz_require(root == NULL || found);
    }
    error_clear(&err);
}

FUZZ_TARGET(content) {
    /* of equal keys jansson keeps the last one: then it has no opinion */
    json_auto_t *root = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
    check_image((const char *)bytes, size, root);
    check_index((const char *)bytes, size, root);
}
