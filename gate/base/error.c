#include "gate/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int exit_status;
    bool retry;
} kinds[ERROR_KIND_COUNT] = {
    [ERROR_NONE] = {"none", EXIT_BUG, false}, /* what failed must say why: never a success */
    [ERROR_USAGE] = {"usage", EXIT_USAGE, false},
    [ERROR_CONFIG] = {"config", EXIT_USAGE, false},
    [ERROR_INPUT] = {"input", EXIT_USAGE, false},
    [ERROR_IO] = {"io", EXIT_COULD_NOT, false},
    [ERROR_NETWORK] = {"network", EXIT_COULD_NOT, true},
    [ERROR_TIMEOUT] = {"timeout", EXIT_COULD_NOT, true},
    [ERROR_RATE_LIMIT] = {"rate-limit", EXIT_COULD_NOT, true},
    [ERROR_AUTH] = {"auth", EXIT_COULD_NOT, false},
    [ERROR_NOT_FOUND] = {"not-found", EXIT_COULD_NOT, false},
    [ERROR_LIMIT] = {"limit", EXIT_COULD_NOT, false},
    [ERROR_PROTOCOL] = {"protocol", EXIT_COULD_NOT, false},
    [ERROR_ENGINE] = {"engine", EXIT_COULD_NOT, false},
    [ERROR_CONFLICT] = {"conflict", EXIT_COULD_NOT, false},
    [ERROR_CANCELLED] = {"cancelled", EXIT_COULD_NOT, false},
    [ERROR_NO_MEMORY] = {"no-memory", EXIT_COULD_NOT, false},
    [ERROR_BUG] = {"bug", EXIT_BUG, false},
};

static const char no_memory_text[] = "out of memory";

static int store(struct error *err, enum error_kind kind, const char *file, int line,
                 char *take_message) {
    if (take_message == NULL)
        return error_no_memory_at(err, file, line);
    error_clear(err);
    *err = (struct error){.kind = kind, .message = take_message, .file = file, .line = line};
    return -1;
}

int error_set_at(struct error *err, enum error_kind kind, const char *file, int line,
                 const char *format, ...) {
    char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&message, format, arguments);
    va_end(arguments);
    return store(err, kind, file, line, length < 0 ? NULL : message);
}

int error_set_errno_at(struct error *err, const char *file, int line, const char *format, ...) {
    int number = errno;
    if (number == ENOMEM)
        return error_no_memory_at(err, file, line);
    _cleanup_(free_pointer) char *what = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&what, format, arguments);
    va_end(arguments);
    char *message = NULL;
    if (length < 0) {
        what = NULL;
        return error_no_memory_at(err, file, line);
    }
    if (asprintf(&message, "%s: %s", what, strerror(number)) < 0)
        message = NULL;
    return store(err, ERROR_IO, file, line, message);
}

int error_no_memory_at(struct error *err, const char *file, int line) {
    error_clear(err);
    *err = (struct error){.kind = ERROR_NO_MEMORY,
                          .message = (char *)no_memory_text,
                          .static_message = true,
                          .file = file,
                          .line = line};
    return -1;
}

int error_wrap_with(struct error *err, const char *format, ...) {
    _cleanup_(free_pointer) char *context = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&context, format, arguments);
    va_end(arguments);
    if (length < 0) {
        context = NULL;
        return -1; /* the error stays as it is: it tells more than "out of memory" would */
    }
    char *message = NULL;
    if (asprintf(&message, "%s: %s", context, error_message(err)) < 0)
        return -1;
    if (!err->static_message)
        free(err->message);
    err->message = message;
    err->static_message = false;
    return -1;
}

int error_move(struct error *dst, struct error *src) {
    error_clear(dst);
    *dst = *src;
    *src = (struct error){0};
    return -1;
}

void error_clear(struct error *err) {
    if (!err->static_message)
        free(err->message);
    *err = (struct error){0};
}

const char *error_message(const struct error *err) {
    return err->message != NULL ? err->message : "no error";
}

const char *error_kind_name(enum error_kind kind) {
    return kinds[kind].name;
}

int error_exit_status(enum error_kind kind) {
    return kinds[kind].exit_status;
}

bool error_worth_retry(enum error_kind kind) {
    return kinds[kind].retry;
}

void free_pointer(void *pointer_to_pointer) {
    free(*(void **)pointer_to_pointer);
}
