#include "runners/build_context.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/array.h"
#include "gate/base/beneath.h"
#include "gate/base/file.h"
#include "gate/base/tar.h"
#include "runners/dockerignore.h"
#include "runners/spool.h"
#include "runners/workspace_hash.h"

/* A project's own patterns come behind, and may bring them in again. */
static const char always[] = "**/.git\n.pingate\npingate-out\n";

static int resolve(int root_fd, const char *path, const char *what, char **real,
                   struct error *err) {
    if (strcmp(path, ".") == 0)
        return string_copy(".", real, err);
    if (beneath_resolve(root_fd, path, real, err) == 0)
        return 0;
    if (err->kind == ERROR_NOT_FOUND)
        return error_set(err, ERROR_CONFIG, "%s: there is no %s", what, path);
    if (err->kind == ERROR_INPUT)
        return error_set(err, ERROR_CONFIG,
                         "%s: a link in %s leads out of the project, or in circles; only what "
                         "stands in the project is sent to a builder",
                         what, path);
    return -1;
}

static int check_kind(int root_fd, const char *path, bool folder, const char *what,
                      struct error *err) {
    struct stat status;
    if (fstatat(root_fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return error_set_errno(err, "look at %s", path);
    if (folder ? S_ISDIR(status.st_mode) : S_ISREG(status.st_mode))
        return 0;
    return error_set(err, ERROR_CONFIG, "%s: %s is no %s", what, path, folder ? "folder" : "file");
}

int build_context_find(const char *root, const char *folder, const char *dockerfile,
                       char **real_folder, char **real_dockerfile, struct error *err) {
    *real_folder = *real_dockerfile = NULL;
    _cleanup_(file_closep) int root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0)
        return error_set_errno(err, "open %s", root);
    _cleanup_(free_pointer) char *context = NULL;
    _cleanup_(free_pointer) char *file = NULL;
    if (resolve(root_fd, folder, "context", &context, err) < 0 ||
        check_kind(root_fd, context, true, "context", err) < 0)
        return -1;
    _cleanup_(free_pointer) char *path = file_join(context, dockerfile, err);
    if (path == NULL || resolve(root_fd, path, "dockerfile", &file, err) < 0 ||
        check_kind(root_fd, file, false, "dockerfile", err) < 0)
        return -1;
    *real_folder = steal(context);
    *real_dockerfile = steal(file);
    return 0;
}

/* What is being sent. */
struct sending {
    struct spool spool;
    struct dockerignore ignore;
    const struct cancel *cancel;
    int folder_fd;      /* the context */
    const char *folder; /* from the root on */
};

static void sending_clear(struct sending *sending) {
    spool_clear(&sending->spool);
    dockerignore_clear(&sending->ignore);
    file_closep(&sending->folder_fd);
}

/* A file of the context, which may lead elsewhere in the project; false with an empty text where there is none. */
static int read_ignore(const char *root, const struct sending *sending, const char *name,
                       struct text *out, bool *found, struct error *err) {
    _cleanup_(file_closep) int root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_(free_pointer) char *path = file_join(sending->folder, name, err);
    _cleanup_(free_pointer) char *real = NULL;
    *found = false;
    if (path == NULL)
        return -1;
    if (root_fd < 0)
        return error_set_errno(err, "open %s", root);
    if (beneath_resolve(root_fd, path, &real, err) < 0) {
        if (err->kind != ERROR_NOT_FOUND)
            return -1;
        error_clear(err);
        return 0;
    }
    *found = true;
    return file_read_at(root_fd, real, DOCKERIGNORE_LIMIT, out, err) < 0
               ? error_wrap(err, "%s", path)
               : 0;
}

/* Of the Dockerfile's own, and where it has none, of the context. */
static int read_ignores(const char *root, const char *dockerfile, struct sending *sending,
                        struct text *rules, struct error *err) {
    size_t length = strcmp(sending->folder, ".") == 0 ? 0 : strlen(sending->folder) + 1;
    bool inside = length == 0 || (strncmp(dockerfile, sending->folder, length - 1) == 0 &&
                                  dockerfile[length - 1] == '/');
    _cleanup_(free_pointer) char *beside =
        string_format(err, "%s.dockerignore", dockerfile + (inside ? length : 0));
    bool found = false;
    if (beside == NULL ||
        dockerignore_parse(always, sizeof always - 1, &sending->ignore, err) < 0 ||
        (inside && read_ignore(root, sending, beside, rules, &found, err) < 0))
        return -1;
    const char *name = found ? beside : ".dockerignore";
    if (!found && read_ignore(root, sending, name, rules, &found, err) < 0)
        return -1;
    return dockerignore_parse(text_string(rules), rules->length, &sending->ignore, err) < 0
               ? error_wrap(err, "%s", name)
               : 0;
}

static int list_folder(int fd, struct string_list *names, struct error *err) {
    DIR *folder = fdopendir(fd);
    if (folder == NULL) {
        close(fd);
        return error_set_errno(err, "read a folder");
    }
    int result = 0;
    errno = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(folder)) != NULL; errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = string_list_add(names, entry->d_name, err);
    if (result == 0 && errno != 0)
        result = error_set_errno(err, "read a folder");
    closedir(folder);
    string_list_sort(names);
    return result;
}

static int send_folder(struct sending *sending, const char *path, unsigned int depth,
                       struct error *err);

static int send_one(struct sending *sending, const char *path, unsigned int depth,
                    struct error *err) {
    struct stat status;
    if (fstatat(sending->folder_fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : error_set_errno(err, "look at %s", path);
    bool excluded = dockerignore_excludes(&sending->ignore, path);
    _cleanup_(free_pointer) char *name = file_join(sending->folder, path, err);
    if (name == NULL)
        return -1;
    if (!S_ISDIR(status.st_mode))
        return excluded ? 0 : spool_add(&sending->spool, name, path, err);
    if (dockerignore_prunes(&sending->ignore, path))
        return 0;
    unsigned int mode = status.st_mode & 0777u;
    if (!excluded) {
        char words[16];
        snprintf(words, sizeof words, "/%o", mode); /* no link leads to a path like it */
        workspace_hash_link(sending->spool.hash, name, words);
        if (spool_add_folder(&sending->spool, path, mode, err) < 0)
            return -1;
    }
    return send_folder(sending, path, depth + 1, err);
}

/* path: from the context on; "" is the context itself */
static int send_folder(struct sending *sending, const char *path, unsigned int depth,
                       struct error *err) {
    if (depth > BUILD_CONTEXT_DEPTH)
        return error_set(err, ERROR_LIMIT, "%s: more than %u folders in one another", path,
                         BUILD_CONTEXT_DEPTH);
    _cleanup_(string_list_clear) struct string_list names = {0};
    int fd =
        beneath_open(sending->folder_fd, *path != '\0' ? path : ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return errno == ENOENT ? 0
                               : error_set_errno(err,
                                                 "open the folder %s (leave it out in "
                                                 ".dockerignore if no build needs it)",
                                                 path);
    if (list_folder(fd, &names, err) < 0)
        return error_wrap(err, "%s", path);
    for (size_t i = 0; i < names.count; i++) {
        _cleanup_(free_pointer) char *whole = file_join(path, names.items[i], err);
        if (whole == NULL || cancel_check(sending->cancel, err) < 0 ||
            send_one(sending, whole, depth, err) < 0)
            return -1;
    }
    return 0;
}

static int open_folder(const char *root, struct sending *sending, struct error *err) {
    _cleanup_(file_closep) int root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0)
        return error_set_errno(err, "open %s", root);
    sending->folder_fd = beneath_open(root_fd, sending->folder, O_RDONLY | O_DIRECTORY, 0);
    return sending->folder_fd >= 0 ? 0 : error_set_errno(err, "open %s", sending->folder);
}

static int make(const char *root, const char *folder, const char *dockerfile,
                const struct pin_list *pins, const struct cancel *cancel, struct build_context *out,
                struct error *err) {
    _cleanup_(sending_clear) struct sending sending = {
        .spool = {.fd = -1, .root_fd = -1}, .cancel = cancel, .folder_fd = -1, .folder = folder};
    if (string_copy(folder, &out->folder, err) < 0 ||
        string_copy(dockerfile, &out->dockerfile, err) < 0 ||
        open_folder(root, &sending, err) < 0 ||
        read_ignores(root, dockerfile, &sending, &out->ignore, err) < 0 ||
        spool_begin(&sending.spool, root, pins, true, err) < 0 ||
        send_folder(&sending, "", 0, err) < 0)
        return -1;
    out->files = sending.spool.files;
    if (spool_finish(&sending.spool, &out->fd, &out->size_bytes, out->hash, err) < 0)
        return -1;
    out->size_bytes -= SPOOL_END;
    return 0;
}

int build_context_make(const char *root, const char *folder, const char *dockerfile,
                       const struct pin_list *pins, const struct cancel *cancel,
                       struct build_context *out, struct error *err) {
    *out = (struct build_context){.fd = -1};
    if (make(root, folder, dockerfile, pins, cancel, out, err) == 0)
        return 0;
    build_context_clear(out);
    return error_wrap(err, "copy the build context %s", folder);
}

void build_context_clear(struct build_context *context) {
    free(context->folder);
    free(context->dockerfile);
    text_clear(&context->ignore);
    if (context->fd > 0)
        close(context->fd);
    *context = (struct build_context){.fd = -1};
}

static int add_bytes(struct tar *tar, const char *name, const struct text *bytes,
                     struct error *err) {
    _cleanup_(file_closep) int fd = memfd_create("entry", MFD_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, "make a file in memory");
    if (file_write_all(fd, text_string(bytes), bytes->length, err) < 0)
        return -1;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return error_set_errno(err, "read a file in memory");
    return tar_add_file(tar, name, 0644, fd, (int64_t)bytes->length, err);
}

static int read_back(int fd, struct text *out, struct error *err) {
    char bytes[65536];
    if (lseek(fd, 0, SEEK_SET) < 0)
        return error_set_errno(err, "read a file in memory");
    for (;;) {
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got < 0)
            return error_set_errno(err, "read a file in memory");
        if (got == 0)
            return text_check(out, err);
        text_append(out, bytes, (size_t)got);
    }
}

int build_context_tail(const struct build_context *context, const char *name,
                       const struct text *side, bool with_ignore, struct text *out,
                       struct error *err) {
    _cleanup_(file_closep) int fd = memfd_create("tail", MFD_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, "make a file in memory");
    _cleanup_(tar_freep) struct tar *tar = tar_new(fd, err);
    if (tar == NULL || add_bytes(tar, name, side, err) < 0)
        return -1;
    _cleanup_(text_clear) struct text ignore = {0};
    if (with_ignore) {
        text_append(&ignore, text_string(&context->ignore), context->ignore.length);
        text_printf(&ignore, "%s%s\n", context->ignore.length > 0 ? "\n" : "", name);
        if (text_check(&ignore, err) < 0 || add_bytes(tar, ".dockerignore", &ignore, err) < 0)
            return -1;
    }
    return tar_finish(tar, err) < 0 ? -1 : read_back(fd, out, err);
}
