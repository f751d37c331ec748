/* deny: gates on what changed in an image, as pingate.yaml names them; pure.
 *
 *     deny: [user-becomes-root, package-removed, {size-grows: 20%}, {label-missing: org.opencontainers.image.source}]
 *
 * A gate is one line in the table of deny.c. What it asks for and nobody could read is told as such, and never passed over.
 */
#pragma once

#include "runners/changes.h"

enum deny_argument { DENY_PLAIN, DENY_PERCENT, DENY_NAME };

struct deny_gate;

struct deny {
    const struct deny_gate *gate;
    char *name;      /* of DENY_NAME */
    int64_t percent; /* of DENY_PERCENT */
};

struct deny_list {
    struct deny *items;
    size_t count;
    size_t capacity;
};

const char *const *deny_names(void); /* NULL-terminated */
/* "user-becomes-root", "the image runs as root now, and did not": of the table's n-th line; NULL behind its end */
const char *deny_name(size_t n, const char **help, enum deny_argument *argument);

/* argument: NULL where there is none. err: config with what was expected; the name must be one of the table */
int deny_make(const char *name, const char *argument, struct deny *deny,
              struct error *err) _must_check_;
bool deny_needs_packages(const struct deny_list *list);

struct deny_answer {
    struct text denied;  /* "user-becomes-root: user 999 → root; …"; "" where nothing is */
    struct text unknown; /* which gates could not be asked, and why; "" where all could */
};

/* Marks the changes that are denied. packages_reason: why they are not known; NULL: nobody read them, and the gates on them
 * are left for later. err: no-memory, limit */
int deny_check(const struct deny_list *list, const struct image_facts *after,
               struct changes *changes, const char *packages_reason, struct deny_answer *answer,
               struct error *err) _must_check_;
void deny_answer_clear(struct deny_answer *answer);
void deny_list_clear(struct deny_list *list);
