#include "gate/reference.h"

#include "gate/base/text.h"
#include "tests/unit/unit.h"

#define HEX64  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DIGEST "sha256:" HEX64
#define A8     "aaaaaaaa"
#define A64    A8 A8 A8 A8 A8 A8 A8 A8
#define A128   A64 A64
#define A200   A128 A64 A8

/* What parses, and into what. */
static const struct {
    const char *text;
    const char *domain;
    const char *path;
    const char *tag;
    const char *digest;
} valid[] = {
    /* domain and library/ */
    {"redis", "docker.io", "library/redis", NULL, NULL},
    {"grafana/grafana", "docker.io", "grafana/grafana", NULL, NULL},
    {"library/redis", "docker.io", "library/redis", NULL, NULL},
    {"library/a/b", "docker.io", "library/a/b", NULL, NULL},
    {"docker.io/redis", "docker.io", "library/redis", NULL, NULL},
    {"docker.io/library/redis", "docker.io", "library/redis", NULL, NULL},
    {"docker.io/a/b/c", "docker.io", "a/b/c", NULL, NULL},
    {"index.docker.io/redis", "docker.io", "library/redis", NULL, NULL},
    {"index.docker.io/library/redis:7", "docker.io", "library/redis", "7", NULL},
    {"index.docker.io/a/b", "docker.io", "a/b", NULL, NULL},
    {"registry-1.docker.io/a/b", "registry-1.docker.io", "a/b", NULL, NULL},
    {"docker.io:443/redis", "docker.io:443", "redis", NULL, NULL},
    {"ghcr.io/a/b", "ghcr.io", "a/b", NULL, NULL},
    {"ghcr.io/single", "ghcr.io", "single", NULL, NULL},
    {"quay.io/a/b/c/d/e", "quay.io", "a/b/c/d/e", NULL, NULL},
    {"registry.example.com:5000/a", "registry.example.com:5000", "a", NULL, NULL},
    {"registry.example.com:5000/a:1", "registry.example.com:5000", "a", "1", NULL},
    {"registry:5000/a", "registry:5000", "a", NULL, NULL},
    {"redis:7/8:9", "redis:7", "8", "9", NULL},
    {"registry/a", "docker.io", "registry/a", NULL, NULL},
    {"my-registry/a/b", "docker.io", "my-registry/a/b", NULL, NULL},
    {"localhost/a", "localhost", "a", NULL, NULL},
    {"localhost/a/b", "localhost", "a/b", NULL, NULL},
    {"localhost:5000/a", "localhost:5000", "a", NULL, NULL},
    {"localhost", "docker.io", "library/localhost", NULL, NULL},
    {"localhost:5000", "docker.io", "library/localhost", "5000", NULL},
    {"localhosts/a", "docker.io", "localhosts/a", NULL, NULL},
    {"redis:5000", "docker.io", "library/redis", "5000", NULL},
    {"Registry/a", "Registry", "a", NULL, NULL},
    {"REGISTRY/a/b", "REGISTRY", "a/b", NULL, NULL},
    {"LOCALHOST/a", "LOCALHOST", "a", NULL, NULL},
    {"Example.COM/a", "Example.COM", "a", NULL, NULL},
    {"DOCKER.IO/redis", "DOCKER.IO", "redis", NULL, NULL},
    {"a.b/c", "a.b", "c", NULL, NULL},
    {"a-b.c-d/e", "a-b.c-d", "e", NULL, NULL},
    {"xn--n3h.example.com/a", "xn--n3h.example.com", "a", NULL, NULL},
    {"1.2.3.4/a", "1.2.3.4", "a", NULL, NULL},
    {"127.0.0.1:5000/a/b", "127.0.0.1:5000", "a/b", NULL, NULL},
    {"host.example/a.b/c", "host.example", "a.b/c", NULL, NULL},
    {"123456789012.dkr.ecr.eu-central-1.amazonaws.com/app",
     "123456789012.dkr.ecr.eu-central-1.amazonaws.com", "app", NULL, NULL},
    {"europe-docker.pkg.dev/p/r/i:v1", "europe-docker.pkg.dev", "p/r/i", "v1", NULL},
    /* IPv6 */
    {"[::1]/a", "[::1]", "a", NULL, NULL},
    {"[::1]:5000/a", "[::1]:5000", "a", NULL, NULL},
    {"[::1]:5000/a/b:1@" DIGEST, "[::1]:5000", "a/b", "1", DIGEST},
    {"[2001:db8::1]/a:1", "[2001:db8::1]", "a", "1", NULL},
    {"[2001:DB8::A]:443/a", "[2001:DB8::A]:443", "a", NULL, NULL},
    {"[fe80:1234:5678:9abc:def0:1234:5678:9abc]/a", "[fe80:1234:5678:9abc:def0:1234:5678:9abc]",
     "a", NULL, NULL},
    /* path */
    {"a", "docker.io", "library/a", NULL, NULL},
    {"0", "docker.io", "library/0", NULL, NULL},
    {"a0", "docker.io", "library/a0", NULL, NULL},
    {"a.b", "docker.io", "library/a.b", NULL, NULL},
    {"a_b", "docker.io", "library/a_b", NULL, NULL},
    {"a__b", "docker.io", "library/a__b", NULL, NULL},
    {"a-b", "docker.io", "library/a-b", NULL, NULL},
    {"a--b", "docker.io", "library/a--b", NULL, NULL},
    {"a-----b", "docker.io", "library/a-----b", NULL, NULL},
    {"a.b_c__d-e", "docker.io", "library/a.b_c__d-e", NULL, NULL},
    {"a/b.c/d_e/f", "docker.io", "a/b.c/d_e/f", NULL, NULL},
    /* tag */
    {"redis:7", "docker.io", "library/redis", "7", NULL},
    {"redis:7.2.4-alpine3.19", "docker.io", "library/redis", "7.2.4-alpine3.19", NULL},
    {"redis:_x", "docker.io", "library/redis", "_x", NULL},
    {"redis:Latest", "docker.io", "library/redis", "Latest", NULL},
    {"redis:a.", "docker.io", "library/redis", "a.", NULL},
    {"redis:a-", "docker.io", "library/redis", "a-", NULL},
    {"redis:a..b", "docker.io", "library/redis", "a..b", NULL},
    {"redis:" A128, "docker.io", "library/redis", A128, NULL},
    {"redis:sha256-" HEX64 ".sig", "docker.io", "library/redis", "sha256-" HEX64 ".sig", NULL},
    {"a/b:" HEX64, "docker.io", "a/b", HEX64, NULL},
    /* digest */
    {"redis@" DIGEST, "docker.io", "library/redis", NULL, DIGEST},
    {"redis:7.2@" DIGEST, "docker.io", "library/redis", "7.2", DIGEST},
    {"localhost:5000@" DIGEST, "docker.io", "library/localhost", "5000", DIGEST},
    {"localhost:5000/a@" DIGEST, "localhost:5000", "a", NULL, DIGEST},
    {"ghcr.io/a/b:v1.2.3@" DIGEST, "ghcr.io", "a/b", "v1.2.3", DIGEST},
    /* 64 hex digits are refused only when they stand alone */
    {HEX64 ":1", "docker.io", "library/" HEX64, "1", NULL},
    {HEX64 "@" DIGEST, "docker.io", "library/" HEX64, NULL, DIGEST},
    {"library/" HEX64, "docker.io", "library/" HEX64, NULL, NULL},
    {"a/" HEX64, "docker.io", "a/" HEX64, NULL, NULL},
    {HEX64 "0", "docker.io", "library/" HEX64 "0", NULL, NULL},
    {A64 "/a", "docker.io", A64 "/a", NULL, NULL},
    /* the whole name with domain, "/" and prefix: 255 bytes */
    {A200 A8 A8 A8 A8 "aaaaa", "docker.io", "library/" A200 A8 A8 A8 A8 "aaaaa", NULL, NULL},
    {"a.b/" A200 A8 A8 A8 A8 A8 A8 "aaa:" A128, "a.b", A200 A8 A8 A8 A8 A8 A8 "aaa", A128, NULL},
};

static bool same(const char *a, const char *b) {
    return string_equal(a, b);
}

START_TEST(valid_row) {
    size_t row = (size_t)_i;
    struct error err = {0};
    struct reference parsed;
    ck_assert_msg(reference_parse(valid[row].text, &parsed, &err) == 0, "row %zu: %s", row,
                  error_message(&err));
    ck_assert_msg(same(parsed.domain, valid[row].domain) && same(parsed.path, valid[row].path) &&
                      same(parsed.tag, valid[row].tag) && same(parsed.digest, valid[row].digest),
                  "row %zu: \"%s\" gives domain %s, path %s, tag %s, digest %s", row,
                  valid[row].text, parsed.domain, parsed.path, parsed.tag ? parsed.tag : "-",
                  parsed.digest ? parsed.digest : "-");
    char *image = NULL;
    ck_assert_int_gt(asprintf(&image, "%s/%s", parsed.domain, parsed.path), 0);
    ck_assert_str_eq(parsed.image, image);
    free(image);
    struct reference copy;
    unit_ok(reference_copy(&parsed, &copy, &err), &err);
    reference_clear(&parsed);
    ck_assert_str_eq(copy.domain, valid[row].domain);
    ck_assert(same(copy.tag, valid[row].tag) && same(copy.digest, valid[row].digest));
    reference_clear(&copy);
}
END_TEST

/* What is normalised stays as it is, and so does its familiar form. */
START_TEST(normal_form_is_fixed) {
    size_t row = (size_t)_i;
    struct error err = {0};
    struct reference parsed, again;
    unit_ok(reference_parse(valid[row].text, &parsed, &err), &err);
    const char *const names[] = {parsed.image, reference_familiar(parsed.image)};
    for (size_t i = 0; i < 2; i++) {
        char *text = reference_text(names[i], parsed.tag, parsed.digest, &err);
        ck_assert_msg(reference_parse(text, &again, &err) == 0, "row %zu: %s", row,
                      error_message(&err));
        ck_assert_msg(same(again.image, parsed.image) && same(again.tag, parsed.tag) &&
                          same(again.digest, parsed.digest),
                      "row %zu: \"%s\" became \"%s\"", row, text, again.image);
        free(text);
        reference_clear(&again);
    }
    reference_clear(&parsed);
}
END_TEST

static const struct {
    const char *text;
    const char *problem; /* part of the message */
} invalid[] = {
    {"", "empty"},
    {" ", "character"},
    {" redis", "character"},
    {"redis ", "character"},
    {"redis\n", "character"},
    {"re dis", "character"},
    {"redis\t:7", "character"},
    {"r\xc3\xa9"
     "dis",
     "character"},
    {"redis\x80", "character"},
    {"redis$", "character"},
    {"${IMAGE}", "character"},
    {"$image", "character"},
    {"{{image}}", "character"},
    {"a+b", "character"},
    {"a~b", "character"},
    {"a*", "character"},
    {"a\\b", "character"},
    {"a@", "digest is empty"},
    {"a:", "tag is empty"},
    {":7", "a part of the name is empty"},
    {"@" DIGEST, "a part of the name is empty"},
    {":", "a part of the name is empty"},
    {"/", "a part of the name is empty"},
    {"/a", "a part of the name is empty"},
    {"a/", "a part of the name is empty"},
    {"a//b", "a part of the name is empty"},
    {"ghcr.io/", "a part of the name is empty"},
    {"ghcr.io//a", "a part of the name is empty"},
    {"https://ghcr.io/a", "port is empty"},
    {"docker://redis", "port is empty"},
    {"Redis", "lowercase"},
    {"library/Redis", "lowercase"},
    {"ghcr.io/Foo/bar", "lowercase"},
    {"a/B", "lowercase"},
    {"-a", "separator"},
    {"a-", "separator"},
    {".a", "separator"},
    {"a.", "separator"},
    {"_a", "separator"},
    {"a_", "separator"},
    {"a..b", "separator"},
    {"a___b", "separator"},
    {"a._b", "separator"},
    {"a.-b", "separator"},
    {"a-_b", "separator"},
    {"a/-b", "separator"},
    {"a/.b", "separator"},
    {"../a", "label"},
    {"./a", "label"},
    {"a/../b", "separator"},
    {".a/b", "empty label"},
    {"a./b", "empty label"},
    {"a..b/c", "empty label"},
    {"-a.b/c", "label"},
    {"a-.b/c", "label"},
    {"a.b-/c", "label"},
    {"a_b.c/d", "host name"},
    {"a.b_c:5000/d", "host name"},
    {"A_B/c", "host name"},
    {"a.b:/c", "port is empty"},
    {"a.b:x/c", "port is not a number"},
    {"a.b:5000x/c", "port is not a number"},
    {"a.b:50:00/c", "port is not a number"},
    {"a.b:-1/c", "port is not a number"},
    {":5000/a", "empty label"},
    {"[::1/a", "\"]\""},
    {"[]:5000/a", "IPv6"},
    {"[]/a", "character"},
    {"[::1]x/a", "between"},
    {"[::1]:/a", "port is empty"},
    {"[::1]:x/a", "port is not a number"},
    {"[fe80::1%eth0]/a", "hex digits"},
    {"[::g]/a", "hex digits"},
    {"[1.2.3.4]/a", "hex digits"},
    {"::1/a", "port is not a number"},
    {"[::1]", "character"},
    {"redis:.7", "tag begins"},
    {"redis:-7", "tag begins"},
    {"redis:7 ", "tag holds"},
    {"redis:7+1", "tag holds"},
    {"redis:7:8", "tag holds"},
    {"a/b:c/d", "tag holds"},
    {"redis:\xc3\xa9", "tag begins"},
    {"redis:a\xc3\xa9", "tag holds"},
    {"redis:" A128 "a", "longer than 128"},
    {"redis:@" DIGEST, "tag is empty"},
    {"redis@sha256:", "digest"},
    {"redis@" HEX64, "digest"},
    {"redis@sha256:abc", "digest"},
    {"redis@" DIGEST "0", "digest"},
    {"redis@" DIGEST " ", "digest"},
    {"redis@" DIGEST ":7", "digest"},
    {"redis@" DIGEST "@" DIGEST, "digest"},
    {"redis@@" DIGEST, "digest"},
    {"redis@sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", "digest"},
    {"redis@SHA256:" HEX64, "digest"},
    {"redis@sha512:" HEX64 HEX64, "digest"},
    {"redis@md5:d41d8cd98f00b204e9800998ecf8427e", "digest"},
    {"redis@sha256-" HEX64, "digest"},
    {HEX64, "image id"},
    {A64, "image id"},
    {DIGEST "@" DIGEST "x", "digest"},
    {A200 A8 A8 A8 A8 "aaaaaa", "longer than 255"},
    {"a.b/" A200 A8 A8 A8 A8 A8 A8 "aaaa", "longer than 255"},
    {A200 "." A200 "/a", "longer than 255"},
};

START_TEST(invalid_row) {
    size_t row = (size_t)_i;
    struct error err = {0};
    struct reference parsed = {.tag = (char *)"left"};
    int result = reference_parse(invalid[row].text, &parsed, &err);
    ck_assert_msg(result == -1, "row %zu: \"%s\" was taken", row, invalid[row].text);
    ck_assert_msg(err.kind == ERROR_INPUT &&
                      strstr(error_message(&err), invalid[row].problem) != NULL,
                  "row %zu: \"%s\" lacks \"%s\"", row, error_message(&err), invalid[row].problem);
    ck_assert_msg(parsed.domain == NULL && parsed.tag == NULL, "row %zu: not empty", row);
    error_clear(&err);
}
END_TEST

START_TEST(message_is_bounded) {
    struct error err = {0};
    struct reference parsed;
    size_t size = 1u << 20;
    char *text = malloc(size + 1);
    memset(text, 'a', size);
    text[size] = '\0';
    ck_assert_int_eq(reference_parse(text, &parsed, &err), -1);
    ck_assert_uint_lt(strlen(error_message(&err)), 300);
    error_clear(&err);
    free(text);
}
END_TEST

START_TEST(familiar) {
    static const char *const rows[][2] = {
        {"docker.io/library/redis", "redis"},
        {"docker.io/grafana/grafana", "grafana/grafana"},
        {"docker.io/library/a/b", "library/a/b"},
        {"docker.io/a/library/b", "a/library/b"},
        {"ghcr.io/a/b", "ghcr.io/a/b"},
        {"ghcr.io/library/b", "ghcr.io/library/b"},
        {"docker.io:443/library/redis", "docker.io:443/library/redis"},
        {"localhost/library/redis", "localhost/library/redis"},
        {"docker.io.example.com/library/a", "docker.io.example.com/library/a"},
        {"docker.io/a.b/c", "docker.io/a.b/c"},             /* a.b would be a domain */
        {"docker.io/localhost/c", "docker.io/localhost/c"}, /* and so would localhost */
        {"docker.io/library/a.b", "a.b"},
        {"docker.io/library/localhost", "localhost"},
        {"docker.io/library/" HEX64, "library/" HEX64},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(strcmp(reference_familiar(rows[i][0]), rows[i][1]) == 0, "row %zu: %s", i,
                      reference_familiar(rows[i][0]));
}
END_TEST

START_TEST(texts) {
    struct error err = {0};
    static const char *const rows[][4] = {
        {"docker.io/library/redis", NULL, NULL, "docker.io/library/redis"},
        {"redis", "7", NULL, "redis:7"},
        {"redis", NULL, DIGEST, "redis@" DIGEST},
        {"redis", "7", DIGEST, "redis:7@" DIGEST},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = reference_text(rows[i][0], rows[i][1], rows[i][2], &err);
        ck_assert_str_eq(text, rows[i][3]);
        free(text);
    }
}
END_TEST

START_TEST(tags) {
    static const char *const good[] = {"7", "_", "a", "Z", "v1.2.3-rc.1", "a..--__", A128};
    static const char *const bad[] = {"",         ".",   "-",     ".a",    "-a",    "a b",
                                      "a/b",      "a:b", "a@b",   "a+b",   "a\n",   A128 "a",
                                      "\xc3\xa9", "*",   "a\x7f", "a\x1b", "a\xff", A128 A128 A128};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(reference_tag_valid(good[i]), "good row %zu: %s", i, good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!reference_tag_valid(bad[i]), "bad row %zu: %s", i, bad[i]);
}
END_TEST

START_TEST(api_hosts) {
    ck_assert_str_eq(reference_api_host("docker.io"), "registry-1.docker.io");
    ck_assert_str_eq(reference_api_host("ghcr.io"), "ghcr.io");
    ck_assert_str_eq(reference_api_host("docker.io:443"), "docker.io:443");
    ck_assert_str_eq(reference_api_host("localhost:5000"), "localhost:5000");
}
END_TEST

START_TEST(loopback) {
    static const struct {
        const char *domain;
        bool loopback;
    } rows[] = {
        {"localhost", true},
        {"localhost:5000", true},
        {"LOCALHOST:5000", true},
        {"registry.localhost", true},
        {"a.b.localhost:80", true},
        {"127.0.0.1", true},
        {"127.0.0.1:5000", true},
        {"127.255.255.254", true},
        {"[::1]", true},
        {"[::1]:5000", true},
        {"[0:0:0:0:0:0:0:1]:5000", true},
        {"docker.io", false},
        {"notlocalhost", false},
        {"localhost.example.com", false},
        {"localhost.example.com:5000", false},
        {"my-localhost:5000", false},
        {"127.0.0.1.example.com", false},
        {"127.example.com", false},
        {"127.1", false},
        {"128.0.0.1", false},
        {"1.127.0.0", false},
        {"10.0.0.1:5000", false},
        {"192.168.1.1", false},
        {"[::2]", false},
        {"[::]", false},
        {"[2001:db8::1]:5000", false},
        {"[::ffff:1]", false},
        {"0.0.0.0", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(reference_domain_is_loopback(rows[i].domain) == rows[i].loopback,
                      "row %zu: %s", i, rows[i].domain);
}
END_TEST

UNIT_MAIN("reference", {
    tcase_add_loop_test(cases, valid_row, 0, sizeof valid / sizeof *valid);
    tcase_add_loop_test(cases, normal_form_is_fixed, 0, sizeof valid / sizeof *valid);
    tcase_add_loop_test(cases, invalid_row, 0, sizeof invalid / sizeof *invalid);
    tcase_add_test(cases, message_is_bounded);
    tcase_add_test(cases, familiar);
    tcase_add_test(cases, texts);
    tcase_add_test(cases, tags);
    tcase_add_test(cases, api_hosts);
    tcase_add_test(cases, loopback);
})
