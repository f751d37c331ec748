/* source_map: from code points to bytes, and from bytes to lines and columns, of one text.
 *
 * Lines end with LF and with nothing else (CRLF ends with LF). A BOM at the start is no code point, but its bytes count in
 * offsets and in the columns of line 1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gate/base/error.h"

struct source_map {
    const char *bytes; /* behind the BOM; lent */
    size_t length;     /* of bytes */
    size_t bom;        /* bytes of it: 0 or 3 */
    bool ascii;        /* then a code point is a byte */
    struct {
        size_t *items; /* byte behind the BOM of every 1,024th code point; empty when ascii */
        size_t count, capacity;
    } checkpoints;
    struct {
        size_t *items; /* byte where each line begins, the BOM counted; at least one */
        size_t count, capacity;
    } lines;
};

/* bytes must outlive the map. Clear it also on -1. err: no-memory. */
int source_map_init(struct source_map *map, const char *bytes, size_t length,
                    struct error *err) _must_check_;
void source_map_clear(struct source_map *map);

/* The byte, counted from behind the BOM, where a code point begins; the end for one that is too large. */
size_t source_map_byte(const struct source_map *map, size_t point);

/* offset: in bytes from the start of the file. line and column: from 1, the column in bytes. */
void source_map_place(const struct source_map *map, size_t offset, size_t *line, size_t *column);
