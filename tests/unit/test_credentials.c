#include "gate/registry/credentials.h"

#include "tests/unit/tree.h"

/* base64 of user:secret */
#define AUTH "{\"auth\":\"dXNlcjpzZWNyZXQ=\"}"

static struct credentials *parsed(const char *json) {
    struct error err = {0};
    struct credentials *credentials = NULL;
    unit_ok(credentials_parse("config.json", json, strlen(json), &credentials, &err), &err);
    return credentials;
}

START_TEST(forms_of_keys) {
    static const struct {
        const char *key, *image;
        bool found;
    } rows[] = {
        {"registry.example.com", "registry.example.com/team/app", true},
        {"registry.example.com", "registry.example.com", true},
        {"Registry.Example.com", "registry.example.com/app", true},
        {"registry.example.com:5000", "registry.example.com:5000/app", true},
        {"registry.example.com:5000", "registry.example.com/app", false},
        {"registry.example.com", "registry.example.com:5000/app", false},
        {"https://registry.example.com", "registry.example.com/app", true},
        {"https://registry.example.com/", "registry.example.com/app", true},
        {"http://registry.example.com", "registry.example.com/app", true},
        {"https://registry.example.com/v1/", "registry.example.com/app", true},
        {"https://registry.example.com/v2/", "registry.example.com/app", true},
        {"https://registry.example.com/some/path", "registry.example.com/app", true},
        {"registry.example.com/v1/", "registry.example.com/app", true},
        {"registry.example.com/v2", "registry.example.com/app", true},
        {"registry.example.com/", "registry.example.com/app", true},
        {"registry.example.com/team", "registry.example.com/team/app", true},
        {"registry.example.com/team/", "registry.example.com/team/app", true},
        {"registry.example.com/team/app", "registry.example.com/team/app", true},
        {"registry.example.com/team", "registry.example.com/teams/app", false},
        {"registry.example.com/team", "registry.example.com/other", false},
        {"registry.example.com/team", "registry.example.com", false},
        {"example.com", "registry.example.com/app", false},
        {"registry.example.com", "registry.example.com.evil.org/app", false},
        {"https://index.docker.io/v1/", "docker.io/library/redis", true},
        {"https://index.docker.io/v1", "docker.io/library/redis", true},
        {"index.docker.io", "docker.io/library/redis", true},
        {"index.docker.io/v1/", "docker.io/library/redis", true},
        {"docker.io", "docker.io/library/redis", true},
        {"registry-1.docker.io", "docker.io/library/redis", true},
        {"docker.io/team", "docker.io/team/app", true},
        {"docker.io/team", "docker.io/library/redis", false},
        {"127.0.0.1:5000", "127.0.0.1:5000/app", true},
        {"[::1]:5000", "[::1]:5000/app", true},
        {"", "registry.example.com/app", false},
        {"https://", "registry.example.com/app", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct credential found;
        char json[512];
        snprintf(json, sizeof json, "{\"auths\":{\"%s\":" AUTH "}}", rows[i].key);
        struct credentials *credentials = parsed(json);
        unit_ok(credentials_find(credentials, rows[i].image, &found, &err), &err);
        ck_assert_msg(credential_empty(&found) == !rows[i].found, "row %zu: \"%s\" for %s", i,
                      rows[i].key, rows[i].image);
        if (rows[i].found) {
            ck_assert_str_eq(found.username, "user");
            ck_assert_str_eq(found.password, "secret");
            ck_assert_str_eq(found.source, "config.json");
        }
        credential_clear(&found);
        credentials_free(credentials);
    }
}
END_TEST

START_TEST(the_longest_key_is_taken) {
    struct error err = {0};
    struct credential found;
    struct credentials *credentials =
        parsed("{\"auths\":{\"r.example.com/a\":{\"username\":\"one\",\"password\":\"x\"},"
               "\"r.example.com\":{\"username\":\"all\",\"password\":\"x\"},"
               "\"r.example.com/a/b\":{\"username\":\"two\",\"password\":\"x\"}}}");
    static const char *const rows[][2] = {
        {"r.example.com/a/b/c", "two"}, {"r.example.com/a/c", "one"}, {"r.example.com/c", "all"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unit_ok(credentials_find(credentials, rows[i][0], &found, &err), &err);
        ck_assert_str_eq(found.username, rows[i][1]);
        credential_clear(&found);
    }
    const char *const *hosts = credentials_hosts(credentials);
    ck_assert_str_eq(hosts[0], "r.example.com/a");
    ck_assert_str_eq(hosts[1], "r.example.com");
    ck_assert_str_eq(hosts[2], "r.example.com/a/b");
    ck_assert_ptr_null(hosts[3]);
    credentials_free(credentials);
}
END_TEST

START_TEST(forms_of_entries) {
    static const struct {
        const char *entry;
        const char *username, *password, *identity_token;
    } rows[] = {
        {AUTH, "user", "secret", NULL},
        {"{\"auth\":\"dXNlcjpzZWNyZXQ\"}", "user", "secret", NULL},
        {"{\"auth\":\"dXNlcjphOmI6Yw==\"}", "user", "a:b:c", NULL},
        {"{\"auth\":\"dXNlcjo=\"}", "user", "", NULL},
        {"{\"username\":\"user\",\"password\":\"secret\"}", "user", "secret", NULL},
        {"{\"auth\":\"\",\"username\":\"user\",\"password\":\"secret\"}", "user", "secret", NULL},
        {"{\"identitytoken\":\"t\"}", NULL, NULL, "t"},
        {"{\"auth\":\"dXNlcjo=\",\"identitytoken\":\"t\"}", "user", NULL, "t"},
        {"{}", NULL, NULL, NULL},
        {"{\"auth\":\"\"}", NULL, NULL, NULL},
        {"{\"username\":\"user\"}", NULL, NULL, NULL},
        {"{\"email\":\"user@example.com\"}", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct credential found;
        char json[512];
        snprintf(json, sizeof json, "{\"auths\":{\"r.example.com\":%s}}", rows[i].entry);
        struct credentials *credentials = parsed(json);
        unit_ok(credentials_find(credentials, "r.example.com/app", &found, &err), &err);
        ck_assert_msg(string_equal(found.username, rows[i].username) &&
                          string_equal(found.password, rows[i].password) &&
                          string_equal(found.identity_token, rows[i].identity_token),
                      "row %zu: %s: %s %s %s", i, rows[i].entry, found.username, found.password,
                      found.identity_token);
        credential_clear(&found);
        credentials_free(credentials);
    }
}
END_TEST

START_TEST(files_that_are_wrong) {
    static const struct {
        const char *json, *words;
    } rows[] = {
        {"", "config.json:1:"},
        {"{\"auths\":{\"a\":{\"auth\":\"s3cret", "config.json:1:"},
        {"[]", "config.json:1:1: not a docker configuration"},
        {"{\"auths\":{},\"auths\":{}}", "config.json:1:"},
        {"{\"auths\":{\"h.example\":{\"auth\":\"s3cret!\"}}}",
         "auths: h.example: \"auth\" is not base64"},
        {"{\"auths\":{\"h.example\":{\"auth\":\"czNjcmV0\"}}}", "is not base64 of user:password"},
        {"{\"auths\":{\"h.example\":\"s3cret\"}}", "auths: h.example: a mapping"},
        {"{\"credsStore\":\"../s\"}", "credsStore: \"../s\" is no name of a helper"},
        {"{\"credsStore\":[\"s3cret\"]}", "is no name of a helper"},
        {"{\"credHelpers\":{\"h.example\":\"a b\"}}", "credHelpers: h.example: \"a b\" is no name"},
        {"{\"credHelpers\":{\"h.example\":\"-x\"}}", "is no name of a helper"},
        {"{\"credHelpers\":{\"h.example\":7}}", "is no name of a helper"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct credentials *credentials = NULL;
        int result = credentials_parse("config.json", rows[i].json, strlen(rows[i].json),
                                       &credentials, &err);
        ck_assert_msg(result == -1 && err.kind == ERROR_INPUT, "row %zu: %s", i, rows[i].json);
        ck_assert_msg(strstr(error_message(&err), rows[i].words) != NULL, "row %zu: %s", i,
                      error_message(&err));
        ck_assert_msg(strstr(error_message(&err), "s3cret") == NULL &&
                          strstr(error_message(&err), "czNjcmV0") == NULL,
                      "row %zu: a secret in: %s", i, error_message(&err));
        error_clear(&err);
    }
}
END_TEST

static void use_home(const struct tree *tree) {
    static const char *const names[] = {"DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR",
                                        "XDG_CONFIG_HOME"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    setenv("HOME", tree->root, 1);
}

static void in_tree(const struct tree *tree, const char *name, char *out, size_t size) {
    snprintf(out, size, "%s/%s", tree->root, name);
}

/* "user of the image", "" when there is none. */
static void user_of(const char *image, char *out, size_t size) {
    struct error err = {0};
    struct credentials *credentials = NULL;
    struct credential found;
    unit_ok(credentials_load(NULL, &credentials, &err), &err);
    unit_ok(credentials_find(credentials, image, &found, &err), &err);
    snprintf(out, size, "%s", found.username != NULL ? found.username : "");
    credential_clear(&found);
    credentials_free(credentials);
}

#define ENTRY(host, user)                                                                          \
    "{\"auths\":{\"" host "\":{\"username\":\"" user "\",\"password\":\"x\"}}}"

START_TEST(places_of_files) {
    struct tree tree = tree_new();
    char user[64];
    char path[256];
    use_home(&tree);
    user_of("a.example/x", user, sizeof user);
    ck_assert_str_eq(user, "");
    tree_write(&tree, ".config/containers/auth.json", ENTRY("a.example", "config"));
    user_of("a.example/x", user, sizeof user);
    ck_assert_str_eq(user, "config");
    tree_write(&tree, "run/containers/auth.json", ENTRY("a.example", "runtime"));
    in_tree(&tree, "run", path, sizeof path);
    setenv("XDG_RUNTIME_DIR", path, 1);
    user_of("a.example/x", user, sizeof user);
    ck_assert_str_eq(user, "runtime");
    tree_write(&tree, ".docker/config.json", ENTRY("a.example", "home"));
    user_of("a.example/x", user, sizeof user);
    ck_assert_str_eq(user, "home");
    tree_write(&tree, "docker/config.json", ENTRY("b.example", "docker"));
    in_tree(&tree, "docker", path, sizeof path);
    setenv("DOCKER_CONFIG", path, 1);
    user_of("b.example/x", user, sizeof user);
    ck_assert_str_eq(user, "docker");
    user_of("a.example/x", user, sizeof user); /* not from ~/.docker any more */
    ck_assert_str_eq(user, "runtime");
    tree_write(&tree, "alone.json", ENTRY("c.example", "alone"));
    in_tree(&tree, "alone.json", path, sizeof path);
    setenv("REGISTRY_AUTH_FILE", path, 1);
    user_of("c.example/x", user, sizeof user);
    ck_assert_str_eq(user, "alone");
    user_of("a.example/x", user, sizeof user);
    ck_assert_str_eq(user, "");
    tree_free(&tree);
}
END_TEST

START_TEST(files_that_cannot_be_read) {
    struct error err = {0};
    struct credentials *credentials = NULL;
    struct tree tree = tree_new();
    char path[256];
    use_home(&tree);
    in_tree(&tree, "none.json", path, sizeof path);
    setenv("REGISTRY_AUTH_FILE", path, 1);
    unit_fails(credentials_load(NULL, &credentials, &err), &err, ERROR_INPUT,
               "none.json, which is not there");
    unsetenv("REGISTRY_AUTH_FILE");
    tree_write(&tree, ".docker/config.json/x", "a folder where the file should be");
    ck_assert_int_eq(credentials_load(NULL, &credentials, &err), -1);
    ck_assert_msg(strstr(error_message(&err), ".docker/config.json") != NULL, "%s",
                  error_message(&err));
    error_clear(&err);
    tree_free(&tree);
}
END_TEST

/* A home with a helper "test" that writes down what it is asked. */
static struct tree helper_tree(const char *config, const char *script) {
    struct tree tree = tree_new();
    char path[512];
    char whole[1024];
    use_home(&tree);
    snprintf(whole, sizeof whole, "#!/bin/sh\nread -r url\necho \"$1 $url\" >>%s/asked\n%s\n",
             tree.root, script);
    tree_write(&tree, "bin/docker-credential-test", whole);
    tree_write(&tree, ".docker/config.json", config);
    in_tree(&tree, "bin/docker-credential-test", path, sizeof path);
    ck_assert(chmod(path, 0755) == 0);
    snprintf(path, sizeof path, "%s/bin:/usr/bin:/bin", tree.root);
    setenv("PATH", path, 1);
    return tree;
}

static void asked(const struct tree *tree, struct text *out) {
    struct error err = {0};
    char path[256];
    in_tree(tree, "asked", path, sizeof path);
    if (file_read(path, 4096, out, &err) < 0)
        error_clear(&err);
}

#define ANSWER                                                                                     \
    "printf '{\"ServerURL\":\"%s\",\"Username\":\"user\",\"Secret\":\"s3cret\"}' \"$url\""

START_TEST(helpers) {
    static const struct {
        const char *config, *script, *image;
        const char *username, *password, *token; /* of what is found */
        const char *asked;                       /* what the helper was asked */
        const char *note;                        /* a part of it; NULL: none */
    } rows[] = {
        {"{\"credHelpers\":{\"a.example\":\"test\"}}", ANSWER, "a.example/x", "user", "s3cret",
         NULL, "get a.example\n", NULL},
        {"{\"credHelpers\":{\"https://a.example\":\"test\"}}", ANSWER, "a.example/x", "user",
         "s3cret", NULL, "get a.example\n", NULL},
        {"{\"credHelpers\":{\"a.example\":\"test\"}}", ANSWER, "b.example/x", NULL, NULL, NULL, "",
         NULL},
        {"{\"credsStore\":\"test\"}", ANSWER, "b.example:5000/x/y", "user", "s3cret", NULL,
         "get b.example:5000\n", NULL},
        {"{\"credsStore\":\"test\"}", ANSWER, "docker.io/library/redis", "user", "s3cret", NULL,
         "get https://index.docker.io/v1/\n", NULL},
        {"{\"credsStore\":\"other\",\"credHelpers\":{\"a.example\":\"test\"}}", ANSWER,
         "a.example/x", "user", "s3cret", NULL, "get a.example\n", NULL},
        {"{\"credsStore\":\"test\",\"credHelpers\":{\"a.example\":\"\"}}", ANSWER, "a.example/x",
         NULL, NULL, NULL, "", NULL},
        {"{\"credsStore\":\"test\",\"auths\":{\"a.example\":" AUTH "}}", ANSWER, "a.example/x",
         "user", "s3cret", NULL, "get a.example\n", NULL},
        {"{\"credsStore\":\"test\",\"auths\":{\"a.example\":" AUTH "}}",
         "echo credentials not found in native keychain; exit 1", "a.example/x", "user", "secret",
         NULL, "get a.example\n", NULL},
        {"{\"credsStore\":\"test\"}", "echo Credentials Not Found >&2; exit 1", "a.example/x", NULL,
         NULL, NULL, "get a.example\n", NULL},
        {"{\"credsStore\":\"test\"}", "echo '{\"Username\":\"<token>\",\"Secret\":\"idt\"}'",
         "a.example/x", NULL, NULL, "idt", "get a.example\n", NULL},
        {"{\"credsStore\":\"test\"}", "echo '{\"Username\":\"\",\"Secret\":\"\"}'", "a.example/x",
         NULL, NULL, NULL, "get a.example\n", NULL},
        {"{\"credsStore\":\"test\"}", "echo locked; exit 2", "a.example/x", NULL, NULL, NULL,
         "get a.example\n", "docker-credential-test failed: locked"},
        {"{\"credsStore\":\"test\"}", "echo nonsense", "a.example/x", NULL, NULL, NULL,
         "get a.example\n", "without \"Username\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct credentials *credentials = NULL;
        struct credential found;
        struct text words = {0};
        struct tree tree = helper_tree(rows[i].config, rows[i].script);
        unit_ok(credentials_load(NULL, &credentials, &err), &err);
        for (int again = 0; again < 2; again++) { /* the second time it is remembered */
            ck_assert_msg(credentials_find(credentials, rows[i].image, &found, &err) == 0,
                          "row %zu: %s", i, error_message(&err));
            ck_assert_msg(string_equal(found.username, rows[i].username) &&
                              string_equal(found.password, rows[i].password) &&
                              string_equal(found.identity_token, rows[i].token),
                          "row %zu: %s %s %s", i, found.username, found.password,
                          found.identity_token);
            ck_assert_msg(rows[i].note == NULL
                              ? found.note == NULL
                              : found.note != NULL && strstr(found.note, rows[i].note),
                          "row %zu: note %s", i, found.note);
            credential_clear(&found);
        }
        asked(&tree, &words);
        ck_assert_msg(strcmp(text_string(&words), rows[i].asked) == 0, "row %zu: asked %s", i,
                      text_string(&words));
        text_clear(&words);
        credentials_free(credentials);
        tree_free(&tree);
    }
}
END_TEST

START_TEST(a_helper_for_all_that_lacks_is_noted) {
    struct error err = {0};
    struct credentials *credentials = NULL;
    struct credential found;
    struct tree tree = helper_tree("{\"credsStore\":\"lacking\"}", "");
    unit_ok(credentials_load(NULL, &credentials, &err), &err);
    for (int again = 0; again < 2; again++) { /* the second time it is remembered */
        unit_ok(credentials_find(credentials, "a.example/x", &found, &err), &err);
        ck_assert(credential_empty(&found));
        ck_assert_msg(found.note != NULL && strstr(found.note, "no such program"), "%s",
                      found.note);
        credential_clear(&found);
    }
    credentials_free(credentials);
    tree_free(&tree);
}
END_TEST

START_TEST(a_helper_by_host_must_answer) {
    static const struct {
        const char *script, *words;
    } rows[] = {
        {"echo the keyring is locked; exit 1",
         "names the credential helper \"test\" for a.example: docker-credential-test failed: the "
         "keyring is locked"},
        {"echo oops >&2; exit 3", "failed: oops"},
        {"echo '{\"Secret\":\"s3cret\"}'; exit 1", "failed: exit status 1"},
        {"kill -KILL $$", "killed by SIGKILL"},
        {"echo '{\"Secret\":\"s3cret\"}'", "without \"Username\" and \"Secret\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct credentials *credentials = NULL;
        struct credential found;
        struct text words = {0};
        struct tree tree =
            helper_tree("{\"credHelpers\":{\"a.example\":\"test\"}}", rows[i].script);
        unit_ok(credentials_load(NULL, &credentials, &err), &err);
        for (int again = 0; again < 2; again++) {
            ck_assert_int_eq(credentials_find(credentials, "a.example/x", &found, &err), -1);
            ck_assert_msg(err.kind == ERROR_AUTH &&
                              strstr(error_message(&err), rows[i].words) != NULL &&
                              strstr(error_message(&err), "s3cret") == NULL,
                          "row %zu: %s", i, error_message(&err));
            ck_assert(credential_empty(&found));
            error_clear(&err);
        }
        asked(&tree, &words);
        ck_assert_str_eq(text_string(&words), "get a.example\n");
        text_clear(&words);
        credentials_free(credentials);
        tree_free(&tree);
    }
}
END_TEST

START_TEST(lacking_helpers_are_told) {
    struct error err = {0};
    struct credentials *credentials = NULL;
    struct string_list problems = {0};
    struct tree tree = helper_tree("{\"credsStore\":\"lacking\",\"credHelpers\":{\"a.example\":"
                                   "\"test\",\"b.example\":\"gone\"}}",
                                   "");
    unit_ok(credentials_load(NULL, &credentials, &err), &err);
    unit_ok(credentials_problems(credentials, &problems, &err), &err);
    ck_assert_uint_eq(problems.count, 2);
    ck_assert(strstr(problems.items[0],
                     "\"gone\" for b.example, and docker-credential-gone is not in PATH"));
    ck_assert(strstr(problems.items[1], "\"lacking\" for all registries"));
    string_list_clear(&problems);
    credentials_free(credentials);
    tree_free(&tree);
}
END_TEST

UNIT_MAIN("credentials", {
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, forms_of_keys);
    tcase_add_test(cases, the_longest_key_is_taken);
    tcase_add_test(cases, forms_of_entries);
    tcase_add_test(cases, files_that_are_wrong);
    tcase_add_test(cases, places_of_files);
    tcase_add_test(cases, files_that_cannot_be_read);
    tcase_add_test(cases, helpers);
    tcase_add_test(cases, a_helper_by_host_must_answer);
    tcase_add_test(cases, lacking_helpers_are_told);
    tcase_add_test(unit_lacking_programs(suite), a_helper_for_all_that_lacks_is_noted);
})
