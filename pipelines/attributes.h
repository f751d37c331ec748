/* attributes: gives a new file the mode, owner, ACLs and extended attributes of the file that it will replace. */
#pragma once

#include <sys/stat.h>

#include "gate/base/error.h"

/* in   status  of the file to copy from
 * err  input   the owner, an ACL or an attribute cannot be kept by this user or file system;  io */
int attributes_copy(int from_fd, int to_fd, const struct stat *status,
                    struct error *err) _must_check_;
