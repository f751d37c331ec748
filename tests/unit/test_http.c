#include "gate/base/http.h"

#include "gate/base/clock.h"
#include "tests/unit/answers.h"

#define OK(length) "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n"

static struct http_loop *new_loop(struct cancel *cancel) {
    struct error err = {0};
    unit_ok(http_global_init(&err), &err);
    struct http_loop *loop = http_loop_new(NULL, cancel, &err);
    ck_assert_ptr_nonnull(loop);
    return loop;
}

static const char *url_of(const struct answers *answers, const char *path) {
    static char url[256];
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", answers->port, path);
    return url;
}

START_TEST(answers_of_many_kinds) {
    static const struct {
        const char *method, *answer;
        enum error_kind kind; /* NONE: a complete answer */
        enum http_failure failure;
        long status;
        const char *body, *words;
    } rows[] = {
        {"GET", OK("2") "\r\nhi", ERROR_NONE, 0, 200, "hi", NULL},
        {"GET", "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", ERROR_NONE, 0, 404, "no", NULL},
        {"GET", "HTTP/1.1 307 Go\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", ERROR_NONE, 0, 307,
         "", NULL},
        {"HEAD", OK("9999") "\r\n", ERROR_NONE, 0, 200, "", NULL},
        {"GET", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end", ERROR_NONE, 0, 200,
         "to the end", NULL},
        {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
         ERROR_NONE, 0, 200, "hi", NULL},
        {"GET", "HTTP/1.1 100 Continue\r\nX: no\r\n\r\n" OK("2") "\r\nhi", ERROR_NONE, 0, 200, "hi",
         NULL},
        {"GET", "close", ERROR_NETWORK, HTTP_FAILURE_OTHER, 0, "", "Empty reply"},
        {"GET", OK("5") "Connection: close\r\n\r\nhi", ERROR_NETWORK, HTTP_FAILURE_OTHER, 200, "hi",
         "remaining"},
        {"GET",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nhi\r\n",
         ERROR_NETWORK, HTTP_FAILURE_OTHER, 200, "hi", ""},
        {"GET", OK("20") "\r\n01234567890123456789", ERROR_LIMIT, HTTP_FAILURE_OTHER, 200, NULL,
         "larger than 16 bytes"},
        {"GET", "silence", ERROR_TIMEOUT, HTTP_FAILURE_TIMEOUT, 0, "", "timed out"},
        {"GET", OK("5") "\r\nhi", ERROR_TIMEOUT, HTTP_FAILURE_TIMEOUT, 200, "hi", "timed out"},
        {"GET", "hello\r\n", ERROR_PROTOCOL, HTTP_FAILURE_OTHER, 0, "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct answers answers;
        struct http_response response;
        const char *const ready[] = {rows[i].answer, "silence", NULL};
        struct http_loop *loop = new_loop(NULL);
        answers_start(&answers, ready);
        struct http_request request = {.method = rows[i].method,
                                       .url = url_of(&answers, "/"),
                                       .body_limit = 16,
                                       .timeout_ms = rows[i].kind == ERROR_TIMEOUT ? 300 : 20000};
        int result = http_perform(loop, &request, &response, &err);
        ck_assert_msg(err.kind == rows[i].kind && (result == 0) == (rows[i].kind == ERROR_NONE),
                      "row %zu: %s", i, error_message(&err));
        ck_assert_msg(response.status == rows[i].status && response.failure == rows[i].failure,
                      "row %zu: %ld, %d", i, response.status, response.failure);
        if (rows[i].body != NULL)
            ck_assert_str_eq(text_string(&response.body), rows[i].body);
        if (result < 0)
            ck_assert_msg(strstr(error_message(&err), rows[i].words) != NULL, "row %zu: %s", i,
                          error_message(&err));
        ck_assert_ptr_null(http_header(&response, "X"));
        http_response_clear(&response);
        error_clear(&err);
        http_loop_free(loop);
        answers_stop(&answers);
    }
}
END_TEST

START_TEST(headers_both_ways) {
    static const char *const ready[] = {OK("0") "X-One:  a b \t\r\nx-two:\r\nX-One: second\r\n\r\n",
                                        NULL};
    struct error err = {0};
    struct answers answers;
    struct http_response response;
    struct http_loop *loop = new_loop(NULL);
    answers_start(&answers, ready);
    const char *const headers[] = {"Accept: this, that", "X-Mine: 1", NULL};
    struct http_request request = {
        .method = "GET", .url = url_of(&answers, "/a?b=c"), .headers = headers};
    unit_ok(http_perform(loop, &request, &response, &err), &err);
    ck_assert_str_eq(http_header(&response, "x-ONE"), "a b");
    ck_assert_str_eq(http_header(&response, "X-Two"), "");
    ck_assert_ptr_null(http_header(&response, "HTTP/1.1 200 OK"));
    answers_stop(&answers);
    ck_assert(strstr(answers.heads[0], "GET /a?b=c HTTP/1.1\r\n") == answers.heads[0]);
    ck_assert(strstr(answers.heads[0], "\r\nAccept: this, that\r\n") != NULL);
    ck_assert(strstr(answers.heads[0], "\r\nX-Mine: 1\r\n") != NULL);
    ck_assert(strstr(answers.heads[0], "\r\nUser-Agent: pingate/") != NULL);
    ck_assert_ptr_null(strstr(answers.heads[0], "Expect:"));
    http_response_clear(&response);
    http_loop_free(loop);
}
END_TEST

START_TEST(headers_have_a_limit) {
    struct error err = {0};
    struct answers answers;
    struct http_response response;
    struct text answer = {0};
    text_add(&answer, OK("0"));
    while (answer.length < HTTP_HEADERS_LIMIT + 1000)
        text_add(&answer, "X-Flood: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
    text_add(&answer, "\r\n");
    const char *const ready[] = {text_string(&answer), NULL};
    struct http_loop *loop = new_loop(NULL);
    answers_start(&answers, ready);
    struct http_request request = {.method = "GET", .url = url_of(&answers, "/")};
    unit_fails(http_perform(loop, &request, &response, &err), &err, ERROR_LIMIT, "headers");
    http_response_clear(&response);
    http_loop_free(loop);
    answers_stop(&answers);
    text_clear(&answer);
}
END_TEST

START_TEST(bodies_go_out) {
    static const char *const ready[] = {OK("0") "\r\n", OK("0") "\r\n", NULL};
    struct error err = {0};
    struct answers answers;
    struct http_response response;
    struct http_loop *loop = new_loop(NULL);
    answers_start(&answers, ready);
    struct http_request request = {
        .method = "POST", .url = url_of(&answers, "/"), .body = "a=b", .body_length = 3};
    unit_ok(http_perform(loop, &request, &response, &err), &err);
    http_response_clear(&response);
    answers_stop(&answers);
    ck_assert(strstr(answers.heads[0], "POST / HTTP/1.1\r\n") == answers.heads[0]);
    ck_assert(strstr(answers.heads[0], "\r\nContent-Length: 3\r\n") != NULL);
    http_loop_free(loop);
}
END_TEST

static int refuse_data(void *context, const char *bytes, size_t length, struct error *err) {
    size_t *seen = context;
    (void)bytes;
    *seen += length;
    return error_set(err, ERROR_ENGINE, "not this");
}

START_TEST(data_can_be_refused) {
    static const char *const ready[] = {OK("2") "\r\nhi",
                                        "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno", NULL};
    struct error err = {0};
    struct answers answers;
    struct http_response response;
    size_t seen = 0;
    struct http_loop *loop = new_loop(NULL);
    answers_start(&answers, ready);
    struct http_request request = {.method = "GET",
                                   .url = url_of(&answers, "/"),
                                   .on_data = refuse_data,
                                   .data_context = &seen};
    unit_fails(http_perform(loop, &request, &response, &err), &err, ERROR_ENGINE, "not this");
    ck_assert_uint_gt(seen, 0);
    http_response_clear(&response);
    seen = 0;
    unit_ok(http_perform(loop, &request, &response, &err), &err); /* 500: its words are kept */
    ck_assert_uint_eq(seen, 0);
    ck_assert_str_eq(text_string(&response.body), "no");
    http_response_clear(&response);
    http_loop_free(loop);
    answers_stop(&answers);
}
END_TEST

START_TEST(failures_to_connect) {
    static const struct {
        const char *url;
        enum error_kind kind;
        enum http_failure failure;
    } rows[] = {
        {"http://127.0.0.1:1/", ERROR_NETWORK, HTTP_FAILURE_CONNECT},
        {"https://127.0.0.1:1/", ERROR_NETWORK, HTTP_FAILURE_CONNECT},
        {"http://nowhere.invalid/", ERROR_NETWORK, HTTP_FAILURE_RESOLVE},
        {"ftp://127.0.0.1/", ERROR_PROTOCOL, HTTP_FAILURE_OTHER},
        {"file:///etc/passwd", ERROR_PROTOCOL, HTTP_FAILURE_OTHER},
        {"http://[", ERROR_PROTOCOL, HTTP_FAILURE_OTHER},
    };
    struct http_loop *loop = new_loop(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct http_response response;
        struct http_request request = {
            .method = "GET", .url = rows[i].url, .proxy = "", .timeout_ms = 20000};
        ck_assert_int_eq(http_perform(loop, &request, &response, &err), -1);
        ck_assert_msg(err.kind == rows[i].kind && response.failure == rows[i].failure,
                      "row %zu: %s: %s, %d", i, rows[i].url, error_message(&err), response.failure);
        http_response_clear(&response);
        error_clear(&err);
    }
    http_loop_free(loop);
}
END_TEST

struct counted {
    size_t done;
    struct http_loop *loop;
};

static int on_done(void *context, struct http_response *response, const struct error *why,
                   struct error *fatal) {
    struct counted *counted = context;
    (void)fatal;
    ck_assert_msg(why == NULL && response->status == 200, "%s", why ? error_message(why) : "");
    counted->done++;
    return 0;
}

START_TEST(many_on_one_connection) {
    static const char *const ready[] = {OK("0") "\r\n", OK("0") "\r\n", OK("0") "\r\n", NULL};
    struct error err = {0};
    struct answers answers;
    struct http_options options = {.connections_per_host = 1};
    struct http_loop *loop;
    unit_ok(http_global_init(&err), &err);
    loop = http_loop_new(&options, NULL, &err);
    answers_start(&answers, ready);
    struct counted counted = {.loop = loop};
    struct http_request request = {.method = "GET", .url = url_of(&answers, "/")};
    for (int i = 0; i < 3; i++)
        unit_ok(http_loop_add(loop, &request, on_done, &counted, &err), &err);
    unit_ok(http_loop_run(loop, &err), &err);
    ck_assert_uint_eq(counted.done, 3);
    answers_stop(&answers);
    ck_assert_uint_eq(answers.connections, 1);
    http_loop_free(loop);
}
END_TEST

static int on_time(void *context, struct error *fatal) {
    struct counted *counted = context;
    if (++counted->done < 3)
        return http_loop_add_timer(counted->loop, 1, on_time, counted, fatal);
    return 0;
}

static int on_time_stop(void *context, struct error *fatal) {
    (void)context;
    return error_set(fatal, ERROR_CONFLICT, "stop");
}

START_TEST(timers) {
    struct error err = {0};
    struct http_loop *loop = new_loop(NULL);
    struct counted counted = {.loop = loop};
    unit_ok(http_loop_add_timer(loop, 1, on_time, &counted, &err), &err);
    unit_ok(http_loop_run(loop, &err), &err);
    ck_assert_uint_eq(counted.done, 3);
    unit_ok(http_loop_add_timer(loop, 0, on_time_stop, NULL, &err), &err);
    unit_fails(http_loop_run(loop, &err), &err, ERROR_CONFLICT, "stop");
    http_loop_free(loop);
}
END_TEST

START_TEST(cancelled) {
    static const char *const ready[] = {"silence", NULL};
    struct error err = {0};
    struct answers answers;
    struct cancel cancel;
    struct http_response response;
    unit_ok(cancel_init(&cancel, &err), &err);
    struct http_loop *loop = new_loop(&cancel);
    answers_start(&answers, ready);
    cancel_request(&cancel, 0);
    struct http_request request = {.method = "GET", .url = url_of(&answers, "/")};
    unit_fails(http_perform(loop, &request, &response, &err), &err, ERROR_CANCELLED, "");
    http_response_clear(&response);
    http_loop_free(loop);
    answers_stop(&answers);
    cancel_clear(&cancel);
}
END_TEST

/* Goes on twice, then no more. */
static int on_silence(void *context, struct error *err) {
    size_t *asked = context;
    return ++*asked < 3 ? 0 : error_set(err, ERROR_CONFLICT, "long enough");
}

START_TEST(silence_can_end_it) {
    static const char *const ready[] = {"silence", NULL};
    struct error err = {0};
    struct answers answers;
    struct http_response response;
    size_t asked = 0;
    struct http_loop *loop = new_loop(NULL);
    answers_start(&answers, ready);
    struct http_request request = {.method = "GET",
                                   .url = url_of(&answers, "/"),
                                   .on_silence = on_silence,
                                   .silence_ms = 10,
                                   .data_context = &asked};
    unit_fails(http_perform(loop, &request, &response, &err), &err, ERROR_CONFLICT, "long enough");
    ck_assert_uint_eq(asked, 3);
    http_response_clear(&response);
    http_loop_free(loop);
    answers_stop(&answers);
}
END_TEST

START_TEST(addresses) {
    static const struct {
        const char *base, *relative, *whole; /* NULL: refused */
    } rows[] = {
        {"https://a.example/v2/x/tags/list?n=5", "/v2/x/tags/list?last=b",
         "https://a.example/v2/x/tags/list?last=b"},
        {"https://a.example/v2/x", "https://b.example:5000/y", "https://b.example:5000/y"},
        {"https://a.example/v2/x", "//b.example/y", "https://b.example/y"},
        {"https://a.example/v2/x", "y", "https://a.example/v2/y"},
        {"https://a.example/v2/x", "?last=b", "https://a.example/v2/x?last=b"},
        {"https://a.example/v2/x", "http://[", NULL},
        {"https://a.example/v2/x", "http://a b/", NULL},
        {"https://a.example/v2/x", "http://a.example:99999/", NULL},
        {"nonsense", "/x", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        char *whole = http_url_resolve(rows[i].base, rows[i].relative, &err);
        ck_assert_msg(string_equal(whole, rows[i].whole), "row %zu: %s", i, whole);
        ck_assert_int_eq(err.kind, rows[i].whole != NULL ? ERROR_NONE : ERROR_PROTOCOL);
        free(whole);
        error_clear(&err);
    }
}
END_TEST

START_TEST(origins) {
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"https://a.example/x", "https://a.example/y?z", true},
        {"https://a.example/", "https://A.Example:443/", true},
        {"http://a.example/", "http://a.example:80/", true},
        {"https://a.example/", "http://a.example/", false},
        {"https://a.example/", "http://a.example:443/", false},
        {"https://a.example/", "https://a.example:444/", false},
        {"https://a.example/", "https://b.example/", false},
        {"https://a.example/", "https://a.example.evil.org/", false},
        {"https://a.example/", "https://a.example@evil.org/", false},
        {"http://127.0.0.1:5000/", "http://127.0.0.1:5000/x", true},
        {"http://[::1]:5000/", "http://[::1]:5000/x", true},
        {"http://[::1]:5000/", "http://[::2]:5000/x", false},
        {"nonsense", "nonsense", false},
        {"", "", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(http_same_origin(rows[i].a, rows[i].b) == rows[i].same, "row %zu: %s %s", i,
                      rows[i].a, rows[i].b);
}
END_TEST

START_TEST(escapes_and_dates) {
    struct error err = {0};
    char *escaped = http_escape("a b/\xc3\xa4&=~", &err);
    ck_assert_str_eq(escaped, "a%20b%2F%C3%A4%26%3D~");
    free(escaped);
    ck_assert_int_eq(http_date_ms("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777000);
    ck_assert_int_eq(http_date_ms("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
    ck_assert_int_eq(http_date_ms("some day"), -1);
    ck_assert_int_eq(http_date_ms(""), -1);
}
END_TEST

UNIT_MAIN("http", {
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, answers_of_many_kinds);
    tcase_add_test(cases, headers_both_ways);
    tcase_add_test(cases, headers_have_a_limit);
    tcase_add_test(cases, bodies_go_out);
    tcase_add_test(cases, data_can_be_refused);
    tcase_add_test(cases, failures_to_connect);
    tcase_add_test(cases, many_on_one_connection);
    tcase_add_test(cases, timers);
    tcase_add_test(cases, cancelled);
    tcase_add_test(cases, silence_can_end_it);
    tcase_add_test(cases, addresses);
    tcase_add_test(cases, origins);
    tcase_add_test(cases, escapes_and_dates);
})
