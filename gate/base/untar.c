#include "gate/base/untar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/beneath.h"
#include "gate/base/file.h"
#include "gate/base/text.h"
#include "gate/base/utf8.h"

#define READ_BLOCK 65536u /* bytes */

const char *untar_left_name(enum untar_left why, size_t count) {
    static const char *const names[UNTAR_LEFT_COUNT][2] = {
        [UNTAR_LEFT_LINK] = {"link", "links"},
        [UNTAR_LEFT_DEVICE] = {"device, fifo or socket", "devices, fifos or sockets"},
        [UNTAR_LEFT_SPARSE] = {"sparse file", "sparse files"},
        [UNTAR_LEFT_NAME] = {"name that is no path", "names that are no paths"},
        [UNTAR_LEFT_CLASH] = {"file whose place was taken", "files whose places were taken"},
    };
    return names[why][count != 1];
}

static void archive_freep(struct archive **archive) {
    archive_read_free(*archive);
}

static int refuse(struct archive *archive, struct error *err) {
    if (archive_errno(archive) == ENOMEM)
        return error_no_memory(err);
    const char *words = archive_error_string(archive);
    return error_set(err, ERROR_PROTOCOL, "the tar archive is malformed or cut short: %s",
                     words != NULL ? words : "it cannot be read");
}

/* ---- names ---- */

static bool has_control(const char *name) {
    for (; *name != '\0'; name++)
        if ((unsigned char)*name < 0x20 || *name == 0x7f)
            return true;
    return false;
}

static bool is_path(const char *name) {
    size_t depth = 1;
    for (const char *c = name; *c != '\0'; c++)
        depth += *c == '/';
    return depth <= UNTAR_DEPTH_LIMIT && beneath_path_valid(name) && !has_control(name) &&
           utf8_valid(name, strlen(name));
}

/* "./a/b/" is a/b. The archive's own folder becomes "". */
static char *plain_name(const char *raw, struct error *err) {
    while (raw[0] == '.' && (raw[1] == '/' || raw[1] == '\0'))
        raw += raw[1] == '/' ? 2 : 1;
    size_t length = strlen(raw);
    while (length > 1 && raw[length - 1] == '/')
        length--;
    return string_dup_length(raw, length, err);
}

/* ---- files ---- */

/* What an entry of the archive can bring about by its name, and not a fault of ours or of the disk. */
static bool is_clash(int number) {
    return number == EEXIST || number == ENOTDIR || number == EISDIR || number == ELOOP;
}

static bool is_bad_name(int number) {
    return number == ENAMETOOLONG || number == EINVAL || number == EILSEQ;
}

static int open_folder_of(int root_fd, const char *path, struct error *err) {
    _cleanup_(free_pointer) char *folder = beneath_folder(path, err);
    if (folder == NULL) {
        errno = ENOMEM;
        return -1;
    }
    return beneath_open(root_fd, folder, O_PATH | O_DIRECTORY, 0);
}

/* -1 with errno. */
static int make_folder(int root_fd, const char *path, struct error *err) {
    _cleanup_(file_closep) int folder_fd = open_folder_of(root_fd, path, err);
    if (folder_fd < 0)
        return -1;
    return mkdirat(folder_fd, beneath_name(path), 0755) < 0 && errno != EEXIST ? -1 : 0;
}

static int make_folders(int root_fd, const char *path, struct error *err) {
    _cleanup_(free_pointer) char *partial = string_dup(path, err);
    if (partial == NULL) {
        errno = ENOMEM;
        return -1;
    }
    for (char *slash = strchr(partial, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (make_folder(root_fd, partial, err) < 0)
            return -1;
        *slash = '/';
    }
    return 0;
}

/* -1 with errno. */
static int create(int root_fd, const char *path, struct error *err) {
    int flags = O_WRONLY | O_CREAT | O_EXCL;
    int fd = beneath_open(root_fd, path, flags, 0644);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    return make_folders(root_fd, path, err) < 0 ? -1 : beneath_open(root_fd, path, flags, 0644);
}

static void remove_file(int root_fd, const char *path) {
    _cleanup_(error_clear) struct error ignored = {0};
    _cleanup_(file_closep) int folder_fd = open_folder_of(root_fd, path, &ignored);
    if (folder_fd >= 0)
        unlinkat(folder_fd, beneath_name(path), 0);
}

/* ---- entries ---- */

struct reading {
    struct archive *archive;
    const struct untar_options *options;
    struct untar_report *report;
    int64_t changed_s; /* of the entry that is read */
};

/* How much of the next file may be written. */
static int64_t allowed(const struct reading *reading) {
    const struct untar_limits *limits = &reading->options->limits;
    int64_t left = limits->bytes - reading->report->bytes;
    return left < limits->bytes_of_a_file ? left : limits->bytes_of_a_file;
}

/* out: written; *whole: the entry had no more. */
static int copy(struct reading *reading, int fd, int64_t *written, bool *whole, struct error *err) {
    int64_t limit = allowed(reading);
    *written = 0;
    *whole = false;
    for (;;) {
        const void *block;
        size_t size;
        la_int64_t offset;
        int status = archive_read_data_block(reading->archive, &block, &size, &offset);
        *whole = status == ARCHIVE_EOF;
        if (*whole)
            return 0;
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
            return refuse(reading->archive, err);
        if (offset != *written)
            return error_set(err, ERROR_PROTOCOL, "the tar archive has a hole in a file");
        size_t step = (int64_t)size < limit - *written ? size : (size_t)(limit - *written);
        const struct untar_options *options = reading->options;
        if ((options->on_bytes != NULL ? options->on_bytes(options->context, block, step, err)
                                       : file_write_all(fd, block, step, err)) < 0)
            return -1;
        *written += (int64_t)step;
        if (step < size)
            return 0;
    }
}

static int take(struct reading *reading, const char *path, int fd, struct error *err) {
    const struct untar_options *options = reading->options;
    struct untar_report *report = reading->report;
    int64_t written;
    bool whole;
    if (copy(reading, fd, &written, &whole, err) < 0) {
        if (options->on_bytes == NULL)
            remove_file(options->root_fd, path);
        return error_wrap(err, "%s", path);
    }
    report->files++;
    report->bytes += written;
    report->cut += !whole;
    if (!whole && report->bytes >= options->limits.bytes)
        report->stopped = "bytes";
    return options->on_file != NULL
               ? options->on_file(options->context, path, written, reading->changed_s, err)
               : 0;
}

static int take_file(struct reading *reading, const char *path, struct error *err) {
    const struct untar_options *options = reading->options;
    struct untar_report *report = reading->report;
    if (report->files >= options->limits.files || report->bytes >= options->limits.bytes) {
        report->stopped = report->files >= options->limits.files ? "files" : "bytes";
        return 0;
    }
    if (options->on_bytes != NULL)
        return take(reading, path, -1, err);
    _cleanup_(file_closep) int fd = create(options->root_fd, path, err);
    if (fd >= 0)
        return take(reading, path, fd, err);
    if (errno == ENOMEM)
        return error_no_memory(err);
    if (!is_clash(errno) && !is_bad_name(errno))
        return error_set_errno(err, "write %s", path);
    report->left[is_clash(errno) ? UNTAR_LEFT_CLASH : UNTAR_LEFT_NAME]++;
    return 0;
}

/* false: a regular file. */
static bool is_left(struct archive_entry *entry, enum untar_left *why) {
    mode_t type = archive_entry_filetype(entry);
    *why = UNTAR_LEFT_DEVICE;
    if (type == AE_IFLNK || archive_entry_hardlink(entry) != NULL)
        *why = UNTAR_LEFT_LINK;
    else if (type == AE_IFREG && archive_entry_sparse_count(entry) > 0)
        *why = UNTAR_LEFT_SPARSE;
    else
        return type != AE_IFREG;
    return true;
}

static int read_entry(struct reading *reading, struct archive_entry *entry, struct error *err) {
    const struct untar_options *options = reading->options;
    const char *raw = archive_entry_pathname(entry);
    enum untar_left why;
    bool left = is_left(entry, &why);
    reading->changed_s = archive_entry_mtime(entry);
    bool folder = archive_entry_filetype(entry) == AE_IFDIR && why != UNTAR_LEFT_LINK;
    _cleanup_(free_pointer) char *name = plain_name(raw != NULL ? raw : "/", err);
    _cleanup_(free_pointer) char *path = NULL;
    if (name == NULL)
        return -1;
    if (!is_path(name)) {
        reading->report->left[UNTAR_LEFT_NAME] += !folder || name[0] != '\0';
        return 0;
    }
    if (folder)
        return 0;
    if (options->choose(options->context, name, !left, &path, err) < 0)
        return -1;
    if (path == NULL)
        return 0;
    if (!left)
        return take_file(reading, path, err);
    reading->report->left[why]++;
    return 0;
}

int untar(int fd, const struct untar_options *options, struct untar_report *report,
          struct error *err) {
    _cleanup_(archive_freep) struct archive *archive = archive_read_new();
    if (archive == NULL)
        return error_no_memory(err);
    struct reading reading = {.archive = archive, .options = options, .report = report};
    if (archive_read_support_format_tar(archive) != ARCHIVE_OK ||
        archive_read_open_fd(archive, fd, READ_BLOCK) != ARCHIVE_OK)
        return refuse(archive, err);
    for (size_t count = 0; report->stopped == NULL; count++) {
        struct archive_entry *entry;
        int status = archive_read_next_header(archive, &entry);
        if (status == ARCHIVE_EOF)
            return 0;
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN) /* ARCHIVE_RETRY: a damaged header */
            return refuse(archive, err);
        if (count == UNTAR_ENTRIES_LIMIT)
            report->stopped = "entries";
        else if (read_entry(&reading, entry, err) < 0)
            return -1;
    }
    return 0;
}
