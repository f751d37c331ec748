#include "gate/registry/registry.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "gate/base/base64.h"
#include "gate/base/clock.h"
#include "gate/base/http.h"
#include "gate/base/trace.h"
#include "gate/registry/auth.h"
#include "gate/registry/manifest.h"

#define TRIES_LIMIT        5   /* of one request, for what may pass: network, 429, 5xx */
#define FIRST_DELAY_MS     500 /* before the second try; doubles */
#define LONGEST_DELAY_MS   10000
#define REDIRECTS_LIMIT    3
#define TAG_BODY_LIMIT     (16u << 20) /* bytes of one page of tags */
#define TOKEN_BODY_LIMIT   (64u << 10) /* bytes of a token server's answer */
#define REQUEST_TIMEOUT_MS 20000       /* one request without an answer is tried again */

/* An Authorization header that a registry takes for one repository. */
struct grant {
    TAILQ_ENTRY(grant) link;
    char *key;    /* domain and path */
    char *header; /* "Authorization: …"; NULL while none is known */
    bool pending; /* a token is being asked for; questions wait for it */
};

enum question_kind { ASK_DIGEST, ASK_TAGS };

struct question {
    TAILQ_ENTRY(question) link;
    struct registry *registry;
    enum question_kind kind;
    struct reference name;
    char *url;          /* of the request under way */
    const char *method; /* "HEAD" or "GET" */
    struct grant *grant;
    bool waiting;     /* for its grant's token */
    bool sent_header; /* the request under way carried the grant's header */
    bool elsewhere;   /* a redirect led to another address: no credentials there */
    unsigned int tries, redirects, refusals;
    int64_t deadline_ms; /* monotonic */
    struct string_list tags, pages;
    registry_on_digest *on_digest;
    registry_on_tags *on_tags;
    void *context;
};

struct registry {
    struct registry_options options;
    struct http_loop *loop;
    TAILQ_HEAD(, grant) grants;
    TAILQ_HEAD(, question) questions;
    struct registry_counts counts;
};

static int send_question(struct question *question, struct error *err);

static void question_free(struct question *question) {
    reference_clear(&question->name);
    string_list_clear(&question->tags);
    string_list_clear(&question->pages);
    free(question->url);
    free(question);
}

static const struct registry_host *host_settings(const struct registry *registry,
                                                 const char *domain) {
    for (size_t i = 0; i < registry->options.host_count; i++)
        if (strcmp(registry->options.hosts[i].domain, domain) == 0)
            return &registry->options.hosts[i];
    return NULL;
}

static char *base_url(const struct registry *registry, const char *domain, struct error *err) {
    const struct registry_host *host = host_settings(registry, domain);
    bool plain = (host != NULL && host->plain_http) ||
                 (reference_domain_is_loopback(domain) && (host == NULL || host->ca_file == NULL));
    return string_format(err, "%s://%s/v2/", plain ? "http" : "https", reference_api_host(domain));
}

int registry_new(const struct registry_options *options, struct cancel *cancel,
                 struct registry **out, struct error *err) {
    struct registry *registry = calloc(1, sizeof *registry);
    if (registry == NULL)
        return error_no_memory(err);
    registry->options = *options;
    if (registry->options.timeout_ms == 0)
        registry->options.timeout_ms = REGISTRY_LOOKUP_TIMEOUT_MS;
    TAILQ_INIT(&registry->grants);
    TAILQ_INIT(&registry->questions);
    registry->loop = http_loop_new(NULL, cancel, err);
    if (registry->loop == NULL) {
        free(registry);
        return -1;
    }
    *out = registry;
    return 0;
}

void registry_free(struct registry *registry) {
    if (registry == NULL)
        return;
    http_loop_free(registry->loop);
    struct question *question;
    while ((question = TAILQ_FIRST(&registry->questions)) != NULL) {
        TAILQ_REMOVE(&registry->questions, question, link);
        question_free(question);
    }
    struct grant *grant;
    while ((grant = TAILQ_FIRST(&registry->grants)) != NULL) {
        TAILQ_REMOVE(&registry->grants, grant, link);
        free(grant->key);
        if (grant->header != NULL)
            explicit_bzero(grant->header, strlen(grant->header));
        free(grant->header);
        free(grant);
    }
    free(registry);
}

void registry_freep(struct registry **registry) {
    registry_free(*registry);
}

struct registry_counts registry_counts(const struct registry *registry) {
    return registry->counts;
}

/* Answers. */

static int answer_error(struct question *question, const struct error *why, struct error *fatal) {
    TAILQ_REMOVE(&question->registry->questions, question, link);
    struct error full = {0};
    const char *tag = question->name.tag != NULL ? question->name.tag : "";
    error_set(&full, why->kind, "%s%s%s: %s", question->name.image, *tag != '\0' ? ":" : "", tag,
              error_message(why));
    int result = question->kind == ASK_DIGEST
                     ? question->on_digest(question->context, NULL, &full, fatal)
                     : question->on_tags(question->context, NULL, &full, fatal);
    error_clear(&full);
    question_free(question);
    return result;
}

/* The registry's own words for an error, "" where there are none. */
static void error_words(const struct text *body, char *out, size_t size) {
    out[0] = '\0';
    json_auto_t *root = json_loadb(text_string(body), body->length, 0, NULL);
    const json_t *first = json_array_get(json_object_get(root, "errors"), 0);
    const char *message = json_string_value(json_object_get(first, "message"));
    if (message != NULL)
        snprintf(out, size, " (\"%s\")", message);
}

static int answer_status(struct question *question, const struct http_response *response,
                         struct error *fatal) {
    char words[200];
    error_words(&response->body, words, sizeof words);
    const char *host = reference_api_host(question->name.domain);
    struct error why = {0};
    long status = response->status;
    if (status == 404 && question->kind == ASK_TAGS)
        error_set(&why, ERROR_NOT_FOUND, "%s knows no such repository%s; check its name", host,
                  words);
    else if (status == 404)
        error_set(&why, ERROR_NOT_FOUND,
                  "%s has no such tag or repository%s; check the name, or hold the pin", host,
                  words);
    else if (status == 401 || status == 403)
        error_set(&why, ERROR_AUTH,
                  "%s refused with %ld%s; log in with `docker login %s`, or check that the account "
                  "may pull it",
                  host, status, words, question->name.domain);
    else if (status == 429)
        error_set(&why, ERROR_RATE_LIMIT,
                  "%s answered 429, too many requests%s; log in for a higher limit, or try later",
                  host, words);
    else if (status >= 500)
        error_set(&why, ERROR_NETWORK, "%s answered %ld%s, %u times; try later", host, status,
                  words, question->tries);
    else
        error_set(&why, ERROR_PROTOCOL, "%s answered %ld%s, which makes no sense here", host,
                  status, words);
    int result = answer_error(question, &why, fatal);
    error_clear(&why);
    return result;
}

static int answer_digest(struct question *question, const struct http_response *response,
                         const char *digest, struct error *fatal) {
    const char *type = http_header(response, "content-type");
    const char *length = http_header(response, "content-length");
    struct registry_digest answer = {.media_type = (char *)(type != NULL ? type : ""),
                                     .size_bytes = -1};
    memcpy(answer.digest, digest, DIGEST_SIZE);
    if (strcmp(question->method, "GET") == 0)
        answer.size_bytes = (int64_t)response->body.length;
    else if (length != NULL)
        answer.size_bytes = strtoll(length, NULL, 10);
    TAILQ_REMOVE(&question->registry->questions, question, link);
    int result = question->on_digest(question->context, &answer, NULL, fatal);
    question_free(question);
    return result;
}

/* Trying again. */

static int on_retry(void *context, struct error *fatal) {
    return send_question(context, fatal);
}

static bool may_retry(struct question *question, int64_t *delay_ms,
                      const struct http_response *response) {
    *delay_ms = (int64_t)FIRST_DELAY_MS << (question->tries - 1);
    if (*delay_ms > LONGEST_DELAY_MS)
        *delay_ms = LONGEST_DELAY_MS;
    const char *after = response != NULL ? http_header(response, "retry-after") : NULL;
    if (after != NULL && strspn(after, "0123456789") == strlen(after) && strlen(after) < 9)
        *delay_ms = strtoll(after, NULL, 10) * 1000;
    return question->tries < TRIES_LIMIT &&
           clock_monotonic_ms() + *delay_ms < question->deadline_ms;
}

static int retry(struct question *question, int64_t delay_ms, struct error *fatal) {
    question->registry->counts.retries++;
    trace(TRACE_HTTP, "%s again in %lld ms", question->url, (long long)delay_ms);
    return http_loop_add_timer(question->registry->loop, delay_ms, on_retry, question, fatal);
}

/* Tokens. */

static struct grant *grant_for(struct registry *registry, const struct reference *name,
                               struct error *err) {
    struct grant *grant;
    TAILQ_FOREACH(grant, &registry->grants, link) {
        if (strcmp(grant->key, name->image) == 0)
            return grant;
    }
    grant = calloc(1, sizeof *grant);
    if (grant == NULL) {
        error_no_memory(err);
        return NULL;
    }
    grant->key = string_dup(name->image, err);
    if (grant->key == NULL) {
        free(grant);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&registry->grants, grant, link);
    return grant;
}

/* Everyone who waited for this grant goes on, or fails with `why`. */
static int wake(struct registry *registry, struct grant *grant, const struct error *why,
                struct error *fatal) {
    grant->pending = false;
    struct question *question = TAILQ_FIRST(&registry->questions);
    while (question != NULL) {
        struct question *next = TAILQ_NEXT(question, link);
        if (question->waiting && question->grant == grant) {
            question->waiting = false;
            if (why != NULL ? answer_error(question, why, fatal) < 0
                            : send_question(question, fatal) < 0)
                return -1;
        }
        question = next;
    }
    return 0;
}

static char *basic_header(const struct credential *credential, struct error *err) {
    _cleanup_(free_pointer) char *both =
        string_format(err, "%s:%s", credential->username, credential->password);
    struct text header = {0};
    if (both == NULL)
        return NULL;
    text_add(&header, "Authorization: Basic ");
    base64_encode(&header, both, strlen(both), false);
    explicit_bzero(both, strlen(both));
    return text_steal(&header, err);
}

struct token_request {
    struct registry *registry;
    struct grant *grant;
    char host[300];
};

static int on_token(void *context, struct http_response *response, const struct error *failed,
                    struct error *fatal) {
    struct token_request token = *(struct token_request *)context;
    free(context);
    struct error why = {0};
    char words[200];
    error_words(&response->body, words, sizeof words);
    json_auto_t *root = json_loadb(text_string(&response->body), response->body.length, 0, NULL);
    const char *value = json_string_value(json_object_get(root, "token"));
    if (value == NULL)
        value = json_string_value(json_object_get(root, "access_token"));
    if (failed != NULL)
        error_set(&why, failed->kind, "token server %s: %s", token.host, error_message(failed));
    else if (response->status == 401 || response->status == 403)
        error_set(&why, ERROR_AUTH,
                  "token server %s refused the credentials with %ld%s; log in again", token.host,
                  response->status, words);
    else if (response->status == 429)
        error_set(&why, ERROR_RATE_LIMIT, "token server %s answered 429, too many requests",
                  token.host);
    else if (response->status >= 500)
        error_set(&why, ERROR_NETWORK, "token server %s answered %ld; try later", token.host,
                  response->status);
    else if (response->status != 200 || value == NULL || strpbrk(value, "\r\n") != NULL)
        error_set(&why, ERROR_PROTOCOL, "token server %s answered %ld without a token", token.host,
                  response->status);
    else {
        free(token.grant->header);
        token.grant->header = string_format(&why, "Authorization: Bearer %s", value);
    }
    int result = wake(token.registry, token.grant, why.kind != ERROR_NONE ? &why : NULL, fatal);
    error_clear(&why);
    return result;
}

static int token_url(const struct challenge *challenge, const struct question *question,
                     struct text *url, struct error *err) {
    _cleanup_(free_pointer) char *plain =
        challenge->scope != NULL ? string_dup(challenge->scope, err)
                                 : string_format(err, "repository:%s:pull", question->name.path);
    _cleanup_(free_pointer) char *scope = plain != NULL ? http_escape(plain, err) : NULL;
    _cleanup_(free_pointer) char *service =
        scope != NULL ? http_escape(challenge->service != NULL ? challenge->service : "", err)
                      : NULL;
    if (service == NULL)
        return -1;
    text_add(url, challenge->realm);
    text_printf(url, "%sscope=%s", strchr(challenge->realm, '?') != NULL ? "&" : "?", scope);
    if (*service != '\0')
        text_printf(url, "&service=%s", service);
    return text_check(url, err);
}

static int send_token_request(struct question *question, const struct challenge *challenge,
                              const struct credential *credential, struct error *err) {
    _cleanup_(text_clear) struct text url = {0};
    _cleanup_(text_clear) struct text body = {0};
    _cleanup_(free_pointer) char *authorization = NULL;
    struct registry *registry = question->registry;
    const struct registry_host *host = host_settings(registry, question->name.domain);
    bool may = auth_realm_may_see_credentials(challenge->realm, question->url);
    struct http_request request = {.method = "GET",
                                   .timeout_ms = REQUEST_TIMEOUT_MS,
                                   .body_limit = TOKEN_BODY_LIMIT,
                                   .ca_file = host != NULL ? host->ca_file : NULL};
    const char *headers[3] = {0};
    if (may && credential->identity_token != NULL) {
        _cleanup_(free_pointer) char *secret = http_escape(credential->identity_token, err);
        if (secret == NULL)
            return -1;
        text_add(&url, challenge->realm);
        text_printf(&body,
                    "grant_type=refresh_token&client_id=pingate&service=%s&scope=repository:%s:"
                    "pull&refresh_token=%s",
                    challenge->service != NULL ? challenge->service : "", question->name.path,
                    secret);
        request.method = "POST";
        request.body = text_string(&body);
        request.body_length = body.length;
        headers[0] = "Content-Type: application/x-www-form-urlencoded";
    } else {
        if (token_url(challenge, question, &url, err) < 0)
            return -1;
        if (may && credential->username != NULL) {
            authorization = basic_header(credential, err);
            if (authorization == NULL)
                return -1;
            headers[0] = authorization;
        }
    }
    request.url = text_string(&url);
    request.headers = headers;
    struct token_request *token = calloc(1, sizeof *token);
    if (token == NULL)
        return error_no_memory(err);
    *token = (struct token_request){.registry = registry, .grant = question->grant};
    snprintf(token->host, sizeof token->host, "%.*s", (int)strcspn(challenge->realm, "?"),
             challenge->realm);
    registry->counts.requests++;
    registry->counts.tokens++;
    int result = http_loop_add(registry->loop, &request, on_token, token, err);
    if (result < 0)
        free(token);
    return result;
}

/* The registry wants to know who asks. Sends for a token, or takes the credentials as they are. *gave_up: the answer was
 * given already. */
static int authorize(struct question *question, const struct http_response *response, bool *gave_up,
                     struct error *fatal) {
    *gave_up = false;
    if (question->grant->pending) { /* somebody asks for this repository's token already */
        question->waiting = true;
        return 0;
    }
    if (question->elsewhere || question->refusals++ > 0) {
        *gave_up = true;
        return answer_status(question, response, fatal);
    }
    if (question->grant->header != NULL && !question->sent_header)
        return send_question(question, fatal); /* it came while this request was under way */
    _cleanup_(challenge_clear) struct challenge challenge = {0};
    _cleanup_(credential_clear) struct credential credential = {0};
    if (challenge_parse(response, &challenge, fatal) < 0 ||
        credentials_find(question->registry->options.credentials, question->name.domain,
                         &credential, fatal) < 0)
        return -1;
    if (challenge.bearer && challenge.realm != NULL) {
        if (!auth_realm_allowed(challenge.realm, question->url)) {
            struct error why = {0};
            error_set(&why, ERROR_AUTH, "%s names a token server that is not https: %.200s",
                      question->name.domain, challenge.realm);
            *gave_up = true;
            int result = answer_error(question, &why, fatal);
            error_clear(&why);
            return result;
        }
        question->grant->pending = true;
        question->waiting = true;
        return send_token_request(question, &challenge, &credential, fatal);
    }
    if (challenge.basic && credential.username != NULL) {
        char *header = basic_header(&credential, fatal);
        if (header == NULL)
            return -1;
        free(question->grant->header);
        question->grant->header = header;
        return send_question(question, fatal);
    }
    *gave_up = true;
    return answer_status(question, response, fatal);
}

/* Pages of tags. */

static int answer_tags(struct question *question, struct error *fatal) {
    TAILQ_REMOVE(&question->registry->questions, question, link);
    int result = question->on_tags(question->context, &question->tags, NULL, fatal);
    question_free(question);
    return result;
}

/* Adds one page; -1 with *why set when it makes no sense. *next: the address of the following page, or NULL. */
static int take_page(struct question *question, const struct http_response *response, char **next,
                     struct error *why) {
    *next = NULL;
    json_auto_t *root = json_loadb(text_string(&response->body), response->body.length, 0, NULL);
    const json_t *tags = json_object_get(root, "tags");
    if (!json_is_object(root) || (tags != NULL && !json_is_null(tags) && !json_is_array(tags)))
        return error_set(why, ERROR_PROTOCOL, "%s gave a list of tags that is none",
                         reference_api_host(question->name.domain));
    size_t index;
    const json_t *tag;
    json_array_foreach(tags, index, tag) {
        if (question->tags.count >= REGISTRY_TAGS_LIMIT)
            return error_set(why, ERROR_LIMIT, "more than %u tags", REGISTRY_TAGS_LIMIT);
        if (json_is_string(tag) &&
            string_list_add(&question->tags, json_string_value(tag), why) < 0)
            return -1;
    }
    _cleanup_(free_pointer) char *link = manifest_next_page(response, why);
    if (link == NULL)
        return why->kind != ERROR_NONE ? -1 : 0;
    _cleanup_(free_pointer) char *url = http_url_resolve(question->url, link, why);
    if (url == NULL)
        return -1;
    if (!http_same_origin(url, question->url))
        return error_set(why, ERROR_PROTOCOL, "the next page of tags is on another host: %.200s",
                         url);
    if (string_list_has(&question->pages, url))
        return error_set(why, ERROR_PROTOCOL, "the pages of tags go round in a circle at %.200s",
                         url);
    if (string_list_add(&question->pages, url, why) < 0)
        return -1;
    *next = steal(url);
    return 0;
}

static int on_page(struct question *question, const struct http_response *response,
                   struct error *fatal) {
    struct error why = {0};
    char *next = NULL;
    if (take_page(question, response, &next, &why) < 0) {
        int result = answer_error(question, &why, fatal);
        error_clear(&why);
        return result;
    }
    if (next == NULL)
        return answer_tags(question, fatal);
    free(question->url);
    question->url = next;
    question->tries = 0;
    return send_question(question, fatal);
}

static int on_manifest(struct question *question, const struct http_response *response,
                       struct error *fatal) {
    struct error why = {0};
    char digest[DIGEST_SIZE];
    bool whole = strcmp(question->method, "GET") == 0;
    if (manifest_digest(response, whole ? &response->body : NULL, digest, &why) == 0 &&
        digest[0] == '\0') {
        question->method = "GET";
        question->tries = 0;
        return send_question(question, fatal);
    }
    if (why.kind == ERROR_NONE && question->name.digest != NULL && question->name.tag == NULL &&
        strcmp(question->name.digest, digest) != 0)
        error_set(&why, ERROR_PROTOCOL, "asked for %s, the registry answered with %s",
                  question->name.digest, digest);
    if (why.kind == ERROR_NONE)
        return answer_digest(question, response, digest, fatal);
    int result = answer_error(question, &why, fatal);
    error_clear(&why);
    return result;
}

static int follow(struct question *question, const struct http_response *response,
                  struct error *fatal) {
    const char *location = http_header(response, "location");
    if (location == NULL || question->redirects++ >= REDIRECTS_LIMIT)
        return answer_status(question, response, fatal);
    struct error why = {0};
    char *url = http_url_resolve(question->url, location, &why);
    if (url != NULL && string_has_prefix(question->url, "https://") &&
        !string_has_prefix(url, "https://"))
        error_set(&why, ERROR_PROTOCOL, "a redirect leads from https to %.200s", url);
    if (why.kind != ERROR_NONE) {
        free(url);
        int result = answer_error(question, &why, fatal);
        error_clear(&why);
        return result;
    }
    question->elsewhere = question->elsewhere || !http_same_origin(url, question->url);
    free(question->url);
    question->url = url;
    return send_question(question, fatal);
}

static int on_answer(void *context, struct http_response *response, const struct error *failed,
                     struct error *fatal) {
    struct question *question = context;
    long status = response->status;
    int64_t delay_ms;
    trace(TRACE_HTTP, "%s %s: %ld%s%s", question->method, question->url, status,
          failed != NULL ? " " : "", failed != NULL ? error_message(failed) : "");
    if (failed != NULL) {
        if (error_worth_retry(failed->kind) && may_retry(question, &delay_ms, NULL))
            return retry(question, delay_ms, fatal);
        struct error why = {0};
        error_set(&why, failed->kind, "%s: %s", reference_api_host(question->name.domain),
                  error_message(failed));
        int result = answer_error(question, &why, fatal);
        error_clear(&why);
        return result;
    }
    if ((status == 429 || status == 408 || status >= 500) &&
        may_retry(question, &delay_ms, response))
        return retry(question, delay_ms, fatal);
    bool gave_up;
    if (status == 401)
        return authorize(question, response, &gave_up, fatal);
    if ((status == 403 || status == 405) && strcmp(question->method, "HEAD") == 0) {
        question->method = "GET";
        return send_question(question, fatal);
    }
    if (status >= 301 && status <= 308 && status != 304)
        return follow(question, response, fatal);
    if (status != 200)
        return answer_status(question, response, fatal);
    return question->kind == ASK_TAGS ? on_page(question, response, fatal)
                                      : on_manifest(question, response, fatal);
}

static int send_question(struct question *question, struct error *err) {
    struct registry *registry = question->registry;
    if (question->grant->pending && !question->elsewhere) {
        question->waiting = true;
        return 0;
    }
    const struct registry_host *host = host_settings(registry, question->name.domain);
    question->sent_header = question->grant->header != NULL && !question->elsewhere;
    const char *headers[] = {question->kind == ASK_DIGEST ? MANIFEST_ACCEPT
                                                          : "Accept: application/json",
                             question->sent_header ? question->grant->header : NULL, NULL};
    int64_t left = question->deadline_ms - clock_monotonic_ms();
    struct http_request request = {.method = question->method,
                                   .url = question->url,
                                   .headers = headers,
                                   .ca_file = host != NULL ? host->ca_file : NULL,
                                   .body_limit = question->kind == ASK_TAGS ? TAG_BODY_LIMIT : 0,
                                   .timeout_ms = left < 1                    ? 1
                                                 : left < REQUEST_TIMEOUT_MS ? left
                                                                             : REQUEST_TIMEOUT_MS};
    question->tries++;
    registry->counts.requests++;
    return http_loop_add(registry->loop, &request, on_answer, question, err);
}

static int add_question(struct registry *registry, const struct reference *name,
                        const struct question *template, struct error *err) {
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return error_no_memory(err);
    *question = *template;
    question->registry = registry;
    question->deadline_ms = clock_monotonic_ms() + registry->options.timeout_ms;
    _cleanup_(free_pointer) char *base = base_url(registry, name->domain, err);
    if (base == NULL || reference_copy(name, &question->name, err) < 0) {
        question_free(question);
        return -1;
    }
    if (question->kind == ASK_TAGS)
        question->url = string_format(err, "%s%s/tags/list?n=1000", base, name->path);
    else
        question->url = string_format(err, "%s%s/manifests/%s", base, name->path,
                                      name->tag != NULL ? name->tag : name->digest);
    question->grant = question->url != NULL ? grant_for(registry, name, err) : NULL;
    if (question->grant == NULL) {
        question_free(question);
        return -1;
    }
    TAILQ_INSERT_TAIL(&registry->questions, question, link);
    return send_question(question, err);
}

int registry_resolve(struct registry *registry, const struct reference *reference,
                     registry_on_digest *on_digest, void *context, struct error *err) {
    struct question template = {
        .kind = ASK_DIGEST, .method = "HEAD", .on_digest = on_digest, .context = context};
    return add_question(registry, reference, &template, err);
}

int registry_tags(struct registry *registry, const struct reference *reference,
                  registry_on_tags *on_tags, void *context, struct error *err) {
    struct question template = {
        .kind = ASK_TAGS, .method = "GET", .on_tags = on_tags, .context = context};
    return add_question(registry, reference, &template, err);
}

int registry_run(struct registry *registry, struct error *err) {
    return http_loop_run(registry->loop, err);
}
