/* set: a snapshot of what stands in the files of a stage: the sorted values of all its pins.
 *
 *     docker.io/library/nginx:1.27@sha256:…
 *     docker.io/library/redis:7.2@sha256:…
 *     ghcr.io/acme/app@sha256:…                   a pin without a tag
 *
 * Its id is the sha256 of these lines, each with a newline behind it. Two stages that hold the same values hold the same
 * set, whatever files the pins stand in; a value that stands in five places stands in the set once.
 */
#pragma once

#include "gate/base/array.h"
#include "gate/base/hash.h"
#include "gate/pin.h"

#define SET_SHORT_LENGTH                                                                           \
    12 /* digits of an id that people read and type; a longer prefix works as well */

struct set {
    struct string_list lines; /* sorted by bytes, each once */
    char id[HASH_HEX_SIZE];   /* of the empty set too */
};

/* One line in its parts. */
struct set_value {
    char *image;  /* "docker.io/library/redis" */
    char *tag;    /* NULL where there is none */
    char *digest; /* "sha256:…" */
};

/* in   pins     of which `use` (one flag a pin; NULL is all) belong to the stage
 * err  no-memory */
int set_of_pins(const struct pin_list *pins, const bool *use, struct set *out,
                struct error *err) _must_check_;

/* From lines in any order, twice or not. err: input when one is no value; no-memory. */
int set_of_lines(const char *const *lines, size_t count, struct set *out,
                 struct error *err) _must_check_;

/* err: input when the line is no `image[:tag]@digest`, normalised. */
int set_value_parse(const char *line, struct set_value *out, struct error *err) _must_check_;

bool set_has(const struct set *set, const char *line);
void set_clear(struct set *set);
void set_value_clear(struct set_value *value);
