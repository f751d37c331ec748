#include "gate/registry/manifest.h"

#include <jansson.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* Up to the first empty line: headers. Behind it: the body of a GET. */
static size_t read_headers(char *text, struct http_header *items, size_t limit, char **body) {
    size_t count = 0;
    char *line = text;
    while (*line != '\0' && *line != '\n') {
        char *end = strchrnul(line, '\n');
        char *next = *end == '\0' ? end : end + 1;
        *end = '\0';
        char *colon = strchr(line, ':');
        if (colon != NULL && count < limit) {
            *colon = '\0';
            items[count++] = (struct http_header){line, colon + 1};
        }
        line = next;
    }
    *body = *line == '\n' ? line + 1 : line;
    return count;
}

static void check_kind(enum manifest_kind kind, const char *body, size_t length) {
    json_t *root = json_loadb(body, length, 0, NULL);
    if (root == NULL || kind == MANIFEST_UNKNOWN || kind == MANIFEST_OLD) {
        json_decref(root);
        return;
    }
    /* of equal keys jansson keeps the last one, so only what is there in any form can be asked */
    fuzz_require(kind != MANIFEST_INDEX || json_object_get(root, "manifests") != NULL);
    fuzz_require(kind != MANIFEST_IMAGE || json_object_get(root, "config") != NULL ||
                 json_object_get(root, "layers") != NULL);
    json_decref(root);
}

FUZZ_TARGET(manifest) {
    char *text = fuzz_string(bytes, size);
    struct http_header items[4];
    struct http_response response = {.headers = {.items = items}};
    struct error err = {0};
    struct text whole = {0};
    char digest[DIGEST_SIZE];
    char real[DIGEST_SIZE];
    enum manifest_kind kind;
    char *body;
    response.headers.count = read_headers(text, items, 4, &body);
    if (manifest_digest(&response, NULL, digest, &kind, &err) == 0)
        fuzz_require(digest[0] == '\0' || digest_valid(digest));
    else
        fuzz_require(err.kind == ERROR_PROTOCOL);
    error_clear(&err);
    text_add(&whole, body);
    if (manifest_digest(&response, &whole, digest, &kind, &err) == 0) {
        fuzz_require(digest_of(body, strlen(body), real, &err) == 0 && strcmp(digest, real) == 0);
        fuzz_require(kind == MANIFEST_INDEX || kind == MANIFEST_IMAGE);
        check_kind(kind, body, strlen(body));
    } else {
        fuzz_require(err.kind == ERROR_PROTOCOL);
    }
    error_clear(&err);
    text_clear(&whole);
    free(text);
}
