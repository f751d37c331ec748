#include "runners/engine/ssh.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gate/base/array.h"
#include "gate/base/file.h"
#include "gate/base/process_link.h"
#include "gate/base/trace.h"

#define END_MS      500 /* from the end of a connection to that of its process */
#define WORDS_MS    300 /* for words that come just behind the end of a connection */
#define LINES_KEPT  3   /* of its last words */
#define SOCKET_NAME "s"
#define BACKLOG     16 /* connections that wait to be accepted; more than one loop makes */

/* Of a host, a user and a path: no blank, no quote, nothing that a shell over there would read. */
static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

void engine_ssh_clear(struct engine_ssh *ssh) {
    free(ssh->user);
    free(ssh->host);
    free(ssh->port);
    free(ssh->path);
    *ssh = (struct engine_ssh){0};
}

int engine_ssh_copy(const struct engine_ssh *from, struct engine_ssh *to, struct error *err) {
    struct engine_ssh copy = {0};
    if (string_copy(from->user, &copy.user, err) < 0 ||
        string_copy(from->host, &copy.host, err) < 0 ||
        string_copy(from->port, &copy.port, err) < 0 ||
        string_copy(from->path, &copy.path, err) < 0) {
        engine_ssh_clear(&copy);
        return -1;
    }
    *to = copy;
    return 0;
}

static bool is_made_of(const char *text, const char *others) {
    for (; *text != '\0'; text++)
        if (strchr(plain, *text) == NULL && strchr(others, *text) == NULL)
            return false;
    return true;
}

/* [user@]host[:port], or with the host in brackets for an address of IPv6. */
static int split(char *authority, struct engine_ssh *out, struct error *err) {
    char *host = authority;
    char *at = strrchr(authority, '@');
    if (at != NULL) {
        *at = '\0';
        host = at + 1;
        out->user = string_dup(authority, err);
        if (out->user == NULL)
            return -1;
    }
    char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;
    char *colon = strchr(bracket != NULL ? bracket : host, ':');
    if (colon != NULL) {
        *colon = '\0';
        out->port = string_dup(colon + 1, err);
        if (out->port == NULL)
            return -1;
    }
    if (bracket != NULL) {
        if (bracket[1] != '\0')
            return error_set(err, ERROR_USAGE, "a port, or nothing, is expected behind \"]\"");
        *bracket = '\0';
        host++;
    }
    out->host = string_dup(host, err);
    return out->host != NULL ? 0 : -1;
}

static int check(const struct engine_ssh *ssh, struct error *err) {
    if (ssh->user != NULL && strchr(ssh->user, ':') != NULL)
        return error_set(err, ERROR_USAGE,
                         "no password can stand there; let ssh have a key for it");
    if (ssh->host[0] == '\0')
        return error_set(err, ERROR_USAGE, "ssh://[user@]host[:port] was expected");
    if (ssh->host[0] == '-' || (ssh->user != NULL && ssh->user[0] == '-'))
        return error_set(err, ERROR_USAGE, "neither host nor user may begin with \"-\"");
    if (!is_made_of(ssh->host, ":%") || (ssh->user != NULL && !is_made_of(ssh->user, "+\\")) ||
        (ssh->user != NULL && ssh->user[0] == '\0'))
        return error_set(err, ERROR_USAGE,
                         "ssh://[user@]host[:port][/path] was expected, of letters, digits and . "
                         "_ -");
    if (ssh->port != NULL && (ssh->port[0] == '\0' || strlen(ssh->port) > 5 ||
                              ssh->port[strspn(ssh->port, "0123456789")] != '\0' ||
                              atoi(ssh->port) < 1 || atoi(ssh->port) > 65535))
        return error_set(err, ERROR_USAGE, "the port is a number from 1 to 65535");
    if (ssh->path != NULL && !is_made_of(ssh->path, "/"))
        return error_set(err, ERROR_USAGE,
                         "the path of a socket over there is made of letters, digits and / . _ -");
    return 0;
}

int engine_ssh_parse(const char *rest, struct engine_ssh *out, struct error *err) {
    struct engine_ssh found = {0};
    size_t length = strcspn(rest, "/");
    _cleanup_(free_pointer) char *authority = string_dup_length(rest, length, err);
    int result = authority != NULL ? split(authority, &found, err) : -1;
    if (result == 0 && rest[length] == '/' && rest[length + 1] != '\0')
        result = string_copy(rest + length, &found.path, err);
    if (result == 0)
        result = check(&found, err);
    if (result < 0)
        engine_ssh_clear(&found);
    else
        *out = found;
    return result;
}

struct ssh_dialer {
    struct engine_ssh ssh;
    char connect_timeout[40]; /* "ConnectTimeout=30" */
    char path[64];            /* "/proc/self/fd/7" */
    int listening;
    int file; /* the socket in the file system, which has no name any more */
    struct links {
        struct process_link **items; /* the newest is the last */
        size_t count, capacity;
    } links;
};

/* Frees those that have ended, but the newest, which may be asked for its words. */
static void reap(struct links *links) {
    size_t kept = 0;
    for (size_t i = 0; i < links->count; i++)
        if (i + 1 < links->count && process_link_ended(links->items[i], 0))
            process_link_close(links->items[i], 0);
        else
            links->items[kept++] = links->items[i];
    links->count = kept;
}

static int start_ssh(struct ssh_dialer *dialer, int connection, struct error *err) {
    const struct engine_ssh *ssh = &dialer->ssh;
    const char *argv[20] = {"ssh", "-T", "-o", dialer->connect_timeout};
    size_t count = 4;
    if (ssh->user != NULL) {
        argv[count++] = "-l";
        argv[count++] = ssh->user;
    }
    if (ssh->port != NULL) {
        argv[count++] = "-p";
        argv[count++] = ssh->port;
    }
    argv[count++] = "--";
    argv[count++] = ssh->host;
    argv[count++] = "docker";
    _cleanup_(free_pointer) char *socket =
        ssh->path != NULL ? string_format(err, "unix://%s", ssh->path) : NULL;
    if (ssh->path != NULL) {
        if (socket == NULL)
            return -1;
        argv[count++] = "--host";
        argv[count++] = socket;
    }
    argv[count++] = "system";
    argv[count++] = "dial-stdio";
    reap(&dialer->links);
    struct process_link **link = array_add(&dialer->links, err);
    if (link == NULL)
        return -1;
    *link = process_link_open(argv, connection, err);
    trace(TRACE_ENGINE, "ssh %s: %s", ssh->host, *link != NULL ? "started" : error_message(err));
    if (*link != NULL)
        return 0;
    dialer->links.count--;
    if (err->kind == ERROR_NOT_FOUND)
        return error_set(err, ERROR_ENGINE,
                         "ssh: no such program: install it (openssh-client), or use another way "
                         "to the engine");
    return -1;
}

static bool is_ours(int connection) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.pid == getpid() && peer.uid == geteuid();
}

int ssh_dialer_tend(void *context, struct error *err) {
    struct ssh_dialer *dialer = context;
    for (;;) {
        struct sockaddr_un peer; /* has no name; is_ours asks who it is */
        socklen_t size = sizeof peer;
        _cleanup_(file_closep) int connection =
            accept4(dialer->listening, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC);
        if (connection < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (connection < 0 && errno == EAGAIN)
            return 0;
        if (connection < 0)
            return error_set_errno(err, "accept a connection of our own");
        if (is_ours(connection) && start_ssh(dialer, connection, err) < 0)
            return -1;
    }
}

/* In a folder of our own, which is gone again when this returns: nothing is left when we are killed. */
static int listen_in(struct ssh_dialer *dialer, int folder, struct error *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" SOCKET_NAME, folder);
    dialer->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (dialer->listening < 0 ||
        bind(dialer->listening, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(dialer->listening, BACKLOG) < 0)
        return error_set_errno(err, "make a socket for connections over ssh");
    dialer->file = openat(folder, SOCKET_NAME, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (dialer->file < 0)
        return error_set_errno(err, "open the socket for connections over ssh");
    snprintf(dialer->path, sizeof dialer->path, "/proc/self/fd/%d", dialer->file);
    return 0;
}

static int listen_for_us(struct ssh_dialer *dialer, struct error *err) {
    const char *given = getenv("TMPDIR");
    _cleanup_(free_pointer) char *path =
        string_format(err, "%s/pingate-XXXXXX", given != NULL && *given == '/' ? given : "/tmp");
    if (path == NULL)
        return -1;
    if (mkdtemp(path) == NULL)
        return error_set_errno(err, "make a temporary folder %s (TMPDIR names another place)",
                               path);
    _cleanup_(file_closep) int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = folder >= 0 ? listen_in(dialer, folder, err)
                             : error_set_errno(err, "open the temporary folder %s", path);
    if (folder >= 0)
        unlinkat(folder, SOCKET_NAME, 0);
    rmdir(path);
    return result;
}

struct ssh_dialer *ssh_dialer_new(const struct engine_ssh *ssh, int64_t connect_timeout_ms,
                                  struct error *err) {
    _cleanup_(ssh_dialer_freep) struct ssh_dialer *dialer = calloc(1, sizeof *dialer);
    if (dialer == NULL) {
        error_no_memory(err);
        return NULL;
    }
    dialer->listening = dialer->file = -1;
    if (engine_ssh_copy(ssh, &dialer->ssh, err) < 0 || listen_for_us(dialer, err) < 0)
        return NULL;
    long long seconds = (connect_timeout_ms + 999) / 1000;
    snprintf(dialer->connect_timeout, sizeof dialer->connect_timeout, "ConnectTimeout=%lld",
             seconds);
    return steal(dialer);
}

const char *ssh_dialer_socket(const struct ssh_dialer *dialer) {
    return dialer->path;
}

/* Where the last lines begin that say something. */
static const char *last_lines(const char *words, size_t *length) {
    size_t end = strlen(words);
    while (end > 0 && isspace((unsigned char)words[end - 1]))
        end--;
    *length = end;
    int lines = 0;
    while (end > 0) {
        if (words[end - 1] == '\n' && ++lines == LINES_KEPT)
            break;
        end--;
    }
    *length -= end;
    return words + end;
}

void ssh_dialer_words(struct ssh_dialer *dialer, char *out, size_t size) {
    _cleanup_(text_clear) struct text words = {0};
    struct error ignored = {0};
    out[0] = '\0';
    if (dialer->links.count == 0)
        return;
    struct process_link *link = dialer->links.items[dialer->links.count - 1];
    process_link_ended(link, WORDS_MS);
    if (process_link_words(link, &words, &ignored) < 0) {
        error_clear(&ignored);
        return;
    }
    size_t length;
    const char *from = last_lines(text_string(&words), &length);
    size_t used = 0;
    for (size_t i = 0; i < length && used + 3 < size; i++) {
        if (from[i] == '\n') {
            out[used++] = ';';
            out[used++] = ' ';
        } else if (from[i] != '\r') {
            out[used++] = from[i];
        }
    }
    out[used] = '\0';
}

const char *ssh_remedy(const char *words) {
    static const struct {
        const char *part, *remedy;
    } known[] = {
        {"Host key verification failed",
         "log in there once by hand and check its key: pingate cannot ask"},
        {"HOST IDENTIFICATION HAS CHANGED",
         "its key is another than the one that is known: find out why before anything else"},
        {"trying to connect to the Docker daemon",
         "that user may not use the engine's socket over there"},
        {"Permission denied",
         "give ssh a key that it can use without asking (an agent, or IdentityFile)"},
        {"Cannot connect to the Docker daemon", "is the engine running over there?"},
        {"raw stream connection",
         "is the engine running over there, and is the path of its socket right?"},
        {"docker: not found", "the docker client must be in the PATH over there"},
        {"docker: command not found", "the docker client must be in the PATH over there"},
        {"dial-stdio", "the docker client over there must be 18.09 or newer"},
        {"Connection refused", "no ssh server listens there: is the port right?"},
        {"Could not resolve hostname", "there is no such host: is the name right?"},
        {"timed out", "the host does not answer: is it up, and is the way there open?"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(words, known[i].part) != NULL)
            return known[i].remedy;
    return "";
}

void ssh_dialer_freep(struct ssh_dialer **dialer) {
    if (*dialer == NULL)
        return;
    struct links *links = &(*dialer)->links;
    for (size_t i = 0; i < links->count; i++)
        process_link_close(links->items[i], END_MS);
    free(links->items);
    file_closep(&(*dialer)->listening);
    file_closep(&(*dialer)->file);
    engine_ssh_clear(&(*dialer)->ssh);
    free(*dialer);
    *dialer = NULL;
}
