#include "runners/engine/address.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/text.h"

#define DEFAULT_SOCKET "/var/run/docker.sock"
#define DEFAULT_PORT   "2375" /* of an engine without TLS */

void engine_location_clear(struct engine_location *location) {
    free(location->address);
    free(location->socket);
    free(location->base);
    *location = (struct engine_location){0};
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
    const char *usual[] = {"/run/docker.sock", DEFAULT_SOCKET, rootless, podman,
                           "/run/podman/podman.sock"};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (access(usual[i], F_OK) == 0)
            return string_format(err, "unix://%s", usual[i]);
    error_set(
        err, ERROR_ENGINE,
        "no Docker Engine found: DOCKER_HOST is not set, and there is no socket at %s, %s or %s; "
        "start one, or name it with --engine unix:///path/to/docker.sock",
        usual[0], runtime != NULL ? rootless : DEFAULT_SOCKET, usual[4]);
    return NULL;
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

static bool is_loopback(const char *host) {
    return string_has_prefix(host, "localhost:") || string_has_prefix(host, "127.") ||
           string_has_prefix(host, "[::1]");
}

static int set_host(struct engine_location *location, const char *host, struct error *err) {
    const char *verify = getenv("DOCKER_TLS_VERIFY");
    if (verify != NULL && *verify != '\0')
        return error_set(err, ERROR_USAGE,
                         "engine address \"%s\": DOCKER_TLS_VERIFY is set and this pingate does "
                         "not speak TLS to an engine; use a unix:// socket, such as one that ssh "
                         "-L forwards, or unset DOCKER_TLS_VERIFY if the engine listens without",
                         location->address);
    size_t length = strlen(host);
    if (length > 0 && host[length - 1] == '/')
        length--;
    const char *colon = strrchr(host, ':');
    const char *bracket = strrchr(host, ']');
    bool has_port = colon != NULL && (bracket == NULL || colon > bracket);
    if (length == 0 || colon == host || strcspn(host, " /?#@\\") < length)
        return error_set(err, ERROR_USAGE,
                         "engine address \"%s\": tcp://host:port was expected, such as "
                         "tcp://localhost:" DEFAULT_PORT,
                         location->address);
    location->base =
        string_format(err, "http://%.*s%s", (int)length, host, has_port ? "" : ":" DEFAULT_PORT);
    if (location->base == NULL)
        return -1;
    location->loopback = is_loopback(location->base + strlen("http://"));
    return 0;
}

/* Schemes that an engine or its tools know, and what to do where they are not spoken. */
static const struct {
    const char *scheme, *instead;
} unspoken[] = {
    {"ssh://", "forward the socket with `ssh -nNT -L /tmp/engine.sock:" DEFAULT_SOCKET
               " HOST` and use unix:///tmp/engine.sock"},
    {"https://", "use a unix:// socket, such as one that ssh -L forwards"},
    {"http://", "write tcp://host:port"},
    {"npipe://", "use tcp://host:port"},
    {"fd://", "that is how an engine is told to listen; use the path of its socket: "
              "unix://" DEFAULT_SOCKET},
};

int engine_location_find(const char *address, struct engine_location *out, struct error *err) {
    _cleanup_(engine_location_clear) struct engine_location found = {0};
    found.address = find_address(address, err);
    if (found.address == NULL)
        return -1;
    int result = 1;
    if (string_has_prefix(found.address, "unix://"))
        result = set_socket(&found, found.address + strlen("unix://"), err);
    else if (string_has_prefix(found.address, "tcp://"))
        result = set_host(&found, found.address + strlen("tcp://"), err);
    for (size_t i = 0; result > 0 && i < sizeof unspoken / sizeof *unspoken; i++)
        if (string_has_prefix(found.address, unspoken[i].scheme))
            result = error_set(err, ERROR_USAGE,
                               "engine address \"%s\": this pingate does not speak %s; %s",
                               found.address, unspoken[i].scheme, unspoken[i].instead);
    if (result > 0)
        result = error_set(err, ERROR_USAGE,
                           "engine address \"%s\": unix:///path or tcp://host:port was expected",
                           found.address);
    if (result < 0)
        return -1;
    *out = found;
    found = (struct engine_location){0};
    return 0;
}

static void say_refused(const char *path, const struct stat *status, char *out, size_t size) {
    char buffer[1024];
    struct group entry;
    struct group *group = NULL;
    getgrgid_r(status->st_gid, &entry, buffer, sizeof buffer, &group);
    snprintf(out, size,
             "you may not use the socket %s: it takes user %u or group %s (be a member of it, or "
             "run as that user; whoever may use it is as good as root)",
             path, status->st_uid, group != NULL ? group->gr_name : "of its owner");
}

void engine_location_trouble(const struct engine_location *location, char *out, size_t size) {
    out[0] = '\0';
    if (location->socket == NULL)
        return;
    const char *path = location->socket;
    struct stat status;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    _cleanup_(file_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&name, sizeof name) == 0)
        return;
    int why = errno;
    if (why == ENOENT || why == ENOTDIR)
        snprintf(out, size, "there is no socket at %s: is the engine running?", path);
    else if (stat(path, &status) == 0 && !S_ISSOCK(status.st_mode))
        snprintf(out, size, "%s is no socket", path);
    else if (why == EACCES && stat(path, &status) == 0)
        say_refused(path, &status, out, size);
    else if (why == ECONNREFUSED)
        snprintf(out, size, "nobody listens at the socket %s: the engine is not running", path);
    else
        snprintf(out, size, "the socket %s cannot be used: %s", path, strerror(why));
}
