#include "gate/registry/credentials.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"
#include "gate/base/base64.h"
#include "gate/base/file.h"
#include "gate/base/text.h"

#define CONFIG_LIMIT (1u << 20) /* bytes of a docker configuration */

struct entry {
    char *host; /* as in references: "docker.io", "host:port" */
    struct credential credential;
};

struct entry_list {
    struct entry *items;
    size_t count;
    size_t capacity;
};

struct credentials {
    struct entry_list entries;
    const char **hosts; /* NULL-terminated; borrowed from entries */
};

static void wipe(char *secret) {
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void credential_clear(struct credential *credential) {
    wipe(credential->password);
    wipe(credential->identity_token);
    free(credential->username);
    free(credential->source);
    *credential = (struct credential){0};
}

bool credential_empty(const struct credential *credential) {
    return credential->password == NULL && credential->identity_token == NULL;
}

/* "https://index.docker.io/v1/" -> "docker.io", "https://host:5000/v2/" -> "host:5000". */
static char *host_of_key(const char *key, struct error *err) {
    const char *host = key;
    if (string_has_prefix(host, "https://"))
        host += strlen("https://");
    else if (string_has_prefix(host, "http://"))
        host += strlen("http://");
    size_t length = strcspn(host, "/");
    static const char *const hub[] = {"index.docker.io", "registry-1.docker.io", "docker.io", NULL};
    for (size_t i = 0; hub[i] != NULL; i++)
        if (strlen(hub[i]) == length && memcmp(hub[i], host, length) == 0)
            return string_dup("docker.io", err);
    return string_dup_length(host, length, err);
}

/* "auth" is base64 of "user:password". */
static int split_auth(const char *auth, struct credential *out, struct error *err) {
    _cleanup_(text_clear) struct text plain = {0};
    const char *colon = NULL;
    if (base64_decode(&plain, auth, strlen(auth)) && plain.length > 0)
        colon = memchr(plain.bytes, ':', plain.length);
    if (colon == NULL)
        return error_set(err, ERROR_INPUT, "\"auth\" is not base64 of user:password");
    out->username = string_dup_length(plain.bytes, (size_t)(colon - plain.bytes), err);
    out->password = string_dup(colon + 1, err);
    explicit_bzero(plain.bytes, plain.length);
    return out->username != NULL && out->password != NULL ? 0 : -1;
}

static int fill_credential(const json_t *value, struct credential *out, struct error *err) {
    const char *auth = json_string_value(json_object_get(value, "auth"));
    const char *username = json_string_value(json_object_get(value, "username"));
    const char *password = json_string_value(json_object_get(value, "password"));
    const char *token = json_string_value(json_object_get(value, "identitytoken"));
    if (token != NULL && *token != '\0') {
        out->identity_token = string_dup(token, err);
        return out->identity_token != NULL ? 0 : -1;
    }
    if (auth != NULL && *auth != '\0')
        return split_auth(auth, out, err);
    if (username == NULL || password == NULL)
        return 0; /* an empty entry: the secret is kept by a helper */
    out->username = string_dup(username, err);
    out->password = string_dup(password, err);
    return out->username != NULL && out->password != NULL ? 0 : -1;
}

static int add_entry(struct credentials *credentials, const char *key, const json_t *value,
                     const char *file, struct error *err) {
    struct credential credential = {0};
    if (fill_credential(value, &credential, err) < 0) {
        credential_clear(&credential);
        return error_wrap(err, "%s: auths: %s", file, key);
    }
    if (credential_empty(&credential))
        return 0;
    credential.source = string_dup(file, err);
    struct entry *entry = credential.source != NULL ? array_add(&credentials->entries, err) : NULL;
    if (entry == NULL) {
        credential_clear(&credential);
        return -1;
    }
    entry->credential = credential;
    entry->host = host_of_key(key, err);
    return entry->host != NULL ? 0 : -1;
}

static int read_config(struct credentials *credentials, const char *file, struct error *err) {
    _cleanup_(text_clear) struct text bytes = {0};
    if (file_read(file, CONFIG_LIMIT, &bytes, err) < 0) {
        if (err->kind != ERROR_NOT_FOUND)
            return -1;
        error_clear(err);
        return 0;
    }
    json_error_t where;
    json_auto_t *root =
        json_loadb(text_string(&bytes), bytes.length, JSON_REJECT_DUPLICATES, &where);
    if (root == NULL || !json_is_object(root))
        return error_set(err, ERROR_INPUT,
                         "%s:%d:%d: not a docker configuration; log in again with docker login",
                         file, root == NULL ? where.line : 1, root == NULL ? where.column : 1);
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(root, "auths"), key, value) {
        if (add_entry(credentials, key, value, file, err) < 0)
            return -1;
    }
    return 0;
}

static char *config_file(struct error *err) {
    const char *folder = getenv("DOCKER_CONFIG");
    if (folder != NULL && *folder != '\0')
        return string_format(err, "%s/config.json", folder);
    const char *home = getenv("HOME");
    return string_format(err, "%s/.docker/config.json", home != NULL ? home : "/root");
}

int credentials_load(struct credentials **out, struct error *err) {
    _cleanup_(credentials_freep) struct credentials *credentials = calloc(1, sizeof *credentials);
    if (credentials == NULL)
        return error_no_memory(err);
    _cleanup_(free_pointer) char *file = config_file(err);
    if (file == NULL || read_config(credentials, file, err) < 0)
        return -1;
    credentials->hosts = calloc(credentials->entries.count + 1, sizeof *credentials->hosts);
    if (credentials->hosts == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < credentials->entries.count; i++)
        credentials->hosts[i] = credentials->entries.items[i].host;
    *out = steal(credentials);
    return 0;
}

void credentials_free(struct credentials *credentials) {
    if (credentials == NULL)
        return;
    for (size_t i = 0; i < credentials->entries.count; i++) {
        free(credentials->entries.items[i].host);
        credential_clear(&credentials->entries.items[i].credential);
    }
    free(credentials->entries.items);
    free(credentials->hosts);
    free(credentials);
}

void credentials_freep(struct credentials **credentials) {
    credentials_free(*credentials);
}

static int copy_text(const char *from, char **to, struct error *err) {
    if (from == NULL)
        return 0;
    *to = string_dup(from, err);
    return *to != NULL ? 0 : -1;
}

int credentials_find(struct credentials *credentials, const char *domain, struct credential *out,
                     struct error *err) {
    *out = (struct credential){0};
    for (size_t i = 0; credentials != NULL && i < credentials->entries.count; i++) {
        const struct entry *entry = &credentials->entries.items[i];
        if (strcmp(entry->host, domain) != 0)
            continue;
        if (copy_text(entry->credential.username, &out->username, err) < 0 ||
            copy_text(entry->credential.password, &out->password, err) < 0 ||
            copy_text(entry->credential.identity_token, &out->identity_token, err) < 0 ||
            copy_text(entry->credential.source, &out->source, err) < 0) {
            credential_clear(out);
            return -1;
        }
        return 0;
    }
    return 0;
}

const char *const *credentials_hosts(const struct credentials *credentials) {
    return credentials->hosts;
}
