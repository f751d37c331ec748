#include "runners/engine/build_trace.h"

/* Kinds of a field, as the low three bits of its tag say. */
enum wire { WIRE_NUMBER = 0, WIRE_8_BYTES = 1, WIRE_BYTES = 2, WIRE_4_BYTES = 5 };

/* A message that is being read. */
struct message {
    const unsigned char *at, *end;
};

struct field {
    uint64_t number; /* of the field */
    enum wire wire;
    uint64_t value;           /* of WIRE_NUMBER */
    struct build_words bytes; /* of WIRE_BYTES */
};

static int read_number(struct message *message, uint64_t *out) {
    *out = 0;
    for (unsigned int shift = 0; shift < 64; shift += 7) {
        if (message->at == message->end)
            return -1;
        unsigned char byte = *message->at++;
        *out |= (uint64_t)(byte & 0x7Fu) << shift;
        if (byte < 0x80u)
            return 0;
    }
    return -1;
}

static int skip(struct message *message, uint64_t length, struct build_words *out) {
    if (length > (uint64_t)(message->end - message->at))
        return -1;
    *out = (struct build_words){(const char *)message->at, (size_t)length};
    message->at += length;
    return 0;
}

/* 0;  1: the message is at its end;  -1: it is none */
static int next_field(struct message *message, struct field *field) {
    uint64_t tag;
    uint64_t length = 0;
    if (message->at == message->end)
        return 1;
    if (read_number(message, &tag) < 0)
        return -1;
    *field = (struct field){.number = tag >> 3, .wire = (enum wire)(tag & 7u)};
    switch (field->wire) {
    case WIRE_NUMBER:
        return read_number(message, &field->value);
    case WIRE_BYTES:
        return read_number(message, &length) < 0 ? -1 : skip(message, length, &field->bytes);
    case WIRE_8_BYTES:
        return skip(message, 8, &field->bytes);
    case WIRE_4_BYTES:
        return skip(message, 4, &field->bytes);
    }
    return -1;
}

static int read_vertex(struct message message, struct build_vertex *vertex) {
    struct field field;
    int result;
    while ((result = next_field(&message, &field)) == 0) {
        if (field.wire == WIRE_NUMBER && field.number == 4)
            vertex->cached = field.value != 0;
        if (field.wire != WIRE_BYTES)
            continue;
        if (field.number == 1)
            vertex->digest = field.bytes;
        else if (field.number == 3)
            vertex->name = field.bytes;
        else if (field.number == 5)
            vertex->started = true;
        else if (field.number == 6)
            vertex->completed = true;
        else if (field.number == 7)
            vertex->error = field.bytes;
    }
    return result;
}

static int read_log(struct message message, struct build_log *log) {
    struct field field;
    int result;
    while ((result = next_field(&message, &field)) == 0) {
        if (field.wire == WIRE_NUMBER && field.number == 3)
            log->stream = field.value;
        else if (field.wire == WIRE_BYTES && field.number == 1)
            log->vertex = field.bytes;
        else if (field.wire == WIRE_BYTES && field.number == 4)
            log->bytes = field.bytes;
    }
    return result;
}

static struct message message_of(const struct build_words *words) {
    const unsigned char *at = (const unsigned char *)words->bytes;
    return (struct message){at, at + words->length};
}

int build_trace_read(const struct build_trace *trace, const void *bytes, size_t length,
                     struct error *err) {
    struct message message = {bytes, (const unsigned char *)bytes + length};
    struct field field;
    int result;
    while ((result = next_field(&message, &field)) == 0) {
        if (field.wire != WIRE_BYTES)
            continue;
        struct build_vertex vertex = {0};
        struct build_log log = {0};
        if (field.number == 1) {
            if (read_vertex(message_of(&field.bytes), &vertex) < 0)
                break;
            if (trace->on_vertex(trace->context, &vertex, err) < 0)
                return -1;
        } else if (field.number == 3) {
            if (read_log(message_of(&field.bytes), &log) < 0)
                break;
            if (trace->on_log(trace->context, &log, err) < 0)
                return -1;
        }
    }
    return result == 1 ? 0
                       : error_set(err, ERROR_PROTOCOL,
                                   "what the engine tells of the build cannot be read");
}
