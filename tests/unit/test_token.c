#include "gate/registry/token.h"

#include "tests/unit/unit.h"

#define REALM "https://a.example.com/token"

START_TEST(requests) {
    static const struct {
        struct challenge challenge;
        struct credential credential;
        bool oauth;
        const char *url, *authorization, *body;
    } rows[] = {
        {{.realm = (char *)REALM},
         {0},
         true,
         REALM "?scope=repository%3Ateam%2Fapp%3Apull",
         NULL,
         NULL},
        {{.realm = (char *)REALM "?a=b"},
         {0},
         true,
         REALM "?a=b&scope=repository%3Ateam%2Fapp%3Apull",
         NULL,
         NULL},
        {{.realm = (char *)REALM, .service = (char *)"r&x"},
         {0},
         true,
         REALM "?scope=repository%3Ateam%2Fapp%3Apull&service=r%26x",
         NULL,
         NULL},
        {{.realm = (char *)REALM, .service = (char *)"", .scope = (char *)"a b"},
         {0},
         true,
         REALM "?scope=a%20b",
         NULL,
         NULL},
        {{.realm = (char *)REALM, .scope = (char *)"s"},
         {.username = (char *)"user", .password = (char *)"secret"},
         true,
         REALM "?scope=s",
         "Authorization: Basic dXNlcjpzZWNyZXQ=",
         NULL},
        {{.realm = (char *)REALM, .scope = (char *)"s"},
         {.username = (char *)"user", .password = (char *)""},
         true,
         REALM "?scope=s",
         "Authorization: Basic dXNlcjo=",
         NULL},
        {{.realm = (char *)REALM, .service = (char *)"x", .scope = (char *)"s"},
         {.identity_token = (char *)"t+1"},
         true,
         REALM,
         NULL,
         "grant_type=refresh_token&client_id=pingate&scope=s&service=x&refresh_token=t%2B1"},
        {{.realm = (char *)REALM, .scope = (char *)"s"},
         {.username = (char *)"user", .identity_token = (char *)"secret"},
         false,
         REALM "?scope=s",
         "Authorization: Basic dXNlcjpzZWNyZXQ=",
         NULL},
        {{.realm = (char *)REALM, .scope = (char *)"s"},
         {.identity_token = (char *)"secret"},
         false,
         REALM "?scope=s",
         NULL,
         NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct token_request request;
        unit_ok(token_request_make(&rows[i].challenge, "team/app", &rows[i].credential,
                                   rows[i].oauth, &request, &err),
                &err);
        ck_assert_msg(string_equal(request.url, rows[i].url), "row %zu: %s", i, request.url);
        ck_assert_msg(string_equal(request.authorization, rows[i].authorization), "row %zu: %s", i,
                      request.authorization);
        ck_assert_msg(string_equal(request.body, rows[i].body), "row %zu: %s", i, request.body);
        token_request_clear(&request);
        ck_assert_ptr_null(request.url);
    }
}
END_TEST

START_TEST(answers) {
    static const struct {
        long status;
        const char *body;
        const char *header; /* NULL: refused */
        int64_t life_ms;
        enum error_kind kind;
        const char *words;
    } rows[] = {
        {200, "{\"token\":\"t\"}", "Authorization: Bearer t", 55000, 0, NULL},
        {200, "{\"access_token\":\"t\"}", "Authorization: Bearer t", 55000, 0, NULL},
        {200, "{\"token\":\"t\",\"access_token\":\"u\"}", "Authorization: Bearer t", 55000, 0,
         NULL},
        {200, "{\"token\":\"\",\"access_token\":\"u\"}", "Authorization: Bearer u", 55000, 0, NULL},
        {200, "{\"token\":\"t\",\"expires_in\":300}", "Authorization: Bearer t", 295000, 0, NULL},
        {200, "{\"token\":\"t\",\"expires_in\":300.5}", "Authorization: Bearer t", 295500, 0, NULL},
        {200, "{\"token\":\"t\",\"expires_in\":10}", "Authorization: Bearer t", 5000, 0, NULL},
        {200, "{\"token\":\"t\",\"expires_in\":1}", "Authorization: Bearer t", 500, 0, NULL},
        {200, "{\"token\":\"t\",\"expires_in\":0}", "Authorization: Bearer t", 55000, 0, NULL},
        {200, "{\"token\":\"t\",\"expires_in\":-5}", "Authorization: Bearer t", 55000, 0, NULL},
        {200, "{\"token\":\"t\",\"expires_in\":1e300}", "Authorization: Bearer t",
         TOKEN_LONGEST_LIFE_MS - TOKEN_EARLY_MS, 0, NULL},
        {200, "{\"token\":\"t\",\"expires_in\":\"300\"}", "Authorization: Bearer t", 55000, 0,
         NULL},
        {200, "{\"token\":\"a\\r\\nX: y\"}", NULL, 0, ERROR_PROTOCOL,
         "characters that no token has"},
        {200, "{\"token\":\"a b\"}", NULL, 0, ERROR_PROTOCOL, "characters that no token has"},
        {200, "{\"token\":\"\\u00e4\"}", NULL, 0, ERROR_PROTOCOL, "characters that no token has"},
        {200, "{\"token\":7}", NULL, 0, ERROR_PROTOCOL, "200 without a token"},
        {200, "{}", NULL, 0, ERROR_PROTOCOL, "200 without a token"},
        {200, "[]", NULL, 0, ERROR_PROTOCOL, "200 without a token"},
        {200, "<html>", NULL, 0, ERROR_PROTOCOL, "200 without a token"},
        {200, "", NULL, 0, ERROR_PROTOCOL, "200 without a token"},
        {201, "{\"token\":\"t\"}", NULL, 0, ERROR_PROTOCOL, "201 without a token"},
        {302, "", NULL, 0, ERROR_PROTOCOL, "302 without a token"},
        {401, "{\"token\":\"t\"}", NULL, 0, ERROR_AUTH, "a.example.com refused with 401"},
        {403, "", NULL, 0, ERROR_AUTH, "refused with 403"},
        {429, "", NULL, 0, ERROR_RATE_LIMIT, "429, too many requests"},
        {500, "", NULL, 0, ERROR_NETWORK, "answered 500"},
        {503, "", NULL, 0, ERROR_NETWORK, "answered 503"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct token token;
        struct http_response response = {.status = rows[i].status};
        text_add(&response.body, rows[i].body);
        int result = token_read(&response, "a.example.com", &token, &err);
        ck_assert_msg((result == 0) == (rows[i].header != NULL), "row %zu: %s", i,
                      error_message(&err));
        ck_assert_msg(string_equal(token.header, rows[i].header) &&
                          token.life_ms == rows[i].life_ms,
                      "row %zu: %s, %lld", i, token.header, (long long)token.life_ms);
        if (result < 0)
            ck_assert_msg(err.kind == rows[i].kind &&
                              strstr(error_message(&err), rows[i].words) != NULL,
                          "row %zu: %s", i, error_message(&err));
        token_clear(&token);
        text_clear(&response.body);
        error_clear(&err);
    }
}
END_TEST

UNIT_MAIN("token", {
    tcase_add_test(cases, requests);
    tcase_add_test(cases, answers);
})
