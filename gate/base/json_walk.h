/* json_walk: reads JSON where it stands, in constant memory: for answers of strangers that are large and of which little is
 * wanted. A tree of 16 MiB of "[0,0,…" would take half a gigabyte; a walk takes nothing.
 *
 *     struct json_walk walk;
 *     json_walk_start(&walk, bytes, length);
 *     for (bool in = json_walk_object(&walk); in && json_walk_key(&walk, &key);) {
 *         if (strcmp(text_string(&key), "name") == 0)
 *             json_walk_string(&walk, &name);             reads the value, …
 *         else
 *             json_walk_skip(&walk);                      … or passes over it, whatever it is
 *     }
 *     if (!json_walk_done(&walk)) …                       it was no JSON
 *
 * Whatever is not of the grammar, deeper than JSON_WALK_DEPTH, or of another kind than was asked for breaks the walk: all later
 * calls give false and json_walk_done tells. Bytes of strings are not checked to be UTF-8.
 *   src  RFC 8259
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gate/base/text.h"

#define JSON_WALK_DEPTH 100 /* objects and arrays in each other */

struct json_walk {
    const char *at;
    const char *end;
    unsigned int depth; /* of open objects and arrays */
    bool first;         /* the object or array that was just opened has no member yet */
    bool broken;
};

enum json_walk_kind {
    JSON_WALK_NOTHING, /* the end, or no value */
    JSON_WALK_OBJECT,
    JSON_WALK_ARRAY,
    JSON_WALK_STRING,
    JSON_WALK_NUMBER,
    JSON_WALK_WORD /* true, false, null */
};

void json_walk_start(struct json_walk *walk, const char *bytes, size_t length);

enum json_walk_kind json_walk_peek(struct json_walk *walk); /* of the value that comes next */

/* Opens the object; then one call of json_walk_key before each value, false at its end (which is passed). */
bool json_walk_object(struct json_walk *walk);
bool json_walk_key(struct json_walk *walk, struct text *key); /* key is emptied first */

/* Opens the array; then one call of json_walk_item before each value, false at its end (which is passed). */
bool json_walk_array(struct json_walk *walk);
bool json_walk_item(struct json_walk *walk);

/* out is emptied first; NUL is refused */
bool json_walk_string(struct json_walk *walk, struct text *out);
bool json_walk_number(struct json_walk *walk, double *out);
bool json_walk_skip(struct json_walk *walk); /* one value of any kind */

/* The document has ended, and all of it was JSON. */
bool json_walk_done(struct json_walk *walk);
