#include "runners/engine/reach.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gate/base/file.h"

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

void engine_socket_trouble(const struct engine_location *location, char *out, size_t size) {
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

static bool says(const char *words, const char *part) {
    return strstr(words, part) != NULL;
}

/* The engine's certificate is not one that we take. */
static void say_certificate(const struct engine_location *location, const char *words, char *out,
                            size_t size) {
    if (says(words, "expired"))
        snprintf(out, size, "make the engine a new certificate (and look at this machine's clock)");
    else if (says(words, "not yet valid"))
        snprintf(out, size, "is this machine's clock right?");
    else if (says(words, "subject name") || says(words, "does not match"))
        snprintf(out, size,
                 "the engine's certificate is for other names: write the address with one of "
                 "them, or make it one for this name");
    else if (location->ca == NULL)
        snprintf(out, size,
                 "nobody whom this machine trusts vouches for it: its authority belongs into "
                 "ca.pem, in DOCKER_CERT_PATH or the docker context");
    else
        snprintf(out, size, "%s is not of the authority that made the engine's certificate",
                 location->ca);
}

/* The engine does not take ours, or misses it. */
static void say_refused_certificate(const struct engine_location *location, const char *perhaps,
                                    char *out, size_t size) {
    if (location->cert != NULL)
        snprintf(out, size, "%sit does not know the certificate %s", perhaps, location->cert);
    else
        snprintf(out, size,
                 "%sit asks who we are: cert.pem and key.pem belong into DOCKER_CERT_PATH or the "
                 "docker context",
                 perhaps);
}

void engine_tcp_remedy(const struct engine_location *location, enum http_failure failure,
                       const char *words, char *out, size_t size) {
    out[0] = '\0';
    if (location->socket != NULL || location->ssh.host != NULL)
        return;
    if (failure == HTTP_FAILURE_CERTIFICATE)
        say_certificate(location, words, out, size);
    else if (failure == HTTP_FAILURE_OWN_CERTIFICATE)
        snprintf(out, size,
                 "%s and %s are to be PEM files, a certificate and its key, without a "
                 "password",
                 location->cert, location->key);
    else if (failure == HTTP_FAILURE_CA_FILE)
        snprintf(out, size, "%s is to be a PEM file of certificates", location->ca);
    else if (says(words, "certificate required") || says(words, "bad certificate") ||
             says(words, "alert unknown ca") || says(words, "certificate unknown"))
        say_refused_certificate(location, "", out, size);
    else if (failure == HTTP_FAILURE_TLS)
        snprintf(out, size, "it speaks no TLS there: is the port right (2376 is usual)?");
    else if (says(words, "HTTP request to an HTTPS server") || says(words, "HTTP/0.9"))
        snprintf(out, size, "it speaks TLS there: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH");
    else if (failure == HTTP_FAILURE_CONNECT)
        snprintf(out, size,
                 "nobody listens there, or the way is shut: is the engine started with "
                 "-H tcp://…?");
    else if (failure == HTTP_FAILURE_RESOLVE)
        snprintf(out, size, "there is no such host: is the name right?");
    else if (location->tls &&
             failure == HTTP_FAILURE_OTHER) /* its reason is lost when it cuts first */
        say_refused_certificate(location, "perhaps ", out, size);
}
