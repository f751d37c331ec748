/* pin: a place in a file where an image reference with a digest stands.
 *
 * A pin is known by (file, format, path within the document, ordinal), never by its line: lines move. It has one byte span
 * for each part that an update writes. Spans never overlap, and the bytes at a digest's span are the digest's.
 */
#pragma once

#include <stddef.h>

#include "gate/reference.h"

enum pin_part {
    PIN_PART_TAG,    /* "7.2.4" */
    PIN_PART_DIGEST, /* "sha256:…", or 64 hex digits alone where the file writes them so */
    PIN_PART_VERSION_COMMENT, /* the version in a comment behind a bare digest */
    PIN_PART_COUNT
};

struct pin_span {
    enum pin_part part;
    size_t offset; /* bytes from the start of the file, a BOM included */
    size_t length; /* bytes */
};

struct pin {
    char *file;         /* relative to the root of the scan, "/" between names */
    const char *format; /* name of the format that found it: "dockerfile", "yaml", "text" */
    /* within the document: "stage 0", "spec.containers[0].image"; "" where it has none */
    char *path;
    size_t ordinal;      /* among the pins of this file with equal format and path, from 0 */
    size_t line, column; /* of the reference, from 1, in bytes */
    size_t offset,
        length; /* of the reference in bytes; of the digest alone when the parts stand apart */
    struct pin_span spans[PIN_PART_COUNT];
    size_t span_count;
    char *reference; /* as it is written */
    /* parsed and normalised; tag NULL where there is none; digest never NULL */
    struct reference name;
};

struct pin_list {
    struct pin *items;
    size_t count;
    size_t capacity;
};

/* A place that looked like a pin, or a file that could not be read, and why it was left alone. */
struct skipped {
    char *file;
    size_t line;  /* from 1; 0 when the whole file was left alone */
    char *text;   /* what stands there, at most 200 bytes; untrusted */
    char *reason; /* a sentence fragment: "variable", "not a valid reference: …" */
};

struct skipped_list {
    struct skipped *items;
    size_t count;
    size_t capacity;
};

/* "tag", "digest", "version-comment": words of the machine form */
const char *pin_part_name(enum pin_part part);
/* NULL where it has none */
const struct pin_span *pin_span(const struct pin *pin, enum pin_part part);
int pin_compare(const struct pin *a, const struct pin *b); /* by file, then offset */

int pin_copy(const struct pin *from, struct pin *out, struct error *err) _must_check_;
void pin_clear(struct pin *pin);
void pin_list_clear(struct pin_list *pins);
void skipped_list_clear(struct skipped_list *skipped);
