/* The stages of pingate.yaml. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "gate/reference.h"
#include "pipelines/config_tables.h"

static int read_name(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    if (config_read_text(file, node, field, err) < 0)
        return -1;
    size_t length = strlen(node->text);
    if (length > 64 || strchr(".-", node->text[0]) != NULL ||
        strspn(node->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
            length)
        return config_complain(file, node, err,
                               "\"%.64s\": a stage's name is 1 to 64 letters, digits, \".\", \"_\" "
                               "or \"-\", and begins with a letter, a digit or \"_\"",
                               node->text);
    if (strcmp(node->text, STAGE_DEFAULT) == 0)
        return config_complain(file, node, err,
                               "\"" STAGE_DEFAULT
                               "\" is the stage of the files that no stage claims; name this one "
                               "otherwise");
    return 0;
}

static int any_text(const char *text, struct error *err) {
    return text[0] != '\0' ? 0 : error_set(err, ERROR_CONFIG, "a name was expected here");
}

static int read_names(const char *file, const struct yaml_node *node, void *field,
                      struct error *err) {
    return config_read_texts(file, node, field, any_text, err);
}

static int read_approvals(const char *file, const struct yaml_node *node, void *field,
                          struct error *err) {
    int64_t *count = field;
    if (yaml_is_plain(node) && strcmp(node->text, "0") == 0) {
        *count = 0;
        return 0;
    }
    if (config_read_count(file, node, field, err) == 0 && *count <= STAGE_APPROVALS_LIMIT)
        return 0;
    error_clear(err);
    return config_complain(file, node, err,
                           "a number of people from 0 to %d was expected here, whose approval a "
                           "set needs",
                           STAGE_APPROVALS_LIMIT);
}

static int read_stage_promote(const char *file, const struct yaml_node *node, void *field,
                              struct error *err) {
    static const char *const words[] = {"all", "passing", NULL};
    struct stage *stage = field;
    size_t chosen;
    if (config_read_choice(file, node, words, &chosen, err) < 0)
        return -1;
    stage->promote_is_given = true;
    stage->promote_passing = chosen == 1;
    return 0;
}

/* A domain, or a domain and leading parts of the path; without a domain it is docker.io's, as in references. */
static int read_image_part(const char *file, const struct yaml_node *node, char **out,
                           struct error *err) {
    if (config_read_text(file, node, out, err) < 0)
        return -1;
    struct reference name = {0};
    _cleanup_(error_clear) struct error why = {0};
    _cleanup_(free_pointer) char *probe = string_format(err, "%s/x", node->text);
    if (probe == NULL)
        return -1;
    bool good = reference_parse(probe, &name, &why) == 0 && string_has_suffix(name.image, "/x");
    if (good) {
        free(*out);
        *out = string_dup_length(name.image, strlen(name.image) - strlen("/x"), err);
    }
    reference_clear(&name);
    if (good)
        return *out != NULL ? 0 : -1;
    return config_complain(file, node, err,
                           "\"%s\" is no leading part of an image's name, such as "
                           "registry.example.com or registry.example.com/team",
                           node->text);
}

static int read_map(const char *file, const struct yaml_node *node, void *field,
                    struct error *err) {
    struct stage_map_list *list = field;
    if (node->kind != YAML_MAPPING)
        return config_complain(file, node, err,
                               "map must be a mapping of names in the stage before to names here, "
                               "and this is %s",
                               yaml_is_null(node) ? "empty" : yaml_kind_name(node->kind));
    for (size_t i = 0; i < node->count; i++) {
        struct stage_map *map = array_add(list, err);
        if (map == NULL || read_image_part(file, node->pairs[i].key, &map->from, err) < 0 ||
            read_image_part(file, node->pairs[i].value, &map->to, err) < 0)
            return -1;
        for (size_t other = 0; other + 1 < list->count; other++)
            if (strcmp(list->items[other].to, map->to) == 0)
                return config_complain(file, node->pairs[i].value, err,
                                       "\"%s\" and \"%s\" would both become \"%s\": what stands "
                                       "there could then not be told apart",
                                       list->items[other].from, map->from, map->to);
    }
    return 0;
}

static const struct key stage_keys[] = {
    {"name", read_name, offsetof(struct stage, name)},
    {"files", config_read_globs, offsetof(struct stage, files)},
    {"from", config_read_text, offsetof(struct stage, from)},
    {"soak", config_read_duration, offsetof(struct stage, soak_ms)},
    {"approvals", read_approvals, offsetof(struct stage, approvals)},
    {"tests", read_names, offsetof(struct stage, tests)},
    {"promote", read_stage_promote, 0},
    {"map", read_map, offsetof(struct stage, map)},
    {0},
};

const struct key_table config_stage_table = {"a stage", "stages.", stage_keys, NULL};

static int check_stage(const char *file, const struct yaml_node *node,
                       const struct stage_list *stages, struct stage *stage, struct error *err) {
    if (stage->name == NULL || stage->files.count == 0)
        return config_complain(file, node, err, "this stage lacks \"%s\"",
                               stage->name == NULL ? "name" : "files");
    const struct stage *twin = stage_find(stages, stage->name);
    if (twin != stage)
        return config_complain(file, node, err, "the stage of line %d has the name \"%s\" already",
                               twin->line, stage->name);
    if (stage->from != NULL)
        return stage->promote_passing
                   ? config_complain(
                         file, yaml_get(node, "promote"), err,
                         "a set enters a stage with \"from\" whole, so \"passing\" is for "
                         "stages without; `pingate hold %s IMAGE` keeps one image back",
                         stage->name)
                   : 0;
    const char *idle = stage->soak_ms > 0     ? "soak"
                       : stage->approvals > 0 ? "approvals"
                       : stage->map.count > 0 ? "map"
                                              : NULL;
    if (idle != NULL)
        return config_complain(file, yaml_get(node, idle), err,
                               "\"%s\" is a rule for what comes from another stage, and this one "
                               "has no \"from\"",
                               idle);
    return 0;
}

int config_read_stages(const char *file, const struct yaml_node *node, void *field,
                       struct error *err) {
    struct stage_list *stages = field;
    if (node->kind != YAML_SEQUENCE || node->count == 0)
        return config_complain(file, node, err, "stages must be a list of stages, and this is %s",
                               yaml_is_null(node) || node->kind == YAML_SEQUENCE
                                   ? "empty"
                                   : yaml_kind_name(node->kind));
    if (node->count > STAGE_LIMIT)
        return config_complain(file, node->items[STAGE_LIMIT], err, "more than %d stages",
                               STAGE_LIMIT);
    for (size_t i = 0; i < node->count; i++) {
        struct stage *stage = array_add(stages, err);
        if (stage == NULL)
            return -1;
        stage->line = (int)node->items[i]->line;
        if (config_read_mapping(file, node->items[i], &config_stage_table, stage, err) < 0 ||
            check_stage(file, node->items[i], stages, stage, err) < 0)
            return -1;
    }
    return 0;
}

static int check_from(const char *file, const struct yaml_node *node,
                      const struct stage_list *stages, const struct stage *stage,
                      struct error *err) {
    const struct yaml_node *word = yaml_get(node, "from");
    const char *names[STAGE_LIMIT + 1] = {0};
    for (size_t i = 0; i < stages->count; i++)
        names[i] = stages->items[i].name;
    if (stage_find(stages, stage->from) == NULL) {
        const char *nearest = string_nearest(stage->from, names);
        return config_complain(file, word, err, "\"%s\" is no stage%s%s%s", stage->from,
                               nearest != NULL ? "; did you mean \"" : " of this file",
                               nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
    }
    size_t steps = 0;
    for (const struct stage *at = stage; at != NULL && at->from != NULL;
         at = stage_find(stages, at->from))
        if (++steps > stages->count)
            return config_complain(file, word, err,
                                   "stage \"%s\" comes from itself, by way of \"%s\"", stage->name,
                                   stage->from);
    return 0;
}

static int check_tests(const char *file, const struct yaml_node *node, const struct config *config,
                       const struct stage *stage, struct error *err) {
    const struct yaml_node *word = yaml_get(node, "tests");
    for (size_t t = 0; t < stage->tests.count; t++) {
        const struct test *found = NULL;
        for (size_t i = 0; i < config->tests.count && found == NULL; i++)
            if (strcmp(config->tests.items[i].name, stage->tests.items[t]) == 0)
                found = &config->tests.items[i];
        const struct yaml_node *place = word->kind == YAML_SEQUENCE ? word->items[t] : word;
        if (found == NULL)
            return config_complain(file, place, err, "\"%s\" is the name of no test of this file",
                                   stage->tests.items[t]);
        if (found->external && stage->from != NULL)
            return config_complain(
                file, place, err,
                "test \"%s\" is external, and the tests of a stage with \"from\" "
                "are run before it is entered; it can be one of \"%s\", the "
                "stage before",
                found->name, stage->from);
    }
    return 0;
}

int config_check_stages(const char *file, const struct yaml_node *root, const struct config *config,
                        struct error *err) {
    const struct yaml_node *nodes = yaml_get(root, "stages");
    for (size_t i = 0; i < config->tests.count; i++)
        if (config->tests.items[i].external && config->stages.count == 0)
            return config_complain(file, yaml_get(yaml_get(root, "tests")->items[i], "external"),
                                   err,
                                   "external needs \"stages\": its outcome is on record in the "
                                   "ledger, and that is kept only for stages");
    for (size_t i = 0; i < config->stages.count; i++) {
        const struct stage *stage = &config->stages.items[i];
        if (stage->from != NULL &&
            check_from(file, nodes->items[i], &config->stages, stage, err) < 0)
            return -1;
        if (check_tests(file, nodes->items[i], config, stage, err) < 0)
            return -1;
    }
    return 0;
}
