/* `build` of a test: where it is built from. Whether that is there is seen when the tests are planned (plan_build.h). */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/beneath.h"
#include "gate/base/text.h"
#include "pipelines/config_tables.h"

#define ARGS_LIMIT 200u /* of one build; they go into an address of the engine */

/* "./app/" is "app"; nothing leads up or away. what: "context", "dockerfile" */
static int read_path(const char *file, const struct yaml_node *node, const char *what, char **out,
                     struct error *err) {
    if (config_read_text(file, node, out, err) < 0)
        return -1;
    char *path = *out;
    while (string_has_prefix(path, "./"))
        memmove(path, path + 2, strlen(path + 2) + 1);
    for (size_t length = strlen(path); length > 1 && path[length - 1] == '/'; length--)
        path[length - 1] = '\0';
    if (path[0] == '\0')
        memcpy(path, ".", 2); /* "./" */
    if (strcmp(path, ".") == 0 ? what[0] == 'c' : beneath_path_valid(path))
        return 0;
    return config_complain(file, node, err,
                           "build: %s: \"%s\": a path %s was expected, without \"..\" and not from "
                           "the root of the file system",
                           what, node->text,
                           what[0] == 'c' ? "of a folder from the project on"
                                          : "of a file from the context on");
}

static int read_context(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    return read_path(file, node, "context", field, err);
}

static int read_dockerfile(const char *file, const struct yaml_node *node, void *field,
                           struct error *err) {
    return read_path(file, node, "dockerfile", field, err);
}

static int read_args(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    struct string_list *args = field;
    if (node->kind != YAML_MAPPING)
        return config_complain(file, node, err,
                               "build: args must be a mapping of names to values, and this is %s",
                               yaml_is_null(node) ? "empty" : yaml_kind_name(node->kind));
    if (node->count > ARGS_LIMIT)
        return config_complain(file, node, err, "build: more than %u args", ARGS_LIMIT);
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->pairs[i].key;
        const struct yaml_node *value = node->pairs[i].value;
        if (!yaml_is_scalar(key) || key->text[0] == '\0' || strchr(key->text, '=') != NULL)
            return config_complain(file, key, err,
                                   "build: the name of an ARG was expected here, without \"=\"");
        if (!yaml_is_scalar(value) || yaml_is_null(value))
            return config_complain(
                file, value, err,
                "build: args: the value of %s must be a text, and this is %s; the caller's "
                "environment is not taken, write \"\" for an empty one",
                key->text, yaml_is_scalar(value) ? "none" : yaml_kind_name(value->kind));
        _cleanup_(free_pointer) char *both = string_format(err, "%s=%s", key->text, value->text);
        if (both == NULL || string_list_add(args, both, err) < 0)
            return -1;
    }
    return 0;
}

static const struct key build_keys[] = {
    {"context", read_context, offsetof(struct test_build, context)},
    {"dockerfile", read_dockerfile, offsetof(struct test_build, dockerfile)},
    {"target", config_read_text, offsetof(struct test_build, target)},
    {"args", read_args, offsetof(struct test_build, args)},
    {0},
};

const struct key_table config_build_table = {"build", "tests.build.", build_keys, NULL};

int config_read_build(const char *file, const struct yaml_node *node, void *field,
                      struct error *err) {
    struct test_build *build = calloc(1, sizeof *build);
    if (build == NULL)
        return error_no_memory(err);
    *(struct test_build **)field = build; /* the test's, also on -1 */
    build->line = (int)node->line;
    if (yaml_is_scalar(node) && !yaml_is_null(node)) {
        if (read_context(file, node, &build->context, err) < 0)
            return -1;
    } else if (node->kind != YAML_MAPPING) {
        return config_complain(file, node, err,
                               "build is a folder, such as \".\", or a mapping with context, "
                               "dockerfile, target, args; this is %s",
                               yaml_is_null(node) ? "empty" : yaml_kind_name(node->kind));
    } else if (config_read_mapping(file, node, &config_build_table, build, err) < 0) {
        return -1;
    }
    if (build->context == NULL && string_copy(".", &build->context, err) < 0)
        return -1;
    return build->dockerfile != NULL ? 0 : string_copy("Dockerfile", &build->dockerfile, err);
}
