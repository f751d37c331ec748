#include "gate/reference.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gate/base/text.h"

/* bytes of a bad reference that a message repeats: it may be a whole file */
#define SHOWN_LIMIT   200
#define HEX_ID_LENGTH 64 /* hex digits of an image id, which a bare name must not look like */

static const char default_domain[] = "docker.io";
static const char legacy_default_domain[] = "index.docker.io";
static const char official_prefix[] = "library/";

/* A piece of the text that is parsed. */
struct slice {
    const char *at;
    size_t length;
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

static bool is_alphanumeric(char c) {
    return is_digit(c) || is_lower(c) || is_upper(c);
}

static bool slice_is(struct slice slice, const char *string) {
    return slice.length == strlen(string) && memcmp(slice.at, string, slice.length) == 0;
}

/* The part up to the first `end`, or all of it; *rest is what stands behind `end`, with at == NULL where there is none. */
static struct slice slice_split(struct slice whole, char end, struct slice *rest) {
    const char *found = whole.length > 0 ? memchr(whole.at, end, whole.length) : NULL;
    *rest = (struct slice){0};
    if (found == NULL)
        return whole;
    size_t length = (size_t)(found - whole.at);
    *rest = (struct slice){found + 1, whole.length - length - 1};
    return (struct slice){whole.at, length};
}

static bool looks_like_id(struct slice text) {
    if (text.length != HEX_ID_LENGTH)
        return false;
    for (size_t i = 0; i < text.length; i++)
        if (!is_digit(text.at[i]) && !(text.at[i] >= 'a' && text.at[i] <= 'f'))
            return false;
    return true;
}

/* ---- grammar: each check gives NULL, or what is wrong ---- */

static const char *check_label(struct slice label) {
    if (label.length == 0)
        return "the domain has an empty label";
    for (size_t i = 0; i < label.length; i++)
        if (!is_alphanumeric(label.at[i]) && label.at[i] != '-')
            return "the domain holds a character that a host name cannot have";
    if (label.at[0] == '-' || label.at[label.length - 1] == '-')
        return "a label of the domain begins or ends with \"-\"";
    return NULL;
}

static const char *check_port(struct slice port) {
    if (port.length == 0)
        return "the port is empty";
    for (size_t i = 0; i < port.length; i++)
        if (!is_digit(port.at[i]))
            return "the port is not a number";
    return NULL;
}

static const char *check_ipv6_domain(struct slice domain) {
    struct slice behind;
    struct slice address = slice_split(domain, ']', &behind);
    if (behind.at == NULL)
        return "the IPv6 address of the domain lacks its \"]\"";
    if (address.length < 2)
        return "the IPv6 address of the domain is empty";
    for (size_t i = 1; i < address.length; i++)
        if (!is_digit(address.at[i]) && strchr("abcdefABCDEF:", address.at[i]) == NULL)
            return "the IPv6 address of the domain holds something else than hex digits and \":\"";
    if (behind.length == 0)
        return NULL;
    if (behind.at[0] != ':')
        return "something stands between the IPv6 address of the domain and the first \"/\"";
    return check_port((struct slice){behind.at + 1, behind.length - 1});
}

static const char *check_domain(struct slice domain) {
    if (domain.length > 0 && domain.at[0] == '[')
        return check_ipv6_domain(domain);
    struct slice port;
    struct slice host = slice_split(domain, ':', &port);
    const char *problem = port.at != NULL ? check_port(port) : NULL;
    while (problem == NULL && host.at != NULL)
        problem = check_label(slice_split(host, '.', &host));
    return problem;
}

/* Length of the separator at the start of `at`, which is not longer than `length`; 0 where none stands. */
static size_t separator_length(const char *at, size_t length) {
    size_t dashes = 0;
    while (dashes < length && at[dashes] == '-')
        dashes++;
    if (dashes > 0)
        return dashes;
    if (length >= 2 && at[0] == '_' && at[1] == '_')
        return 2;
    return length >= 1 && (at[0] == '.' || at[0] == '_') ? 1 : 0;
}

static const char *check_component(struct slice component) {
    if (component.length == 0)
        return "a part of the name is empty";
    size_t i = 0;
    for (;;) {
        size_t start = i;
        while (i < component.length && (is_digit(component.at[i]) || is_lower(component.at[i])))
            i++;
        if (i < component.length && is_upper(component.at[i]))
            return "the name must be lowercase";
        size_t separator = separator_length(component.at + i, component.length - i);
        if (i < component.length && separator == 0)
            return "the name holds a character that a name cannot have";
        if (i == start)
            return "a part of the name begins or ends with a separator, or has two in a row";
        if (i == component.length)
            return NULL;
        i += separator;
    }
}

static const char *check_path(struct slice path) {
    const char *problem = NULL;
    while (problem == NULL && path.at != NULL)
        problem = check_component(slice_split(path, '/', &path));
    return problem;
}

static const char *check_tag(struct slice tag) {
    if (tag.length == 0)
        return "the tag is empty";
    if (tag.length > REFERENCE_TAG_LIMIT)
        return "the tag is longer than 128 bytes";
    if (!is_alphanumeric(tag.at[0]) && tag.at[0] != '_')
        return "the tag begins with something else than a letter, a digit or \"_\"";
    for (size_t i = 1; i < tag.length; i++)
        if (!is_alphanumeric(tag.at[i]) && tag.at[i] != '_' && tag.at[i] != '.' && tag.at[i] != '-')
            return "the tag holds a character that a tag cannot have";
    return NULL;
}

static const char *check_digest(struct slice digest) {
    if (digest.length == 0)
        return "the digest is empty";
    if (digest.length != DIGEST_LENGTH || !digest_at(digest.at, digest.length))
        return "the digest is not \"sha256:\" and 64 lowercase hex digits";
    return NULL;
}

/* ---- parsing ---- */

/* The pieces of a reference, not checked yet. */
struct pieces {
    struct slice domain; /* normalised */
    const char *prefix;  /* "library/", or "" */
    struct slice path;   /* without the prefix */
    struct slice tag;    /* at == NULL where there is none */
    struct slice digest; /* at == NULL where there is none */
};

static bool is_domain(struct slice first) {
    if (slice_is(first, "localhost"))
        return true;
    for (size_t i = 0; i < first.length; i++)
        if (first.at[i] == '.' || first.at[i] == ':' || is_upper(first.at[i]))
            return true;
    return false;
}

static const char *split(struct slice text, struct pieces *pieces) {
    *pieces = (struct pieces){.domain = {default_domain, sizeof default_domain - 1}};
    if (text.length == 0)
        return "it is empty";
    if (looks_like_id(text))
        return "64 hex digits alone are an image id, not a name";
    struct slice behind_first;
    struct slice first = slice_split(text, '/', &behind_first);
    if (behind_first.at != NULL && is_domain(first)) {
        text = behind_first;
        if (!slice_is(first, legacy_default_domain))
            pieces->domain = first;
    }
    struct slice name = slice_split(text, '@', &pieces->digest);
    pieces->path = slice_split(name, ':', &pieces->tag);
    bool official = slice_is(pieces->domain, default_domain) &&
                    memchr(pieces->path.at, '/', pieces->path.length) == NULL;
    pieces->prefix = official ? official_prefix : "";
    return NULL;
}

static const char *check_pieces(const struct pieces *pieces) {
    const char *problem = check_domain(pieces->domain);
    if (problem == NULL)
        problem = check_path(pieces->path);
    if (problem == NULL && pieces->tag.at != NULL)
        problem = check_tag(pieces->tag);
    if (problem == NULL && pieces->digest.at != NULL)
        problem = check_digest(pieces->digest);
    size_t length = pieces->domain.length + 1 + strlen(pieces->prefix) + pieces->path.length;
    if (problem == NULL && length > REFERENCE_NAME_LIMIT)
        problem = "the name is longer than 255 bytes";
    return problem;
}

static int copy_slice(struct slice slice, char **out, struct error *err) {
    if (slice.at == NULL)
        return 0;
    *out = string_dup_length(slice.at, slice.length, err);
    return *out != NULL ? 0 : -1;
}

static int fill(const struct pieces *pieces, struct reference *out, struct error *err) {
    if (copy_slice(pieces->domain, &out->domain, err) < 0 ||
        copy_slice(pieces->tag, &out->tag, err) < 0 ||
        copy_slice(pieces->digest, &out->digest, err) < 0)
        return -1;
    out->path =
        string_format(err, "%s%.*s", pieces->prefix, (int)pieces->path.length, pieces->path.at);
    if (out->path == NULL)
        return -1;
    out->image = string_format(err, "%s/%s", out->domain, out->path);
    return out->image != NULL ? 0 : -1;
}

int reference_parse(const char *text, struct reference *out, struct error *err) {
    *out = (struct reference){0};
    struct pieces pieces;
    const char *problem = split((struct slice){text, strlen(text)}, &pieces);
    if (problem == NULL)
        problem = check_pieces(&pieces);
    if (problem != NULL)
        return error_set(err, ERROR_INPUT, "\"%.*s\" is not an image reference: %s", SHOWN_LIMIT,
                         text, problem);
    if (fill(&pieces, out, err) < 0) {
        reference_clear(out);
        return -1;
    }
    return 0;
}

/* ---- plain work on references ---- */

static int copy_string(const char *from, char **out, struct error *err) {
    *out = string_dup(from, err);
    return from == NULL || *out != NULL ? 0 : -1;
}

int reference_copy(const struct reference *from, struct reference *out, struct error *err) {
    *out = (struct reference){0};
    if (copy_string(from->domain, &out->domain, err) < 0 ||
        copy_string(from->path, &out->path, err) < 0 ||
        copy_string(from->image, &out->image, err) < 0 ||
        copy_string(from->tag, &out->tag, err) < 0 ||
        copy_string(from->digest, &out->digest, err) < 0) {
        reference_clear(out);
        return -1;
    }
    return 0;
}

void reference_clear(struct reference *reference) {
    free(reference->domain);
    free(reference->path);
    free(reference->image);
    free(reference->tag);
    free(reference->digest);
    *reference = (struct reference){0};
}

char *reference_text(const char *image, const char *tag, const char *digest, struct error *err) {
    return string_format(err, "%s%s%s%s%s", image, tag != NULL ? ":" : "", tag != NULL ? tag : "",
                         digest != NULL ? "@" : "", digest != NULL ? digest : "");
}

/* What is left out must be what parsing puts in again: docker.io/a.b/c is not "a.b/c". */
const char *reference_familiar(const char *image) {
    size_t skip = sizeof default_domain; /* with its "/" */
    if (strncmp(image, default_domain, skip - 1) != 0 || image[skip - 1] != '/')
        return image;
    const char *path = image + skip;
    struct slice behind_first;
    struct slice first = slice_split((struct slice){path, strlen(path)}, '/', &behind_first);
    if (behind_first.at == NULL || is_domain(first))
        return image;
    bool official = string_has_prefix(path, official_prefix) &&
                    memchr(behind_first.at, '/', behind_first.length) == NULL;
    return official && !looks_like_id(behind_first) ? behind_first.at : path;
}

bool reference_tag_valid(const char *tag) {
    return check_tag((struct slice){tag, strnlen(tag, REFERENCE_TAG_LIMIT + 1)}) == NULL;
}

const char *reference_api_host(const char *domain) {
    return strcmp(domain, default_domain) == 0 ? "registry-1.docker.io" : domain;
}

static bool is_loopback_address(const char *host) {
    struct in_addr four;
    if (inet_pton(AF_INET, host, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    struct in6_addr six;
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool reference_domain_is_loopback(const char *domain) {
    char host[REFERENCE_NAME_LIMIT + 1];
    bool bracketed = domain[0] == '[';
    size_t length = bracketed ? strcspn(domain + 1, "]") : strcspn(domain, ":");
    if (length >= sizeof host)
        return false;
    memcpy(host, domain + (bracketed ? 1 : 0), length);
    host[length] = '\0';
    static const char name[] = "localhost";
    size_t tail = sizeof name - 1;
    if (!bracketed && length >= tail && strcasecmp(host + length - tail, name) == 0)
        return length == tail || host[length - tail - 1] == '.';
    return is_loopback_address(host);
}
