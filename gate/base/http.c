#include "gate/base/http.h"

#include <config.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "gate/base/array.h"
#include "gate/base/clock.h"

#define CONNECTIONS_PER_HOST_DEFAULT 8
#define CONNECTIONS_DEFAULT          32
#define LONGEST_POLL_MS              1000 /* libcurl's own timers are kept at least this well */

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
    TAILQ_HEAD(, transfer) transfers;
    TAILQ_HEAD(, timer) timers;
};

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
    TAILQ_INIT(&loop->transfers);
    TAILQ_INIT(&loop->timers);
    return loop;
}

void http_response_clear(struct http_response *response) {
    for (size_t i = 0; i < response->headers.count; i++) {
        free(response->headers.items[i].name);
        free(response->headers.items[i].value);
    }
    free(response->headers.items);
    text_clear(&response->body);
    *response = (struct http_response){0};
}

static void transfer_free(struct transfer *transfer) {
    if (transfer == NULL)
        return;
    if (transfer->easy != NULL) {
        curl_multi_remove_handle(transfer->loop->multi, transfer->easy);
        curl_easy_cleanup(transfer->easy);
    }
    curl_slist_free_all(transfer->headers);
    http_response_clear(&transfer->response);
    error_clear(&transfer->error);
    free(transfer->body);
    free(transfer);
}

void http_loop_free(struct http_loop *loop) {
    if (loop == NULL)
        return;
    struct transfer *transfer;
    while ((transfer = TAILQ_FIRST(&loop->transfers)) != NULL) {
        TAILQ_REMOVE(&loop->transfers, transfer, link);
        transfer_free(transfer);
    }
    struct timer *timer;
    while ((timer = TAILQ_FIRST(&loop->timers)) != NULL) {
        TAILQ_REMOVE(&loop->timers, timer, link);
        free(timer);
    }
    curl_multi_cleanup(loop->multi);
    free(loop);
}

void http_loop_freep(struct http_loop **loop) {
    http_loop_free(*loop);
}

/* libcurl's callbacks. What they refuse is kept in transfer->error, which wins over libcurl's own word. */

static int keep_header(struct transfer *transfer, const char *line, size_t length) {
    const char *colon = memchr(line, ':', length);
    if (colon == NULL)
        return 0;
    const char *value = colon + 1;
    const char *end = line + length;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ' || end[-1] == '\t'))
        end--;
    struct http_header *header = array_add(&transfer->response.headers, &transfer->error);
    if (header == NULL)
        return -1;
    header->name = string_dup_length(line, (size_t)(colon - line), &transfer->error);
    header->value = string_dup_length(value, (size_t)(end - value), &transfer->error);
    return header->name != NULL && header->value != NULL ? 0 : -1;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context) {
    struct transfer *transfer = context;
    size_t length = size * count;
    transfer->header_bytes += length;
    if (transfer->header_bytes > HTTP_HEADERS_LIMIT) {
        error_set(&transfer->error, ERROR_LIMIT,
                  "the headers of the answer are larger than %u bytes", HTTP_HEADERS_LIMIT);
        return 0;
    }
    if (length >= 5 &&
        memcmp(bytes, "HTTP/", 5) == 0) { /* a new answer begins: 100 Continue went before it */
        http_response_clear(&transfer->response);
        return length;
    }
    return keep_header(transfer, bytes, length) == 0 ? length : 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context) {
    struct transfer *transfer = context;
    size_t length = size * count;
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (transfer->request.on_data != NULL && status >= 200 && status < 300)
        return transfer->request.on_data(transfer->request.data_context, bytes, length,
                                         &transfer->error) == 0
                   ? length
                   : 0;
    struct text *body = &transfer->response.body;
    body->ceiling =
        transfer->request.body_limit != 0 ? transfer->request.body_limit : HTTP_BODY_LIMIT_DEFAULT;
    text_append(body, bytes, length);
    if (body->failed == ERROR_NONE)
        return length;
    if (body->failed == ERROR_LIMIT)
        error_set(&transfer->error, ERROR_LIMIT, "the answer is larger than %zu bytes",
                  body->ceiling);
    else
        error_no_memory(&transfer->error);
    return 0;
}

static size_t on_read(char *bytes, size_t size, size_t count, void *context) {
    struct transfer *transfer = context;
    size_t room = size * count;
    if (!transfer->request.body_from_fd) {
        size_t left = transfer->request.body_length - (size_t)transfer->sent;
        size_t part = left < room ? left : room;
        if (part > 0)
            memcpy(bytes, transfer->body + transfer->sent, part);
        transfer->sent += (int64_t)part;
        return part;
    }
    ssize_t got = pread(transfer->request.body_fd, bytes, room, transfer->sent);
    if (got < 0) {
        error_set_errno(&transfer->error, "read what is sent");
        return CURL_READFUNC_ABORT;
    }
    transfer->sent += got;
    return (size_t)got;
}

static int on_seek(void *context, curl_off_t offset, int origin) {
    struct transfer *transfer = context;
    if (origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    transfer->sent = offset;
    return CURL_SEEKFUNC_OK;
}

static int set_headers(struct transfer *transfer, const struct http_request *request,
                       struct error *err) {
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    for (const char *const *header = request->headers;
         list != NULL && header != NULL && *header != NULL; header++) {
        struct curl_slist *longer = curl_slist_append(list, *header);
        if (longer == NULL)
            curl_slist_free_all(list);
        list = longer;
    }
    if (list == NULL)
        return error_no_memory(err);
    transfer->headers = list;
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, list);
    return 0;
}

static int set_body(struct transfer *transfer, const struct http_request *request,
                    struct error *err) {
    CURL *easy = transfer->easy;
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    bool has_body = request->body != NULL || request->body_from_fd;
    if (!has_body && strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
    }
    if (has_body) {
        if (request->body != NULL) {
            transfer->body = string_dup_length(request->body, request->body_length, err);
            if (transfer->body == NULL)
                return -1;
        }
        int64_t size =
            request->body_from_fd ? request->body_fd_size : (int64_t)request->body_length;
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
    }
    if (strcmp(request->method, "HEAD") != 0 && strcmp(request->method, "GET") != 0)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    return 0;
}

static int set_up(struct transfer *transfer, const struct http_request *request,
                  struct error *err) {
    CURL *easy = transfer->easy;
    if (curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK)
        return error_no_memory(err);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->curl_words);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, transfer->loop->user_agent);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    /* The first connection tells whether the others are needed at all: HTTP/2 carries every request on one. */
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, (long)string_has_prefix(request->url, "https://"));
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    if (request->unix_socket != NULL) {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    } else if (request->proxy != NULL) {
        curl_easy_setopt(easy, CURLOPT_PROXY, request->proxy);
    }
    if (request->ca_file != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
    if (request->timeout_ms > 0)
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    if (request->idle_timeout_ms > 0) { /* libcurl counts whole seconds */
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                         (long)(request->idle_timeout_ms + 999) / 1000);
    }
    return set_headers(transfer, request, err) < 0 || set_body(transfer, request, err) < 0 ? -1 : 0;
}

static struct transfer *transfer_start(struct http_loop *loop, const struct http_request *request,
                                       http_done *on_done, void *context, struct error *err) {
    struct transfer *transfer = calloc(1, sizeof *transfer);
    if (transfer == NULL) {
        error_no_memory(err);
        return NULL;
    }
    transfer->loop = loop;
    transfer->on_done = on_done;
    transfer->context = context;
    transfer->request = *request;
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL)
        error_no_memory(err);
    if (transfer->easy == NULL || set_up(transfer, request, err) < 0) {
        transfer_free(transfer);
        return NULL;
    }
    if (curl_multi_add_handle(loop->multi, transfer->easy) != CURLM_OK) {
        error_set(err, ERROR_BUG, "libcurl takes no more requests");
        transfer_free(transfer);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&loop->transfers, transfer, link);
    return transfer;
}

int http_loop_add(struct http_loop *loop, const struct http_request *request, http_done *on_done,
                  void *context, struct error *err) {
    return transfer_start(loop, request, on_done, context, err) != NULL ? 0 : -1;
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

static const struct failure {
    CURLcode code;
    enum http_failure failure;
    enum error_kind kind;
} failures[] = {
    {CURLE_OPERATION_TIMEDOUT, HTTP_FAILURE_TIMEOUT, ERROR_TIMEOUT},
    {CURLE_OUT_OF_MEMORY, HTTP_FAILURE_OTHER, ERROR_NO_MEMORY},
    {CURLE_URL_MALFORMAT, HTTP_FAILURE_OTHER, ERROR_PROTOCOL},
    {CURLE_UNSUPPORTED_PROTOCOL, HTTP_FAILURE_OTHER, ERROR_PROTOCOL},
    {CURLE_WEIRD_SERVER_REPLY, HTTP_FAILURE_OTHER, ERROR_PROTOCOL},
    {CURLE_COULDNT_RESOLVE_HOST, HTTP_FAILURE_RESOLVE, ERROR_NETWORK},
    {CURLE_COULDNT_RESOLVE_PROXY, HTTP_FAILURE_RESOLVE, ERROR_NETWORK},
    {CURLE_COULDNT_CONNECT, HTTP_FAILURE_CONNECT, ERROR_NETWORK},
    {CURLE_SSL_CONNECT_ERROR, HTTP_FAILURE_TLS, ERROR_NETWORK},
    {CURLE_PEER_FAILED_VERIFICATION, HTTP_FAILURE_CERTIFICATE, ERROR_PROTOCOL},
    {CURLE_SSL_CACERT_BADFILE, HTTP_FAILURE_CA_FILE, ERROR_IO},
};

static const struct failure *failure_of(CURLcode code) {
    static const struct failure other = {CURLE_OK, HTTP_FAILURE_OTHER, ERROR_NETWORK};
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (failures[i].code == code)
            return &failures[i];
    return &other;
}

static int finish(struct http_loop *loop, struct transfer *transfer, CURLcode code,
                  struct error *fatal) {
    TAILQ_REMOVE(&loop->transfers, transfer, link);
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &transfer->response.status);
    transfer->response.complete = code == CURLE_OK;
    const struct error *error = NULL;
    if (code != CURLE_OK) {
        transfer->response.failure = HTTP_FAILURE_OTHER;
        if (transfer->error.kind == ERROR_NONE) {
            const char *words =
                transfer->curl_words[0] != '\0' ? transfer->curl_words : curl_easy_strerror(code);
            transfer->response.failure = failure_of(code)->failure;
            error_set(&transfer->error, failure_of(code)->kind, "%s", words);
        }
        error = &transfer->error;
    }
    int result = transfer->on_done(transfer->context, &transfer->response, error, fatal);
    transfer_free(transfer);
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
        if (read_messages(loop, err) < 0)
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
    struct transfer *transfer = transfer_start(loop, request, on_one, &one, err);
    if (transfer == NULL)
        return -1;
    int result = http_loop_run(loop, err);
    if (!one.done) { /* cancelled: the transfer is still there, and its callback must not be called later */
        TAILQ_REMOVE(&loop->transfers, transfer, link);
        transfer_free(transfer);
    }
    return result;
}

const char *http_header(const struct http_response *response, const char *name) {
    for (size_t i = 0; i < response->headers.count; i++)
        if (strcasecmp(response->headers.items[i].name, name) == 0)
            return response->headers.items[i].value;
    return NULL;
}

char *http_escape(const char *text, struct error *err) {
    char *escaped = curl_easy_escape(NULL, text, (int)strlen(text));
    char *copy = escaped != NULL ? string_dup(escaped, err) : NULL;
    if (escaped == NULL)
        error_no_memory(err);
    curl_free(escaped);
    return copy;
}

char *http_url_resolve(const char *base, const char *relative, struct error *err) {
    CURLU *url = curl_url();
    char *whole = NULL;
    char *copy = NULL;
    if (url == NULL) {
        error_no_memory(err);
    } else if (curl_url_set(url, CURLUPART_URL, base, 0) != CURLUE_OK ||
               curl_url_set(url, CURLUPART_URL, relative, 0) != CURLUE_OK ||
               curl_url_get(url, CURLUPART_URL, &whole, 0) != CURLUE_OK) {
        error_set(err, ERROR_PROTOCOL, "\"%.200s\" is no address", relative);
    } else {
        copy = string_dup(whole, err);
    }
    curl_free(whole);
    curl_url_cleanup(url);
    return copy;
}

int64_t http_date_ms(const char *text) {
    time_t seconds = curl_getdate(text, NULL);
    return seconds >= 0 ? (int64_t)seconds * 1000 : -1;
}

static bool origin_of(const char *text, char *out, size_t size) {
    CURLU *url = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    bool found = url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
                 curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                 curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                 curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                 snprintf(out, size, "%s://%s:%s", scheme, host, port) < (int)size;
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return found;
}

bool http_same_origin(const char *a, const char *b) {
    char first[512];
    char second[512];
    return origin_of(a, first, sizeof first) && origin_of(b, second, sizeof second) &&
           strcasecmp(first, second) == 0;
}
