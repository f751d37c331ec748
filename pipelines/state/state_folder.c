/* State in a folder. The lock is on the folder itself: no file stays behind, and the kernel drops it when its holder dies. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/beneath.h"
#include "gate/base/clock.h"
#include "gate/base/file.h"
#include "pipelines/state/state_parts.h"

#define LOCK_WAIT_MS   30000 /* the holder reads and writes one file: longer, and it hangs */
#define LOCK_STEP_MS   50
#define TEMPORARY_NAME ".state.new" /* only the holder of the lock writes it */
#define IGNORE_NAME    ".gitignore"

/* Below the root, and through no link that the project may have brought along. */
static int open_beneath(const struct state *state, bool make, struct error *err) {
    _cleanup_(file_closep) int root_fd = open(state->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0)
        return error_set_errno(err, "open %s", state->root);
    _cleanup_(free_pointer) char *path = string_dup(state->folder, err);
    if (path == NULL)
        return -1;
    for (char *slash = path; make && slash != NULL;) {
        slash = strchr(slash, '/');
        if (slash != NULL)
            *slash = '\0';
        _cleanup_(free_pointer) char *parent = beneath_folder(path, err);
        if (parent == NULL)
            return -1;
        _cleanup_(file_closep) int fd = beneath_open(root_fd, parent, O_RDONLY | O_DIRECTORY, 0);
        if (fd < 0 || (mkdirat(fd, beneath_name(path), 0777) < 0 && errno != EEXIST))
            return error_set_errno(err, "make folder %s", path);
        if (slash != NULL)
            *slash++ = '/';
    }
    int fd = beneath_open(root_fd, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, ERROR_NOT_FOUND, "no such folder");
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
        return error_set(err, ERROR_INPUT,
                         "it is no folder, or behind a link: state is not written through links "
                         "that stand in the project; remove it, or name a folder with --state");
    return fd >= 0 ? fd : error_set_errno(err, "open");
}

static int open_folder(const struct state *state, bool make, struct error *err) {
    if (state->beneath)
        return open_beneath(state, make, err);
    if (make && file_make_folders(state->folder, err) < 0)
        return -1;
    int fd = open(state->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, ERROR_NOT_FOUND, "no such folder");
    return fd >= 0 ? fd : error_set_errno(err, "open");
}

static int take_lock(const struct state *state, int folder_fd, struct error *err) {
    int64_t deadline = clock_monotonic_ms() + LOCK_WAIT_MS;
    while (flock(folder_fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_set_errno(err, "lock (its file system must know locks of folders)");
        if (clock_monotonic_ms() > deadline)
            return error_set(err, ERROR_CONFLICT,
                             "another pingate held its lock for %d s; is one hanging?",
                             LOCK_WAIT_MS / 1000);
        struct pollfd watched = {.fd = cancel_fd(state->cancel), .events = POLLIN};
        poll(&watched, 1, LOCK_STEP_MS);
        if (cancel_check(state->cancel, err) < 0)
            return -1;
    }
    return 0;
}

/* out: a temporary file of ours, whole and on the disk */
static int write_whole(int folder_fd, const char *name, const void *bytes, size_t length,
                       struct error *err) {
    if (unlinkat(folder_fd, name, 0) < 0 && errno != ENOENT) /* what a killed run left */
        return error_set_errno(err, "remove %s", name);
    _cleanup_(file_closep) int fd =
        openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0)
        return error_set_errno(err, "make %s", name);
    if (file_write_all(fd, bytes, length, err) < 0)
        return error_wrap(err, "%s", name);
    return fsync(fd) == 0 ? 0 : error_set_errno(err, "write %s", name);
}

static int replace(int folder_fd, const char *name, const struct text *bytes, struct error *err) {
    if (write_whole(folder_fd, TEMPORARY_NAME, text_string(bytes), bytes->length, err) < 0) {
        unlinkat(folder_fd, TEMPORARY_NAME, 0);
        return -1;
    }
    if (renameat(folder_fd, TEMPORARY_NAME, folder_fd, name) < 0 || fsync(folder_fd) < 0)
        return error_set_errno(err, "replace %s", name);
    return 0;
}

/* So that a commit of everything takes it not along. In a folder that the caller named, that is the caller's matter. */
static int ignore_itself(const struct state *state, int folder_fd, struct error *err) {
    static const char everything[] = "*\n";
    if (!state->beneath || faccessat(folder_fd, IGNORE_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    struct text bytes = {0};
    text_add(&bytes, everything);
    int result = text_check(&bytes, err) < 0 ? -1 : replace(folder_fd, IGNORE_NAME, &bytes, err);
    text_clear(&bytes);
    return result;
}

/* "sightings.jsonl.damaged-20261125T105300Z" beside it; a number behind where that is taken. */
static int keep_aside(const struct state *state, int folder_fd, const char *name, char **aside,
                      struct error *err) {
    char when[CLOCK_RFC3339_SIZE];
    clock_rfc3339(clock_now_ms(), when);
    char compact[CLOCK_RFC3339_SIZE];
    size_t length = 0;
    for (const char *at = when; *at != '\0'; at++)
        if (*at != '-' && *at != ':')
            compact[length++] = *at;
    compact[length] = '\0';
    for (int number = 0; number < 100; number++) {
        _cleanup_(free_pointer) char *other =
            number == 0 ? string_format(err, "%s.damaged-%s", name, compact)
                        : string_format(err, "%s.damaged-%s-%d", name, compact, number);
        if (other == NULL)
            return -1;
        if (linkat(folder_fd, name, folder_fd, other, 0) == 0 ||
            (errno != EEXIST &&
             renameat2(folder_fd, name, folder_fd, other, RENAME_NOREPLACE) == 0)) {
            *aside = file_join(state->folder, other, err);
            return *aside != NULL ? 0 : -1;
        }
        if (errno != EEXIST)
            break;
    }
    return error_set_errno(err, "keep the damaged %s aside", name);
}

static int read_file(int folder_fd, const struct state_file *file, struct text *bytes, bool *absent,
                     struct error *err) {
    *absent = false;
    struct stat status;
    if (fstatat(folder_fd, file->name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(status.st_mode))
        return error_set(err, ERROR_INPUT, "%s is a link; remove it", file->name);
    if (file_read_at(folder_fd, file->name, file->limit, bytes, err) == 0)
        return 0;
    if (err->kind != ERROR_NOT_FOUND)
        return -1;
    error_clear(err);
    *absent = true;
    return 0;
}

static int read_state(struct state *state, const struct state_file *file, struct text *bytes,
                      bool *absent, struct error *err) {
    _cleanup_(file_closep) int folder_fd = open_folder(state, false, err);
    if (folder_fd < 0) {
        if (err->kind != ERROR_NOT_FOUND)
            return -1;
        error_clear(err);
        return 0;
    }
    return read_file(folder_fd, file, bytes, absent, err);
}

static int update_state(struct state *state, const struct state_file *file, state_merge *merge,
                        void *context, char **aside, struct error *err) {
    _cleanup_(file_closep) int folder_fd = open_folder(state, true, err);
    if (folder_fd < 0 || take_lock(state, folder_fd, err) < 0)
        return -1;
    _cleanup_(text_clear) struct text old = {0};
    _cleanup_(text_clear) struct text new = {.ceiling = file->limit};
    bool absent;
    bool damaged = false;
    if (read_file(folder_fd, file, &old, &absent, err) < 0 ||
        merge(context, absent ? NULL : &old, &new, &damaged, err) < 0)
        return -1;
    if (new.length == 0)
        return 0;
    if (damaged && keep_aside(state, folder_fd, file->name, aside, err) < 0)
        return -1;
    if (ignore_itself(state, folder_fd, err) < 0)
        return -1;
    return replace(folder_fd, file->name, &new, err);
}

const struct state_kind state_folder = {
    .name = "folder",
    .read = read_state,
    .update = update_state,
};
