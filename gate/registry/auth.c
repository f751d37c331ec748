#include "gate/registry/auth.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gate/reference.h"

#define AUTH_HOST_SIZE 300 /* bytes of a host and its port; longer ones are none */

static void cut_port(char *host) {
    char *colon = strrchr(host, ':');
    if (colon != NULL && strchr(colon, ']') == NULL)
        *colon = '\0';
}

static const char *skip_space(const char *at) {
    while (*at == ' ' || *at == '\t' || *at == ',')
        at++;
    return at;
}

static bool token_char(char c) {
    return isalnum((unsigned char)c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~/:", c) != NULL);
}

/* One value: a word, or a quoted string with backslashes. Gives where it ends. */
static const char *read_value(const char *at, struct text *value) {
    if (*at != '"') {
        for (; *at != '\0' && *at != ',' && *at != ' '; at++)
            text_add_char(value, *at);
        return at;
    }
    for (at++; *at != '\0' && *at != '"'; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        text_add_char(value, *at);
    }
    return *at == '"' ? at + 1 : at;
}

static int keep(struct challenge *out, const char *name, size_t length, struct text *value,
                struct error *err) {
    char **field = NULL;
    if (length == 5 && strncasecmp(name, "realm", 5) == 0)
        field = &out->realm;
    else if (length == 7 && strncasecmp(name, "service", 7) == 0)
        field = &out->service;
    else if (length == 5 && strncasecmp(name, "scope", 5) == 0)
        field = &out->scope;
    if (field == NULL || *field != NULL)
        return 0;
    *field = text_steal(value, err);
    return *field != NULL ? 0 : -1;
}

static int parse_header(const char *at, struct challenge *out, struct error *err) {
    bool in_bearer = false;
    while (*(at = skip_space(at)) != '\0') {
        const char *word = at;
        while (token_char(*at))
            at++;
        size_t length = (size_t)(at - word);
        if (length == 0) { /* not of the grammar: what follows cannot be understood */
            return 0;
        }
        if (*at == '=') {
            _cleanup_(text_clear) struct text value = {0};
            at = read_value(at + 1, &value);
            if (in_bearer && keep(out, word, length, &value, err) < 0)
                return -1;
            continue;
        }
        in_bearer = length == 6 && strncasecmp(word, "bearer", 6) == 0 && !out->bearer;
        out->bearer = out->bearer || in_bearer;
        out->basic = out->basic || (length == 5 && strncasecmp(word, "basic", 5) == 0);
    }
    return 0;
}

int challenge_parse(const struct http_response *response, struct challenge *out,
                    struct error *err) {
    *out = (struct challenge){0};
    for (size_t i = 0; i < response->headers.count; i++)
        if (strcasecmp(response->headers.items[i].name, "www-authenticate") == 0 &&
            parse_header(response->headers.items[i].value, out, err) < 0)
            return -1;
    return 0;
}

void challenge_clear(struct challenge *challenge) {
    free(challenge->realm);
    free(challenge->service);
    free(challenge->scope);
    *challenge = (struct challenge){0};
}

bool auth_host(const char *url, char *out, size_t size) {
    const char *host = strstr(url, "://");
    if (host == NULL)
        return false;
    host += 3;
    /* Only what every reader of addresses takes for the same host: no "@", "\\", "%" or white space. */
    size_t length =
        strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]");
    if (length == 0 || length >= size || strchr("/?#", host[length]) == NULL)
        return false;
    memcpy(out, host, length);
    out[length] = '\0';
    return true;
}

bool auth_realm_allowed(const char *realm, const char *registry_url) {
    char host[AUTH_HOST_SIZE];
    char registry[AUTH_HOST_SIZE];
    if (!auth_host(realm, host, sizeof host) || !auth_host(registry_url, registry, sizeof registry))
        return false;
    if (strncasecmp(realm, "https://", 8) == 0)
        return true;
    if (strncasecmp(realm, "http://", 7) != 0 || strncasecmp(registry_url, "http://", 7) != 0)
        return false;
    if (reference_domain_is_loopback(host))
        return true;
    cut_port(host);
    cut_port(registry);
    return strcasecmp(host, registry) == 0;
}

/* "auth.example.com" is below "example.com". */
static bool is_below(const char *host, const char *parent) {
    size_t length = strlen(host);
    size_t tail = strlen(parent);
    return length > tail && host[length - tail - 1] == '.' &&
           strcasecmp(host + length - tail, parent) == 0;
}

static bool is_address(const char *host) {
    return host[0] == '[' || strspn(host, "0123456789.") == strlen(host);
}

/* Above or below each other; the upper one has a name of two labels at least, so that "com" is nobody's parent. */
static bool is_family(const char *a, const char *b) {
    if (is_address(a) || is_address(b))
        return false;
    return (is_below(a, b) && strchr(b, '.') != NULL) || (is_below(b, a) && strchr(a, '.') != NULL);
}

/* Token servers that stand beside their registry, by its operator's own documentation. */
static const struct {
    const char *registry;
    const char *token_server;
} known_pairs[] = {
    {"registry-1.docker.io", "auth.docker.io"},
};

bool auth_realm_may_see_credentials(const char *realm, const char *registry_url,
                                    const char *trusted) {
    char host[AUTH_HOST_SIZE];
    char registry[AUTH_HOST_SIZE];
    if (!auth_realm_allowed(realm, registry_url) || !auth_host(realm, host, sizeof host) ||
        !auth_host(registry_url, registry, sizeof registry))
        return false;
    if (trusted != NULL && strcasecmp(host, trusted) == 0)
        return true;
    cut_port(host);
    cut_port(registry);
    if (strcasecmp(host, registry) == 0 || (trusted != NULL && strcasecmp(host, trusted) == 0))
        return true;
    for (size_t i = 0; i < sizeof known_pairs / sizeof *known_pairs; i++)
        if (strcasecmp(registry, known_pairs[i].registry) == 0 &&
            strcasecmp(host, known_pairs[i].token_server) == 0)
            return true;
    return is_family(host, registry);
}
