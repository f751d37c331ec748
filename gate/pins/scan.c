#include "gate/pins/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/beneath.h"
#include "gate/base/file.h"
#include "gate/base/text.h"
#include "gate/pins/add.h"
#include "gate/pins/list.h"

#define BINARY_LOOK 8192u /* bytes that are searched for a NUL, as git does */
/* bytes; larger files are searched in pieces before they are read whole */
#define WHOLE_LIMIT      (1u << 20)
#define FIRST_BUFFER     (128u << 10) /* bytes; most files of a repository are smaller */
#define THREADS_LIMIT    4u           /* more gain nothing: the kernel's name look-ups bound it */
#define FILES_PER_THREAD 256u         /* fewer are not worth starting one */
#define FILES_PER_TURN   32u          /* that a thread takes at once */

/* All files of a scan. The threads share nothing that changes but `next`. */
struct work {
    int root_fd;
    const struct names *names;
    const struct cancel *cancel;
    atomic_size_t next; /* first name that no thread has taken */
};

struct reader {
    struct work *work;
    struct scan found;
    char *buffer;
    size_t capacity; /* bytes of buffer */
    struct error err;
    bool failed;
};

static int skip_file(struct reader *reader, const char *name, const char *reason,
                     struct error *err) {
    struct skipped_list *skipped = &reader->found.skipped;
    char *file = string_dup(name, err);
    if (file == NULL || skipped_add(skipped, 0, "", 0, reason, err) < 0) {
        free(file);
        return -1;
    }
    skipped->items[skipped->count - 1].file = file;
    return 0;
}

static int make_room(struct reader *reader, size_t size, struct error *err) {
    if (reader->capacity >= size)
        return 0;
    size_t grown = size > FIRST_BUFFER ? size : FIRST_BUFFER;
    free(reader->buffer);
    reader->buffer = malloc(grown);
    reader->capacity = reader->buffer != NULL ? grown : 0;
    return reader->buffer != NULL ? 0 : error_no_memory(err);
}

/* Reads up to `size` bytes from `offset` on. Gives how many, fewer only at the end of the file. */
static ssize_t read_at(int fd, char *into, size_t size, size_t offset) {
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(fd, into + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

/* UTF-16 with its byte order mark, and the literal in it. */
static bool holds_utf16_literal(const char *bytes, size_t length) {
    char wide[2 * PIN_LITERAL_LENGTH] = {0};
    bool little = memcmp(bytes, "\xFF\xFE", 2) == 0;
    if (!little && memcmp(bytes, "\xFE\xFF", 2) != 0)
        return false;
    for (size_t i = 0; i < PIN_LITERAL_LENGTH; i++)
        wide[2 * i + (little ? 0 : 1)] = PIN_LITERAL[i];
    return memmem(bytes, length, wide, sizeof wide) != NULL;
}

/* Whether it is binary; that is only told of one that holds a pin, as far as it was read. */
static int judge_binary(struct reader *reader, const char *name, size_t length, bool *binary,
                        struct error *err) {
    const char *bytes = reader->buffer;
    *binary = memchr(bytes, '\0', length < BINARY_LOOK ? length : BINARY_LOOK) != NULL;
    if (!*binary)
        return 0;
    if (pin_literal(bytes, bytes + length) != NULL)
        return skip_file(reader, name, "binary", err);
    if (length >= 2 && holds_utf16_literal(bytes, length))
        return skip_file(reader, name, "UTF-16; pins are only found in UTF-8", err);
    return 0;
}

/* Whether a large file is text that holds the literal, read in pieces so that most of them never stand in memory. */
static int search_large(struct reader *reader, const char *name, int fd, bool *holds,
                        struct error *err) {
    const size_t kept = PIN_LITERAL_LENGTH - 1;
    bool binary = false;
    *holds = false;
    if (make_room(reader, WHOLE_LIMIT, err) < 0)
        return -1;
    for (size_t offset = 0; !*holds; offset += WHOLE_LIMIT - kept) {
        ssize_t got = read_at(fd, reader->buffer, WHOLE_LIMIT, offset);
        if (got < 0)
            return error_set_errno(err, "read");
        if (offset == 0 && judge_binary(reader, name, (size_t)got, &binary, err) < 0)
            return -1;
        if (binary)
            return 0;
        *holds = pin_literal(reader->buffer, reader->buffer + got) != NULL;
        if ((size_t)got < WHOLE_LIMIT)
            break;
        if (cancel_check(reader->work->cancel, err) < 0)
            return -1;
    }
    if (!*holds)
        reader->found.files++;
    return 0;
}

static int scan_open_file(struct reader *reader, const char *name, int fd, size_t size,
                          struct error *err) {
    bool binary = false, holds = true;
    if (size > WHOLE_LIMIT && search_large(reader, name, fd, &holds, err) < 0)
        return -1;
    if (!holds)
        return 0;
    /* One byte more shows whether it has grown; what is behind that was written after we looked. */
    if (make_room(reader, size + 1, err) < 0)
        return -1;
    ssize_t got = pread(fd, reader->buffer, size + 1, 0);
    if (got >= 0 && (size_t)got < size)
        got = read_at(fd, reader->buffer, size + 1, 0);
    if (got < 0)
        return error_set_errno(err, "read");
    int scanned = judge_binary(reader, name, (size_t)got, &binary, err);
    if (scanned == 0 && !binary)
        scanned = scan_bytes(name, reader->buffer, (size_t)got, &reader->found, err);
    if (reader->capacity > WHOLE_LIMIT) {
        free(steal(reader->buffer));
        reader->capacity = 0;
    }
    return scanned;
}

/* A link is left alone. Only one that leaves the tree hides something. */
static int judge_link(struct reader *reader, const char *name, struct error *err) {
    struct error why = {0};
    struct stat root, to;
    _cleanup_(free_pointer) char *target = NULL;
    if (fstatat(reader->work->root_fd, name, &to, 0) < 0 && errno == ELOOP)
        return 0; /* in a circle, so to nothing */
    if (fstat(reader->work->root_fd, &root) == 0 &&
        fstatat(reader->work->root_fd, name, &to, 0) == 0 && to.st_dev == root.st_dev &&
        to.st_ino == root.st_ino)
        return 0; /* to the tree itself */
    if (beneath_resolve(reader->work->root_fd, name, &target, &why) == 0)
        return 0;
    enum error_kind kind = why.kind;
    if (kind != ERROR_INPUT && kind != ERROR_NOT_FOUND)
        return error_move(err, &why);
    error_clear(&why);
    return kind == ERROR_NOT_FOUND ? 0
                                   : skip_file(reader, name, "a link that leaves the tree", err);
}

static int refuse_open(struct reader *reader, const char *name, struct error *err) {
    if (errno == ELOOP)
        return judge_link(reader, name, err);
    if (errno == ENOENT || errno == ENOTDIR)
        return 0; /* it has vanished, or git knows it but the work tree lacks it */
    if (errno == ENXIO)
        return skip_file(reader, name, "not a regular file", err);
    if (errno == EACCES)
        return error_set(err, ERROR_IO,
                         "open: %s (make it readable, or exclude it in pingate.yaml)",
                         strerror(errno));
    return error_set_errno(err, "open");
}

static int scan_file(struct reader *reader, const char *name, struct error *err) {
    _cleanup_(file_closep) int fd =
        beneath_open(reader->work->root_fd, name, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0)
        return refuse_open(reader, name, err);
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_set_errno(err, "look at it");
    if (S_ISDIR(status.st_mode))
        return skip_file(reader, name,
                         faccessat(fd, ".git", F_OK, AT_SYMLINK_NOFOLLOW) == 0
                             ? "a submodule"
                             : "a folder where git has a file, or a submodule without its files",
                         err);
    if (!S_ISREG(status.st_mode))
        return skip_file(reader, name, "not a regular file", err);
    if ((unsigned long long)status.st_size > SCAN_FILE_LIMIT)
        return skip_file(reader, name, "larger than 256 MiB", err);
    return scan_open_file(reader, name, fd, (size_t)status.st_size, err);
}

static int scan_turns(struct reader *reader, struct error *err) {
    struct work *work = reader->work;
    for (;;) {
        if (cancel_check(work->cancel, err) < 0)
            return -1;
        size_t first = atomic_fetch_add(&work->next, FILES_PER_TURN);
        for (size_t i = first; i < work->names->count && i < first + FILES_PER_TURN; i++)
            if (scan_file(reader, work->names->items[i], err) < 0)
                return err->kind == ERROR_CANCELLED ? -1
                                                    : error_wrap(err, "%s", work->names->items[i]);
        if (first >= work->names->count)
            return 0;
    }
}

static void *run_reader(void *argument) {
    struct reader *reader = argument;
    reader->failed = scan_turns(reader, &reader->err) < 0;
    /* The others stop at their next turn. */
    if (reader->failed)
        atomic_store(&reader->work->next, SIZE_MAX / 2);
    return NULL;
}

static size_t count_threads(const struct names *names) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = names->count / FILES_PER_THREAD + 1;
    size_t most = processors > 1 ? (size_t)processors : 1;
    if (most > THREADS_LIMIT)
        most = THREADS_LIMIT;
    return wanted < most ? wanted : most;
}

static int take_all(void **items, size_t *count, size_t *capacity, void *from, size_t from_count,
                    size_t size, struct error *err) {
    for (size_t i = 0; i < from_count; i++) {
        void *place = array_add_item(items, count, capacity, size, err);
        if (place == NULL)
            return -1;
        memcpy(place, (char *)from + i * size, size);
        memset((char *)from + i * size, 0, size);
    }
    return 0;
}

/* Moves what a thread found; what is left in `from` after a failure is cleared by its owner. */
static int merge(struct scan *scan, struct scan *from, struct error *err) {
    scan->files += from->files;
    if (take_all((void **)&scan->pins.items, &scan->pins.count, &scan->pins.capacity,
                 from->pins.items, from->pins.count, sizeof *from->pins.items, err) < 0)
        return -1;
    return take_all((void **)&scan->skipped.items, &scan->skipped.count, &scan->skipped.capacity,
                    from->skipped.items, from->skipped.count, sizeof *from->skipped.items, err);
}

static int compare_pins(const void *a, const void *b) {
    return pin_compare(a, b);
}

static int compare_skipped(const void *a, const void *b) {
    const struct skipped *one = a, *two = b;
    int order = strcmp(one->file, two->file);
    if (order != 0)
        return order;
    if (one->line != two->line)
        return one->line < two->line ? -1 : 1;
    order = strcmp(one->text, two->text);
    return order != 0 ? order : strcmp(one->reason, two->reason);
}

static void sort_scan(struct scan *scan) {
    if (scan->pins.count > 1)
        qsort(scan->pins.items, scan->pins.count, sizeof *scan->pins.items, compare_pins);
    if (scan->skipped.count > 1)
        qsort(scan->skipped.items, scan->skipped.count, sizeof *scan->skipped.items,
              compare_skipped);
}

static int scan_names(struct work *work, struct scan *scan, struct error *err) {
    struct reader readers[THREADS_LIMIT] = {0};
    pthread_t threads[THREADS_LIMIT];
    size_t count = count_threads(work->names), started = 1;
    for (size_t i = 0; i < THREADS_LIMIT; i++)
        readers[i].work = work;
    while (started < count &&
           pthread_create(&threads[started], NULL, run_reader, &readers[started]) == 0)
        started++;
    run_reader(&readers[0]);
    int result = 0;
    for (size_t i = 0; i < started; i++) {
        if (i > 0)
            pthread_join(threads[i], NULL);
        if (readers[i].failed && result == 0)
            result = error_move(err, &readers[i].err);
        if (result == 0)
            result = merge(scan, &readers[i].found, err);
        free(readers[i].buffer);
        error_clear(&readers[i].err);
        scan_clear(&readers[i].found);
    }
    return result;
}

int scan_tree(const char *root, const struct scan_options *options, struct scan *scan,
              struct error *err) {
    _cleanup_(names_clear) struct names names = {0};
    *scan = (struct scan){0};
    if (names_list(root, options, &names, &scan->skipped, err) < 0)
        return -1;
    _cleanup_(file_closep) int root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0)
        return error_set_errno(err, "open %s", root);
    struct work work = {.root_fd = root_fd, .names = &names};
    work.cancel = options != NULL ? options->cancel : NULL;
    if (scan_names(&work, scan, err) < 0)
        return -1;
    sort_scan(scan);
    return 0;
}
