/* yaml: YAML bytes as a tree of nodes that know where they stand in the file; the one module that knows libyaml.
 *
 *     struct yaml_file file = {0};
 *     struct yaml_options options = {.name = "pingate.yaml", .kind = ERROR_CONFIG, .strict = true};
 *     if (yaml_parse(bytes, length, &options, &file, err) < 0) …      "pingate.yaml:3:5: …"; file.error_line has the place
 *     const struct yaml_node *tests = yaml_get(file.roots[0], "tests");
 *     for (size_t i = 0; i < node->count; i++)  node->items[i]                        of a sequence
 *     for (size_t i = 0; i < node->count; i++)  node->pairs[i].key, node->pairs[i].value   of a mapping, in file order
 *     yaml_clear(&file);                                               all nodes go with it
 *
 * Places are in bytes of the file as it was given, a BOM included: offset from 0, line and column from 1. A line ends with
 * LF (so also with CRLF) and with nothing else: a lone CR or U+2028 begins no line here, as in git and grep. libyaml's own
 * marks count code points, leave out the BOM and include anchors and tags; they are mapped and never shown.
 *
 * An alias becomes a copy of the node that it names, with the alias' own place and `alias` set; the copy shares the children.
 * Trees are hostile: depth, nodes (aliases expanded), anchors and bytes are bounded, an alias within its own anchor is
 * refused. Comments are not kept. Merge keys ("<<") are keys like others.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gate/base/error.h"

#define YAML_SIZE_LIMIT   (16u << 20) /* bytes of a file; libyaml reads about 20 MiB a second */
#define YAML_DEPTH_LIMIT  100u /* collections in one another; libyaml's time grows with the square */
#define YAML_NODE_LIMIT   500000u /* nodes of all documents, aliases expanded; about 60 MiB */
#define YAML_ANCHOR_LIMIT 1000u   /* anchors of a document; they are searched one by one */

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

enum yaml_style {
    YAML_PLAIN, /* scalars: as it stands */
    YAML_SINGLE_QUOTED,
    YAML_DOUBLE_QUOTED,
    YAML_LITERAL, /* | */
    YAML_FOLDED,  /* > */
    YAML_BLOCK,   /* collections: by indentation */
    YAML_FLOW     /* collections: [ ] and { } */
};

struct yaml_pair;

struct yaml_node {
    enum yaml_kind kind;
    enum yaml_style style;
    const char *text;   /* a scalar's value; NUL-terminated; NULL for collections */
    size_t text_length; /* bytes of text, which may hold NULs unless `strict` */
    const char *tag;    /* "!x", "tag:yaml.org,2002:str"; NULL where none is written */
    const struct yaml_node *const *items; /* of a sequence */
    const struct yaml_pair *pairs;        /* of a mapping */
    size_t count;                         /* of items or pairs */
    const struct yaml_node *alias;        /* what an alias stands for; NULL for all others */
    /* bytes from the start of the file to the value itself, behind its anchor and tag */
    size_t offset;
    /* bytes of the value as it is written, quotes included; 0 for an empty one; of a block collection up to whatever comes
     * next */
    size_t source_length;
    size_t line, column; /* of offset, from 1, column in bytes */
    size_t weight;       /* nodes below and itself, aliases expanded */
    size_t height;       /* 1 + that of its highest child */
};

struct yaml_pair {
    const struct yaml_node *key; /* usually a scalar, but YAML takes any */
    const struct yaml_node *value;
};

struct yaml_options {
    /* of the file, put before messages: "NAME:LINE:COLUMN: …"; NULL: "line L, column C: …" */
    const char *name;
    enum error_kind kind; /* of syntax errors; ERROR_NONE is ERROR_INPUT */
    bool strict;          /* duplicate keys and NULs in scalars are errors */
};

struct yaml_arena; /* private: where the nodes live */

struct yaml_file {
    /* one a document; an empty document has an empty plain scalar */
    const struct yaml_node **roots;
    size_t count;
    size_t capacity;
    size_t error_line,
        error_column; /* of what was wrong when yaml_parse gave -1; 0 when it has no place */
    struct yaml_arena *arena;
};

/* Parses all documents.
 *
 *   in   bytes    UTF-8, with or without BOM; need not be NUL-terminated
 *        options  NULL is all defaults
 *   out  file     cleared by the caller with yaml_clear, also on -1; no roots on -1
 *   err  input (or options->kind)  not YAML, not UTF-8, a bad alias, with strict a duplicate key;
 *        limit    one of the limits above;  no-memory
 */
int yaml_parse(const char *bytes, size_t length, const struct yaml_options *options,
               struct yaml_file *file, struct error *err) _must_check_;
void yaml_clear(struct yaml_file *file);

/* The value of a scalar key (the first of equals), or NULL when there is none or the node is no mapping (or NULL). */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);

bool yaml_is_scalar(const struct yaml_node *node); /* false for NULL, as the next two */
/* a scalar without quotes, block or tag: may be a number, true, null */
bool yaml_is_plain(const struct yaml_node *node);
bool yaml_is_null(const struct yaml_node *node); /* plain "", "~", "null", "Null", "NULL" */
/* "a scalar", "a list", "a mapping": for messages */
const char *yaml_kind_name(enum yaml_kind kind);
