#include "gate/base/yaml.h"

#include <string.h>
#include <strings.h>

#include "gate/base/text.h"
#include "gate/pins/add.h"
#include "gate/pins/yaml_places.h"

#define KEY_LIMIT 100u /* bytes of a key within a path */

struct walk {
    const struct pin_file *file;
    struct pin_list *pins;
    struct text path;
};

static bool is_simple_key(const struct yaml_node *key) {
    for (size_t i = 0; i < key->text_length; i++) {
        char c = key->text[i];
        bool simple = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-';
        if (!simple)
            return false;
    }
    return key->text_length > 0;
}

/* A key that holds a pin of its own changes when that moves, and the path must not. */
static void add_key(struct text *path, const struct yaml_node *key) {
    if (key->kind != YAML_SCALAR || pin_literal(key->text, key->text + key->text_length) != NULL) {
        text_add(path, "[?]");
        return;
    }
    bool simple = is_simple_key(key);
    if (!simple)
        text_add(path, "[\"");
    else if (path->length > 0)
        text_add(path, ".");
    text_append(path, key->text, key->text_length < KEY_LIMIT ? key->text_length : KEY_LIMIT);
    if (!simple)
        text_add(path, "\"]");
}

/* Where the value's own bytes stand in the file; false when they are not what it means. */
static bool find_source(const struct walk *walk, const struct yaml_node *value, size_t *offset) {
    bool quoted = value->style == YAML_SINGLE_QUOTED || value->style == YAML_DOUBLE_QUOTED;
    if (!quoted && value->style != YAML_PLAIN)
        return false;
    *offset = value->offset + (quoted ? 1 : 0);
    return *offset <= walk->file->length && value->text_length <= walk->file->length - *offset &&
           memcmp(walk->file->bytes + *offset, value->text, value->text_length) == 0;
}

static int add_image(struct walk *walk, const struct yaml_node *value, struct error *err) {
    size_t offset = 0;
    const char *end = value->text + value->text_length;
    if (pin_literal(value->text, end) == NULL || !find_source(walk, value, &offset))
        return 0;
    struct error why = {0};
    int added = pin_add(walk->file, pin_format_yaml.name, offset, value->text_length,
                        text_string(&walk->path), walk->pins, &why);
    if (added < 0 && why.kind != ERROR_INPUT)
        return error_move(err, &why);
    error_clear(&why);
    return 0;
}

static bool key_is_image(const struct yaml_node *key) {
    return key->kind == YAML_SCALAR && key->text_length == strlen("image") &&
           memcmp(key->text, "image", key->text_length) == 0;
}

/* Recursion is bounded by YAML_DEPTH_LIMIT. What an alias names was seen at its anchor. */
static int walk_node(struct walk *walk, const struct yaml_node *node, struct error *err) {
    size_t length = walk->path.length;
    bool room = length < PIN_PATH_LIMIT;
    for (size_t i = 0; node->alias == NULL && node->kind != YAML_SCALAR && i < node->count; i++) {
        const struct yaml_node *key = node->kind == YAML_MAPPING ? node->pairs[i].key : NULL;
        const struct yaml_node *child = key != NULL ? node->pairs[i].value : node->items[i];
        if (room && key != NULL)
            add_key(&walk->path, key);
        else if (room)
            text_printf(&walk->path, "[%zu]", i);
        int walked = 0;
        if (child->kind != YAML_SCALAR)
            walked = walk_node(walk, child, err);
        else if (key != NULL && child->alias == NULL && key_is_image(key))
            walked = add_image(walk, child, err);
        text_truncate(&walk->path, length);
        if (walked < 0)
            return -1;
    }
    return 0;
}

static int skip_file(const struct yaml_file *yaml, const struct error *why,
                     struct skipped_list *skipped, struct error *err) {
    _cleanup_(free_pointer) char *reason =
        string_format(err, "read as plain text: %s%s",
                      why->kind == ERROR_LIMIT ? "" : "not YAML: ", error_message(why));
    if (reason == NULL)
        return -1;
    return skipped_add(skipped, yaml->error_line, "", 0, reason, err);
}

static int find(const struct pin_file *file, struct pin_list *pins, struct skipped_list *skipped,
                struct error *err) {
    _cleanup_(yaml_clear) struct yaml_file yaml = {0};
    _cleanup_(error_clear) struct error why = {0};
    if (yaml_parse(file->bytes, file->length, NULL, &yaml, &why) < 0) {
        if (why.kind == ERROR_NO_MEMORY)
            return error_move(err, &why);
        return skip_file(&yaml, &why, skipped, err);
    }
    struct walk walk = {.file = file, .pins = pins};
    int walked = 0;
    for (size_t i = 0; i < yaml.count && walked == 0; i++)
        walked = walk_node(&walk, yaml.roots[i], err);
    if (walked == 0)
        walked = text_check(&walk.path, err);
    text_clear(&walk.path);
    return walked;
}

static bool bid(const struct pin_file *file) {
    const char *dot = strrchr(file->name, '.');
    return dot != NULL && (strcasecmp(dot, ".yaml") == 0 || strcasecmp(dot, ".yml") == 0);
}

const struct pin_format pin_format_yaml = {
    .name = "yaml",
    .description = "image: in YAML",
    .bid = bid,
    .find = find,
};
