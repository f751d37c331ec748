/* http_parts: what the files of the wrapper of libcurl share; nobody else includes it.
 *
 *     http.c           the loop: many transfers at once, timers, cancelling
 *     http_transfer.c  one request on its way: what libcurl is told of it, and what it tells
 *     http_url.c       addresses and dates
 */
#pragma once

#include <curl/curl.h>
#include <sys/queue.h>

#include "gate/base/http.h"

struct transfer {
    TAILQ_ENTRY(transfer) link;
    struct http_loop *loop;
    CURL *easy;
    struct curl_slist *headers;
    char curl_words[CURL_ERROR_SIZE];
    /* its strings are the transfer's own where curl does not copy them */
    struct http_request request;
    char *body;   /* copy of request.body */
    int64_t sent; /* bytes of the body */
    size_t header_bytes;
    int64_t
        heard_ms; /* monotonic: when something of the answer came last, or on_silence was asked */
    struct http_response response;
    struct error error; /* what a callback of ours refused with */
    http_done *on_done;
    void *context;
};

struct timer {
    TAILQ_ENTRY(timer) link;
    int64_t due_ms; /* monotonic */
    int (*on_time)(void *context, struct error *fatal);
    void *context;
};

struct http_loop {
    CURLM *multi;
    char user_agent[64];
    struct cancel *cancel;
    int64_t cancel_grace_ms, cancel_call_grace_ms;
    int (*tend)(void *context, struct error *err);
    void *tend_context;
    TAILQ_HEAD(, transfer) transfers;
    TAILQ_HEAD(, timer) timers;
};

/* Starts the request in the loop, which owns it then. NULL with *err set. */
struct transfer *http_transfer_start(struct http_loop *loop, const struct http_request *request,
                                     http_done *on_done, void *context,
                                     struct error *err) _must_check_;
void http_transfer_free(struct transfer *transfer); /* taken out of the loop's list before */

/* Fills the error and the failure of a transfer that ended with that code. What a callback of ours refused wins. */
void http_transfer_fail(struct transfer *transfer, CURLcode code);
