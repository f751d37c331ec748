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

int root_lock(int root_fd, const char *root, struct error *err) {
    while (flock(root_fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EINTR)
            continue;
        if (errno == EWOULDBLOCK)
            return error_set(err, ERROR_CONFLICT,
                             "another pingate run is writing in %s; wait for it or stop it", root);
        return error_set_errno(err, "lock %s (its file system must know locks of folders)", root);
    }
    return 0;
}

bool root_is_locked(int root_fd) {
    if (flock(root_fd, LOCK_SH | LOCK_NB) < 0)
        return errno == EWOULDBLOCK;
    flock(root_fd, LOCK_UN);
    return false;
}
