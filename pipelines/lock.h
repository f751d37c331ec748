/* lock: one run at a time writes below a root, and one into a folder of reports. The lock is on the folder itself: no file
 * stays behind, and the kernel drops it when its holder dies. */
#pragma once

#include "gate/base/error.h"

/* Opens the root; the descriptor or -1. err: not-found, io. */
int root_open(const char *root, struct error *err) _must_check_;

/* Until the descriptor is closed. err: conflict when another run holds it; io where the file system knows no locks. */
int root_lock(int root_fd, const char *root, struct error *err) _must_check_;

/* The same for the folder of reports. err: conflict with the remedy; io. */
int output_lock(int folder_fd, const char *folder, struct error *err) _must_check_;

/* Whether another run holds it now. Takes nothing. */
bool root_is_locked(int root_fd);
