#include "gate/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP        65536u /* bytes a read */
#define TREE_DESCRIPTORS 16     /* open folders while a tree is removed */

void file_closep(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int file_read(const char *path, size_t limit, struct text *out, struct error *err) {
    return file_read_at(AT_FDCWD, path, limit, out, err);
}

static int refuse_open(const char *path, struct error *err) {
    if (errno == ENOENT || errno == ENOTDIR)
        return error_set(err, ERROR_NOT_FOUND, "%s: no such file", path);
    return error_set_errno(err, "open %s", path);
}

int file_read_at(int folder_fd, const char *path, size_t limit, struct text *out,
                 struct error *err) {
    _cleanup_(file_closep) int fd =
        openat(folder_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return refuse_open(path, err);
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_set_errno(err, "look at %s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_INPUT, "%s: not a regular file", path);
    if ((uint64_t)status.st_size > limit)
        return error_set(err, ERROR_LIMIT, "%s: larger than %zu bytes", path, limit);
    *out = (struct text){.ceiling = limit < SIZE_MAX - READ_STEP ? limit + READ_STEP : SIZE_MAX};
    char step[READ_STEP];
    for (;;) {
        ssize_t got = read(fd, step, sizeof step);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            error_set_errno(err, "read %s", path);
            text_clear(out);
            return -1;
        }
        if (got == 0)
            break;
        text_append(out, step, (size_t)got);
        if (out->length > limit) {
            text_clear(out);
            return error_set(err, ERROR_LIMIT, "%s: larger than %zu bytes", path, limit);
        }
    }
    if (text_check(out, err) < 0) {
        text_clear(out);
        return -1;
    }
    return 0;
}

int file_write_all(int fd, const void *bytes, size_t length, struct error *err) {
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = write(fd, at, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return error_set_errno(err, "write");
        at += written;
        length -= (size_t)written;
    }
    return 0;
}

static int write_and_rename(int fd, const char *temporary, const char *path, const void *bytes,
                            size_t length, struct error *err) {
    if (file_write_all(fd, bytes, length, err) < 0)
        return error_wrap(err, "%s", path);
    if (fchmod(fd, 0644) < 0 || fsync(fd) < 0)
        return error_set_errno(err, "write %s", path);
    if (rename(temporary, path) < 0)
        return error_set_errno(err, "replace %s", path);
    return 0;
}

int file_replace(const char *path, const void *bytes, size_t length, struct error *err) {
    _cleanup_(free_pointer) char *temporary = string_format(err, "%s.XXXXXX", path);
    if (temporary == NULL)
        return -1;
    _cleanup_(file_closep) int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, "make a temporary file beside %s", path);
    if (write_and_rename(fd, temporary, path, bytes, length, err) < 0) {
        unlink(temporary);
        return -1;
    }
    return 0;
}

int file_make_folders(const char *path, struct error *err) {
    _cleanup_(free_pointer) char *partial = string_dup(path, err);
    if (partial == NULL)
        return -1;
    for (char *slash = partial + 1; *partial != '\0'; slash++) {
        if (*slash != '/' && *slash != '\0')
            continue;
        char kept = *slash;
        *slash = '\0';
        if (mkdir(partial, 0777) < 0 && errno != EEXIST)
            return error_set_errno(err, "make folder %s", partial);
        *slash = kept;
        if (kept == '\0')
            break;
    }
    struct stat status;
    if (stat(path, &status) < 0)
        return error_set_errno(err, "look at folder %s", path);
    if (!S_ISDIR(status.st_mode))
        return error_set(err, ERROR_IO, "%s: not a folder", path);
    return 0;
}

char *file_join(const char *folder, const char *name, struct error *err) {
    if (name[0] == '/' || folder[0] == '\0' || strcmp(folder, ".") == 0)
        return string_dup(name, err);
    return string_format(err, "%s%s%s", folder, string_has_suffix(folder, "/") ? "" : "/", name);
}

bool file_exists(const char *path) {
    struct stat status;
    return stat(path, &status) == 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where) {
    (void)status;
    (void)kind;
    (void)where;
    return remove(path) < 0 && errno != ENOENT ? -1 : 0; /* gone already is as good */
}

int file_remove_tree(const char *path, struct error *err) {
    if (nftw(path, remove_one, TREE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return error_set_errno(err, "remove %s", path);
    return 0;
}
