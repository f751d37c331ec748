#include "gate/base/yaml.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "gate/base/array.h"
#include "gate/base/source_map.h"
#include "gate/base/text.h"

struct anchor {
    const char *name;
    const struct yaml_node *node;
    bool open; /* its collection is not yet whole */
};

struct builder {
    yaml_parser_t parser;
    const struct yaml_options *options;
    struct yaml_file *file;
    struct source_map map;
    struct {
        const struct yaml_node **items; /* finished nodes whose parent is still open */
        size_t count, capacity;
    } values;
    struct {
        struct yaml_node *node;
        size_t first;  /* its first child in values */
        size_t anchor; /* its place in anchors + 1; 0 without */
    } stack[YAML_DEPTH_LIMIT];
    size_t depth;
    struct {
        struct anchor *items;
        size_t count, capacity;
    } anchors;
    size_t weight; /* of all finished top nodes and of all open ones */
};

_printf_(5, 6) static int refuse_as(struct builder *builder, enum error_kind kind, size_t offset,
                                    struct error *err, const char *format, ...) {
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int printed = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (printed < 0)
        return error_no_memory(err);
    _cleanup_(free_pointer) char *why = text;
    struct yaml_file *file = builder->file;
    source_map_place(&builder->map, offset, &file->error_line, &file->error_column);
    const char *name = builder->options->name;
    if (name != NULL)
        return error_set(err, kind, "%s:%zu:%zu: %s", name, file->error_line, file->error_column,
                         why);
    return error_set(err, kind, "line %zu, column %zu: %s", file->error_line, file->error_column,
                     why);
}

/* Raises with the place in file and message. offset: from the start of the file. */
#define refuse(builder, offset, err, ...)                                                          \
    refuse_as((builder), syntax_kind((builder)->options), (offset), (err), __VA_ARGS__)
#define refuse_limit(builder, offset, err, ...)                                                    \
    refuse_as((builder), ERROR_LIMIT, (offset), (err), __VA_ARGS__)

static enum error_kind syntax_kind(const struct yaml_options *options) {
    return options->kind != ERROR_NONE ? options->kind : ERROR_INPUT;
}

static int refuse_syntax(struct builder *builder, struct error *err) {
    const yaml_parser_t *parser = &builder->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    if (parser->error == YAML_MEMORY_ERROR)
        return error_no_memory(err);
    if (parser->error == YAML_READER_ERROR)
        return refuse(builder, builder->map.bom + parser->problem_offset, err, "%s", problem);
    size_t offset = builder->map.bom + source_map_byte(&builder->map, parser->problem_mark.index);
    if (parser->context == NULL)
        return refuse(builder, offset, err, "%s", problem);
    return refuse(builder, offset, err, "%s %s", parser->context, problem);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* libyaml's mark of a node stands at its anchor or tag: goes on to the value. Offsets are behind the BOM. */
static size_t skip_properties(const struct source_map *map, size_t at, size_t end) {
    bool behind_property = false;
    while (at < end) {
        char c = map->bytes[at];
        if (c == '&' || c == '!') {
            bool verbatim = c == '!' && at + 1 < end && map->bytes[at + 1] == '<';
            const char *stops = verbatim ? " \t\r\n" : " \t\r\n,[]{}";
            while (at < end && memchr(stops, map->bytes[at], strlen(stops)) == NULL)
                at++;
            behind_property = true;
        } else if (behind_property && is_blank(c)) {
            at++;
        } else if (behind_property && c == '#' && is_blank(map->bytes[at - 1])) {
            while (at < end && map->bytes[at] != '\n')
                at++;
        } else {
            break;
        }
    }
    return at;
}

static void set_place(struct builder *builder, const yaml_event_t *event, struct yaml_node *node) {
    const struct source_map *map = &builder->map;
    size_t start = source_map_byte(map, event->start_mark.index);
    size_t end = source_map_byte(map, event->end_mark.index);
    /* The start event of a block collection ends where it starts, or behind its anchor. */
    bool collection = node->kind != YAML_SCALAR;
    start = skip_properties(map, start, collection ? map->length : end);
    node->offset = map->bom + start;
    node->source_length = end > start ? end - start : 0;
    source_map_place(map, node->offset, &node->line, &node->column);
}

static int remember_anchor(struct builder *builder, const yaml_char_t *name,
                           const struct yaml_node *node, struct error *err) {
    if (name == NULL)
        return 0;
    if (builder->anchors.count == YAML_ANCHOR_LIMIT)
        return refuse_limit(builder, node->offset, err, "more than %u anchors", YAML_ANCHOR_LIMIT);
    const char *copy = arena_string(&builder->file->arena, name, strlen((const char *)name), err);
    struct anchor *anchor = copy != NULL ? array_add(&builder->anchors, err) : NULL;
    if (anchor == NULL)
        return -1;
    *anchor = (struct anchor){copy, node, node->kind != YAML_SCALAR};
    return 0;
}

/* Hands a finished node to its parent. */
static int finish(struct builder *builder, const struct yaml_node *node, struct error *err) {
    struct yaml_file *file = builder->file;
    const struct yaml_node **place =
        builder->depth > 0 ? array_add(&builder->values, err)
                           : array_add_item((void **)&file->roots, &file->count, &file->capacity,
                                            sizeof(*file->roots), err);
    if (place == NULL)
        return -1;
    *place = node;
    return 0;
}

static int count_weight(struct builder *builder, const struct yaml_node *node, struct error *err) {
    builder->weight += node->weight;
    if (builder->weight > YAML_NODE_LIMIT)
        return refuse_limit(builder, node->offset, err, "more than %u nodes, aliases expanded",
                            YAML_NODE_LIMIT);
    return 0;
}

static enum yaml_style scalar_style(yaml_scalar_style_t style) {
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        return YAML_SINGLE_QUOTED;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return YAML_DOUBLE_QUOTED;
    case YAML_LITERAL_SCALAR_STYLE:
        return YAML_LITERAL;
    case YAML_FOLDED_SCALAR_STYLE:
        return YAML_FOLDED;
    case YAML_ANY_SCALAR_STYLE:
    case YAML_PLAIN_SCALAR_STYLE:
        break;
    }
    return YAML_PLAIN;
}

static struct yaml_node *new_node(struct builder *builder, const yaml_event_t *event,
                                  enum yaml_kind kind, const yaml_char_t *tag, struct error *err) {
    struct yaml_node *node = arena_take(&builder->file->arena, sizeof *node, err);
    if (node == NULL)
        return NULL;
    node->kind = kind;
    node->weight = node->height = 1;
    if (tag != NULL) {
        node->tag = arena_string(&builder->file->arena, tag, strlen((const char *)tag), err);
        if (node->tag == NULL)
            return NULL;
    }
    set_place(builder, event, node);
    return node;
}

static int add_scalar(struct builder *builder, const yaml_event_t *event, struct error *err) {
    const __typeof__(event->data.scalar) *scalar = &event->data.scalar;
    struct yaml_node *node = new_node(builder, event, YAML_SCALAR, scalar->tag, err);
    if (node == NULL)
        return -1;
    node->style = scalar_style(scalar->style);
    node->text_length = scalar->length;
    node->text = arena_string(&builder->file->arena, scalar->value, scalar->length, err);
    if (node->text == NULL)
        return -1;
    if (builder->options->strict && memchr(node->text, '\0', node->text_length) != NULL)
        return refuse(builder, node->offset, err, "a NUL character in a text");
    if (remember_anchor(builder, scalar->anchor, node, err) < 0 ||
        count_weight(builder, node, err) < 0)
        return -1;
    return finish(builder, node, err);
}

static int add_alias(struct builder *builder, const yaml_event_t *event, struct error *err) {
    const char *name = (const char *)event->data.alias.anchor;
    size_t offset = builder->map.bom + source_map_byte(&builder->map, event->start_mark.index);
    const struct anchor *anchor = NULL;
    for (size_t i = builder->anchors.count; i > 0 && anchor == NULL; i--)
        if (strcmp(builder->anchors.items[i - 1].name, name) == 0)
            anchor = &builder->anchors.items[i - 1];
    if (anchor == NULL)
        return refuse(builder, offset, err, "the alias *%s names no anchor before it", name);
    if (anchor->open)
        return refuse(builder, offset, err, "the alias *%s stands within its own anchor", name);
    if (builder->depth + anchor->node->height > YAML_DEPTH_LIMIT)
        return refuse_limit(builder, offset, err, "nested deeper than %u", YAML_DEPTH_LIMIT);
    struct yaml_node *node = arena_take(&builder->file->arena, sizeof *node, err);
    if (node == NULL)
        return -1;
    *node = *anchor->node;
    node->alias = anchor->node;
    set_place(builder, event, node);
    if (count_weight(builder, node, err) < 0)
        return -1;
    return finish(builder, node, err);
}

static int open_collection(struct builder *builder, struct yaml_node *node,
                           const yaml_char_t *anchor, struct error *err) {
    if (builder->depth == YAML_DEPTH_LIMIT)
        return refuse_limit(builder, node->offset, err, "nested deeper than %u", YAML_DEPTH_LIMIT);
    size_t anchors_before = builder->anchors.count;
    if (remember_anchor(builder, anchor, node, err) < 0 || count_weight(builder, node, err) < 0)
        return -1;
    builder->stack[builder->depth].node = node;
    builder->stack[builder->depth].first = builder->values.count;
    builder->stack[builder->depth].anchor =
        builder->anchors.count > anchors_before ? builder->anchors.count : 0;
    builder->depth++;
    return 0;
}

static int add_sequence(struct builder *builder, const yaml_event_t *event, struct error *err) {
    const __typeof__(event->data.sequence_start) *start = &event->data.sequence_start;
    struct yaml_node *node = new_node(builder, event, YAML_SEQUENCE, start->tag, err);
    if (node == NULL)
        return -1;
    node->style = start->style == YAML_FLOW_SEQUENCE_STYLE ? YAML_FLOW : YAML_BLOCK;
    return open_collection(builder, node, start->anchor, err);
}

static int add_mapping(struct builder *builder, const yaml_event_t *event, struct error *err) {
    const __typeof__(event->data.mapping_start) *start = &event->data.mapping_start;
    struct yaml_node *node = new_node(builder, event, YAML_MAPPING, start->tag, err);
    if (node == NULL)
        return -1;
    node->style = start->style == YAML_FLOW_MAPPING_STYLE ? YAML_FLOW : YAML_BLOCK;
    return open_collection(builder, node, start->anchor, err);
}

static int compare_keys(const void *a, const void *b) {
    const struct yaml_node *one = *(const struct yaml_node *const *)a;
    const struct yaml_node *two = *(const struct yaml_node *const *)b;
    size_t shorter = one->text_length < two->text_length ? one->text_length : two->text_length;
    int order = memcmp(one->text, two->text, shorter);
    if (order != 0)
        return order;
    if (one->text_length != two->text_length)
        return one->text_length < two->text_length ? -1 : 1;
    return one->offset < two->offset ? -1 : one->offset > two->offset;
}

/* Sorted, since a hostile file may have very many keys. */
static int refuse_duplicates(struct builder *builder, const struct yaml_node *mapping,
                             struct error *err) {
    if (mapping->count < 2)
        return 0;
    _cleanup_(free_pointer) const struct yaml_node **keys = calloc(mapping->count, sizeof(*keys));
    if (keys == NULL)
        return error_no_memory(err);
    size_t count = 0;
    for (size_t i = 0; i < mapping->count; i++)
        if (mapping->pairs[i].key->kind == YAML_SCALAR)
            keys[count++] = mapping->pairs[i].key;
    qsort(keys, count, sizeof(*keys), compare_keys);
    const struct yaml_node *first = NULL, *second = NULL;
    for (size_t i = 1; i < count; i++) {
        bool equal = keys[i]->text_length == keys[i - 1]->text_length &&
                     memcmp(keys[i]->text, keys[i - 1]->text, keys[i]->text_length) == 0;
        if (equal && (second == NULL || keys[i]->offset < second->offset)) {
            first = keys[i - 1];
            second = keys[i];
        }
    }
    if (second == NULL)
        return 0;
    return refuse(builder, second->offset, err, "the key \"%s\" stands twice: first on line %zu",
                  second->text, first->line);
}

static int fill_collection(struct builder *builder, struct yaml_node *node, size_t first,
                           struct error *err) {
    size_t count = builder->values.count - first;
    if (count == 0)
        return 0;
    const struct yaml_node **children = builder->values.items + first;
    for (size_t i = 0; i < count; i++) {
        node->weight += children[i]->weight;
        if (children[i]->height >= node->height)
            node->height = children[i]->height + 1;
    }
    builder->values.count = first;
    if (node->kind == YAML_SEQUENCE) {
        const struct yaml_node **items =
            arena_take(&builder->file->arena, count * sizeof(*items), err);
        if (items == NULL)
            return -1;
        memcpy(items, children, count * sizeof(*items));
        node->items = items;
        node->count = count;
        return 0;
    }
    struct yaml_pair *pairs = arena_take(&builder->file->arena, count / 2 * sizeof *pairs, err);
    if (pairs == NULL)
        return -1;
    for (size_t i = 0; i < count / 2; i++)
        pairs[i] = (struct yaml_pair){children[2 * i], children[2 * i + 1]};
    node->pairs = pairs;
    node->count = count / 2;
    return 0;
}

static int close_collection(struct builder *builder, const yaml_event_t *event, struct error *err) {
    builder->depth--;
    struct yaml_node *node = builder->stack[builder->depth].node;
    size_t anchor = builder->stack[builder->depth].anchor;
    if (anchor > 0)
        builder->anchors.items[anchor - 1].open = false;
    size_t end = builder->map.bom + source_map_byte(&builder->map, event->end_mark.index);
    node->source_length = end > node->offset ? end - node->offset : 0;
    if (fill_collection(builder, node, builder->stack[builder->depth].first, err) < 0)
        return -1;
    if (node->kind == YAML_MAPPING && builder->options->strict &&
        refuse_duplicates(builder, node, err) < 0)
        return -1;
    return finish(builder, node, err);
}

static int handle_event(struct builder *builder, const yaml_event_t *event, struct error *err) {
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return add_scalar(builder, event, err);
    case YAML_ALIAS_EVENT:
        return add_alias(builder, event, err);
    case YAML_SEQUENCE_START_EVENT:
        return add_sequence(builder, event, err);
    case YAML_MAPPING_START_EVENT:
        return add_mapping(builder, event, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_collection(builder, event, err);
    case YAML_DOCUMENT_START_EVENT:
        builder->anchors.count = 0;
        return 0;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return 0;
}

static int parse_events(struct builder *builder, struct error *err) {
    yaml_parser_t *parser = &builder->parser;
    /* Without the encoding libyaml would also take UTF-16. */
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)builder->map.bytes,
                                 builder->map.length);
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (yaml_parser_parse(parser, &event) == 0)
            return refuse_syntax(builder, err);
        done = event.type == YAML_STREAM_END_EVENT;
        int handled = handle_event(builder, &event, err);
        yaml_event_delete(&event);
        if (handled < 0)
            return -1;
    }
    return 0;
}

static int parse_with(struct builder *builder, const char *bytes, size_t length,
                      struct error *err) {
    bool too_large = length > YAML_SIZE_LIMIT;
    if (source_map_init(&builder->map, bytes, too_large ? 0 : length, err) < 0)
        return -1;
    if (too_large)
        return refuse_limit(builder, 0, err, "larger than %u bytes", YAML_SIZE_LIMIT);
    if (yaml_parser_initialize(&builder->parser) == 0)
        return error_no_memory(err);
    int parsed = parse_events(builder, err);
    yaml_parser_delete(&builder->parser);
    return parsed;
}

int yaml_parse(const char *bytes, size_t length, const struct yaml_options *options,
               struct yaml_file *file, struct error *err) {
    static const struct yaml_options defaults = {0};
    struct builder builder = {.options = options != NULL ? options : &defaults, .file = file};
    *file = (struct yaml_file){0};
    int parsed = parse_with(&builder, bytes, length, err);
    source_map_clear(&builder.map);
    free(builder.values.items);
    free(builder.anchors.items);
    if (parsed < 0)
        file->count = 0;
    return parsed;
}

void yaml_clear(struct yaml_file *file) {
    arena_clear(&file->arena);
    free(file->roots);
    *file = (struct yaml_file){0};
}

const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key) {
    if (mapping == NULL || mapping->kind != YAML_MAPPING)
        return NULL;
    size_t length = strlen(key);
    for (size_t i = 0; i < mapping->count; i++) {
        const struct yaml_node *at = mapping->pairs[i].key;
        if (at->kind == YAML_SCALAR && at->text_length == length &&
            memcmp(at->text, key, length) == 0)
            return mapping->pairs[i].value;
    }
    return NULL;
}

bool yaml_is_scalar(const struct yaml_node *node) {
    return node != NULL && node->kind == YAML_SCALAR;
}

bool yaml_is_plain(const struct yaml_node *node) {
    return yaml_is_scalar(node) && node->style == YAML_PLAIN && node->tag == NULL;
}

bool yaml_is_null(const struct yaml_node *node) {
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < sizeof words / sizeof *words && yaml_is_plain(node); i++)
        if (strcmp(node->text, words[i]) == 0)
            return true;
    return false;
}

const char *yaml_kind_name(enum yaml_kind kind) {
    switch (kind) {
    case YAML_SCALAR:
        return "a scalar";
    case YAML_SEQUENCE:
        return "a list";
    case YAML_MAPPING:
        return "a mapping";
    }
    return "nothing";
}
