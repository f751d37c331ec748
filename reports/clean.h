/* clean: makes untrusted bytes fit for a sink. The one place that does it; fuzzed.
 *
 * Every function takes any bytes and appends valid UTF-8 that the sink cannot take for anything but text. Except in
 * clean_utf8: escape sequences (CSI, OSC, also truncated ones) go, illegal and control characters become U+FFFD,
 * bidirectional and zero-width marks go, CR LF and CR become LF. What goes is taken away first, so that no mark can be
 * hidden between the two halves of another.
 */
#pragma once

#include <stdint.h>

#include "gate/base/text.h"

/* Terminal and CI logs: one line or many; no escapes, no "::command::", "##[", "##vso[", "##teamcity[" that a CI system
 * would obey; tabs and newlines stay when `lines`, else become spaces. */
void clean_terminal(struct text *out, const char *bytes, size_t length, bool lines);

/* XML 1.0 character data or attribute value, escaped; newlines in an attribute become &#10;. What a CI system would obey in a
 * log is written with references, so that the file can be printed there. */
void clean_xml(struct text *out, const char *bytes, size_t length, bool attribute);

/* Markdown outside code, on one line, also fit for a table cell: every character that Markdown or a forge could take for
 * markup, mention, reference, link or HTML is escaped or broken by a zero-width space of ours. */
void clean_markdown(struct text *out, const char *bytes, size_t length);

/* A fenced block: opening fence longer than any run inside, closing fence, and no line that begins with what a forge or a CI
 * system would obey. The info string decides what stands before each line:
 *   ""      "│ ": output of programs
 *   "sh"    four spaces, so that it can be copied
 *   "diff"  nothing, so that it is coloured; lines that are none of a diff get a space
 * In the last two, runs of three backticks are broken, so that the fence is plainly "```". */
void clean_markdown_block(struct text *out, const char *info, const char *bytes, size_t length);

/* A code span on one line, fit for a table: `…` with enough backticks; <code>…</code> where the text holds a pipe, which
 * a code span could show in a table or outside, but not in both. Nothing for no bytes. */
void clean_markdown_code(struct text *out, const char *bytes, size_t length);

/* JSON and whatever else needs only valid UTF-8: invalid bytes become U+FFFD, NULs too. */
void clean_utf8(struct text *out, const char *bytes, size_t length);

/* The last `lines` lines of at most `bytes_limit` bytes; points into bytes. Begins with a whole line where the limit leaves
 * one, else with a whole character. */
const char *clean_tail(const char *bytes, size_t length, size_t lines, size_t bytes_limit,
                       size_t *out_length);

/* One character of UTF-8 at `at` (length > 0). Gives its bytes: the longest part that could begin a character counts as
 * one U+FFFD when it is no valid UTF-8 (overlong, surrogate, cut, above U+10FFFF). */
size_t clean_decode(const char *at, size_t length, uint32_t *character);
