/* delay: a relay that makes a way longer, for benchmarks. It needs neither rights nor a module of the kernel.
 *
 *   delay PORT-FILE MILLISECONDS SOCKET
 *
 * Listens on a free port of loopback, which it writes into the file, and hands every connection on to the unix socket. What comes
 * arrives half of the milliseconds later, in either direction; the first bytes of a connection a whole round later, as after
 * a handshake of TCP. It does not make the way narrower. Runs until it is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define WAYS_LIMIT 1024      /* two for each connection */
#define CHUNK      65536     /* bytes */
#define HELD_LIMIT (4 << 20) /* bytes under way before nothing more is read */

struct chunk {
    struct chunk *next;
    int64_t due_us;
    size_t length, sent;
    char bytes[];
};

/* One direction of a connection; the other one is the next or the one before. */
struct way {
    int from, to;
    bool ended; /* nothing more comes */
    struct chunk *first, **last;
    size_t held;
    int64_t not_before_us;
};

static struct way ways[WAYS_LIMIT];
static size_t way_count;
static int64_t delay_us;
static const char *target;

static int64_t now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void open_way(int listener) {
    int one = 1;
    int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0)
        return;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", target);
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server < 0 || way_count + 2 > WAYS_LIMIT ||
        connect(server, (struct sockaddr *)&address, sizeof address) < 0)
        die(target);
    fcntl(server, F_SETFL, O_NONBLOCK);
    int64_t begun_us = now_us() + delay_us * 3; /* there and back, and there again */
    ways[way_count] = (struct way){.from = client, .to = server, .not_before_us = begun_us};
    ways[way_count + 1] = (struct way){.from = server, .to = client};
    for (size_t i = way_count; i < way_count + 2; i++)
        ways[i].last = &ways[i].first;
    way_count += 2;
}

static void take(struct way *way) {
    struct chunk *chunk = malloc(sizeof *chunk + CHUNK);
    if (chunk == NULL)
        die("delay");
    ssize_t got = read(way->from, chunk->bytes, CHUNK);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        free(chunk);
        return;
    }
    way->ended = got <= 0;
    int64_t due_us = now_us() + delay_us;
    *chunk = (struct chunk){.due_us = due_us > way->not_before_us ? due_us : way->not_before_us,
                            .length = got > 0 ? (size_t)got : 0};
    chunk = realloc(chunk, sizeof *chunk + chunk->length);
    *way->last = chunk;
    way->last = &chunk->next;
    way->held += chunk->length;
}

/* Hands on what is due; an empty chunk is the end. */
static void give(struct way *way, int64_t at_us) {
    struct chunk *chunk;
    while ((chunk = way->first) != NULL && chunk->due_us <= at_us) {
        ssize_t put = chunk->length > 0 ? send(way->to, chunk->bytes + chunk->sent,
                                               chunk->length - chunk->sent, MSG_NOSIGNAL)
                                        : 0;
        if (put < 0 && errno == EAGAIN)
            return;
        if (chunk->length == 0 || put < 0)
            shutdown(way->to, SHUT_WR);
        chunk->sent += put > 0 ? (size_t)put : chunk->length - chunk->sent;
        if (chunk->sent < chunk->length)
            return;
        way->held -= chunk->length;
        way->first = chunk->next;
        if (way->first == NULL)
            way->last = &way->first;
        free(chunk);
    }
}

/* A connection is over when both of its ways have ended and are empty. */
static void forget(void) {
    for (size_t i = 0; i + 1 < way_count;) {
        struct way *pair = &ways[i];
        if (!pair[0].ended || !pair[1].ended || pair[0].first != NULL || pair[1].first != NULL) {
            i += 2;
            continue;
        }
        close(pair[0].from);
        close(pair[0].to);
        way_count -= 2;
        if (i == way_count)
            return;
        for (size_t side = 0; side < 2; side++) { /* the last pair takes its place */
            pair[side] = ways[way_count + side];
            if (pair[side].first == NULL)
                pair[side].last = &pair[side].first;
        }
    }
}

static void run(int listener) {
    struct pollfd polls[WAYS_LIMIT + 1];
    for (;;) {
        int64_t at_us = now_us();
        int64_t next_us = -1;
        for (size_t i = 0; i < way_count; i++) {
            const struct chunk *chunk = ways[i].first;
            bool more = !ways[i].ended && ways[i].held < HELD_LIMIT;
            polls[i] = (struct pollfd){.fd = more ? ways[i].from : -1, .events = POLLIN};
            if (chunk == NULL)
                continue;
            int64_t left_us = chunk->due_us > at_us ? chunk->due_us - at_us : 1000;
            next_us = next_us < 0 || left_us < next_us ? left_us : next_us;
        }
        polls[way_count] = (struct pollfd){.fd = listener, .events = POLLIN};
        struct timespec wait = {.tv_nsec = next_us * 1000};
        size_t watched = way_count;
        if (ppoll(polls, watched + 1, next_us < 0 ? NULL : &wait, NULL) < 0 && errno != EINTR)
            die("poll");
        for (size_t i = 0; i < watched; i++)
            if (polls[i].revents != 0)
                take(&ways[i]);
        at_us = now_us();
        for (size_t i = 0; i < watched; i++)
            give(&ways[i], at_us);
        forget();
        if (polls[watched].revents != 0)
            open_way(listener);
    }
}

int main(int count, char **words) {
    if (count != 4) {
        fprintf(stderr, "usage: delay PORT-FILE MILLISECONDS SOCKET\n");
        return 2;
    }
    delay_us = strtoll(words[2], NULL, 10) * 500;
    target = words[3];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listener, 256) < 0 || getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        die("listen");
    FILE *file = fopen(words[1], "we");
    if (file == NULL || fprintf(file, "%d\n", ntohs(address.sin_port)) < 0 || fclose(file) != 0)
        die(words[1]);
    run(listener);
}
