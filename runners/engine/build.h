/* build: has the engine build an image, and proves which image came of it.
 *
 * The context goes as a tar in the body of POST /build, without a session: BuildKit takes that (version=2), and so does the
 * classic builder (version=1), which is asked where the engine says that it has no BuildKit. Podman builds with its own
 * builder whatever the version. What would need a session (secrets, ssh, credentials) cannot be had in a build; images that it
 * is based on are pulled before, with credentials, so the engine has them.
 *
 * A builder leaves out nothing of a context (runners/build_context.h does), and BuildKit does not even read the .dockerignore
 * of a context that was sent so.
 *   src  Engine API, POST /build; facts seen on Docker Engine 20.10 and Podman 4.3
 */
#pragma once

#include "gate/base/array.h"
#include "runners/engine/build_stream.h"
#include "runners/engine/engine.h"

#define LABEL_BUILD "pingate.build" /* on what was built: the name of the trial */

struct build_wish {
    int context_fd; /* a tar without its end */
    int64_t context_size;
    const struct text *tail;        /* its last entries, and its end */
    const char *dockerfile;         /* from the context on */
    const char *target;             /* stage; NULL is the last one */
    const char *platform;           /* "linux/arm64"; NULL is the engine's own */
    const struct string_list *args; /* "NAME=value" */
    const json_t *labels;
    int64_t timeout_ms;
    bool buildkit; /* false: the classic builder */
};

/* in   stream  with callbacks; its image_id is what the engine says it built
 * err  not-found  the engine has no BuildKit;  engine  it refused, or the stream told of a failure;
 *      timeout, network, protocol, limit;  what the callbacks gave */
int build_start(struct engine *engine, const struct build_wish *wish, struct build_stream *stream,
                struct error *err) _must_check_;

/* Whether the engine keeps images in containerd's store: then a builder asks a registry for a base that is there already, unless it
 * finds it by a tag. */
int engine_asks_for_bases(struct engine *engine, bool *asks, struct error *err) _must_check_;

/* Whether the image is there, under that id and with LABEL_BUILD of that name: then it is what this build made.
 *   err  protocol  it is not, or is another one */
int build_prove(struct engine *engine, const char *image_id, const char *name,
                struct error *err) _must_check_;
