#include "gate/registry/auth.h"

#include "tests/unit/unit.h"

#define NONE "-"

static const char *shown(const char *text) {
    return text != NULL ? text : NONE;
}

START_TEST(challenges) {
    static const struct {
        const char *headers[3];
        bool bearer, basic;
        const char *realm, *service, *scope;
    } rows[] = {
        {{"Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:x:pull\""},
         true,
         false,
         "https://a/t",
         "s",
         "repository:x:pull"},
        {{"bearer Realm=\"https://a/t\""}, true, false, "https://a/t", NONE, NONE},
        {{"Bearer realm=https://a/t,service=s"}, true, false, "https://a/t", "s", NONE},
        {{"Bearer realm = \"https://a/t\""},
         true,
         false,
         NONE,
         NONE,
         NONE}, /* white space around "=": bad by RFC 9110 */
        {{"Basic realm=\"x\""}, false, true, NONE, NONE, NONE},
        {{"BASIC"}, false, true, NONE, NONE, NONE},
        {{"Negotiate, Basic realm=\"x\""}, false, true, NONE, NONE, NONE},
        {{"Basic realm=\"x\", Bearer realm=\"https://a/t\",service=\"s\""},
         true,
         true,
         "https://a/t",
         "s",
         NONE},
        {{"Bearer realm=\"https://a/t\",service=\"s\", Basic realm=\"x\""},
         true,
         true,
         "https://a/t",
         "s",
         NONE},
        {{"Basic realm=\"x\"", "Bearer realm=\"https://a/t\""},
         true,
         true,
         "https://a/t",
         NONE,
         NONE},
        {{"Bearer realm=\"https://first/t\"", "Bearer realm=\"https://second/t\",service=\"s\""},
         true,
         false,
         "https://first/t",
         NONE,
         NONE},
        {{"Negotiate YIIB=="}, false, false, NONE, NONE, NONE},
        {{"Digest realm=\"x, Bearer realm=https://evil/\", nonce=\"y\""},
         false,
         false,
         NONE,
         NONE,
         NONE},
        {{"Digest realm=\"a\\\"b, Basic\""}, false, false, NONE, NONE, NONE},
        {{"Bearer realm=\"https://a/\\\"t\""}, true, false, "https://a/\"t", NONE, NONE},
        {{"Bearer realm=\"https://a/t"}, true, false, "https://a/t", NONE, NONE},
        {{"Bearer"}, true, false, NONE, NONE, NONE},
        {{"Bearer realm="}, true, false, "", NONE, NONE},
        {{"Bearer error=\"invalid_token\",realm=\"https://a/t\""},
         true,
         false,
         "https://a/t",
         NONE,
         NONE},
        {{"Bearer realm=\"https://a/t\",realm=\"https://b/t\""},
         true,
         false,
         "https://a/t",
         NONE,
         NONE},
        {{",,, Bearer ,, realm=\"https://a/t\" ,,"}, true, false, "https://a/t", NONE, NONE},
        {{"\"Bearer\" realm=\"x\""}, false, false, NONE, NONE, NONE},
        {{""}, false, false, NONE, NONE, NONE},
        {{"Bearer realm=\"https://a/t\",scope=\"\""}, true, false, "https://a/t", NONE, ""},
        {{"Bearer realm=\"https://a/t\",scope=\"repository:a:pull repository:b:pull\""},
         true,
         false,
         "https://a/t",
         NONE,
         "repository:a:pull repository:b:pull"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct challenge found = {0};
        struct http_header items[5] = {{(char *)"Date", (char *)"Bearer realm=\"no\""}};
        struct http_response response = {.headers = {.items = items, .count = 1}};
        for (size_t h = 0; rows[i].headers[h] != NULL; h++)
            items[response.headers.count++] =
                (struct http_header){(char *)(h == 0 ? "WWW-Authenticate" : "www-authenticate"),
                                     (char *)rows[i].headers[h]};
        unit_ok(challenge_parse(&response, &found, &err), &err);
        ck_assert_msg(found.bearer == rows[i].bearer && found.basic == rows[i].basic &&
                          strcmp(shown(found.realm), rows[i].realm) == 0 &&
                          strcmp(shown(found.service), rows[i].service) == 0 &&
                          strcmp(shown(found.scope), rows[i].scope) == 0,
                      "row %zu: %s: bearer %d, basic %d, realm %s, service %s, scope %s", i,
                      rows[i].headers[0], found.bearer, found.basic, shown(found.realm),
                      shown(found.service), shown(found.scope));
        challenge_clear(&found);
    }
}
END_TEST

START_TEST(realms) {
    static const struct {
        const char *realm, *registry;
        bool allowed, sees; /* sees: what the user stored for the registry */
        const char *trusted;
    } rows[] = {
        /* the same host */
        {"https://r.example.com/token", "https://r.example.com/v2/", true, true, NULL},
        {"https://R.Example.COM/token", "https://r.example.com/v2/", true, true, NULL},
        {"https://r.example.com:5001/token", "https://r.example.com:5000/v2/", true, true, NULL},
        {"https://r.example.com", "https://r.example.com/v2/", true, true, NULL},
        {"https://r.example.com?x", "https://r.example.com/v2/", true, true, NULL},
        /* above and below */
        {"https://gitlab.com/jwt/auth", "https://registry.gitlab.com/v2/", true, true, NULL},
        {"https://auth.hub.example.com/t", "https://hub.example.com/v2/", true, true, NULL},
        {"https://com/t", "https://example.com/v2/", true, false, NULL},
        {"https://xexample.com/t", "https://example.com/v2/", true, false, NULL},
        {"https://example.com.evil.org/t", "https://example.com/v2/", true, false, NULL},
        /* beside */
        {"https://auth.example.com/t", "https://registry.example.com/v2/", true, false, NULL},
        {"https://evil.other.co.uk/t", "https://registry.example.co.uk/v2/", true, false, NULL},
        {"https://auth.docker.io/token", "https://registry-1.docker.io/v2/", true, true, NULL},
        {"https://auth.docker.io/token", "https://other.docker.io/v2/", true, false, NULL},
        {"https://other.docker.io/token", "https://registry-1.docker.io/v2/", true, false, NULL},
        /* by the user's word */
        {"https://auth.example.com/t", "https://registry.example.com/v2/", true, true,
         "auth.example.com"},
        {"https://auth.example.com:5001/t", "https://registry.example.com/v2/", true, true,
         "auth.example.com"},
        {"https://auth.example.com:5001/t", "https://registry.example.com/v2/", true, true,
         "auth.example.com:5001"},
        {"https://auth.example.com:5002/t", "https://registry.example.com/v2/", true, false,
         "auth.example.com:5001"},
        {"https://evil.example.com/t", "https://registry.example.com/v2/", true, false,
         "auth.example.com"},
        {"http://auth.example.com/t", "https://registry.example.com/v2/", false, false,
         "auth.example.com"},
        /* without TLS */
        {"http://r.example.com/token", "https://r.example.com/v2/", false, false, NULL},
        {"http://r.example.com/token", "http://r.example.com/v2/", true, true, NULL},
        {"http://r.example.com:81/token", "http://r.example.com:80/v2/", true, true, NULL},
        {"http://auth.example.com/token", "http://r.example.com/v2/", false, false, NULL},
        {"http://127.0.0.1:5001/token", "http://127.0.0.1:5000/v2/", true, true, NULL},
        {"http://127.0.0.2:5001/token", "http://127.0.0.1:5000/v2/", true, false, NULL},
        {"http://localhost:5001/token", "http://127.0.0.1:5000/v2/", true, false, NULL},
        {"http://127.0.0.1:5001/token", "https://r.example.com/v2/", false, false, NULL},
        {"http://[::1]:5001/token", "http://[::1]:5000/v2/", true, true, NULL},
        {"https://auth.example.com/token", "http://r.example.com/v2/", true, false, NULL},
        /* addresses have no family */
        {"https://1.2.3.4/t", "https://9.1.2.3.4/v2/", true, false, NULL},
        {"https://2.3.4/t", "https://1.2.3.4/v2/", true, false, NULL},
        /* no addresses of token servers */
        {"ftp://r.example.com/t", "https://r.example.com/v2/", false, false, NULL},
        {"file:///etc/passwd", "https://r.example.com/v2/", false, false, NULL},
        {"/token", "https://r.example.com/v2/", false, false, NULL},
        {"r.example.com/token", "https://r.example.com/v2/", false, false, NULL},
        {"https://", "https://r.example.com/v2/", false, false, NULL},
        {"", "https://r.example.com/v2/", false, false, NULL},
        {"https://r.example.com@evil.org/t", "https://r.example.com/v2/", false, false, NULL},
        {"https://evil.org\\@r.example.com/t", "https://r.example.com/v2/", false, false, NULL},
        {"https://r.example.com\\@evil.org/t", "https://r.example.com/v2/", false, false, NULL},
        {"https://r.example.com\t@evil.org/t", "https://r.example.com/v2/", false, false, NULL},
        {"https://r%2eexample.com/t", "https://r.example.com/v2/", false, false, NULL},
        {"https://r.example.com;@evil.org/t", "https://r.example.com/v2/", false, false, NULL},
        {"https://evil.org/https://r.example.com/", "https://r.example.com/v2/", true, false, NULL},
        {"https://evil.org#@r.example.com/", "https://r.example.com/v2/", true, false, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_msg(auth_realm_allowed(rows[i].realm, rows[i].registry) == rows[i].allowed,
                      "row %zu: %s for %s: allowed", i, rows[i].realm, rows[i].registry);
        ck_assert_msg(auth_realm_may_see_credentials(rows[i].realm, rows[i].registry,
                                                     rows[i].trusted) == rows[i].sees,
                      "row %zu: %s for %s, trusted %s: sees credentials", i, rows[i].realm,
                      rows[i].registry, shown(rows[i].trusted));
    }
}
END_TEST

START_TEST(hosts) {
    char host[16];
    ck_assert(auth_host("https://a.example:5000/x", host, sizeof host));
    ck_assert_str_eq(host, "a.example:5000");
    ck_assert(!auth_host("https://a.name.that.is.too.long/x", host, sizeof host));
}
END_TEST

UNIT_MAIN("auth", {
    tcase_add_test(cases, challenges);
    tcase_add_test(cases, realms);
    tcase_add_test(cases, hosts);
})
