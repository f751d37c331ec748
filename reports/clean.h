/* clean: makes untrusted bytes fit for a sink. The one place that does it; fuzzed.
 *
 * Every function takes any bytes and appends valid UTF-8 that the sink cannot take for anything but text. Escape sequences
 * (CSI, OSC, also truncated ones) go, illegal characters become U+FFFD, bidirectional and zero-width marks go.
 */
#pragma once

#include "gate/base/text.h"

/* Terminal and CI logs: one line or many; no escapes, no "::command::", "##[", "##vso[", "##teamcity[" that a CI system
 * would obey; tabs and newlines stay when `lines`, else become spaces. */
void clean_terminal(struct text *out, const char *bytes, size_t length, bool lines);

/* XML 1.0 character data or attribute value, escaped; newlines in an attribute become &#10;. */
void clean_xml(struct text *out, const char *bytes, size_t length, bool attribute);

/* Markdown outside code, on one line, also fit for a table cell: every character that Markdown or a forge could take for
 * markup, mention, reference, link or HTML is escaped or broken by a zero-width space of ours. */
void clean_markdown(struct text *out, const char *bytes, size_t length);

/* A fenced block: opening fence longer than any run inside, each line behind four columns of prefix, closing fence. */
void clean_markdown_block(struct text *out, const char *info, const char *bytes, size_t length);

/* A code span: `…` with enough backticks, pipes escaped for tables. */
void clean_markdown_code(struct text *out, const char *bytes, size_t length);

/* JSON and whatever else needs only valid UTF-8: invalid bytes become U+FFFD, NULs too. */
void clean_utf8(struct text *out, const char *bytes, size_t length);

/* The last `lines` lines of at most `bytes_limit` bytes; points into bytes. */
const char *clean_tail(const char *bytes, size_t length, size_t lines, size_t bytes_limit,
                       size_t *out_length);
