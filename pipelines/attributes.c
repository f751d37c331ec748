#include "pipelines/attributes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "gate/base/text.h"

/* bytes of all names, and of one value: XATTR_LIST_MAX, XATTR_SIZE_MAX */
#define ATTRIBUTES_LIMIT 65536

/* Must be kept, or the file is not written. The others (security labels, "trusted") belong to the system, which labels new
 * files itself; signatures over the old bytes among them would be wrong for the new. */
static bool belongs_to_user(const char *name) {
    return string_has_prefix(name, "user.") || string_has_prefix(name, "system.");
}

static bool worth_a_try(const char *name) {
    return string_has_prefix(name, "trusted.") || strcmp(name, "security.selinux") == 0;
}

static int list_names(int fd, char **names, size_t *length, struct error *err) {
    *names = malloc(ATTRIBUTES_LIMIT);
    if (*names == NULL)
        return error_no_memory(err);
    ssize_t got = flistxattr(fd, *names, ATTRIBUTES_LIMIT);
    if (got < 0 && errno != ENOTSUP)
        return error_set_errno(err, "list the extended attributes");
    *length = got > 0 ? (size_t)got : 0;
    return 0;
}

static bool has_name(const char *names, size_t length, const char *name) {
    for (const char *at = names; at < names + length; at += strlen(at) + 1)
        if (strcmp(at, name) == 0)
            return true;
    return false;
}

static int copy_one(int from_fd, int to_fd, const char *name, struct error *err) {
    bool needed = belongs_to_user(name);
    if (!needed && !worth_a_try(name))
        return 0;
    _cleanup_(free_pointer) char *value = malloc(ATTRIBUTES_LIMIT);
    if (value == NULL)
        return error_no_memory(err);
    ssize_t length = fgetxattr(from_fd, name, value, ATTRIBUTES_LIMIT);
    if (length < 0 || fsetxattr(to_fd, name, value, (size_t)length, 0) < 0)
        if (needed)
            return error_set_errno(err, "keep the extended attribute %s", name);
    return 0;
}

static int copy_all(int from_fd, int to_fd, struct error *err) {
    _cleanup_(free_pointer) char *names = NULL;
    _cleanup_(free_pointer) char *inherited = NULL;
    size_t length = 0;
    size_t inherited_length = 0;
    if (list_names(from_fd, &names, &length, err) < 0 ||
        list_names(to_fd, &inherited, &inherited_length, err) < 0)
        return -1;
    for (const char *name = names; name < names + length; name += strlen(name) + 1)
        if (copy_one(from_fd, to_fd, name, err) < 0)
            return -1;
    /* A folder with a default ACL gave one to the new file. */
    for (const char *name = inherited; name < inherited + inherited_length;
         name += strlen(name) + 1)
        if (belongs_to_user(name) && !has_name(names, length, name) &&
            fremovexattr(to_fd, name) < 0)
            return error_set_errno(err, "take off the inherited attribute %s", name);
    return 0;
}

int attributes_copy(int from_fd, int to_fd, const struct stat *status, struct error *err) {
    struct stat now;
    if (fstat(to_fd, &now) < 0)
        return error_set_errno(err, "look at it");
    bool owner_differs = now.st_uid != status->st_uid || now.st_gid != status->st_gid;
    if (owner_differs && fchown(to_fd, status->st_uid, status->st_gid) < 0) {
        if (errno != EPERM)
            return error_set_errno(err, "keep the owner");
        return error_set(err, ERROR_INPUT,
                         "cannot keep the owner (user %u, group %u); run as that user or as root",
                         (unsigned)status->st_uid, (unsigned)status->st_gid);
    }
    if (copy_all(from_fd, to_fd, err) < 0)
        return -1;
    /* Last, since a change of owner or ACL changes the mode. */
    if (fchmod(to_fd, status->st_mode & 07777) < 0 || fstat(to_fd, &now) < 0)
        return error_set_errno(err, "keep the mode");
    if (now.st_mode != status->st_mode)
        return error_set(err, ERROR_INPUT, "cannot keep the mode %o: it became %o",
                         status->st_mode & 07777, now.st_mode & 07777);
    return 0;
}
