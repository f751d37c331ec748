/* refusal: the reasons why a promotion does not write a file, each found before anything is written. */
#pragma once

#include <sys/stat.h>

#include "gate/base/array.h"
#include "gate/base/text.h"

/* No write bit, hard links, a mount point, a read-only file system, a folder that lets us not replace the file.
 * in   fd      the file, open for reading
 *      status  of fd */
int refusal_of_file(int root_fd, int fd, const char *file, const struct stat *status,
                    struct error *err) _must_check_;

/* Whether a generator says in the first lines that the file is its own. The message names line and words. */
int refusal_of_generated(const struct text *bytes, struct error *err) _must_check_;

/* Whether .gitattributes call one of the files linguist-generated; asks git once for all. A root outside of git has none. */
int refusal_of_attributes(const char *root, const struct string_list *files,
                          struct error *err) _must_check_;
