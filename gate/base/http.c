#include "gate/base/http.h"

#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gate/base/clock.h"
#include "gate/base/http_parts.h"

#define CONNECTIONS_PER_HOST_DEFAULT 8
#define CONNECTIONS_DEFAULT          32
#define LONGEST_POLL_MS              1000 /* libcurl's own timers are kept at least this well */

int http_global_init(struct error *err) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return error_set(err, ERROR_BUG, "libcurl does not start");
    return 0;
}

struct http_loop *http_loop_new(const struct http_options *options, struct cancel *cancel,
                                struct error *err) {
    struct http_loop *loop = calloc(1, sizeof *loop);
    CURLM *multi = curl_multi_init();
    if (loop == NULL || multi == NULL) {
        free(loop);
        curl_multi_cleanup(multi);
        error_no_memory(err);
        return NULL;
    }
    size_t per_host = options != NULL && options->connections_per_host != 0
                          ? options->connections_per_host
                          : CONNECTIONS_PER_HOST_DEFAULT;
    size_t all =
        options != NULL && options->connections != 0 ? options->connections : CONNECTIONS_DEFAULT;
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)per_host);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)all);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    snprintf(loop->user_agent, sizeof loop->user_agent, "%s",
             options != NULL && options->user_agent != NULL ? options->user_agent
                                                            : "pingate/" PINGATE_VERSION);
    loop->multi = multi;
    loop->cancel = cancel;
    loop->cancel_grace_ms = options != NULL ? options->cancel_grace_ms : 0;
    loop->cancel_call_grace_ms = options != NULL ? options->cancel_call_grace_ms : 0;
    loop->tend = options != NULL ? options->tend : NULL;
    loop->tend_context = options != NULL ? options->tend_context : NULL;
    TAILQ_INIT(&loop->transfers);
    TAILQ_INIT(&loop->timers);
    return loop;
}

void http_loop_free(struct http_loop *loop) {
    if (loop == NULL)
        return;
    struct transfer *transfer;
    while ((transfer = TAILQ_FIRST(&loop->transfers)) != NULL) {
        TAILQ_REMOVE(&loop->transfers, transfer, link);
        http_transfer_free(transfer);
    }
    struct timer *timer;
    while ((timer = TAILQ_FIRST(&loop->timers)) != NULL) {
        TAILQ_REMOVE(&loop->timers, timer, link);
        free(timer);
    }
    curl_multi_cleanup(loop->multi);
    free(loop);
}

int http_loop_add(struct http_loop *loop, const struct http_request *request, http_done *on_done,
                  void *context, struct error *err) {
    return http_transfer_start(loop, request, on_done, context, err) != NULL ? 0 : -1;
}

int http_loop_add_timer(struct http_loop *loop, int64_t delay_ms,
                        int (*on_time)(void *context, struct error *fatal), void *context,
                        struct error *err) {
    struct timer *timer = malloc(sizeof *timer);
    if (timer == NULL)
        return error_no_memory(err);
    *timer = (struct timer){
        .due_ms = clock_monotonic_ms() + delay_ms, .on_time = on_time, .context = context};
    TAILQ_INSERT_TAIL(&loop->timers, timer, link);
    return 0;
}

static int finish(struct http_loop *loop, struct transfer *transfer, CURLcode code,
                  struct error *fatal) {
    TAILQ_REMOVE(&loop->transfers, transfer, link);
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &transfer->response.status);
    const struct error *error = NULL;
    if (code != CURLE_OK) {
        http_transfer_fail(transfer, code);
        error = &transfer->error;
    }
    int result = transfer->on_done(transfer->context, &transfer->response, error, fatal);
    http_transfer_free(transfer);
    return result;
}

static int read_messages(struct http_loop *loop, struct error *fatal) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(loop->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        struct transfer *transfer = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        if (finish(loop, transfer, message->data.result, fatal) < 0)
            return -1;
    }
    return 0;
}

/* Asks those who wait for a silent answer whether to go on. */
static int ask_the_silent(struct http_loop *loop, struct error *fatal) {
    struct transfer *next;
    for (struct transfer *transfer = TAILQ_FIRST(&loop->transfers); transfer != NULL;
         transfer = next) {
        const struct http_request *request = &transfer->request;
        next = TAILQ_NEXT(transfer, link);
        if (request->on_silence == NULL ||
            clock_monotonic_ms() - transfer->heard_ms < request->silence_ms)
            continue;
        int result = request->on_silence(request->data_context, &transfer->error);
        transfer->heard_ms = clock_monotonic_ms();
        if (result < 0 && finish(loop, transfer, CURLE_ABORTED_BY_CALLBACK, fatal) < 0)
            return -1;
    }
    return 0;
}

/* Runs the timers that are due; *wait_ms becomes the time to the next. */
static int run_timers(struct http_loop *loop, int *wait_ms, struct error *fatal) {
    struct timer *timer = TAILQ_FIRST(&loop->timers);
    while (timer != NULL) {
        struct timer *next = TAILQ_NEXT(timer, link);
        int64_t left = timer->due_ms - clock_monotonic_ms();
        if (left > 0) {
            *wait_ms = left < *wait_ms ? (int)left : *wait_ms;
            timer = next;
            continue;
        }
        TAILQ_REMOVE(&loop->timers, timer, link);
        struct timer due = *timer;
        free(timer);
        if (due.on_time(due.context, fatal) < 0)
            return -1;
        *wait_ms = 0;
        timer = next;
    }
    return 0;
}

/* Ends the loop when it is cancelled and its grace is over. *watch: whether the cancel's descriptor still tells something
 * new; once it is readable it stays so, and a poll with it would not sleep. */
static int obey_cancel(const struct http_loop *loop, int64_t began_ms, bool *watch, int *wait_ms,
                       struct error *err) {
    *watch = cancel_fd(loop->cancel) >= 0;
    if (!cancel_requested(loop->cancel))
        return 0;
    int64_t requested_ms = loop->cancel->requested_ms;
    int64_t all_ms = requested_ms + loop->cancel_grace_ms;
    int64_t call_ms =
        (began_ms > requested_ms ? began_ms : requested_ms) + loop->cancel_call_grace_ms;
    int64_t left_ms = (all_ms < call_ms ? all_ms : call_ms) - clock_monotonic_ms();
    if (loop->cancel_grace_ms == 0 || left_ms <= 0)
        return cancel_check(loop->cancel, err);
    *watch = false;
    *wait_ms = left_ms < *wait_ms ? (int)left_ms : *wait_ms;
    return 0;
}

int http_loop_run(struct http_loop *loop, struct error *err) {
    struct curl_waitfd stop = {.fd = cancel_fd(loop->cancel), .events = CURL_WAIT_POLLIN};
    int64_t began_ms = clock_monotonic_ms();
    while (!TAILQ_EMPTY(&loop->transfers) || !TAILQ_EMPTY(&loop->timers)) {
        int wait_ms = LONGEST_POLL_MS;
        bool watch;
        if (obey_cancel(loop, began_ms, &watch, &wait_ms, err) < 0)
            return -1;
        int running;
        if (curl_multi_perform(loop->multi, &running) != CURLM_OK)
            return error_set(err, ERROR_BUG, "libcurl's loop failed");
        if (loop->tend != NULL && loop->tend(loop->tend_context, err) < 0)
            return -1;
        if (read_messages(loop, err) < 0 || ask_the_silent(loop, err) < 0)
            return -1;
        if (run_timers(loop, &wait_ms, err) < 0)
            return -1;
        if (TAILQ_EMPTY(&loop->transfers) && TAILQ_EMPTY(&loop->timers))
            break;
        curl_multi_poll(loop->multi, watch ? &stop : NULL, watch ? 1 : 0, wait_ms, NULL);
    }
    return 0;
}

struct one {
    struct http_response *response;
    bool done;
};

static int on_one(void *context, struct http_response *response, const struct error *err,
                  struct error *fatal) {
    struct one *one = context;
    *one->response = *response;
    *response = (struct http_response){0};
    one->done = true;
    if (err == NULL)
        return 0;
    return error_set(fatal, err->kind, "%s", error_message(err));
}

int http_perform(struct http_loop *loop, const struct http_request *request,
                 struct http_response *response, struct error *err) {
    *response = (struct http_response){0};
    struct one one = {.response = response};
    struct transfer *transfer = http_transfer_start(loop, request, on_one, &one, err);
    if (transfer == NULL)
        return -1;
    int result = http_loop_run(loop, err);
    if (!one.done) { /* cancelled: the transfer is still there, and its callback must not be called later */
        TAILQ_REMOVE(&loop->transfers, transfer, link);
        http_transfer_free(transfer);
    }
    return result;
}

const char *http_header(const struct http_response *response, const char *name) {
    for (size_t i = 0; i < response->headers.count; i++)
        if (strcasecmp(response->headers.items[i].name, name) == 0)
            return response->headers.items[i].value;
    return NULL;
}
