#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "gate/base/array.h"
#include "gate/base/clock.h"
#include "gate/base/http_parts.h"

void http_response_clear(struct http_response *response) {
    for (size_t i = 0; i < response->headers.count; i++) {
        free(response->headers.items[i].name);
        free(response->headers.items[i].value);
    }
    free(response->headers.items);
    text_clear(&response->body);
    *response = (struct http_response){0};
}

void http_transfer_free(struct transfer *transfer) {
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
    transfer->heard_ms = clock_monotonic_ms();
    transfer->header_bytes += length;
    if (transfer->header_bytes > HTTP_HEADERS_LIMIT) {
        error_set(&transfer->error, ERROR_LIMIT,
                  "the headers of the answer are larger than %u bytes", HTTP_HEADERS_LIMIT);
        return 0;
    }
    /* a new answer begins: 100 Continue went before it */
    if (length >= 5 && memcmp(bytes, "HTTP/", 5) == 0) {
        http_response_clear(&transfer->response);
        return length;
    }
    return keep_header(transfer, bytes, length) == 0 ? length : 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context) {
    struct transfer *transfer = context;
    size_t length = size * count;
    long status = 0;
    transfer->heard_ms = clock_monotonic_ms();
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

static void set_tls(CURL *easy, const struct http_request *request) {
    if (request->ca_file != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
    if (request->cert_file != NULL)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, request->cert_file);
    if (request->key_file != NULL)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, request->key_file);
    if (request->unverified) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
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
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     request->only_http1 ? (long)CURL_HTTP_VERSION_1_1
                                         : (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    /* The first connection tells whether the others are needed at all: HTTP/2 carries every request on one. */
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT,
                     (long)(!request->only_http1 && string_has_prefix(request->url, "https://")));
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
    set_tls(easy, request);
    if (request->timeout_ms > 0)
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    if (request->idle_timeout_ms > 0) { /* libcurl counts whole seconds */
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                         (long)(request->idle_timeout_ms + 999) / 1000);
    }
    return set_headers(transfer, request, err) < 0 || set_body(transfer, request, err) < 0 ? -1 : 0;
}

struct transfer *http_transfer_start(struct http_loop *loop, const struct http_request *request,
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
    transfer->heard_ms = clock_monotonic_ms();
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL)
        error_no_memory(err);
    if (transfer->easy == NULL || set_up(transfer, request, err) < 0) {
        http_transfer_free(transfer);
        return NULL;
    }
    if (curl_multi_add_handle(loop->multi, transfer->easy) != CURLM_OK) {
        error_set(err, ERROR_BUG, "libcurl takes no more requests");
        http_transfer_free(transfer);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&loop->transfers, transfer, link);
    return transfer;
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
    {CURLE_SSL_CERTPROBLEM, HTTP_FAILURE_OWN_CERTIFICATE, ERROR_IO},
};

static const struct failure *failure_of(CURLcode code) {
    static const struct failure other = {CURLE_OK, HTTP_FAILURE_OTHER, ERROR_NETWORK};
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (failures[i].code == code)
            return &failures[i];
    return &other;
}

void http_transfer_fail(struct transfer *transfer, CURLcode code) {
    transfer->response.failure = HTTP_FAILURE_OTHER;
    if (transfer->error.kind != ERROR_NONE)
        return;
    const char *words =
        transfer->curl_words[0] != '\0' ? transfer->curl_words : curl_easy_strerror(code);
    transfer->response.failure = failure_of(code)->failure;
    error_set(&transfer->error, failure_of(code)->kind, "%s", words);
}
