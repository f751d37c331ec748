#include "runners/engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/base/trace.h"

#define ANSWER_LIMIT (16u << 20) /* bytes of one JSON answer */

struct engine {
    struct http_loop *loop;
    char *address;
    char *socket; /* path, or NULL */
    char *base;   /* "http://localhost", "http://host:port" */
    int minor;    /* of the API that is spoken; 0: not yet known */
};

void engine_freep(struct engine **engine) {
    if (*engine == NULL)
        return;
    http_loop_free((*engine)->loop);
    free((*engine)->address);
    free((*engine)->socket);
    free((*engine)->base);
    free(*engine);
    *engine = NULL;
}

const char *engine_address(const struct engine *engine) {
    return engine->address;
}

static char *find_address(const char *address, struct error *err) {
    if (address != NULL && *address != '\0')
        return string_dup(address, err);
    const char *host = getenv("DOCKER_HOST");
    if (host != NULL && *host != '\0')
        return string_dup(host, err);
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    _cleanup_(free_pointer) char *rootless =
        string_format(err, "%s/docker.sock", runtime != NULL ? runtime : "/nonexistent");
    _cleanup_(free_pointer) char *podman =
        string_format(err, "%s/podman/podman.sock", runtime != NULL ? runtime : "/nonexistent");
    if (rootless == NULL || podman == NULL)
        return NULL;
    const char *usual[] = {"/run/docker.sock", "/var/run/docker.sock", rootless, podman,
                           "/run/podman/podman.sock"};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (access(usual[i], F_OK) == 0)
            return string_format(err, "unix://%s", usual[i]);
    error_set(
        err, ERROR_ENGINE,
        "no Docker Engine found: DOCKER_HOST is not set, and there is no socket at %s, %s or %s; "
        "start one, or name it with --engine unix:///path/to/docker.sock",
        usual[0], rootless, usual[4]);
    return NULL;
}

static int set_address(struct engine *engine, struct error *err) {
    if (string_has_prefix(engine->address, "unix://")) {
        engine->socket = string_dup(engine->address + strlen("unix://"), err);
        engine->base = string_dup("http://localhost", err);
        return engine->socket != NULL && engine->base != NULL ? 0 : -1;
    }
    if (string_has_prefix(engine->address, "tcp://")) {
        engine->base = string_format(err, "http://%s", engine->address + strlen("tcp://"));
        return engine->base != NULL ? 0 : -1;
    }
    return error_set(err, ERROR_USAGE,
                     "engine address \"%s\": unix:///path or tcp://host:port was expected",
                     engine->address);
}

/* The engine's own words: {"message": …}, or text. */
static void engine_words(const struct text *body, char *out, size_t size) {
    json_auto_t *root = json_loadb(text_string(body), body->length, 0, NULL);
    const char *message = json_string_value(json_object_get(root, "message"));
    if (message == NULL)
        message = json_string_value(json_object_get(root, "cause"));
    if (message == NULL)
        message = text_string(body);
    snprintf(out, size, "%.*s", (int)strcspn(message, "\r\n"), message);
}

static enum error_kind kind_of(long status) {
    if (status == 404)
        return ERROR_NOT_FOUND;
    return status == 409 ? ERROR_CONFLICT : ERROR_ENGINE;
}

int engine_call(struct engine *engine, const struct engine_call *call, long *status,
                json_t **answer, struct error *err) {
    if (answer != NULL)
        *answer = NULL;
    *status = 0;
    _cleanup_(free_pointer) char *url =
        engine->minor != 0
            ? string_format(err, "%s/v1.%d%s", engine->base, engine->minor, call->path)
            : string_format(err, "%s%s", engine->base, call->path);
    _cleanup_(free_pointer) char *body =
        call->body != NULL ? json_dumps(call->body, JSON_COMPACT) : NULL;
    if (url == NULL)
        return -1;
    if (call->body != NULL && body == NULL)
        return error_set(err, ERROR_INPUT,
                         "a request to the engine holds bytes that are not UTF-8");
    const char *headers[3] = {0};
    size_t count = 0;
    if (call->header != NULL)
        headers[count++] = call->header;
    if (body != NULL)
        headers[count++] = "Content-Type: application/json";
    else if (call->body_size > 0)
        headers[count++] = "Content-Type: application/x-tar";
    struct http_request request = {.method = call->method,
                                   .url = url,
                                   .unix_socket = engine->socket,
                                   .headers = headers,
                                   .body = body,
                                   .body_length = body != NULL ? strlen(body) : 0,
                                   .body_limit = ANSWER_LIMIT,
                                   .on_data = call->on_data,
                                   .data_context = call->context,
                                   .idle_timeout_ms = call->idle_timeout_ms,
                                   .body_from_fd = call->body_size > 0,
                                   .body_fd = call->body_fd,
                                   .body_fd_size = call->body_size,
                                   .timeout_ms = call->timeout_ms == 0  ? ENGINE_CALL_TIMEOUT_MS
                                                 : call->timeout_ms < 0 ? 0
                                                                        : call->timeout_ms};
    _cleanup_(http_response_clear) struct http_response response = {0};
    int result = http_perform(engine->loop, &request, &response, err);
    *status = response.status;
    trace(TRACE_ENGINE, "%s %s: %ld%s%s", call->method, call->path, response.status,
          result < 0 ? " " : "", result < 0 ? error_message(err) : "");
    if (result < 0)
        return error_wrap(err, "engine %s: %s %s", engine->address, call->method, call->path);
    if (response.status >= 400) {
        char words[600];
        engine_words(&response.body, words, sizeof words);
        return error_set(err, kind_of(response.status), "the engine answered %ld: %s",
                         response.status, words);
    }
    if (answer == NULL || response.body.length == 0)
        return 0;
    *answer = json_loadb(text_string(&response.body), response.body.length, 0, NULL);
    if (*answer == NULL)
        return error_set(err, ERROR_PROTOCOL, "the engine's answer to %s %s is not JSON",
                         call->method, call->path);
    return 0;
}

static int negotiate(struct engine *engine, struct error *err) {
    long status;
    json_auto_t *version = NULL;
    struct engine_call call = {.method = "GET", .path = "/version", .timeout_ms = 10000};
    if (engine_call(engine, &call, &status, &version, err) < 0) {
        if (err->kind == ERROR_CANCELLED || err->kind == ERROR_NO_MEMORY)
            return -1;
        err->kind = ERROR_ENGINE;
        return error_wrap(
            err, "no Docker Engine answers at %s (is it running, and may you use its socket?)",
            engine->address);
    }
    const char *newest = json_string_value(json_object_get(version, "ApiVersion"));
    const char *oldest = json_string_value(json_object_get(version, "MinAPIVersion"));
    int major = 0;
    int minor = 0;
    if (newest == NULL || sscanf(newest, "%d.%d", &major, &minor) != 2 || major != 1)
        return error_set(err, ERROR_ENGINE, "what answers at %s is no Docker Engine",
                         engine->address);
    engine->minor = minor < ENGINE_NEWEST_MINOR ? minor : ENGINE_NEWEST_MINOR;
    int least = 0;
    if (oldest != NULL && sscanf(oldest, "1.%d", &least) == 1 && engine->minor < least)
        return error_set(err, ERROR_ENGINE,
                         "the engine speaks API %s and newer, this pingate up to 1.%d", oldest,
                         ENGINE_NEWEST_MINOR);
    if (engine->minor < ENGINE_OLDEST_MINOR)
        return error_set(err, ERROR_ENGINE,
                         "the engine speaks API %s, and 1.%d is the oldest that pingate speaks",
                         newest, ENGINE_OLDEST_MINOR);
    return 0;
}

int engine_open(const char *address, struct cancel *cancel, struct engine **out,
                struct error *err) {
    _cleanup_(engine_freep) struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return error_no_memory(err);
    engine->address = find_address(address, err);
    if (engine->address == NULL || set_address(engine, err) < 0)
        return -1;
    engine->loop = http_loop_new(NULL, cancel, err);
    if (engine->loop == NULL || negotiate(engine, err) < 0)
        return -1;
    *out = steal(engine);
    return 0;
}

static const char *word(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "?";
}

char *engine_describe(struct engine *engine, char **platform, struct error *err) {
    long status;
    json_auto_t *version = NULL;
    json_auto_t *info = NULL;
    struct engine_call call = {.method = "GET", .path = "/version"};
    if (engine_call(engine, &call, &status, &version, err) < 0)
        return NULL;
    call.path = "/info";
    if (engine_call(engine, &call, &status, &info, err) < 0)
        return NULL;
    *platform = string_format(err, "%s/%s", word(version, "Os"), word(version, "Arch"));
    if (*platform == NULL)
        return NULL;
    const char *name =
        json_string_value(json_object_get(json_object_get(version, "Platform"), "Name"));
    return string_format(
        err, "%s %s, API 1.%d, %s, %s",
        name != NULL && *name != '\0' && strstr(name, "odman") != NULL ? "Podman" : "Docker Engine",
        word(version, "Version"), engine->minor, word(info, "Driver"), *platform);
}
