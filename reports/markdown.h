/* markdown: the report that people read, in a file or as a comment on a pull request.
 *
 * The verdict comes first, in one line; then what was not tested, errors, one row an update, failures with their last lines
 * and a line to reproduce, passes folded, the diff. What does not fit is left out step by step, least important first, and
 * the report says what was left out and where it is.
 */
#pragma once

#include "gate/base/text.h"
#include "reports/result.h"

/* Bytes of one comment on GitHub: its API refuses a body of more than 65536 characters ("Body is too long (maximum is 65536
 * characters)"), and a character is at least a byte. Some room is left for what a comment adds. */
#define MARKDOWN_LIMIT_GITHUB (65536u - 1024u)

/* in   limit  bytes at most, at least MARKDOWN_LIMIT_LEAST; 0 is none
 * out  out    appended to
 * err  limit  it does not fit even without all that can be left out */
int markdown_draw(const struct result *result, size_t limit, struct text *out,
                  struct error *err) _must_check_;

#define MARKDOWN_LIMIT_LEAST 4000u /* bytes: into which the shortest form always fits */
