#include "runners/inside.h"

#include <arpa/inet.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/process.h"
#include "tests/unit/tree.h"
#include "tests/unit/unit.h"

/* The program that is embedded, as a file. */
static void unpack(struct tree *tree, char *path, size_t size) {
    struct error err = {0};
    size_t length;
    const char *bytes = inside_program(&length);
    snprintf(path, size, "%s/pingate-inside", tree->root);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    ck_assert_int_ge(fd, 0);
    unit_ok(file_write_all(fd, bytes, length, &err), &err);
    close(fd);
}

/* A server that gives each connection the same answer; NULL: none, and closes. */
struct server {
    const char *answer;
    size_t refused; /* this many connections are closed first */
    int listening;
    int port;
    pthread_t thread;
    char asked[300]; /* of the last one */
};

static void *serve(void *context) {
    struct server *server = context;
    for (size_t n = 0;; n++) {
        int fd = accept(server->listening, NULL, NULL);
        if (fd < 0)
            return NULL;
        if (server->answer != NULL && n >= server->refused) {
            ssize_t got = read(fd, server->asked, sizeof server->asked - 1);
            if (got > 0) /* a try may be cut short by the end of its time */
                server->asked[got] = '\0';
            send(fd, server->answer, strlen(server->answer), MSG_NOSIGNAL);
        }
        close(fd);
    }
}

static void server_start(struct server *server) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    server->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(server->listening, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(server->listening, 5), 0);
    getsockname(server->listening, (struct sockaddr *)&address, &size);
    server->port = ntohs(address.sin_port);
    ck_assert_int_eq(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(struct server *server) {
    shutdown(server->listening, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listening);
}

static void run_program(const char *const *argv, struct process_result *result) {
    struct error err = {0};
    struct process_options options = {.argv = argv, .timeout_ms = 60000};
    unit_ok(process_run(&options, result, &err), &err);
}

START_TEST(connects) {
    struct tree tree = tree_new();
    char program[300];
    char port[16];
    unpack(&tree, program, sizeof program);
    struct server server = {0};
    server_start(&server);
    snprintf(port, sizeof port, "%d", server.port);
    const char *const argv[] = {program, "tcp", "127.0.0.1", port, "60000", NULL};
    struct process_result result = {0};
    run_program(argv, &result);
    ck_assert_int_eq(result.exit_status, 0);
    ck_assert_str_eq(text_string(&result.output), "");
    process_result_clear(&result);
    server_stop(&server);
    const char *const nobody[] = {program, "tcp", "127.0.0.1", port, "3000", NULL};
    run_program(nobody, &result);
    ck_assert_int_eq(result.exit_status, 1);
    ck_assert_str_eq(text_string(&result.output), "connect: Connection refused\n");
    process_result_clear(&result);
    tree_free(&tree);
}
END_TEST

/* One answer, and what the program makes of it. */
static const struct row {
    const char *answer;
    const char *status; /* that is asked for */
    int exit_status;
    const char *why;
} rows[] = {
    {"HTTP/1.1 200 OK\r\n\r\n", "200", 0, ""},
    {"HTTP/1.0 204\n\n", "0", 0, ""},
    {"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "0", 0, ""},
    {"HTTP/1.1 418 I'm a teapot\r\n\r\nbody", "418", 0, ""},
    {"HTTP/1.1 503 Not yet\r\n\r\n", "0", 1, "the answer was: HTTP/1.1 503 Not yet\n"},
    {"HTTP/1.1 200 OK\r\n\r\n", "204", 1, "the answer was: HTTP/1.1 200 OK\n"},
    {"+PONG\r\n", "0", 1, "the answer is no HTTP: +PONG\n"},
    {"HTTP/1.1 OK\r\n", "0", 1, "the answer is no HTTP: HTTP/1.1 OK\n"},
    {"HTTP/1.1 200", "0", 1, "read the answer: the connection was closed\n"},
    {NULL, "0", 1, "read the answer: "},
};
#define ROWS (sizeof rows / sizeof *rows)

/* A row on its way: those that fail take all the time they are given, so all run at once. */
struct asking {
    const struct row *row;
    char program[300], port[16];
    struct server server;
    struct process_result result;
    struct error err;
    pthread_t thread;
};

static void *ask(void *context) {
    struct asking *asking = context;
    const char *budget_ms = asking->row->exit_status == 0 ? "60000" : "3000";
    const char *const argv[] = {asking->program,     "http",    "127.0.0.1",
                                asking->port,        "web",     "/ready?a=1",
                                asking->row->status, budget_ms, NULL};
    struct process_options options = {.argv = argv, .timeout_ms = 100000};
    return process_run(&options, &asking->result, &asking->err) == 0 ? asking : NULL;
}

static void check_row(const struct asking *asking, size_t number) {
    const struct row *row = asking->row;
    const char *said = text_string(&asking->result.output);
    char asked[100];
    ck_assert_msg(asking->result.exit_status == row->exit_status, "row %zu: %d, %s", number,
                  asking->result.exit_status, said);
    ck_assert_msg(strncmp(said, row->why, strlen(row->why)) == 0, "row %zu: %s", number, said);
    snprintf(asked, sizeof asked, "GET /ready?a=1 HTTP/1.0\r\nHost: web:%s\r\n", asking->port);
    if (row->answer != NULL)
        ck_assert_msg(strncmp(asking->server.asked, asked, strlen(asked)) == 0, "row %zu: %s",
                      number, asking->server.asked);
}

START_TEST(asks_http) {
    struct tree tree = tree_new();
    static struct asking all[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        all[i].row = &rows[i];
        all[i].server.answer = rows[i].answer;
        unpack(&tree, all[i].program, sizeof all[i].program);
        server_start(&all[i].server);
        snprintf(all[i].port, sizeof all[i].port, "%d", all[i].server.port);
    }
    for (size_t i = 0; i < ROWS; i++)
        ck_assert_int_eq(pthread_create(&all[i].thread, NULL, ask, &all[i]), 0);
    for (size_t i = 0; i < ROWS; i++) {
        void *ran;
        pthread_join(all[i].thread, &ran);
        server_stop(&all[i].server);
        ck_assert_msg(ran != NULL, "row %zu: %s", i, error_message(&all[i].err));
        check_row(&all[i], i);
        process_result_clear(&all[i].result);
    }
    tree_free(&tree);
}
END_TEST

START_TEST(tries_again) {
    struct tree tree = tree_new();
    char program[300];
    char port[16];
    unpack(&tree, program, sizeof program);
    struct server server = {.answer = "HTTP/1.1 200 OK\r\n\r\n", .refused = 3};
    server_start(&server);
    snprintf(port, sizeof port, "%d", server.port);
    const char *const argv[] = {program, "http", "127.0.0.1", port, "web", "/", "0", "60000", NULL};
    struct process_result result = {0};
    run_program(argv, &result);
    ck_assert_int_eq(result.exit_status, 0);
    server_stop(&server);
    process_result_clear(&result);
    tree_free(&tree);
}
END_TEST

START_TEST(refuses_other_calls) {
    static const char *const calls[][9] = {
        {"tcp", "127.0.0.1", "80", NULL},
        {"tcp", "localhost", "80", "1000", NULL}, /* names are not looked up */
        {"tcp", "127.0.0.1", "65536", "1000", NULL},
        {"tcp", "127.0.0.1", "-1", "1000", NULL},
        {"tcp", "127.0.0.1", "80", "1s", NULL},
        {"http", "127.0.0.1", "80", "web", "/", "1000", "1000", NULL},
        {"hold", "1", NULL},
        {"held", NULL},
        {NULL},
    };
    struct tree tree = tree_new();
    char program[300];
    unpack(&tree, program, sizeof program);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const char *argv[10] = {program};
        for (size_t w = 0; calls[i][w] != NULL; w++)
            argv[w + 1] = calls[i][w];
        struct process_result result = {0};
        run_program(argv, &result);
        ck_assert_msg(result.exit_status == 2, "call %zu: %d", i, result.exit_status);
        process_result_clear(&result);
    }
    tree_free(&tree);
}
END_TEST

START_TEST(holds) {
    struct tree tree = tree_new();
    char program[300];
    unpack(&tree, program, sizeof program);
    pid_t pid = fork();
    if (pid == 0) {
        execl(program, program, "hold", (char *)NULL);
        _exit(99);
    }
    int status;
    usleep(300000);
    ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
    kill(pid, SIGTERM);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    tree_free(&tree);
}
END_TEST

/* What one user made, others may write; nothing else changes. */
START_TEST(opens_a_folder) {
    struct tree tree = tree_new();
    struct process_result result = {0};
    struct stat status;
    char program[300];
    char folder[300];
    unpack(&tree, program, sizeof program);
    tree_write(&tree, "outside", "x");
    tree_write(&tree, "w/deep/file", "x");
    tree_write(&tree, "w/deep/program", "x");
    tree_write(&tree, "w/open", "x");
    static const struct {
        const char *name;
        mode_t before, after;
    } modes[] = {{"outside", 0600, 0600},        {"w/deep/file", 0600, 0666},
                 {"w/deep/program", 0700, 0777}, {"w/open", 04777, 04777},
                 {"w/deep", 0700, 0777},         {"w", 0755, 0777}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        ck_assert_int_eq(fchmodat(tree.fd, modes[i].name, modes[i].before, 0), 0);
    ck_assert_int_eq(symlinkat("../outside", tree.fd, "w/link"), 0);
    ck_assert_int_eq(symlinkat("nowhere", tree.fd, "w/dangling"), 0);
    ck_assert_int_eq(mkfifoat(tree.fd, "w/fifo", 0600), 0);
    snprintf(folder, sizeof folder, "%s/w", tree.root);
    const char *const argv[] = {program, "open", folder, NULL};
    run_program(argv, &result);
    ck_assert_int_eq(result.exit_status, 0);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        ck_assert_int_eq(fstatat(tree.fd, modes[i].name, &status, 0), 0);
        ck_assert_msg((status.st_mode & 07777) == modes[i].after, "%s: %o", modes[i].name,
                      status.st_mode);
    }
    ck_assert_int_eq(fstatat(tree.fd, "w/fifo", &status, 0), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
    process_result_clear(&result);
    const char *const none[] = {program, "open", "/no/such/folder", NULL};
    run_program(none, &result);
    ck_assert_int_eq(result.exit_status, 1);
    process_result_clear(&result);
    tree_free(&tree);
}
END_TEST

START_TEST(is_for_one_platform) {
    struct error err = {0};
    unit_fails(inside_check("linux/vax", &err), &err, ERROR_ENGINE, "the engine runs linux/vax");
    bool known = false;
    static const char *const platforms[] = {"linux/amd64",  "linux/arm64",   "linux/arm",
                                            "linux/386",    "linux/ppc64le", "linux/s390x",
                                            "linux/riscv64"};
    for (size_t i = 0; i < sizeof platforms / sizeof *platforms; i++) {
        known = known || inside_check(platforms[i], &err) == 0;
        error_clear(&err);
    }
    ck_assert_msg(known, "%s", "this platform has no name in runners/inside.c");
}
END_TEST

/* Whether the C library is in it: an image FROM scratch has none. */
START_TEST(is_static) {
    size_t length;
    const char *bytes = inside_program(&length);
    ck_assert_uint_gt(length, sizeof(ElfW(Ehdr)));
    ElfW(Ehdr) header;
    memcpy(&header, bytes, sizeof header);
    ck_assert(memcmp(header.e_ident, ELFMAG, SELFMAG) == 0);
    for (size_t i = 0; i < header.e_phnum; i++) {
        ElfW(Phdr) part;
        memcpy(&part, bytes + header.e_phoff + i * sizeof part, sizeof part);
        ck_assert_uint_ne(part.p_type, PT_INTERP);
    }
    ck_assert_ptr_null(memmem(bytes, length, "__asan_init", 11));
}
END_TEST

START_TEST(is_packed) {
    struct error err = {0};
    struct process_result result = {0};
    char path[64];
    int fd;
    int64_t size;
    unit_ok(inside_tar(&fd, &size, &err), &err);
    ck_assert_int_eq(lseek(fd, 0, SEEK_END), size);
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), fd);
    const char *const argv[] = {"tar", "-tvf", path, NULL};
    run_program(argv, &result);
    ck_assert_msg(strstr(text_string(&result.output), "-rwxr-xr-x 0/0") == result.output.bytes,
                  "%s", text_string(&result.output));
    ck_assert_ptr_nonnull(strstr(text_string(&result.output), " pingate-inside\n"));
    process_result_clear(&result);
    close(fd);
}
END_TEST

UNIT_MAIN("inside", {
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, connects);
    tcase_add_test(cases, asks_http);
    tcase_add_test(cases, tries_again);
    tcase_add_test(cases, refuses_other_calls);
    tcase_add_test(cases, holds);
    tcase_add_test(cases, opens_a_folder);
    tcase_add_test(cases, is_for_one_platform);
    tcase_add_test(cases, is_static);
    tcase_add_test(cases, is_packed);
})
