#include "gate/registry/registry.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gate/base/clock.h"
#include "gate/base/trace.h"
#include "gate/registry/question.h"
#include "gate/registry/retry.h"
#include "gate/registry/tags.h"

#define REDIRECTS_LIMIT       3
#define TAG_BODY_LIMIT        (16u << 20) /* bytes of one page of tags */
#define REQUESTS_IN_A_TIMEOUT 3           /* a request that gets no answer is sent again so often */

static void question_free(struct question *question) {
    reference_clear(&question->name);
    string_list_clear(&question->tags);
    blob_list_clear(&question->blobs);
    if (question->sent_header != NULL)
        explicit_bzero(question->sent_header, strlen(question->sent_header));
    free(question->sent_header);
    free(question->landmark);
    free(question->url);
    free(question);
}

static void host_free(struct host *host) {
    free(host->domain);
    free(host->base);
    free(host);
}

int registry_new(const struct registry_options *options, struct cancel *cancel,
                 struct registry **out, struct error *err) {
    struct registry *registry = calloc(1, sizeof *registry);
    if (registry == NULL)
        return error_no_memory(err);
    registry->options = *options;
    registry->cancel = cancel;
    if (registry->options.timeout_ms == 0)
        registry->options.timeout_ms = REGISTRY_LOOKUP_TIMEOUT_MS;
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
        TAILQ_REMOVE(&registry->questions, question, all);
        question_free(question);
    }
    while (registry->hosts != NULL) {
        struct host *next = registry->hosts->next;
        host_free(registry->hosts);
        registry->hosts = next;
    }
    grants_free(registry);
    free(registry);
}

void registry_freep(struct registry **registry) {
    registry_free(*registry);
}

struct registry_counts registry_counts(const struct registry *registry) {
    return registry->counts;
}

/* Hosts and their queues. */

static const struct registry_host *settings_for(const struct registry *registry,
                                                const char *domain) {
    for (size_t i = 0; i < registry->options.host_count; i++)
        if (strcasecmp(registry->options.hosts[i].domain, domain) == 0)
            return &registry->options.hosts[i];
    return NULL;
}

static struct host *host_for(struct registry *registry, const char *domain, struct error *err) {
    for (struct host *host = registry->hosts; host != NULL; host = host->next)
        if (strcmp(host->domain, domain) == 0)
            return host;
    const struct registry_host *settings = settings_for(registry, domain);
    bool plain =
        (settings != NULL && settings->plain_http) ||
        (reference_domain_is_loopback(domain) && (settings == NULL || settings->ca_file == NULL));
    struct host *host = calloc(1, sizeof *host);
    if (host == NULL) {
        error_no_memory(err);
        return NULL;
    }
    TAILQ_INIT(&host->queued);
    host->registry = registry;
    host->settings = settings;
    host->timeout_ms = settings != NULL && settings->timeout_ms > 0 ? settings->timeout_ms
                                                                    : registry->options.timeout_ms;
    host->domain = string_dup(domain, err);
    host->base =
        string_format(err, "%s://%s/v2/", plain ? "http" : "https", reference_api_host(domain));
    if (host->domain == NULL || host->base == NULL) {
        host_free(host);
        return NULL;
    }
    host->next = registry->hosts;
    registry->hosts = host;
    return host;
}

int64_t host_request_timeout_ms(const struct host *host, int64_t deadline_ms) {
    int64_t left_ms = deadline_ms - clock_monotonic_ms();
    int64_t most_ms = host->timeout_ms / REQUESTS_IN_A_TIMEOUT + 1;
    return left_ms < 1 ? 0 : left_ms < most_ms ? left_ms : most_ms;
}

static int begin(struct question *question, struct error *fatal) {
    struct host *host = question->host;
    host->active++;
    question->deadline_ms = clock_monotonic_ms() + host->timeout_ms;
    if (host->silent)
        return answer_words(question, fatal, ERROR_NETWORK,
                            "%s did not answer the questions before this one, so it was not asked; "
                            "try later",
                            reference_api_host(host->domain));
    return question_send(question, fatal);
}

/* Lets the next questions of the host begin. Answers that come at once end up here again; the outermost call goes on. */
static int host_pump(struct host *host, struct error *fatal) {
    if (host->pumping)
        return 0;
    host->pumping = true;
    int result = 0;
    struct question *question;
    while (result == 0 && host->active < REGISTRY_ACTIVE_LIMIT &&
           (question = TAILQ_FIRST(&host->queued)) != NULL) {
        TAILQ_REMOVE(&host->queued, question, link);
        result = begin(question, fatal);
    }
    host->pumping = false;
    return result;
}

void question_take(struct question *question) {
    TAILQ_REMOVE(&question->registry->questions, question, all);
}

int question_end(struct question *question, int result, struct error *fatal) {
    struct host *host = question->host;
    host->active--;
    question_free(question);
    return result < 0 ? -1 : host_pump(host, fatal);
}

/* Sending, and sending again. */

static int on_time(void *context, struct error *fatal) {
    return question_send(context, fatal);
}

static int send_later(struct question *question, int64_t delay_ms, struct error *fatal) {
    return http_loop_add_timer(question->registry->loop, delay_ms, on_time, question, fatal);
}

/* Whether there is a point in asking again, and when. */
static bool may_retry(const struct question *question, int64_t *delay_ms) {
    *delay_ms =
        question->asked_pause_ms >= 0 ? question->asked_pause_ms : retry_delay_ms(question->tries);
    return question->tries < RETRY_TRIES &&
           *delay_ms < question->deadline_ms - clock_monotonic_ms();
}

static int retry(struct question *question, int64_t delay_ms, struct error *fatal) {
    question->registry->counts.retries++;
    trace(TRACE_HTTP, "%s again in %lld ms", question->name.image, (long long)delay_ms);
    return send_later(question, delay_ms, fatal);
}

int question_ask_with_get(struct question *question, struct error *fatal) {
    question->method = "GET";
    question->tries = 0;
    return question_send(question, fatal);
}

static int out_of_time(struct question *question, struct error *fatal) {
    char words[32];
    clock_duration_words(question->host->timeout_ms, words, sizeof words);
    return answer_words(question, fatal, ERROR_TIMEOUT,
                        "%s did not settle this within %s; try later, or give it more time in "
                        "pingate.yaml: registries: %s: {timeout: 5m}",
                        reference_api_host(question->host->domain), words, question->host->domain);
}

static int on_answer(void *context, struct http_response *response, const struct error *failed,
                     struct error *fatal);

static int send_request(struct question *question, const char *header, int64_t timeout_ms,
                        struct error *fatal) {
    struct registry *registry = question->registry;
    const struct registry_host *settings = question->host->settings;
    bool loopback = reference_domain_is_loopback(question->host->domain) && !question->elsewhere;
    bool is_blob = question->blobs.count > 0;
    const char *accept = question->kind == ASK_TAGS ? "Accept: application/json"
                         : is_blob                  ? "Accept: */*"
                                                    : MANIFEST_ACCEPT;
    size_t limit = question->kind == ASK_TAGS ? TAG_BODY_LIMIT
                   : is_blob                  ? REGISTRY_CONFIG_LIMIT
                                              : 0;
    const char *headers[] = {accept, header, NULL};
    struct http_request request = {.method = question->method,
                                   .url = question->url,
                                   .headers = headers,
                                   .proxy = loopback ? "" : NULL,
                                   .ca_file = settings != NULL ? settings->ca_file : NULL,
                                   .body_limit = limit,
                                   .timeout_ms = timeout_ms};
    question->tries++;
    registry->counts.requests++;
    return http_loop_add(registry->loop, &request, on_answer, question, fatal);
}

int question_send(struct question *question, struct error *fatal) {
    const char *header = NULL;
    bool wait = false;
    int64_t timeout_ms = host_request_timeout_ms(question->host, question->deadline_ms);
    int64_t pause_ms = question->host->not_before_ms - clock_monotonic_ms();
    if (timeout_ms == 0)
        return out_of_time(question, fatal);
    if (pause_ms > 0 && !question->elsewhere)
        return pause_ms < question->deadline_ms - clock_monotonic_ms()
                   ? send_later(question, pause_ms, fatal)
                   : answer_pause(question, fatal);
    if (!question->elsewhere && grant_header(question, &header, &wait, fatal) < 0)
        return -1;
    if (wait)
        return 0;
    free(question->sent_header);
    question->sent_header = string_dup(header, fatal);
    if (header != NULL && question->sent_header == NULL)
        return -1;
    return send_request(question, header, timeout_ms, fatal);
}

/* Reading answers. */

/* Adds one page; -1 with *why set when it makes no sense. *next: the address of the following page, or NULL. */
static int take_page(struct question *question, const struct http_response *response, char **next,
                     struct error *why) {
    *next = NULL;
    if (tags_read(text_string(&response->body), response->body.length, REGISTRY_TAGS_LIMIT,
                  &question->tags, why) < 0)
        return -1;
    _cleanup_(free_pointer) char *link = manifest_next_page(response, why);
    if (link == NULL)
        return why->kind != ERROR_NONE ? -1 : 0;
    if (++question->pages >= REGISTRY_PAGES_LIMIT)
        return error_set(why, ERROR_LIMIT, "the list of tags has more than %u pages",
                         REGISTRY_PAGES_LIMIT);
    _cleanup_(free_pointer) char *url = http_url_resolve(question->url, link, why);
    if (url == NULL)
        return -1;
    bool home = http_same_origin(url, question->host->base);
    if (!home && !http_same_origin(url, question->url))
        return error_set(why, ERROR_PROTOCOL,
                         "the next page of tags is on another host: %.200s; it was not asked", url);
    question->elsewhere = !home;
    *next = steal(url);
    return 0;
}

/* Circles of pages are found as Brent does it: one address is remembered, and anew at page 1, 2, 4, 8 … */
static bool is_circle(struct question *question, const char *next, struct error *why) {
    if (question->landmark != NULL && strcmp(question->landmark, next) == 0)
        return true;
    if (question->pages >= question->next_landmark) {
        free(question->landmark);
        question->landmark = string_dup(next, why);
        question->next_landmark = question->next_landmark * 2 + 1;
    }
    return false;
}

static int on_page(struct question *question, const struct http_response *response,
                   struct error *fatal) {
    struct error why = {0};
    char *next = NULL;
    int result = take_page(question, response, &next, &why);
    if (result == 0 && next != NULL && is_circle(question, next, &why))
        error_set(&why, ERROR_PROTOCOL, "the pages of tags go round in a circle at %.200s", next);
    if (why.kind == ERROR_NONE && next == NULL)
        return answer_tags(question, fatal);
    if (why.kind == ERROR_NONE) {
        free(question->url);
        question->url = next;
        question->tries = 0;
        return question_send(question, fatal);
    }
    free(next);
    result = why.kind == ERROR_NO_MEMORY
                 ? error_move(fatal, &why)
                 : answer_words(question, fatal, why.kind, "%s: %s",
                                reference_api_host(question->host->domain), error_message(&why));
    error_clear(&why);
    return result;
}

static int on_manifest(struct question *question, const struct http_response *response,
                       struct error *fatal) {
    struct error why = {0};
    char digest[DIGEST_SIZE];
    enum manifest_kind kind;
    bool whole = strcmp(question->method, "GET") == 0;
    if (manifest_digest(response, whole ? &response->body : NULL, digest, &kind, &why) == 0 &&
        digest[0] == '\0')
        return question_ask_with_get(question, fatal);
    if (why.kind == ERROR_NONE && question->name.digest != NULL && question->name.tag == NULL &&
        strcmp(question->name.digest, digest) != 0)
        error_set(&why, ERROR_PROTOCOL, "asked for %s, the registry answered with %s",
                  question->name.digest, digest);
    if (why.kind == ERROR_NONE)
        return answer_digest(question, response, digest, kind, fatal);
    int result = answer_words(question, fatal, why.kind, "%s: %s",
                              reference_api_host(question->host->domain), error_message(&why));
    error_clear(&why);
    return result;
}

static bool is_redirect(long status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Where a redirect leads, or NULL with *why set when nobody should go there. */
static char *redirect_target(const struct question *question, const struct http_response *response,
                             struct error *why) {
    const char *location = http_header(response, "location");
    char host[REFERENCE_NAME_LIMIT + 1];
    if (location == NULL) {
        error_set(why, ERROR_PROTOCOL, "it redirects (%ld) and does not say where to",
                  response->status);
        return NULL;
    }
    char *url = http_url_resolve(question->url, location, why);
    if (url == NULL)
        return NULL;
    bool secure = string_has_prefix(url, "https://");
    if (question->redirects >= REDIRECTS_LIMIT)
        error_set(why, ERROR_PROTOCOL, "it redirects more than %d times", REDIRECTS_LIMIT);
    else if (string_has_prefix(question->url, "https://") && !secure)
        error_set(why, ERROR_PROTOCOL, "a redirect leads from https to %.*s, which is not followed",
                  (int)strcspn(url, "?"), url);
    else if ((!secure && !string_has_prefix(url, "http://")) || !auth_host(url, host, sizeof host))
        error_set(why, ERROR_PROTOCOL, "a redirect leads to no address of a registry");
    if (why->kind == ERROR_NONE)
        return url;
    free(url);
    return NULL;
}

static int follow(struct question *question, const struct http_response *response,
                  struct error *fatal) {
    struct error why = {0};
    char *url = redirect_target(question, response, &why);
    if (url == NULL) {
        int result = answer_words(question, fatal, why.kind, "%s: %s",
                                  reference_api_host(question->host->domain), error_message(&why));
        error_clear(&why);
        return result;
    }
    question->redirects++;
    question->elsewhere = !http_same_origin(url, question->host->base);
    free(question->url);
    question->url = url;
    return question_send(question, fatal);
}

/* What a registry answers to HEAD when it knows only GET, or wants it for its own reasons. */
static bool refuses_head(const struct question *question, long status) {
    return strcmp(question->method, "HEAD") == 0 &&
           (status == 400 || status == 403 || status == 405 || status == 406 || status == 501);
}

static void note_pause(struct question *question, const struct http_response *response) {
    int64_t now_ms = clock_monotonic_ms();
    long status = response->status;
    question->host->silent = false;
    question->host->last_answer_ms = now_ms;
    question->asked_pause_ms =
        retry_status(status) ? retry_after_ms(http_header(response, "retry-after"), clock_now_ms())
                             : -1;
    /* The whole host pauses: the others would only be refused as well. */
    if ((status == 429 || status == 503) && question->asked_pause_ms > 0 &&
        question->asked_pause_ms < question->host->timeout_ms && !question->elsewhere)
        question->host->not_before_ms = now_ms + question->asked_pause_ms;
}

static int on_failure(struct question *question, const struct http_response *response,
                      const struct error *failed, struct error *fatal) {
    int64_t delay_ms;
    question->asked_pause_ms = -1;
    if (failed->kind == ERROR_NO_MEMORY || failed->kind == ERROR_CANCELLED)
        return error_set(fatal, failed->kind, "%s", error_message(failed));
    if (error_worth_retry(failed->kind) && may_retry(question, &delay_ms))
        return retry(question, delay_ms, fatal);
    return answer_failure(question, response, failed, fatal);
}

static int on_answer(void *context, struct http_response *response, const struct error *failed,
                     struct error *fatal) {
    struct question *question = context;
    long status = response->status;
    int64_t delay_ms;
    trace(TRACE_HTTP, "%s %.*s: %ld%s%s", question->method,
          question->elsewhere ? (int)strcspn(question->url, "?") : (int)strlen(question->url),
          question->url, status, failed != NULL ? " " : "",
          failed != NULL ? error_message(failed) : "");
    if (failed != NULL)
        return on_failure(question, response, failed, fatal);
    note_pause(question, response);
    if (retry_status(status) && may_retry(question, &delay_ms))
        return retry(question, delay_ms, fatal);
    if (status == 401 && !question->elsewhere)
        return grant_refused(question, response, fatal);
    if (refuses_head(question, status))
        return question_ask_with_get(question, fatal);
    if (is_redirect(status))
        return follow(question, response, fatal);
    if (status != 200)
        return answer_status(question, response, fatal);
    question->fresh = false;
    question->refusals = 0;
    question->redirects = 0;
    switch (question->kind) {
    case ASK_TAGS:
        return on_page(question, response, fatal);
    case ASK_BLOBS:
    case ASK_CONFIG:
        return question_on_content(question, response, fatal);
    case ASK_DIGEST:
        break;
    }
    return on_manifest(question, response, fatal);
}

/* Asking. */

static int fill_question(struct question *question, const struct reference *name,
                         struct error *err) {
    struct registry *registry = question->registry;
    question->host = host_for(registry, name->domain, err);
    if (question->host == NULL || reference_copy(name, &question->name, err) < 0)
        return -1;
    const char *base = question->host->base;
    bool by_digest = question->kind == ASK_BLOBS || question->kind == ASK_CONFIG;
    question->url = question->kind == ASK_TAGS
                        ? string_format(err, "%s%s/tags/list?n=1000", base, name->path)
                        : string_format(err, "%s%s/manifests/%s", base, name->path,
                                        name->tag != NULL && !by_digest ? name->tag : name->digest);
    question->grant = grant_for(registry, name->image, err);
    return question->url != NULL && question->grant != NULL ? 0 : -1;
}

static int add_question(struct registry *registry, const struct reference *name,
                        const struct question *template, struct error *err) {
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return error_no_memory(err);
    *question = *template;
    question->registry = registry;
    question->asked_pause_ms = -1;
    if (fill_question(question, name, err) < 0) {
        question_free(question);
        return -1;
    }
    TAILQ_INSERT_TAIL(&registry->questions, question, all);
    TAILQ_INSERT_TAIL(&question->host->queued, question, link);
    return host_pump(question->host, err);
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

int registry_blobs(struct registry *registry, const struct reference *reference,
                   const struct platform *platform, registry_on_blobs *on_blobs, void *context,
                   struct error *err) {
    struct question template = {.kind = ASK_BLOBS,
                                .method = "GET",
                                .platform = *platform,
                                .on_blobs = on_blobs,
                                .context = context};
    return add_question(registry, reference, &template, err);
}

int registry_child(struct registry *registry, const struct reference *reference,
                   const struct platform *platform, registry_on_digest *on_digest, void *context,
                   struct error *err) {
    struct question template = {.kind = ASK_BLOBS,
                                .method = "GET",
                                .platform = *platform,
                                .on_digest = on_digest,
                                .context = context};
    return add_question(registry, reference, &template, err);
}

int registry_config(struct registry *registry, const struct reference *reference,
                    const struct platform *platform, registry_on_config *on_config, void *context,
                    struct error *err) {
    struct question template = {.kind = ASK_CONFIG,
                                .method = "GET",
                                .platform = *platform,
                                .on_config = on_config,
                                .context = context};
    return add_question(registry, reference, &template, err);
}

int registry_run(struct registry *registry, struct error *err) {
    return http_loop_run(registry->loop, err);
}
