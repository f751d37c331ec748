#include "gate/registry/manifest.h"

#include "tests/unit/unit.h"

#define INDEX_TYPE "application/vnd.oci.image.index.v1+json"
#define IMAGE_BODY "{\"schemaVersion\":2,\"config\":{},\"layers\":[]}"
#define A_DIGEST   "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

START_TEST(types) {
    static const struct {
        const char *type;
        enum manifest_kind kind;
    } rows[] = {
        {"application/vnd.oci.image.index.v1+json", MANIFEST_INDEX},
        {"application/vnd.docker.distribution.manifest.list.v2+json", MANIFEST_INDEX},
        {"application/vnd.oci.image.manifest.v1+json", MANIFEST_IMAGE},
        {"application/vnd.docker.distribution.manifest.v2+json", MANIFEST_IMAGE},
        {"Application/Vnd.OCI.Image.Index.v1+JSON; charset=utf-8", MANIFEST_INDEX},
        {"application/vnd.oci.image.index.v1+json;charset=utf-8", MANIFEST_INDEX},
        {"application/vnd.docker.distribution.manifest.v1+json", MANIFEST_OLD},
        {"application/vnd.docker.distribution.manifest.v1+prettyjws", MANIFEST_OLD},
        {"application/vnd.oci.image.index.v1+jsonx", MANIFEST_UNKNOWN},
        {"application/json", MANIFEST_UNKNOWN},
        {"text/html", MANIFEST_UNKNOWN},
        {"", MANIFEST_UNKNOWN},
        {NULL, MANIFEST_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(manifest_kind_of_type(rows[i].type) == rows[i].kind, "row %zu: %s", i,
                      rows[i].type);
}
END_TEST

START_TEST(shapes) {
    static const struct {
        const char *body;
        enum manifest_kind kind;
    } rows[] = {
        {"{\"schemaVersion\":2,\"manifests\":[]}", MANIFEST_INDEX},
        {"{\"manifests\":[{\"config\":{}}]}", MANIFEST_INDEX},
        {IMAGE_BODY, MANIFEST_IMAGE},
        {"{\"config\":{}}", MANIFEST_IMAGE},
        {"{\"layers\":[]}", MANIFEST_IMAGE},
        {" {\"layers\" : [ ] }\n", MANIFEST_IMAGE},
        {"{\"schemaVersion\":1,\"fsLayers\":[]}", MANIFEST_OLD},
        {"{\"schemaVersion\":1.0,\"config\":{}}", MANIFEST_OLD},
        {"{\"fsLayers\":[],\"history\":[]}", MANIFEST_OLD},
        {"{\"manifests\":[],\"config\":{}}", MANIFEST_UNKNOWN},
        {"{\"manifests\":[],\"layers\":[]}", MANIFEST_UNKNOWN},
        {"{\"manifests\":{}}", MANIFEST_UNKNOWN},
        {"{\"config\":[]}", MANIFEST_UNKNOWN},
        {"{\"a\":{\"manifests\":[]}}", MANIFEST_UNKNOWN},
        {"{\"errors\":[]}", MANIFEST_UNKNOWN},
        {"{\"manifests\":[]", MANIFEST_UNKNOWN},
        {"[]", MANIFEST_UNKNOWN},
        {"", MANIFEST_UNKNOWN},
        {"<html>", MANIFEST_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(manifest_kind_of_body(rows[i].body, strlen(rows[i].body)) == rows[i].kind,
                      "row %zu: %s", i, rows[i].body);
}
END_TEST

START_TEST(digests) {
    struct error none = {0};
    char real[DIGEST_SIZE];
    unit_ok(digest_of(IMAGE_BODY, strlen(IMAGE_BODY), real, &none), &none);
    const struct {
        const char *type, *header, *body; /* body NULL: a HEAD */
        const char *digest;               /* NULL: refused; "": ask with GET */
        const char *words;                /* of the refusal */
    } rows[] = {
        {INDEX_TYPE, A_DIGEST, NULL, A_DIGEST, NULL},
        {INDEX_TYPE, NULL, NULL, "", NULL},
        {NULL, A_DIGEST, NULL, "", NULL},
        {"text/html", A_DIGEST, NULL, "", NULL},
        {"text/html", NULL, NULL, "", NULL},
        {INDEX_TYPE, "sha256:aa", NULL, NULL, "\"sha256:aa\" as the digest, which is none"},
        {INDEX_TYPE, "", NULL, NULL, "which is none"},
        {"application/vnd.docker.distribution.manifest.v1+json", A_DIGEST, NULL, NULL, "schema 1"},
        {INDEX_TYPE, NULL, IMAGE_BODY, real, NULL},
        {INDEX_TYPE, real, IMAGE_BODY, real, NULL},
        {NULL, real, IMAGE_BODY, real, NULL},
        {"text/plain", NULL, IMAGE_BODY, real, NULL},
        {INDEX_TYPE, A_DIGEST, IMAGE_BODY, NULL, "and sent a manifest with digest"},
        {INDEX_TYPE, "sha256:aa", IMAGE_BODY, NULL, "which is none"},
        {INDEX_TYPE, NULL, "", NULL, "is no manifest"},
        {"text/html", NULL, "<html>", NULL, "(text/html) is no manifest"},
        {NULL, NULL, "<html>", NULL, "(no content type) is no manifest"},
        {INDEX_TYPE, NULL, "{\"schemaVersion\":1,\"fsLayers\":[]}", NULL, "schema 1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct http_header items[2];
        struct http_response response = {.headers = {.items = items}};
        struct text body = {0};
        enum manifest_kind kind;
        char digest[DIGEST_SIZE];
        if (rows[i].type != NULL)
            items[response.headers.count++] =
                (struct http_header){(char *)"content-type", (char *)rows[i].type};
        if (rows[i].header != NULL)
            items[response.headers.count++] =
                (struct http_header){(char *)"Docker-Content-Digest", (char *)rows[i].header};
        if (rows[i].body != NULL)
            text_add(&body, rows[i].body);
        int result =
            manifest_digest(&response, rows[i].body != NULL ? &body : NULL, digest, &kind, &err);
        ck_assert_msg((result == 0) == (rows[i].digest != NULL), "row %zu: %s", i,
                      error_message(&err));
        if (result == 0)
            ck_assert_msg(strcmp(digest, rows[i].digest) == 0, "row %zu: %s", i, digest);
        else
            ck_assert_msg(err.kind == ERROR_PROTOCOL &&
                              strstr(error_message(&err), rows[i].words) != NULL,
                          "row %zu: %s", i, error_message(&err));
        text_clear(&body);
        error_clear(&err);
    }
}
END_TEST

START_TEST(links) {
    static const struct {
        const char *headers[3];
        const char *next; /* NULL: none */
    } rows[] = {
        {{"</v2/a/tags/list?last=b>; rel=\"next\""}, "/v2/a/tags/list?last=b"},
        {{"</x>; rel=next"}, "/x"},
        {{"</x>;rel=next"}, "/x"},
        {{"</x> ; rel = \"next\""}, "/x"},
        {{"</x>; REL=\"Next\""}, "/x"},
        {{"</x>; title=\"y\"; rel=\"next\""}, "/x"},
        {{"</x>; rel=\"prev next\""}, "/x"},
        {{"</a>; rel=prev, </x>; rel=next"}, "/x"},
        {{"</a>; rel=\"prev\"; title=\"a, <b>; rel=next\", </x>; rel=next"}, "/x"},
        {{"</a>; rel=prev", "</x>; rel=next"}, "/x"},
        {{"<https://r.example.com/x,y?a=1;b>; rel=next"}, "https://r.example.com/x,y?a=1;b"},
        {{"</a>; rel=next, </b>; rel=next"}, "/a"},
        {{"<>; rel=next"}, ""},
        {{"</x>"}, NULL},
        {{"</x>; rel"}, NULL},
        {{"</x>; rel="}, NULL},
        {{"</x>; rel=nextish"}, NULL},
        {{"</x>; xrel=next"}, NULL},
        {{"</x>; title=\"; rel=next\""}, NULL},
        {{"</x>; title=\"\\\"; rel=next\""}, NULL},
        {{"</x; rel=next"}, NULL},
        {{"/x; rel=next"}, NULL},
        {{"; rel=next"}, NULL},
        {{""}, NULL},
        {{NULL}, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct http_header items[3];
        struct http_response response = {.headers = {.items = items}};
        for (size_t h = 0; rows[i].headers[h] != NULL; h++)
            items[response.headers.count++] =
                (struct http_header){(char *)"Link", (char *)rows[i].headers[h]};
        char *next = manifest_next_page(&response, &err);
        ck_assert_msg(err.kind == ERROR_NONE && string_equal(next, rows[i].next), "row %zu: %s: %s",
                      i, rows[i].headers[0], next);
        free(next);
    }
}
END_TEST

UNIT_MAIN("manifest", {
    tcase_add_test(cases, types);
    tcase_add_test(cases, shapes);
    tcase_add_test(cases, digests);
    tcase_add_test(cases, links);
})
