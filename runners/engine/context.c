#include "runners/engine/context.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"
#include "gate/base/file.h"
#include "gate/base/hash.h"
#include "gate/base/json_read.h"

#define FILE_LIMIT  (1u << 20) /* bytes; such files have some hundreds */
#define NAMES_SHOWN 8          /* of contexts that are there; the rest is not listed */

void docker_context_clear(struct docker_context *context) {
    free(context->file);
    free(context->host);
    free(context->tls_folder);
    *context = (struct docker_context){0};
}

static const char *environment(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

char *docker_config_folder(struct error *err) {
    const char *folder = environment("DOCKER_CONFIG");
    const char *home = environment("HOME");
    if (folder != NULL)
        return string_dup(folder, err);
    return home != NULL ? file_join(home, ".docker", err) : NULL;
}

/* *root is NULL where there is no such file. */
static int read_object(const char *file, json_t **root, struct error *err) {
    _cleanup_(text_clear) struct text bytes = {0};
    json_error_t where = {0};
    *root = NULL;
    if (file_read(file, FILE_LIMIT, &bytes, err) < 0) {
        if (err->kind != ERROR_NOT_FOUND)
            return error_wrap(err, "docker's configuration");
        error_clear(err);
        return 0;
    }
    if (json_read(text_string(&bytes), bytes.length, 0, root, &where, err) < 0)
        return -1;
    if (*root == NULL)
        return error_set(err, ERROR_ENGINE,
                         "%s: line %d: no JSON (%s): mend the file, or name the engine with "
                         "--engine or DOCKER_HOST",
                         file, where.line, where.text);
    if (!json_is_object(*root)) {
        json_decref(steal(*root));
        return error_set(err, ERROR_ENGINE,
                         "%s: a JSON object was expected: mend the file, or name the engine with "
                         "--engine or DOCKER_HOST",
                         file);
    }
    return 0;
}

int docker_context_current(const char *folder, char **name, char **file, struct error *err) {
    *name = *file = NULL;
    if (folder == NULL)
        return 0;
    _cleanup_(free_pointer) char *path = file_join(folder, "config.json", err);
    json_auto_t *root = NULL;
    if (path == NULL || read_object(path, &root, err) < 0)
        return -1;
    const json_t *current = json_object_get(root, "currentContext");
    if (current != NULL && !json_is_string(current))
        return error_set(err, ERROR_ENGINE, "%s: \"currentContext\" is no string", path);
    const char *text = json_string_value(current);
    if (text == NULL || *text == '\0' || strcmp(text, "default") == 0)
        return 0;
    *name = string_dup(text, err);
    *file = steal(path);
    return *name != NULL ? 0 : -1;
}

/* A name of a context, and so no path. */
static bool is_name(const char *name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    return *name != '\0' && strchr(letters, *name) != NULL &&
           name[strspn(
               name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-")] == '\0';
}

static int list_names(const char *meta, struct string_list *names, struct error *err) {
    DIR *folder = opendir(meta);
    int result = 0;
    const struct dirent *entry;
    while (folder != NULL && result == 0 && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        _cleanup_(free_pointer) char *file =
            string_format(err, "%s/%s/meta.json", meta, entry->d_name);
        json_auto_t *root = NULL;
        struct error ignored = {0};
        if (file == NULL)
            result = -1;
        else if (read_object(file, &root, &ignored) < 0)
            error_clear(&ignored);
        const char *name = json_string_value(json_object_get(root, "Name"));
        if (name != NULL && is_name(name))
            result = string_list_add(names, name, err);
    }
    if (folder != NULL)
        closedir(folder);
    string_list_sort(names);
    return result;
}

static int no_such(const char *folder, const char *name, struct error *err) {
    _cleanup_(string_list_clear) struct string_list names = {0};
    _cleanup_(text_clear) struct text words = {0};
    if (folder == NULL)
        return error_set(err, ERROR_USAGE,
                         "there is no docker context \"%s\": neither DOCKER_CONFIG nor HOME is set",
                         name);
    _cleanup_(free_pointer) char *meta = file_join(folder, "contexts/meta", err);
    if (meta == NULL || list_names(meta, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count && i < NAMES_SHOWN; i++)
        text_printf(&words, "%s%s", i > 0 ? ", " : "there are ", names.items[i]);
    if (names.count > NAMES_SHOWN)
        text_add(&words, " and more");
    return error_set(err, ERROR_USAGE, "there is no docker context \"%s\" in %s; %s", name, meta,
                     names.count > 0 ? text_string(&words)
                                     : "there is none at all: `docker context create` makes one");
}

static int take_endpoint(const json_t *root, const char *name, struct docker_context *out,
                         struct error *err) {
    const json_t *endpoint = json_object_get(json_object_get(root, "Endpoints"), "docker");
    const char *host = json_string_value(json_object_get(endpoint, "Host"));
    const char *given = json_string_value(json_object_get(root, "Name"));
    const char *wrong = NULL;
    if (given == NULL || strcmp(given, name) != 0)
        wrong = "\"Name\" is not that of the context";
    else if (!json_is_object(endpoint))
        wrong = "it has no \"Endpoints\": {\"docker\": …}";
    else if (host == NULL || *host == '\0')
        wrong = "its docker endpoint has no \"Host\"";
    if (wrong != NULL)
        return error_set(err, ERROR_ENGINE,
                         "docker context \"%s\": %s: %s; make it anew: `docker context rm %s`, "
                         "`docker context create %s --docker host=…`",
                         name, out->file, wrong, name, name);
    out->unverified = json_is_true(json_object_get(endpoint, "SkipTLSVerify"));
    out->host = string_dup(host, err);
    return out->host != NULL ? 0 : -1;
}

int docker_context_read(const char *folder, const char *name, struct docker_context *out,
                        struct error *err) {
    _cleanup_(docker_context_clear) struct docker_context found = {0};
    char id[HASH_HEX_SIZE];
    if (!is_name(name))
        return error_set(err, ERROR_USAGE,
                         "\"%s\" is no name of a docker context: letters, digits and _ . + - make "
                         "one",
                         name);
    if (folder == NULL)
        return no_such(folder, name, err);
    if (hash_hex(name, strlen(name), id, err) < 0)
        return -1;
    found.file = string_format(err, "%s/contexts/meta/%s/meta.json", folder, id);
    json_auto_t *root = NULL;
    if (found.file == NULL || read_object(found.file, &root, err) < 0)
        return -1;
    if (root == NULL)
        return no_such(folder, name, err);
    if (take_endpoint(root, name, &found, err) < 0)
        return -1;
    found.tls_folder = string_format(err, "%s/contexts/tls/%s/docker", folder, id);
    if (found.tls_folder == NULL)
        return -1;
    if (!file_exists(found.tls_folder)) {
        free(found.tls_folder);
        found.tls_folder = NULL;
    }
    *out = found;
    found = (struct docker_context){0};
    return 0;
}
