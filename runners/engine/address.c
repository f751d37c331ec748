#include "runners/engine/address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/text.h"
#include "runners/engine/context.h"

#define DEFAULT_SOCKET   "/var/run/docker.sock"
#define DEFAULT_PORT     "2375" /* of an engine without TLS */
#define DEFAULT_TLS_PORT "2376"
#define USUAL_SOCKETS    6

void engine_location_clear(struct engine_location *location) {
    free(location->address);
    free(location->source);
    free(location->socket);
    free(location->base);
    free(location->ca);
    free(location->cert);
    free(location->key);
    engine_ssh_clear(&location->ssh);
    *location = (struct engine_location){0};
}

int engine_location_copy(const struct engine_location *from, struct engine_location *to,
                         struct error *err) {
    _cleanup_(engine_location_clear) struct engine_location copy = {
        .loopback = from->loopback, .tls = from->tls, .unverified = from->unverified};
    if (string_copy(from->address, &copy.address, err) < 0 ||
        string_copy(from->source, &copy.source, err) < 0 ||
        string_copy(from->socket, &copy.socket, err) < 0 ||
        string_copy(from->base, &copy.base, err) < 0 || string_copy(from->ca, &copy.ca, err) < 0 ||
        string_copy(from->cert, &copy.cert, err) < 0 ||
        string_copy(from->key, &copy.key, err) < 0 ||
        engine_ssh_copy(&from->ssh, &copy.ssh, err) < 0)
        return -1;
    *to = copy;
    copy = (struct engine_location){0};
    return 0;
}

static const char *environment(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

static int from_environment(struct engine_location *found, const char *variable,
                            struct error *err) {
    found->address = string_dup(getenv(variable), err);
    found->source = string_dup(variable, err);
    return found->address != NULL && found->source != NULL ? 0 : -1;
}

static int usual_sockets(char *sockets[USUAL_SOCKETS], struct error *err) {
    const char *given = environment("XDG_RUNTIME_DIR");
    const char *home = environment("HOME");
    _cleanup_(free_pointer) char *runtime =
        given != NULL ? string_dup(given, err)
                      : string_format(err, "/run/user/%u", (unsigned int)getuid());
    if (runtime == NULL)
        return -1;
    sockets[0] = string_dup("/run/docker.sock", err);
    sockets[1] = string_dup(DEFAULT_SOCKET, err);
    sockets[2] = string_format(err, "%s/docker.sock", runtime);
    sockets[3] = string_format(err, "%s/podman/podman.sock", runtime);
    sockets[4] = string_dup("/run/podman/podman.sock", err);
    sockets[5] = string_format(err, "%s/.docker/desktop/docker.sock", home != NULL ? home : "");
    for (size_t i = 0; i < USUAL_SOCKETS; i++)
        if (sockets[i] == NULL)
            return -1;
    return 0;
}

static int nothing_found(char *const sockets[USUAL_SOCKETS], struct error *err) {
    _cleanup_(text_clear) struct text words = {0};
    for (size_t i = 0; i < USUAL_SOCKETS; i++)
        text_printf(&words, "%s%s",
                    i == 0                  ? ""
                    : i + 1 < USUAL_SOCKETS ? ", "
                                            : " or ",
                    sockets[i]);
    return error_set(
        err, ERROR_ENGINE,
        "no Docker Engine found: DOCKER_HOST and DOCKER_CONTEXT are not set, docker's "
        "configuration has no current context, and there is no socket at %s; start "
        "one, or name it: --engine unix:///path/to/docker.sock, tcp://host:" DEFAULT_TLS_PORT
        ", ssh://user@host or context:NAME",
        text_string(&words));
}

static int from_usual_sockets(struct engine_location *found, struct error *err) {
    char *sockets[USUAL_SOCKETS] = {0};
    int result = usual_sockets(sockets, err);
    const char *chosen = NULL;
    for (size_t i = 0; result == 0 && i < USUAL_SOCKETS && chosen == NULL; i++)
        chosen = access(sockets[i], R_OK | W_OK) == 0 ? sockets[i] : NULL;
    for (size_t i = 0; result == 0 && i < USUAL_SOCKETS && chosen == NULL; i++)
        chosen = access(sockets[i], F_OK) == 0 ? sockets[i] : NULL;
    if (result == 0 && chosen == NULL)
        result = nothing_found(sockets, err);
    if (result == 0) {
        found->address = string_format(err, "unix://%s", chosen);
        found->source = string_dup("usual socket", err);
        result = found->address != NULL && found->source != NULL ? 0 : -1;
    }
    for (size_t i = 0; i < USUAL_SOCKETS; i++)
        free(sockets[i]);
    return result;
}

/* The context that is used, if one is: its files decide about TLS. */
struct named {
    struct docker_context context;
    bool used;
};

static int from_context(struct engine_location *found, struct named *named, const char *name,
                        const char *by, struct error *err) {
    _cleanup_(free_pointer) char *folder = docker_config_folder(err);
    if (folder == NULL && err->kind != ERROR_NONE)
        return -1;
    if (docker_context_read(folder, name, &named->context, err) < 0)
        return error_wrap(err, "%s", by);
    named->used = true;
    found->address = string_dup(named->context.host, err);
    found->source = string_format(err, "context %s of %s", name, by);
    return found->address != NULL && found->source != NULL ? 0 : -1;
}

/* DOCKER_HOST, else the usual sockets: also what the context "default" means. */
static int from_default(struct engine_location *found, struct error *err) {
    return environment("DOCKER_HOST") != NULL ? from_environment(found, "DOCKER_HOST", err)
                                              : from_usual_sockets(found, err);
}

static int find_address(const char *given, struct engine_location *found, struct named *named,
                        struct error *err) {
    if (given != NULL && string_has_prefix(given, "context:")) {
        const char *name = given + strlen("context:");
        return strcmp(name, "default") == 0 ? from_default(found, err)
                                            : from_context(found, named, name, "--engine", err);
    }
    if (given != NULL && *given != '\0') {
        found->address = string_dup(given, err);
        found->source = string_dup("--engine", err);
        return found->address != NULL && found->source != NULL ? 0 : -1;
    }
    const char *context = environment("DOCKER_CONTEXT");
    if (environment("DOCKER_HOST") != NULL || (context != NULL && strcmp(context, "default") == 0))
        return from_default(found, err);
    if (context != NULL)
        return from_context(found, named, context, "DOCKER_CONTEXT", err);
    _cleanup_(free_pointer) char *folder = docker_config_folder(err);
    _cleanup_(free_pointer) char *name = NULL;
    _cleanup_(free_pointer) char *file = NULL;
    if ((folder == NULL && err->kind != ERROR_NONE) ||
        docker_context_current(folder, &name, &file, err) < 0)
        return -1;
    return name != NULL ? from_context(found, named, name, file, err)
                        : from_usual_sockets(found, err);
}

static int set_socket(struct engine_location *location, const char *path, struct error *err) {
    if (*path == '\0')
        path = DEFAULT_SOCKET;
    if (*path != '/')
        return error_set(err, ERROR_USAGE,
                         "engine address \"%s\": the path of a socket begins with /, as in "
                         "unix:///run/docker.sock",
                         location->address);
    if (strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return error_set(err, ERROR_USAGE,
                         "engine address \"%s\": the path of a socket has at most %zu bytes",
                         location->address, sizeof((struct sockaddr_un *)0)->sun_path - 1);
    location->socket = string_dup(path, err);
    location->base = string_dup("http://localhost", err);
    location->loopback = true;
    return location->socket != NULL && location->base != NULL ? 0 : -1;
}

/* *out is NULL where the folder has no such file. */
static int find_pem(const struct engine_location *location, const char *folder, const char *name,
                    char **out, struct error *err) {
    _cleanup_(free_pointer) char *path = file_join(folder, name, err);
    if (path == NULL)
        return -1;
    if (access(path, R_OK) == 0)
        *out = steal(path);
    else if (errno != ENOENT && errno != ENOTDIR)
        return error_set(err, ERROR_IO, "engine %s, with TLS: %s: %s", location->address, path,
                         strerror(errno));
    return 0;
}

static int take_pems(struct engine_location *location, const char *folder, struct error *err) {
    if (find_pem(location, folder, "ca.pem", &location->ca, err) < 0 ||
        find_pem(location, folder, "cert.pem", &location->cert, err) < 0 ||
        find_pem(location, folder, "key.pem", &location->key, err) < 0)
        return -1;
    if ((location->cert != NULL) != (location->key != NULL))
        return error_set(err, ERROR_IO,
                         "engine %s, with TLS: %s has %s and no %s; a client's certificate needs "
                         "both",
                         location->address, folder, location->cert != NULL ? "cert.pem" : "key.pem",
                         location->cert != NULL ? "key.pem" : "cert.pem");
    return 0;
}

/* Whether TLS is spoken, and with which files. */
static int decide_tls(struct engine_location *location, const struct named *named, bool always,
                      struct error *err) {
    if (named->used) {
        if (named->context.tls_folder != NULL &&
            take_pems(location, named->context.tls_folder, err) < 0)
            return -1;
        location->unverified = named->context.unverified;
        location->tls =
            always || named->context.unverified || location->ca != NULL || location->cert != NULL;
        return 0;
    }
    location->tls =
        always || environment("DOCKER_TLS_VERIFY") != NULL || environment("DOCKER_TLS") != NULL;
    if (!location->tls)
        return 0;
    const char *given = environment("DOCKER_CERT_PATH");
    if (given != NULL && !file_exists(given))
        return error_set(err, ERROR_IO,
                         "engine %s, with TLS: DOCKER_CERT_PATH names %s, and there is no such "
                         "folder",
                         location->address, given);
    _cleanup_(free_pointer) char *folder =
        given != NULL ? string_dup(given, err) : docker_config_folder(err);
    if (folder == NULL)
        return err->kind != ERROR_NONE ? -1 : 0;
    return take_pems(location, folder, err);
}

static bool is_loopback(const char *host) {
    return string_has_prefix(host, "localhost:") || string_has_prefix(host, "127.") ||
           string_has_prefix(host, "[::1]");
}

static int set_host(struct engine_location *location, const char *host, struct error *err) {
    const char *usual = location->tls ? DEFAULT_TLS_PORT : DEFAULT_PORT;
    size_t length = strlen(host);
    if (length > 0 && host[length - 1] == '/')
        length--;
    const char *colon = strrchr(host, ':');
    const char *bracket = strrchr(host, ']');
    bool has_port = colon != NULL && (bracket == NULL || colon > bracket);
    if (length == 0 || colon == host || strcspn(host, " /?#@\\") < length)
        return error_set(err, ERROR_USAGE,
                         "engine address \"%s\": tcp://host:port was expected, such as "
                         "tcp://localhost:%s",
                         location->address, usual);
    location->base = string_format(err, "%s://%.*s%s%s", location->tls ? "https" : "http",
                                   (int)length, host, has_port ? "" : ":", has_port ? "" : usual);
    if (location->base == NULL)
        return -1;
    location->loopback = is_loopback(strstr(location->base, "://") + 3);
    return 0;
}

static int set_ssh(struct engine_location *location, const char *rest, struct error *err) {
    /* One address, so that one connection is opened; it stands in the request's Host alone. */
    location->base = string_dup("http://127.0.0.1", err);
    location->loopback = true;
    if (location->base == NULL)
        return -1;
    return engine_ssh_parse(rest, &location->ssh, err) < 0
               ? error_wrap(err, "engine address \"%s\"", location->address)
               : 0;
}

/* Schemes that an engine or its tools know, and what to do where they are not spoken. */
static const struct {
    const char *scheme, *instead;
} unspoken[] = {
    {"http://", "write tcp://host:port"},
    {"npipe://", "use tcp://host:port"},
    {"fd://", "that is how an engine is told to listen; use the path of its socket: "
              "unix://" DEFAULT_SOCKET},
};

static int set_by_scheme(struct engine_location *found, const struct named *named,
                         struct error *err) {
    const char *address = found->address;
    if (string_has_prefix(address, "unix://"))
        return set_socket(found, address + strlen("unix://"), err);
    if (string_has_prefix(address, "ssh://"))
        return set_ssh(found, address + strlen("ssh://"), err);
    bool secure = string_has_prefix(address, "https://");
    if (secure || string_has_prefix(address, "tcp://"))
        return decide_tls(found, named, secure, err) < 0
                   ? -1
                   : set_host(found, strstr(address, "://") + 3, err);
    for (size_t i = 0; i < sizeof unspoken / sizeof *unspoken; i++)
        if (string_has_prefix(address, unspoken[i].scheme))
            return error_set(err, ERROR_USAGE,
                             "engine address \"%s\": this pingate does not speak %s; %s", address,
                             unspoken[i].scheme, unspoken[i].instead);
    return error_set(err, ERROR_USAGE,
                     "engine address \"%s\": unix:///path, tcp://host:port, ssh://host or "
                     "context:NAME was expected",
                     address);
}

int engine_location_find(const char *given, struct engine_location *out, struct error *err) {
    _cleanup_(engine_location_clear) struct engine_location found = {0};
    struct named named = {0};
    int result = find_address(given, &found, &named, err);
    if (result == 0) {
        result = set_by_scheme(&found, &named, err);
        if (result < 0 && named.used)
            error_wrap(err, "%s (%s)", found.source, named.context.file);
    }
    docker_context_clear(&named.context);
    if (result < 0)
        return -1;
    *out = found;
    found = (struct engine_location){0};
    return 0;
}
