#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "gate/base/http.h"

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
