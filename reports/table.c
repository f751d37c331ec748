#include "reports/table.h"

#include <stdlib.h>

#define GAP         2 /* columns between two cells */
#define NOTE_INDENT 4 /* columns of a note below its row, beyond the row's own */

struct table_row *table_add(struct table *table, struct error *err) {
    return array_add(table, err);
}

int table_cell(struct table_row *row, enum style style, const char *words, struct error *err) {
    size_t at = 0;
    while (at < TABLE_CELLS && row->cells[at] != NULL)
        at++;
    if (at == TABLE_CELLS)
        return error_set(err, ERROR_BUG, "a row has %d cells at most", TABLE_CELLS);
    row->cells[at] = string_dup(words, err);
    row->styles[at] = style;
    return row->cells[at] != NULL ? 0 : -1;
}

int table_note(struct table_row *row, const char *words, struct error *err) {
    row->note = string_dup(words, err);
    return row->note != NULL ? 0 : -1;
}

static void add_spaces(struct text *out, size_t count) {
    for (size_t i = 0; i < count; i++)
        text_add_char(out, ' ');
}

/* What could not be measured for want of memory lets the whole fail: a table that is out of line tells wrong things. */
static size_t width_of(const struct screen *screen, const char *words, struct text *out) {
    _cleanup_(text_clear) struct text cell = {0};
    size_t width = screen_fit(screen, &cell, words, SCREEN_ENDLESS);
    text_follow(out, &cell);
    return width;
}

/* How the table stands in this window. */
struct layout {
    size_t columns;
    size_t indent;
    size_t widths[TABLE_CELLS]; /* of the widest cell of each column */
    size_t cells;               /* columns of all cells with their gaps and the indent */
    bool stacked;               /* the cells do not fit side by side */
    bool notes_below;
};

static struct layout layout_of(const struct table *table, const struct screen *screen,
                               struct text *out) {
    struct layout layout = {.columns = screen_columns(screen), .indent = table->indent};
    size_t note = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct table_row *row = &table->items[i];
        for (size_t c = 0; c < TABLE_CELLS && row->cells[c] != NULL; c++) {
            size_t width = width_of(screen, row->cells[c], out);
            layout.widths[c] = width > layout.widths[c] ? width : layout.widths[c];
        }
        size_t width = row->note != NULL ? width_of(screen, row->note, out) : 0;
        note = width > note ? width : note;
    }
    layout.cells = table->indent;
    for (size_t c = 0; c < TABLE_CELLS; c++)
        layout.cells += layout.widths[c] > 0 ? layout.widths[c] + (c > 0 ? GAP : 0) : 0;
    layout.stacked = layout.cells > layout.columns;
    layout.notes_below = layout.stacked || (note > 0 && layout.columns - layout.cells < note + GAP);
    return layout;
}

static void draw_side_by_side(const struct layout *layout, const struct table_row *row,
                              const struct screen *screen, struct text *out) {
    size_t owed = layout->indent; /* spaces, so that no line ends with some */
    for (size_t c = 0; c < TABLE_CELLS && row->cells[c] != NULL; c++) {
        size_t width = width_of(screen, row->cells[c], out);
        if (width > 0) {
            add_spaces(out, owed);
            owed = 0;
        }
        screen_paint(screen, out, row->styles[c], row->cells[c]);
        owed += layout->widths[c] > width ? layout->widths[c] - width : 0;
        owed += layout->widths[c] > 0 ? GAP : 0;
    }
    if (row->note != NULL && *row->note != '\0' && !layout->notes_below) {
        add_spaces(out, owed);
        screen_fit(screen, out, row->note, SCREEN_ENDLESS);
    }
    text_add_char(out, '\n');
}

static void draw_stacked(const struct layout *layout, const struct table_row *row,
                         const struct screen *screen, struct text *out) {
    size_t used = layout->indent;
    size_t below = layout->indent + NOTE_INDENT;
    add_spaces(out, used);
    for (size_t c = 0; c < TABLE_CELLS && row->cells[c] != NULL; c++) {
        size_t width = width_of(screen, row->cells[c], out);
        if (width == 0)
            continue;
        if (c > 0 && used + GAP + width > layout->columns) {
            text_add_char(out, '\n');
            used = below;
            add_spaces(out, used);
        } else if (c > 0) {
            add_spaces(out, GAP);
            used += GAP;
        }
        if (used + width <= layout->columns)
            screen_paint(screen, out, row->styles[c], row->cells[c]);
        else
            screen_wrap(screen, out, row->cells[c], used, below, layout->columns);
        used += width;
    }
    text_add_char(out, '\n');
}

void table_draw(const struct table *table, const struct screen *screen, struct text *out) {
    struct layout layout = layout_of(table, screen, out);
    size_t indent = layout.indent + NOTE_INDENT;
    for (size_t i = 0; i < table->count; i++) {
        const struct table_row *row = &table->items[i];
        if (layout.stacked)
            draw_stacked(&layout, row, screen, out);
        else
            draw_side_by_side(&layout, row, screen, out);
        if (row->note == NULL || *row->note == '\0' || !layout.notes_below)
            continue;
        add_spaces(out, indent);
        screen_wrap(screen, out, row->note, indent, indent, layout.columns);
        text_add_char(out, '\n');
    }
}

void table_clear(struct table *table) {
    for (size_t i = 0; i < table->count; i++) {
        for (size_t c = 0; c < TABLE_CELLS; c++)
            free(table->items[i].cells[c]);
        free(table->items[i].note);
    }
    free(table->items);
    *table = (struct table){.indent = table->indent};
}
