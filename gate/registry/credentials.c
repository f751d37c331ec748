#include "gate/registry/credentials.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gate/base/base64.h"
#include "gate/base/file.h"
#include "gate/base/json_read.h"
#include "gate/base/text.h"
#include "gate/registry/helper.h"

struct entry {
    char *name; /* as images are: "docker.io", "host:port", "host/path" */
    struct credential credential;
};

struct helper {
    char *host; /* that it is for; NULL: all that "credHelpers" does not name */
    char *name; /* "": none, the credentials are in the file */
};

/* What a helper said, so that it is asked once. */
struct answer {
    char *helper;
    char *host;
    char *failure; /* NULL when it answered */
    struct credential credential;
};

struct source {
    char *file;
    struct {
        struct entry *items;
        size_t count;
        size_t capacity;
    } entries;
    struct {
        struct helper *items;
        size_t count;
        size_t capacity;
    } helpers;
};

struct credentials {
    struct cancel *cancel;
    struct {
        struct source *items;
        size_t count;
        size_t capacity;
    } sources;
    struct {
        struct answer *items;
        size_t count;
        size_t capacity;
    } answers;
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
    free(credential->note);
    *credential = (struct credential){0};
}

bool credential_empty(const struct credential *credential) {
    return credential->password == NULL && credential->identity_token == NULL;
}

static int copy_credential(const struct credential *from, struct credential *to,
                           struct error *err) {
    *to = (struct credential){0};
    if (string_copy(from->username, &to->username, err) == 0 &&
        string_copy(from->password, &to->password, err) == 0 &&
        string_copy(from->identity_token, &to->identity_token, err) == 0 &&
        string_copy(from->source, &to->source, err) == 0 &&
        string_copy(from->note, &to->note, err) == 0)
        return 0;
    credential_clear(to);
    return -1;
}

/* "https://index.docker.io/v1/" -> "docker.io", "https://host:5000/v2/" -> "host:5000", "host/path/" -> "host/path". */
static char *name_of_key(const char *key, struct error *err) {
    static const char *const hub[] = {"index.docker.io", "registry-1.docker.io", "docker.io",
                                      "registry.hub.docker.com", NULL};
    const char *host = key;
    bool has_scheme = true;
    if (strncasecmp(host, "https://", 8) == 0)
        host += 8;
    else if (strncasecmp(host, "http://", 7) == 0)
        host += 7;
    else
        has_scheme = false;
    size_t length = strcspn(host, "/");
    const char *path = host + length;
    size_t path_length = strlen(path);
    while (path_length > 0 && path[path_length - 1] == '/')
        path_length--;
    if (has_scheme ||
        (path_length == 3 && (memcmp(path, "/v1", 3) == 0 || memcmp(path, "/v2", 3) == 0)))
        path_length = 0; /* the address of the API, as old logins wrote it */
    for (size_t i = 0; hub[i] != NULL; i++)
        if (strlen(hub[i]) == length && strncasecmp(hub[i], host, length) == 0)
            return string_format(err, "docker.io%.*s", (int)path_length, path);
    return string_format(err, "%.*s%.*s", (int)length, host, (int)path_length, path);
}

/* "auth" is base64 of "user:password". */
static int split_auth(const char *auth, struct credential *out, struct error *err) {
    struct text plain = {0};
    const char *colon = NULL;
    int result = -1;
    if (base64_decode(&plain, auth, strlen(auth)) && plain.length > 0)
        colon = memchr(plain.bytes, ':', plain.length);
    if (colon == NULL) {
        error_set(err, ERROR_INPUT, "\"auth\" is not base64 of user:password");
    } else {
        out->username = string_dup_length(plain.bytes, (size_t)(colon - plain.bytes), err);
        out->password = string_dup(colon + 1, err);
        result = out->username != NULL && out->password != NULL ? 0 : -1;
    }
    if (plain.bytes != NULL)
        explicit_bzero(plain.bytes, plain.length);
    text_clear(&plain);
    return result;
}

/* An entry without a secret stays empty: a helper keeps it. */
static int fill_credential(const json_t *value, struct credential *out, struct error *err) {
    const char *auth = json_string_value(json_object_get(value, "auth"));
    const char *username = json_string_value(json_object_get(value, "username"));
    const char *password = json_string_value(json_object_get(value, "password"));
    const char *token = json_string_value(json_object_get(value, "identitytoken"));
    if (!json_is_object(value))
        return error_set(err, ERROR_INPUT, "a mapping with \"auth\" was expected here");
    if (auth != NULL && *auth != '\0') {
        if (split_auth(auth, out, err) < 0)
            return -1;
    } else if (username != NULL && *username != '\0') {
        if (string_copy(username, &out->username, err) < 0 ||
            string_copy(password, &out->password, err) < 0)
            return -1;
    }
    if (token == NULL || *token == '\0')
        return 0;
    wipe(out->password);
    out->password = NULL;
    out->identity_token = string_dup(token, err);
    return out->identity_token != NULL ? 0 : -1;
}

static int add_entry(struct source *source, const char *key, const json_t *value,
                     struct error *err) {
    struct credential credential = {0};
    if (fill_credential(value, &credential, err) < 0) {
        credential_clear(&credential);
        return error_wrap(err, "%s: auths: %.200s", source->file, key);
    }
    struct entry *entry = !credential_empty(&credential) ? array_add(&source->entries, err) : NULL;
    if (entry == NULL) {
        credential_clear(&credential);
        return err->kind != ERROR_NONE ? -1 : 0;
    }
    entry->credential = credential;
    entry->credential.source = string_dup(source->file, err);
    entry->name = name_of_key(key, err);
    return entry->name != NULL && entry->credential.source != NULL ? 0 : -1;
}

/* key: NULL for "credsStore". */
static int add_helper(struct source *source, const char *key, const json_t *value,
                      struct error *err) {
    const char *name = json_string_value(value);
    if (name != NULL && *name == '\0' && key == NULL)
        return 0;
    if (name == NULL || (*name != '\0' && !helper_name_valid(name)))
        return error_set(err, ERROR_INPUT, "%s: %s%.200s: \"%.64s\" is no name of a helper",
                         source->file, key != NULL ? "credHelpers: " : "credsStore",
                         key != NULL ? key : "", name != NULL ? name : "");
    struct helper *helper = array_add(&source->helpers, err);
    if (helper == NULL)
        return -1;
    helper->name = string_dup(name, err);
    helper->host = key != NULL ? name_of_key(key, err) : NULL;
    return helper->name != NULL && (key == NULL || helper->host != NULL) ? 0 : -1;
}

static int parse_source(struct source *source, const char *bytes, size_t length,
                        struct error *err) {
    json_error_t where;
    json_auto_t *root = NULL;
    const char *key;
    json_t *value;
    if (json_read(bytes, length, JSON_REJECT_DUPLICATES, &root, &where, err) < 0)
        return -1;
    if (root == NULL || !json_is_object(root))
        return error_set(err, ERROR_INPUT,
                         "%s:%d:%d: not a docker configuration; log in again with docker login",
                         source->file, root == NULL ? where.line : 1,
                         root == NULL ? where.column : 1);
    json_object_foreach(json_object_get(root, "auths"), key, value) {
        if (add_entry(source, key, value, err) < 0)
            return -1;
    }
    json_object_foreach(json_object_get(root, "credHelpers"), key, value) {
        if (add_helper(source, key, value, err) < 0)
            return -1;
    }
    const json_t *store = json_object_get(root, "credsStore");
    return store != NULL && !json_is_null(store) ? add_helper(source, NULL, store, err) : 0;
}

static struct source *add_source(struct credentials *credentials, const char *file,
                                 struct error *err) {
    struct source *source = array_add(&credentials->sources, err);
    if (source == NULL)
        return NULL;
    source->file = string_dup(file, err);
    return source->file != NULL ? source : NULL;
}

/* take_file: may be NULL, with *err set then. */
static int read_source(struct credentials *credentials, char *take_file, bool must_be,
                       struct error *err) {
    _cleanup_(free_pointer) char *file = take_file;
    struct text bytes = {0};
    if (file == NULL)
        return -1;
    if (file_read(file, CREDENTIALS_FILE_LIMIT, &bytes, err) < 0) {
        text_clear(&bytes);
        if (err->kind == ERROR_NOT_FOUND && must_be)
            return error_set(err, ERROR_INPUT, "REGISTRY_AUTH_FILE names %s, which is not there",
                             file);
        if (err->kind != ERROR_NOT_FOUND)
            return error_wrap(err, "credentials of registries");
        error_clear(err);
        return 0;
    }
    struct source *source = add_source(credentials, file, err);
    int result = source != NULL ? parse_source(source, text_string(&bytes), bytes.length, err) : -1;
    if (bytes.bytes != NULL)
        explicit_bzero(bytes.bytes, bytes.length);
    text_clear(&bytes);
    return result;
}

static const char *environment(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

static int read_all(struct credentials *credentials, struct error *err) {
    const char *alone = environment("REGISTRY_AUTH_FILE");
    if (alone != NULL)
        return read_source(credentials, string_dup(alone, err), true, err);
    const char *home = environment("HOME");
    const char *docker = environment("DOCKER_CONFIG");
    const char *runtime = environment("XDG_RUNTIME_DIR");
    const char *config = environment("XDG_CONFIG_HOME");
    if (docker != NULL &&
        read_source(credentials, string_format(err, "%s/config.json", docker), false, err) < 0)
        return -1;
    if (docker == NULL && home != NULL &&
        read_source(credentials, string_format(err, "%s/.docker/config.json", home), false, err) <
            0)
        return -1;
    if (runtime != NULL &&
        read_source(credentials, string_format(err, "%s/containers/auth.json", runtime), false,
                    err) < 0)
        return -1;
    if (config != NULL)
        return read_source(credentials, string_format(err, "%s/containers/auth.json", config),
                           false, err);
    return home == NULL ? 0
                        : read_source(credentials,
                                      string_format(err, "%s/.config/containers/auth.json", home),
                                      false, err);
}

static int list_hosts(struct credentials *credentials, struct error *err) {
    size_t count = 0;
    for (size_t i = 0; i < credentials->sources.count; i++)
        count += credentials->sources.items[i].entries.count +
                 credentials->sources.items[i].helpers.count;
    credentials->hosts = calloc(count + 1, sizeof *credentials->hosts);
    if (credentials->hosts == NULL)
        return error_no_memory(err);
    count = 0;
    for (size_t i = 0; i < credentials->sources.count; i++) {
        const struct source *source = &credentials->sources.items[i];
        for (size_t k = 0; k < source->helpers.count; k++)
            if (source->helpers.items[k].host != NULL && source->helpers.items[k].name[0] != '\0')
                credentials->hosts[count++] = source->helpers.items[k].host;
        for (size_t k = 0; k < source->entries.count; k++)
            credentials->hosts[count++] = source->entries.items[k].name;
    }
    return 0;
}

int credentials_load(struct cancel *cancel, struct credentials **out, struct error *err) {
    _cleanup_(credentials_freep) struct credentials *credentials = calloc(1, sizeof *credentials);
    if (credentials == NULL)
        return error_no_memory(err);
    credentials->cancel = cancel;
    if (read_all(credentials, err) < 0 || list_hosts(credentials, err) < 0)
        return -1;
    *out = steal(credentials);
    return 0;
}

int credentials_parse(const char *file, const char *bytes, size_t length, struct credentials **out,
                      struct error *err) {
    _cleanup_(credentials_freep) struct credentials *credentials = calloc(1, sizeof *credentials);
    if (credentials == NULL)
        return error_no_memory(err);
    struct source *source = add_source(credentials, file, err);
    if (source == NULL || parse_source(source, bytes, length, err) < 0 ||
        list_hosts(credentials, err) < 0)
        return -1;
    *out = steal(credentials);
    return 0;
}

static void source_clear(struct source *source) {
    for (size_t i = 0; i < source->entries.count; i++) {
        free(source->entries.items[i].name);
        credential_clear(&source->entries.items[i].credential);
    }
    for (size_t i = 0; i < source->helpers.count; i++) {
        free(source->helpers.items[i].host);
        free(source->helpers.items[i].name);
    }
    free(source->entries.items);
    free(source->helpers.items);
    free(source->file);
}

void credentials_free(struct credentials *credentials) {
    if (credentials == NULL)
        return;
    for (size_t i = 0; i < credentials->sources.count; i++)
        source_clear(&credentials->sources.items[i]);
    for (size_t i = 0; i < credentials->answers.count; i++) {
        free(credentials->answers.items[i].helper);
        free(credentials->answers.items[i].host);
        free(credentials->answers.items[i].failure);
        credential_clear(&credentials->answers.items[i].credential);
    }
    free(credentials->sources.items);
    free(credentials->answers.items);
    free(credentials->hosts);
    free(credentials);
}

void credentials_freep(struct credentials **credentials) {
    credentials_free(*credentials);
}

/* How much of the image the entry's name covers: 0 when it is for others. */
static size_t covered(const char *name, const char *image) {
    size_t length = strlen(name);
    if (strncasecmp(image, name, length) != 0 || (image[length] != '\0' && image[length] != '/'))
        return 0;
    return length;
}

static const struct credential *find_entry(const struct source *source, const char *image) {
    const struct credential *found = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < source->entries.count; i++) {
        size_t length = covered(source->entries.items[i].name, image);
        if (length <= longest)
            continue;
        longest = length;
        found = &source->entries.items[i].credential;
    }
    return found;
}

static const struct helper *find_helper(const struct source *source, const char *image) {
    const struct helper *found = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < source->helpers.count; i++) {
        const struct helper *helper = &source->helpers.items[i];
        size_t length = helper->host != NULL ? covered(helper->host, image) : 0;
        if (helper->host == NULL ? found != NULL : length <= longest)
            continue;
        longest = length;
        found = helper;
    }
    return found;
}

static const struct answer *earlier_answer(const struct credentials *credentials,
                                           const char *helper, const char *host) {
    for (size_t i = 0; i < credentials->answers.count; i++)
        if (strcmp(credentials->answers.items[i].helper, helper) == 0 &&
            strcmp(credentials->answers.items[i].host, host) == 0)
            return &credentials->answers.items[i];
    return NULL;
}

/* failure: NULL, or why there is no answer. */
static int keep_answer(struct credentials *credentials, const char *helper, const char *host,
                       const char *failure, const struct credential *credential,
                       struct error *err) {
    struct answer *answer = array_add(&credentials->answers, err);
    if (answer == NULL)
        return -1;
    answer->helper = string_dup(helper, err);
    answer->host = string_dup(host, err);
    if (answer->helper == NULL || answer->host == NULL ||
        string_copy(failure, &answer->failure, err) < 0)
        return -1;
    return copy_credential(credential, &answer->credential, err);
}

/* Asks the helper, or remembers. Of a store for all registries, failing is no error yet: what is public needs no credentials.
 * The note tells, should the registry refuse. */
static int ask_helper(struct credentials *credentials, const struct source *source,
                      const struct helper *helper, const char *image, struct credential *out,
                      struct error *err) {
    _cleanup_(free_pointer) char *host = string_dup_length(image, strcspn(image, "/"), err);
    _cleanup_(free_pointer) char *failure = NULL;
    if (host == NULL)
        return -1;
    const struct answer *known = earlier_answer(credentials, helper->name, host);
    if (known != NULL)
        return known->failure != NULL ? error_set(err, ERROR_AUTH, "%s", known->failure)
                                      : copy_credential(&known->credential, out, err);
    if (helper_ask(helper->name, host, credentials->cancel, out, err) < 0) {
        if (err->kind == ERROR_CANCELLED || err->kind == ERROR_NO_MEMORY)
            return -1;
        struct error more = {0};
        char *words = string_format(&more, "%s names the credential helper \"%s\" for %s: %s",
                                    source->file, helper->name, host, error_message(err));
        error_clear(err);
        if (words == NULL)
            return error_move(err, &more);
        if (helper->host != NULL)
            failure = words;
        else
            out->note = words;
    } else if (!credential_empty(out)) {
        out->source = string_format(err, "docker-credential-%s (%s)", helper->name, source->file);
        if (out->source == NULL)
            return -1;
    }
    if (keep_answer(credentials, helper->name, host, failure, out, err) < 0)
        return -1;
    return failure != NULL ? error_set(err, ERROR_AUTH, "%s", failure) : 0;
}

int credentials_find(struct credentials *credentials, const char *image, struct credential *out,
                     struct error *err) {
    *out = (struct credential){0};
    _cleanup_(free_pointer) char *note = NULL;
    for (size_t i = 0; credentials != NULL && i < credentials->sources.count; i++) {
        const struct source *source = &credentials->sources.items[i];
        const struct helper *helper = find_helper(source, image);
        bool has_helper = helper != NULL && helper->name[0] != '\0';
        if (has_helper && ask_helper(credentials, source, helper, image, out, err) < 0) {
            credential_clear(out);
            return -1;
        }
        if (!credential_empty(out))
            return 0;
        if (note == NULL)
            note = steal(out->note);
        credential_clear(out);
        const struct credential *found = find_entry(source, image);
        if (found != NULL)
            return copy_credential(found, out, err);
    }
    out->note = steal(note);
    return 0;
}

const char *const *credentials_hosts(const struct credentials *credentials) {
    return credentials->hosts;
}

int credentials_problems(const struct credentials *credentials, struct string_list *out,
                         struct error *err) {
    for (size_t i = 0; i < credentials->sources.count; i++) {
        const struct source *source = &credentials->sources.items[i];
        for (size_t k = 0; k < source->helpers.count; k++) {
            const struct helper *helper = &source->helpers.items[k];
            if (helper->name[0] == '\0' || helper_installed(helper->name))
                continue;
            _cleanup_(free_pointer) char *words = string_format(
                err,
                "%s names the credential helper \"%s\" for %s, and docker-credential-%s is not "
                "in PATH",
                source->file, helper->name, helper->host != NULL ? helper->host : "all registries",
                helper->name);
            if (words == NULL || string_list_add(out, words, err) < 0)
                return -1;
        }
    }
    return 0;
}
