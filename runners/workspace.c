#include "runners/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/tar.h"
#include "gate/base/text.h"

#define FOLDER_MODE 0777u /* the image's user, whoever that is, may write in the workspace */
#define FILE_MODE   0666u /* added to the file's own mode, for the same reason */
#define LINK_LIMIT  4096  /* bytes of a link's target */
#define HASH_STEP   65536 /* bytes */

static int add_parents(struct tar *tar, const char *name, struct string_list *made,
                       struct error *err) {
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        _cleanup_(free_pointer) char *folder = string_dup_length(name, (size_t)(slash - name), err);
        if (folder == NULL)
            return -1;
        /* names are sorted: the folder is among those made for the name before, or new */
        bool there = false;
        for (size_t i = made->count; i > 0 && !there; i--)
            there = strcmp(made->items[i - 1], folder) == 0;
        if (there)
            continue;
        if (string_list_add(made, folder, err) < 0 ||
            tar_add_folder(tar, folder, FOLDER_MODE, err) < 0)
            return -1;
    }
    return 0;
}

static int add_file(struct tar *tar, int root_fd, const char *name, const char *entry,
                    size_t *files, struct error *err) {
    struct stat status;
    if (fstatat(root_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : error_set_errno(err, "look at %s", name);
    if (S_ISLNK(status.st_mode)) {
        char target[LINK_LIMIT + 1];
        ssize_t length = readlinkat(root_fd, name, target, LINK_LIMIT);
        if (length < 0)
            return error_set_errno(err, "read link %s", name);
        target[length] = '\0';
        return tar_add_link(tar, entry, target, err);
    }
    if (!S_ISREG(status.st_mode))
        return 0;
    _cleanup_(file_closep) int fd =
        openat(root_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : error_set_errno(err, "open %s", name);
    if (fstat(fd, &status) < 0)
        return error_set_errno(err, "look at %s", name);
    (*files)++;
    return tar_add_file(tar, entry, (status.st_mode & 0777u) | FILE_MODE, fd, status.st_size, err);
}

static int write_tar(const char *root, const struct string_list *files, struct workspace *out,
                     struct error *err) {
    _cleanup_(tar_freep) struct tar *tar = tar_new(out->fd, err);
    if (tar == NULL || tar_add_folder(tar, "workspace", FOLDER_MODE, err) < 0)
        return -1;
    _cleanup_(file_closep) int root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0)
        return error_set_errno(err, "open %s", root);
    _cleanup_(string_list_clear) struct string_list made = {0};
    if (string_list_add(&made, "workspace", err) < 0)
        return -1;
    for (size_t i = 0; i < files->count; i++) {
        _cleanup_(free_pointer) char *entry = string_format(err, "workspace/%s", files->items[i]);
        if (entry == NULL || add_parents(tar, entry, &made, err) < 0 ||
            add_file(tar, root_fd, files->items[i], entry, &out->files, err) < 0)
            return -1;
    }
    return tar_finish(tar, err);
}

static int hash_tar(struct workspace *out, struct error *err) {
    _cleanup_(hash_freep) struct hash *hash = hash_new(err);
    if (hash == NULL)
        return -1;
    char step[HASH_STEP];
    for (;;) {
        ssize_t got = pread(out->fd, step, sizeof step, out->size_bytes);
        if (got < 0)
            return error_set_errno(err, "read the workspace's copy");
        if (got == 0)
            break;
        hash_update(hash, step, (size_t)got);
        out->size_bytes += got;
    }
    hash_finish_hex(hash, out->hash);
    return 0;
}

int workspace_make(const char *root, const struct string_list *files, struct workspace *out,
                   struct error *err) {
    const char *folder = getenv("TMPDIR");
    *out = (struct workspace){.fd = open(folder != NULL && *folder != '\0' ? folder : "/tmp",
                                         O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
    if (out->fd < 0) {
        char name[] = "/tmp/pingate-XXXXXX"; /* a file system without O_TMPFILE */
        out->fd = mkostemp(name, O_CLOEXEC);
        if (out->fd < 0)
            return error_set_errno(err, "make a temporary file for the workspace's copy");
        unlink(name);
    }
    if (write_tar(root, files, out, err) < 0 || hash_tar(out, err) < 0) {
        workspace_clear(out);
        return error_wrap(err, "copy the workspace");
    }
    return 0;
}

void workspace_clear(struct workspace *workspace) {
    if (workspace->fd > 0)
        close(workspace->fd);
    *workspace = (struct workspace){.fd = -1};
}
