#include "pipelines/config.h"

#include <config.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/file.h"
#include "gate/base/text.h"
#include "gate/selector.h"
#include "pipelines/config_services.h"
#include "pipelines/config_surroundings.h"
#include "pipelines/config_tables.h"

static int read_version(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    (void)field;
    if (yaml_is_plain(node) && strcmp(node->text, "1") == 0)
        return 0;
    return config_complain(
        file, node, err, "version 1 was expected here: pingate " PINGATE_VERSION " reads no other");
}

/* updates */

static int read_policy(const char *file, const struct yaml_node *node, void *field,
                       struct error *err) {
    static const char *const future[] = {"newest", "semver", "alphabetical", "numerical", NULL};
    const struct yaml_node *word =
        node->kind == YAML_MAPPING && node->count == 1 ? node->pairs[0].key : node;
    for (size_t i = 0; future[i] != NULL && yaml_is_scalar(word); i++)
        if (strcmp(future[i], word->text) == 0)
            return config_refuse_future(file, word, word->text, "a policy", err);
    size_t chosen;
    if (config_read_choice(file, node, policy_names(), &chosen, err) < 0)
        return -1;
    return policy_from_name(node->text, field)
               ? 0
               : error_set(err, ERROR_BUG, "policy %s has no kind", node->text);
}

static int read_follow(const char *file, const struct yaml_node *node, void *field,
                       struct error *err) {
    if (config_read_text(file, node, field, err) < 0)
        return -1;
    return reference_tag_valid(node->text)
               ? 0
               : config_complain(file, node, err,
                                 "\"%s\" is no tag; a tag such as 7.2 was expected here",
                                 node->text);
}

/* What the keys of `tags` say, before it is made a filter: the template needs the pattern, whichever comes first. */
struct tag_keys {
    char *match, *extract;
    struct string_list *ignore; /* borrowed: the filter's */
};

static void tag_keys_clear(struct tag_keys *keys) {
    free(keys->match);
    free(keys->extract);
}

static int read_ignore(const char *file, const struct yaml_node *node, void *field,
                       struct error *err) {
    return config_read_globs(file, node, *(struct string_list **)field, err);
}

static const struct key tag_key_list[] = {
    {"match", config_read_text, offsetof(struct tag_keys, match)},
    {"extract", config_read_text, offsetof(struct tag_keys, extract)},
    {"ignore", read_ignore, offsetof(struct tag_keys, ignore)},
    {0},
};

static const struct key_table tag_table = {"the tags of a rule", "updates.tags.", tag_key_list,
                                           NULL};

static int place_in(const char *file, const struct yaml_node *mapping, const char *key,
                    struct error *err) {
    if (err->kind != ERROR_NO_MEMORY)
        error_wrap(err, "tags.%s", key);
    return config_place(file, yaml_get(mapping, key), err);
}

static int read_tags(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    struct tagfilter *filter = field;
    _cleanup_(tag_keys_clear) struct tag_keys keys = {.ignore = &filter->ignore};
    if (config_read_mapping(file, node, &tag_table, &keys, err) < 0)
        return -1;
    if (keys.match != NULL && tagfilter_set_match(filter, keys.match, err) < 0)
        return place_in(file, node, "match", err);
    if (keys.extract != NULL && tagfilter_set_extract(filter, keys.extract, err) < 0)
        return place_in(file, node, "extract", err);
    return 0;
}

/* A pin that follows a tag which the same rule leaves would be held for ever. */
static int check_follow(const char *file, const struct yaml_node *node,
                        const struct config_rule *rule, struct error *err) {
    if (rule->follow == NULL)
        return 0;
    _cleanup_(free_pointer) char *extracted = NULL;
    return tagfilter_read_followed(&rule->tags, rule->follow, &extracted, err) < 0
               ? config_place(file, yaml_get(node, "follow"), err)
               : 0;
}

static const struct key rule_keys[] = {
    {"images", config_read_selectors, offsetof(struct config_rule, images)},
    {"policy", read_policy, offsetof(struct config_rule, policy)},
    {"tags", read_tags, offsetof(struct config_rule, tags)},
    {"follow", read_follow, offsetof(struct config_rule, follow)},
    {"cooldown", config_read_duration, offsetof(struct config_rule, cooldown_ms)},
    {"urgent", config_read_flag, offsetof(struct config_rule, urgent)},
    {"candidates", config_read_candidates, offsetof(struct config_rule, candidates)},
    {"deny", config_read_deny, offsetof(struct config_rule, deny)},
    {0},
};

static const char *const rule_future[] = {"platforms", NULL};
static const struct key_table rule_table = {"a rule of updates", "updates.", rule_keys,
                                            rule_future};

static int read_updates(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    struct config_rule_list *rules = field;
    if (node->kind != YAML_SEQUENCE)
        return config_complain(file, node, err, "updates must be a list of rules, and this is %s",
                               yaml_is_null(node) ? "empty" : yaml_kind_name(node->kind));
    for (size_t i = 0; i < node->count; i++) {
        struct config_rule *rule = array_add(rules, err);
        if (rule == NULL)
            return -1;
        rule->line = (int)node->items[i]->line;
        if (config_read_mapping(file, node->items[i], &rule_table, rule, err) < 0)
            return -1;
        if (rule->images.count == 0)
            return config_complain(file, node->items[i], err,
                                   "this rule lacks \"images\"; write \"*\" for every image");
        if (check_follow(file, node->items[i], rule, err) < 0)
            return -1;
    }
    return 0;
}

/* the rest */

static const struct key file_keys[] = {
    {"include", config_read_globs, offsetof(struct config, include)},
    {"exclude", config_read_globs, offsetof(struct config, exclude)},
    {0},
};

static const struct key_table file_table = {"files", "files.", file_keys, NULL};

static int read_files(const char *file, const struct yaml_node *node, void *target,
                      struct error *err) {
    return config_read_mapping(file, node, &file_table, target, err);
}

/* Beside the configuration, wherever it is read from. */
static int read_ca(const char *file, const struct yaml_node *node, void *field, struct error *err) {
    char **out = field;
    if (config_read_text(file, node, out, err) < 0)
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
    if (config_read_text(file, node, out, err) < 0)
        return -1;
    return strpbrk(*out, "/@ ") == NULL
               ? 0
               : config_complain(file, node, err,
                                 "\"%s\" is no host; write it without scheme and path, such as "
                                 "auth.example.com or auth.example.com:5001",
                                 *out);
}

static const struct key registry_keys[] = {
    {"ca", read_ca, offsetof(struct registry_host, ca_file)},
    {"plain_http", config_read_flag, offsetof(struct registry_host, plain_http)},
    {"timeout", config_read_duration, offsetof(struct registry_host, timeout_ms)},
    {"token_server", read_host, offsetof(struct registry_host, token_server)},
    {0},
};

static const char *const registry_future[] = {"mirror", "max_requests_per_second", NULL};
static const struct key_table registry_table = {"a registry", "registries.", registry_keys,
                                                registry_future};

/* The host as references write it, or what people put there instead. */
static int check_host(const char *file, const struct yaml_node *key, struct error *err) {
    if (!yaml_is_scalar(key))
        return config_complain(file, key, err, "a registry's host was expected here");
    if (strstr(key->text, "://") != NULL)
        return config_complain(file, key, err,
                               "\"%s\": a host was expected, as references begin: without "
                               "\"https://\"",
                               key->text);
    _cleanup_(error_clear) struct error why = {0};
    _cleanup_(free_pointer) char *text = string_format(err, "%s/x", key->text);
    struct reference reference = {0};
    bool good = text != NULL && reference_parse(text, &reference, &why) == 0 &&
                string_has_suffix(reference.image, "/x") &&
                strlen(reference.image) == strlen(key->text) + 2 && /* no "docker.io/" before it */
                strchr(key->text, '/') == NULL;
    reference_clear(&reference);
    /* Docker Hub's own names, which references shorten or lengthen. */
    good = good || (text != NULL && strcmp(key->text, "docker.io") == 0);
    if (good || text == NULL)
        return good ? 0 : -1;
    return config_complain(file, key, err,
                           "\"%s\" is no registry's host, such as docker.io, ghcr.io or "
                           "localhost:5000",
                           key->text);
}

static int read_registries(const char *file, const struct yaml_node *node, void *field,
                           struct error *err) {
    struct registry_host_list *hosts = field;
    if (node->kind != YAML_MAPPING)
        return config_complain(file, node, err,
                               "registries must be a mapping of hosts to their settings, and this "
                               "is %s",
                               yaml_is_null(node) ? "empty" : yaml_kind_name(node->kind));
    for (size_t i = 0; i < node->count; i++) {
        if (check_host(file, node->pairs[i].key, err) < 0)
            return -1;
        struct registry_host *host = array_add(hosts, err);
        if (host == NULL || config_read_text(file, node->pairs[i].key, &host->domain, err) < 0)
            return -1;
        if (!yaml_is_null(node->pairs[i].value) &&
            config_read_mapping(file, node->pairs[i].value, &registry_table, host, err) < 0)
            return -1;
    }
    return 0;
}

static int read_promote(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    static const char *const words[] = {"all", "passing", NULL};
    size_t chosen;
    if (config_read_choice(file, node, words, &chosen, err) < 0)
        return -1;
    *(bool *)field = chosen == 1;
    return 0;
}

static int read_untested(const char *file, const struct yaml_node *node, void *field,
                         struct error *err) {
    static const char *const words[] = {"hold", "fail", NULL};
    size_t chosen;
    if (config_read_choice(file, node, words, &chosen, err) < 0)
        return -1;
    *(bool *)field = chosen == 1;
    return 0;
}

static const struct key top_keys[] = {
    {"version", read_version, 0},
    {"files", read_files, 0},
    {"registries", read_registries, offsetof(struct config, registries)},
    {"updates", read_updates, offsetof(struct config, rules)},
    {"tests", config_read_tests, offsetof(struct config, tests)},
    {"stages", config_read_stages, offsetof(struct config, stages)},
    {"target", config_read_text, offsetof(struct config, target)},
    {"reuse", config_read_reuse, offsetof(struct config, reuse_ms)},
    {"time_limit", config_read_duration, offsetof(struct config, time_limit_ms)},
    {"state", config_read_state, offsetof(struct config, state)},
    {"baseline", config_read_baseline, offsetof(struct config, baseline)},
    {"flaky", config_read_flaky, offsetof(struct config, flaky)},
    {"deny", config_read_deny, offsetof(struct config, deny)},
    {"changes", config_read_changes, offsetof(struct config, changes)},
    {"promote", read_promote, offsetof(struct config, promote_passing)},
    {"untested", read_untested, offsetof(struct config, untested_fails)},
    {0},
};

static const char *const top_future[] = {"include", NULL};
static const struct key_table top_table = {"the configuration", "", top_keys, top_future};

static const struct key_table *const key_tables[] = {
    &top_table,          &file_table,         &registry_table,       &rule_table,
    &tag_table,          &config_test_table,  &config_command_table, &config_build_table,
    &config_stage_table, &config_state_table, &config_secret_table,  &config_service_table,
    &config_ready_table};

int config_each_key(int (*visit)(void *context, const char *prefix, const char *name),
                    void *context) {
    for (size_t i = 0; i < sizeof key_tables / sizeof *key_tables; i++)
        for (const struct key *key = key_tables[i]->keys; key->name != NULL; key++)
            if (visit(context, key_tables[i]->prefix, key->name) < 0)
                return -1;
    return 0;
}

/* What the YAML parser says of limits, and of tabs, is of the configuration too. */
static int explain_syntax(const char *bytes, size_t length, const struct yaml_file *yaml,
                          struct error *err) {
    if (err->kind == ERROR_LIMIT)
        err->kind = ERROR_CONFIG;
    size_t line = 1;
    const char *at = bytes;
    const char *end = bytes + length;
    while (at != NULL && line < yaml->error_line) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at != NULL ? at + 1 : NULL;
        line++;
    }
    size_t offset = at != NULL ? (size_t)(at - bytes) + yaml->error_column - 1 : length;
    if (err->kind != ERROR_CONFIG || yaml->error_line == 0 || offset >= length ||
        bytes[offset] != '\t')
        return -1;
    _cleanup_(free_pointer) char *before = string_dup(error_message(err), err);
    return before != NULL
               ? error_set(err, ERROR_CONFIG,
                           "%s; YAML takes no tabs for indentation: write spaces", before)
               : -1;
}

static int check_documents(const char *file, const struct yaml_file *yaml, struct error *err) {
    if (yaml->count == 0 || (yaml->count == 1 && yaml_is_null(yaml->roots[0])))
        return error_set(err, ERROR_CONFIG,
                         "%s:1:1: the configuration is empty, and it begins with \"version: 1\"; "
                         "`pingate init --force` writes a first one",
                         file);
    if (yaml->count > 1)
        return config_complain(file, yaml->roots[1], err,
                               "one YAML document was expected, and this is another one");
    return 0;
}

static void settle_judging(struct config *config) {
    for (size_t i = 0; i < config->tests.count; i++) {
        struct test *test = &config->tests.items[i];
        if (test->baseline == BASELINE_DEFAULT)
            test->baseline = config->baseline;
        if (test->flaky == FLAKY_DEFAULT)
            test->flaky = config->flaky;
    }
}

/* Gives tests the default of the file. The ledger is kept for stages alone, so nothing else could be reused. */
static int settle_reuse(const char *file, const struct yaml_node *root, struct config *config,
                        struct error *err) {
    const struct yaml_node *given = config->reuse_ms > 0 ? yaml_get(root, "reuse") : NULL;
    const struct yaml_node *tests = yaml_get(root, "tests");
    for (size_t i = 0; i < config->tests.count; i++) {
        struct test *test = &config->tests.items[i];
        if (test->reuse_ms > 0 && given == NULL)
            given = yaml_get(tests->items[i], "reuse");
        if (test->reuse_ms == REUSE_NOT_GIVEN)
            test->reuse_ms = config->reuse_ms;
    }
    if (given == NULL || config->stages.count > 0)
        return 0;
    return config_complain(file, given, err,
                           "reuse needs \"stages\": what passed is on record in the ledger, and "
                           "that is kept only for stages");
}

int config_parse(const char *file, const char *bytes, size_t length, struct config *out,
                 struct error *err) {
    *out = (struct config){0};
    _cleanup_(yaml_clear) struct yaml_file yaml = {0};
    struct yaml_options options = {.name = file, .kind = ERROR_CONFIG, .strict = true};
    if (yaml_parse(bytes, length, &options, &yaml, err) < 0)
        return explain_syntax(bytes, length, &yaml, err);
    if (check_documents(file, &yaml, err) < 0)
        return -1;
    const struct yaml_node *root = yaml.roots[0];
    out->file = string_dup(file, err);
    if (out->file == NULL)
        return -1;
    /* Before the keys, which another version may have more of. */
    const struct yaml_node *version = yaml_get(root, "version");
    if (version != NULL && read_version(file, version, NULL, err) < 0)
        return -1;
    if (version == NULL && root->kind == YAML_MAPPING)
        return config_complain(file, root, err,
                               "the configuration lacks \"version: 1\", with which it begins");
    if (config_read_mapping(file, root, &top_table, out, err) < 0)
        return -1;
    if (config_check_stages(file, root, out, err) < 0)
        return -1;
    settle_judging(out);
    return settle_reuse(file, root, out, err);
}

int config_load(const char *file, struct config *out, struct error *err) {
    *out = (struct config){0};
    _cleanup_(text_clear) struct text bytes = {0};
    if (file_read(file, CONFIG_FILE_LIMIT, &bytes, err) < 0) {
        if (err->kind == ERROR_LIMIT || err->kind == ERROR_INPUT)
            err->kind = ERROR_CONFIG;
        return -1;
    }
    return config_parse(file, text_string(&bytes), bytes.length, out, err);
}

void config_clear(struct config *config) {
    for (size_t i = 0; i < config->rules.count; i++) {
        string_list_clear(&config->rules.items[i].images);
        tagfilter_clear(&config->rules.items[i].tags);
        free(config->rules.items[i].follow);
        deny_list_clear(&config->rules.items[i].deny.list);
    }
    for (size_t i = 0; i < config->tests.count; i++)
        test_clear(&config->tests.items[i]);
    for (size_t i = 0; i < config->registries.count; i++) {
        free(config->registries.items[i].domain);
        free(config->registries.items[i].ca_file);
        free(config->registries.items[i].token_server);
    }
    stage_list_clear(&config->stages);
    deny_list_clear(&config->deny.list);
    free(config->target);
    free(config->state.folder);
    free(config->state.branch);
    free(config->state.remote);
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
