/* container_wish: a container as somebody wants it, and the words in which an engine is asked for it.
 *
 * Plain data, all of it lent, pure. Tests (container_spec.h) and services fill it. An engine never gets less than was wished: what it
 * cannot do is refused by it, or told as a warning.
 *
 * Profiles. By default a container has no new privileges and the engine's usual capabilities, as images expect them (apt, gosu,
 * nginx). `strict` has none, and cannot write but to its volumes, /dev/shm and tmpfs mounts, of which /tmp is always one.
 *   src  Docker Engine API 1.41, POST /containers/create; what was seen on Docker Engine 20.10 and Podman 4.3 is in HACKING.md
 */
#pragma once

#include <jansson.h>

#include "runners/engine/labels.h"
#include "runners/test.h"

/* of `strict`, unless it says otherwise: a tmpfs is noexec where nothing is said */
#define CONTAINER_TMP         "/tmp"
#define CONTAINER_TMP_OPTIONS "rw,exec,nosuid,nodev,mode=1777"

struct container_mount {
    const char *volume;
    const char *target;
    bool read_only;
};

#define CONTAINER_WISH_LISTS  3
#define CONTAINER_WISH_MOUNTS 3

struct container_wish {
    const char *image; /* reference with digest, or id */
    enum entrypoint entrypoint;
    char *const *entrypoint_words; /* of ENTRYPOINT_REPLACE; NULL-terminated */
    /* The command; NULL is the image's own. In place of the entrypoint with ENTRYPOINT_CLEAR, else its arguments. */
    char *const *argv;
    /* "NAME=value"; NULL where there are fewer; a later value of one name counts */
    const struct string_list *environment[CONTAINER_WISH_LISTS];
    const char *user;                  /* NULL is the image's */
    const char *workdir;               /* NULL is the image's */
    const char *network;               /* "none", "bridge", or a network's id */
    const struct string_list *aliases; /* in that network; NULL: none */
    int64_t memory_bytes, nano_cpus, pids;
    int64_t shm_bytes;                 /* 0 is the engine's default */
    const struct string_list *tmpfs;   /* "/path:options"; NULL: none */
    const struct ulimit_list *ulimits; /* NULL: none */
    bool strict;
    struct container_mount mounts[CONTAINER_WISH_MOUNTS]; /* up to the first without a volume */
};

/* The body of POST /containers/create. what: for messages, "test \"answers\"".
 *   err  input  something is not UTF-8. NULL then */
json_t *container_wish_body(const struct container_wish *wish, const struct labels *labels,
                            const char *what, struct error *err) _must_check_;
