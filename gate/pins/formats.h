/* formats: the table of places where pins stand. A new format is one file and one line in formats.c.
 *
 * A format is a pure function over one file's bytes. It adds the pins that it finds to the list, sets path and spans, and
 * leaves file, ordinal, line and column to the scanner, which also drops what two formats found twice (the first entry of the
 * table wins) and checks that the bytes at each span are what the format says.
 *
 * Only a file that holds the literal "@sha256:" is asked, so that a large tree costs one search of its bytes.
 */
#pragma once

#include "gate/pin.h"

struct pin_file {
    const char *name; /* relative to the root */
    /* not NUL-terminated; may hold anything; a BOM stands at the start where there is one */
    const char *bytes;
    size_t length; /* bytes */
};

struct pin_format {
    const char *name;        /* "dockerfile" */
    const char *description; /* for help and doctor: "FROM in Dockerfiles" */

    /* Whether this file is of the format, by name first, by a look at the bytes where the name does not tell. */
    bool (*bid)(const struct pin_file *file);

    /* pins: lent with what the formats before it found in this file, sorted by offset; new ones are added behind these, in
     * any order. skipped: file is left to the scanner.
     * A file that does not parse is no error: the format adds one `skipped` (line, reason) and stops; the plain text scanner
     * still looks at the file, and gives reasons for what no format took, so a format gives none for a single place.
     * err: no-memory, bug. */
    int (*find)(const struct pin_file *file, struct pin_list *pins, struct skipped_list *skipped,
                struct error *err);
};

extern const struct pin_format
    *const pin_formats[]; /* NULL-terminated; the plain text scanner is the last */
