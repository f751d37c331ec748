/* engine: the connection to a Docker Engine (or what speaks its API), one for each thread.
 *
 * engine_open asks for the engine's version and speaks the newest both know. Error bodies are read as JSON or text. Every call
 * has a time limit. Open one with a cancel for work, and one without for clean-up.
 *   src  Docker Engine API 1.40 to 1.47
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "gate/base/cancel.h"
#include "gate/base/http.h"
#include "gate/base/text.h"

#define ENGINE_CALL_TIMEOUT_MS 60000 /* calls that answer at once */
#define ENGINE_OLDEST_MINOR    40    /* API 1.40 */
#define ENGINE_NEWEST_MINOR    47    /* API 1.47: what was read and tried */

struct engine;

/* address: "unix:///path", "tcp://host:port"; NULL: DOCKER_HOST, else the usual sockets.
 * err: engine  nobody answers there, or its API is too old; the message tells the remedy */
int engine_open(const char *address, struct cancel *cancel, struct engine **out,
                struct error *err) _must_check_;
void engine_freep(struct engine **engine);
const char *engine_address(const struct engine *engine); /* as it was found */

struct engine_call {
    const char *method;
    const char *path;   /* behind the version: "/containers/json?all=1" */
    json_t *body;       /* lent; NULL for none */
    const char *header; /* one more, or NULL */
    int body_fd;        /* tar to send when body_size > 0 */
    int64_t body_size;
    int64_t timeout_ms;      /* 0 is ENGINE_CALL_TIMEOUT_MS; -1 is none */
    int64_t idle_timeout_ms; /* 0 is none */
    int (*on_data)(void *context, const char *bytes, size_t length, struct error *err);
    void *context;
};

/* *status is 0 without an answer. answer: the parsed JSON body of a 2xx, NULL where there is none; may be NULL.
 *   err  network, timeout, cancelled, limit, and for a status of 400 and above: not-found, conflict, engine with the engine's
 *        own words */
int engine_call(struct engine *engine, const struct engine_call *call, long *status,
                json_t **answer, struct error *err) _must_check_;

/* "Docker Engine 20.10.24, API 1.41, overlay2, linux/amd64"; platform: "linux/amd64". NULL with *err set. */
char *engine_describe(struct engine *engine, char **platform, struct error *err) _must_check_;
