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
#include "runners/workspace_hash.h"

#define FOLDER_MODE 0777u /* the image's user, whoever that is, may write in the workspace */
#define FILE_MODE   0666u /* added to the file's own mode, for the same reason */
#define LINK_LIMIT  4096  /* bytes of a link's target */

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

/* What copies the files. */
struct copy {
    struct tar *tar;
    struct workspace_hash *hash;
    int root_fd;
    size_t files;
};

static void copy_clear(struct copy *copy) {
    tar_freep(&copy->tar);
    workspace_hash_freep(&copy->hash);
    file_closep(&copy->root_fd);
}

static int add_file(struct copy *copy, const char *name, const char *entry, struct error *err) {
    struct stat status;
    if (fstatat(copy->root_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : error_set_errno(err, "look at %s", name);
    if (S_ISLNK(status.st_mode)) {
        char target[LINK_LIMIT + 1];
        ssize_t length = readlinkat(copy->root_fd, name, target, LINK_LIMIT);
        if (length < 0)
            return error_set_errno(err, "read link %s", name);
        target[length] = '\0';
        workspace_hash_link(copy->hash, name, target);
        return tar_add_link(copy->tar, entry, target, err);
    }
    if (!S_ISREG(status.st_mode))
        return 0;
    _cleanup_(file_closep) int fd =
        openat(copy->root_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : error_set_errno(err, "open %s", name);
    if (fstat(fd, &status) < 0)
        return error_set_errno(err, "look at %s", name);
    copy->files++;
    unsigned int mode = (status.st_mode & 0777u) | FILE_MODE;
    return workspace_hash_file(copy->hash, name, mode, status.st_size, err) == 0
               ? tar_add_file(copy->tar, entry, mode, fd, status.st_size, err)
               : -1;
}

static int begin_copy(const char *root, const struct pin_list *pins, int fd, struct copy *copy,
                      struct error *err) {
    copy->tar = tar_new(fd, err);
    copy->hash = copy->tar != NULL ? workspace_hash_new(pins, err) : NULL;
    if (copy->hash == NULL || tar_add_folder(copy->tar, "workspace", FOLDER_MODE, err) < 0)
        return -1;
    tar_show(copy->tar, workspace_hash_bytes, copy->hash);
    copy->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return copy->root_fd >= 0 ? 0 : error_set_errno(err, "open %s", root);
}

static int write_tar(const char *root, const struct string_list *files, const struct pin_list *pins,
                     struct workspace *out, struct error *err) {
    _cleanup_(copy_clear) struct copy copy = {.root_fd = -1};
    _cleanup_(string_list_clear) struct string_list made = {0};
    if (begin_copy(root, pins, out->fd, &copy, err) < 0 ||
        string_list_add(&made, "workspace", err) < 0)
        return -1;
    for (size_t i = 0; i < files->count; i++) {
        _cleanup_(free_pointer) char *entry = string_format(err, "workspace/%s", files->items[i]);
        if (entry == NULL || add_parents(copy.tar, entry, &made, err) < 0 ||
            add_file(&copy, files->items[i], entry, err) < 0)
            return -1;
    }
    if (tar_finish(copy.tar, err) < 0)
        return -1;
    workspace_hash_finish(copy.hash, out->hash);
    out->files = copy.files;
    out->size_bytes = lseek(out->fd, 0, SEEK_END);
    return out->size_bytes >= 0 ? 0 : error_set_errno(err, "look at the workspace's copy");
}

int workspace_make(const char *root, const struct string_list *files, const struct pin_list *pins,
                   struct workspace *out, struct error *err) {
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
    if (write_tar(root, files, pins, out, err) < 0) {
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
