#include "gate/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate/base/clock.h"
#include "gate/base/file.h"
#include "gate/base/process_parts.h"

#define READ_STEP         (64u << 10) /* bytes a read; what a pipe holds */
#define WATCH_INTERVAL_MS 20 /* how often the child is looked at where the kernel has no pidfd */

struct child {
    pid_t pid; /* NO_CHILD once it was waited for */
    int pidfd; /* readable when it has ended; -1 where the kernel has none */
    int out, error;
    bool ended;
    const struct process_options *options;
    struct process_result *result;
    int64_t deadline; /* monotonic; 0 is none */
};

/* A file rather than a pipe: a program that does not read it cannot block us or raise SIGPIPE. */
static int open_input(const struct process_options *options, struct error *err) {
    if (options->input == NULL) {
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return null >= 0 ? null : error_set_errno(err, "open /dev/null");
    }
    _cleanup_(file_closep) int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, "make a file for standard input");
    if (file_write_all(fd, options->input, options->input_length, err) < 0)
        return -1;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return error_set_errno(err, "rewind standard input");
    int kept = fd;
    fd = -1;
    return kept;
}

static int start(struct child *child, struct error *err) {
    _cleanup_(file_closep) int input = open_input(child->options, err);
    if (input < 0)
        return -1;
    int out[2], error[2];
    if (pipe2(out, O_CLOEXEC) < 0)
        return error_set_errno(err, "make a pipe");
    child->out = out[0];
    _cleanup_(file_closep) int out_end = out[1];
    if (pipe2(error, O_CLOEXEC) < 0)
        return error_set_errno(err, "make a pipe");
    child->error = error[0];
    _cleanup_(file_closep) int error_end = error[1];
    /* Only our ends: the program's would be the same open file. */
    if (fcntl(child->out, F_SETFL, O_NONBLOCK) < 0 || fcntl(child->error, F_SETFL, O_NONBLOCK) < 0)
        return error_set_errno(err, "set up a pipe");
    const struct process_start wish = {.argv = child->options->argv,
                                       .environment = child->options->environment,
                                       .ends = {input, out_end, error_end}};
    if (process_spawn(&wish, &child->pid, err) < 0)
        return -1;
    child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    return 0;
}

/* Takes what is there. Closes the descriptor at its end. */
static int take_output(struct child *child, int *fd, struct text *into, struct error *err) {
    char step[READ_STEP];
    while (*fd >= 0) {
        ssize_t got = read(*fd, step, sizeof step);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return 0;
        if (got < 0)
            return error_set_errno(err, "read what %s writes", child->options->argv[0]);
        if (got == 0) {
            file_closep(fd);
            return 0;
        }
        size_t length = (size_t)got;
        if (into == &child->result->error_output) {
            size_t room = PROCESS_ERROR_OUTPUT_LIMIT - into->length;
            length = length < room ? length : room;
        }
        text_append(into, step, length);
        if (into->failed != ERROR_NONE) {
            int checked = text_check(into, err);
            return checked < 0 ? error_wrap(err, "what %s writes", child->options->argv[0]) : 0;
        }
    }
    return 0;
}

/* Without reaping it: its process group keeps its number until then. */
static bool has_ended(const struct child *child) {
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == child->pid;
}

static int wait_time(const struct child *child, struct error *err) {
    int64_t wait = -1;
    if (child->deadline != 0) {
        wait = child->deadline - clock_monotonic_ms();
        if (wait <= 0) {
            error_set(err, ERROR_TIMEOUT, "%s did not end within %lld ms", child->options->argv[0],
                      (long long)child->options->timeout_ms);
            return -2;
        }
    }
    if (child->pidfd < 0 && (wait < 0 || wait > WATCH_INTERVAL_MS))
        wait = WATCH_INTERVAL_MS;
    return wait > INT32_MAX ? INT32_MAX : (int)wait;
}

/* Until it has ended. What it wrote before is in the pipes then, and is all that counts: somebody whom it left behind may
 * hold them open for ever. */
static int watch(struct child *child, struct error *err) {
    while (!child->ended) {
        if (cancel_check(child->options->cancel, err) < 0)
            return -1;
        int wait = wait_time(child, err);
        if (wait == -2)
            return -1;
        struct pollfd watched[] = {{.fd = child->out, .events = POLLIN},
                                   {.fd = child->error, .events = POLLIN},
                                   {.fd = child->pidfd, .events = POLLIN},
                                   {.fd = cancel_fd(child->options->cancel), .events = POLLIN}};
        if (poll(watched, 4, wait) < 0 && errno != EINTR)
            return error_set_errno(err, "wait for %s", child->options->argv[0]);
        child->ended = has_ended(child);
        if (take_output(child, &child->out, &child->result->output, err) < 0 ||
            take_output(child, &child->error, &child->result->error_output, err) < 0)
            return -1;
    }
    return 0;
}

static void reap(struct child *child) {
    if (child->pid == NO_CHILD)
        return;
    kill(-child->pid, SIGKILL);
    int status = 0;
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    child->result->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    child->result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    child->pid = NO_CHILD;
}

int process_run(const struct process_options *options, struct process_result *result,
                struct error *err) {
    *result =
        (struct process_result){.exit_status = -1, .output = {.ceiling = options->output_limit}};
    struct child child = {.pid = NO_CHILD, .pidfd = -1, .out = -1, .error = -1};
    child.options = options;
    child.result = result;
    if (options->timeout_ms > 0)
        child.deadline = clock_monotonic_ms() + options->timeout_ms;
    int ran = start(&child, err);
    if (ran == 0)
        ran = watch(&child, err);
    reap(&child);
    file_closep(&child.out);
    file_closep(&child.error);
    file_closep(&child.pidfd);
    return ran;
}

void process_result_clear(struct process_result *result) {
    text_clear(&result->output);
    text_clear(&result->error_output);
    *result = (struct process_result){0};
}

char *process_result_why(const struct process_result *result, struct error *err) {
    const char *said = text_string(&result->error_output);
    size_t length = strcspn(said, "\r\n");
    if (length > 0)
        return string_dup_length(said, length, err);
    if (result->signal != 0)
        return string_format(err, "killed by SIG%s", sigabbrev_np(result->signal));
    return string_format(err, "exit status %d", result->exit_status);
}
