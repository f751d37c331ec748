#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/json_read.h"
#include "gate/registry/question.h"

#define WORDS_LIMIT      200         /* bytes of what a registry says itself */
#define WORDS_BODY_LIMIT (64u << 10) /* bytes of an answer in which its words are looked for */

int answer_error(struct question *question, const struct error *why, struct error *fatal) {
    struct error full = {0};
    const char *tag = question->name.tag;
    error_set(&full, why->kind, "%s%s%s: %s", question->name.image, tag != NULL ? ":" : "",
              tag != NULL ? tag : "", error_message(why));
    question_take(question);
    int result = 0;
    switch (question->kind) {
    case ASK_DIGEST:
        result = question->on_digest(question->context, NULL, &full, fatal);
        break;
    case ASK_TAGS:
        result = question->on_tags(question->context, NULL, &full, fatal);
        break;
    case ASK_BLOBS:
        result = question->on_blobs != NULL
                     ? question->on_blobs(question->context, NULL, &full, fatal)
                     : question->on_digest(question->context, NULL, &full, fatal);
        break;
    case ASK_CONFIG:
        result = question->on_config(question->context, NULL, NULL, &full, fatal);
        break;
    }
    error_clear(&full);
    return question_end(question, result, fatal);
}

int answer_words(struct question *question, struct error *fatal, enum error_kind kind,
                 const char *format, ...) {
    char buffer[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer, sizeof buffer, format, arguments);
    va_end(arguments);
    struct error why = {0};
    error_set(&why, kind, "%s", buffer);
    int result = answer_error(question, &why, fatal);
    error_clear(&why);
    return result;
}

/* The registry's own words for an error, "" where there are none. */
static void error_words(const struct text *body, char *out, size_t size) {
    out[0] = '\0';
    if (body->length > WORDS_BODY_LIMIT) /* a tree of it would be fifty times as large */
        return;
    json_auto_t *root = NULL;
    struct error why = {0};
    if (json_read(text_string(body), body->length, 0, &root, NULL, &why) < 0)
        error_clear(&why);
    const json_t *first = json_array_get(json_object_get(root, "errors"), 0);
    const char *message = json_string_value(json_object_get(first, "message"));
    if (message != NULL)
        snprintf(out, size, " (\"%.*s\")", WORDS_LIMIT, message);
}

/* Who answered: the registry's host, or where a redirect led. */
static void answering_host(const struct question *question, char *out, size_t size) {
    if (!question->elsewhere || !auth_host(question->url, out, size))
        snprintf(out, size, "%s", reference_api_host(question->name.domain));
}

static int answer_not_found(struct question *question, const char *host, const char *words,
                            struct error *fatal) {
    if (question->kind == ASK_TAGS)
        return answer_words(question, fatal, ERROR_NOT_FOUND,
                            "%s knows no such repository%s; check its name", host, words);
    if (question->blobs.count > 0)
        return answer_words(question, fatal, ERROR_NOT_FOUND, "%s has no configuration %s%s", host,
                            question->blobs.items[0].digest, words);
    if (question->kind == ASK_BLOBS || question->kind == ASK_CONFIG)
        return answer_words(question, fatal, ERROR_NOT_FOUND, "%s has no manifest %s%s", host,
                            question->name.digest, words);
    return answer_words(question, fatal, ERROR_NOT_FOUND,
                        "%s has no such tag or repository%s; check the name, or hold the pin", host,
                        words);
}

static int answer_refusal(struct question *question, const char *host, long status,
                          const char *words, struct error *fatal) {
    if (question->elsewhere)
        return answer_words(question, fatal, ERROR_AUTH,
                            "the registry redirects to %s, which refused with %ld%s; credentials "
                            "are never sent there",
                            host, status, words);
    const char *refusal = question->grant->refusal;
    if (refusal != NULL)
        return answer_words(question, fatal, ERROR_AUTH, "%s refused with %ld%s; %s", host, status,
                            words, refusal);
    return answer_words(question, fatal, ERROR_AUTH,
                        "%s refused with %ld%s; log in with `docker login %s`, or check that the "
                        "account may pull it",
                        host, status, words, question->name.domain);
}

static int answer_rate_limit(struct question *question, const char *host, const char *words,
                             struct error *fatal) {
    char wanted[32];
    char allowed[32];
    int64_t pause_ms = question->asked_pause_ms;
    clock_duration_words(question->host->timeout_ms, allowed, sizeof allowed);
    if (pause_ms == INT64_MAX)
        snprintf(wanted, sizeof wanted, "for ever");
    else
        clock_duration_words(pause_ms, wanted, sizeof wanted);
    if (pause_ms > 0 && clock_monotonic_ms() + (pause_ms < INT32_MAX ? pause_ms : INT32_MAX) >=
                            question->deadline_ms)
        return answer_words(question, fatal, ERROR_RATE_LIMIT,
                            "%s answered 429, too many requests%s, and wants us to wait %s, longer "
                            "than is left of the "
                            "%s for this look-up; log in for a higher limit, or try later",
                            host, words, wanted, allowed);
    return answer_words(question, fatal, ERROR_RATE_LIMIT,
                        "%s answered 429, too many requests%s, %u times; log in for a higher "
                        "limit, or try later",
                        host, words, question->tries);
}

int answer_pause(struct question *question, struct error *fatal) {
    return answer_words(question, fatal, ERROR_RATE_LIMIT,
                        "%s told us to wait for longer than this look-up may take; log in for a "
                        "higher limit, or try later",
                        reference_api_host(question->name.domain));
}

int answer_status(struct question *question, const struct http_response *response,
                  struct error *fatal) {
    char words[WORDS_LIMIT + 8];
    char host[REFERENCE_NAME_LIMIT + 1];
    long status = response->status;
    error_words(&response->body, words, sizeof words);
    answering_host(question, host, sizeof host);
    if (status == 404)
        return answer_not_found(question, host, words, fatal);
    if (status == 401 || status == 403)
        return answer_refusal(question, host, status, words, fatal);
    if (status == 429)
        return answer_rate_limit(question, host, words, fatal);
    if (status == 408 || status >= 500)
        return answer_words(question, fatal, ERROR_NETWORK,
                            "%s answered %ld%s, %u times; try later", host, status, words,
                            question->tries);
    return answer_words(question, fatal, ERROR_PROTOCOL,
                        "%s answered %ld%s, which makes no sense here; is this a registry?", host,
                        status, words);
}

/* What the user can do about it. */
static const char *advice(const struct question *question, enum http_failure failure) {
    switch (failure) {
    case HTTP_FAILURE_RESOLVE:
        return "check the name, and whether this machine can resolve it";
    case HTTP_FAILURE_CONNECT:
        return "check that it runs, the network, and the proxy";
    case HTTP_FAILURE_TLS:
        return "if it speaks plain HTTP, say so in pingate.yaml: registries: HOST: {plain_http: "
               "true}";
    case HTTP_FAILURE_CERTIFICATE:
        return "if it has a certificate authority of its own, name it in pingate.yaml: registries: "
               "HOST: {ca: FILE}";
    case HTTP_FAILURE_CA_FILE:
        return "check the file that `ca` names in pingate.yaml";
    case HTTP_FAILURE_TIMEOUT:
        return "try later, or give it more time in pingate.yaml: registries: HOST: {timeout: 5m}";
    case HTTP_FAILURE_OWN_CERTIFICATE: /* registries are shown none */
    case HTTP_FAILURE_NONE:
    case HTTP_FAILURE_OTHER:
        break;
    }
    return question->tries > 1 ? "try later" : "is this a registry?";
}

int answer_failure(struct question *question, const struct http_response *response,
                   const struct error *failed, struct error *fatal) {
    struct host *host = question->host;
    char name[REFERENCE_NAME_LIMIT + 1];
    char tries[32] = "";
    answering_host(question, name, sizeof name);
    if (question->tries > 1)
        snprintf(tries, sizeof tries, ", %u times", question->tries);
    if (!question->elsewhere && error_worth_retry(failed->kind) &&
        host->last_answer_ms < question->deadline_ms - host->timeout_ms)
        host->silent = true;
    return answer_words(question, fatal, failed->kind, "%s: %s%s; %s", name, error_message(failed),
                        tries, advice(question, response->failure));
}

int answer_digest(struct question *question, const struct http_response *response,
                  const char *digest, enum manifest_kind kind, struct error *fatal) {
    const char *type = http_header(response, "content-type");
    const char *length = http_header(response, "content-length");
    struct registry_digest answer = {
        .kind = kind, .media_type = (char *)(type != NULL ? type : ""), .size_bytes = -1};
    memcpy(answer.digest, digest, DIGEST_SIZE);
    if (strcmp(question->method, "GET") == 0)
        answer.size_bytes = (int64_t)response->body.length;
    else if (length != NULL)
        answer.size_bytes = strtoll(length, NULL, 10);
    question_take(question);
    return question_end(question, question->on_digest(question->context, &answer, NULL, fatal),
                        fatal);
}

int answer_tags(struct question *question, struct error *fatal) {
    question_take(question);
    return question_end(question,
                        question->on_tags(question->context, &question->tags, NULL, fatal), fatal);
}

int answer_blobs(struct question *question, const struct blob_list *blobs, struct error *fatal) {
    question_take(question);
    return question_end(question, question->on_blobs(question->context, blobs, NULL, fatal), fatal);
}

int answer_child(struct question *question, const char *digest, struct error *fatal) {
    struct registry_digest answer = {
        .kind = MANIFEST_IMAGE, .media_type = (char *)"", .size_bytes = -1};
    memcpy(answer.digest, digest, DIGEST_SIZE);
    question_take(question);
    return question_end(question, question->on_digest(question->context, &answer, NULL, fatal),
                        fatal);
}

int answer_config(struct question *question, const struct text *config, struct error *fatal) {
    question_take(question);
    int result = question->on_config(question->context, &question->blobs, config, NULL, fatal);
    return question_end(question, result, fatal);
}
