#include "runners/engine/address.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gate/base/hash.h"
#include "gate/base/text.h"
#include "runners/engine/reach.h"
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
    {"ssh://me@host", NULL, "http://127.0.0.1", true, NULL},
    {"ssh://", NULL, NULL, false, "ssh://[user@]host[:port] was expected"},
    {"ssh://-oProxyCommand=x", NULL, NULL, false, "may begin with \"-\""},
    {"https://host:1234/", NULL, "https://host:1234", false, NULL},
    {"https://localhost", NULL, "https://localhost:2376", true, NULL},
    {"https://", NULL, NULL, false, "tcp://localhost:2376"},
    {"http://host:2375", NULL, NULL, false, "write tcp://host:port"},
    {"npipe:////./pipe/docker_engine", NULL, NULL, false, "does not speak npipe://"},
    {"fd://", NULL, NULL, false, "the path of its socket"},
    {"/run/docker.sock", NULL, NULL, false, "unix:///path, tcp://host:port, ssh://host or"},
    {"nonsense", NULL, NULL, false, "context:NAME was expected"},
    {"context:", NULL, NULL, false, "is no name of a docker context"},
    {"context:../../x", NULL, NULL, false, "is no name of a docker context"},
};

/* Nothing of whoever runs the tests. */
static void clean_environment(void) {
    static const char *const names[] = {"DOCKER_HOST",    "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY",
                                        "DOCKER_TLS",     "DOCKER_CONFIG",  "DOCKER_CERT_PATH",
                                        "XDG_RUNTIME_DIR"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    setenv("HOME", "/nonexistent", 1);
}

/* "ca=… cert=… tls unverified" */
static void expect_tls(const struct engine_location *found, bool tls, const char *folder,
                       const char *files) {
    struct error err = {0};
    ck_assert_int_eq(found->tls, tls);
    const char *const pems[] = {found->ca, found->cert, found->key};
    for (size_t i = 0; i < 3; i++) {
        _cleanup_(free_pointer) char *path = string_format(&err, "%s/%s", folder,
                                                           i == 0   ? "ca.pem"
                                                           : i == 1 ? "cert.pem"
                                                                    : "key.pem");
        const char *expected = files[i] == '-' ? NULL : path;
        ck_assert_msg(string_equal(pems[i], expected), "%s, expected %s", pems[i], expected);
    }
}

START_TEST(forms) {
    const struct row *row = &rows[_i];
    struct error err = {0};
    struct engine_location found = {0};
    clean_environment();
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
    clean_environment();
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
    setenv("DOCKER_HOST", "npipe://host", 1);
    unit_fails(engine_location_find(NULL, &found, &err), &err, ERROR_USAGE, "npipe://host");
}
END_TEST

static char *write_context(const struct tree *tree, const char *name, const char *meta) {
    struct error err = {0};
    char id[HASH_HEX_SIZE];
    unit_ok(hash_hex(name, strlen(name), id, &err), &err);
    _cleanup_(free_pointer) char *file =
        string_format(&err, "docker/contexts/meta/%s/meta.json", id);
    tree_write(tree, file, meta);
    return string_format(&err, "docker/contexts/tls/%s/docker", id);
}

static struct tree new_configuration(void) {
    struct tree tree = tree_new();
    struct error err = {0};
    clean_environment();
    _cleanup_(free_pointer) char *folder = file_join(tree.root, "docker", &err);
    setenv("DOCKER_CONFIG", folder, 1);
    free(write_context(&tree, "lab",
                       "{\"Name\":\"lab\",\"Metadata\":{},\"Endpoints\":{\"docker\":{"
                       "\"Host\":\"tcp://lab:2376\",\"SkipTLSVerify\":false}}}"));
    free(write_context(&tree, "rootless",
                       "{\"Name\":\"rootless\",\"Endpoints\":{\"docker\":{"
                       "\"Host\":\"unix:///run/user/7/docker.sock\"}}}"));
    tree_write(&tree, "docker/config.json", "{\"auths\":{},\"currentContext\":\"rootless\"}");
    return tree;
}

static void expect_found(const char *given, const char *address, const char *source) {
    struct error err = {0};
    struct engine_location found = {0};
    unit_ok(engine_location_find(given, &found, &err), &err);
    ck_assert_str_eq(found.address, address);
    ck_assert_msg(strstr(found.source, source) != NULL, "%s", found.source);
    engine_location_clear(&found);
}

/* The docker CLI's own order: the stronger stands above. */
START_TEST(order) {
    struct tree tree = new_configuration();
    expect_found(NULL, "unix:///run/user/7/docker.sock", "context rootless of /");
    setenv("DOCKER_CONTEXT", "lab", 1);
    expect_found(NULL, "tcp://lab:2376", "context lab of DOCKER_CONTEXT");
    setenv("DOCKER_HOST", "unix:///host.sock", 1);
    expect_found(NULL, "unix:///host.sock", "DOCKER_HOST");
    expect_found("context:rootless", "unix:///run/user/7/docker.sock",
                 "context rootless of --engine");
    expect_found("context:default", "unix:///host.sock", "DOCKER_HOST");
    expect_found("unix:///given.sock", "unix:///given.sock", "--engine");
    unsetenv("DOCKER_HOST");
    setenv("DOCKER_CONTEXT", "default", 1);
    setenv("XDG_RUNTIME_DIR", tree.root, 1);
    tree_write(&tree, "docker.sock", "");
    struct error err = {0};
    struct engine_location found = {0};
    unit_ok(engine_location_find(NULL, &found, &err), &err); /* whichever is there */
    ck_assert_str_eq(found.source, "usual socket");
    engine_location_clear(&found);
    tree_free(&tree);
}
END_TEST

/* What is named and lacks, or is damaged, is never passed over for another engine. */
static const struct bad_context {
    const char *config, *meta;
    enum error_kind kind;
    const char *words;
} bad_contexts[] = {
    {"{\"currentContext\":\"gone\"}", NULL, ERROR_USAGE, "there is no docker context \"gone\""},
    {"{\"currentContext\":\"gone\"}", NULL, ERROR_USAGE, "there are lab, rootless"},
    {"{\"currentContext\":7}", NULL, ERROR_ENGINE, "\"currentContext\" is no string"},
    {"{\"currentContext\":\"a/b\"}", NULL, ERROR_USAGE, "no name of a docker context"},
    {"{", NULL, ERROR_ENGINE, "config.json: line 1"},
    {"[]", NULL, ERROR_ENGINE, "a JSON object was expected"},
    {"{\"currentContext\":\"bad\"}", "nonsense", ERROR_ENGINE, "meta.json: line 1"},
    {"{\"currentContext\":\"bad\"}", "{\"Name\":\"other\"}", ERROR_ENGINE,
     "\"Name\" is not that of the context"},
    {"{\"currentContext\":\"bad\"}", "{\"Name\":\"bad\",\"Endpoints\":[]}", ERROR_ENGINE,
     "has no \"Endpoints\""},
    {"{\"currentContext\":\"bad\"}", "{\"Name\":\"bad\",\"Endpoints\":{\"docker\":{}}}",
     ERROR_ENGINE, "has no \"Host\""},
    {"{\"currentContext\":\"bad\"}",
     "{\"Name\":\"bad\",\"Endpoints\":{\"docker\":{\"Host\":\"npipe://x\"}}}", ERROR_USAGE,
     "meta.json): engine address \"npipe://x\""},
};

START_TEST(damaged_contexts) {
    const struct bad_context *row = &bad_contexts[_i];
    struct tree tree = new_configuration();
    struct error err = {0};
    struct engine_location found = {0};
    tree_write(&tree, "docker/config.json", row->config);
    if (row->meta != NULL)
        free(write_context(&tree, "bad", row->meta));
    unit_fails(engine_location_find(NULL, &found, &err), &err, row->kind, row->words);
    tree_free(&tree);
}
END_TEST

START_TEST(nothing_there) {
    struct error err = {0};
    struct engine_location found = {0};
    clean_environment();
    setenv("XDG_RUNTIME_DIR", "/nonexistent/run", 1);
    if (access("/run/docker.sock", F_OK) == 0 || access("/run/podman/podman.sock", F_OK) == 0)
        return; /* then there is one */
    unit_fails(engine_location_find(NULL, &found, &err), &err, ERROR_ENGINE,
               "/nonexistent/run/podman/podman.sock");
    unit_fails(engine_location_find(NULL, &found, &err), &err, ERROR_ENGINE, "context:NAME");
}
END_TEST

/* Plain HTTP where TLS was asked for would send everything in the clear. */
START_TEST(tls_by_environment) {
    struct tree tree = tree_new();
    struct error err = {0};
    struct engine_location found = {0};
    clean_environment();
    setenv("DOCKER_CERT_PATH", tree.root, 1);
    unit_ok(engine_location_find("tcp://host", &found, &err), &err);
    ck_assert_str_eq(found.base, "http://host:2375");
    engine_location_clear(&found);
    setenv("DOCKER_TLS_VERIFY", "1", 1);
    unit_ok(engine_location_find("tcp://host", &found, &err), &err);
    ck_assert_str_eq(found.base, "https://host:2376");
    expect_tls(&found, true, tree.root, "---");
    engine_location_clear(&found);
    tree_write(&tree, "ca.pem", "");
    tree_write(&tree, "cert.pem", "");
    unit_fails(engine_location_find("tcp://host", &found, &err), &err, ERROR_IO, "and no key.pem");
    tree_write(&tree, "key.pem", "");
    unit_ok(engine_location_find("tcp://host:1", &found, &err), &err);
    ck_assert_str_eq(found.base, "https://host:1");
    ck_assert(!found.unverified);
    expect_tls(&found, true, tree.root, "ack");
    struct engine_location copy = {0};
    unit_ok(engine_location_copy(&found, &copy, &err), &err);
    expect_tls(&copy, true, tree.root, "ack");
    engine_location_clear(&copy);
    engine_location_clear(&found);
    unsetenv("DOCKER_TLS_VERIFY");
    unit_ok(engine_location_find("https://host", &found, &err), &err);
    expect_tls(&found, true, tree.root, "ack");
    engine_location_clear(&found);
    unit_ok(engine_location_find("unix:///run/docker.sock", &found, &err), &err);
    expect_tls(&found, false, tree.root, "---");
    engine_location_clear(&found);
    setenv("DOCKER_TLS", "1", 1); /* asks for no verifying, and gets it */
    unit_ok(engine_location_find("tcp://host", &found, &err), &err);
    ck_assert(found.tls && !found.unverified);
    engine_location_clear(&found);
    setenv("DOCKER_CERT_PATH", "/nonexistent/certs", 1);
    unit_fails(engine_location_find("tcp://host", &found, &err), &err, ERROR_IO,
               "DOCKER_CERT_PATH names /nonexistent/certs");
    tree_free(&tree);
}
END_TEST

START_TEST(tls_by_context) {
    struct tree tree = new_configuration();
    struct error err = {0};
    struct engine_location found = {0};
    setenv("DOCKER_CONTEXT", "lab", 1);
    setenv("DOCKER_TLS_VERIFY", "1", 1); /* is of DOCKER_HOST, not of a context */
    unit_ok(engine_location_find(NULL, &found, &err), &err);
    ck_assert_str_eq(found.base, "http://lab:2376");
    engine_location_clear(&found);
    _cleanup_(free_pointer) char *folder = write_context(
        &tree, "tls", "{\"Name\":\"tls\",\"Endpoints\":{\"docker\":{\"Host\":\"tcp://lab:99\"}}}");
    _cleanup_(free_pointer) char *file = file_join(folder, "ca.pem", &err);
    tree_write(&tree, file, "");
    unit_ok(engine_location_find("context:tls", &found, &err), &err);
    ck_assert_str_eq(found.base, "https://lab:99");
    _cleanup_(free_pointer) char *whole = file_join(tree.root, folder, &err);
    expect_tls(&found, true, whole, "a--");
    ck_assert(!found.unverified);
    engine_location_clear(&found);
    free(write_context(&tree, "tls",
                       "{\"Name\":\"tls\",\"Endpoints\":{\"docker\":{\"Host\":"
                       "\"tcp://lab\",\"SkipTLSVerify\":true}}}"));
    unit_ok(engine_location_find("context:tls", &found, &err), &err);
    ck_assert_str_eq(found.base, "https://lab:2376");
    ck_assert(found.unverified);
    engine_location_clear(&found);
    tree_free(&tree);
}
END_TEST

static const struct remedy_row {
    enum http_failure failure;
    const char *words, *remedy;
    bool tls;
} remedies[] = {
    {HTTP_FAILURE_CERTIFICATE, "SSL certificate problem: certificate has expired",
     "a new certificate", true},
    {HTTP_FAILURE_CERTIFICATE, "SSL: no alternative certificate subject name matches target host",
     "for other names", true},
    {HTTP_FAILURE_CERTIFICATE, "self-signed certificate", "nobody whom this machine trusts", true},
    {HTTP_FAILURE_OTHER, "tlsv13 alert certificate required", "it asks who we are", true},
    {HTTP_FAILURE_TLS, "wrong version number", "speaks no TLS there", true},
    {HTTP_FAILURE_NONE, "Client sent an HTTP request to an HTTPS server.", "DOCKER_TLS_VERIFY=1",
     true},
    {HTTP_FAILURE_CONNECT, "Connection refused", "nobody listens", true},
    {HTTP_FAILURE_OTHER, "anything", "", false},
    {HTTP_FAILURE_OTHER, "getpeername() failed", "perhaps it asks who we are", true},
};

START_TEST(tcp_remedies) {
    const struct remedy_row *row = &remedies[_i];
    struct engine_location location = {.tls = row->tls};
    char words[600];
    engine_tcp_remedy(&location, row->failure, row->words, words, sizeof words);
    ck_assert_msg(strstr(words, row->remedy) != NULL &&
                      (words[0] == '\0') == (*row->remedy == '\0'),
                  "%s: %s", row->words, words);
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
    engine_socket_trouble(&found, out, size);
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
    tcase_add_test(cases, order);
    tcase_add_loop_test(cases, damaged_contexts, 0, sizeof bad_contexts / sizeof *bad_contexts);
    tcase_add_test(cases, nothing_there);
    tcase_add_test(cases, tls_by_environment);
    tcase_add_test(cases, tls_by_context);
    tcase_add_loop_test(cases, tcp_remedies, 0, sizeof remedies / sizeof *remedies);
    tcase_add_test(cases, long_paths_are_refused);
    tcase_add_test(cases, troubles);
})
