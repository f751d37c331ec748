/* build_stream: reads what an engine sends while it builds: steps, their output, the image, the failure. Pure.
 *
 *     struct build_stream stream = {.on_output = …, .on_step = …, .on_use = …, .context = …};
 *     build_stream_feed(&stream, bytes, length, err);
 *     build_stream_end(&stream, err);
 *     build_stream_clear(&stream);
 *
 * Lines of JSON, as progress.h reads them. There are two dialects:
 *
 *     BuildKit   {"id": "moby.buildkit.trace", "aux": "base64"}, see build_trace.h; {"id": "moby.image.id", "aux": {"ID"}}
 *     the others {"stream": "Step 2/3 : RUN make"}, "STEP 2/3: RUN make" of Podman; {"aux": {"ID"}} of each stage
 *
 * That a stream ended well proves nothing: the caller looks for the image, and that the images that were to be used have been.
 *   src  Engine API, POST /build; seen on Docker Engine 20.10 with both builders, Podman 4.3
 */
#pragma once

#include "gate/base/array.h"
#include "runners/engine/progress.h"

#define BUILD_LINE_LIMIT                                                                           \
    (16u << 20)                /* bytes of one line: BuildKit puts 100 ms of output into one */
#define BUILD_STEPS      4096u /* that are told apart; more are not told of */
#define BUILD_STEP_WORDS 400u  /* bytes of a step's name that are kept */
#define BUILD_LEFT       1000u /* images between that are remembered */

struct build_step {
    char *digest; /* BuildKit's name of it */
    char *name;
    bool announced, done;
};

struct build_stream {
    /* The build's log, as people read it: what steps print, and a line "=> NAME" before it where the engine has none. */
    int (*on_output)(void *context, const char *bytes, size_t length, struct error *err);
    int (*on_step)(void *context, const char *name, struct error *err); /* it begins */
    /* An image was taken into the build. words: hold "@sha256:…" of it; or are the first digits of its id */
    int (*on_use)(void *context, const char *words, struct error *err);
    void *context;

    char *image_id;    /* of what was built, "sha256:…"; NULL so far */
    char *step;        /* the last that began, or the one that failed */
    char *step_error;  /* of the one that failed, where the engine tells it apart */
    int64_t exit_code; /* of what failed in it; 0 where the engine does not tell it apart */
    /* ids, short ones, of images that the classic builder made on its way; nobody else removes them */
    struct string_list between;

    struct progress progress;
    struct text line; /* of a text dialect, as far as it came */
    bool cached;      /* the step at hand came from the engine's cache */
    bool from;        /* the step at hand is a FROM */
    struct {
        struct build_step *items;
        size_t count;
        size_t capacity;
    } steps;
    size_t speaking; /* the step whose output came last, from 1; 0: none */
    struct text decoded;
};

/* context: a struct build_stream. err: limit  an endless line;  protocol  a line that is no JSON;  what the callbacks gave */
int build_stream_feed(void *context, const char *bytes, size_t length,
                      struct error *err) _must_check_;

/* The stream ended. err: engine  it told of an error, in the engine's own words */
int build_stream_end(struct build_stream *stream, struct error *err) _must_check_;

/* Whether what failed is what a step of the Dockerfile does: a command that exits with another code than 0, a file that is not
 * there. Everything else (a registry, the engine, a Dockerfile that cannot be read) says nothing of the images. */
bool build_stream_blames_step(const struct build_stream *stream);

void build_stream_clear(struct build_stream *stream);
