#include <string.h>
#include <strings.h>

#include "gate/registry/manifest.h"
#include "tests/fuzz/fuzz.h"

/* A Link header: its next page, and where that leads from a page of a registry. */
FUZZ_TARGET(link) {
    static const char page[] = "https://registry.example.com/v2/app/tags/list?n=1000";
    char *text = fuzz_string(bytes, size);
    struct error err = {0};
    struct http_header header = {(char *)"Link", text};
    struct http_response response = {.headers = {.items = &header, .count = 1}};
    char *next = manifest_next_page(&response, &err);
    fuzz_require(err.kind == ERROR_NONE);
    fuzz_require(next == NULL || (strstr(text, next) != NULL && strchr(next, '>') == NULL));
    char *url = next != NULL ? http_url_resolve(page, next, &err) : NULL;
    fuzz_require(url != NULL || next == NULL || err.kind == ERROR_PROTOCOL);
    if (url != NULL && http_same_origin(url, page))
        fuzz_require(strncasecmp(url, "https://", 8) == 0);
    error_clear(&err);
    free(url);
    free(next);
    free(text);
}
