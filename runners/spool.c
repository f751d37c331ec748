#include "runners/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/tar.h"
#include "gate/base/text.h"
#include "runners/workspace_hash.h"

#define LINK_LIMIT 4096 /* bytes of a link's target */

static int temporary_file(struct error *err) {
    const char *folder = getenv("TMPDIR");
    int fd = open(folder != NULL && *folder != '\0' ? folder : "/tmp",
                  O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char name[] = "/tmp/pingate-XXXXXX"; /* a file system without O_TMPFILE */
    fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, "make a temporary file for a copy of the project");
    unlink(name);
    return fd;
}

int spool_begin(struct spool *spool, const char *root, const struct pin_list *pins, bool plainly,
                struct error *err) {
    *spool = (struct spool){.fd = -1, .root_fd = -1};
    spool->fd = temporary_file(err);
    if (spool->fd < 0 || (plainly && tar_begin_plainly(spool->fd, err) < 0))
        return -1;
    spool->tar = tar_new(spool->fd, err);
    spool->hash = spool->tar != NULL ? workspace_hash_new(pins, err) : NULL;
    if (spool->hash == NULL)
        return -1;
    tar_show(spool->tar, workspace_hash_bytes, spool->hash);
    spool->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return spool->root_fd >= 0 ? 0 : error_set_errno(err, "open %s", root);
}

int spool_add_folder(struct spool *spool, const char *entry, unsigned int mode, struct error *err) {
    return tar_add_folder(spool->tar, entry, mode, err);
}

int spool_add(struct spool *spool, const char *name, const char *entry, struct error *err) {
    struct stat status;
    if (fstatat(spool->root_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : error_set_errno(err, "look at %s", name);
    if (S_ISLNK(status.st_mode)) {
        char target[LINK_LIMIT + 1];
        ssize_t length = readlinkat(spool->root_fd, name, target, LINK_LIMIT);
        if (length < 0)
            return error_set_errno(err, "read link %s", name);
        target[length] = '\0';
        workspace_hash_link(spool->hash, name, target);
        return tar_add_link(spool->tar, entry, target, err);
    }
    if (!S_ISREG(status.st_mode))
        return 0;
    _cleanup_(file_closep) int fd =
        openat(spool->root_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : error_set_errno(err, "open %s", name);
    if (fstat(fd, &status) < 0)
        return error_set_errno(err, "look at %s", name);
    spool->files++;
    unsigned int mode = (status.st_mode & 0777u) | spool->more_mode;
    return workspace_hash_file(spool->hash, name, mode, status.st_size, err) == 0
               ? tar_add_file(spool->tar, entry, mode, fd, status.st_size, err)
               : -1;
}

int spool_finish(struct spool *spool, int *fd, int64_t *size_bytes, char hash[HASH_HEX_SIZE],
                 struct error *err) {
    if (tar_finish(spool->tar, err) < 0)
        return -1;
    workspace_hash_finish(spool->hash, hash);
    *size_bytes = lseek(spool->fd, 0, SEEK_END);
    if (*size_bytes < 0)
        return error_set_errno(err, "look at the copy of the project");
    *fd = spool->fd;
    spool->fd = -1;
    return 0;
}

void spool_clear(struct spool *spool) {
    tar_freep(&spool->tar);
    workspace_hash_freep(&spool->hash);
    file_closep(&spool->root_fd);
    file_closep(&spool->fd);
}
