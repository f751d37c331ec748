#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/beneath.h"
#include "gate/base/file.h"
#include "pipelines/stages/ledger_parts.h"

#define ENDING ".jsonl"

static const char a_link[] =
    "is a link, and the ledger follows none: put the file itself there, or "
    "remove it";
static const char a_folder[] = "is a folder, where only files are looked for: remove it";

bool ledger_month_valid(const char *name) {
    return strlen(name) == 7 && strspn(name, "0123456789") == 4 && name[4] == '-' &&
           strspn(name + 5, "0123456789") == 2;
}

bool ledger_name_is_compacted(const char *path) {
    return string_has_prefix(beneath_name(path), LEDGER_COMPACTED);
}

const char *ledger_name_digits(const char *path) {
    const char *name = beneath_name(path);
    const char *at = name + strlen(LEDGER_COMPACTED);
    if (!ledger_name_is_compacted(path)) {
        if (strspn(name, "0123456789") != 8 || name[8] != 'T' ||
            strspn(name + 9, "0123456789") != 6 || name[15] != 'Z' || name[16] != '-')
            return NULL;
        at = name + 17;
    }
    bool fits = strspn(at, "0123456789abcdef") == LEDGER_NAME_DIGITS &&
                strcmp(at + LEDGER_NAME_DIGITS, ENDING) == 0;
    return fits ? at : NULL;
}

/* Names of a folder, sorted; "." and ".." left out. take_fd is closed. */
static int list_folder(int take_fd, struct string_list *names, struct error *err) {
    DIR *folder = fdopendir(take_fd);
    if (folder == NULL) {
        error_set_errno(err, "read");
        close(take_fd);
        return -1;
    }
    int result = 0;
    errno = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(folder)) != NULL; errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = names->count < LEDGER_ENTRY_LIMIT
                         ? string_list_add(names, entry->d_name, err)
                         : error_set(err, ERROR_LIMIT, "more than %u names stand in it",
                                     LEDGER_ENTRY_LIMIT);
    if (result == 0 && errno != 0)
        result = error_set_errno(err, "read");
    closedir(folder);
    string_list_sort(names);
    return result;
}

static int read_bytes(int fd, struct text *out, struct error *err) {
    char step[65536];
    text_truncate(out, 0);
    for (;;) {
        ssize_t got = read(fd, step, sizeof step);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, "read");
        if (got == 0)
            break;
        text_append(out, step, (size_t)got);
        if (out->length > LEDGER_FILE_LIMIT)
            return error_set(err, ERROR_LIMIT, "is larger than %u bytes", LEDGER_FILE_LIMIT);
    }
    return text_check(out, err);
}

static int read_file(int root_fd, const char *path, struct text *out, struct error *err) {
    struct stat status;
    _cleanup_(file_closep) int fd = beneath_open(root_fd, path, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0 && errno == ELOOP)
        return error_set(err, ERROR_INPUT, "%s", a_link);
    if (fd < 0 || fstat(fd, &status) < 0)
        return error_set_errno(err, "open");
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_INPUT, "is no plain file: remove it");
    if ((uint64_t)status.st_size > LEDGER_FILE_LIMIT)
        return error_set(err, ERROR_LIMIT, "is larger than %u bytes", LEDGER_FILE_LIMIT);
    return read_bytes(fd, out, err);
}

struct folder {
    int root_fd;
    ledger_each *each;
    void *context;
    struct text bytes; /* of one file after the other */
};

/* Tells a problem of `path`; why is taken from *problem. */
static int tell(struct folder *folder, const char *path, struct error *problem, struct error *err) {
    if (problem->kind == ERROR_NO_MEMORY)
        return error_move(err, problem);
    int result = folder->each(path, NULL, problem, folder->context, err);
    error_clear(problem);
    return result;
}

/* What is no file of the ledger: harmless, or something that hides entries? NULL: harmless. */
static const char *misplaced(int root_fd, const char *path, bool in_month, bool *is_folder) {
    struct stat status;
    _cleanup_(file_closep) int fd = beneath_open(root_fd, path, O_PATH, 0);
    *is_folder = false;
    if (fd < 0 || fstat(fd, &status) < 0)
        return "could not be looked at";
    if (S_ISLNK(status.st_mode))
        return a_link;
    *is_folder = S_ISDIR(status.st_mode);
    if (*is_folder)
        return in_month ? a_folder : NULL;
    if (!string_has_suffix(path, ENDING))
        return NULL;
    return in_month ? "its name is none that a file of the ledger has: give it its name back, or "
                      "remove it"
                    : "stands in no month's folder, such as " LEDGER_FOLDER
                      "/2026-11: move it there, or remove it";
}

static int read_name(struct folder *folder, const char *month, const char *name,
                     struct error *err) {
    _cleanup_(error_clear) struct error problem = {0};
    _cleanup_(free_pointer) char *path = string_format(err, "%s/%s", month, name);
    if (path == NULL)
        return -1;
    if (ledger_month_valid(beneath_name(month)) && ledger_name_digits(path) != NULL) {
        if (read_file(folder->root_fd, path, &folder->bytes, &problem) < 0)
            return tell(folder, path, &problem, err);
        return folder->each(path, &folder->bytes, NULL, folder->context, err);
    }
    bool is_folder;
    const char *why =
        misplaced(folder->root_fd, path, ledger_month_valid(beneath_name(month)), &is_folder);
    if (why == NULL && is_folder)
        why = a_folder;
    if (why == NULL)
        return 0;
    error_set(&problem, ERROR_INPUT, "%s", why);
    return tell(folder, path, &problem, err);
}

static int read_month(struct folder *folder, const char *path, struct error *err) {
    _cleanup_(string_list_clear) struct string_list names = {0};
    _cleanup_(error_clear) struct error problem = {0};
    int fd = beneath_open(folder->root_fd, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        error_set_errno(&problem, "open");
    if (fd < 0 || list_folder(fd, &names, &problem) < 0)
        return tell(folder, path, &problem, err);
    for (size_t i = 0; i < names.count; i++)
        if (read_name(folder, path, names.items[i], err) < 0)
            return -1;
    return 0;
}

static int read_months(struct folder *folder, const struct string_list *names, struct error *err) {
    for (size_t i = 0; i < names->count; i++) {
        _cleanup_(free_pointer) char *path =
            string_format(err, LEDGER_FOLDER "/%s", names->items[i]);
        _cleanup_(error_clear) struct error problem = {0};
        bool is_folder;
        if (path == NULL)
            return -1;
        const char *why = misplaced(folder->root_fd, path, false, &is_folder);
        if (why != NULL) {
            error_set(&problem, ERROR_INPUT, "%s", why);
            if (tell(folder, path, &problem, err) < 0)
                return -1;
        } else if (is_folder && read_month(folder, path, err) < 0) {
            return -1;
        }
    }
    return 0;
}

int ledger_each_file(int root_fd, ledger_each *each, void *context, struct error *err) {
    _cleanup_(string_list_clear) struct string_list names = {0};
    struct folder folder = {.root_fd = root_fd, .each = each, .context = context};
    folder.bytes.ceiling = LEDGER_FILE_LIMIT + (1u << 20);
    int fd = beneath_open(root_fd, LEDGER_FOLDER, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
        return error_set(err, ERROR_INPUT,
                         LEDGER_FOLDER
                         ": is no folder, or a link stands in its path, and the ledger "
                         "follows none; remove it");
    if (fd < 0)
        return error_set_errno(err, "open " LEDGER_FOLDER);
    if (list_folder(fd, &names, err) < 0)
        return error_wrap(err, LEDGER_FOLDER);
    int result = read_months(&folder, &names, err);
    text_clear(&folder.bytes);
    return result;
}
