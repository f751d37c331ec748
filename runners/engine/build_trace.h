/* build_trace: takes apart what BuildKit tells of a build: one StatusResponse of its control API, a protobuf message that
 * stands as base64 in a line {"id": "moby.buildkit.trace", "aux": "…"} of the build's stream. Pure.
 *
 *     StatusResponse { 1: repeated Vertex; 3: repeated VertexLog }
 *     Vertex         { 1: digest, 3: name, 4: cached, 5: started, 6: completed, 7: error }
 *     VertexLog      { 1: digest of its vertex, 3: stream, 4: bytes }
 *
 * A vertex is a step; it is told again and again as it goes on, and may be told with nothing but its name. What is not known here
 * is passed over. The bytes come from the engine and may be anything.
 *   src  BuildKit, api/services/control/control.proto; seen on Docker Engine 20.10
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gate/base/error.h"

struct build_words {
    const char *bytes; /* lent; no NUL behind them, and any may be among them */
    size_t length;
};

struct build_vertex {
    struct build_words digest, name, error;
    bool cached, started, completed;
};

struct build_log {
    struct build_words vertex; /* digest of its vertex */
    struct build_words bytes;
    uint64_t stream; /* 1 standard output, 2 standard error */
};

struct build_trace {
    int (*on_vertex)(void *context, const struct build_vertex *vertex, struct error *err);
    int (*on_log)(void *context, const struct build_log *log, struct error *err);
    void *context;
};

/* err: protocol  it is no such message;  what the callbacks gave. In order as they stand: vertexes before logs is usual. */
int build_trace_read(const struct build_trace *trace, const void *bytes, size_t length,
                     struct error *err) _must_check_;
