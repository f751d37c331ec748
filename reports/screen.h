/* screen: what a stream of ours can show (width, colours, UTF-8), and how words are made to fit it. Everything that is drawn
 * here is cleaned for terminals and CI logs (clean.h). Widths are in columns: a wide character has two, a combining one none.
 *
 *   live     lines may be redrawn in place: a terminal that is not TERM=dumb, outside of CI (CI set, and neither empty nor
 *            "false"), where even a terminal ends up in a log
 *   colours  a terminal that is not dumb, and no NO_COLOR (https://no-color.org); FORCE_COLOR turns them on anywhere
 *   utf8     the caller's locale is UTF-8; else our own signs are ASCII, and on a terminal every other character is "?"
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "gate/base/text.h"

/* columns of a stream that is no terminal: nothing is cut or wrapped */
#define SCREEN_ENDLESS SIZE_MAX

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_BAD, STYLE_WARN };

struct screen {
    FILE *stream;
    bool terminal;
    bool live;
    bool colours;
    bool utf8;
};

/* Asks the stream and the environment. */
void screen_open(struct screen *screen, FILE *stream, bool utf8);

/* Now: a window can change. A width that cannot be believed (below 20) is taken for 80. */
size_t screen_columns(const struct screen *screen);

size_t screen_rows(const struct screen *screen); /* of a terminal; 24 where it does not tell */

const char *screen_arrow(const struct screen *screen); /* "→" or "->" */

/* Columns that the words take once they are cleaned onto one line. */
size_t screen_width(const struct screen *screen, const char *words);

/* Cleaned, on one line, cut with an ellipsis to at most `columns`. Gives the columns that were taken. */
size_t screen_fit(const struct screen *screen, struct text *out, const char *words, size_t columns);

/* Cleaned, on one line, in colour where there are colours. */
void screen_paint(const struct screen *screen, struct text *out, enum style style,
                  const char *words);

/* Paragraphs (parted by newlines) broken between words so that each line, with its indent, has at most `columns`; a word that
 * is longer stays whole, so that it can be copied. The first line begins where the output stands now, after `used` columns.
 * No newline at the end. */
void screen_wrap(const struct screen *screen, struct text *out, const char *words, size_t used,
                 size_t indent, size_t columns);
