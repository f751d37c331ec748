/* pingate-inside: what pingate runs in helper containers, whose images may hold nothing at all: no shell, no libc.
 *
 *     pingate-inside hold                                       until SIGTERM: keeps namespaces and mounts alive
 *     pingate-inside open FOLDER                                lets everybody read and write what is in it
 *     pingate-inside tcp ADDRESS PORT MS                        until the port takes a connection
 *     pingate-inside http ADDRESS PORT HOST PATH STATUS MS      until GET PATH answers with the status; 0: any from 200 to 399
 *
 * ADDRESS is numeric. MS is how long it tries, in milliseconds. Exit status: 0 it works; 1 it did not within the time: one line on
 * standard output tells what the last try saw; 2 it was called wrongly.
 *
 * It is linked statically and knows nothing of the rest of the program, which carries it as bytes (runners/inside.h).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_MS    25   /* between two tries */
#define TRY_MS      5000 /* one try at most: what does not answer now may answer another time */
#define STATUS_SIZE 128  /* bytes of an answer that are read: its status line */
#define WHY_SIZE    200

enum { WORKS = 0, TIME_OVER = 1, CALLED_WRONGLY = 2 };

/* What is asked, and what the last try saw. */
struct probe {
    struct sockaddr_storage address;
    socklen_t address_size;
    const char *host, *path; /* NULL: only the connection is asked for */
    long port, status;
    int64_t deadline_ms;
    char why[WHY_SIZE];
};

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A try that was cut short by the end of the time saw less than the one before it. */
static void say_why(struct probe *probe, const char *what, const char *how) {
    if (probe->why[0] != '\0' && now_ms() >= probe->deadline_ms)
        return;
    snprintf(probe->why, sizeof probe->why, "%s: %s", what, how);
}

/* Waits until the socket can be read or written, and not longer than a try may take. */
static bool wait_for(int fd, short events, int64_t until_ms) {
    int64_t left_ms = until_ms - now_ms();
    struct pollfd one = {.fd = fd, .events = events};
    return left_ms > 0 && poll(&one, 1, (int)left_ms) == 1;
}

static bool make_connection(struct probe *probe, int fd, int64_t until_ms) {
    int failed = 0;
    socklen_t size = sizeof failed;
    if (connect(fd, (struct sockaddr *)&probe->address, probe->address_size) == 0)
        return true;
    if (errno != EINPROGRESS)
        failed = errno;
    else if (!wait_for(fd, POLLOUT, until_ms))
        failed = ETIMEDOUT;
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) < 0)
        failed = errno;
    if (failed != 0)
        say_why(probe, "connect", strerror(failed));
    return failed == 0;
}

/* The first line of the answer, without its end. */
static bool read_line(struct probe *probe, int fd, int64_t until_ms, char *line, size_t size) {
    size_t length = 0;
    while (length + 1 < size && memchr(line, '\n', length) == NULL) {
        ssize_t got =
            wait_for(fd, POLLIN, until_ms) ? read(fd, line + length, size - 1 - length) : -2;
        if (got <= 0) {
            say_why(probe, "read the answer",
                    got == -2  ? "nothing came"
                    : got == 0 ? "the connection was closed"
                               : strerror(errno));
            return false;
        }
        length += (size_t)got;
    }
    line[length] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return true;
}

static bool ask_http(struct probe *probe, int fd, int64_t until_ms) {
    char line[STATUS_SIZE];
    /* one write: it is far smaller than a fresh socket's buffer */
    if (dprintf(fd, "GET %s HTTP/1.0\r\nHost: %s:%ld\r\nUser-Agent: pingate\r\nAccept: */*\r\n\r\n",
                probe->path, probe->host, probe->port) < 0) {
        say_why(probe, "send the question", strerror(errno));
        return false;
    }
    if (!read_line(probe, fd, until_ms, line, sizeof line))
        return false;
    int status = 0;
    int digits = 0;
    if (sscanf(line, "HTTP/%*1d.%*1d %3d%n", &status, &digits) != 1 || digits == 0) {
        say_why(probe, "the answer is no HTTP", line);
        return false;
    }
    say_why(probe, "the answer was", line);
    return probe->status == 0 ? status >= 200 && status <= 399 : status == probe->status;
}

static bool try_once(struct probe *probe) {
    int64_t until_ms = now_ms() + TRY_MS;
    if (until_ms > probe->deadline_ms)
        until_ms = probe->deadline_ms;
    int fd = socket(probe->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        say_why(probe, "socket", strerror(errno));
        return false;
    }
    bool works = make_connection(probe, fd, until_ms) &&
                 (probe->path == NULL || ask_http(probe, fd, until_ms));
    close(fd);
    return works;
}

static int try_until(struct probe *probe) {
    while (!try_once(probe)) {
        if (now_ms() >= probe->deadline_ms) {
            dprintf(STDOUT_FILENO, "%s\n", probe->why);
            return TIME_OVER;
        }
        poll(NULL, 0, PAUSE_MS);
    }
    return WORKS;
}

static bool read_number(const char *word, long most, long *out) {
    char *end;
    errno = 0;
    *out = strtol(word, &end, 10);
    return *word != '\0' && *end == '\0' && errno == 0 && *out >= 0 && *out <= most;
}

static bool read_address(struct probe *probe, const char *word) {
    struct sockaddr_in *four = (struct sockaddr_in *)&probe->address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&probe->address;
    if (inet_pton(AF_INET, word, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)probe->port);
        probe->address_size = sizeof *four;
    } else if (inet_pton(AF_INET6, word, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)probe->port);
        probe->address_size = sizeof *six;
    } else {
        return false;
    }
    return true;
}

/* argv: behind the command. */
static bool read_probe(struct probe *probe, bool http, char **argv) {
    long budget_ms;
    if (!read_number(argv[1], 65535, &probe->port) || !read_address(probe, argv[0]) ||
        !read_number(argv[http ? 5 : 2], 1000L * 60 * 60 * 24, &budget_ms))
        return false;
    probe->deadline_ms = now_ms() + budget_ms;
    if (!http)
        return true;
    probe->host = argv[2];
    probe->path = argv[3];
    return read_number(argv[4], 999, &probe->status);
}

/* As the first process of a container no signal ends it that it does not ask for. */
static int hold(void) {
    sigset_t ends;
    int number;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGCHLD, SIG_IGN);
    while (sigwait(&ends, &number) != 0)
        ;
    return WORKS;
}

/* Links are left as they are: what they name may be elsewhere. A program stays one, for all. */
static int open_one(const char *path, const struct stat *status, int kind, struct FTW *where) {
    (void)where;
    mode_t more = kind == FTW_D || kind == FTW_DNR ? 0777
                  : (status->st_mode & 0111) != 0  ? 0777
                                                   : 0666;
    bool plain = S_ISDIR(status->st_mode) || S_ISREG(status->st_mode);
    if (kind == FTW_NS || !plain || (status->st_mode & more) == more)
        return 0;
    if (chmod(path, (status->st_mode & 07777) | more) == 0)
        return 0;
    dprintf(STDOUT_FILENO, "%s: %s\n", path, strerror(errno));
    return 1;
}

static int open_folder(const char *folder) {
    return nftw(folder, open_one, 16, FTW_PHYS | FTW_MOUNT) == 0 ? WORKS : TIME_OVER;
}

int main(int argc, char **argv) {
    struct probe probe = {0};
    const char *command = argc > 1 ? argv[1] : "";
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(command, "hold") == 0 && argc == 2)
        return hold();
    if (strcmp(command, "open") == 0 && argc == 3)
        return open_folder(argv[2]);
    bool tcp = strcmp(command, "tcp") == 0 && argc == 5;
    bool http = strcmp(command, "http") == 0 && argc == 8;
    if ((tcp || http) && read_probe(&probe, http, argv + 2))
        return try_until(&probe);
    dprintf(STDERR_FILENO, "usage: pingate-inside hold | open FOLDER | tcp ADDRESS PORT MS | "
                           "http ADDRESS PORT HOST PATH STATUS MS\n");
    return CALLED_WRONGLY;
}
