#include "runners/engine/ssh.h"

#include "gate/base/text.h"
#include "tests/unit/unit.h"

static const struct row {
    const char *rest;                      /* behind "ssh://" */
    const char *user, *host, *port, *path; /* of a good one */
    const char *words;                     /* of a refusal */
} rows[] = {
    {"host", NULL, "host", NULL, NULL, NULL},
    {"host/", NULL, "host", NULL, NULL, NULL},
    {"me@host:22", "me", "host", "22", NULL, NULL},
    {"me@10.0.0.7:2222/run/docker.sock", "me", "10.0.0.7", "2222", "/run/docker.sock", NULL},
    {"[fe80::1%eth0]:22", NULL, "fe80::1%eth0", "22", NULL, NULL},
    {"me@[::1]", "me", "::1", NULL, NULL, NULL},
    {"", NULL, NULL, NULL, NULL, "ssh://[user@]host[:port] was expected"},
    {"me@", NULL, NULL, NULL, NULL, "ssh://[user@]host[:port] was expected"},
    {"@host", NULL, NULL, NULL, NULL, "ssh://[user@]host[:port][/path] was expected"},
    {"-oProxyCommand=touch", NULL, NULL, NULL, NULL, "may begin with"},
    {"-l@host", NULL, NULL, NULL, NULL, "may begin with"},
    {"me:secret@host", NULL, NULL, NULL, NULL, "no password"},
    {"ho st", NULL, NULL, NULL, NULL, "was expected"},
    {"host;id", NULL, NULL, NULL, NULL, "was expected"},
    {"host?x=1", NULL, NULL, NULL, NULL, "was expected"},
    {"host:", NULL, NULL, NULL, NULL, "from 1 to 65535"},
    {"host:0", NULL, NULL, NULL, NULL, "from 1 to 65535"},
    {"host:65536", NULL, NULL, NULL, NULL, "from 1 to 65535"},
    {"host:22x", NULL, NULL, NULL, NULL, "from 1 to 65535"},
    {"[::1]x", NULL, NULL, NULL, NULL, "behind"},
    {"host/run/$(id)", NULL, NULL, NULL, NULL, "the path of a socket"},
    {"host/a b", NULL, NULL, NULL, NULL, "the path of a socket"},
};

START_TEST(forms) {
    const struct row *row = &rows[_i];
    struct error err = {0};
    struct engine_ssh found = {0};
    if (row->words != NULL) {
        unit_fails(engine_ssh_parse(row->rest, &found, &err), &err, ERROR_USAGE, row->words);
        ck_assert_ptr_null(found.host);
        return;
    }
    struct engine_ssh copy = {0};
    unit_ok(engine_ssh_parse(row->rest, &found, &err), &err);
    unit_ok(engine_ssh_copy(&found, &copy, &err), &err);
    ck_assert_msg(string_equal(copy.user, row->user), "%s: %s", row->rest, copy.user);
    ck_assert_msg(string_equal(copy.host, row->host), "%s: %s", row->rest, copy.host);
    ck_assert_msg(string_equal(copy.port, row->port), "%s: %s", row->rest, copy.port);
    ck_assert_msg(string_equal(copy.path, row->path), "%s: %s", row->rest, copy.path);
    engine_ssh_clear(&copy);
    engine_ssh_clear(&found);
}
END_TEST

START_TEST(remedies) {
    ck_assert_ptr_nonnull(strstr(ssh_remedy("Host key verification failed."), "log in there once"));
    ck_assert_ptr_nonnull(
        strstr(ssh_remedy("me@host: Permission denied (publickey)."), "give ssh a key"));
    ck_assert_ptr_nonnull(
        strstr(ssh_remedy("permission denied while trying to connect to the Docker daemon socket"),
               "may not use the engine's socket"));
    ck_assert_ptr_nonnull(
        strstr(ssh_remedy("bash: line 1: docker: command not found"), "in the PATH"));
    ck_assert_str_eq(ssh_remedy("something else"), "");
}
END_TEST

UNIT_MAIN("ssh", {
    tcase_add_loop_test(cases, forms, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, remedies);
})
