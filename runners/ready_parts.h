/* ready_parts: what the kinds of readiness share; nobody else includes it. */
#pragma once

#include "runners/ready.h"

typedef int ready_kind_wait(struct ready_wait *wait, const struct test_ready *ready,
                            struct error *err);

ready_kind_wait ready_wait_healthy, ready_wait_tcp, ready_wait_http, ready_wait_log,
    ready_wait_exec, ready_wait_exit, ready_wait_none;

/* Runs the command in a container again and again, until it exits with 0, the time is over, or the service has ended.
 *   in  container  the service's, or the helper's
 *       try_ms     how long one try is waited for; 0: all the time that is left. In the helper it may take so long whatever the time,
 *                  since it ends by itself */
int ready_try_exec(struct ready_wait *wait, const char *container, const char *const *argv,
                   int64_t try_ms, struct error *err) _must_check_;

/* Sets state and end when the service does not run any more. *ended: it does not. */
int ready_look(struct ready_wait *wait, bool *ended, struct error *err) _must_check_;

/* Sleeps between two tries; true when the time is over, with the state set. err: cancelled. */
int ready_pause(struct ready_wait *wait, bool *late, struct error *err) _must_check_;
