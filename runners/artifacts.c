#include "runners/artifacts.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/tar.h"
#include "gate/base/untar.h"
#include "runners/artifact_names.h"
#include "runners/engine/container.h"
#include "runners/workspace.h"

#define REST_LIMIT                                                                                 \
    (1 << 20) /* bytes behind the archive's end that are read: padding is much less */

/* All fetching of one trial. */
struct fetch {
    const struct test *test;
    struct string_list patterns; /* the test's `artifacts`, then its `junit` */
    struct artifacts *artifacts;
    bool *matched; /* one for each pattern */
    int folder_fd;
    int64_t archive_bytes; /* that came, of all archives */
    struct untar_report report;
};

/* One archive on its way: the worker writes into the socket, the thread unpacks what comes out. */
struct passage {
    struct fetch *fetch;
    const char *base; /* that was asked for, below the workspace; "" is the workspace */
    int in_fd, out_fd;
    bool closed; /* the thread took no more: it has its reasons */
    bool full;   /* more came than is read */
    struct error why;
};

void artifacts_clear(struct artifacts *artifacts) {
    for (size_t i = 0; i < artifacts->count; i++)
        free(artifacts->items[i].path);
    free(artifacts->items);
    string_list_clear(&artifacts->warnings);
    string_list_clear(&artifacts->junit);
    *artifacts = (struct artifacts){0};
}

/* ---- the thread ---- */

static bool is_junit(const struct fetch *fetch, const char *path) {
    for (size_t i = 0; i < fetch->test->junit.count; i++)
        if (artifact_match_junit(fetch->test->junit.items[i], path))
            return true;
    return false;
}

/* The name in the archive is the last name of the base, and what is below it. The base itself is told of when it is no file:
 * a link where a report was expected should not look like nothing. */
static int choose(void *context, const char *name, bool regular, char **path, struct error *err) {
    struct passage *passage = context;
    struct fetch *fetch = passage->fetch;
    const char *base = passage->base;
    const char *slash = strrchr(base, '/');
    const char *last = slash != NULL ? slash + 1 : base;
    const char *root = last[0] != '\0' ? last : strrchr(WORKSPACE_FOLDER, '/') + 1;
    if (!artifact_is_below(name, root))
        return 0;
    const char *rest = name + strlen(root);
    _cleanup_(free_pointer) char *whole =
        string_format(err, "%s%s", base, base[0] == '\0' && *rest == '/' ? rest + 1 : rest);
    if (whole == NULL)
        return -1;
    int pattern = artifact_match(&fetch->patterns, whole);
    if (pattern < 0 && (regular || *rest != '\0'))
        return 0;
    if (pattern >= 0)
        fetch->matched[pattern] = true;
    fetch->artifacts->junit_left += !regular && is_junit(fetch, whole);
    *path = steal(whole);
    return 0;
}

static int on_file(void *context, const char *path, int64_t bytes, int64_t changed_s,
                   struct error *err) {
    struct passage *passage = context;
    struct artifacts *artifacts = passage->fetch->artifacts;
    if (is_junit(passage->fetch, path)) {
        if (changed_s == TAR_TIME_S)
            artifacts->junit_old++;
        else if (string_list_add(&artifacts->junit, path, err) < 0)
            return -1;
    }
    if (artifacts->count == ARTIFACTS_NAMED)
        return 0;
    struct artifact *artifact = array_add(artifacts, err);
    if (artifact == NULL)
        return -1;
    artifact->size_bytes = bytes;
    if (string_copy(path, &artifact->path, err) == 0)
        return 0;
    artifacts->count--; /* one without a name is none */
    return -1;
}

static void read_rest(int fd) {
    char step[4096];
    for (size_t total = 0; total < REST_LIMIT;) {
        ssize_t got = read(fd, step, sizeof step);
        if (got == 0 || (got < 0 && errno != EINTR))
            return;
        total += got > 0 ? (size_t)got : 0;
    }
}

static void *unpack(void *context) {
    struct passage *passage = context;
    struct untar_options options = {
        .root_fd = passage->fetch->folder_fd,
        .limits = {ARTIFACTS_FILES, ARTIFACTS_BYTES, ARTIFACTS_FILE_BYTES},
        .choose = choose,
        .on_file = on_file,
        .context = passage,
    };
    struct untar_report *report = &passage->fetch->report;
    if (untar(passage->out_fd, &options, report, &passage->why) == 0 && report->stopped == NULL)
        read_rest(passage->out_fd);
    file_closep(&passage->out_fd); /* the worker learns of it by its next write */
    return NULL;
}

/* ---- the worker ---- */

static int on_data(void *context, const char *bytes, size_t length, struct error *err) {
    struct passage *passage = context;
    passage->fetch->archive_bytes += (int64_t)length;
    passage->full = passage->fetch->archive_bytes > ARTIFACTS_ARCHIVE_BYTES;
    if (passage->full)
        return error_set(err, ERROR_LIMIT, "too many bytes");
    while (length > 0) {
        ssize_t sent = send(passage->in_fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) {
            passage->closed = errno == EPIPE || errno == ECONNRESET;
            return error_set_errno(err, "unpack");
        }
        bytes += sent;
        length -= (size_t)sent;
    }
    return 0;
}

/* Both ends come to an end whatever the other does: a call has its time, and its end closes the socket. What the thread said
 * counts where it took no more; else what became of the call. */
static int pass_on(struct engine *engine, const char *id, struct passage *passage,
                   struct error *err) {
    int ends[2];
    pthread_t thread;
    _cleanup_(free_pointer) char *path = string_format(
        err, "%s%s%s", WORKSPACE_FOLDER, passage->base[0] != '\0' ? "/" : "", passage->base);
    if (path == NULL)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return error_set_errno(err, "unpack");
    passage->in_fd = ends[0];
    passage->out_fd = ends[1];
    int started = pthread_create(&thread, NULL, unpack, passage);
    if (started != 0) {
        file_closep(&passage->in_fd);
        file_closep(&passage->out_fd);
        errno = started;
        return error_set_errno(err, "unpack");
    }
    int result = container_get(engine, id, path, on_data, passage, err);
    file_closep(&passage->in_fd);
    pthread_join(thread, NULL);
    if (passage->full)
        return error_set(err, ERROR_LIMIT,
                         "more than %lld MiB came, and no more is read; name a folder in the "
                         "pattern that has less in it",
                         ARTIFACTS_ARCHIVE_BYTES >> 20);
    if (result < 0 && !passage->closed)
        return -1;
    error_clear(err);
    return passage->why.kind != ERROR_NONE ? error_move(err, &passage->why) : 0;
}

static int warn(struct artifacts *artifacts, struct error *err, const char *format, ...)
    _printf_(3, 4);

static int warn(struct artifacts *artifacts, struct error *err, const char *format, ...) {
    char line[1600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    return string_list_add(&artifacts->warnings, line, err);
}

/* No such path is for no_match to tell. Engines say 404 of a container that is gone, too. */
static bool is_nothing_there(const struct error *why) {
    return why->kind == ERROR_NOT_FOUND &&
           strcasestr(error_message(why), "no such container") == NULL;
}

static int fetch_base(struct engine *engine, const char *id, struct fetch *fetch, const char *base,
                      struct error *err) {
    struct passage passage = {.fetch = fetch, .base = base, .in_fd = -1, .out_fd = -1};
    _cleanup_(error_clear) struct error why = {0};
    int result = pass_on(engine, id, &passage, &why);
    error_clear(&passage.why);
    if (result == 0 || is_nothing_there(&why))
        return 0;
    if (why.kind == ERROR_NO_MEMORY)
        return error_move(err, &why);
    fetch->artifacts->incomplete = true;
    return warn(fetch->artifacts, err, "%s could not be fetched%s: %s",
                base[0] != '\0' ? base : "the workspace", fetch->report.files > 0 ? " whole" : "",
                error_message(&why));
}

/* ---- what is told ---- */

static int tell_left(const struct fetch *fetch, struct error *err) {
    const struct untar_report *report = &fetch->report;
    _cleanup_(text_clear) struct text words = {0};
    for (enum untar_left why = 0; why < UNTAR_LEFT_COUNT; why++)
        if (report->left[why] > 0)
            text_printf(&words, "%s%zu %s", words.length > 0 ? ", " : "", report->left[why],
                        untar_left_name(why, report->left[why]));
    if (words.length == 0)
        return 0;
    return warn(fetch->artifacts, err, "left out: %s; only regular files are fetched",
                text_string(&words));
}

static int tell_limits(const struct fetch *fetch, struct error *err) {
    const struct untar_report *report = &fetch->report;
    if (report->cut > 0 &&
        warn(fetch->artifacts, err, "%zu file%s cut off: a file may have %lld MiB", report->cut,
             report->cut == 1 ? " was" : "s were", ARTIFACTS_FILE_BYTES >> 20) < 0)
        return -1;
    if (report->stopped == NULL)
        return 0;
    return warn(fetch->artifacts, err,
                "not all of them were fetched, because there are too many %s: a trial may have %u "
                "files of %lld MiB together; name fewer in the patterns",
                report->stopped, ARTIFACTS_FILES, ARTIFACTS_BYTES >> 20);
}

static int tell_unmatched(const struct fetch *fetch, bool whole, struct error *err) {
    const struct string_list *asked = &fetch->test->artifacts; /* the first of the patterns */
    for (size_t i = 0; whole && i < asked->count; i++)
        if (!fetch->matched[i] &&
            warn(fetch->artifacts, err, "no file matches %s", asked->items[i]) < 0)
            return -1;
    return 0;
}

static int fetch_all(struct engine *engine, const char *id, struct fetch *fetch,
                     struct error *err) {
    struct string_list bases = {0};
    int result = artifact_bases(&fetch->patterns, &bases, err);
    for (size_t i = 0; i < bases.count && result == 0 && fetch->report.stopped == NULL; i++)
        result = fetch_base(engine, id, fetch, bases.items[i], err);
    string_list_clear(&bases);
    bool whole = fetch->artifacts->warnings.count == 0 && fetch->report.stopped == NULL;
    fetch->artifacts->incomplete =
        fetch->artifacts->incomplete || fetch->report.stopped != NULL || fetch->report.cut > 0;
    fetch->artifacts->files = fetch->report.files;
    fetch->artifacts->bytes = fetch->report.bytes;
    if (result < 0 || tell_left(fetch, err) < 0 || tell_limits(fetch, err) < 0)
        return -1;
    return tell_unmatched(fetch, whole, err);
}

/* Nobody may have put a link there: the folder above it was looked at when the run began. */
static int open_folder(const char *folder, struct error *err) {
    if (file_make_folders(folder, err) < 0)
        return -1;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 ? fd : error_set_errno(err, "open %s", folder);
}

static int add_patterns(struct fetch *fetch, const struct string_list *patterns,
                        struct error *err) {
    for (size_t i = 0; i < patterns->count; i++)
        if (string_list_add(&fetch->patterns, patterns->items[i], err) < 0)
            return -1;
    return 0;
}

int artifacts_fetch(struct engine *engine, const char *id, const struct test *test,
                    const char *folder, struct artifacts *artifacts, struct error *err) {
    _cleanup_(error_clear) struct error why = {0};
    _cleanup_(file_closep) int folder_fd = open_folder(folder, &why);
    if (folder_fd < 0) {
        artifacts->incomplete = true;
        return why.kind == ERROR_NO_MEMORY
                   ? error_move(err, &why)
                   : warn(artifacts, err, "none could be fetched: %s", error_message(&why));
    }
    struct fetch fetch = {.test = test, .artifacts = artifacts, .folder_fd = folder_fd};
    int result = add_patterns(&fetch, &test->artifacts, err) < 0
                     ? -1
                     : add_patterns(&fetch, &test->junit, err);
    fetch.matched = calloc(fetch.patterns.count + 1, sizeof *fetch.matched);
    if (result == 0)
        result = fetch.matched != NULL ? fetch_all(engine, id, &fetch, err) : error_no_memory(err);
    free(fetch.matched);
    string_list_clear(&fetch.patterns);
    return result;
}
