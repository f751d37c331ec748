/* json_read: a document of JSON as a tree of jansson, also where memory ends. All documents of the program are read here.
 *
 * jansson 2.14 does not look whether the buffer of the word that it reads could grow: bytes get lost without a sign, and where
 * the closing quote is among them it reads and writes beyond the heap. So while a document is read, a reserve stands behind
 * malloc: what malloc refuses comes from there, the document ends at the next piece, and what was read is thrown away.
 */
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "gate/base/error.h"

/* As json_loadb, but -1 means that memory ended, and nothing else does.
 *
 *   in   flags  of jansson, such as JSON_REJECT_DUPLICATES
 *   out  out    owned by the caller; NULL where the bytes are no JSON
 *        where  then says what is wrong with them; may be NULL
 *   err  no-memory
 */
int json_read(const char *bytes, size_t length, size_t flags, json_t **out, json_error_t *where,
              struct error *err) _must_check_;
