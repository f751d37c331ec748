#include "gate/selector.h"

#include "tests/unit/unit.h"

#define HUB "docker.io/library/"

static const struct {
    const char *selector, *image, *tag;
    bool matches;
} rows[] = {
    /* names, familiar and full */
    {"redis", HUB "redis", NULL, true},
    {"redis", HUB "redis", "7", true},
    {"redis", HUB "redis2", "7", false},
    {"redis", "docker.io/acme/redis", NULL, false},
    {"redis", "ghcr.io/library/redis", NULL, false},
    {"library/redis", HUB "redis", NULL, true},
    {"docker.io/redis", HUB "redis", NULL, true},
    {"docker.io/library/redis", HUB "redis", NULL, true},
    {"index.docker.io/library/redis", HUB "redis", NULL, true},
    {"acme/app", "docker.io/acme/app", NULL, true},
    {"ghcr.io/acme/app", "ghcr.io/acme/app", NULL, true},
    {"localhost:5000/app", "localhost:5000/app", "1", true},
    {"localhost:5000/app", "localhost:5001/app", "1", false},
    {"localhost/app", "localhost/app", NULL, true},
    /* tags */
    {"redis:7", HUB "redis", "7", true},
    {"redis:7", HUB "redis", "7.2", false},
    {"redis:7", HUB "redis", NULL, false},
    {"localhost:5000/app:1", "localhost:5000/app", "1", true},
    {"localhost:5000/app:1", "localhost:5000/app", "2", false},
    /* globs of names */
    {"*", "ghcr.io/a/b/c", NULL, true},
    {"**", HUB "redis", "7", true},
    {"redis*", HUB "redis", NULL, true},
    {"redis*", HUB "redis-stack", NULL, true},
    {"redis*", "docker.io/acme/redis", NULL, false},
    {"redi?", HUB "redis", NULL, true},
    {"redi?", HUB "redi", NULL, false},
    {"[pr]*", HUB "redis", NULL, true},
    {"[pr]*", HUB "nginx", NULL, false},
    {"acme/*", "docker.io/acme/app", NULL, true},
    {"acme/*", "docker.io/acme/a/b", NULL, false},
    {"acme/**", "docker.io/acme/a/b", NULL, true},
    {"acme/**", "ghcr.io/acme/a", NULL, false},
    {"ghcr.io/acme/web-*", "ghcr.io/acme/web-1", NULL, true},
    {"ghcr.io/acme/web-*", "ghcr.io/acme/web-1/x", NULL, false},
    {"ghcr.io/**", "ghcr.io/a", NULL, true},
    {"ghcr.io/**", "ghcr.io/a/b/c", NULL, true},
    {"ghcr.io/**", "ghcr.io.example.com/a", NULL, false},
    {"ghcr.io/**/app", "ghcr.io/app", NULL, true},
    {"ghcr.io/**/app", "ghcr.io/a/b/app", NULL, true},
    {"*.example.com/app", "a.example.com/app", NULL, true},
    {"**.example.com/app", "a.b.example.com/app", NULL, true},
    {"*.example.com/app", "a.example.com/b/app", NULL, false},
    {"127.0.0.1:*/**", "127.0.0.1:5000/a/b", NULL, true},
    /* globs of tags */
    {"redis:7.*", HUB "redis", "7.2", true},
    {"redis:7.*", HUB "redis", "7", false},
    {"redis:7.*", HUB "redis", NULL, false},
    {"*:latest", HUB "redis", "latest", true},
    {"*:latest", "docker.io/acme/redis", "latest", false},
    {"acme/*:1.?", "docker.io/acme/app", "1.2", true},
    {"localhost:5000/*:1", "localhost:5000/app", "1", true},
    {"localhost:5000/*:1", "localhost:5000/app", "2", false},
    /* none at all */
    {"docker.io/redis:7", HUB "redis", "7", true},
    {"index.docker.io/redis", HUB "redis", NULL, true},
    {"docker.io/redi?", HUB "redis", NULL, true},
    {"docker.io/**", "docker.io/acme/app", NULL, true},
    {"**foo", HUB "myfoo", NULL, true},
    {"Registry/app", "Registry/app", NULL, true},
    {"Registry/app", "docker.io/Registry/app", NULL, false},
    {"redis:", HUB "redis", NULL, false},
    {"redis@sha256:0", HUB "redis", NULL, false},
    {"Not A Name", HUB "redis", NULL, false},
    {"", HUB "redis", NULL, false},
};

START_TEST(row) {
    struct error err = {0};
    bool got = selector_matches(rows[_i].selector, rows[_i].image, rows[_i].tag);
    ck_assert_msg(got == rows[_i].matches, "\"%s\" and %s:%s", rows[_i].selector, rows[_i].image,
                  rows[_i].tag != NULL ? rows[_i].tag : "(none)");
    if (got) /* what matches something is a good one */
        unit_ok(selector_check(rows[_i].selector, &err), &err);
}
END_TEST

START_TEST(refused) {
    static const struct {
        const char *selector, *part;
    } bad[] = {
        {"", "an empty selector names no image"},
        {"Redis", "must be lowercase"},
        {"a b", "is not an image reference"},
        {"redis@sha256:0", "without a digest"},
        {"redis*@sha256:0", "without a digest"},
        {"a[b*", "\"[\" without \"]\""},
        {"a*{b,c}", "braces are no alternatives"},
        {"https://ghcr.io/a", "is not an image reference"},
    };
    struct error err = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unit_fails(selector_check(bad[i].selector, &err), &err, ERROR_CONFIG, bad[i].part);
        ck_assert(!selector_matches(bad[i].selector, HUB "redis", NULL));
    }
    char endless[SELECTOR_LIMIT + 2];
    memset(endless, '*', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    unit_fails(selector_check(endless, &err), &err, ERROR_CONFIG, "at most 1000 bytes");
    ck_assert(!selector_matches(endless, HUB "redis", NULL));
}
END_TEST

START_TEST(lists) {
    char nginx[] = "nginx", redis[] = "redis:7";
    char *items[] = {nginx, redis};
    struct string_list list = {.items = items, .count = 2};
    ck_assert(selector_list_matches(&list, HUB "redis", "7"));
    ck_assert(selector_list_matches(&list, HUB "nginx", NULL));
    ck_assert(!selector_list_matches(&list, HUB "redis", "6"));
    list.count = 0;
    ck_assert(!selector_list_matches(&list, HUB "nginx", NULL));
}
END_TEST

UNIT_MAIN("selector", {
    tcase_add_loop_test(cases, row, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, refused);
    tcase_add_test(cases, lists);
})
