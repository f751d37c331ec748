/* address: where the engine is.
 *
 *     unix:///path              a socket; "unix://" alone is /var/run/docker.sock
 *     tcp://host[:port]         plain HTTP, port 2375; with TLS, port 2376, where DOCKER_TLS_VERIFY or DOCKER_TLS is set, or the
 *                               docker context has files for it
 *     https://host[:port]       always with TLS
 *     ssh://[user@]host[:port][/path]   `docker system dial-stdio` over there, see ssh.h
 *     context:NAME              what a docker context names, see context.h (for --engine alone)
 *
 * Looked for in the order of the docker CLI: what is given (--engine), DOCKER_HOST, DOCKER_CONTEXT, the current context of
 * docker's configuration, then the usual sockets: the first that we may use, else the first that is there. What is named and
 * lacks is an error, never passed over: tests would run on another engine than was meant.
 *
 * TLS: ca.pem, cert.pem and key.pem are of the context, else of DOCKER_CERT_PATH, else of the folder of docker's configuration;
 * one that lacks is done without. Certificates are always verified, unless the context says otherwise.
 *
 * Schemes that other tools know and this one does not speak (npipe, fd, http) are refused with what to do instead.
 *   src  docker CLI: cli/command, opts/hosts
 */
#pragma once

#include <stddef.h>

#include "gate/base/error.h"
#include "runners/engine/ssh.h"

struct engine_location {
    char *address; /* as it was found, without "context:", for messages */
    char *source;  /* "--engine", "DOCKER_HOST", "context lab of DOCKER_CONTEXT", "usual socket" */
    char *socket;  /* path; NULL for others */
    char *base;    /* "http://localhost", "https://host:port" */
    bool loopback; /* a socket, ssh, or this machine: no proxy is asked */
    bool tls;      /* then these are PEM files, or NULL: */
    char *ca;      /* who vouches for the engine; NULL: whom the system trusts */
    char *cert;    /* ours, with its key */
    char *key;
    bool unverified;       /* any certificate of the engine is taken, because the context says so */
    struct engine_ssh ssh; /* its host is NULL for others */
};

/* err: engine  nothing was given and nothing found, or docker's files are damaged;  usage  an address that is not spoken, a
 *      context that is not there;  io  a file for TLS that cannot be read */
int engine_location_find(const char *given, struct engine_location *out,
                         struct error *err) _must_check_;
int engine_location_copy(const struct engine_location *from, struct engine_location *to,
                         struct error *err) _must_check_;
void engine_location_clear(struct engine_location *location);
