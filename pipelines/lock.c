#include "pipelines/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

int root_open(const char *root, struct error *err) {
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return error_set(err, ERROR_NOT_FOUND, "%s: no such folder", root);
    return fd >= 0 ? fd : error_set_errno(err, "open %s", root);
}

/* 1: locked; 0: somebody else holds it. */
static int lock_folder(int fd, const char *folder, struct error *err) {
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EINTR)
            continue;
        if (errno == EWOULDBLOCK)
            return 0;
        return error_set_errno(err, "lock %s (its file system must know locks of folders)", folder);
    }
    return 1;
}

int root_lock(int root_fd, const char *root, struct error *err) {
    int locked = lock_folder(root_fd, root, err);
    if (locked == 0)
        return error_set(err, ERROR_CONFLICT,
                         "another pingate run is writing in %s; wait for it or stop it", root);
    return locked < 0 ? -1 : 0;
}

int output_lock(int folder_fd, const char *folder, struct error *err) {
    int locked = lock_folder(folder_fd, folder, err);
    if (locked == 0)
        return error_set(err, ERROR_CONFLICT,
                         "another pingate run is at work and writes its reports to %s; wait for "
                         "it or stop it, or give this one a folder of its own with --output",
                         folder);
    return locked < 0 ? -1 : 0;
}

bool root_is_locked(int root_fd) {
    if (flock(root_fd, LOCK_SH | LOCK_NB) < 0)
        return errno == EWOULDBLOCK;
    flock(root_fd, LOCK_UN);
    return false;
}
