/* table: rows of short cells in aligned columns, each with a note behind or below it. What fits one line stays on one
 * line; in a narrow window the notes go below, and in a narrower one each row is stacked:
 *
 *     redis     update      7.2.4@c5b0640b6ae7 → 7.2.5@9d3c61e8b8b3
 *     postgres  held        16.1@0b6ae7c5b064 → 16.2@e8b8b39d3c61
 *         no test covers it: declare one in pingate.yaml
 *
 * Elsewhere than on a terminal there is no end of a line: one row is one line, which programs can read.
 */
#pragma once

#include "gate/base/array.h"
#include "reports/screen.h"

#define TABLE_CELLS 5

struct table_row {
    char *cells[TABLE_CELLS]; /* NULL: none from here on; "" is empty */
    enum style styles[TABLE_CELLS];
    char *note; /* NULL where there is none */
};

struct table {
    struct table_row *items;
    size_t count;
    size_t capacity;
    size_t indent; /* of every row */
};

/* A row without cells yet; NULL with *err set. */
struct table_row *table_add(struct table *table, struct error *err) _must_check_;

/* The next cell of the row. */
int table_cell(struct table_row *row, enum style style, const char *words,
               struct error *err) _must_check_;

/* The note: words that may be long. */
int table_note(struct table_row *row, const char *words, struct error *err) _must_check_;

/* Every row, each line with its newline. */
void table_draw(const struct table *table, const struct screen *screen, struct text *out);
void table_clear(struct table *table);
