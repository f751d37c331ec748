#include "runners/engine/address.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gate/base/text.h"
#include "tests/unit/tree.h"

static const struct row {
    const char *address, *socket, *base; /* of a good one */
    bool loopback;
    const char *words; /* of a refusal */
} rows[] = {
    {"unix:///run/docker.sock", "/run/docker.sock", "http://localhost", true, NULL},
    {"unix://", "/var/run/docker.sock", "http://localhost", true, NULL},
    {"unix:///a b/ü.sock", "/a b/ü.sock", "http://localhost", true, NULL},
    {"unix://docker.sock", NULL, NULL, false, "begins with /"},
    {"tcp://127.0.0.1:2375", NULL, "http://127.0.0.1:2375", true, NULL},
    {"tcp://localhost:4711/", NULL, "http://localhost:4711", true, NULL},
    {"tcp://docker", NULL, "http://docker:2375", false, NULL},
    {"tcp://docker:1234", NULL, "http://docker:1234", false, NULL},
    {"tcp://[::1]", NULL, "http://[::1]:2375", true, NULL},
    {"tcp://[2001:db8::1]:99", NULL, "http://[2001:db8::1]:99", false, NULL},
    {"tcp://localhost.example.com:1", NULL, "http://localhost.example.com:1", false, NULL},
    {"tcp://", NULL, NULL, false, "tcp://host:port was expected"},
    {"tcp://:2375", NULL, NULL, false, "tcp://host:port was expected"},
    {"tcp://host/path", NULL, NULL, false, "tcp://host:port was expected"},
    {"tcp://user@host:1", NULL, NULL, false, "tcp://host:port was expected"},
    {"ssh://me@host", NULL, NULL, false, "ssh -nNT -L"},
    {"https://host:2376", NULL, NULL, false, "does not speak https://"},
    {"http://host:2375", NULL, NULL, false, "write tcp://host:port"},
    {"npipe:////./pipe/docker_engine", NULL, NULL, false, "does not speak npipe://"},
    {"fd://", NULL, NULL, false, "the path of its socket"},
    {"/run/docker.sock", NULL, NULL, false, "unix:///path or tcp://host:port was expected"},
    {"nonsense", NULL, NULL, false, "unix:///path or tcp://host:port was expected"},
};

START_TEST(forms) {
    const struct row *row = &rows[_i];
    struct error err = {0};
    struct engine_location found = {0};
    unsetenv("DOCKER_TLS_VERIFY");
    if (row->words != NULL) {
        unit_fails(engine_location_find(row->address, &found, &err), &err, ERROR_USAGE, row->words);
        ck_assert_ptr_null(found.address);
        return;
    }
    unit_ok(engine_location_find(row->address, &found, &err), &err);
    ck_assert_str_eq(found.address, row->address);
    ck_assert_msg(string_equal(found.socket, row->socket), "%s: %s", row->address, found.socket);
    ck_assert_str_eq(found.base, row->base);
    ck_assert_int_eq(found.loopback, row->loopback);
    engine_location_clear(&found);
}
END_TEST

START_TEST(environment_when_none_is_given) {
    struct error err = {0};
    struct engine_location found = {0};
    setenv("DOCKER_HOST", "unix:///from/environment.sock", 1);
    unit_ok(engine_location_find(NULL, &found, &err), &err);
    ck_assert_str_eq(found.socket, "/from/environment.sock");
    engine_location_clear(&found);
    unit_ok(engine_location_find("", &found, &err), &err);
    ck_assert_str_eq(found.socket, "/from/environment.sock");
    engine_location_clear(&found);
    unit_ok(engine_location_find("unix:///given.sock", &found, &err), &err);
    ck_assert_str_eq(found.socket, "/given.sock");
    engine_location_clear(&found);
    setenv("DOCKER_HOST", "ssh://host", 1);
    unit_fails(engine_location_find(NULL, &found, &err), &err, ERROR_USAGE, "ssh://host");
}
END_TEST

/* Plain HTTP where TLS was asked for would send everything in the clear. */
START_TEST(tls_is_refused) {
    struct error err = {0};
    struct engine_location found = {0};
    setenv("DOCKER_TLS_VERIFY", "1", 1);
    unit_fails(engine_location_find("tcp://host:2376", &found, &err), &err, ERROR_USAGE,
               "DOCKER_TLS_VERIFY");
    unit_ok(engine_location_find("unix:///run/docker.sock", &found, &err), &err);
    engine_location_clear(&found);
}
END_TEST

START_TEST(long_paths_are_refused) {
    struct error err = {0};
    struct engine_location found = {0};
    char address[200] = "unix:///";
    memset(address + 8, 'x', 150);
    unit_fails(engine_location_find(address, &found, &err), &err, ERROR_USAGE, "at most");
}
END_TEST

static void trouble_of(const char *path, char *out, size_t size) {
    struct error err = {0};
    struct engine_location found = {0};
    _cleanup_(free_pointer) char *address = string_format(&err, "unix://%s", path);
    unit_ok(engine_location_find(address, &found, &err), &err);
    engine_location_trouble(&found, out, size);
    engine_location_clear(&found);
}

START_TEST(troubles) {
    struct tree tree = tree_new();
    struct error err = {0};
    char words[400];
    _cleanup_(free_pointer) char *path = file_join(tree.root, "socket", &err);
    trouble_of(path, words, sizeof words);
    ck_assert_msg(strstr(words, "there is no socket at") != NULL, "%s", words);
    tree_write(&tree, "socket", "a file");
    trouble_of(path, words, sizeof words);
    ck_assert_msg(strstr(words, "is no socket") != NULL, "%s", words);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    trouble_of(path, words, sizeof words);
    ck_assert_msg(strstr(words, "nobody listens") != NULL, "%s", words);
    ck_assert_int_eq(listen(fd, 4), 0);
    trouble_of(path, words, sizeof words);
    ck_assert_str_eq(words, "");
    chmod(tree.root, 0755);
    chmod(path, 0600);
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(65534), 0); /* root may use any socket */
    else
        chmod(path, 0);
    trouble_of(path, words, sizeof words);
    ck_assert_msg(strstr(words, "you may not use the socket") != NULL, "%s", words);
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
    close(fd);
    tree_free(&tree);
}
END_TEST

UNIT_MAIN("address", {
    tcase_add_loop_test(cases, forms, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, environment_when_none_is_given);
    tcase_add_test(cases, tls_is_refused);
    tcase_add_test(cases, long_paths_are_refused);
    tcase_add_test(cases, troubles);
})
