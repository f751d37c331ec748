#include "gate/base/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/text.h"

#define LINKS_LIMIT 40 /* links that one path may pass, as the kernel has it */

bool beneath_path_valid(const char *path) {
    if (path[0] == '\0' || strlen(path) > BENEATH_PATH_LIMIT)
        return false;
    for (const char *name = path;;) {
        size_t length = strcspn(name, "/");
        if (length == 0 || (length == 1 && name[0] == '.') ||
            (length == 2 && name[0] == '.' && name[1] == '.'))
            return false;
        if (name[length] == '\0')
            return true;
        name += length + 1;
    }
}

char *beneath_folder(const char *path, struct error *err) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return string_dup(".", err);
    return string_dup_length(path, (size_t)(slash - path), err);
}

const char *beneath_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* -1 with errno as openat2 has it: a link is told as one, and not as something that is no folder. */
static int refused(int folder_fd, const char *name) {
    struct stat status;
    int why = errno;
    bool link = why == ENOTDIR && fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                S_ISLNK(status.st_mode);
    errno = link ? ELOOP : why;
    return -1;
}

/* For kernels before 5.6, and sandboxes that refuse what they do not know. */
static int open_by_names(int root_fd, const char *path, int flags, mode_t mode) {
    if (strlen(path) > BENEATH_PATH_LIMIT) {
        errno = ENAMETOOLONG;
        return -1;
    }
    char name[BENEATH_PATH_LIMIT + 1];
    _cleanup_(file_closep) int folder_fd = -1;
    for (;;) {
        size_t length = strcspn(path, "/");
        memcpy(name, path, length);
        name[length] = '\0';
        int from_fd = folder_fd >= 0 ? folder_fd : root_fd;
        if (path[length] == '\0')
            return openat(from_fd, name, flags, mode);
        int next_fd = openat(from_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next_fd < 0)
            return refused(from_fd, name);
        file_closep(&folder_fd);
        folder_fd = next_fd;
        path += length + 1;
    }
}

int beneath_open(int root_fd, const char *path, int flags, mode_t mode) {
    flags |= O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
    if (strcmp(path, ".") != 0 && !beneath_path_valid(path)) {
        errno = EXDEV;
        return -1;
    }
    struct open_how how = {.flags = (unsigned)flags,
                           .mode = (flags & O_CREAT) != 0 ? mode : 0,
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    if ((flags & O_PATH) != 0)
        how.flags &= O_PATH | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW; /* openat2 refuses the rest */
    long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof how);
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM && errno != EAGAIN))
        return (int)fd;
    return open_by_names(root_fd, path, flags, mode);
}

/* Takes the last name off; false when there is none. */
static bool drop_name(struct text *real) {
    if (real->length == 0)
        return false;
    const char *slash = memrchr(real->bytes, '/', real->length);
    text_truncate(real, slash != NULL ? (size_t)(slash - real->bytes) : 0);
    return true;
}

/* What the link says, or NULL without an error when the path is none. */
static char *read_link(int root_fd, const char *path, struct error *err) {
    _cleanup_(file_closep) int fd = beneath_open(root_fd, path, O_PATH, 0);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            error_set(err, ERROR_NOT_FOUND, "no such file");
        else
            error_set_errno(err, "open");
        return NULL;
    }
    if (!S_ISLNK(status.st_mode))
        return NULL;
    char words[BENEATH_PATH_LIMIT + 1];
    ssize_t length = readlinkat(fd, "", words, sizeof words);
    if (length < 0) {
        error_set_errno(err, "read the link");
        return NULL;
    }
    return string_dup_length(words, (size_t)length, err);
}

/* Adds one name to `real`. out: what its link says, when it is one; `real` is then without the name. */
static int add_name(int root_fd, struct text *real, const char *name, char **link,
                    struct error *err) {
    *link = NULL;
    if (name[0] == '\0' || strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0)
        return drop_name(real)
                   ? 0
                   : error_set(err, ERROR_INPUT, "leads out of the tree, where nothing is written");
    size_t before = real->length;
    if (before > 0)
        text_add_char(real, '/');
    text_add(real, name);
    if (text_check(real, err) < 0)
        return -1;
    if (real->length > BENEATH_PATH_LIMIT)
        return error_set(err, ERROR_INPUT, "the path is longer than %d bytes", BENEATH_PATH_LIMIT);
    *link = read_link(root_fd, real->bytes, err);
    if (*link == NULL)
        return err->kind == ERROR_NONE ? 0 : -1;
    text_truncate(real, before);
    return 0;
}

static int resolve_names(int root_fd, char **pending, struct text *real, struct error *err) {
    int links = 0;
    const char *rest = *pending;
    for (;;) {
        if (rest[0] == '/')
            return error_set(err, ERROR_INPUT,
                             "an absolute link leads out of the tree, where nothing is written");
        size_t length = strcspn(rest, "/");
        _cleanup_(free_pointer) char *name = string_dup_length(rest, length, err);
        _cleanup_(free_pointer) char *link = NULL;
        if (name == NULL || add_name(root_fd, real, name, &link, err) < 0)
            return -1;
        rest += length + strspn(rest + length, "/");
        if (link != NULL) {
            if (++links > LINKS_LIMIT)
                return error_set(err, ERROR_INPUT, "passes more than %d links", LINKS_LIMIT);
            char *joined = string_format(err, "%s%s%s", link, *rest != '\0' ? "/" : "", rest);
            if (joined == NULL)
                return -1;
            free_pointer(pending);
            *pending = joined;
            rest = joined;
        }
        if (*rest == '\0')
            return 0;
    }
}

int beneath_resolve(int root_fd, const char *path, char **real, struct error *err) {
    _cleanup_(text_clear) struct text so_far = {0};
    _cleanup_(free_pointer) char *pending = string_dup(path, err);
    if (pending == NULL)
        return -1;
    error_clear(err); /* read_link tells "no link" from "failed" by it */
    if (resolve_names(root_fd, &pending, &so_far, err) < 0)
        return error_wrap(err, "%s", path);
    if (so_far.length == 0)
        return error_set(err, ERROR_INPUT, "%s: not a file", path);
    *real = text_steal(&so_far, err);
    return *real != NULL ? 0 : -1;
}
