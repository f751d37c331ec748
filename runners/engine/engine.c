#include "runners/engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/json_read.h"
#include "gate/base/json_write.h"
#include "gate/base/trace.h"
#include "runners/engine/address.h"
#include "runners/engine/reach.h"

#define ANSWER_LIMIT (16u << 20) /* bytes of one JSON answer */

struct engine {
    struct http_loop *loop;
    struct engine_location location;
    struct ssh_dialer *dialer; /* NULL unless it is reached over ssh */
    enum http_failure failure; /* of the last call that had no answer */
    int64_t timeout_ms;        /* of one call */
    int minor;                 /* of the API that is spoken; 0: not yet known */
    bool podman;
};

void engine_freep(struct engine **engine) {
    if (*engine == NULL)
        return;
    http_loop_free((*engine)->loop);
    ssh_dialer_freep(&(*engine)->dialer);
    engine_location_clear(&(*engine)->location);
    free(*engine);
    *engine = NULL;
}

const char *engine_address(const struct engine *engine) {
    return engine->location.address;
}

const char *engine_source(const struct engine *engine) {
    return engine->location.source;
}

int64_t engine_timeout_ms(const struct engine *engine) {
    return engine->timeout_ms;
}

static int read_timeout(struct engine *engine, struct error *err) {
    const char *text = getenv("PINGATE_ENGINE_TIMEOUT");
    engine->timeout_ms = ENGINE_CALL_TIMEOUT_MS;
    if (text == NULL || *text == '\0')
        return 0;
    if (clock_parse_duration(text, &engine->timeout_ms, err) < 0)
        return error_wrap(err, "PINGATE_ENGINE_TIMEOUT");
    if (engine->timeout_ms < 1)
        return error_set(err, ERROR_USAGE, "PINGATE_ENGINE_TIMEOUT: \"%s\" is no time", text);
    return 0;
}

/* The engine's own words: {"message": …}, or text. */
static void engine_words(const struct text *body, char *out, size_t size) {
    json_auto_t *root = NULL;
    struct error why = {0};
    if (json_read(text_string(body), body->length, 0, &root, NULL, &why) < 0)
        error_clear(&why);
    const char *message = json_string_value(json_object_get(root, "message"));
    if (message == NULL)
        message = json_string_value(json_object_get(root, "cause"));
    if (message == NULL)
        message = text_string(body);
    message += strspn(message, " \t\r\n");
    if (*message == '\0')
        message = "(without a word)";
    snprintf(out, size, "%.*s", (int)strcspn(message, "\r\n"), message);
}

static enum error_kind kind_of(long status) {
    if (status == 404)
        return ERROR_NOT_FOUND;
    return status == 409 ? ERROR_CONFLICT : ERROR_ENGINE;
}

static int64_t limit_of(const struct engine *engine, const struct engine_call *call) {
    return call->timeout_ms == 0 ? engine->timeout_ms : call->timeout_ms;
}

static int send_call(struct engine *engine, const struct engine_call *call, const char *url,
                     const char *body, struct http_response *response, struct error *err) {
    const char *headers[3] = {0};
    size_t count = 0;
    size_t length = body != NULL ? strlen(body) : 0;
    if (call->header != NULL)
        headers[count++] = call->header;
    if (body != NULL)
        headers[count++] = "Content-Type: application/json";
    else if (call->body_size > 0 || call->body_tail != NULL)
        headers[count++] = "Content-Type: application/x-tar";
    if (call->body_tail != NULL) {
        body = text_string(call->body_tail);
        length = call->body_tail->length;
    }
    struct http_request request = {.method = call->method,
                                   .url = url,
                                   .unix_socket = engine->dialer != NULL
                                                      ? ssh_dialer_socket(engine->dialer)
                                                      : engine->location.socket,
                                   .proxy = engine->location.loopback ? "" : NULL,
                                   .ca_file = engine->location.ca,
                                   .cert_file = engine->location.cert,
                                   .key_file = engine->location.key,
                                   .unverified = engine->location.unverified,
                                   .only_http1 = true,
                                   .headers = headers,
                                   .body = body,
                                   .body_length = length,
                                   .body_limit = ANSWER_LIMIT,
                                   .on_data = call->on_data,
                                   .data_context = call->context,
                                   .on_silence = call->on_silence,
                                   .silence_ms = call->silence_ms,
                                   .idle_timeout_ms = call->idle_timeout_ms,
                                   .body_from_fd = call->body_size > 0,
                                   .body_fd = call->body_fd,
                                   .body_fd_size = call->body_size,
                                   .timeout_ms = limit_of(engine, call)};
    int result = http_perform(engine->loop, &request, response, err);
    engine->failure = result < 0 ? response->failure : HTTP_FAILURE_NONE;
    trace(TRACE_ENGINE, "%s %s: %ld%s%s", call->method, call->path, response->status,
          result < 0 ? " " : "", result < 0 ? error_message(err) : "");
    return result;
}

static const char *words_of(const struct engine_call *call) {
    return call->words != NULL ? call->words : call->path;
}

/* ssh's own words are worth more than how the connection ended. */
static int explain_ssh(const struct engine *engine, const struct engine_call *call,
                       struct error *err) {
    char words[600];
    ssh_dialer_words(engine->dialer, words, sizeof words);
    if (words[0] == '\0')
        return error_wrap(err, "engine %s: %s %s: the connection over ssh failed",
                          engine->location.address, call->method, call->path);
    const char *remedy = ssh_remedy(words);
    return error_set(err, err->kind == ERROR_TIMEOUT ? ERROR_TIMEOUT : ERROR_NETWORK,
                     "engine %s: %s %s: ssh says \"%s\"%s%s", engine->location.address,
                     call->method, call->path, words, remedy[0] != '\0' ? "; " : "", remedy);
}

/* Whether it was the connection that failed, and not who reads the answer. */
static bool connection_failed(const struct engine *engine, const struct error *err) {
    return engine->dialer != NULL && (err->kind == ERROR_NETWORK || err->kind == ERROR_TIMEOUT ||
                                      err->kind == ERROR_PROTOCOL);
}

/* libcurl tells of milliseconds and bytes; people want to know who did not answer. */
static int explain_failure(const struct engine *engine, const struct engine_call *call,
                           int64_t took_ms, struct error *err) {
    if (err->kind == ERROR_CANCELLED || err->kind == ERROR_NO_MEMORY)
        return -1;
    if (err->kind == ERROR_NETWORK && connection_failed(engine, err))
        return explain_ssh(engine, call, err);
    if (err->kind == ERROR_TIMEOUT) {
        char words[64];
        bool idle = call->idle_timeout_ms > 0 && took_ms < limit_of(engine, call);
        clock_duration_words(idle ? call->idle_timeout_ms : limit_of(engine, call), words,
                             sizeof words);
        return error_set(err, ERROR_TIMEOUT,
                         "engine %s: %s %s: %s %s; the engine or the way to it is stuck "
                         "(PINGATE_ENGINE_TIMEOUT=5m gives it more time)",
                         engine->location.address, call->method, words_of(call),
                         idle ? "no byte came or went for" : "no whole answer within", words);
    }
    return error_wrap(err, "engine %s: %s %s", engine->location.address, call->method,
                      words_of(call));
}

int engine_call(struct engine *engine, const struct engine_call *call, long *status,
                json_t **answer, struct error *err) {
    if (answer != NULL)
        *answer = NULL;
    *status = 0;
    _cleanup_(free_pointer) char *url =
        engine->minor != 0
            ? string_format(err, "%s/v1.%d%s", engine->location.base, engine->minor, call->path)
            : string_format(err, "%s%s", engine->location.base, call->path);
    _cleanup_(text_clear) struct text sent = {0};
    if (url == NULL || (call->body != NULL && json_write(call->body, JSON_COMPACT, &sent, err) < 0))
        return -1;
    const char *body = call->body != NULL ? text_string(&sent) : NULL;
    _cleanup_(http_response_clear) struct http_response response = {0};
    int64_t began_ms = clock_monotonic_ms();
    int result = send_call(engine, call, url, body, &response, err);
    *status = response.status;
    if (result < 0)
        return explain_failure(engine, call, clock_monotonic_ms() - began_ms, err);
    if (response.status < 200 || response.status > 299) {
        char words[600];
        engine_words(&response.body, words, sizeof words);
        return error_set(err, kind_of(response.status), "the engine answered %ld: %s",
                         response.status, words);
    }
    if (call->needs_end && http_header(&response, "Transfer-Encoding") == NULL &&
        http_header(&response, "Content-Length") == NULL)
        return error_set(err, ERROR_PROTOCOL,
                         "engine %s: %s %s: the answer ended with its connection, so nobody knows "
                         "whether it was whole; what stands between is no HTTP/1.1",
                         engine->location.address, call->method, words_of(call));
    if (answer == NULL || response.body.length == 0)
        return 0;
    if (json_read(text_string(&response.body), response.body.length, 0, answer, NULL, err) < 0)
        return -1;
    if (*answer == NULL)
        return error_set(err, ERROR_PROTOCOL,
                         "engine %s: the answer to %s %s is not JSON: is it a Docker Engine?",
                         engine->location.address, call->method, words_of(call));
    return 0;
}

/* "1.41" -> 41; -1 for what is no version 1 of the API. */
static int minor_of(const char *version) {
    if (version == NULL || !string_has_prefix(version, "1."))
        return -1;
    const char *digits = version + 2;
    size_t count = strspn(digits, "0123456789");
    return count > 0 && count < 7 && digits[count] == '\0' ? atoi(digits) : -1;
}

static int nobody_answers(const struct engine *engine, struct error *err) {
    const struct engine_location *location = &engine->location;
    char words[600];
    if (err->kind == ERROR_CANCELLED || err->kind == ERROR_NO_MEMORY)
        return -1;
    engine_socket_trouble(location, words, sizeof words);
    if (words[0] != '\0')
        return error_set(err, ERROR_ENGINE, "no Docker Engine answers at %s (from %s): %s",
                         location->address, location->source, words);
    if (engine->dialer != NULL) {
        ssh_dialer_words(engine->dialer, words, sizeof words);
        const char *remedy = ssh_remedy(words);
        if (words[0] != '\0')
            return error_set(
                err, ERROR_ENGINE, "no Docker Engine answers at %s (from %s): ssh says \"%s\"%s%s",
                location->address, location->source, words, remedy[0] != '\0' ? "; " : "", remedy);
    }
    engine_tcp_remedy(location, engine->failure, error_message(err), words, sizeof words);
    _cleanup_(error_clear) struct error why = {0};
    error_move(&why, err);
    return error_set(err, ERROR_ENGINE, "no Docker Engine answers at %s (from %s): %s%s%s",
                     location->address, location->source, error_message(&why),
                     words[0] != '\0' ? "; " : "", words);
}

static bool names_podman(const json_t *version) {
    size_t index;
    const json_t *component;
    json_array_foreach(json_object_get(version, "Components"), index, component) {
        const char *name = json_string_value(json_object_get(component, "Name"));
        if (name != NULL && strcmp(name, "Podman Engine") == 0)
            return true;
    }
    return false;
}

static int64_t first_call_timeout_ms(const struct engine *engine) {
    int64_t usual =
        engine->dialer != NULL ? ENGINE_FIRST_CALL_SSH_TIMEOUT_MS : ENGINE_FIRST_CALL_TIMEOUT_MS;
    return engine->timeout_ms < usual ? engine->timeout_ms : usual;
}

static int negotiate(struct engine *engine, struct error *err) {
    long status;
    json_auto_t *version = NULL;
    struct engine_call call = {
        .method = "GET", .path = "/version", .timeout_ms = first_call_timeout_ms(engine)};
    if (engine_call(engine, &call, &status, &version, err) < 0)
        return nobody_answers(engine, err);
    const char *newest = json_string_value(json_object_get(version, "ApiVersion"));
    const char *oldest = json_string_value(json_object_get(version, "MinAPIVersion"));
    int minor = minor_of(newest);
    if (minor < 0)
        return error_set(err, ERROR_ENGINE,
                         "what answers at %s is no Docker Engine: its API version is \"%.40s\"",
                         engine->location.address, newest != NULL ? newest : "not told");
    if (minor < ENGINE_OLDEST_MINOR)
        return error_set(err, ERROR_ENGINE,
                         "the engine at %s speaks API %s, and 1.%d is the oldest that pingate "
                         "speaks: a newer engine is needed",
                         engine->location.address, newest, ENGINE_OLDEST_MINOR);
    int spoken = minor < ENGINE_NEWEST_MINOR ? minor : ENGINE_NEWEST_MINOR;
    if (minor_of(oldest) > spoken)
        return error_set(err, ERROR_ENGINE,
                         "the engine at %s speaks API %s and newer, this pingate up to 1.%d: a "
                         "newer pingate is needed, or DOCKER_MIN_API_VERSION=1.%d for the engine",
                         engine->location.address, oldest, ENGINE_NEWEST_MINOR,
                         ENGINE_NEWEST_MINOR);
    engine->minor = spoken;
    engine->podman = names_podman(version);
    return 0;
}

static int find_engine(struct engine *engine, const char *address, const struct engine *known,
                       struct error *err) {
    if (read_timeout(engine, err) < 0)
        return -1;
    if (known != NULL ? engine_location_copy(&known->location, &engine->location, err) < 0
                      : engine_location_find(address, &engine->location, err) < 0)
        return -1;
    if (engine->location.ssh.host == NULL)
        return 0;
    /* ssh gives up before we do, so that its words are heard */
    int64_t connect_ms = engine->timeout_ms / 2;
    engine->dialer = ssh_dialer_new(
        &engine->location.ssh,
        connect_ms < ENGINE_SSH_CONNECT_TIMEOUT_MS ? connect_ms : ENGINE_SSH_CONNECT_TIMEOUT_MS,
        err);
    return engine->dialer != NULL ? 0 : -1;
}

/* known: NULL asks; else what it was told holds, and address is not looked at. */
static int open_with(const char *address, const struct engine *known, struct cancel *cancel,
                     bool cleaner, struct engine **out, struct error *err) {
    _cleanup_(engine_freep) struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return error_no_memory(err);
    if (find_engine(engine, address, known, err) < 0)
        return -1;
    struct http_options options = {.cancel_grace_ms = cleaner ? ENGINE_GRACE_MS : 0,
                                   .cancel_call_grace_ms = ENGINE_CALL_GRACE_MS,
                                   .tend = engine->dialer != NULL ? ssh_dialer_tend : NULL,
                                   .tend_context = engine->dialer};
    engine->loop = http_loop_new(&options, cancel, err);
    if (engine->loop == NULL)
        return -1;
    if (known != NULL) {
        engine->minor = known->minor;
        engine->podman = known->podman;
    } else if (negotiate(engine, err) < 0) {
        return -1;
    }
    *out = steal(engine);
    return 0;
}

int engine_open(const char *address, struct cancel *cancel, struct engine **out,
                struct error *err) {
    return open_with(address, NULL, cancel, false, out, err);
}

int engine_open_another(const struct engine *known, struct cancel *cancel, struct engine **out,
                        struct error *err) {
    return open_with(NULL, known, cancel, false, out, err);
}

int engine_open_cleaner(const struct engine *known, struct cancel *cancel, struct engine **out,
                        struct error *err) {
    return open_with(NULL, known, cancel, true, out, err);
}

int engine_minor(const struct engine *engine) {
    return engine->minor;
}

const struct engine_location *engine_location(const struct engine *engine) {
    return &engine->location;
}

bool engine_is_podman(const struct engine *engine) {
    return engine->podman;
}

int engine_ping(struct engine *engine, struct error *err) {
    long status;
    struct engine_call call = {
        .method = "GET", .path = "/_ping", .timeout_ms = first_call_timeout_ms(engine)};
    if (engine_call(engine, &call, &status, NULL, err) == 0)
        return 0;
    return err->kind == ERROR_CANCELLED
               ? -1
               : error_set(err, ERROR_ENGINE, "the engine at %s answers no more",
                           engine->location.address);
}

int engine_get(struct engine *engine, const char *path, json_t **answer, struct error *err) {
    long status;
    struct engine_call call = {.method = "GET", .path = path};
    return engine_call(engine, &call, &status, answer, err);
}

int engine_delete(struct engine *engine, const char *path, struct error *err) {
    long status;
    struct engine_call call = {.method = "DELETE", .path = path};
    if (engine_call(engine, &call, &status, NULL, err) == 0)
        return 0;
    if (status != 404)
        return -1;
    error_clear(err);
    return 0;
}
