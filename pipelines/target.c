#include "pipelines/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/base/beneath.h"
#include "gate/base/file.h"
#include "gate/pins/diff.h"
#include "pipelines/attributes.h"
#include "pipelines/refusal.h"

#define NAME_TRIES 16 /* random names that exist already before we give up */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
static const char mark[] = ".pingate-";

static char *random_letters(struct error *err) {
    unsigned char bytes[TARGET_RANDOM_LETTERS];
    if (hash_random(bytes, sizeof bytes, err) < 0)
        return NULL;
    char words[TARGET_RANDOM_LETTERS];
    for (size_t i = 0; i < sizeof words; i++)
        words[i] = letters[bytes[i] % (sizeof letters - 1)];
    return string_dup_length(words, sizeof words, err);
}

char *target_temporary_name(const char *file, const char *chosen, struct error *err) {
    const char *name = beneath_name(file);
    size_t room = TARGET_NAME_LIMIT - 1 - (sizeof mark - 1) - TARGET_RANDOM_LETTERS;
    size_t length = strlen(name);
    if (length > room) {
        length = room;
        while (length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80)
            length--;
    }
    return string_format(err, ".%.*s%s%s", (int)length, name, mark, chosen);
}

bool target_is_temporary_of(const char *file, const char *temporary) {
    size_t length = strlen(temporary);
    if (length <= TARGET_RANDOM_LETTERS)
        return false;
    const char *chosen = temporary + length - TARGET_RANDOM_LETTERS;
    if (strspn(chosen, letters) != TARGET_RANDOM_LETTERS)
        return false;
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(free_pointer) char *expected = target_temporary_name(file, chosen, &err);
    return expected != NULL && strcmp(expected, temporary) == 0;
}

char *target_temporary_path(const char *file, const char *temporary, struct error *err) {
    _cleanup_(free_pointer) char *folder = beneath_folder(file, err);
    return folder != NULL ? file_join(folder, temporary, err) : NULL;
}

/* Reads from a descriptor that is open already, so that what was checked is what is read. */
static int read_open(int fd, struct text *out, struct error *err) {
    *out = (struct text){.ceiling = TARGET_FILE_LIMIT};
    char step[65536];
    off_t at = 0;
    for (;;) {
        ssize_t got = pread(fd, step, sizeof step, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, "read");
        if (got == 0)
            return text_check(out, err);
        text_append(out, step, (size_t)got);
        at += got;
    }
}

static int open_file(int root_fd, const char *file, int flags, struct stat *status,
                     struct error *err) {
    int fd = beneath_open(root_fd, file, flags | O_NONBLOCK, 0);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return error_set(err, ERROR_NOT_FOUND, "no such file");
    if (fd < 0 && (errno == ELOOP || errno == EXDEV))
        return error_set(err, ERROR_INPUT, "a link stands in its path");
    if (fd < 0)
        return error_set_errno(err, "open");
    if (fstat(fd, status) < 0) {
        error_set_errno(err, "look at it");
        close(fd);
        return -1;
    }
    if (!S_ISREG(status->st_mode)) {
        close(fd);
        return error_set(err, ERROR_INPUT, "not a regular file");
    }
    return fd;
}

int target_hash(int root_fd, const char *path, char hex[HASH_HEX_SIZE], struct error *err) {
    struct stat status;
    _cleanup_(file_closep) int fd = open_file(root_fd, path, O_RDONLY, &status, err);
    _cleanup_(text_clear) struct text bytes = {0};
    if (fd < 0 || read_open(fd, &bytes, err) < 0 ||
        hash_hex(bytes.bytes, bytes.length, hex, err) < 0)
        return error_wrap(err, "%s", path);
    return 0;
}

static int apply(int fd, const struct target *target, struct text *old_bytes,
                 struct text *new_bytes, struct error *err) {
    if (read_open(fd, old_bytes, err) < 0)
        return -1;
    return edits_apply(text_string(old_bytes), old_bytes->length, &target->edits, new_bytes, err);
}

static int check_open(int root_fd, int fd, struct target *target, bool allow_generated,
                      struct error *err) {
    _cleanup_(text_clear) struct text old_bytes = {0};
    _cleanup_(text_clear) struct text new_bytes = {0};
    if (refusal_of_file(root_fd, fd, target->file, &target->status, err) < 0 ||
        apply(fd, target, &old_bytes, &new_bytes, err) < 0)
        return -1;
    if (!allow_generated && refusal_of_generated(&old_bytes, err) < 0)
        return -1;
    if (hash_hex(old_bytes.bytes, old_bytes.length, target->old_hash, err) < 0 ||
        hash_hex(new_bytes.bytes, new_bytes.length, target->new_hash, err) < 0)
        return -1;
    text_clear(&target->diff);
    return diff_unified(target->file, (struct diff_side){text_string(&old_bytes), old_bytes.length},
                        (struct diff_side){text_string(&new_bytes), new_bytes.length},
                        &target->diff, err);
}

static int check_created(int root_fd, struct target *target, struct error *err) {
    if (hash_hex(text_string(&target->content), target->content.length, target->new_hash, err) < 0)
        return -1;
    if (target_hash(root_fd, target->file, target->old_hash, err) == 0)
        return strcmp(target->old_hash, target->new_hash) == 0
                   ? 0
                   : error_set(err, ERROR_CONFLICT,
                               "%s: is to be created, and stands there with other bytes",
                               target->file);
    if (err->kind != ERROR_NOT_FOUND)
        return -1;
    error_clear(err);
    target->old_hash[0] = '\0';
    return 0;
}

int target_check(int root_fd, struct target *target, bool allow_generated, struct error *err) {
    if (target->created)
        return check_created(root_fd, target, err);
    _cleanup_(file_closep) int fd =
        open_file(root_fd, target->file, O_RDONLY, &target->status, err);
    if (fd < 0 || check_open(root_fd, fd, target, allow_generated, err) < 0)
        return error_wrap(err, "%s", target->file);
    return 0;
}

int target_name(int root_fd, struct target *target, struct error *err) {
    for (int i = 0; i < NAME_TRIES; i++) {
        _cleanup_(free_pointer) char *chosen = random_letters(err);
        _cleanup_(free_pointer) char *name =
            chosen != NULL ? target_temporary_name(target->file, chosen, err) : NULL;
        _cleanup_(free_pointer) char *path =
            name != NULL ? target_temporary_path(target->file, name, err) : NULL;
        if (path == NULL)
            return -1;
        _cleanup_(file_closep) int fd = beneath_open(root_fd, path, O_PATH, 0);
        if (fd < 0 && errno == ENOENT) {
            free(target->temporary);
            target->temporary = steal(name);
            return 0;
        }
        if (fd < 0)
            return error_set_errno(err, "%s: look beside it", target->file);
    }
    return error_set(err, ERROR_IO, "%s: found no free name for a temporary file beside it",
                     target->file);
}

static bool same_file(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int still_absent(int root_fd, const struct target *target, struct error *err) {
    _cleanup_(file_closep) int fd = beneath_open(root_fd, target->file, O_PATH, 0);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 && errno != ELOOP)
        return error_set_errno(err, "%s: look whether it is there", target->file);
    return error_set(err, ERROR_CONFLICT,
                     "%s: appeared while it was prepared; nothing was written; run again",
                     target->file);
}

int target_unchanged(int root_fd, const struct target *target, struct error *err) {
    if (target->created)
        return still_absent(root_fd, target, err);
    struct stat status;
    _cleanup_(file_closep) int fd = open_file(root_fd, target->file, O_RDONLY, &status, err);
    if (fd < 0)
        return error_wrap(err, "%s", target->file);
    if (!same_file(&status, &target->status))
        return error_set(err, ERROR_CONFLICT,
                         "%s: changed while it was prepared; nothing was written; run again",
                         target->file);
    return 0;
}

int target_make_folder(int root_fd, const char *path, struct error *err) {
    _cleanup_(free_pointer) char *parent = beneath_folder(path, err);
    if (parent == NULL)
        return -1;
    _cleanup_(file_closep) int parent_fd = beneath_open(root_fd, parent, O_RDONLY | O_DIRECTORY, 0);
    if (parent_fd < 0)
        return error_set_errno(err, "open folder %s", parent);
    if (mkdirat(parent_fd, beneath_name(path), 0777) == 0 && fsync(parent_fd) == 0)
        return 0;
    return errno == EEXIST ? 0 : error_set_errno(err, "make folder %s", path);
}

int target_remove_empty_folder(int root_fd, const char *path, struct error *err) {
    _cleanup_(free_pointer) char *parent = beneath_folder(path, err);
    if (parent == NULL)
        return -1;
    _cleanup_(file_closep) int parent_fd = beneath_open(root_fd, parent, O_RDONLY | O_DIRECTORY, 0);
    if (parent_fd < 0 && errno == ENOENT)
        return 0;
    if (parent_fd < 0)
        return error_set_errno(err, "open folder %s", parent);
    if (unlinkat(parent_fd, beneath_name(path), AT_REMOVEDIR) == 0 || errno == ENOENT ||
        errno == ENOTEMPTY || errno == EBUSY || errno == EEXIST)
        return 0;
    return error_set_errno(err, "remove the empty folder %s", path);
}

int target_remove_folders(int root_fd, const char *file, struct error *err) {
    _cleanup_(free_pointer) char *folder = beneath_folder(file, err);
    _cleanup_(free_pointer) char *above = folder != NULL ? beneath_folder(folder, err) : NULL;
    return above != NULL && target_remove_empty_folder(root_fd, folder, err) == 0
               ? target_remove_empty_folder(root_fd, above, err)
               : -1;
}

static int make_folders(int root_fd, const char *file, struct error *err) {
    _cleanup_(free_pointer) char *folder = beneath_folder(file, err);
    _cleanup_(free_pointer) char *above = folder != NULL ? beneath_folder(folder, err) : NULL;
    return above != NULL && target_make_folder(root_fd, above, err) == 0
               ? target_make_folder(root_fd, folder, err)
               : -1;
}

static int make_temporary(int root_fd, struct target *target, mode_t mode, struct error *err) {
    _cleanup_(free_pointer) char *path =
        target_temporary_path(target->file, target->temporary, err);
    if (path == NULL)
        return -1;
    int fd = beneath_open(root_fd, path, O_WRONLY | O_CREAT | O_EXCL, mode);
    if (fd < 0)
        return error_set_errno(err, "%s: make a temporary file beside it", target->file);
    target->written = true;
    return fd;
}

static int write_created(int root_fd, struct target *target, struct error *err) {
    if (make_folders(root_fd, target->file, err) < 0)
        return -1;
    _cleanup_(file_closep) int fd = make_temporary(root_fd, target, 0644, err);
    if (fd < 0)
        return -1;
    if (file_write_all(fd, text_string(&target->content), target->content.length, err) < 0)
        return error_wrap(err, "%s: write the temporary file beside it", target->file);
    if (fsync(fd) < 0)
        return error_set_errno(err, "%s: write the temporary file beside it", target->file);
    return 0;
}

static int fill_temporary(int from_fd, int to_fd, const struct target *target,
                          const struct text *bytes, struct error *err) {
    if (file_write_all(to_fd, bytes->bytes, bytes->length, err) < 0 ||
        attributes_copy(from_fd, to_fd, &target->status, err) < 0)
        return error_wrap(err, "%s: write the temporary file beside it", target->file);
    if (fsync(to_fd) < 0)
        return error_set_errno(err, "%s: write the temporary file beside it", target->file);
    return 0;
}

int target_write(int root_fd, struct target *target, struct error *err) {
    if (target->created)
        return write_created(root_fd, target, err);
    _cleanup_(text_clear) struct text old_bytes = {0};
    _cleanup_(text_clear) struct text new_bytes = {0};
    struct stat status;
    _cleanup_(file_closep) int from_fd = open_file(root_fd, target->file, O_RDONLY, &status, err);
    if (from_fd < 0 || apply(from_fd, target, &old_bytes, &new_bytes, err) < 0)
        return error_wrap(err, "%s", target->file);
    char hex[HASH_HEX_SIZE];
    if (hash_hex(new_bytes.bytes, new_bytes.length, hex, err) < 0)
        return -1;
    if (strcmp(hex, target->new_hash) != 0 || !same_file(&status, &target->status))
        return error_set(err, ERROR_CONFLICT, "%s: changed while it was read; run again",
                         target->file);
    _cleanup_(file_closep) int to_fd = make_temporary(root_fd, target, 0600, err);
    if (to_fd < 0)
        return -1;
    return fill_temporary(from_fd, to_fd, target, &new_bytes, err);
}

static int open_folder_of(int root_fd, const char *file, struct error *err) {
    _cleanup_(free_pointer) char *folder = beneath_folder(file, err);
    if (folder == NULL)
        return -1;
    int fd = beneath_open(root_fd, folder, O_RDONLY | O_DIRECTORY, 0);
    return fd >= 0 ? fd : error_set_errno(err, "open folder %s", folder);
}

int target_rename(int root_fd, const char *file, const char *temporary, struct error *err) {
    _cleanup_(file_closep) int folder_fd = open_folder_of(root_fd, file, err);
    if (folder_fd < 0)
        return -1;
    if (renameat(folder_fd, temporary, folder_fd, beneath_name(file)) < 0)
        return error_set_errno(err, "put the new %s in place", file);
    return 0;
}

int target_remove_temporary(int root_fd, const char *file, const char *temporary,
                            struct error *err) {
    _cleanup_(free_pointer) char *folder = beneath_folder(file, err);
    if (folder == NULL)
        return -1;
    _cleanup_(file_closep) int folder_fd = beneath_open(root_fd, folder, O_RDONLY | O_DIRECTORY, 0);
    if (folder_fd < 0 && errno == ENOENT)
        return 0;
    struct stat status;
    if (folder_fd < 0 || fstatat(folder_fd, temporary, &status, AT_SYMLINK_NOFOLLOW) < 0) {
        if (folder_fd >= 0 && errno == ENOENT)
            return 0;
        return error_set_errno(err, "look for %s beside %s", temporary, file);
    }
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_CONFLICT,
                         "%s beside %s is no file of ours; look at it and remove it", temporary,
                         file);
    if (unlinkat(folder_fd, temporary, 0) < 0)
        return error_set_errno(err, "remove %s beside %s", temporary, file);
    return 0;
}

int target_sync_folder(int root_fd, const char *folder, struct error *err) {
    _cleanup_(file_closep) int fd = beneath_open(root_fd, folder, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0 && errno == ENOENT)
        return 0; /* removed with all in it since */
    if (fd < 0 || fsync(fd) < 0)
        return error_set_errno(err, "write folder %s to the disk", folder);
    return 0;
}

void target_clear(struct target *target) {
    free(target->file);
    free(target->temporary);
    edit_list_clear(&target->edits);
    text_clear(&target->content);
    text_clear(&target->diff);
    *target = (struct target){0};
}

void target_list_clear(struct target_list *targets) {
    for (size_t i = 0; i < targets->count; i++)
        target_clear(&targets->items[i]);
    free(targets->items);
    *targets = (struct target_list){0};
}
