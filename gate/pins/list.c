#include "gate/pins/list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/glob.h"
#include "gate/base/process.h"
#include "gate/base/text.h"
#include "gate/base/trace.h"
#include "gate/base/utf8.h"
#include "gate/pins/add.h"

#define GIT_TIMEOUT_MS   (10 * 60 * 1000) /* a cold disk with millions of files */
#define NAMES_LIMIT      (512u << 20)     /* bytes of all names */
#define WALK_DEPTH_LIMIT 200u             /* folders in one another; each holds a descriptor */

static const char *const never[] = {".git", "pingate-out", ".pingate"};

struct walk {
    const struct scan_options *options; /* may be NULL */
    struct text *names;
    struct text path; /* of the folder at hand, with "/" at its end; empty for the root */
    struct skipped_list *skipped;
};

static int skip_name(struct skipped_list *skipped, const char *name, const char *reason,
                     struct error *err) {
    size_t count = skipped->count;
    char *file = string_dup(name, err);
    if (file == NULL || skipped_add(skipped, 0, "", 0, reason, err) < 0) {
        free(file);
        return -1;
    }
    skipped->items[count].file = file;
    return 0;
}

/* Whether a folder above (or the root itself) has a .git; git itself then decides. */
static int find_repository(const char *root, bool *found, struct error *err) {
    _cleanup_(free_pointer) char *path = realpath(root, NULL);
    if (path == NULL && (errno == ENOENT || errno == ENOTDIR))
        return error_set(err, ERROR_NOT_FOUND, "%s: no such folder", root);
    if (path == NULL)
        return error_set_errno(err, "look at %s", root);
    *found = false;
    while (!*found) {
        _cleanup_(free_pointer) char *git = file_join(path, ".git", err);
        if (git == NULL)
            return -1;
        *found = access(git, F_OK) == 0;
        char *slash = strrchr(path, '/');
        if (slash == NULL || path[1] == '\0')
            return 0;
        slash[slash == path ? 1 : 0] = '\0';
    }
    return 0;
}

static int refuse_git(const char *root, const struct process_result *result, struct error *err) {
    _cleanup_(free_pointer) char *why = process_result_why(result, err);
    if (why == NULL)
        return -1;
    return error_set(err, ERROR_IO,
                     "git does not list the files of %s: %s (`git -C %s status` shows what to do)",
                     root, why, root);
}

/* A folder that cannot be read is an error, since pins may stand in it; one that is excluded is not.
 * name: with "/" at its end. */
static int refuse_folder(const struct scan_options *options, const char *name, const char *why,
                         struct error *err) {
    /* What excludes all that is below excludes this. */
    _cleanup_(free_pointer) char *below = string_format(err, "%s\x7F-any-name-\x7F", name);
    if (below == NULL)
        return -1;
    if (options != NULL && glob_list_match_file(options->exclude, below))
        return 0;
    return error_set(err, ERROR_IO,
                     "look into %s: %s (make it readable, or exclude it in pingate.yaml)", name,
                     why);
}

/* Of a folder that it cannot read git only warns, and ends well. */
static int check_warnings(const struct text *said, const struct scan_options *options,
                          struct error *err) {
    static const char warning[] = "warning: could not open directory '", behind[] = "/': ";
    const char *at = text_string(said);
    while ((at = strstr(at, warning)) != NULL) {
        at += strlen(warning);
        const char *end = strstr(at, behind);
        if (end == NULL)
            break;
        const char *why = end + strlen(behind);
        _cleanup_(free_pointer) char *name = string_dup_length(at, (size_t)(end + 1 - at), err);
        _cleanup_(free_pointer) char *reason = string_dup_length(why, strcspn(why, "\n"), err);
        if (name == NULL || reason == NULL || refuse_folder(options, name, reason, err) < 0)
            return -1;
    }
    return 0;
}

/* Ours with English messages in front, which win; the strings are lent. */
static const char **english_environment(struct error *err) {
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    const char **all = calloc(count + 2, sizeof(*all));
    if (all == NULL) {
        error_no_memory(err);
        return NULL;
    }
    all[0] = "LC_ALL=C";
    memcpy(all + 1, environ, count * sizeof(*all));
    return all;
}

static int list_with_git(const char *root, const struct scan_options *wanted, struct text *names,
                         struct error *err) {
    const struct cancel *cancel = wanted != NULL ? wanted->cancel : NULL;
    _cleanup_(free_pointer) const char **environment = english_environment(err);
    if (environment == NULL)
        return -1;
    /* A repository must not name a program that runs while we only look. */
    const char *const argv[] = {"git", "-c", "core.fsmonitor=false", "-C", root, "ls-files", "-z",
                                "-c",  "-o", "--exclude-standard",   NULL};
    struct process_options options = {
        .argv = argv, .timeout_ms = GIT_TIMEOUT_MS, .output_limit = NAMES_LIMIT, .cancel = cancel};
    options.environment = environment;
    _cleanup_(process_result_clear) struct process_result result = {0};
    if (process_run(&options, &result, err) < 0) {
        if (err->kind == ERROR_NOT_FOUND)
            return error_set(err, ERROR_IO,
                             "%s is in a git repository, but git is not installed: install git, "
                             "so that what it ignores is left alone",
                             root);
        return error_wrap(err, "list the files of %s", root);
    }
    if (result.exit_status != 0)
        return refuse_git(root, &result, err);
    if (check_warnings(&result.error_output, wanted, err) < 0)
        return -1;
    *names = result.output;
    result.output = (struct text){0};
    return 0;
}

static bool is_never_scanned(const char *name, size_t length) {
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (strlen(never[i]) == length && memcmp(never[i], name, length) == 0)
            return true;
    return false;
}

/* What the folder calls it; the file system may not say. */
static unsigned char kind_of(int folder_fd, const struct dirent *entry) {
    struct stat status;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type;
    if (fstatat(folder_fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return DT_UNKNOWN;
    return S_ISDIR(status.st_mode) ? DT_DIR : S_ISREG(status.st_mode) ? DT_REG : DT_LNK;
}

static int walk_folder(struct walk *walk, DIR *folder, unsigned depth, struct error *err);

/* walk->path is the folder's. */
static int enter_folder(struct walk *walk, int parent_fd, const char *name, unsigned depth,
                        struct error *err) {
    if (depth == WALK_DEPTH_LIMIT)
        return skip_name(walk->skipped, text_string(&walk->path), "nested too deep", err);
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return 0; /* it has vanished */
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (folder == NULL) {
        int failed = errno;
        file_closep(&fd);
        return refuse_folder(walk->options, text_string(&walk->path), strerror(failed), err);
    }
    int walked = walk_folder(walk, folder, depth, err);
    closedir(folder);
    return walked;
}

static int walk_entry(struct walk *walk, DIR *folder, const struct dirent *entry, unsigned depth,
                      struct error *err) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || is_never_scanned(name, strlen(name)))
        return 0;
    unsigned char kind = kind_of(dirfd(folder), entry);
    if (kind == DT_REG || kind == DT_LNK) {
        text_append(walk->names, text_string(&walk->path), walk->path.length);
        text_append(walk->names, name, strlen(name) + 1);
        return 0;
    }
    if (kind != DT_DIR)
        return 0;
    size_t length = walk->path.length;
    text_add(&walk->path, name);
    text_add(&walk->path, "/");
    int walked = text_check(&walk->path, err);
    if (walked == 0)
        walked = enter_folder(walk, dirfd(folder), name, depth + 1, err);
    text_truncate(&walk->path, length);
    return walked;
}

static int walk_folder(struct walk *walk, DIR *folder, unsigned depth, struct error *err) {
    if (cancel_check(walk->options != NULL ? walk->options->cancel : NULL, err) < 0)
        return -1;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (entry == NULL && errno != 0)
            return error_set_errno(err, "look into %s", text_string(&walk->path));
        if (entry == NULL)
            return 0;
        if (walk_entry(walk, folder, entry, depth, err) < 0)
            return -1;
    }
}

static int list_with_walk(const char *root, const struct scan_options *options, struct text *names,
                          struct skipped_list *skipped, struct error *err) {
    DIR *folder = opendir(root);
    if (folder == NULL)
        return error_set_errno(err, "look into %s", root);
    struct walk walk = {.options = options, .names = names, .skipped = skipped};
    names->ceiling = NAMES_LIMIT;
    int walked = walk_folder(&walk, folder, 0, err);
    closedir(folder);
    text_clear(&walk.path);
    return walked == 0 ? text_check(names, err) : -1;
}

/* Whether a part of the path is never scanned. */
static bool lies_within_never(const char *name) {
    for (const char *at = name; at != NULL;) {
        const char *slash = strchr(at, '/');
        if (is_never_scanned(at, slash != NULL ? (size_t)(slash - at) : strlen(at)))
            return true;
        at = slash != NULL ? slash + 1 : NULL;
    }
    return false;
}

static bool is_wanted(const char *name, const struct scan_options *options) {
    if (lies_within_never(name))
        return false;
    if (options == NULL)
        return true;
    bool included = options->include == NULL || options->include->count == 0 ||
                    glob_list_match_file(options->include, name);
    return included && !glob_list_match_file(options->exclude, name);
}

static int add_name(struct names *names, const char *name, size_t length,
                    struct skipped_list *skipped, struct error *err) {
    if (!utf8_valid(name, length))
        return skip_name(skipped, name, "its name is not UTF-8", err);
    if (length > 0 && name[length - 1] == '/')
        return skip_name(skipped, name, "another repository", err);
    /* Files in conflict have several entries, one after another. */
    if (names->count > 0 && strcmp(names->items[names->count - 1], name) == 0)
        return 0;
    const char **item = array_add(names, err);
    if (item == NULL)
        return -1;
    *item = name;
    return 0;
}

int names_list(const char *root, const struct scan_options *options, struct names *names,
               struct skipped_list *skipped, struct error *err) {
    bool repository = false;
    if (find_repository(root, &repository, err) < 0)
        return -1;
    int listed = repository ? list_with_git(root, options, &names->bytes, err)
                            : list_with_walk(root, options, &names->bytes, skipped, err);
    if (listed < 0)
        return -1;
    const char *end = names->bytes.bytes + names->bytes.length;
    for (const char *name = names->bytes.bytes; name < end;) {
        size_t length = strlen(name);
        if (is_wanted(name, options) && add_name(names, name, length, skipped, err) < 0)
            return -1;
        name += length + 1;
    }
    trace(TRACE_SCAN, "%s: %zu files listed by %s", root, names->count,
          repository ? "git" : "a walk");
    return 0;
}

void names_clear(struct names *names) {
    text_clear(&names->bytes);
    free(names->items);
    *names = (struct names){0};
}

int scan_list_files(const char *root, const struct scan_options *options, struct string_list *files,
                    struct error *err) {
    _cleanup_(names_clear) struct names names = {0};
    _cleanup_(skipped_list_clear) struct skipped_list skipped = {0};
    if (names_list(root, options, &names, &skipped, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (string_list_add(files, names.items[i], err) < 0)
            return -1;
    string_list_sort(files);
    return 0;
}
