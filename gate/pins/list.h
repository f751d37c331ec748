/* list: the names of the files of a tree. Private to gate/pins. */
#pragma once

#include "gate/base/text.h"
#include "gate/pins/scan.h"

struct names {
    struct text bytes;  /* all names, each with its NUL */
    const char **items; /* into bytes; relative to the root; not sorted */
    size_t count;
    size_t capacity;
};

/* The files to look at, as scan.h says; what is left alone because of its name alone goes to skipped.
 * err: io, not-found, cancelled, config (git is missing or refuses), no-memory. */
int names_list(const char *root, const struct scan_options *options, struct names *names,
               struct skipped_list *skipped, struct error *err) _must_check_;
void names_clear(struct names *names);
