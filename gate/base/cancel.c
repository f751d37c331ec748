#include "gate/base/cancel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "gate/base/clock.h"

/* the one that cancel_on_signals named; a handler has no other way to find it */
static struct cancel *signalled;

int cancel_init(struct cancel *cancel, struct error *err) {
    *cancel = (struct cancel){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (cancel->fd < 0)
        return error_set_errno(err, "make an eventfd");
    return 0;
}

static int watch(const struct cancel *cancel, int fd) {
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(cancel->fd, EPOLL_CTL_ADD, fd, &event);
}

int cancel_init_until(struct cancel *cancel, const struct cancel *whole, int64_t end_ms,
                      const char *over, struct error *err) {
    /* a time of zero would disarm the timer */
    int64_t at_ms = end_ms > 0 ? end_ms : 1;
    struct itimerspec end = {
        .it_value = {.tv_sec = (time_t)(at_ms / 1000), .tv_nsec = (long)(at_ms % 1000 * 1000000)}};
    *cancel = (struct cancel){.fd = epoll_create1(EPOLL_CLOEXEC), .whole = whole, .over = over};
    cancel->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (cancel->fd >= 0 && cancel->timer_fd >= 0 &&
        timerfd_settime(cancel->timer_fd, TFD_TIMER_ABSTIME, &end, NULL) == 0 &&
        watch(cancel, cancel->timer_fd) == 0 &&
        (cancel_fd(whole) < 0 || watch(cancel, cancel_fd(whole)) == 0))
        return 0;
    error_set_errno(err, "make a timer");
    cancel_clear(cancel);
    return -1;
}

void cancel_clear(struct cancel *cancel) {
    if (signalled == cancel)
        signalled = NULL;
    if (cancel->over != NULL && cancel->timer_fd >= 0)
        close(cancel->timer_fd);
    cancel->over = NULL;
    if (cancel->fd >= 0)
        close(cancel->fd);
    cancel->fd = -1;
}

void cancel_request(struct cancel *cancel, int signal) {
    uint64_t one = 1;
    if (cancel->signal == 0)
        cancel->signal = signal;
    if (cancel->requested_ms == 0) /* clock_gettime is async-signal-safe */
        cancel->requested_ms = clock_monotonic_ms();
    ssize_t written = write(cancel->fd, &one, sizeof one);
    (void)written; /* full means that it was requested already */
}

static void on_signal(int signal) {
    int saved = errno;
    if (signalled != NULL)
        cancel_request(signalled, signal);
    errno = saved;
}

int cancel_on_signals(struct cancel *cancel, struct error *err) {
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    signalled = cancel;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
        if (sigaction(stops[i], &action, NULL) < 0)
            return error_set_errno(err, "handle signal %d", stops[i]);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (sigaction(SIGPIPE, &ignore, NULL) < 0)
        return error_set_errno(err, "ignore SIGPIPE");
    return 0;
}

bool cancel_requested(const struct cancel *cancel) {
    if (cancel == NULL || cancel->fd < 0)
        return false;
    struct pollfd watched = {.fd = cancel->fd, .events = POLLIN};
    return poll(&watched, 1, 0) > 0;
}

int cancel_fd(const struct cancel *cancel) {
    return cancel != NULL ? cancel->fd : -1;
}

bool cancel_is_over(const struct cancel *cancel) {
    return cancel != NULL && cancel->over != NULL && cancel_requested(cancel) &&
           !cancel_requested(cancel->whole);
}

int cancel_check(const struct cancel *cancel, struct error *err) {
    if (!cancel_requested(cancel))
        return 0;
    if (cancel_is_over(cancel))
        return error_set(err, ERROR_CANCELLED, "%s", cancel->over);
    if (cancel->whole != NULL)
        return cancel_check(cancel->whole, err);
    if (cancel->signal != 0)
        return error_set(err, ERROR_CANCELLED, "stopped by SIG%s", sigabbrev_np(cancel->signal));
    return error_set(err, ERROR_CANCELLED, "stopped");
}
