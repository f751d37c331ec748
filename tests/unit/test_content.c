#include "gate/registry/content.h"

#include "gate/base/text.h"
#include "tests/unit/unit.h"

#define A                       "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B                       "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C                       "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

#define PART(digest, size)      "{\"digest\":\"" digest "\",\"size\":" size "}"
#define IMAGE(config, layers)   "{\"config\":" config ",\"layers\":[" layers "]}"
#define ONE_LAYER(part)         IMAGE(PART(A, "1"), part)
#define CHILD(digest, platform) "{\"digest\":\"" digest "\",\"size\":9,\"platform\":" platform "}"
#define ON(os, architecture)    "{\"os\":\"" os "\",\"architecture\":\"" architecture "\"}"
#define AMD64                   ON("linux", "amd64")
#define ARM(variant)            "{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"" variant "\"}"
#define INDEX(children)         "{\"manifests\":[" children "]}"

START_TEST(sizes) {
    static const struct {
        const char *body;
        int64_t size; /* -1: refused, … */
        const char *words;
    } rows[] = {
        {IMAGE(PART(A, "7"), ""), 7, NULL},
        {IMAGE(PART(A, "7"), PART(B, "100") "," PART(C, "1000")), 1107, NULL},
        {"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
         "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"" A
         "\",\"size\":3},\"layers\":[{\"mediaType\":\"application/"
         "vnd.oci.image.layer.v1.tar+zstd\","
         "\"size\":4,\"annotations\":{\"size\":\"9\",\"digest\":\"x\"},\"digest\":\"" B "\"}],"
         "\"annotations\":{\"layers\":\"[]\"}}",
         7, NULL},
        {"{\"schemaVersion\":2,\"mediaType\":\"application/"
         "vnd.docker.distribution.manifest.v2+json\","
         "\"config\":{\"mediaType\":\"application/vnd.docker.container.image.v1+json\",\"size\":5,"
         "\"digest\":\"" A "\"},\"layers\":[{\"mediaType\":"
         "\"application/vnd.docker.image.rootfs.diff.tar.gzip\",\"size\":6,\"digest\":\"" B "\"}]}",
         11, NULL},
        {" { \"layers\" : [ " PART(B, "2") " ] , \"config\" : " PART(A, "1") " }\n", 3, NULL},
        /* the same layer twice is pulled once */
        {IMAGE(PART(A, "1"), PART(B, "5") "," PART(B, "5")), 6, NULL},
        {IMAGE(PART(A, "1"), PART(A, "1")), 1, NULL},
        {IMAGE(PART(A, "1"), PART(B, "5") "," PART(C, "2") "," PART(B, "6")), -1,
         "is said to have 5 bytes and 6"},
        /* sizes at the edges */
        {ONE_LAYER(PART(B, "0")), 1, NULL},
        {ONE_LAYER(PART(B, "1e3")), 1001, NULL},
        {ONE_LAYER(PART(B, "17592186044416")), 17592186044417, NULL},
        {ONE_LAYER(PART(B, "17592186044417")), -1, "no size that makes sense for layer 1"},
        {ONE_LAYER(PART(B, "9223372036854775807")), -1, "no size that makes sense"},
        {ONE_LAYER(PART(B, "18446744073709551617")), -1, "no size that makes sense"},
        {ONE_LAYER(PART(B, "1e999")), -1, "no size that makes sense"},
        {ONE_LAYER(PART(B, "-1")), -1, "no size that makes sense for layer 1"},
        {ONE_LAYER(PART(B, "-9223372036854775808")), -1, "no size that makes sense"},
        {ONE_LAYER(PART(B, "1.5")), -1, "no size that makes sense"},
        {ONE_LAYER(PART(B, "\"5\"")), -1, "no size that makes sense"},
        {ONE_LAYER(PART(B, "null")), -1, "no size that makes sense"},
        {ONE_LAYER(PART(B, "[1]")), -1, "no size that makes sense"},
        {ONE_LAYER("{\"digest\":\"" B "\"}"), -1, "no size that makes sense for layer 1"},
        {ONE_LAYER(PART(B, "1") "," PART(C, "-4")), -1, "for layer 2"},
        {IMAGE(PART(A, "-1"), PART(B, "1")), -1, "no size that makes sense for its config"},
        /* digests */
        {ONE_LAYER("{\"size\":1}"), -1, "no sha256 digest for layer 1"},
        {ONE_LAYER(PART("sha256:aa", "1")), -1, "no sha256 digest"},
        {ONE_LAYER(PART("sha512:" B, "1")), -1, "no sha256 digest"},
        {ONE_LAYER("{\"digest\":7,\"size\":1}"), -1, "no sha256 digest"},
        {IMAGE("{}", ""), -1, "no sha256 digest for its config"},
        {ONE_LAYER("7"), -1, "no sha256 digest for layer 1"},
        {ONE_LAYER("null"), -1, "no sha256 digest for layer 1"},
        /* what two readers could take for two things */
        {ONE_LAYER("{\"digest\":\"" B "\",\"size\":1,\"size\":2}"), -1, "digest or size twice"},
        {ONE_LAYER("{\"digest\":\"" B "\",\"size\":1,\"digest\":\"" C "\"}"), -1, "twice"},
        {"{\"config\":" PART(A, "1") ",\"layers\":[],\"layers\":[]}", -1,
         "one config and one list"},
        {"{\"config\":" PART(A, "1") ",\"layers\":[],\"config\":" PART(B, "1") "}", -1,
         "one config"},
        /* what is no image */
        {"{\"layers\":[]}", -1, "one config and one list"},
        {"{\"config\":" PART(A, "1") "}", -1, "one config and one list"},
        {"{\"config\":" PART(A, "1") ",\"layers\":{}}", -1, "one config and one list"},
        {"{\"config\":null,\"layers\":[]}", -1, "for its config"},
        {INDEX(CHILD(A, AMD64)), -1, "one config and one list"},
        {"{}", -1, "one config"},
        {"[]", -1, "no JSON"},
        {"", -1, "no JSON"},
        {"<html>", -1, "no JSON"},
        {IMAGE(PART(A, "7"), "") "x", -1, "no JSON"},
        {"{\"config\":" PART(A, "7") ",\"layers\":[" PART(B, "1"), -1, "no JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct blob_list blobs = {0};
        int64_t size = -1;
        if (content_blobs(rows[i].body, strlen(rows[i].body), &blobs, &err) < 0)
            ck_assert_uint_eq(blobs.count, 0);
        else if (content_size(&blobs, &size, &err) < 0)
            size = -1;
        ck_assert_msg(size == rows[i].size, "row %zu: %lld: %s", i, (long long)size,
                      error_message(&err));
        ck_assert_msg(size >= 0 || (err.kind == ERROR_PROTOCOL &&
                                    strstr(error_message(&err), rows[i].words) != NULL),
                      "row %zu: %s", i, error_message(&err));
        error_clear(&err);
        blob_list_clear(&blobs);
    }
}
END_TEST

/* Layers with digests of their own. */
static char *many_layers(size_t count, const char *last) {
    struct error err = {0};
    struct text body = {0};
    text_add(&body, "{\"config\":" PART(A, "1") ",\"layers\":[");
    for (size_t i = 0; i < count; i++)
        text_printf(&body, "%s{\"digest\":\"sha256:%064zx\",\"size\":2}", i > 0 ? "," : "", i);
    text_printf(&body, "%s]}", last);
    return text_steal(&body, &err);
}

START_TEST(layers) {
    static const struct {
        size_t count;
        const char *last;
        enum error_kind kind;
        const char *words;
    } rows[] = {
        {CONTENT_LAYERS_LIMIT, "", ERROR_NONE, NULL},
        {CONTENT_LAYERS_LIMIT + 1, "", ERROR_LIMIT, "more than 1000 layers"},
        {10000, "", ERROR_LIMIT, "more than 1000 layers"},
        {10000, ",{", ERROR_PROTOCOL, "no JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct blob_list blobs = {0};
        struct blob *kept = array_add(&blobs, &err);
        int64_t size = -1;
        *kept = (struct blob){C, 5};
        char *body = many_layers(rows[i].count, rows[i].last);
        int result = content_blobs(body, strlen(body), &blobs, &err);
        if (rows[i].kind == ERROR_NONE) {
            unit_ok(result, &err);
            unit_ok(content_size(&blobs, &size, &err), &err);
            ck_assert_int_eq(size, 5 + 1 + 2 * (int64_t)rows[i].count);
        } else {
            unit_fails(result, &err, rows[i].kind, rows[i].words);
            ck_assert_uint_eq(blobs.count, 1); /* as it was */
        }
        free(body);
        blob_list_clear(&blobs);
    }
}
END_TEST

START_TEST(sums_do_not_wrap) {
    struct error err = {0};
    struct blob_list blobs = {0};
    int64_t size = -1;
    unit_ok(content_size(&blobs, &size, &err), &err);
    ck_assert_int_eq(size, 0);
    *array_add(&blobs, &err) = (struct blob){A, INT64_MAX};
    *array_add(&blobs, &err) = (struct blob){B, 0};
    unit_ok(content_size(&blobs, &size, &err), &err);
    ck_assert_int_eq(size, INT64_MAX);
    *array_add(&blobs, &err) = (struct blob){C, 1};
    unit_fails(content_size(&blobs, &size, &err), &err, ERROR_LIMIT, "more than can be counted");
    blob_list_clear(&blobs);
}
END_TEST

START_TEST(children) {
    static const struct {
        const char *platform; /* architecture, and perhaps variant */
        const char *body;
        const char *digest; /* NULL: refused, … */
        const char *words;
    } rows[] = {
        {"amd64", INDEX(CHILD(A, AMD64)), A, NULL},
        {"amd64", INDEX(CHILD(A, AMD64) "," CHILD(B, ON("linux", "arm64"))), A, NULL},
        {"arm64", INDEX(CHILD(A, AMD64) "," CHILD(B, ON("linux", "arm64"))), B, NULL},
        {"amd64", INDEX(CHILD(A, ON("windows", "amd64")) "," CHILD(B, AMD64)), B, NULL},
        /* attestations */
        {"amd64",
         INDEX(CHILD(A, AMD64) ",{\"digest\":\"" B "\",\"size\":1,\"annotations\":"
                               "{\"vnd.docker.reference.type\":\"attestation-manifest\"},"
                               "\"platform\":" ON("unknown", "unknown") "}"),
         A, NULL},
        {"amd64", INDEX(CHILD(A, ON("unknown", "unknown"))), NULL, "no image for linux/amd64"},
        /* variants */
        {"arm v7", INDEX(CHILD(A, ARM("v6")) "," CHILD(B, ARM("v7")) "," CHILD(C, ARM("v8"))), B,
         NULL},
        {"arm v7", INDEX(CHILD(A, ARM("v5")) "," CHILD(B, ARM("v6"))), B, NULL},
        {"arm v6", INDEX(CHILD(A, ARM("v7")) "," CHILD(B, ARM("v5"))), B, NULL},
        {"arm v6", INDEX(CHILD(A, ARM("v7"))), NULL, "no image for linux/arm/v6"},
        {"arm64 v8", INDEX(CHILD(A, ON("linux", "arm64"))), A, NULL},
        {"amd64",
         INDEX("{\"digest\":\"" A "\",\"platform\":{\"variant\":\"v1\",\"architecture\":"
               "\"amd64\",\"os.version\":\"1\",\"os\":\"linux\",\"features\":[\"x\"]}}"),
         A, NULL},
        {"amd64",
         INDEX(
             CHILD(B, "{\"os\":\"linux\",\"architecture\":\"amd64\",\"variant\":\"v3\"}") "," CHILD(
                 A, AMD64)),
         A, NULL},
        /* none */
        {"s390x", INDEX(CHILD(A, AMD64)), NULL, "no image for linux/s390x"},
        {"amd64", INDEX(""), NULL, "no image for linux/amd64"},
        {"amd64", INDEX("{\"digest\":\"" A "\",\"size\":1}"), NULL, "no image"},
        {"amd64", INDEX(CHILD(A, "null")), NULL, "no image"},
        {"amd64", INDEX(CHILD(A, "{\"os\":1,\"architecture\":\"amd64\"}")), NULL, "no image"},
        {"amd64", INDEX(CHILD(A, "{\"os\":\"linux\",\"architecture\":[]}")), NULL, "no image"},
        {"amd64", INDEX(CHILD(A, ON("linux", "amd64 "))), NULL, "no image"},
        {"amd64", INDEX("7,null,[],\"" A "\""), NULL, "no image"},
        /* of an index within the index nobody says what it runs on */
        {"amd64",
         INDEX("{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"" A
               "\",\"size\":1}"),
         NULL, "no image for linux/amd64"},
        /* two for one */
        {"amd64", INDEX(CHILD(A, AMD64) "," CHILD(B, AMD64)), NULL,
         "more than one image for linux"},
        {"amd64", INDEX(CHILD(A, AMD64) "," CHILD(A, AMD64)), A, NULL},
        {"arm v7", INDEX(CHILD(A, ARM("v6")) "," CHILD(B, ARM("v6")) "," CHILD(C, ARM("v7"))), C,
         NULL},
        {"amd64", "{\"manifests\":[" CHILD(A, AMD64) "],\"manifests\":[]}", NULL,
         "more than one list"},
        {"amd64", INDEX("{\"digest\":\"" A "\",\"digest\":\"" B "\",\"platform\":" AMD64 "}"), NULL,
         "no digest"},
        {"amd64", INDEX("{\"digest\":\"" A "\",\"platform\":" AMD64 ",\"platform\":" AMD64 "}"),
         NULL, "no digest"},
        /* digests */
        {"amd64", INDEX("{\"platform\":" AMD64 "}"), NULL,
         "no digest of its image for linux/amd64"},
        {"amd64", INDEX(CHILD("sha256:../../x", AMD64)), NULL, "no digest"},
        {"amd64", INDEX(CHILD("", AMD64)), NULL, "no digest"},
        /* no index */
        {"amd64", ONE_LAYER(PART(B, "1")), NULL, "no list of manifests"},
        {"amd64", "{\"manifests\":{}}", NULL, "no list of manifests"},
        {"amd64", "", NULL, "no JSON"},
        {"amd64", INDEX(CHILD(A, AMD64)) "}", NULL, "no JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct platform platform;
        char architecture[32];
        char variant[32] = "";
        char digest[DIGEST_SIZE];
        sscanf(rows[i].platform, "%31s %31s", architecture, variant);
        ck_assert(platform_make("linux", architecture, variant, &platform));
        int result = content_child(rows[i].body, strlen(rows[i].body), &platform, digest, &err);
        ck_assert_msg((result == 0) == (rows[i].digest != NULL), "row %zu: %s", i,
                      error_message(&err));
        ck_assert_msg(strcmp(digest, result == 0 ? rows[i].digest : "") == 0, "row %zu: %s", i,
                      digest);
        ck_assert_msg(result == 0 || strstr(error_message(&err), rows[i].words) != NULL,
                      "row %zu: %s", i, error_message(&err));
        error_clear(&err);
    }
}
END_TEST

UNIT_MAIN("content", {
    tcase_add_test(cases, sizes);
    tcase_add_test(cases, layers);
    tcase_add_test(cases, sums_do_not_wrap);
    tcase_add_test(cases, children);
})
