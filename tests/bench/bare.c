/* bare: the floor that `trials` measures against: the calls of the Engine API that five commands in five fresh containers
 * need, for each image, and nothing else. No proof, no log files, no workspace, no limits but the network's.
 *
 *   bare SOCKET WAY WORKERS COMMANDS IMAGE…
 *
 *   SOCKET    path of the engine's unix socket; each worker keeps one connection to it
 *   WAY       logs    network none; the log is kept by the engine and read when the container has ended
 *             attach  network none; no log driver, the output is read from an attached connection
 *             alone   as attach, with a network namespace that the container's runtime makes instead of the engine
 *             kept    as logs, with such a namespace: the log is the engine's, and can be proved to be whole
 *             joined  as attach, in the network namespace of one more container for each image (it must have `sleep`)
 *   COMMANDS  file with one JSON array of words a line: what is run in each image
 *
 * Prints the containers and the bytes of output. A command that exits with anything but 0 is an error.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define VERSION       "/v1.40"
#define COMMAND_LIMIT 64
#define BODY_LIMIT    65536 /* bytes of an answer that are kept */

enum way { LOGS, KEPT, ATTACH, ALONE, JOINED };
static const char *const way_names[] = {"logs", "kept", "attach", "alone", "joined"};

static const char *socket_path;
static enum way way;
static char *commands[COMMAND_LIMIT];
static size_t command_count;
static char **images;
static size_t image_count;
static atomic_size_t next_image, containers, bytes;

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("bare: ", stderr);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

/* A connection with a buffer for reading. */
struct connection {
    int fd;
    size_t begin, end; /* unread bytes of the buffer */
    char buffer[65536];
};

struct answer {
    int status;
    size_t length; /* of the body in all */
    char body[BODY_LIMIT];
};

static void dial(struct connection *connection) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connection->begin = connection->end = 0;
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("%s: %s", socket_path, strerror(errno));
}

/* false at the end of the stream */
static bool fill(struct connection *connection) {
    ssize_t got = read(connection->fd, connection->buffer, sizeof connection->buffer);
    if (got < 0)
        die("read: %s", strerror(errno));
    connection->begin = 0;
    connection->end = (size_t)got;
    return got > 0;
}

static void read_line(struct connection *connection, char *line, size_t size) {
    size_t length = 0;
    for (;;) {
        if (connection->begin == connection->end && !fill(connection))
            die("the engine closed the connection");
        char c = connection->buffer[connection->begin++];
        if (c == '\n')
            break;
        if (c != '\r' && length + 1 < size)
            line[length++] = c;
    }
    line[length] = '\0';
}

/* Takes `length` bytes of the body, or all to the end of the stream. */
static void read_body(struct connection *connection, struct answer *answer, size_t length) {
    while (length > 0) {
        if (connection->begin == connection->end && !fill(connection)) {
            if (length != SIZE_MAX)
                die("the engine closed the connection inside an answer");
            return;
        }
        size_t part = connection->end - connection->begin;
        part = part < length ? part : length;
        size_t room = answer->length < BODY_LIMIT - 1 ? BODY_LIMIT - 1 - answer->length : 0;
        size_t kept = part < room ? part : room;
        memcpy(answer->body + (room > 0 ? answer->length : 0),
               connection->buffer + connection->begin, kept);
        if (kept > 0)
            answer->body[answer->length + kept] = '\0';
        answer->length += part;
        connection->begin += part;
        length -= length == SIZE_MAX ? 0 : part;
    }
}

static void send_request(struct connection *connection, const char *method, const char *path,
                         const char *extra, const char *body) {
    char *request;
    int length = asprintf(&request,
                          "%s " VERSION "%s HTTP/1.1\r\nHost: engine\r\n%s"
                          "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                          method, path, extra, strlen(body), body);
    if (length < 0 || write(connection->fd, request, (size_t)length) != length)
        die("write: %s", strerror(errno));
    free(request);
}

static void read_answer(struct connection *connection, struct answer *answer) {
    char line[1024];
    size_t length = SIZE_MAX;
    bool chunked = false;
    answer->length = 0;
    answer->body[0] = '\0';
    read_line(connection, line, sizeof line);
    if (sscanf(line, "HTTP/1.1 %d", &answer->status) != 1)
        die("no answer: %s", line);
    while (read_line(connection, line, sizeof line), line[0] != '\0') {
        if (strncasecmp(line, "content-length:", 15) == 0)
            length = strtoul(line + 15, NULL, 10);
        chunked = chunked || strcasecmp(line, "transfer-encoding: chunked") == 0;
    }
    if (answer->status == 204 || answer->status == 304 || answer->status == 101)
        length = 0;
    while (chunked) {
        read_line(connection, line, sizeof line);
        size_t part = strtoul(line, NULL, 16);
        read_body(connection, answer, part);
        read_line(connection, line, sizeof line);
        chunked = part > 0;
        length = 0;
    }
    read_body(connection, answer, length);
}

static void call(struct connection *connection, struct answer *answer, const char *method,
                 const char *path, const char *body) {
    send_request(connection, method, path, "", body);
    read_answer(connection, answer);
    if (answer->status >= 400)
        die("%s %s: %d %s", method, path, answer->status, answer->body);
}

static void create(struct connection *connection, struct answer *answer, const char *body,
                   char id[65]) {
    call(connection, answer, "POST", "/containers/create", body);
    const char *at = strstr(answer->body, "\"Id\":\"");
    if (at == NULL || sscanf(at + 6, "%64[0-9a-f]", id) != 1)
        die("no id in %s", answer->body);
}

/* One call on one container. */
static void on(struct connection *connection, struct answer *answer, const char *method,
               const char *id, const char *rest) {
    char path[200];
    snprintf(path, sizeof path, "/containers/%s%s", id, rest);
    call(connection, answer, method, path, "");
}

static void attach(struct connection *stream, struct answer *answer, const char *id) {
    char path[200];
    snprintf(path, sizeof path, "/containers/%s/attach?stream=1&stdout=1&stderr=1", id);
    dial(stream);
    send_request(stream, "POST", path, "Connection: Upgrade\r\nUpgrade: tcp\r\n", "");
    read_answer(stream, answer);
    if (answer->status != 101)
        die("attach: %d %s", answer->status, answer->body);
}

static void run_command(struct connection *connection, struct connection *stream,
                        struct answer *answer, const char *image, const char *command,
                        const char *holder) {
    char id[65];
    char *body;
    if (asprintf(&body,
                 "{\"Image\":\"%s\",\"Entrypoint\":%s,\"NetworkDisabled\":%s,\"HostConfig\":{"
                 "\"Init\":true,"
                 "\"NetworkMode\":\"%s%s\",\"LogConfig\":{\"Type\":\"%s\"}}}",
                 image, command, way == ALONE || way == KEPT ? "true" : "false",
                 holder != NULL ? "container:" : "none", holder != NULL ? holder : "",
                 way <= KEPT ? "json-file" : "none") < 0)
        die("out of memory");
    create(connection, answer, body, id);
    free(body);
    if (way > KEPT)
        attach(stream, answer, id);
    on(connection, answer, "POST", id, "/start");
    if (way > KEPT) {
        read_body(stream, answer, SIZE_MAX);
        bytes += answer->length;
        close(stream->fd);
    }
    on(connection, answer, "POST", id, "/wait");
    if (strstr(answer->body, "\"StatusCode\":0") == NULL)
        die("%s in %s: %s", command, image, answer->body);
    if (way <= KEPT) {
        on(connection, answer, "GET", id, "/logs?stdout=1&stderr=1");
        bytes += answer->length;
    }
    on(connection, answer, "DELETE", id, "?force=1&v=1");
    containers++;
}

static void run_image(struct connection *connection, struct connection *stream,
                      struct answer *answer, const char *image) {
    char holder[65];
    if (way == JOINED) {
        char *body;
        if (asprintf(&body,
                     "{\"Image\":\"%s\",\"Entrypoint\":[\"sleep\",\"3600\"],\"HostConfig\":{"
                     "\"NetworkMode\":\"none\",\"LogConfig\":{\"Type\":\"none\"}}}",
                     image) < 0)
            die("out of memory");
        create(connection, answer, body, holder);
        free(body);
        on(connection, answer, "POST", holder, "/start");
    }
    for (size_t i = 0; i < command_count; i++)
        run_command(connection, stream, answer, image, commands[i], way == JOINED ? holder : NULL);
    if (way == JOINED)
        on(connection, answer, "DELETE", holder, "?force=1&v=1");
}

static void *work(void *context) {
    (void)context;
    struct connection *connection = malloc(sizeof *connection);
    struct connection *stream = malloc(sizeof *stream);
    struct answer *answer = malloc(sizeof *answer);
    if (connection == NULL || stream == NULL || answer == NULL)
        die("out of memory");
    dial(connection);
    for (size_t i; (i = next_image++) < image_count;)
        run_image(connection, stream, answer, images[i]);
    close(connection->fd);
    free(connection);
    free(stream);
    free(answer);
    return NULL;
}

static void read_commands(const char *path) {
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    if (file == NULL)
        die("%s: %s", path, strerror(errno));
    while (command_count < COMMAND_LIMIT && getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        commands[command_count++] = strdup(line);
    }
    free(line);
    fclose(file);
}

int main(int count, char **words) {
    if (count < 6)
        die("usage: bare SOCKET WAY WORKERS COMMANDS IMAGE...");
    socket_path = words[1];
    while (strcmp(words[2], way_names[way]) != 0)
        if (way++ == JOINED)
            die("%s: no such way", words[2]);
    size_t workers = strtoul(words[3], NULL, 10);
    read_commands(words[4]);
    images = words + 5;
    image_count = (size_t)count - 5;
    pthread_t threads[64];
    if (workers == 0 || workers > 64)
        die("%s: 1 to 64 workers", words[3]);
    for (size_t i = 0; i < workers; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            die("no thread could be started");
    for (size_t i = 0; i < workers; i++)
        pthread_join(threads[i], NULL);
    printf("%zu containers, %zu bytes of output\n", containers, bytes);
    for (size_t i = 0; i < command_count; i++)
        free(commands[i]);
    return 0;
}
