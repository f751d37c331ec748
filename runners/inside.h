/* inside: helper containers of our own, which need nothing of the image that they are made from: no shell, no libc.
 *
 * pingate carries a small static program, pingate-inside, and puts it into such a container before that starts. What it can do
 * (hold, tcp, http) is told at the top of runners/inside/inside.c.
 *
 *     if (inside_check(platform, err) == 0) …                      the program is for this engine's platform
 *     inside_make(&wish, &id, err);                                created; the program is in it
 *     container_start(engine, id, err);
 *     exec {INSIDE_PROGRAM, "tcp", …} in it                        where it holds
 *     container_remove(cleaner, id, err);
 *
 * It may do nothing, unless `root` is wished: user 65534, no capabilities, nothing gained by setuid, a root that is read-only, 32 MiB, 32 processes. The
 * program lies in a volume without a name, which goes with the container, because an archive cannot be put into a root that
 * is read-only. The image's health check is off, and its entrypoint not run.
 */
#pragma once

#include "runners/engine/engine.h"
#include "runners/engine/labels.h"

#define INSIDE_FOLDER  "/.pingate" /* in the container */
#define INSIDE_PROGRAM "/.pingate/pingate-inside"

/* Whether the program runs on containers of that platform ("linux/amd64", of engine_describe).
 *   err  engine, with both platforms */
int inside_check(const char *platform, struct error *err) _must_check_;

/* The program itself, for who puts it elsewhere; lent. */
const char *inside_program(size_t *size);

/* The same as a tar that holds "pingate-inside", mode 0755, for container_put.
 *   out  fd    the caller's to close; -1 on -1 */
int inside_tar(int *fd, int64_t *size, struct error *err) _must_check_;

struct inside_wish {
    struct engine *engine, *cleaner; /* the one for what may be cut short, the one that makes */
    const struct labels *labels;
    const char *name;  /* of the container; unique */
    const char *image; /* id of any image that is there */
    const char *
        platform; /* of that image, where it is not the engine's; the program runs all the same. Or NULL */
    const char *network;      /* "none", a network's name or id, "container:ID" */
    const char *const *words; /* what it does, NULL-terminated: {"hold", NULL} */
    bool root;                /* as root, with the engine's usual capabilities */
    json_t *mounts;           /* more of them, as HostConfig.Mounts has them; lent; NULL for none */
};

/* Makes the container, with the program in it, and does not start it.
 *   out  id   owned
 *   err  as of the engine's calls; the container may be there all the same: the caller removes it by wish->name */
int inside_make(const struct inside_wish *wish, char **id, struct error *err) _must_check_;
