#include "pipelines/refusal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/base/beneath.h"
#include "gate/base/file.h"
#include "gate/base/process.h"

/* lines from the top in which a generator may name itself, behind a licence */
#define GENERATED_LINES 20
#define GENERATED_BYTES 8192 /* bytes of these lines that are looked at */

#define GIT_TIMEOUT_MS  60000 /* for git to read its attributes; a large tree on a slow disk */

static const char *const generated_words[] = {"DO NOT EDIT", "Code generated"};

/* A file that is bound over another can be written but not replaced: the rename gives EBUSY. */
static int refuse_mount(int folder_fd, int fd, const char *name, struct error *err) {
    struct stat folder;
    struct statx file;
    if (fstat(folder_fd, &folder) < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_INO, &file) < 0)
        return error_set_errno(err, "look at %s", name);
    bool mount_root = (file.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_set_errno(err, "look at %s", name);
    if (mount_root || folder.st_dev != status.st_dev)
        return error_set(err, ERROR_INPUT,
                         "it is a mount point (a bind mount of one file), which cannot be "
                         "replaced; mount its folder instead");
    return 0;
}

/* In a folder with the sticky bit only the owner of the file or the folder may replace it. */
static int refuse_folder(int folder_fd, const struct stat *file, struct error *err) {
    struct stat folder;
    if (fstat(folder_fd, &folder) < 0)
        return error_set_errno(err, "look at its folder");
    uid_t user = geteuid();
    if (user != 0 && (folder.st_mode & S_ISVTX) != 0 && folder.st_uid != user &&
        file->st_uid != user)
        return error_set(err, ERROR_INPUT,
                         "its folder has the sticky bit, and only its owner may replace it there");
    if (faccessat(folder_fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
        return errno == EACCES || errno == EROFS
                   ? error_set(err, ERROR_INPUT, "its folder must be writable: %s", strerror(errno))
                   : error_set_errno(err, "look at its folder");
    return 0;
}

/* Opening for writing asks the kernel about all else: rights by ACL, the immutable flag, a read-only file system. */
static int refuse_unwritable(int root_fd, const char *file, const struct stat *status,
                             struct error *err) {
    if ((status->st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0)
        return error_set(err, ERROR_INPUT, "nobody may write it (mode %03o); chmod u+w it first",
                         status->st_mode & 0777);
    _cleanup_(file_closep) int fd = beneath_open(root_fd, file, O_WRONLY | O_NONBLOCK, 0);
    if (fd >= 0)
        return 0;
    if (errno == EROFS)
        return error_set(err, ERROR_INPUT, "the file system is read-only");
    if (errno == EACCES || errno == EPERM)
        return error_set(err, ERROR_INPUT, "no right to write it: %s", strerror(errno));
    return error_set_errno(err, "open for writing");
}

int refusal_of_file(int root_fd, int fd, const char *file, const struct stat *status,
                    struct error *err) {
    if (status->st_nlink > 1)
        return error_set(err, ERROR_INPUT,
                         "has %ju names (hard links), and replacing it would cut them apart",
                         (uintmax_t)status->st_nlink);
    _cleanup_(free_pointer) char *folder = beneath_folder(file, err);
    if (folder == NULL)
        return -1;
    _cleanup_(file_closep) int folder_fd = beneath_open(root_fd, folder, O_RDONLY | O_DIRECTORY, 0);
    if (folder_fd < 0)
        return error_set_errno(err, "open its folder");
    if (refuse_unwritable(root_fd, file, status, err) < 0 ||
        refuse_mount(folder_fd, fd, file, err) < 0)
        return -1;
    return refuse_folder(folder_fd, status, err);
}

int refusal_of_generated(const struct text *bytes, struct error *err) {
    size_t left = bytes->length < GENERATED_BYTES ? bytes->length : GENERATED_BYTES;
    const char *at = bytes->bytes;
    for (int line = 1; line <= GENERATED_LINES && left > 0; line++) {
        const char *feed = memchr(at, '\n', left);
        size_t length = feed != NULL ? (size_t)(feed - at) + 1 : left;
        for (size_t i = 0; i < sizeof generated_words / sizeof *generated_words; i++)
            if (memmem(at, length, generated_words[i], strlen(generated_words[i])) != NULL)
                return error_set(err, ERROR_INPUT,
                                 "line %d says \"%s\": a generator owns the file; change what it "
                                 "is made from, or allow generated files",
                                 line, generated_words[i]);
        at += length;
        left -= length;
    }
    return 0;
}

/* Looks for .git in the root and above it, as git does. */
static bool in_git(const char *root) {
    _cleanup_(free_pointer) char *folder = realpath(root, NULL);
    _cleanup_(error_clear) struct error err = {0};
    while (folder != NULL) {
        _cleanup_(free_pointer) char *inside = file_join(folder, ".git", &err);
        if (inside == NULL || file_exists(inside))
            return true; /* git itself will tell what is wrong */
        char *slash = strrchr(folder, '/');
        if (slash == NULL || slash[1] == '\0')
            return false;
        slash[slash == folder ? 1 : 0] = '\0';
    }
    return false;
}

static int ask_git(const char *root, const struct text *names, struct process_result *result,
                   struct error *err) {
    const char *const argv[] = {
        "git", "-C", root, "check-attr", "-z", "--stdin", "linguist-generated", NULL};
    struct process_options options = {.argv = argv,
                                      .input = names->bytes,
                                      .input_length = names->length,
                                      .timeout_ms = GIT_TIMEOUT_MS};
    if (process_run(&options, result, err) < 0)
        return error_wrap(err, "git check-attr");
    if (result->exit_status == 0)
        return 0;
    _cleanup_(free_pointer) char *why = process_result_why(result, err);
    if (why == NULL)
        return -1;
    return error_set(err, ERROR_IO, "git check-attr: %s", why);
}

/* Triples of name, attribute and value, each with a NUL behind it. */
static int read_answer(const struct text *answer, struct error *err) {
    const char *at = text_string(answer);
    const char *end = at + answer->length;
    while (at < end) {
        const char *name = at;
        const char *value = name + strlen(name) + 1;
        value = value < end ? value + strlen(value) + 1 : end;
        if (value >= end)
            return error_set(err, ERROR_IO, "git check-attr: an answer that makes no sense");
        if (strcmp(value, "set") == 0 || strcmp(value, "true") == 0)
            return error_set(err, ERROR_INPUT,
                             "%s: .gitattributes say linguist-generated: a generator owns the "
                             "file; change what it is made from, or allow generated files",
                             name);
        at = value + strlen(value) + 1;
    }
    return 0;
}

int refusal_of_attributes(const char *root, const struct string_list *files, struct error *err) {
    if (files->count == 0 || !in_git(root))
        return 0;
    _cleanup_(text_clear) struct text names = {0};
    for (size_t i = 0; i < files->count; i++)
        text_append(&names, files->items[i], strlen(files->items[i]) + 1);
    _cleanup_(process_result_clear) struct process_result result = {0};
    if (text_check(&names, err) < 0 || ask_git(root, &names, &result, err) < 0)
        return -1;
    return read_answer(&result.output, err);
}
