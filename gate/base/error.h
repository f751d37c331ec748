/* error: how a function says that it could not do its work.
 *
 * A fallible function returns 0, or -1 with *err set; `err` is always its last parameter and never NULL. A failing test is
 * an outcome, not an error. Only `main` prints errors and exits.
 *
 *     _cleanup_(error_clear) struct error err = {0};
 *     if (file_read(path, limit, &bytes, &err) < 0)
 *         return error_wrap(&err, "read the configuration");     in a function that was lent err
 *
 * The message is one sentence with the outermost context first: "promote staging: deploy/a.yaml: permission denied". It
 * tells what was tried, on what, what came back, and what the user can do. It may hold untrusted text: whoever prints it
 * cleans it (reports/clean.h). Running out of memory never needs memory: the message is then a static text.
 */
#pragma once

#include <stdbool.h>

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _must_check_        __attribute__((warn_unused_result))
#define _printf_(at, first) __attribute__((format(printf, at, first)))

/* What a caller may branch on. error.c holds the one table: kind -> name, exit status, worth a retry. */
enum error_kind {
    ERROR_NONE = 0,
    ERROR_USAGE,      /* the command line is wrong */
    ERROR_CONFIG,     /* pingate.yaml is wrong */
    ERROR_INPUT,      /* another file of the user's is malformed or not as expected */
    ERROR_IO,         /* the file system refused */
    ERROR_NETWORK,    /* could not connect, cut, TLS failed, 5xx */
    ERROR_TIMEOUT,    /* a deadline passed */
    ERROR_RATE_LIMIT, /* 429 */
    ERROR_AUTH,       /* 401 or 403 after the credentials were tried */
    ERROR_NOT_FOUND,  /* the registry or engine knows no such thing */
    ERROR_LIMIT,      /* a size or count limit of ours was reached */
    ERROR_PROTOCOL,   /* an answer that makes no sense, or a digest that does not match */
    ERROR_ENGINE,     /* the engine refused or failed */
    ERROR_CONFLICT, /* somebody changed a thing between our look and our write, or holds the lock */
    ERROR_CANCELLED, /* a signal asked us to stop */
    ERROR_NO_MEMORY,
    ERROR_BUG, /* ours */
    ERROR_KIND_COUNT
};

struct error {
    enum error_kind kind;
    char *message;       /* owned unless `static_message` */
    bool static_message; /* message is a string literal (out of memory) */
    const char *file;    /* where it was raised, for -v */
    int line;
};

/* Exit statuses of the command line; see `pingate --help`. */
enum exit_status {
    EXIT_DONE = 0,        /* promoted, or nothing to do */
    EXIT_GATE_CLOSED = 1, /* a candidate failed its tests */
    EXIT_USAGE = 2,       /* command line or configuration */
    EXIT_COULD_NOT = 3, /* could not look or could not test: registry, engine, forge, file system */
    EXIT_UPDATES = 4,   /* status --exit-code: updates are there */
    EXIT_BUG = 70,      /* a bug of ours */
    EXIT_SIGNAL = 128,  /* + the number of the signal */
};

/* The value of all that follows, in words that an analyzer of one file understands: -1 whatever it is given. */
static inline int error_minus_one(int ignored) {
    (void)ignored;
    return -1;
}

/* Raises. Always -1. A message that is already there is replaced. */
#define error_set(err, kind, ...)                                                                  \
    error_minus_one(error_set_at((err), (kind), __FILE__, __LINE__, __VA_ARGS__))
int error_set_at(struct error *err, enum error_kind kind, const char *file, int line,
                 const char *format, ...) _printf_(5, 6);

/* Raises for a failed system call: kind from errno (ENOMEM -> no-memory, else io), ": " and strerror appended. Always -1. */
#define error_set_errno(err, ...)                                                                  \
    error_minus_one(error_set_errno_at((err), __FILE__, __LINE__, __VA_ARGS__))
int error_set_errno_at(struct error *err, const char *file, int line, const char *format, ...)
    _printf_(4, 5);

/* Raises out-of-memory with a static text. Always -1. */
#define error_no_memory(err) error_minus_one(error_no_memory_at((err), __FILE__, __LINE__))
int error_no_memory_at(struct error *err, const char *file, int line);

/* Puts "context: " before the message. Always -1. */
#define error_wrap(err, ...) error_minus_one(error_wrap_with((err), __VA_ARGS__))
int error_wrap_with(struct error *err, const char *format, ...) _printf_(2, 3);

/* Moves src into dst (dst is cleared before); src is empty afterwards. Always -1. */
int error_move(struct error *dst, struct error *src);

/* Frees the message and makes *err empty again; safe on an empty one. */
void error_clear(struct error *err);

const char *error_message(const struct error *err); /* never NULL; "no error" when empty */
const char *error_kind_name(enum error_kind kind); /* "not-found"; the word used in machine forms */
int error_exit_status(enum error_kind kind);       /* one of enum exit_status */
bool error_worth_retry(enum error_kind kind);      /* network, timeout, rate-limit */

/* Hands a value over: `*out = steal(x); return 0;` leaves NULL behind, so the cleanup finds nothing. */
#define steal(pointer)                                                                             \
    __extension__({                                                                                \
        __typeof__(pointer) stolen_ = (pointer);                                                   \
        (pointer) = NULL;                                                                          \
        stolen_;                                                                                   \
    })

/* _cleanup_(free_pointer) char *x = NULL; frees *what-it-points-to on leaving the scope. */
void free_pointer(void *pointer_to_pointer);
