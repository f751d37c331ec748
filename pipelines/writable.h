/* writable: which files a promotion would refuse, told before anything is tested. Takes no lock and writes nothing.
 *
 * It asks what promotion_prepare asks (refusal.h): no write bit, hard links, mount points, generated files, links that leave
 * the tree. What changes between this look and the writing is found again then.
 */
#pragma once

#include "gate/base/array.h"

struct unwritable {
    char *file;   /* as it was named */
    char *reason; /* one sentence, with the file's name and the remedy */
};

struct unwritable_list {
    struct unwritable *items; /* in the order of the files */
    size_t count;
    size_t capacity;
};

/* in   files  below the root
 * err  io, no-memory: could not look; not-found: the root or git. What forbids one file to be written is in the list */
int writable_check(const char *root, const struct string_list *files, bool allow_generated,
                   struct unwritable_list *out, struct error *err) _must_check_;
void unwritable_list_clear(struct unwritable_list *list);
