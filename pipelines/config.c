#include "pipelines/config.h"

#include <ctype.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/file.h"
#include "gate/base/text.h"
#include "gate/base/yaml.h"
#include "gate/selector.h"

#define KEYS_LIMIT 16 /* of one mapping, for the "did you mean" */

/* Reads one value into the field that the key names. */
typedef int read_value(const char *file, const struct yaml_node *value, void *field,
                       struct error *err);

struct key {
    const char *name;
    read_value *read;
    size_t offset; /* of the field in the mapping's struct */
};

/* An error at a place of the file. Always -1. */
#define complain(file, node, err, ...)                                                             \
    error_minus_one(complain_at((file), (node), (err), __VA_ARGS__))
static int complain_at(const char *file, const struct yaml_node *node, struct error *err,
                       const char *format, ...) _printf_(4, 5);

static int complain_at(const char *file, const struct yaml_node *node, struct error *err,
                       const char *format, ...) {
    char words[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    return error_set(err, ERROR_CONFIG, "%s:%zu:%zu: %s", file, node->line, node->column, words);
}

/* What a reader below said gets its place in the file. */
static int place(const char *file, const struct yaml_node *node, struct error *err) {
    if (err->kind == ERROR_NO_MEMORY)
        return -1;
    err->kind = ERROR_CONFIG;
    return error_wrap(err, "%s:%zu:%zu", file, node->line, node->column);
}

static int refuse_key(const char *file, const struct yaml_node *node, const struct key *keys,
                      const char *what, struct error *err) {
    const char *names[KEYS_LIMIT + 1];
    struct text known = {0};
    size_t count = 0;
    for (; count < KEYS_LIMIT && keys[count].name != NULL; count++) {
        names[count] = keys[count].name;
        text_printf(&known, "%s%s", count > 0 ? ", " : "", keys[count].name);
    }
    names[count] = NULL;
    const char *nearest = string_nearest(node->text, names);
    if (nearest != NULL)
        complain(file, node, err, "unknown key \"%s\" in %s; did you mean \"%s\"?", node->text,
                 what, nearest);
    else
        complain(file, node, err, "unknown key \"%s\" in %s; known are %s", node->text, what,
                 text_string(&known));
    text_clear(&known);
    return -1;
}

static const struct key *find_key(const struct key *keys, const char *name) {
    for (; keys->name != NULL; keys++)
        if (strcmp(keys->name, name) == 0)
            return keys;
    return NULL;
}

static int read_mapping(const char *file, const struct yaml_node *node, const struct key *keys,
                        const char *what, void *target, struct error *err) {
    if (node->kind != YAML_MAPPING)
        return complain(file, node, err, "%s must be a mapping, and this is %s", what,
                        yaml_kind_name(node->kind));
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->pairs[i].key;
        if (!yaml_is_scalar(key))
            return complain(file, key, err, "a key of %s must be a word", what);
        const struct key *known = find_key(keys, key->text);
        if (known == NULL)
            return refuse_key(file, key, keys, what, err);
        if (known->read(file, node->pairs[i].value, (char *)target + known->offset, err) < 0)
            return -1;
    }
    return 0;
}

static int read_text(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    char **out = field;
    if (!yaml_is_scalar(node) || yaml_is_null(node))
        return complain(file, node, err, "a text was expected here, and this is %s",
                        yaml_is_scalar(node) ? "empty" : yaml_kind_name(node->kind));
    free(*out);
    *out = string_dup(node->text, err);
    return *out != NULL ? 0 : -1;
}

static int read_flag(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    bool *out = field;
    if (yaml_is_plain(node) &&
        (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)) {
        *out = node->text[0] == 't';
        return 0;
    }
    return complain(file, node, err, "true or false was expected here");
}

static int read_choice(const char *file, const struct yaml_node *node, const char *const *words,
                       size_t *chosen, struct error *err) {
    if (!yaml_is_scalar(node))
        return complain(file, node, err, "one of the words %s, … was expected here", words[0]);
    struct text known = {0};
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], node->text) == 0) {
            text_clear(&known);
            *chosen = i;
            return 0;
        }
        text_printf(&known, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    const char *nearest = string_nearest(node->text, words);
    complain(file, node, err, "\"%s\" is none of %s%s%s%s", node->text, text_string(&known),
             nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
             nearest != NULL ? "\"?" : "");
    text_clear(&known);
    return -1;
}

static int add_texts(const char *file, const struct yaml_node *node, struct string_list *list,
                     int (*check)(const char *text, struct error *err), struct error *err) {
    bool one = yaml_is_scalar(node) && !yaml_is_null(node);
    if (!one && (node->kind != YAML_SEQUENCE || node->count == 0))
        return complain(file, node, err, "a text or a list of texts was expected here");
    for (size_t i = 0; i < (one ? 1 : node->count); i++) {
        const struct yaml_node *item = one ? node : node->items[i];
        if (!yaml_is_scalar(item) || yaml_is_null(item))
            return complain(file, item, err, "a text was expected in this list");
        if (check != NULL && check(item->text, err) < 0)
            return place(file, item, err);
        if (string_list_add(list, item->text, err) < 0)
            return -1;
    }
    return 0;
}

static int read_texts(const char *file, const struct yaml_node *node, void *field,
                      struct error *err) {
    return add_texts(file, node, field, NULL, err);
}

static int read_selectors(const char *file, const struct yaml_node *node, void *field,
                          struct error *err) {
    return add_texts(file, node, field, selector_check, err);
}

static int read_selector(const char *file, const struct yaml_node *node, void *field,
                         struct error *err) {
    if (read_text(file, node, field, err) < 0)
        return -1;
    return selector_check(node->text, err) < 0 ? place(file, node, err) : 0;
}

static int read_duration(const char *file, const struct yaml_node *node, void *field,
                         struct error *err) {
    int64_t *out = field;
    if (!yaml_is_scalar(node))
        return complain(file, node, err, "a duration such as 90s or 5m was expected here");
    if (clock_parse_duration(node->text, out, err) < 0)
        return place(file, node, err);
    return *out > 0 ? 0 : complain(file, node, err, "a duration above zero was expected here");
}

static int read_number(const char *file, const struct yaml_node *node, int64_t most, int64_t *out,
                       const char **rest, struct error *err) {
    char *end = NULL;
    long long number = yaml_is_scalar(node) && isdigit((unsigned char)node->text[0])
                           ? strtoll(node->text, &end, 10)
                           : 0;
    if (end == NULL || number < 1 || number > most)
        return complain(file, node, err, "a number from 1 to %lld was expected here",
                        (long long)most);
    *out = number;
    *rest = end;
    return 0;
}

static int read_size(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    static const struct {
        const char *name;
        int shift;
    } units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    const char *unit;
    int64_t *out = field;
    if (read_number(file, node, 1LL << 30, out, &unit, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        *out <<= units[i].shift;
        return 0;
    }
    return complain(file, node, err,
                    "\"%s\" is no size; write a number and KiB, MiB or GiB, such as 512MiB",
                    node->text);
}

static int read_count(const char *file, const struct yaml_node *node, void *field,
                      struct error *err) {
    const char *rest;
    if (read_number(file, node, 1000000, field, &rest, err) < 0)
        return -1;
    return *rest == '\0' ? 0 : complain(file, node, err, "\"%s\" is no whole number", node->text);
}

static int read_cpus(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    char *end = NULL;
    double cpus = yaml_is_scalar(node) ? strtod(node->text, &end) : 0;
    if (end == NULL || *end != '\0' || !(cpus >= 0.01 && cpus <= 1024))
        return complain(file, node, err,
                        "a number of processors from 0.01 to 1024 was expected here");
    *(int64_t *)field = (int64_t)(cpus * 1e9);
    return 0;
}

static int read_version(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    (void)field;
    if (yaml_is_plain(node) && strcmp(node->text, "1") == 0)
        return 0;
    return complain(file, node, err, "this pingate reads version 1 of the configuration");
}

/* tests */

static int check_test_name(const char *name, struct error *err) {
    size_t length = strlen(name);
    if (length == 0 || length > 64 || name[0] == '.' ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-") !=
            length)
        return error_set(
            err, ERROR_CONFIG,
            "\"%.64s\": a test's name is 1 to 64 letters, digits, spaces, \".\", \"_\" or \"-\"",
            name);
    return 0;
}

static int read_name(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    if (read_text(file, node, field, err) < 0)
        return -1;
    return check_test_name(node->text, err) < 0 ? place(file, node, err) : 0;
}

static int read_network(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    static const char *const words[] = {"none", "bridge", NULL};
    size_t chosen;
    if (read_choice(file, node, words, &chosen, err) < 0)
        return -1;
    *(bool *)field = chosen == 1;
    return 0;
}

static int read_entrypoint(const char *file, const struct yaml_node *node, void *field,
                           struct error *err) {
    static const char *const words[] = {"clear", "keep", NULL};
    size_t chosen;
    if (read_choice(file, node, words, &chosen, err) < 0)
        return -1;
    *(bool *)field = chosen == 1;
    return 0;
}

static int read_environment(const char *file, const struct yaml_node *node, void *field,
                            struct error *err) {
    struct string_list *list = field;
    if (node->kind != YAML_MAPPING)
        return complain(file, node, err, "environment must be a mapping of names to values");
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->pairs[i].key;
        const struct yaml_node *value = node->pairs[i].value;
        if (!yaml_is_scalar(key) || key->text[0] == '\0' || strchr(key->text, '=') != NULL ||
            !yaml_is_scalar(value))
            return complain(file, key, err, "environment: NAME: value was expected here");
        if (string_has_prefix(key->text, "PINGATE_"))
            return complain(file, key, err,
                            "environment: names that begin with PINGATE_ are pingate's own");
        _cleanup_(free_pointer) char *both = string_format(err, "%s=%s", key->text, value->text);
        if (both == NULL || string_list_add(list, both, err) < 0)
            return -1;
    }
    return 0;
}

/* A string goes to a shell, a list is run as it is. */
static int fill_command(const char *file, const struct yaml_node *node,
                        struct test_command *command, struct error *err) {
    bool shell = yaml_is_scalar(node) && !yaml_is_null(node);
    if (!shell && (node->kind != YAML_SEQUENCE || node->count == 0))
        return complain(file, node, err,
                        "a command is a text for the shell, or a list of words that needs none");
    size_t count = shell ? 3 : node->count;
    command->line = (int)node->line;
    command->argv = calloc(count + 1, sizeof *command->argv);
    if (command->argv == NULL)
        return error_no_memory(err);
    struct text words = {0};
    for (size_t i = 0; i < count; i++) {
        const char *word = i == 0 ? "sh" : i == 1 ? "-ec" : node->text;
        if (!shell && !yaml_is_scalar(node->items[i])) {
            text_clear(&words);
            return complain(file, node->items[i], err, "a word of the command was expected here");
        }
        if (!shell)
            word = node->items[i]->text;
        command->argv[i] = string_dup(word, err);
        if (command->argv[i] == NULL) {
            text_clear(&words);
            return -1;
        }
        if (!shell || i == 2)
            text_printf(&words, "%s%s", words.length > 0 ? " " : "", word);
    }
    while (words.length > 0 && words.bytes[words.length - 1] == '\n')
        text_truncate(&words, words.length - 1);
    for (size_t i = 0; i < words.length; i++)
        if (words.bytes[i] == '\n')
            words.bytes[i] = ' ';
    command->text = text_steal(&words, err);
    return command->text != NULL ? 0 : -1;
}

static int read_command_line(const char *file, const struct yaml_node *node, void *field,
                             struct error *err) {
    return fill_command(file, node, field, err);
}

static const struct key command_keys[] = {
    {"in", read_selector, offsetof(struct test_command, in)},
    {"command", read_command_line, 0},
    {0},
};

static int add_command(const char *file, const struct yaml_node *node, struct test *test,
                       struct error *err) {
    struct test_command *grown = realloc(test->commands, (test->command_count + 1) * sizeof *grown);
    if (grown == NULL)
        return error_no_memory(err);
    test->commands = grown;
    struct test_command *command = &grown[test->command_count++];
    *command = (struct test_command){0};
    if (node->kind != YAML_MAPPING)
        return fill_command(file, node, command, err);
    if (read_mapping(file, node, command_keys, "a command", command, err) < 0)
        return -1;
    return command->argv != NULL ? 0 : complain(file, node, err, "this command lacks \"command\"");
}

static int read_run(const char *file, const struct yaml_node *node, void *target,
                    struct error *err) {
    struct test *test = target;
    if (yaml_is_scalar(node) && !yaml_is_null(node))
        return add_command(file, node, test, err);
    if (node->kind != YAML_SEQUENCE || node->count == 0)
        return complain(file, node, err,
                        "run needs at least one command: a test without one would pass by itself");
    for (size_t i = 0; i < node->count; i++)
        if (add_command(file, node->items[i], test, err) < 0)
            return -1;
    return 0;
}

static const struct key test_keys[] = {
    {"name", read_name, offsetof(struct test, name)},
    {"images", read_selectors, offsetof(struct test, images)},
    {"in", read_selector, offsetof(struct test, in)},
    {"run", read_run, 0},
    {"timeout", read_duration, offsetof(struct test, timeout_ms)},
    {"environment", read_environment, offsetof(struct test, environment)},
    {"user", read_text, offsetof(struct test, user)},
    {"workdir", read_text, offsetof(struct test, workdir)},
    {"network", read_network, offsetof(struct test, network)},
    {"entrypoint", read_entrypoint, offsetof(struct test, keep_entrypoint)},
    {"memory", read_size, offsetof(struct test, memory_bytes)},
    {"cpus", read_cpus, offsetof(struct test, nano_cpus)},
    {"pids", read_count, offsetof(struct test, pids)},
    {"log_limit", read_size, offsetof(struct test, log_limit_bytes)},
    {0},
};

static int add_test(const char *file, const struct yaml_node *node, struct test_list *tests,
                    struct error *err) {
    struct test *test = array_add(tests, err);
    if (test == NULL)
        return -1;
    *test = (struct test){.timeout_ms = TEST_TIMEOUT_MS,
                          .memory_bytes = TEST_MEMORY_BYTES,
                          .nano_cpus = TEST_NANO_CPUS,
                          .pids = TEST_PIDS,
                          .log_limit_bytes = TEST_LOG_LIMIT_BYTES,
                          .line = (int)node->line};
    if (read_mapping(file, node, test_keys, "a test", test, err) < 0)
        return -1;
    if (test->name == NULL)
        return complain(file, node, err, "this test lacks a \"name\"");
    if (test->command_count == 0)
        return complain(file, node, err,
                        "test \"%s\" lacks \"run\": a test without a command would pass by itself",
                        test->name);
    for (size_t i = 0; i + 1 < tests->count; i++)
        if (strcasecmp(tests->items[i].name, test->name) == 0)
            return complain(file, node, err, "test \"%s\" stands at line %d already", test->name,
                            tests->items[i].line);
    return 0;
}

static int read_tests(const char *file, const struct yaml_node *node, void *field,
                      struct error *err) {
    if (node->kind != YAML_SEQUENCE || node->count == 0)
        return complain(file, node, err, "tests must be a list of at least one test");
    for (size_t i = 0; i < node->count; i++)
        if (add_test(file, node->items[i], field, err) < 0)
            return -1;
    return 0;
}

/* updates */

static int read_policy(const char *file, const struct yaml_node *node, void *field,
                       struct error *err) {
    size_t chosen;
    if (read_choice(file, node, policy_names(), &chosen, err) < 0)
        return -1;
    return policy_from_name(node->text, field)
               ? 0
               : error_set(err, ERROR_BUG, "policy %s has no kind", node->text);
}

static int read_follow(const char *file, const struct yaml_node *node, void *field,
                       struct error *err) {
    if (read_text(file, node, field, err) < 0)
        return -1;
    return reference_tag_valid(node->text)
               ? 0
               : complain(file, node, err, "\"%s\" is no tag", node->text);
}

static const struct key rule_keys[] = {
    {"images", read_selectors, offsetof(struct config_rule, images)},
    {"policy", read_policy, offsetof(struct config_rule, policy)},
    {"ignore_tags", read_texts, offsetof(struct config_rule, ignore_tags)},
    {"follow", read_follow, offsetof(struct config_rule, follow)},
    {0},
};

static int read_updates(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    struct config_rule_list *rules = field;
    if (node->kind != YAML_SEQUENCE)
        return complain(file, node, err, "updates must be a list of rules");
    for (size_t i = 0; i < node->count; i++) {
        struct config_rule *rule = array_add(rules, err);
        if (rule == NULL)
            return -1;
        rule->line = (int)node->items[i]->line;
        if (read_mapping(file, node->items[i], rule_keys, "a rule of updates", rule, err) < 0)
            return -1;
        if (rule->images.count == 0)
            return complain(file, node->items[i], err,
                            "this rule lacks \"images\"; write \"*\" for every image");
    }
    return 0;
}

/* the rest */

static const struct key file_keys[] = {
    {"include", read_texts, offsetof(struct config, include)},
    {"exclude", read_texts, offsetof(struct config, exclude)},
    {0},
};

static int read_files(const char *file, const struct yaml_node *node, void *target,
                      struct error *err) {
    return read_mapping(file, node, file_keys, "files", target, err);
}

/* Beside the configuration, wherever it is read from. */
static int read_ca(const char *file, const struct yaml_node *node, void *field, struct error *err) {
    char **out = field;
    if (read_text(file, node, out, err) < 0)
        return -1;
    const char *slash = strrchr(file, '/');
    if (slash == NULL)
        return 0;
    _cleanup_(free_pointer) char *folder =
        string_dup_length(file, slash > file ? (size_t)(slash - file) : 1, err);
    char *joined = folder != NULL ? file_join(folder, *out, err) : NULL;
    if (joined == NULL)
        return -1;
    free(*out);
    *out = joined;
    return 0;
}

/* A host as references have it, with a port or without. */
static int read_host(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    char **out = field;
    if (read_text(file, node, out, err) < 0)
        return -1;
    return strpbrk(*out, "/@ ") == NULL
               ? 0
               : complain(file, node, err,
                          "\"%s\" is no host; write it without scheme and path, such as "
                          "auth.example.com or auth.example.com:5001",
                          *out);
}

static const struct key registry_keys[] = {
    {"ca", read_ca, offsetof(struct registry_host, ca_file)},
    {"plain_http", read_flag, offsetof(struct registry_host, plain_http)},
    {"timeout", read_duration, offsetof(struct registry_host, timeout_ms)},
    {"token_server", read_host, offsetof(struct registry_host, token_server)},
    {0},
};

static int read_registries(const char *file, const struct yaml_node *node, void *field,
                           struct error *err) {
    struct registry_host_list *hosts = field;
    if (node->kind != YAML_MAPPING)
        return complain(file, node, err, "registries must be a mapping of hosts to their settings");
    for (size_t i = 0; i < node->count; i++) {
        struct registry_host *host = array_add(hosts, err);
        if (host == NULL || read_host(file, node->pairs[i].key, &host->domain, err) < 0)
            return -1;
        if (!yaml_is_null(node->pairs[i].value) &&
            read_mapping(file, node->pairs[i].value, registry_keys, "a registry", host, err) < 0)
            return -1;
    }
    return 0;
}

static int read_promote(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    static const char *const words[] = {"all", "passing", NULL};
    size_t chosen;
    if (read_choice(file, node, words, &chosen, err) < 0)
        return -1;
    *(bool *)field = chosen == 1;
    return 0;
}

static int read_untested(const char *file, const struct yaml_node *node, void *field,
                         struct error *err) {
    static const char *const words[] = {"hold", "fail", NULL};
    size_t chosen;
    if (read_choice(file, node, words, &chosen, err) < 0)
        return -1;
    *(bool *)field = chosen == 1;
    return 0;
}

static const struct key top_keys[] = {
    {"version", read_version, 0},
    {"files", read_files, 0},
    {"registries", read_registries, offsetof(struct config, registries)},
    {"updates", read_updates, offsetof(struct config, rules)},
    {"tests", read_tests, offsetof(struct config, tests)},
    {"promote", read_promote, offsetof(struct config, promote_passing)},
    {"untested", read_untested, offsetof(struct config, untested_fails)},
    {0},
};

static const struct {
    const char *prefix;
    const struct key *keys;
} key_tables[] = {{"", top_keys},          {"files.", file_keys}, {"registries.", registry_keys},
                  {"updates.", rule_keys}, {"tests.", test_keys}, {"tests.run.", command_keys}};

int config_each_key(int (*visit)(void *context, const char *prefix, const char *name),
                    void *context) {
    for (size_t i = 0; i < sizeof key_tables / sizeof *key_tables; i++)
        for (const struct key *key = key_tables[i].keys; key->name != NULL; key++)
            if (visit(context, key_tables[i].prefix, key->name) < 0)
                return -1;
    return 0;
}

int config_parse(const char *file, const char *bytes, size_t length, struct config *out,
                 struct error *err) {
    *out = (struct config){0};
    _cleanup_(yaml_clear) struct yaml_file yaml = {0};
    struct yaml_options options = {.name = file, .kind = ERROR_CONFIG, .strict = true};
    if (yaml_parse(bytes, length, &options, &yaml, err) < 0)
        return -1;
    if (yaml.count != 1)
        return error_set(err, ERROR_CONFIG, "%s: one YAML document was expected, and there are %zu",
                         file, yaml.count);
    const struct yaml_node *root = yaml.roots[0];
    out->file = string_dup(file, err);
    if (out->file == NULL)
        return -1;
    if (root->kind != YAML_MAPPING || yaml_get(root, "version") == NULL)
        return complain(file, root, err, "the configuration begins with \"version: 1\"");
    return read_mapping(file, root, top_keys, "the configuration", out, err);
}

int config_load(const char *file, struct config *out, struct error *err) {
    *out = (struct config){0};
    _cleanup_(text_clear) struct text bytes = {0};
    if (file_read(file, CONFIG_FILE_LIMIT, &bytes, err) < 0)
        return -1;
    return config_parse(file, text_string(&bytes), bytes.length, out, err);
}

void config_clear(struct config *config) {
    for (size_t i = 0; i < config->rules.count; i++) {
        string_list_clear(&config->rules.items[i].images);
        string_list_clear(&config->rules.items[i].ignore_tags);
        free(config->rules.items[i].follow);
    }
    for (size_t i = 0; i < config->tests.count; i++)
        test_clear(&config->tests.items[i]);
    for (size_t i = 0; i < config->registries.count; i++) {
        free(config->registries.items[i].domain);
        free(config->registries.items[i].ca_file);
        free(config->registries.items[i].token_server);
    }
    free(config->rules.items);
    free(config->tests.items);
    free(config->registries.items);
    free(config->file);
    string_list_clear(&config->include);
    string_list_clear(&config->exclude);
    *config = (struct config){0};
}

const struct config_rule *config_rule_for(const struct config *config, const char *image,
                                          const char *tag) {
    for (size_t i = 0; i < config->rules.count; i++)
        if (selector_list_matches(&config->rules.items[i].images, image, tag))
            return &config->rules.items[i];
    return NULL;
}
