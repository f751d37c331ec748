#include "gate/base/redact.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"

/* A node stands for the bytes on the way to it from the root, which is node 0. */
struct node {
    unsigned int child;   /* the first; 0: none */
    unsigned int sibling; /* the next child of the same node; 0: none */
    unsigned int back;    /* the node of the longest end of these bytes that is a beginning, too */
    unsigned int depth;   /* how many bytes */
    unsigned int longest; /* of the forms that end here, the longest one's length; 0: none does */
    unsigned char byte;   /* the last */
};

struct redact {
    struct node *items; /* `array.h` takes it for a list */
    size_t count;
    size_t capacity;
    unsigned int first[256]; /* the root's children, by byte */
    size_t longest;          /* of all forms, in bytes */
    bool sealed;
};

int redact_new(struct redact **out, struct error *err) {
    _cleanup_(redact_freep) struct redact *redact = calloc(1, sizeof *redact);
    if (redact == NULL)
        return error_no_memory(err);
    if (array_add(redact, err) == NULL)
        return -1;
    *out = steal(redact);
    return 0;
}

void redact_freep(struct redact **redact) {
    if (*redact == NULL)
        return;
    if ((*redact)->items != NULL) /* the nodes spell the secrets */
        explicit_bzero((*redact)->items, (*redact)->count * sizeof *(*redact)->items);
    free((*redact)->items);
    free(*redact);
    *redact = NULL;
}

/* 0: none */
static unsigned int child_of(const struct redact *redact, unsigned int node, unsigned char byte) {
    if (node == 0)
        return redact->first[byte];
    unsigned int child = redact->items[node].child;
    while (child != 0 && redact->items[child].byte != byte)
        child = redact->items[child].sibling;
    return child;
}

static int add_child(struct redact *redact, unsigned int node, unsigned char byte,
                     unsigned int *child, struct error *err) {
    if (redact->count >= REDACT_NODES_LIMIT)
        return error_set(err, ERROR_LIMIT,
                         "there are too many secrets, or they are too long: their forms have more "
                         "than %d bytes together",
                         REDACT_NODES_LIMIT);
    *child = (unsigned int)redact->count;
    struct node *added = array_add(redact, err);
    if (added == NULL)
        return -1;
    added->byte = byte;
    added->depth = redact->items[node].depth + 1;
    if (node == 0) {
        redact->first[byte] = *child;
    } else {
        added->sibling = redact->items[node].child;
        redact->items[node].child = *child;
    }
    return 0;
}

static int add_form(void *context, const char *form, size_t length, struct error *err) {
    struct redact *redact = context;
    unsigned int node = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)form[i];
        unsigned int child = child_of(redact, node, byte);
        if (child == 0 && add_child(redact, node, byte, &child, err) < 0)
            return -1;
        node = child;
    }
    redact->items[node].longest = (unsigned int)length;
    if (length > redact->longest)
        redact->longest = length;
    return 0;
}

static bool is_line_end(char c) {
    return c == '\n' || c == '\r';
}

int redact_add(struct redact *redact, const char *secret, size_t length, struct error *err) {
    while (length > 0 && is_line_end(secret[length - 1]))
        length--;
    if (length == 0)
        return 0;
    if (redact_forms(secret, length, add_form, redact, err) < 0)
        return -1;
    for (size_t from = 0; from < length;) {
        size_t to = from;
        while (to < length && !is_line_end(secret[to]))
            to++;
        bool part = to - from < length && to - from >= REDACT_LINE_LEAST;
        if (part && redact_forms(secret + from, to - from, add_form, redact, err) < 0)
            return -1;
        from = to + 1;
    }
    return 0;
}

/* Where the bytes of a node and one more lead. */
static unsigned int step(const struct redact *redact, unsigned int node, unsigned char byte) {
    for (;;) {
        unsigned int child = child_of(redact, node, byte);
        if (child != 0 || node == 0)
            return child;
        node = redact->items[node].back;
    }
}

static void settle(struct redact *redact, unsigned int node, unsigned int parent) {
    struct node *at = &redact->items[node];
    at->back = parent == 0 ? 0 : step(redact, redact->items[parent].back, at->byte);
    if (at->longest == 0)
        at->longest = redact->items[at->back].longest;
}

/* Breadth first: what a node goes back to is nearer to the root, and settled. */
int redact_seal(struct redact *redact, struct error *err) {
    unsigned int *queue = calloc(redact->count, sizeof *queue);
    if (queue == NULL)
        return error_no_memory(err);
    size_t ahead = 0;
    for (size_t byte = 0; byte < 256; byte++)
        if (redact->first[byte] != 0) {
            settle(redact, redact->first[byte], 0);
            queue[ahead++] = redact->first[byte];
        }
    for (size_t at = 0; at < ahead; at++)
        for (unsigned int child = redact->items[queue[at]].child; child != 0;
             child = redact->items[child].sibling) {
            settle(redact, child, queue[at]);
            queue[ahead++] = child;
        }
    free(queue);
    redact->sealed = true;
    return 0;
}

int redact_begin(struct redact_stream *stream, const struct redact *redact, struct error *err) {
    *stream = (struct redact_stream){.redact = redact};
    if (redact == NULL || redact->longest == 0) {
        stream->redact = NULL;
        return 0;
    }
    if (!redact->sealed)
        return error_set(err, ERROR_BUG, "secrets are looked for before they are sealed");
    stream->places = calloc(redact->longest, sizeof *stream->places);
    return stream->places != NULL ? 0 : error_no_memory(err);
}

void redact_again(struct redact_stream *stream) {
    text_truncate(&stream->held, 0);
    stream->held_from = stream->kept = stream->gap = 0;
    stream->strict = stream->loose = 0;
    stream->run_first = stream->run_count = 0;
    stream->marked = false;
}

void redact_stream_clear(struct redact_stream *stream) {
    if (stream->held.bytes != NULL)
        explicit_bzero(stream->held.bytes, stream->held.length);
    text_clear(&stream->held);
    free(stream->places);
    free(stream->runs);
    *stream = (struct redact_stream){0};
}

/* What ends at the byte before `to` swallows the runs that it reaches. */
static void add_run(struct redact_stream *stream, size_t from, size_t to) {
    while (stream->run_count > stream->run_first &&
           stream->runs[stream->run_count - 1].to >= from) {
        struct redact_run *last = &stream->runs[stream->run_count - 1];
        from = last->from < from ? last->from : from;
        stream->run_count--;
    }
    if (stream->run_first == stream->run_count)
        stream->run_first = stream->run_count = 0;
    if (stream->run_count == stream->run_capacity) {
        size_t capacity = 2 * stream->run_capacity + 8;
        struct redact_run *grown = realloc(stream->runs, capacity * sizeof *grown);
        if (grown == NULL) {
            stream->failed = true;
            return;
        }
        stream->runs = grown;
        stream->run_capacity = capacity;
    }
    stream->runs[stream->run_count++] = (struct redact_run){from, to};
}

static void show(struct redact_stream *stream, const char *bytes, size_t length, struct text *out) {
    if (length == 0)
        return;
    stream->marked = false;
    text_append(out, bytes, length);
}

/* Shows what is held up to that place of the stream. */
static void release(struct redact_stream *stream, size_t to, struct text *out) {
    size_t at = stream->held_from;
    const char *bytes = stream->held.bytes;
    while (at < to) {
        const struct redact_run *run =
            stream->run_first < stream->run_count ? &stream->runs[stream->run_first] : NULL;
        size_t plain_to = run != NULL && run->from < to ? run->from : to;
        if (plain_to > at) {
            show(stream, bytes + (at - stream->held_from), plain_to - at, out);
            at = plain_to;
        }
        if (run == NULL || at >= to)
            continue;
        if (!stream->marked)
            text_add(out, REDACT_MARK);
        stream->marked = true;
        at = run->to < to ? run->to : to;
        if (run->to <= to)
            stream->run_first++;
    }
    size_t released = to - stream->held_from;
    if (released > 0)
        memmove(stream->held.bytes, stream->held.bytes + released, stream->held.length - released);
    text_truncate(&stream->held, stream->held.length - released);
    stream->held_from = to;
}

/* A byte at that place of the stream. */
static void take(struct redact_stream *stream, size_t place, char byte) {
    const struct redact *redact = stream->redact;
    stream->strict = step(redact, stream->strict, (unsigned char)byte);
    size_t length = redact->items[stream->strict].longest;
    if (length > 0)
        add_run(stream, place + 1 - length, place + 1);
    if (is_line_end(byte)) {
        if (++stream->gap > REDACT_GAP)
            stream->loose = 0;
        return;
    }
    stream->gap = 0;
    stream->loose = step(redact, stream->loose, (unsigned char)byte);
    stream->places[stream->kept++ % redact->longest] = place;
    length = redact->items[stream->loose].longest;
    if (length > 0)
        add_run(stream, stream->places[(stream->kept - length) % redact->longest], place + 1);
}

/* Before it, no byte can belong to a form that is not whole yet. */
static size_t settled_to(const struct redact_stream *stream, size_t place) {
    const struct redact *redact = stream->redact;
    size_t to = place - redact->items[stream->strict].depth;
    size_t depth = redact->items[stream->loose].depth;
    size_t from = depth > 0 ? stream->places[(stream->kept - depth) % redact->longest] : place;
    return from < to ? from : to;
}

void redact_feed(struct redact_stream *stream, const char *bytes, size_t length, struct text *out) {
    const struct redact *redact = stream->redact;
    if (redact == NULL) {
        text_append(out, bytes, length);
        return;
    }
    size_t at = 0;
    while (at < length && stream->held.failed == ERROR_NONE) {
        /* most bytes begin nothing */
        size_t idle = at;
        while (stream->held.length == 0 && idle < length &&
               redact->first[(unsigned char)bytes[idle]] == 0)
            idle++;
        show(stream, bytes + at, idle - at, out);
        if (stream->held.length == 0)
            stream->held_from += idle - at;
        for (at = idle; at < length; at++) {
            size_t place = stream->held_from + stream->held.length;
            text_append(&stream->held, &bytes[at], 1);
            if (stream->held.failed != ERROR_NONE)
                break;
            take(stream, place, bytes[at]);
            size_t to = settled_to(stream, place + 1);
            if (to == place + 1) { /* nothing is begun */
                release(stream, to, out);
                at++;
                break;
            }
            if (to - stream->held_from > 2 * redact->longest) /* seldom: it moves what is held */
                release(stream, to, out);
        }
    }
    if (stream->failed || stream->held.failed != ERROR_NONE)
        out->failed = ERROR_NO_MEMORY;
    else if (stream->held.length > 0)
        release(stream, settled_to(stream, stream->held_from + stream->held.length), out);
}

void redact_end(struct redact_stream *stream, struct text *out) {
    if (stream->redact != NULL)
        release(stream, stream->held_from + stream->held.length, out);
    if (stream->failed)
        out->failed = ERROR_NO_MEMORY;
}

int redact_string(const struct redact *redact, char **string, struct error *err) {
    if (redact == NULL || *string == NULL)
        return 0;
    _cleanup_(redact_stream_clear) struct redact_stream stream;
    struct text out = {0};
    if (redact_begin(&stream, redact, err) < 0)
        return -1;
    redact_feed(&stream, *string, strlen(*string), &out);
    redact_end(&stream, &out);
    char *clean = text_steal(&out, err);
    if (clean == NULL)
        return -1;
    free(*string);
    *string = clean;
    return 0;
}
