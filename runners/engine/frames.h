/* frames: takes apart the engine's log streams: [type, 0, 0, 0, length as 32 bits, big end first] and then the bytes.
 * Frames and reads do not align; a frame of type 3 is the engine's own error. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gate/base/error.h"

struct frames {
    unsigned char header[8];
    size_t header_length; /* bytes of the header that are there */
    uint32_t left;        /* bytes of the frame that are still to come */
    /* stream: 1 standard output, 2 standard error */
    int (*on_bytes)(void *context, int stream, const char *bytes, size_t length, struct error *err);
    void *context;
};

/* err: protocol for a type that is none; engine for a frame of type 3; what on_bytes gave */
int frames_feed(struct frames *frames, const char *bytes, size_t length,
                struct error *err) _must_check_;

/* The stream ended: false when it ended inside a frame. */
bool frames_whole(const struct frames *frames);
