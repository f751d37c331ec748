/* ready: whether a service that runs beside a test can be used, by one or more checks that must all hold.
 *
 *     healthy   the container's health check (the image's, or the test's own) succeeds when it is run in it
 *     tcp       a port takes a connection                    from a helper in the trial's network, so that a service that only
 *     http      a GET is answered with a status              listens on its own loopback is not ready
 *     log       a line of its output matches a pattern
 *     exec      a command in it exits with 0
 *     exit      it has ended, with the code that is wanted: a migration, a job that fills a volume
 *     none      it runs
 *
 * Whatever is waited for, a service that ended meanwhile ends the wait at once: whether it runs is asked before anything else. A kind
 * is one file (ready_NAME.c) and one line in the table of ready.c. The health check is run by us and not by the engine: engines
 * wait for the image's interval (30 s unless told otherwise) before they look for the first time, and Podman without
 * systemd never looks.
 */
#pragma once

#include "gate/base/cancel.h"
#include "runners/engine/container.h"
#include "runners/engine/container_facts.h"
#include "runners/test.h"

#define READY_WITHIN_MS (60 * 1000) /* default of `within` */
#define READY_PAUSE_MS  50          /* between two tries */
#define READY_SAID_SIZE 400

enum ready_state {
    READY_YES,
    READY_LATE,  /* not within its time */
    READY_ENDED, /* the service ended, and was not to */
    READY_NEVER, /* it cannot become true, as `said` tells */
};

struct ready_wait {
    struct engine *engine; /* for the question that may take its time */
    struct engine *other;  /* for questions meanwhile */
    const struct cancel *cancel;
    const char *id;   /* of the service's container */
    const char *name; /* of the service: what others call it */
    const struct container_facts *facts;
    /* A helper container in the service's network (inside.h); NULL where the engine cannot run ours: then the service's own shell is
     * asked. */
    const char *probe;
    int64_t deadline_ms; /* of clock_monotonic_ms */
    enum ready_state state;
    struct container_state end; /* READY_ENDED */
    char said[READY_SAID_SIZE]; /* by the last try, for people; untrusted */
};

/* Waits for one check.
 *   err  what kept it from being known; cancelled */
int ready_wait(struct ready_wait *wait, const struct test_ready *ready,
               struct error *err) _must_check_;

/* Whether the kind asks from a helper container. */
bool ready_needs_probe(enum ready_kind kind);

/* What a service is waited for that does not say: its health check, else its first port, else that it runs. */
void ready_default(const struct container_facts *facts, struct test_ready *out);

/* "tcp port 6379", "log \"ready to accept\"": for people. */
void ready_words(const struct test_ready *ready, struct text *out);
