/* cancel: one flag that every blocking call watches.
 *
 * A cancel is an eventfd that becomes readable, and stays so, once somebody asks to stop. Blocking code polls its
 * descriptor beside its own, so it stops at once and needs no time-out to notice. Requesting is async-signal-safe. A NULL
 * cancel is never requested: clean-up runs with NULL.
 *
 * A cancel can also be a part of another one that has an end in time: it is requested once the other is, or the time is over.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gate/base/error.h"

struct cancel {
    int fd;                        /* readable once requested; -1 before cancel_init */
    volatile int signal;           /* the signal that asked, 0 when something else did */
    volatile int64_t requested_ms; /* monotonic: when the first request came; 0 before */
    /* of cancel_init_until */
    const struct cancel *whole; /* lent; NULL: this is no part of another */
    int timer_fd;
    const char *over; /* what cancel_check says when the time is over; lent */
};

int cancel_init(struct cancel *cancel, struct error *err) _must_check_;

/* A part of `whole` that is requested, by no call, once clock_monotonic_ms() is end_ms. `whole` and the words stay where they
 * are. Such a cancel has no signal and no requested_ms of its own.
 *   in   over  for cancel_check: "the run's time (1 h) was over"
 *   err  io */
int cancel_init_until(struct cancel *cancel, const struct cancel *whole, int64_t end_ms,
                      const char *over, struct error *err) _must_check_;
void cancel_clear(struct cancel *cancel);

/* Routes SIGINT, SIGTERM and SIGHUP to *cancel (which must outlive the process' work) and ignores SIGPIPE. A second signal
 * of the kind does not kill: clean-up is bounded by its own deadlines. Call before the first thread. */
int cancel_on_signals(struct cancel *cancel, struct error *err) _must_check_;

void cancel_request(struct cancel *cancel, int signal);
bool cancel_requested(const struct cancel *cancel);
int cancel_fd(const struct cancel *cancel); /* -1 for NULL */

/* It is the time that is over, and nobody asked to stop. */
bool cancel_is_over(const struct cancel *cancel);

/* 0, or -1 with ERROR_CANCELLED when requested. */
int cancel_check(const struct cancel *cancel, struct error *err) _must_check_;
