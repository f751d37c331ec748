/* container: one container's life in the engine. What it is made of: runners/container_spec.h. */
#pragma once

#include "runners/engine/engine.h"

#define CONTAINER_PUT_CALLS                                                                        \
    10 /* times what one call may take: a large workspace, a slow way; to get, too */

/* The name is unique, so that a container whose making was never answered can be removed by it.
 *   out  id   owned; also on -1 when one was made and is not fit: for another platform
 *   err  not-found  no such image;  conflict  the name is taken;  engine, protocol, network, timeout */
int container_create(struct engine *engine, const char *name, const json_t *spec, char **id,
                     struct error *err) _must_check_;
/* platform: "linux/arm64", of an image that is for another one than the engine's; NULL: the engine's own */
int container_create_for(struct engine *engine, const char *name, const char *platform,
                         const json_t *spec, char **id, struct error *err) _must_check_;
int container_start(struct engine *engine, const char *id, struct error *err) _must_check_;
int container_put(struct engine *engine, const char *id, const char *path, int tar_fd, int64_t size,
                  struct error *err) _must_check_;
/* A file or folder of the container and its volumes as a tar stream, in pieces; the first name of each entry is the last one of
 * the path. Works whether it runs, has ended or never started.
 *   err  not-found  no such path, or no such container;  protocol  nobody knows whether the answer was whole;  what on_data
 *        gave */
int container_get(struct engine *engine, const char *id, const char *path,
                  int (*on_data)(void *context, const char *bytes, size_t length,
                                 struct error *err),
                  void *context, struct error *err) _must_check_;
/* Gone or stopped already is fine. */
int container_kill(struct engine *engine, const char *id, struct error *err);
/* By force; gone already is fine. */
int container_remove(struct engine *engine, const char *id, struct error *err);

/* What inspect says, the only word that decides. */
struct container_state {
    bool started; /* it did run */
    bool running; /* paused and restarting count as such */
    bool oom;
    int exit_code;
    int64_t finished_ms; /* since 1970, by the engine's clock; 0: it has no end */
    char image[80];      /* id of its image: "sha256:…" */
    char error[300];     /* why it did not start */
};

/* id: the whole one. err: engine  it is gone;  protocol  a word lacks, has the wrong type or is about another one */
int container_inspect(struct engine *engine, const char *id, struct container_state *state,
                      struct error *err) _must_check_;

/* How much later than the end of a process the engine may note what ended it */
#define SIGNAL_MARGIN_MS 50

/* Whether a signal was sent to it through the engine (docker stop, an engine that shuts down): then it did not exit by itself,
 * whatever its code is. An engine that keeps no events (Podman without a journal) cannot tell: false then. Best asked after its
 * removal, when the margin has passed; else the engine waits for that. */
int container_was_signalled(struct engine *engine, const char *id, int64_t finished_ms,
                            bool *signalled, struct error *err) _must_check_;
