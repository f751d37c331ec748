/* address: where the engine is, and in what words to say why it cannot be reached.
 *
 *     unix:///path        a socket; "unix://" alone is /var/run/docker.sock
 *     tcp://host[:port]   plain HTTP; the port is 2375 by default
 *
 * Where no address is given: DOCKER_HOST, else the first of the usual sockets that is there. Schemes that other tools know and
 * this one does not speak (ssh, npipe, fd, TLS by DOCKER_TLS_VERIFY) are refused with what to do instead, never tried.
 *   src  docker CLI: DOCKER_HOST, DOCKER_TLS_VERIFY, default hosts
 */
#pragma once

#include <stddef.h>

#include "gate/base/error.h"

struct engine_location {
    char *address; /* as it was found, for messages */
    char *socket;  /* path; NULL for TCP */
    char *base;    /* "http://localhost", "http://host:port" */
    bool loopback; /* a socket or this machine: no proxy is asked */
};

/* err: engine  nothing was given and nothing found;  usage  an address that is not spoken */
int engine_location_find(const char *address, struct engine_location *out,
                         struct error *err) _must_check_;
void engine_location_clear(struct engine_location *location);

/* Why a socket cannot be connected to and what to do, as a sentence; "" when it can be, or for TCP. Connects once. */
void engine_location_trouble(const struct engine_location *location, char *out, size_t size);
