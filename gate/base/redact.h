/* redact: takes secrets out of text that streams by, in any encoding that programs commonly print them in.
 *
 *     redact_new(&redact, err);
 *     redact_add(redact, secret, length, err);          each of them
 *     redact_seal(redact, err);                         from then on it is read only, and for all threads
 *
 *     struct redact_stream stream;
 *     redact_begin(&stream, redact, err);
 *     redact_feed(&stream, bytes, length, &out);        appends what is safe to show so far; text_check(&out) tells of memory
 *     redact_end(&stream, &out);                        and the rest
 *
 * A secret is looked for in its forms (redact_forms): as it is, base64 and base64url wherever it begins in what was encoded, hex,
 * percent-encoded, and escaped for JSON, XML and shells; a secret of several lines also line by line. A line end in the midst of a
 * form, as `base64` makes after 76 characters, hides nothing. Each stretch of bytes that belong to some form becomes REDACT_MARK.
 *
 * How it is cut into pieces changes nothing. The memory of a stream is that of the longest form, whatever streams by; time is
 * linear. What it cannot see: a secret that was changed (reversed, encrypted, compressed, spelt with spaces between), or
 * encoded twice.
 *   src  Aho and Corasick, "Efficient string matching: an aid to bibliographic search" (1975)
 */
#pragma once

#include "gate/base/text.h"

#define REDACT_MARK       "***"
#define REDACT_LINE_LEAST 8 /* bytes: a shorter line of a secret is not looked for alone */
#define REDACT_NODES_LIMIT                                                                         \
    (4 << 20)        /* bytes of all forms together, about; 24 bytes of memory each */
#define REDACT_GAP 2 /* bytes of line ends that may stand within a form: "\r\n" */

struct redact;

int redact_new(struct redact **out, struct error *err) _must_check_;
/* An empty one is no secret, and nothing is looked for. err: limit  too much of them */
int redact_add(struct redact *redact, const char *secret, size_t length,
               struct error *err) _must_check_;
int redact_seal(struct redact *redact, struct error *err) _must_check_;
void redact_freep(struct redact **redact);

/* Calls add with each form of a secret, some of them more than once; -1 from it ends the walk. */
int redact_forms(const char *secret, size_t length,
                 int (*add)(void *context, const char *form, size_t length, struct error *err),
                 void *context, struct error *err) _must_check_;

/* A stretch of the stream that belongs to forms. */
struct redact_run {
    size_t from, to; /* bytes since the beginning of the stream */
};

struct redact_stream {
    const struct redact *redact;
    struct text held;        /* what may still be the beginning of a form */
    size_t held_from;        /* its place in the stream */
    unsigned int strict;     /* node: of the bytes as they come */
    unsigned int loose;      /* node: of them without line ends */
    size_t gap;              /* line ends since the last byte that was none */
    size_t *places;          /* in the stream, of the last bytes that were no line ends; a ring */
    size_t kept;             /* how many of them came by */
    struct redact_run *runs; /* within what is held, ascending */
    size_t run_first, run_count, run_capacity;
    bool marked; /* what was shown last is a mark */
    bool failed; /* no memory */
};

/* redact: NULL, or one without secrets: all is shown. */
int redact_begin(struct redact_stream *stream, const struct redact *redact,
                 struct error *err) _must_check_;
void redact_feed(struct redact_stream *stream, const char *bytes, size_t length, struct text *out);
void redact_end(struct redact_stream *stream, struct text *out);
/* Forgets what came by: the stream begins anew. */
void redact_again(struct redact_stream *stream);
void redact_stream_clear(struct redact_stream *stream);

/* The same for a text that is there: replaces *string where it holds a secret. *string may be NULL. */
int redact_string(const struct redact *redact, char **string, struct error *err) _must_check_;
