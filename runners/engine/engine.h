/* engine: the connection to a Docker Engine (or what speaks its API), one for each thread.
 *
 * engine_open asks for the engine's version and speaks the newest both know. Error bodies are read as JSON or text. Every call
 * has a time limit of its own, whatever the test's is.
 *
 * There are two of them for each thread: one for what may be cut short at any moment (pulls, uploads, logs, questions), and a
 * cleaner for what makes and removes things: a call that is cut there leaves it unknown whether the thing is there. A cancel
 * gives the cleaner ENGINE_GRACE_MS more.
 *   src  Docker Engine API 1.40 to 1.51
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "gate/base/cancel.h"
#include "gate/base/http.h"
#include "gate/base/text.h"
#include "runners/engine/address.h"

/* calls that answer at once; PINGATE_ENGINE_TIMEOUT says otherwise */
#define ENGINE_CALL_TIMEOUT_MS       60000
#define ENGINE_FIRST_CALL_TIMEOUT_MS 10000 /* the first one, and a ping: is anybody there */
/* the same over ssh, whose own limit to connect is the next one, as in the docker CLI */
#define ENGINE_FIRST_CALL_SSH_TIMEOUT_MS 45000
#define ENGINE_SSH_CONNECT_TIMEOUT_MS    30000
/* for clean-up after a cancel: CI kills 7.5 s after SIGINT, and reports are written too */
#define ENGINE_GRACE_MS 5000
/* of that for one call, so that one that is stuck leaves some for others */
#define ENGINE_CALL_GRACE_MS 2000
#define ENGINE_OLDEST_MINOR  40 /* API 1.40 */
#define ENGINE_NEWEST_MINOR  51 /* API 1.51 of Docker Engine 28.5: what was tried, see HACKING.md */

struct engine;

/* address: see address.h; NULL: DOCKER_HOST, a docker context, the usual sockets.
 * err: engine  nobody answers there, or its API is too old; the message tells the remedy */
int engine_open(const char *address, struct cancel *cancel, struct engine **out,
                struct error *err) _must_check_;

/* More connections to an engine that was opened: it is not asked anew what it is (Podman takes half a second to tell). */
int engine_open_another(const struct engine *known, struct cancel *cancel, struct engine **out,
                        struct error *err) _must_check_;
int engine_open_cleaner(const struct engine *known, struct cancel *cancel, struct engine **out,
                        struct error *err) _must_check_;
void engine_freep(struct engine **engine);
const char *engine_address(const struct engine *engine); /* as it was found */
const char *engine_source(const struct engine *engine);  /* where: "DOCKER_HOST", see address.h */
const struct engine_location *engine_location(const struct engine *engine);
int engine_minor(const struct engine *engine); /* of the API that is spoken: 41 is 1.41 */
/* what a call may take; longer ones are multiples */
int64_t engine_timeout_ms(const struct engine *engine);

bool engine_is_podman(const struct engine *engine); /* Podman's API service, not a Docker Engine */

/* Whether it still answers. err: engine, cancelled. */
int engine_ping(struct engine *engine, struct error *err) _must_check_;

struct engine_call {
    const char *method;
    const char *path;   /* behind the version: "/containers/json?all=1" */
    const char *words;  /* what messages call a path that is long; NULL: the path */
    json_t *body;       /* lent; NULL for none */
    const char *header; /* one more, or NULL */
    int body_fd;        /* tar to send when body_size > 0 */
    int64_t body_size;
    const struct text *body_tail; /* sent behind it; NULL for nothing */
    int64_t timeout_ms;           /* of the whole call; 0 is engine_timeout_ms() */
    int64_t idle_timeout_ms;      /* 0 is none */
    bool needs_end; /* the answer must say itself where it ends: a cut must not look like an end */
    int (*on_data)(void *context, const char *bytes, size_t length, struct error *err);
    int (*on_silence)(void *context, struct error *err); /* see http.h; NULL: waits */
    int64_t silence_ms;
    void *context;
};

/* *status is 0 without an answer. answer: the parsed JSON body of a 2xx, NULL where there is none; may be NULL.
 *   err  network, timeout, cancelled, limit, protocol, and for a status that is no 2xx: not-found, conflict, engine with the
 *        engine's own words */
int engine_call(struct engine *engine, const struct engine_call *call, long *status,
                json_t **answer, struct error *err) _must_check_;

/* GET, with a JSON answer: a question that is answered at once.
 *   err  as of engine_call */
int engine_get(struct engine *engine, const char *path, json_t **answer,
               struct error *err) _must_check_;

/* DELETE; gone already is fine. err: as of engine_call */
int engine_delete(struct engine *engine, const char *path, struct error *err) _must_check_;
