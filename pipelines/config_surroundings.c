#include "pipelines/config_surroundings.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "gate/platform.h"
#include "runners/workspace.h"

#define MEMORY_LEAST  (6LL << 20) /* bytes; Docker Engine refuses less */
#define NAME_LIMIT    128         /* bytes of a secret's name */
#define TMPFS_LIMIT   16          /* of one test */
#define SECRETS_LIMIT 64          /* of one test */
#define ULIMIT_MOST   (1LL << 62)
#define NOFILE_LEAST  16 /* what starts a container opens files by itself */

int config_read_memory(const char *file, const struct yaml_node *node, void *field,
                       struct error *err) {
    int64_t *bytes = field;
    if (config_read_size(file, node, field, err) < 0)
        return -1;
    return *bytes >= MEMORY_LEAST
               ? 0
               : config_complain(file, node, err, "\"%s\": engines take no limit below 6MiB",
                                 node->text);
}

/* environment */

static const struct key from_keys[] = {{"from", config_read_text, 0}, {0}};
static const struct key_table from_table = {"a value of environment", "tests.environment.",
                                            from_keys, NULL};

/* A variable's name as shells and engines take it. */
static bool is_name(const char *name) {
    size_t length = strlen(name);
    return length > 0 && length <= NAME_LIMIT && !isdigit((unsigned char)name[0]) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
               length;
}

static int check_variable(const char *file, const struct yaml_node *key, struct error *err) {
    if (!yaml_is_scalar(key) || key->text[0] == '\0' || strchr(key->text, '=') != NULL)
        return config_complain(file, key, err,
                               "a name of the environment was expected here, without \"=\"");
    if (string_has_prefix(key->text, "PINGATE_"))
        return config_complain(file, key, err,
                               "environment: names that begin with PINGATE_ are pingate's own");
    return 0;
}

static int read_from(const char *file, const struct yaml_node *node, const char *name,
                     struct string_list *list, struct error *err) {
    _cleanup_(free_pointer) char *from = NULL;
    if (config_read_mapping(file, node, &from_table, &from, err) < 0)
        return -1;
    if (from == NULL || !is_name(from))
        return config_complain(file, node, err,
                               "environment: {from: NAME} takes the value of %s from the caller's "
                               "variable NAME, a word of letters, digits and \"_\"",
                               name);
    _cleanup_(free_pointer) char *both = string_format(err, "%s=%s", name, from);
    return both != NULL ? string_list_add(list, both, err) : -1;
}

int config_read_environment(const char *file, const struct yaml_node *node,
                            struct string_list *environment, struct string_list *environment_from,
                            struct error *err) {
    if (node->kind != YAML_MAPPING)
        return config_complain(file, node, err,
                               "environment must be a mapping of names to values, and this is %s",
                               yaml_is_null(node) ? "empty" : yaml_kind_name(node->kind));
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->pairs[i].key;
        const struct yaml_node *value = node->pairs[i].value;
        if (check_variable(file, key, err) < 0)
            return -1;
        if (value->kind == YAML_MAPPING) {
            if (read_from(file, value, key->text, environment_from, err) < 0)
                return -1;
            continue;
        }
        if (!yaml_is_scalar(value) || yaml_is_null(value))
            return config_complain(file, value, err,
                                   "environment: the value of %s must be a text, and this is %s; "
                                   "write \"\" for an empty one, {from: NAME} for the caller's",
                                   key->text,
                                   yaml_is_scalar(value) ? "none" : yaml_kind_name(value->kind));
        _cleanup_(free_pointer) char *both = string_format(err, "%s=%s", key->text, value->text);
        if (both == NULL || string_list_add(environment, both, err) < 0)
            return -1;
    }
    return 0;
}

int config_read_test_environment(const char *file, const struct yaml_node *node, void *field,
                                 struct error *err) {
    struct test *test = field;
    return config_read_environment(file, node, &test->environment, &test->environment_from, err);
}

/* secrets */

static int read_secret_name(const char *file, const struct yaml_node *node, void *field,
                            struct error *err) {
    if (config_read_text(file, node, field, err) < 0)
        return -1;
    return is_name(node->text)
               ? 0
               : config_complain(file, node, err,
                                 "\"%.64s\": a secret's name is a word of letters, digits and "
                                 "\"_\", which the caller grants with --allow-secret",
                                 node->text);
}

/* One name in the folder: it is a mount of its own, so what else is there stays visible. */
static int read_secret_file(const char *file, const struct yaml_node *node, void *field,
                            struct error *err) {
    char **out = field;
    if (config_read_text(file, node, field, err) < 0)
        return -1;
    const char *name = string_has_prefix(node->text, TEST_SECRETS_FOLDER "/")
                           ? node->text + strlen(TEST_SECRETS_FOLDER "/")
                           : node->text;
    size_t length = strlen(name);
    if (length == 0 || length > NAME_LIMIT || name[0] == '.' || strchr(name, '/') != NULL)
        return config_complain(file, node, err,
                               "\"%.64s\": secrets are files in " TEST_SECRETS_FOLDER
                               ", so a name there was expected, such as " TEST_SECRETS_FOLDER
                               "/token; a command can link to it from elsewhere",
                               node->text);
    memmove(*out, *out + (name - node->text), length + 1);
    return 0;
}

static const struct key secret_keys[] = {
    {"name", read_secret_name, offsetof(struct test_secret, name)},
    {"file", read_secret_file, offsetof(struct test_secret, file)},
    {0},
};

const struct key_table config_secret_table = {"a secret", "tests.secrets.", secret_keys, NULL};

static int add_secret(const char *file, const struct yaml_node *node, struct test_secret_list *list,
                      struct error *err) {
    struct test_secret *secret = array_add(list, err);
    if (secret == NULL)
        return -1;
    secret->line = (int)node->line;
    if (yaml_is_scalar(node) && !yaml_is_null(node)) {
        if (read_secret_name(file, node, &secret->name, err) < 0)
            return -1;
    } else if (config_read_mapping(file, node, &config_secret_table, secret, err) < 0) {
        return -1;
    }
    if (secret->name == NULL)
        return config_complain(file, node, err,
                               "this secret lacks a \"name\", by which the caller grants it");
    if (secret->file == NULL && (secret->file = string_dup(secret->name, err)) == NULL)
        return -1;
    for (size_t i = 0; i + 1 < list->count; i++)
        if (strcmp(list->items[i].file, secret->file) == 0)
            return config_complain(file, node, err,
                                   TEST_SECRETS_FOLDER "/%s is given twice: on line %d, too",
                                   secret->file, list->items[i].line);
    return 0;
}

int config_read_secrets(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    struct test_secret_list *list = field;
    if (node->kind != YAML_SEQUENCE && !yaml_is_null(node))
        return add_secret(file, node, list, err);
    if (node->kind != YAML_SEQUENCE || node->count == 0 || node->count > SECRETS_LIMIT)
        return config_complain(file, node, err,
                               "a secret or a list of up to %d secrets was expected here",
                               SECRETS_LIMIT);
    for (size_t i = 0; i < node->count; i++)
        if (add_secret(file, node->items[i], list, err) < 0)
            return -1;
    return 0;
}

/* entrypoint */

static int read_words(const char *file, const struct yaml_node *node, char ***words,
                      struct error *err) {
    char **list = calloc(node->count + 1, sizeof *list);
    if (list == NULL)
        return error_no_memory(err);
    *words = list;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *word = node->items[i];
        if (!yaml_is_scalar(word) || (i == 0 && word->text[0] == '\0'))
            return config_complain(file, word, err,
                                   "a word of the entrypoint was expected here, and this is %s",
                                   yaml_is_scalar(word) ? "empty" : yaml_kind_name(word->kind));
        list[i] = string_dup(word->text, err);
        if (list[i] == NULL)
            return -1;
    }
    return 0;
}

int config_read_entrypoint(const char *file, const struct yaml_node *node,
                           enum entrypoint *entrypoint, char ***words, struct error *err) {
    static const char *const names[] = {"clear", "keep", NULL};
    size_t chosen;
    if (node->kind == YAML_SEQUENCE && node->count > 0) {
        *entrypoint = ENTRYPOINT_REPLACE;
        return read_words(file, node, words, err);
    }
    if (node->kind == YAML_SEQUENCE)
        return config_complain(file, node, err,
                               "an empty entrypoint is \"clear\": the command is run in its place");
    if (config_read_choice(file, node, names, &chosen, err) < 0)
        return -1;
    *entrypoint = chosen == 1 ? ENTRYPOINT_KEEP : ENTRYPOINT_CLEAR;
    return 0;
}

int config_read_test_entrypoint(const char *file, const struct yaml_node *node, void *field,
                                struct error *err) {
    struct test *test = field;
    return config_read_entrypoint(file, node, &test->entrypoint, &test->entrypoint_words, err);
}

/* tmpfs */

static const char tmpfs_help[] =
    "options of a tmpfs are size=64MiB, mode=1777, uid=, gid=, exec and noexec";

static bool is_number(const char *text, const char *digits) {
    size_t length = strspn(text, digits);
    return length > 0 && length <= 10 && text[length] == '\0';
}

/* One option, as engines take it. */
static int add_option(const char *file, const struct yaml_node *node, char *option,
                      struct text *out, struct error *err) {
    char *value = strchr(option, '=');
    if (value != NULL)
        *value++ = '\0';
    if (value == NULL && (strcmp(option, "exec") == 0 || strcmp(option, "noexec") == 0)) {
        text_printf(out, ",%s", option);
        return 0;
    }
    if (value != NULL && strcmp(option, "size") == 0) {
        int64_t bytes;
        struct yaml_node size = *node;
        size.text = value;
        if (config_read_size(file, &size, &bytes, err) < 0)
            return -1;
        text_printf(out, ",size=%lld", (long long)bytes);
        return 0;
    }
    bool mode = value != NULL && strcmp(option, "mode") == 0 && is_number(value, "01234567") &&
                strlen(value) <= 4;
    bool owner = value != NULL && (strcmp(option, "uid") == 0 || strcmp(option, "gid") == 0) &&
                 is_number(value, "0123456789");
    if (!mode && !owner)
        return config_complain(file, node, err, "\"%s%s%s\": %s", option, value != NULL ? "=" : "",
                               value != NULL ? value : "", tmpfs_help);
    text_printf(out, ",%s=%s", option, value);
    return 0;
}

static bool is_below(const char *path, const char *folder) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static int check_path(const char *file, const struct yaml_node *node, const char *path,
                      struct error *err) {
    bool plain = path[0] == '/' && path[1] != '\0' && strstr(path, "//") == NULL &&
                 strstr(path, "/./") == NULL && strstr(path, "/../") == NULL &&
                 !string_has_suffix(path, "/") && !string_has_suffix(path, "/.") &&
                 !string_has_suffix(path, "/..");
    if (!plain)
        return config_complain(file, node, err,
                               "\"%.64s\": a tmpfs is a folder such as /tmp, with a plain path "
                               "from \"/\" on",
                               path);
    if (is_below(path, WORKSPACE_MOUNT) || is_below(path, TEST_SECRETS_FOLDER))
        return config_complain(file, node, err,
                               "\"%.64s\": that folder is a mount of pingate's own", path);
    return 0;
}

/* Engines make a tmpfs noexec where nothing is said, and then no build tool runs what it just wrote there. */
static int add_tmpfs(const char *file, const struct yaml_node *node, struct string_list *list,
                     struct error *err) {
    _cleanup_(text_clear) struct text out = {0};
    _cleanup_(free_pointer) char *words = NULL;
    if (config_read_text(file, node, &words, err) < 0)
        return -1;
    char *options = strchr(words, ':');
    if (options != NULL)
        *options++ = '\0';
    if (check_path(file, node, words, err) < 0)
        return -1;
    text_printf(&out, "%s:rw,nosuid,nodev", words);
    bool exec = true;
    bool mode = false;
    for (char *rest = options; rest != NULL;) {
        char *option = strsep(&rest, ",");
        exec = exec && strcmp(option, "exec") != 0 && strcmp(option, "noexec") != 0;
        mode = mode || string_has_prefix(option, "mode=");
        if (add_option(file, node, option, &out, err) < 0)
            return -1;
    }
    text_printf(&out, "%s%s", exec ? ",exec" : "", mode ? "" : ",mode=1777");
    size_t length = strlen(words) + 1;
    for (size_t i = 0; i < list->count; i++)
        if (strncmp(list->items[i], text_string(&out), length) == 0)
            return config_complain(file, node, err, "%s is given twice", words);
    return text_check(&out, err) == 0 ? string_list_add(list, out.bytes, err) : -1;
}

int config_read_tmpfs(const char *file, const struct yaml_node *node, void *field,
                      struct error *err) {
    if (node->kind != YAML_SEQUENCE)
        return add_tmpfs(file, node, field, err);
    if (node->count == 0 || node->count > TMPFS_LIMIT)
        return config_complain(file, node, err,
                               "a folder or a list of up to %d folders was expected here",
                               TMPFS_LIMIT);
    for (size_t i = 0; i < node->count; i++)
        if (add_tmpfs(file, node->items[i], field, err) < 0)
            return -1;
    return 0;
}

/* ulimits */

static int read_limit(const char *file, const struct yaml_node *node, void *field,
                      struct error *err) {
    int64_t *out = field;
    if (yaml_is_scalar(node) && strcmp(node->text, "unlimited") == 0) {
        *out = -1;
        return 0;
    }
    if (!yaml_is_scalar(node) || !isdigit((unsigned char)node->text[0]) ||
        node->text[strspn(node->text, "0123456789")] != '\0' || strlen(node->text) > 18 ||
        strtoll(node->text, NULL, 10) > ULIMIT_MOST)
        return config_complain(file, node, err,
                               "a limit is a whole number from 0 on, or the word unlimited");
    *out = strtoll(node->text, NULL, 10);
    return 0;
}

static const struct key limit_keys[] = {
    {"soft", read_limit, offsetof(struct ulimit, soft)},
    {"hard", read_limit, offsetof(struct ulimit, hard)},
    {0},
};

static const struct key_table limit_table = {"a limit", "tests.ulimits.", limit_keys, NULL};

#define NOT_GIVEN (-2)

static int read_ulimit(const char *file, const struct yaml_node *node, struct ulimit *limit,
                       struct error *err) {
    limit->soft = limit->hard = NOT_GIVEN;
    if (node->kind == YAML_MAPPING) {
        if (config_read_mapping(file, node, &limit_table, limit, err) < 0)
            return -1;
    } else if (read_limit(file, node, &limit->hard, err) < 0) {
        return -1;
    }
    if (limit->hard == NOT_GIVEN)
        limit->hard = limit->soft;
    if (limit->soft == NOT_GIVEN)
        limit->soft = limit->hard;
    if (limit->hard == NOT_GIVEN)
        return config_complain(file, node, err, "%s needs a number, or soft and hard ones",
                               limit->name);
    bool above = limit->hard != -1 && (limit->soft == -1 || limit->soft > limit->hard);
    if (above)
        return config_complain(file, node, err, "%s: the soft limit is above the hard one",
                               limit->name);
    if (strcmp(limit->name, "nofile") == 0 && limit->soft != -1 && limit->soft < NOFILE_LEAST)
        return config_complain(file, node, err,
                               "nofile: no container starts with fewer than %d open files",
                               NOFILE_LEAST);
    return 0;
}

/* In the order of their names, so that equal ones are equal. */
static int compare(const void *a, const void *b) {
    return strcmp(((const struct ulimit *)a)->name, ((const struct ulimit *)b)->name);
}

int config_read_ulimits(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    static const char *const names[] = {
        "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue", "nice",
        "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack",    NULL};
    struct ulimit_list *list = field;
    if (node->kind != YAML_MAPPING || node->count == 0)
        return config_complain(file, node, err,
                               "ulimits must be a mapping of names to numbers, such as {nofile: "
                               "1024}");
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->pairs[i].key;
        size_t chosen;
        if (config_read_choice(file, key, names, &chosen, err) < 0)
            return -1;
        struct ulimit *limit = array_add(list, err);
        if (limit == NULL || (limit->name = string_dup(names[chosen], err)) == NULL ||
            read_ulimit(file, node->pairs[i].value, limit, err) < 0)
            return -1;
    }
    qsort(list->items, list->count, sizeof *list->items, compare);
    return 0;
}

/* platform, profile */

int config_read_platform(const char *file, const struct yaml_node *node, void *field,
                         struct error *err) {
    struct platform platform;
    char words[PLATFORM_WORDS_SIZE];
    char **out = field;
    if (config_read_text(file, node, field, err) < 0)
        return -1;
    if (!platform_parse(node->text, &platform) || strcmp(platform.os, "linux") != 0)
        return config_complain(file, node, err,
                               "\"%.64s\": a platform such as linux/arm64 was expected here; "
                               "engines run Linux",
                               node->text);
    platform_words(&platform, words);
    free(*out);
    *out = string_dup(words, err);
    return *out != NULL ? 0 : -1;
}

int config_read_profile(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    static const char *const words[] = {"default", "strict", NULL};
    size_t chosen;
    if (config_read_choice(file, node, words, &chosen, err) < 0)
        return -1;
    *(bool *)field = chosen == 1;
    return 0;
}
