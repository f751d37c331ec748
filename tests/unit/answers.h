/* answers: a server on loopback that gives each request the next of some ready answers, byte by byte as they are written.
 *
 *     static const char *const ready[] = {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", NULL};
 *     struct answers answers;
 *     answers_start(&answers, ready);          answers.port; one connection at a time, kept while the answers last
 *     …
 *     answers_stop(&answers);                  answers.heads[i] is what the i-th request was, answers.count how many came
 *
 * An answer that begins with "close" ends the connection without a word; "silence" keeps it and says nothing. After an answer
 * with "Connection: close" in it the connection is closed. Behind the last answer every connection is closed at once. Larger
 * things are told to tests/faults.
 */
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define ANSWERS_LIMIT      32
#define ANSWERS_HEAD_LIMIT 4096 /* bytes of a request that are kept */

struct answers {
    int listening;
    int stop[2]; /* a pipe: closed to end the server */
    unsigned int port;
    const char *const *ready;
    pthread_t thread;
    char heads[ANSWERS_LIMIT][ANSWERS_HEAD_LIMIT];
    size_t count;
    size_t connections;
};

/* False when the server is to stop or the other side is gone. */
static inline bool answers_wait(struct answers *answers, int fd) {
    struct pollfd both[] = {{.fd = fd, .events = POLLIN},
                            {.fd = answers->stop[0], .events = POLLIN}};
    return poll(both, 2, -1) > 0 && both[1].revents == 0;
}

static inline bool answers_read_head(struct answers *answers, int fd, char *head) {
    size_t length = 0;
    head[0] = '\0';
    while (strstr(head, "\r\n\r\n") == NULL) {
        if (length + 1 >= ANSWERS_HEAD_LIMIT || !answers_wait(answers, fd))
            return false;
        ssize_t got = recv(fd, head + length, ANSWERS_HEAD_LIMIT - 1 - length, 0);
        if (got <= 0)
            return false;
        length += (size_t)got;
        head[length] = '\0';
    }
    return true;
}

static inline void answers_serve(struct answers *answers, int fd) {
    while (answers->count < ANSWERS_LIMIT && answers->ready[answers->count] != NULL &&
           answers_read_head(answers, fd, answers->heads[answers->count])) {
        const char *answer = answers->ready[answers->count++];
        if (strcmp(answer, "close") == 0)
            return;
        if (strcmp(answer, "silence") == 0) {
            answers_wait(answers, fd);
            return;
        }
        size_t length = strlen(answer);
        if (send(fd, answer, length, MSG_NOSIGNAL) != (ssize_t)length ||
            strstr(answer, "Connection: close") != NULL)
            return;
    }
}

static inline void *answers_run(void *context) {
    struct answers *answers = context;
    while (answers_wait(answers, answers->listening)) {
        int fd = accept(answers->listening, NULL, NULL);
        if (fd < 0)
            break;
        answers->connections++;
        answers_serve(answers, fd);
        close(fd);
    }
    return NULL;
}

static inline void answers_start(struct answers *answers, const char *const *ready) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    *answers = (struct answers){.ready = ready};
    answers->listening = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(answers->listening >= 0 && pipe(answers->stop) == 0);
    ck_assert(bind(answers->listening, (struct sockaddr *)&address, size) == 0);
    ck_assert(listen(answers->listening, 16) == 0);
    ck_assert(getsockname(answers->listening, (struct sockaddr *)&address, &size) == 0);
    answers->port = ntohs(address.sin_port);
    ck_assert(pthread_create(&answers->thread, NULL, answers_run, answers) == 0);
}

static inline void answers_stop(struct answers *answers) {
    close(answers->stop[1]);
    pthread_join(answers->thread, NULL);
    close(answers->stop[0]);
    close(answers->listening);
}
