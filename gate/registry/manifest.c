#include "gate/registry/manifest.h"

#include <string.h>
#include <strings.h>

static int refuse_old(const struct http_response *response, struct error *err) {
    const char *type = http_header(response, "content-type");
    if (type == NULL ||
        !string_has_prefix(type, "application/vnd.docker.distribution.manifest.v1+"))
        return 0;
    return error_set(err, ERROR_PROTOCOL,
                     "the registry keeps this image as a schema 1 manifest, which has no digest "
                     "that could be pinned; push it "
                     "again with a current tool");
}

int manifest_digest(const struct http_response *response, const struct text *body,
                    char digest[DIGEST_SIZE], struct error *err) {
    digest[0] = '\0';
    if (refuse_old(response, err) < 0)
        return -1;
    const char *header = http_header(response, "docker-content-digest");
    if (header != NULL && !digest_valid(header))
        return error_set(err, ERROR_PROTOCOL, "the registry gave \"%.100s\" as a digest", header);
    if (body == NULL) {
        if (header != NULL)
            memcpy(digest, header, DIGEST_SIZE);
        return 0;
    }
    if (digest_of(text_string(body), body->length, digest, err) < 0)
        return -1;
    if (header != NULL && strcmp(header, digest) != 0)
        return error_set(err, ERROR_PROTOCOL,
                         "the registry said digest %s and sent a manifest with digest %s", header,
                         digest);
    return 0;
}

char *manifest_next_page(const struct http_response *response, struct error *err) {
    const char *link = http_header(response, "link");
    while (link != NULL && (link = strchr(link, '<')) != NULL) {
        const char *end = strchr(link, '>');
        if (end == NULL)
            return NULL;
        const char *next = strchr(end, '<');
        const char *rel = strcasestr(end, "rel=");
        if (rel != NULL && (next == NULL || rel < next)) {
            rel += strlen("rel=");
            if (strncasecmp(rel, "next", 4) == 0 || strncasecmp(rel, "\"next\"", 6) == 0)
                return string_dup_length(link + 1, (size_t)(end - link - 1), err);
        }
        link = next;
    }
    return NULL;
}
