/* progress: reads the stream of JSON lines that an engine sends while it pulls (and builds).
 *
 * Such a stream begins with status 200 before anything is known; an error comes as one of its lines, and then counts. A line is
 * {"status", "id", "progressDetail": {"current", "total"}} or {"errorDetail": {"message"}, "error"}; what is neither is passed
 * over. That a stream ended well proves nothing: the caller looks for the image. Pure.
 *   src  Engine API, POST /images/create; `error` is on its way out since 1.48, `errorDetail` is not
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "gate/base/text.h"

#define PROGRESS_LINE_LIMIT (1u << 20) /* bytes of one line, where nothing else is said */
#define PROGRESS_LAYERS     256        /* whose bytes are added up; more are not counted */
#define PROGRESS_WORDS      1000       /* bytes of an engine's words that are kept */

struct progress_layer {
    char *id;
    int64_t done, total; /* bytes, never negative */
};

struct progress {
    void (*on_bytes)(void *context, int64_t done, int64_t total); /* of all layers; may be NULL */
    /* each line, also one that is no JSON (NULL) or tells of an error; may be NULL */
    int (*on_line)(void *context, const json_t *line, struct error *err);
    void *context;
    size_t line_limit; /* bytes of one line; 0 is PROGRESS_LINE_LIMIT */
    char *failure;     /* the first one, the engine's own words */

    struct text line; /* what came of it so far */
    struct {
        struct progress_layer *items;
        size_t count, capacity;
    } layers;
};

/* context: a struct progress. err: limit for an endless line. */
int progress_feed(void *context, const char *bytes, size_t length, struct error *err) _must_check_;

/* The stream ended. err: engine  one of its lines was an error */
int progress_end(struct progress *progress, struct error *err) _must_check_;
void progress_clear(struct progress *progress);
