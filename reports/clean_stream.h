/* clean_stream: private to clean*.c. Untrusted bytes as a stream of characters that are safe to show: no escape sequences,
 * no invisible marks, no controls but '\n' and '\t'.
 */
#pragma once

#include <stdint.h>

#include "gate/base/text.h"

#define CLEAN_END         UINT32_MAX     /* no character follows */
#define CLEAN_REPLACEMENT 0xFFFDu        /* U+FFFD */
#define CLEAN_BREAK       "\xE2\x80\x8B" /* U+200B, the one zero-width mark that we write */

struct clean_stream {
    const char *at;
    const char *end;
};

uint32_t clean_next(struct clean_stream *stream);       /* CLEAN_END at the end */
uint32_t clean_peek(const struct clean_stream *stream); /* the same without moving */
void clean_put(struct text *out, uint32_t character);
/* Where a line stands, for what a CI system would obey in it. */
struct clean_line {
    bool at_start; /* only white space so far: "::" would begin a command of GitHub's runner */
};

/* A character that a log may show, with our mark where the next one would complete a command. */
void clean_put_in_log(struct text *out, struct clean_line *line, uint32_t character,
                      const struct clean_stream *rest);

bool clean_is_space(uint32_t character); /* as Unicode's White_Space: what CI systems trim */
