/* fake_engine: a small Docker Engine in a thread, for tests of what runs on one; tests/faults has one that fails in any way.
 *
 * What it does is told by digests: the first letter behind "sha256:" says what becomes of an image and of what runs in it:
 *
 *     a to c   is pulled, and passes       d   is there from the beginning, and passes
 *     e        cannot be pulled            f   is pulled, and exits with 3
 *     9        is pulled, and its log does not end before fake_engine_release
 */
#pragma once

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/unit/tree.h"

struct fake_thing {
    char kind;      /* 'c'ontainer, 'v'olume, 'i'mage */
    char name[200]; /* id of a container, digest of an image */
    char digest;    /* of a container: the letter of its image */
    bool started;
};

struct fake_engine {
    struct tree tree;
    char address[128];
    int listening;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct fake_thing things[64];
    size_t count;
    struct text calls; /* "METHOD path\n" of each */
    bool gone;         /* closes every connection */
    bool released, waiting;
};

static inline void fake_add(struct fake_engine *fake, char kind, const char *name, char digest) {
    struct fake_thing *thing = &fake->things[fake->count++];
    ck_assert_uint_lt(fake->count, 64);
    *thing = (struct fake_thing){.kind = kind, .digest = digest};
    snprintf(thing->name, sizeof thing->name, "%s", name);
}

static inline struct fake_thing *fake_find(struct fake_engine *fake, char kind, const char *name) {
    for (size_t i = 0; i < fake->count; i++)
        if (fake->things[i].kind == kind && strstr(name, fake->things[i].name) != NULL)
            return &fake->things[i];
    return NULL;
}

static inline size_t fake_left(struct fake_engine *fake, char kind) {
    size_t count = 0;
    for (size_t i = 0; i < fake->count; i++)
        count += fake->things[i].kind == kind ? 1 : 0;
    return count;
}

static inline size_t fake_calls(struct fake_engine *fake, const char *part) {
    size_t count = 0;
    for (const char *at = text_string(&fake->calls); (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

static inline void fake_say(int fd, int status, const char *body, size_t length) {
    char head[128];
    int size =
        snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n", status, length);
    struct error err = {0};
    if (status == 204)
        size = snprintf(head, sizeof head, "HTTP/1.1 204 X\r\n\r\n");
    if (file_write_all(fd, head, (size_t)size, &err) < 0 ||
        file_write_all(fd, body, length, &err) < 0)
        error_clear(&err);
}

static inline void fake_text(int fd, int status, const char *body) {
    fake_say(fd, status, body, strlen(body));
}

static inline void fake_make(struct fake_engine *fake, int fd, const char *path, const char *body) {
    char answer[512];
    if (strstr(path, "/volumes/create") != NULL) {
        char name[200] = "";
        sscanf(strstr(body, "\"Name\":\""), "\"Name\":\"%199[^\"]", name);
        fake_add(fake, 'v', name, 0);
        snprintf(answer, sizeof answer, "{\"Name\":\"%s\"}", name);
        fake_text(fd, 201, answer);
    } else if (strstr(path, "/images/create") != NULL) {
        const char *digest = strstr(path, "sha256%3A") + strlen("sha256%3A");
        if (*digest == 'e') {
            fake_text(fd, 404, "{\"message\":\"manifest unknown\"}");
            return;
        }
        fake_add(fake, 'i', digest, 0);
        fake_text(fd, 200, "{\"status\":\"Downloading\",\"id\":\"x\",\"progressDetail\":{}}\n");
    } else {
        char id[65];
        snprintf(id, sizeof id, "%064zx", fake->count + fake->calls.length);
        const char *digest = strstr(body, "@sha256:") + strlen("@sha256:");
        fake_add(fake, 'c', id, *digest);
        snprintf(answer, sizeof answer, "{\"Id\":\"%s\",\"Warnings\":[]}", id);
        fake_text(fd, 201, answer);
    }
}

static inline void fake_show(struct fake_engine *fake, int fd, const char *path) {
    char answer[1024];
    if (strstr(path, "/images/") != NULL) {
        const struct fake_thing *image = fake_find(fake, 'i', path);
        if (image == NULL) {
            fake_text(fd, 404, "{\"message\":\"No such image\"}");
            return;
        }
        snprintf(answer, sizeof answer, "{\"Id\":\"image-%c\",\"RepoDigests\":[\"x@sha256:%s\"]}",
                 image->name[0], image->name);
        fake_text(fd, 200, answer);
        return;
    }
    const struct fake_thing *container = fake_find(fake, 'c', path);
    if (container == NULL) {
        fake_text(fd, 404, "{\"message\":\"No such container\"}");
    } else if (strstr(path, "/logs?") != NULL) {
        while (container->digest == '9' && !fake->released && !fake->gone) {
            fake->waiting = true;
            pthread_cond_broadcast(&fake->changed);
            pthread_cond_wait(&fake->changed, &fake->lock);
        }
        fake_say(fd, 200, "\1\0\0\0\0\0\0\3hi\n", 11);
    } else {
        snprintf(answer, sizeof answer,
                 "{\"Id\":\"%s\",\"Image\":\"image-%c\",\"State\":{\"Running\":false,\"OOMKilled\":"
                 "false,"
                 "\"ExitCode\":%d,\"StartedAt\":\"%s\",\"FinishedAt\":\"2026-01-01T00:00:01Z\"}}",
                 container->name, container->digest, container->digest == 'f' ? 3 : 0,
                 container->started ? "2026-01-01T00:00:00Z" : "0001-01-01T00:00:00Z");
        fake_text(fd, 200, answer);
    }
}

static inline void fake_remove(struct fake_engine *fake, int fd, const char *path) {
    char kind = strstr(path, "/containers/") != NULL ? 'c'
                : strstr(path, "/volumes/") != NULL  ? 'v'
                                                     : 'i';
    struct fake_thing *thing = fake_find(fake, kind, path);
    if (thing == NULL) {
        fake_text(fd, 404, "{\"message\":\"no such thing\"}");
        return;
    }
    *thing = fake->things[--fake->count];
    fake_text(fd, 204, "");
}

static inline void fake_answer(struct fake_engine *fake, int fd, const char *method,
                               const char *path, const char *body) {
    text_printf(&fake->calls, "%s %s\n", method, path);
    if (strstr(path, "/version") != NULL) {
        fake_text(
            fd, 200,
            "{\"ApiVersion\":\"1.41\",\"Version\":\"1\",\"Os\":\"linux\",\"Arch\":\"amd64\"}");
    } else if (strstr(path, "/info") != NULL) {
        fake_text(fd, 200, "{\"Driver\":\"overlay2\"}");
    } else if (strcmp(method, "DELETE") == 0) {
        fake_remove(fake, fd, path);
    } else if (strstr(path, "/images/json") != NULL ||
               strstr(path, "/networks?") != NULL) { /* what dead runs left: nothing */
        fake_text(fd, 200, "[]");
    } else if (strstr(path, "/start") != NULL) {
        fake_find(fake, 'c', path)->started = true;
        fake_text(fd, 204, "");
    } else if (strcmp(method, "POST") == 0) {
        fake_make(fake, fd, path, body);
    } else if (strstr(path, "/containers/json") != NULL || strstr(path, "/networks?") != NULL) {
        fake_text(fd, 200, "[]");
    } else if (strstr(path, "/volumes?") != NULL || strstr(path, "/networks?") != NULL ||
               strcmp(method, "PUT") == 0 || strstr(path, "/_ping") != NULL ||
               strstr(path, "/events?") != NULL) {
        fake_text(fd, 200, "{}");
    } else {
        fake_show(fake, fd, path);
    }
}

struct fake_connection {
    struct fake_engine *fake;
    int fd;
};

static inline void *fake_serve(void *context) {
    struct fake_connection connection = *(struct fake_connection *)context;
    free(context);
    char bytes[16384] = "";
    size_t length = 0;
    for (;;) {
        char *end = strstr(bytes, "\r\n\r\n");
        size_t body = 0;
        char *told = end != NULL ? strcasestr(bytes, "content-length:") : NULL;
        if (told != NULL && told < end)
            body = (size_t)atol(told + strlen("content-length:"));
        if (end != NULL && length >= (size_t)(end + 4 - bytes) + body) {
            char method[16];
            char path[1024];
            sscanf(bytes, "%15s %1023s", method, path);
            pthread_mutex_lock(&connection.fake->lock);
            bool gone = connection.fake->gone;
            if (!gone)
                fake_answer(connection.fake, connection.fd, method, path, end + 4);
            pthread_mutex_unlock(&connection.fake->lock);
            if (gone)
                break;
            length = 0;
            bytes[0] = '\0';
            continue;
        }
        ssize_t got = recv(connection.fd, bytes + length, sizeof bytes - 1 - length, 0);
        if (got <= 0)
            break;
        length += (size_t)got;
        bytes[length] = '\0';
    }
    close(connection.fd);
    return NULL;
}

static inline void *fake_listen(void *context) {
    struct fake_engine *fake = context;
    for (;;) {
        int fd = accept(fake->listening, NULL, NULL);
        if (fd < 0)
            return NULL;
        struct fake_connection *connection = malloc(sizeof *connection);
        *connection = (struct fake_connection){fake, fd};
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, fake_serve, connection), 0);
        pthread_detach(thread);
    }
}

static inline void fake_engine_start(struct fake_engine *fake) {
    *fake = (struct fake_engine){
        .tree = tree_new(), .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    signal(SIGPIPE, SIG_IGN); /* clients may go away */
    char digest[65];
    memset(digest, 'd', 64);
    digest[64] = '\0';
    fake_add(fake, 'i', digest, 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof name.sun_path, "%s/socket", fake->tree.root);
    snprintf(fake->address, sizeof fake->address, "unix://%s", name.sun_path);
    fake->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fake->listening, (struct sockaddr *)&name, sizeof name), 0);
    ck_assert_int_eq(listen(fake->listening, 64), 0);
    ck_assert_int_eq(pthread_create(&fake->thread, NULL, fake_listen, fake), 0);
}

static inline void fake_engine_release(struct fake_engine *fake) {
    pthread_mutex_lock(&fake->lock);
    fake->released = true;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}

/* Until a log waits. */
static inline void fake_engine_await(struct fake_engine *fake) {
    pthread_mutex_lock(&fake->lock);
    while (!fake->waiting)
        pthread_cond_wait(&fake->changed, &fake->lock);
    pthread_mutex_unlock(&fake->lock);
}

static inline void fake_engine_leave(struct fake_engine *fake) {
    pthread_mutex_lock(&fake->lock);
    fake->gone = true;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}

static inline void fake_engine_stop(struct fake_engine *fake) {
    fake_engine_leave(fake);
    shutdown(fake->listening, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    close(fake->listening);
    pthread_mutex_lock(&fake->lock);
    text_clear(&fake->calls);
    pthread_mutex_unlock(&fake->lock);
    tree_free(&fake->tree);
}
