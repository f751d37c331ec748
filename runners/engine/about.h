/* about: what an engine is and can do, as it tells itself: for `doctor`, and for the reports of a run.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "runners/engine/engine.h"

enum told { NOT_TOLD, TOLD_NO, TOLD_YES };

struct engine_about {
    const char *name;      /* "Docker Engine", "Podman" */
    char *version;         /* "28.5.2" */
    char *oldest, *newest; /* of its API: "1.24"; NULL where it is not told */
    int spoken;            /* minor of the API that we speak with it */
    char *platform;        /* "linux/amd64" */
    char *store;           /* "overlay2", "containerd (overlayfs)" */
    bool rootless;         /* its processes run as an ordinary user */
    char *cgroups;         /* "1", "2"; NULL where it is not told */
    char *security;        /* "seccomp, apparmor"; "" for none */
    bool confined;         /* by AppArmor or SELinux */
    char *folder;          /* where it keeps all, on its machine; NULL where it is not told */
    enum told memory, swap, cpus, pids; /* whether it can limit them */
    int64_t processors, memory_bytes;   /* of its machine; 0 where it is not told */
};

/* err: as of engine_call */
int engine_ask_about(struct engine *engine, struct engine_about *out,
                     struct error *err) _must_check_;

/* Pure: from the answers to /version and /info. err: no-memory */
int engine_about_read(const json_t *version, const json_t *info, bool podman,
                      struct engine_about *out, struct error *err) _must_check_;
void engine_about_clear(struct engine_about *about);

/* "Docker Engine 20.10.24, API 1.41, overlay2, linux/amd64". NULL with *err set. */
char *engine_about_words(const struct engine_about *about, struct error *err) _must_check_;

/* The same in one go; platform: "linux/amd64". NULL with *err set. */
char *engine_describe(struct engine *engine, char **platform, struct error *err) _must_check_;
