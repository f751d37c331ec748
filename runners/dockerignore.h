/* dockerignore: which files of a build's context its .dockerignore leaves out; pure.
 *
 *     struct dockerignore ignore = {0};
 *     dockerignore_parse(bytes, length, &ignore, err);       may be called again: later patterns stand behind earlier ones
 *     dockerignore_excludes(&ignore, "build/x.o")
 *     dockerignore_clear(&ignore);
 *
 * A builder that is sent a context leaves nothing out itself: whoever sends it does. The rules are those of the docker client:
 *
 *     # …       a comment, when nothing stands before the "#"; white space around a pattern is nothing, and so is a BOM
 *     a/b       cleaned as a path ("a//./c/../b" is "a/b"); a leading "/" is the context; matches the whole path, or any
 *               folder above the file
 *     * ?       any characters but "/"; one character but "/"
 *     ** /      any number of folders, also none; at the end, or as all there is, anything
 *     [a-c]     one of these characters; [^a-c] any other
 *     \x        the character x itself
 *     !a/b      what matches is not left out after all; the last pattern that matches a file decides
 *
 * "!" alone, an open "[" and a "\" at the end are errors, as they are there.
 *   src  moby/patternmatcher, patternmatcher.go and ignorefile.go
 */
#pragma once

#include <stddef.h>

#include "gate/base/error.h"

#define DOCKERIGNORE_LIMIT    (1u << 20) /* bytes of the file */
#define DOCKERIGNORE_PATTERNS 10000u     /* each is tried on each file */

struct dockerignore_part; /* of a pattern: a character, a wildcard, a class */

struct dockerignore_pattern {
    struct dockerignore_part *parts;
    size_t count;
    bool includes; /* "!" stood before it */
};

struct dockerignore {
    struct dockerignore_pattern *items;
    size_t count;
    size_t capacity;
    bool includes; /* one of them does */
    bool *work;    /* for matching: so one thread at a time may ask */
};

/* err: input with "line 3: …";  limit;  no-memory. What was parsed before is to be cleared all the same. */
int dockerignore_parse(const char *bytes, size_t length, struct dockerignore *ignore,
                       struct error *err) _must_check_;

/* path: from the context on, "/" between names, neither at its ends */
bool dockerignore_excludes(const struct dockerignore *ignore, const char *path);

/* Whether nothing below the folder can come in, so that nobody needs to look. */
bool dockerignore_prunes(const struct dockerignore *ignore, const char *folder);

void dockerignore_clear(struct dockerignore *ignore);
