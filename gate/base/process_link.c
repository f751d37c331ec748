#include "gate/base/process_link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate/base/clock.h"
#include "gate/base/file.h"
#include "gate/base/process_parts.h"

#define WATCH_INTERVAL_MS 10   /* how often a program that is to end is looked at */
#define TERMINATE_MS      500  /* from SIGTERM to SIGKILL */
#define WORDS_LIMIT       4096 /* bytes of the end of standard error */

struct process_link {
    pid_t pid; /* NO_CHILD once it was waited for */
    int error; /* a file in memory: a program that says much is never blocked by us */
};

static int start(struct process_link *link, const char *const *argv, int theirs,
                 struct error *err) {
    link->error = memfd_create("error", MFD_CLOEXEC);
    if (link->error < 0)
        return error_set_errno(err, "make a file for standard error");
    const struct process_start wish = {
        .argv = argv, .ends = {theirs, theirs, link->error}, .session = true};
    return process_spawn(&wish, &link->pid, err);
}

struct process_link *process_link_open(const char *const *argv, int theirs, struct error *err) {
    struct process_link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        error_no_memory(err);
        return NULL;
    }
    *link = (struct process_link){.pid = NO_CHILD, .error = -1};
    if (start(link, argv, theirs, err) < 0) {
        process_link_close(link, 0);
        return NULL;
    }
    return link;
}

bool process_link_ended(struct process_link *link, int64_t wait_ms) {
    int64_t deadline = clock_monotonic_ms() + wait_ms;
    while (link->pid != NO_CHILD) {
        pid_t waited = waitpid(link->pid, NULL, WNOHANG);
        if (waited == link->pid || (waited < 0 && errno == ECHILD))
            link->pid = NO_CHILD;
        else if (clock_monotonic_ms() >= deadline)
            return false;
        else
            poll(NULL, 0, WATCH_INTERVAL_MS);
    }
    return true;
}

int process_link_words(const struct process_link *link, struct text *out, struct error *err) {
    char bytes[WORDS_LIMIT];
    struct stat status;
    if (fstat(link->error, &status) < 0)
        return error_set_errno(err, "read standard error");
    off_t begin = status.st_size > WORDS_LIMIT ? status.st_size - WORDS_LIMIT : 0;
    ssize_t got = pread(link->error, bytes, sizeof bytes, begin);
    if (got < 0)
        return error_set_errno(err, "read standard error");
    text_append(out, bytes, (size_t)got);
    return text_check(out, err);
}

void process_link_close(struct process_link *link, int64_t wait_ms) {
    if (!process_link_ended(link, wait_ms)) {
        kill(-link->pid, SIGTERM);
        if (!process_link_ended(link, TERMINATE_MS)) {
            kill(-link->pid, SIGKILL);
            process_link_ended(link, TERMINATE_MS);
        }
    }
    file_closep(&link->error);
    free(link);
}
