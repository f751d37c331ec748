#include "pipelines/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/beneath.h"
#include "gate/base/file.h"
#include "gate/base/json_read.h"
#include "gate/base/json_write.h"
#include "pipelines/target.h"

#define HOME_FOLDER  ".pingate"
#define LOCAL_FOLDER ".pingate/local"
#define JOURNAL_NAME "journal.json"
#define NEW_NAME     "journal.json.new"
#define IGNORE_NAME  ".gitignore"
#define IGNORE_BYTES "*\n"

#define REMEDY                                                                                     \
    "; look at the tree (git status), remove files named .*.pingate-?????? in it, then remove "    \
    "this file"

void journal_clear(struct journal *journal) {
    for (size_t i = 0; i < journal->count; i++) {
        free(journal->items[i].file);
        free(journal->items[i].temporary);
    }
    free(journal->items);
    *journal = (struct journal){0};
}

static int damaged(struct error *err, const char *why) {
    return error_set(err, ERROR_INPUT, JOURNAL_FILE ": damaged: %s" REMEDY, why);
}

static bool is_hash(const char *words) {
    return strlen(words) == HASH_HEX_SIZE - 1 &&
           strspn(words, "0123456789abcdef") == HASH_HEX_SIZE - 1;
}

bool journal_is_private(const char *file) {
    for (const char *name = file;; name++) {
        size_t length = strcspn(name, "/");
        if ((length == 4 && strncasecmp(name, ".git", 4) == 0) ||
            (length == 8 && strncasecmp(name, HOME_FOLDER, 8) == 0))
            return true;
        name += length;
        if (*name == '\0')
            return false;
    }
}

bool journal_is_ledger(const char *file) {
    static const char digits[] = "0123456789";
    static const char folder[] = HOME_FOLDER "/ledger/";
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
    if (!string_has_prefix(file, folder))
        return false;
    const char *month = file + sizeof folder - 1;
    if (strspn(month, digits) != 4 || month[4] != '-' || strspn(month + 5, digits) != 2 ||
        month[7] != '/')
        return false;
    size_t length = strspn(month + 8, letters);
    return length > 0 && strcmp(month + 8 + length, ".jsonl") == 0;
}

/* old: NULL for a file that is created. */
static int check_place(const struct journal *journal, const char *file, const char *old,
                       struct error *err) {
    if (!beneath_path_valid(file) ||
        (old != NULL ? journal_is_private(file) : !journal_is_ledger(file)))
        return damaged(err, "a path that no promotion writes");
    if (journal->count == 0)
        return 0;
    const struct journal_file *last = &journal->items[journal->count - 1];
    bool last_is_created = last->old_hash[0] == '\0';
    if (last_is_created != (old == NULL) ? last_is_created : strcmp(last->file, file) >= 0)
        return damaged(err, "files are not in ascending order");
    return 0;
}

static int parse_file(json_t *entry, struct journal *journal, struct error *err) {
    const char *file;
    const char *temporary;
    json_t *old;
    const char *new_hash;
    if (json_unpack(entry, "{s:s, s:s, s:o, s:s}", "file", &file, "temporary", &temporary, "old",
                    &old, "new", &new_hash) < 0 ||
        (!json_is_null(old) && !json_is_string(old)))
        return damaged(err, "an entry lacks file, temporary, old or new");
    const char *old_hash = json_string_value(old);
    if (check_place(journal, file, old_hash, err) < 0)
        return -1;
    if (!target_is_temporary_of(file, temporary))
        return damaged(err, "a temporary name that is not ours");
    if ((old_hash != NULL && !is_hash(old_hash)) || !is_hash(new_hash))
        return damaged(err, "a hash is not 64 hex digits");
    struct journal_file *item = array_add(journal, err);
    if (item == NULL)
        return -1;
    snprintf(item->old_hash, sizeof item->old_hash, "%s", old_hash != NULL ? old_hash : "");
    snprintf(item->new_hash, sizeof item->new_hash, "%s", new_hash);
    item->file = string_dup(file, err);
    item->temporary = string_dup(temporary, err);
    return item->file != NULL && item->temporary != NULL ? 0 : -1;
}

static int parse_document(json_t *document, struct journal *out, struct error *err) {
    json_t *version = json_object_get(document, "version");
    if (!json_is_integer(version) || json_integer_value(version) < 1)
        return damaged(err, "no version");
    if (json_integer_value(version) > JOURNAL_VERSION)
        return error_set(err, ERROR_INPUT,
                         JOURNAL_FILE ": written by a newer pingate (version %" JSON_INTEGER_FORMAT
                                      ", this one knows %d); run that one to finish it",
                         json_integer_value(version), JOURNAL_VERSION);
    const char *state = json_string_value(json_object_get(document, "state"));
    if (string_equal(state, "intent"))
        out->state = JOURNAL_INTENT;
    else if (string_equal(state, "decided"))
        out->state = JOURNAL_DECIDED;
    else
        return damaged(err, "state is neither intent nor decided");
    json_t *files = json_object_get(document, "files");
    if (!json_is_array(files) || json_array_size(files) == 0 ||
        json_array_size(files) > JOURNAL_FILES_LIMIT)
        return damaged(err, "no list of files, or an empty or too long one");
    for (size_t i = 0; i < json_array_size(files); i++)
        if (parse_file(json_array_get(files, i), out, err) < 0)
            return -1;
    return 0;
}

int journal_parse(const char *bytes, size_t length, struct journal *out, struct error *err) {
    *out = (struct journal){0};
    if (length == 0)
        return damaged(err, "empty");
    json_error_t why;
    json_t *document;
    if (json_read(bytes, length, JSON_REJECT_DUPLICATES, &document, &why, err) < 0)
        return -1;
    if (document == NULL)
        return damaged(err, why.text);
    int result = parse_document(document, out, err);
    json_decref(document);
    if (result < 0)
        journal_clear(out);
    return result;
}

static json_t *format_files(const struct journal *journal, struct error *err) {
    json_t *files = json_array();
    for (size_t i = 0; files != NULL && i < journal->count; i++) {
        const struct journal_file *item = &journal->items[i];
        json_t *entry = json_pack(
            "{s:s, s:s, s:s?, s:s}", "file", item->file, "temporary", item->temporary, "old",
            item->old_hash[0] != '\0' ? item->old_hash : NULL, "new", item->new_hash);
        if (entry == NULL) {
            json_decref(files);
            error_set(err, ERROR_INPUT, "%s: its name is not UTF-8", item->file);
            return NULL;
        }
        if (json_array_append_new(files, entry) < 0) {
            json_decref(files);
            files = NULL;
        }
    }
    if (files == NULL)
        error_no_memory(err);
    return files;
}

int journal_format(const struct journal *journal, struct text *out, struct error *err) {
    json_t *files = format_files(journal, err);
    if (files == NULL)
        return -1;
    json_t *document =
        json_pack("{s:i, s:s, s:o}", "version", JOURNAL_VERSION, "state",
                  journal->state == JOURNAL_DECIDED ? "decided" : "intent", "files", files);
    if (document == NULL)
        return error_no_memory(err);
    int result = json_write(document, JSON_COMPACT, out, err);
    json_decref(document);
    text_add_char(out, '\n');
    return result == 0 ? text_check(out, err) : -1;
}

static int open_local(int root_fd, struct error *err) {
    int fd = beneath_open(root_fd, LOCAL_FOLDER, O_RDONLY | O_DIRECTORY, 0);
    if (fd >= 0 || errno == ENOENT)
        return fd;
    if (errno == ELOOP || errno == ENOTDIR)
        return error_set(err, ERROR_INPUT,
                         LOCAL_FOLDER ": a link or a file stands in its path; remove it");
    return error_set_errno(err, "open " LOCAL_FOLDER);
}

int journal_read(int root_fd, struct journal *out, bool *present, struct error *err) {
    *out = (struct journal){0};
    *present = false;
    error_clear(err);
    _cleanup_(file_closep) int local_fd = open_local(root_fd, err);
    if (local_fd < 0)
        return err->kind == ERROR_NONE ? 0 : -1;
    struct stat status;
    if (fstatat(local_fd, JOURNAL_NAME, &status, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno == ENOENT)
            return 0;
        return error_set_errno(err, "look at " JOURNAL_FILE);
    }
    *present = true;
    if (!S_ISREG(status.st_mode))
        return damaged(err, "not a regular file");
    _cleanup_(text_clear) struct text bytes = {0};
    if (file_read_at(local_fd, JOURNAL_NAME, JOURNAL_SIZE_LIMIT, &bytes, err) < 0)
        return error_wrap(err, LOCAL_FOLDER);
    return journal_parse(text_string(&bytes), bytes.length, out, err);
}

static int write_name(int folder_fd, const char *name, const void *bytes, size_t length,
                      struct error *err) {
    _cleanup_(file_closep) int fd =
        openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_set_errno(err, "make " LOCAL_FOLDER "/%s", name);
    if (file_write_all(fd, bytes, length, err) < 0)
        return error_wrap(err, LOCAL_FOLDER "/%s", name);
    if (fsync(fd) < 0)
        return error_set_errno(err, "write " LOCAL_FOLDER "/%s", name);
    return 0;
}

static int remove_name(int folder_fd, const char *name, struct error *err) {
    if (unlinkat(folder_fd, name, 0) < 0 && errno != ENOENT)
        return error_set_errno(err, "remove " LOCAL_FOLDER "/%s", name);
    return 0;
}

static int make_local(int root_fd, struct error *err) {
    if (target_make_folder(root_fd, HOME_FOLDER, err) < 0 ||
        target_make_folder(root_fd, LOCAL_FOLDER, err) < 0)
        return -1;
    error_clear(err);
    int local_fd = open_local(root_fd, err);
    if (local_fd < 0 && err->kind == ERROR_NONE)
        return error_set(err, ERROR_CONFLICT, LOCAL_FOLDER ": vanished while we used it");
    return local_fd;
}

int journal_write(int root_fd, const struct journal *journal, struct error *err) {
    _cleanup_(text_clear) struct text bytes = {.ceiling = JOURNAL_SIZE_LIMIT};
    if (journal_format(journal, &bytes, err) < 0)
        return -1;
    _cleanup_(file_closep) int local_fd = make_local(root_fd, err);
    if (local_fd < 0)
        return -1;
    struct stat status;
    if (fstatat(local_fd, IGNORE_NAME, &status, AT_SYMLINK_NOFOLLOW) < 0 &&
        write_name(local_fd, IGNORE_NAME, IGNORE_BYTES, strlen(IGNORE_BYTES), err) < 0)
        return -1;
    if (remove_name(local_fd, NEW_NAME, err) < 0 ||
        write_name(local_fd, NEW_NAME, bytes.bytes, bytes.length, err) < 0)
        return -1;
    if (renameat(local_fd, NEW_NAME, local_fd, JOURNAL_NAME) < 0 || fsync(local_fd) < 0)
        return error_set_errno(err, "write " JOURNAL_FILE);
    return 0;
}

/* A .gitignore with other bytes is the user's. An empty one is ours, cut off by a crash. */
static int ignore_is_ours(int local_fd, bool *ours, struct error *err) {
    _cleanup_(text_clear) struct text bytes = {0};
    struct stat status;
    *ours = false;
    if (fstatat(local_fd, IGNORE_NAME, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : error_set_errno(err, "look at " LOCAL_FOLDER "/" IGNORE_NAME);
    if (!S_ISREG(status.st_mode) || status.st_size > (off_t)strlen(IGNORE_BYTES))
        return 0;
    if (file_read_at(local_fd, IGNORE_NAME, strlen(IGNORE_BYTES), &bytes, err) < 0)
        return error_wrap(err, LOCAL_FOLDER);
    *ours = string_has_prefix(IGNORE_BYTES, text_string(&bytes));
    return 0;
}

/* Whether our .gitignore is all that is left; what others keep there still needs it. */
static bool only_ignore_left(int local_fd, struct error *err) {
    int fd = openat(local_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (folder == NULL) {
        if (fd >= 0)
            close(fd);
        error_set_errno(err, "list " LOCAL_FOLDER);
        return false;
    }
    bool only = true;
    errno = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        only = only && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                        strcmp(entry->d_name, IGNORE_NAME) == 0);
    if (errno != 0)
        error_set_errno(err, "list " LOCAL_FOLDER);
    closedir(folder);
    return only && err->kind == ERROR_NONE;
}

int journal_sweep(int root_fd, struct error *err) {
    error_clear(err);
    _cleanup_(file_closep) int local_fd = open_local(root_fd, err);
    if (local_fd < 0 && err->kind != ERROR_NONE)
        return -1;
    if (local_fd >= 0) {
        if (remove_name(local_fd, NEW_NAME, err) < 0)
            return -1;
        bool only = only_ignore_left(local_fd, err);
        if (err->kind != ERROR_NONE)
            return -1;
        bool ours = false;
        if (only && ignore_is_ours(local_fd, &ours, err) < 0)
            return -1;
        if (ours && remove_name(local_fd, IGNORE_NAME, err) < 0)
            return -1;
        if (target_remove_empty_folder(root_fd, LOCAL_FOLDER, err) < 0)
            return -1;
    }
    return target_remove_empty_folder(root_fd, HOME_FOLDER, err);
}

int journal_remove(int root_fd, struct error *err) {
    error_clear(err);
    _cleanup_(file_closep) int local_fd = open_local(root_fd, err);
    if (local_fd < 0)
        return err->kind == ERROR_NONE ? 0 : -1;
    if (remove_name(local_fd, JOURNAL_NAME, err) < 0)
        return -1;
    if (fsync(local_fd) < 0)
        return error_set_errno(err, "write " LOCAL_FOLDER);
    return journal_sweep(root_fd, err);
}

static int list_folders(const struct journal *journal, struct string_list *folders,
                        struct error *err) {
    for (size_t i = 0; i < journal->count; i++) {
        _cleanup_(free_pointer) char *folder = beneath_folder(journal->items[i].file, err);
        if (folder == NULL || string_list_add(folders, folder, err) < 0)
            return -1;
    }
    string_list_sort(folders);
    return 0;
}

int journal_sync_folders(int root_fd, const struct journal *journal, struct error *err) {
    _cleanup_(string_list_clear) struct string_list folders = {0};
    if (list_folders(journal, &folders, err) < 0)
        return -1;
    for (size_t i = 0; i < folders.count; i++)
        if ((i == 0 || strcmp(folders.items[i - 1], folders.items[i]) != 0) &&
            target_sync_folder(root_fd, folders.items[i], err) < 0)
            return -1;
    return 0;
}
