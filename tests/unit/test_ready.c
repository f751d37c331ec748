#include "runners/ready.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate/base/process.h"
#include "gate/base/text.h"
#include "runners/engine/exec.h"
#include "runners/ready_net.h"
#include "tests/unit/unit.h"

static int listen_on(in_addr_t address, int *port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, size), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)&at, &size);
    *port = ntohs(at.sin_port);
    return fd;
}

static int script_says(int port) {
    struct error err = {0};
    char script[READY_SCRIPT_SIZE];
    ready_tcp_script(port, script, sizeof script);
    ck_assert_uint_lt(strlen(script), READY_SCRIPT_SIZE - 1);
    const char *const argv[] = {"sh", "-c", script, NULL};
    struct process_options options = {.argv = argv, .timeout_ms = 60000};
    struct process_result result = {0};
    unit_ok(process_run(&options, &result, &err), &err);
    int status = result.exit_status;
    process_result_clear(&result);
    return status;
}

/* A service that only its own loopback reaches is not ready for others. */
START_TEST(the_shell_script_tells_who_listens) {
    int port;
    int all = listen_on(INADDR_ANY, &port);
    ck_assert_int_eq(script_says(port), 0);
    close(all);
    ck_assert_int_eq(script_says(port), 1);
    int own = listen_on(INADDR_LOOPBACK, &port);
    ck_assert_int_eq(script_says(port), 1);
    close(own);
}
END_TEST

START_TEST(the_longest_script_fits) {
    char script[READY_SCRIPT_SIZE];
    ready_tcp_script(65535, script, sizeof script);
    ck_assert_ptr_nonnull(strstr(script, "*:FFFF,0A)"));
    ck_assert_ptr_nonnull(strstr(script, "\nexit 1\n"));
}
END_TEST

START_TEST(defaults) {
    char *words[] = {(char *)"check"};
    struct container_facts facts = {0};
    struct test_ready ready;
    ready_default(&facts, &ready);
    ck_assert_int_eq(ready.kind, READY_NONE);
    facts.port = 6379;
    ready_default(&facts, &ready);
    ck_assert(ready.kind == READY_TCP && ready.number == 6379);
    facts.health = (struct string_list){words, 1, 1};
    ready_default(&facts, &ready);
    ck_assert_int_eq(ready.kind, READY_HEALTHY);
}
END_TEST

START_TEST(words) {
    static const struct {
        struct test_ready ready;
        const char *words;
        bool probe;
    } rows[] = {
        {{.kind = READY_HEALTHY}, "its health check", false},
        {{.kind = READY_TCP, .number = 6379}, "tcp port 6379", true},
        {{.kind = READY_HTTP, .number = 80, .text = (char *)"/a"}, "http on port 80, GET /a", true},
        {{.kind = READY_HTTP, .number = 80, .text = (char *)"/", .status = 204},
         "http on port 80, GET /, status 204",
         true},
        {{.kind = READY_LOG, .text = (char *)"^up"},
         "a line of its log that matches \"^up\"",
         false},
        {{.kind = READY_EXEC, .command = {.text = (char *)"redis-cli ping"}},
         "exec \"redis-cli ping\"",
         false},
        {{.kind = READY_EXIT}, "its end with 0", false},
        {{.kind = READY_NONE}, "its start", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text text = {0};
        ready_words(&rows[i].ready, &text);
        ck_assert_str_eq(text_string(&text), rows[i].words);
        ck_assert_int_eq(ready_needs_probe(rows[i].ready.kind), rows[i].probe);
        text_clear(&text);
    }
}
END_TEST

START_TEST(last_lines) {
    static const struct {
        const char *said, *line;
        int exit_code;
        bool lacks;
    } rows[] = {
        {"", "", 1, false},
        {"\n \n", "", 1, false},
        {"one\ntwo\r\n\n", "two", 1, false},
        {"one", "one", 1, false},
        {"OCI runtime exec failed: exec failed: unable to start: \"x\": executable file not found "
         "in "
         "$PATH: unknown\r\n",
         "OCI runtime exec failed: exec failed: unable to start: \"x\": executable file not found "
         "in "
         "$PATH: unknown",
         126, true},
        {"sh: x: executable file not found", "sh: x: executable file not found", 127, false},
        {"exec failed: executable file not found", "exec failed: executable file not found", 1,
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char line[300];
        struct exec_end end = {.exit_code = rows[i].exit_code};
        text_add(&end.said, rows[i].said);
        exec_last_line(&end, line, sizeof line);
        ck_assert_str_eq(line, rows[i].line);
        ck_assert_int_eq(exec_lacks_program(&end), rows[i].lacks);
        exec_end_clear(&end);
    }
}
END_TEST

UNIT_MAIN("ready", {
    tcase_set_timeout(cases, 60); /* seconds; for sanitizers on a busy machine */
    tcase_add_test(cases, the_shell_script_tells_who_listens);
    tcase_add_test(cases, the_longest_script_fits);
    tcase_add_test(cases, defaults);
    tcase_add_test(cases, words);
    tcase_add_test(cases, last_lines);
})
