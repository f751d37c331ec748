#include "gate/registry/manifest.h"

#include <string.h>
#include <strings.h>

#include "gate/base/json_walk.h"

static const struct {
    const char *type;
    enum manifest_kind kind;
} types[] = {
    {"application/vnd.oci.image.index.v1+json", MANIFEST_INDEX},
    {"application/vnd.docker.distribution.manifest.list.v2+json", MANIFEST_INDEX},
    {"application/vnd.oci.image.manifest.v1+json", MANIFEST_IMAGE},
    {"application/vnd.docker.distribution.manifest.v2+json", MANIFEST_IMAGE},
    {"application/vnd.docker.distribution.manifest.v1+json", MANIFEST_OLD},
    {"application/vnd.docker.distribution.manifest.v1+prettyjws", MANIFEST_OLD},
};

enum manifest_kind manifest_kind_of_type(const char *content_type) {
    if (content_type == NULL)
        return MANIFEST_UNKNOWN;
    size_t length = strcspn(content_type, "; \t");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strlen(types[i].type) == length &&
            strncasecmp(types[i].type, content_type, length) == 0)
            return types[i].kind;
    return MANIFEST_UNKNOWN;
}

enum manifest_kind manifest_kind_of_body(const char *bytes, size_t length) {
    struct json_walk walk;
    _cleanup_(text_clear) struct text word = {0};
    bool image = false;
    bool index = false;
    bool old = false;
    double version = 0;
    json_walk_start(&walk, bytes, length);
    for (bool in = json_walk_object(&walk); in && json_walk_key(&walk, &word);) {
        const char *key = text_string(&word);
        enum json_walk_kind kind = json_walk_peek(&walk);
        image = image || (strcmp(key, "config") == 0 && kind == JSON_WALK_OBJECT) ||
                (strcmp(key, "layers") == 0 && kind == JSON_WALK_ARRAY);
        index = index || (strcmp(key, "manifests") == 0 && kind == JSON_WALK_ARRAY);
        old = old || strcmp(key, "fsLayers") == 0;
        if (strcmp(key, "schemaVersion") == 0 && kind == JSON_WALK_NUMBER)
            json_walk_number(&walk, &version);
        else
            json_walk_skip(&walk);
    }
    if (!json_walk_done(&walk) || (image && index))
        return MANIFEST_UNKNOWN;
    if (old || version == 1)
        return MANIFEST_OLD;
    return index ? MANIFEST_INDEX : image ? MANIFEST_IMAGE : MANIFEST_UNKNOWN;
}

static int refuse_kind(const struct http_response *response, enum manifest_kind kind,
                       struct error *err) {
    if (kind == MANIFEST_OLD)
        return error_set(err, ERROR_PROTOCOL,
                         "the registry keeps this image as a schema 1 manifest, which has no "
                         "digest that could be pinned; push it again with a current tool");
    const char *type = http_header(response, "content-type");
    return error_set(err, ERROR_PROTOCOL,
                     "the answer (%.100s) is no manifest of an image; is this a registry, or did a "
                     "proxy or a login page answer for it?",
                     type != NULL ? type : "no content type");
}

int manifest_digest(const struct http_response *response, const struct text *body,
                    char digest[DIGEST_SIZE], enum manifest_kind *kind, struct error *err) {
    digest[0] = '\0';
    *kind = body != NULL ? manifest_kind_of_body(text_string(body), body->length)
                         : manifest_kind_of_type(http_header(response, "content-type"));
    if (*kind == MANIFEST_OLD || (*kind == MANIFEST_UNKNOWN && body != NULL))
        return refuse_kind(response, *kind, err);
    const char *header = http_header(response, "docker-content-digest");
    if (header != NULL && !digest_valid(header))
        return error_set(err, ERROR_PROTOCOL,
                         "the registry gave \"%.100s\" as the digest, which is none", header);
    if (body == NULL) {
        if (header != NULL && *kind != MANIFEST_UNKNOWN)
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

static const char *skip_space(const char *at) {
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* Whether a rel's value, which may be a list of words, holds "next". */
static bool has_next(const char *value, size_t length) {
    while (length > 0) {
        size_t word = 0;
        while (word < length && value[word] != ' ')
            word++;
        if (word == 4 && strncasecmp(value, "next", 4) == 0)
            return true;
        word += word < length ? 1 : 0;
        value += word;
        length -= word;
    }
    return false;
}

/* One parameter behind a ";". Gives where it ends; *next becomes true for rel=next. */
static const char *read_parameter(const char *at, bool *next) {
    at = skip_space(at);
    const char *name = at;
    at += strcspn(at, "=;, \t");
    bool is_rel = at - name == 3 && strncasecmp(name, "rel", 3) == 0;
    at = skip_space(at);
    if (*at != '=')
        return at;
    at = skip_space(at + 1);
    const char *value = at;
    size_t length;
    if (*at == '"') {
        value++;
        for (at++; *at != '\0' && *at != '"'; at++)
            if (*at == '\\' && at[1] != '\0')
                at++;
        length = (size_t)(at - value);
        at += *at == '"' ? 1 : 0;
    } else {
        length = strcspn(at, ";, \t");
        at += length;
    }
    *next = *next || (is_rel && has_next(value, length));
    return skip_space(at);
}

char *manifest_next_page(const struct http_response *response, struct error *err) {
    for (size_t i = 0; i < response->headers.count; i++) {
        if (strcasecmp(response->headers.items[i].name, "link") != 0)
            continue;
        const char *at = response->headers.items[i].value;
        while (*(at += strspn(at, " \t,")) == '<') {
            const char *target = at + 1;
            size_t length = strcspn(target, ">");
            bool next = false;
            if (target[length] == '\0')
                break;
            at = skip_space(target + length + 1);
            while (*at == ';')
                at = read_parameter(at + 1, &next);
            if (next)
                return string_dup_length(target, length, err);
        }
    }
    return NULL;
}
