/* http: requests over TCP, TLS or a unix socket; the one wrapper of libcurl.
 *
 * A loop owns connections and runs requests: many at once for registries (http_loop_add … http_loop_run), or one at a
 * time for the engine (http_perform), where each thread has a loop of its own. Redirects are never followed here: the
 * caller decides what may go where. Nothing is retried here.
 *
 *     struct http_loop *loop = http_loop_new(&options, cancel, err);
 *     http_loop_add(loop, &request, on_done, context, err);     copies the request, starts it when there is room
 *     http_loop_run(loop, err);                                 until all are done; on_done may add more
 *     http_loop_free(loop);
 *
 * A request has ended well when there is no error: then the body came whole as its framing told, whatever the status. 404 is
 * an answer.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gate/base/cancel.h"
#include "gate/base/error.h"
#include "gate/base/text.h"

/* bytes: what a registry advises for the largest manifest */
#define HTTP_BODY_LIMIT_DEFAULT (4u << 20)
#define HTTP_HEADERS_LIMIT      (256u << 10) /* bytes of all headers of one answer */
#define HTTP_CONNECT_TIMEOUT_MS 10000        /* to connect, TLS included */

struct http_header {
    char *name;  /* as sent; compare without case */
    char *value; /* without white space around it */
};

struct http_headers {
    struct http_header *items;
    size_t count;
    size_t capacity;
};

/* Everything but the callbacks' contexts is copied by http_loop_add. */
struct http_request {
    const char *method;      /* "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH" */
    const char *url;         /* absolute; the host part is "localhost" for a unix socket */
    const char *unix_socket; /* path, or NULL */
    const char
        *abstract_socket;       /* the same without a path: its name in Linux' abstract namespace */
    const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
    const char *ca_file;        /* PEM; NULL is the system's */
    const char *cert_file; /* PEM of ours, where the other side asks who we are; NULL is none */
    const char *key_file;
    bool unverified; /* take any certificate of the other side */
    bool only_http1; /* for what tells the end of an answer by the framing of HTTP/1.1 */
    /* NULL is the environment's (http_proxy, https_proxy, no_proxy); "" is none */
    const char *proxy;

    const void *body;   /* or NULL */
    size_t body_length; /* bytes */
    int body_fd; /* used when body_from_fd; read with pread from 0, so several requests may share it */
    int64_t body_fd_size; /* bytes */
    bool body_from_fd;

    size_t body_limit; /* bytes of the answer that are kept or given to on_data; 0 is the default */
    int64_t timeout_ms;      /* for the whole request; 0 is none */
    int64_t idle_timeout_ms; /* without a byte in either direction; 0 is none */

    /* The answer's body as it comes, instead of collecting it. Only called for 2xx answers; others are collected. Returns
     * 0 to go on; -1 with *err set ends the request with that error. No limit applies but the caller's. */
    int (*on_data)(void *context, const char *bytes, size_t length, struct error *err);
    void *data_context;

    /* Asked, with data_context, when nothing of the answer has come for silence_ms, and again after each such time, to about
     * a second: whether to go on. 0: yes; -1 with *err set ends the request with that error. It may use other loops. */
    int (*on_silence)(void *context, struct error *err);
    int64_t silence_ms;
};

/* Why there is no answer, as far as a caller does something else about it; the error's message has the words. */
enum http_failure {
    HTTP_FAILURE_NONE,
    HTTP_FAILURE_RESOLVE, /* no such name */
    HTTP_FAILURE_CONNECT, /* refused, unreachable */
    HTTP_FAILURE_TLS,     /* the other side speaks no TLS, or none that we take */
    HTTP_FAILURE_CERTIFICATE, /* nobody whom we trust vouches for it, or for another host, or no longer */
    HTTP_FAILURE_CA_FILE,         /* ours cannot be read */
    HTTP_FAILURE_OWN_CERTIFICATE, /* ours, or its key, cannot be used */
    HTTP_FAILURE_TIMEOUT,         /* of the request */
    HTTP_FAILURE_OTHER            /* cut, nonsense, a limit */
};

struct http_response {
    long status;                 /* 0 when there was no answer */
    enum http_failure failure;   /* set beside an error */
    struct http_headers headers; /* of the final answer (not of 1xx) */
    struct text body;            /* empty when on_data took it */
};

struct http_options {
    size_t connections_per_host; /* 0 is 8 */
    size_t connections;          /* in all; 0 is 32 */
    const char *user_agent;      /* NULL is "pingate/VERSION" */
    /* After a cancel was requested, requests go on for so long: all of them together, and each one. 0: they end at once. */
    int64_t cancel_grace_ms, cancel_call_grace_ms;
    /* Called whenever connections may have been made, by the thread that runs the loop: for who accepts them himself. -1 with
     * *err set ends the loop with that error. */
    int (*tend)(void *context, struct error *err);
    void *tend_context;
};

struct http_loop;

/* Once, before the first thread. */
int http_global_init(struct error *err) _must_check_;

struct http_loop *http_loop_new(const struct http_options *options, struct cancel *cancel,
                                struct error *err) _must_check_;
void http_loop_free(struct http_loop *loop); /* aborts what runs, without calling on_done */

/* Called once for each request; err is NULL when there is a complete answer. Both are the loop's: copy or steal
 * response->body. Returns -1 with *fatal set to stop the whole loop. */
typedef int http_done(void *context, struct http_response *response, const struct error *err,
                      struct error *fatal);

int http_loop_add(struct http_loop *loop, const struct http_request *request, http_done *on_done,
                  void *context, struct error *err) _must_check_;

/* Calls `on_time` after delay_ms from inside http_loop_run (for retries); the loop is not done before. */
int http_loop_add_timer(struct http_loop *loop, int64_t delay_ms,
                        int (*on_time)(void *context, struct error *fatal), void *context,
                        struct error *err) _must_check_;

/* err: cancelled, or what a callback gave as fatal. */
int http_loop_run(struct http_loop *loop, struct error *err) _must_check_;

/* One request on a loop with nothing else in it. response is cleared by the caller (http_response_clear), also on -1.
 *   err  network, timeout, limit, cancelled, protocol, or what on_data gave */
int http_perform(struct http_loop *loop, const struct http_request *request,
                 struct http_response *response, struct error *err) _must_check_;

void http_response_clear(struct http_response *response);

/* The first header of that name, or NULL; without case. */
const char *http_header(const struct http_response *response, const char *name);

/* "a b/ä" -> "a%20b%2F%C3%A4"; for path segments and query values. NULL with *err set. */
char *http_escape(const char *text, struct error *err) _must_check_;

/* Resolves `relative` (as in Location or Link) against an absolute `base`. NULL with *err set. */
char *http_url_resolve(const char *base, const char *relative, struct error *err) _must_check_;

/* A date in headers ("Sun, 06 Nov 1994 08:49:37 GMT", and the older two forms), in ms since 1970; -1 when it is none. */
int64_t http_date_ms(const char *text);

/* Same scheme, host and port, default ports included; false when either cannot be parsed. */
bool http_same_origin(const char *a, const char *b);
