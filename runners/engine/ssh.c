#include "runners/engine/ssh.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/base/array.h"
#include "gate/base/process_link.h"
#include "gate/base/trace.h"

#define END_MS     500 /* from the end of a connection to that of its process */
#define WORDS_MS   300 /* for words that come just behind the end of a connection */
#define LINES_KEPT 3   /* of its last words */

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

/* One connection; its process may live on for a moment behind it. */
struct connection {
    int fd; /* -1 once it was closed */
    struct process_link *link;
};

struct ssh_dialer {
    struct http_dialer http;
    struct engine_ssh ssh;
    char connect_timeout[40];
    struct connections {
        struct connection *items; /* the newest is the last */
        size_t count, capacity;
    } connections;
};

/* Frees those whose process has ended, but the newest, which may be asked for its words. */
static void reap(struct ssh_dialer *dialer) {
    struct connections *all = &dialer->connections;
    size_t kept = 0;
    for (size_t i = 0; i < all->count; i++) {
        struct connection *one = &all->items[i];
        if (i + 1 < all->count && one->fd < 0 && process_link_ended(one->link, 0))
            process_link_close(one->link, 0);
        else
            all->items[kept++] = *one;
    }
    all->count = kept;
}

static int dial(void *context, struct error *err) {
    struct ssh_dialer *dialer = context;
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
    reap(dialer);
    struct connection *one = array_add(&dialer->connections, err);
    if (one == NULL)
        return -1;
    int fd = -1;
    one->link = process_link_open(argv, &fd, err);
    one->fd = fd;
    trace(TRACE_ENGINE, "ssh %s: %s", ssh->host, one->link != NULL ? "started" : "not started");
    if (one->link == NULL) {
        dialer->connections.count--;
        return err->kind == ERROR_NOT_FOUND
                   ? error_set(err, ERROR_ENGINE,
                               "ssh: no such program: install it (openssh-client)")
                   : -1;
    }
    return fd;
}

static void hang_up(void *context, int fd) {
    struct ssh_dialer *dialer = context;
    close(fd);
    for (size_t i = 0; i < dialer->connections.count; i++)
        if (dialer->connections.items[i].fd == fd)
            dialer->connections.items[i].fd = -1;
    reap(dialer);
}

struct ssh_dialer *ssh_dialer_new(const struct engine_ssh *ssh, int64_t connect_timeout_ms,
                                  struct error *err) {
    struct ssh_dialer *dialer = calloc(1, sizeof *dialer);
    if (dialer == NULL || engine_ssh_copy(ssh, &dialer->ssh, err) < 0) {
        free(dialer);
        error_no_memory(err);
        return NULL;
    }
    long long seconds = (connect_timeout_ms + 999) / 1000;
    snprintf(dialer->connect_timeout, sizeof dialer->connect_timeout, "ConnectTimeout=%lld",
             seconds);
    dialer->http = (struct http_dialer){.dial = dial, .hang_up = hang_up, .context = dialer};
    return dialer;
}

const struct http_dialer *ssh_dialer_http(struct ssh_dialer *dialer) {
    return &dialer->http;
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
    if (dialer->connections.count == 0)
        return;
    struct process_link *link = dialer->connections.items[dialer->connections.count - 1].link;
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
    struct connections *all = &(*dialer)->connections;
    for (size_t i = 0; i < all->count; i++)
        process_link_close(all->items[i].link, END_MS);
    free(all->items);
    engine_ssh_clear(&(*dialer)->ssh);
    free(*dialer);
    *dialer = NULL;
}
