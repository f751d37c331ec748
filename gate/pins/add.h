/* add: how formats put what they found into the lists; private to gate/pins. */
#pragma once

#include "gate/pins/formats.h"

#define PIN_LITERAL        "@sha256:" /* what every reference with a digest holds */
#define PIN_LITERAL_LENGTH (sizeof PIN_LITERAL - 1)
#define SKIPPED_TEXT_LIMIT 200u  /* bytes of the text that is shown */
#define PIN_PATH_LIMIT     1024u /* bytes; a longer path within a document is cut */
#define PIN_FORMATS_LIMIT  32u

/* The first literal at or behind `at`, or NULL. */
const char *pin_literal(const char *at, const char *end);

/* Adds the pin whose whole reference is bytes [offset, offset + length) of the file, with the spans of its tag and digest.
 *
 *   in   format  of pin_format, static
 *        path    within the document; NULL is ""
 *   err  input  it is no reference with a digest (nothing is added);  no-memory
 */
int pin_add(const struct pin_file *file, const char *format, size_t offset, size_t length,
            const char *path, struct pin_list *pins, struct error *err) _must_check_;

/* Adds a place that was left alone. length: of what stands there; it is cut to SKIPPED_TEXT_LIMIT. line: 0 is the file. */
int skipped_add(struct skipped_list *skipped, size_t line, const char *bytes, size_t length,
                const char *reason, struct error *err) _must_check_;

/* Whether [offset, offset + length) touches a pin of the list, which is sorted by offset.
 * cursor: where to begin, moved on; offsets must rise from call to call. */
bool pin_claimed(const struct pin_list *pins, size_t *cursor, size_t offset, size_t length);
