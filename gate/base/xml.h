/* xml: reads XML of strangers, event by event; the one wrapper of expat.
 *
 *     static const struct xml_handlers handlers = {.start = on_start, .end = on_end, .text = on_text};
 *     xml_read(bytes, length, &handlers, context, err);
 *
 * A document type is refused, and with it every entity but the five of the language: no expansion, nothing from elsewhere.
 * Elements may lie in each other to XML_DEPTH and have XML_ATTRIBUTES attributes. Memory: what the longest tag takes, so the
 * caller bounds the bytes. Words come as UTF-8, whatever the encoding was (UTF-8, UTF-16, ISO-8859-1, US-ASCII).
 *
 * expat, since it is small, is alone in what it does, and its keepers mend fast; libxml2 is ten times as large, for things
 * that are not wanted here.
 *   src  XML 1.0, fifth edition
 */
#pragma once

#include <stddef.h>

#include "gate/base/error.h"

#define XML_DEPTH      100  /* elements in each other; reports have 5 */
#define XML_ATTRIBUTES 1000 /* of one element */

/* Each gives 0, or -1 with *err set, which ends the reading with that error; a handler that is NULL is not called. */
struct xml_handlers {
    /* attributes: name, value, name, value, …, NULL */
    int (*start)(void *context, const char *name, const char *const *attributes, struct error *err);
    int (*end)(void *context, const char *name, struct error *err);
    /* a piece of what stands between tags; one text may come in several */
    int (*text)(void *context, const char *bytes, size_t length, struct error *err);
};

/* err: input with line and column when it is no XML, or has a document type;  limit;  no-memory */
int xml_read(const char *bytes, size_t length, const struct xml_handlers *handlers, void *context,
             struct error *err) _must_check_;

/* The attribute's value, or NULL. */
const char *xml_attribute(const char *const *attributes, const char *name);
