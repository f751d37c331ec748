#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/trace.h"
#include "gate/registry/question.h"
#include "gate/registry/retry.h"

#define REFUSALS_LIMIT 4 /* answers 401 in a row: more is a registry that plays with us */

static void wipe(char **secret) {
    if (*secret != NULL)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

/* Both trees hold structs whose first member is their name. */
static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Two addresses of one origin have one owner, so the headers can be compared as they are. */
static bool same_header(const char *a, const char *b) {
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void free_grant(void *node) {
    struct grant *grant = node;
    free(grant->image);
    wipe(&grant->basic);
    free(grant->refusal);
    free(grant);
}

static void free_ticket(void *node) {
    struct ticket *ticket = node;
    wipe(&ticket->key);
    wipe(&ticket->header);
    free(ticket->server);
    free(ticket->path);
    challenge_clear(&ticket->challenge);
    credential_clear(&ticket->credential);
    free(ticket);
}

void grants_free(struct registry *registry) {
    tdestroy(registry->grants, free_grant);
    tdestroy(registry->tickets, free_ticket);
    registry->grants = NULL;
    registry->tickets = NULL;
}

struct grant *grant_for(struct registry *registry, const char *image, struct error *err) {
    const char *const wanted = image;
    struct grant **found = tfind(&wanted, &registry->grants, compare);
    if (found != NULL)
        return *found;
    struct grant *grant = calloc(1, sizeof *grant);
    if (grant != NULL)
        grant->image = string_dup(image, err);
    if (grant == NULL || grant->image == NULL ||
        tsearch(grant, &registry->grants, compare) == NULL) {
        if (grant != NULL)
            free_grant(grant);
        error_no_memory(err);
        return NULL;
    }
    return grant;
}

/* Tokens. */

static int ticket_request(struct ticket *ticket, struct error *fatal);

/* Everyone who waited goes on, or fails with `why`. */
static int wake(struct ticket *ticket, const struct error *why, struct error *fatal) {
    struct question_queue woken = TAILQ_HEAD_INITIALIZER(woken);
    struct question *question;
    TAILQ_CONCAT(&woken, &ticket->waiting, link);
    ticket->pending = false;
    int result = 0;
    while ((question = TAILQ_FIRST(&woken)) != NULL) {
        TAILQ_REMOVE(&woken, question, link);
        if (result < 0) /* the run is over: registry_free finds it among all */
            continue;
        const char *refusal = question->grant->refusal;
        if (why == NULL)
            result = question_send(question, fatal);
        else if (why->kind == ERROR_AUTH && refusal != NULL)
            result =
                answer_words(question, fatal, why->kind, "%s; %s", error_message(why), refusal);
        else
            result = answer_error(question, why, fatal);
    }
    return result;
}

static int on_retry(void *context, struct error *fatal) {
    return ticket_request(context, fatal);
}

/* Asks again after a while, when that can help and there is time. *again tells. */
static int retry(struct ticket *ticket, const struct http_response *response,
                 const struct error *failed, bool *again, struct error *fatal) {
    bool worth = failed != NULL ? error_worth_retry(failed->kind) : retry_status(response->status);
    int64_t after_ms =
        failed == NULL ? retry_after_ms(http_header(response, "retry-after"), clock_now_ms()) : -1;
    int64_t delay_ms = after_ms >= 0 ? after_ms : retry_delay_ms(ticket->tries);
    int64_t left_ms = ticket->deadline_ms - clock_monotonic_ms();
    *again = worth && ticket->tries < RETRY_TRIES && delay_ms < left_ms;
    if (!*again)
        return 0;
    ticket->host->registry->counts.retries++;
    return http_loop_add_timer(ticket->host->registry->loop, delay_ms, on_retry, ticket, fatal);
}

static int take_token(struct ticket *ticket, const struct http_response *response,
                      struct error *why) {
    struct token token = {0};
    if (token_read(response, ticket->server, &token, why) < 0)
        return -1;
    wipe(&ticket->header);
    ticket->header = steal(token.header);
    ticket->good_until_ms = clock_monotonic_ms() + token.life_ms;
    token_clear(&token);
    return 0;
}

static int on_token(void *context, struct http_response *response, const struct error *failed,
                    struct error *fatal) {
    struct ticket *ticket = context;
    bool again = false;
    trace(TRACE_HTTP, "token server %s for %s: %ld%s%s", ticket->server, ticket->path,
          response->status, failed != NULL ? " " : "", failed != NULL ? error_message(failed) : "");
    if (failed == NULL) {
        ticket->host->tokens_silent = false;
        ticket->host->last_token_ms = clock_monotonic_ms();
    }
    if (retry(ticket, response, failed, &again, fatal) < 0)
        return -1;
    if (again)
        return 0;
    if (failed != NULL && error_worth_retry(failed->kind) &&
        ticket->host->last_token_ms < ticket->deadline_ms - ticket->host->timeout_ms)
        ticket->host->tokens_silent = true;
    bool unknown = failed == NULL && (response->status == 404 || response->status == 405);
    if (unknown && ticket->credential.identity_token != NULL &&
        ticket->credential.username != NULL && !ticket->oauth_refused) {
        ticket->oauth_refused = true;
        return ticket_request(ticket, fatal);
    }
    struct error why = {0};
    if (failed != NULL)
        error_set(&why, failed->kind, "the token server %s: %s", ticket->server,
                  error_message(failed));
    else if (take_token(ticket, response, &why) < 0 && why.kind == ERROR_NO_MEMORY)
        return error_move(fatal, &why);
    int result = wake(ticket, why.kind != ERROR_NONE ? &why : NULL, fatal);
    error_clear(&why);
    return result;
}

static int ticket_request(struct ticket *ticket, struct error *fatal) {
    struct registry *registry = ticket->host->registry;
    const struct registry_host *settings = ticket->host->settings;
    struct token_request token = {0};
    ticket->pending = true;
    ticket->tries++;
    if (token_request_make(&ticket->challenge, ticket->path, &ticket->credential,
                           !ticket->oauth_refused, &token, fatal) < 0) {
        token_request_clear(&token);
        return -1;
    }
    const char *headers[] = {token.authorization != NULL ? token.authorization
                             : token.body != NULL
                                 ? "Content-Type: application/x-www-form-urlencoded"
                                 : NULL,
                             NULL};
    int64_t timeout_ms = host_request_timeout_ms(ticket->host, ticket->deadline_ms);
    struct http_request request = {.method = token.body != NULL ? "POST" : "GET",
                                   .url = token.url,
                                   .headers = headers,
                                   .body = token.body,
                                   .body_length = token.body != NULL ? strlen(token.body) : 0,
                                   .body_limit = TOKEN_BODY_LIMIT,
                                   .timeout_ms = timeout_ms > 0 ? timeout_ms : 1,
                                   .proxy =
                                       reference_domain_is_loopback(ticket->server) ? "" : NULL,
                                   .ca_file = settings != NULL ? settings->ca_file : NULL};
    registry->counts.requests++;
    registry->counts.tokens++;
    int result = http_loop_add(registry->loop, &request, on_token, ticket, fatal);
    token_request_clear(&token);
    return result;
}

int grant_header(struct question *question, const char **header, bool *wait, struct error *fatal) {
    struct ticket *ticket = question->grant->ticket;
    *header = question->grant->basic;
    *wait = false;
    if (ticket == NULL)
        return 0;
    *header = ticket->header;
    bool good = ticket->header != NULL && clock_monotonic_ms() < ticket->good_until_ms;
    if (good && !ticket->pending)
        return 0;
    *wait = true;
    question->fresh = true;
    TAILQ_INSERT_TAIL(&ticket->waiting, question, link);
    if (ticket->pending)
        return 0;
    ticket->tries = 0;
    ticket->deadline_ms = question->deadline_ms;
    return ticket_request(ticket, fatal);
}

/* The ticket of that name, or a new one, which takes challenge and credential over. */
static struct ticket *ticket_for(struct question *question, char *key, struct challenge *challenge,
                                 struct credential *credential, const char *server,
                                 struct error *err) {
    struct registry *registry = question->registry;
    struct ticket **found = tfind(&key, &registry->tickets, compare);
    if (found != NULL)
        return *found;
    struct ticket *ticket = calloc(1, sizeof *ticket);
    if (ticket == NULL) {
        error_no_memory(err);
        return NULL;
    }
    *ticket = (struct ticket){.host = question->host};
    TAILQ_INIT(&ticket->waiting);
    ticket->key = string_dup(key, err);
    ticket->server = string_dup(server, err);
    ticket->path = string_dup(question->name.path, err);
    if (ticket->key == NULL || ticket->server == NULL || ticket->path == NULL ||
        tsearch(ticket, &registry->tickets, compare) == NULL) {
        free_ticket(ticket);
        error_no_memory(err);
        return NULL;
    }
    ticket->challenge = *challenge;
    ticket->credential = *credential;
    *challenge = (struct challenge){0};
    *credential = (struct credential){0};
    return ticket;
}

/* What is told if the registry refuses in the end. hidden: there is a credential that this token server may not see. */
static int note_refusal(struct question *question, const struct credential *credential,
                        const char *server, bool hidden, struct error *err) {
    const char *domain = question->name.domain;
    char *words;
    if (hidden)
        words = string_format(err,
                              "its token server %s is another host and was asked without your "
                              "credentials (from %s): if it belongs to the registry, write in "
                              "pingate.yaml: registries: %s: {token_server: \"%s\"}",
                              server, credential->source, domain, server);
    else if (!credential_empty(credential))
        words = string_format(err,
                              "asked with the credentials of %s from %s: log in again, or check "
                              "that the account may pull it",
                              credential->username != NULL ? credential->username : "a token",
                              credential->source);
    else
        words = string_format(err,
                              "asked without credentials, since there are none for %s%s%s: log in "
                              "with `docker login %s`",
                              domain, credential->note != NULL ? "; " : "",
                              credential->note != NULL ? credential->note : "", domain);
    free(question->grant->refusal);
    question->grant->refusal = words;
    return words != NULL ? 0 : -1;
}

/* The registry wants a token. */
static int use_token(struct question *question, struct challenge *challenge,
                     struct credential *credential, struct error *fatal) {
    const struct registry_host *settings = question->host->settings;
    char server[REFERENCE_NAME_LIMIT + 1];
    if (!auth_realm_allowed(challenge->realm, question->url) ||
        !auth_host(challenge->realm, server, sizeof server))
        return answer_words(
            question, fatal, ERROR_AUTH,
            "%s names a token server that must not be asked, since it is not https: "
            "%.200s",
            question->name.domain, challenge->realm);
    bool hidden = !credential_empty(credential) &&
                  !auth_realm_may_see_credentials(challenge->realm, question->url,
                                                  settings != NULL ? settings->token_server : NULL);
    if (note_refusal(question, credential, server, hidden, fatal) < 0)
        return -1;
    if (hidden)
        credential_clear(credential);
    char *key =
        string_format(fatal, "%s\n%s\n%s\n%s\n%s\n%s", question->name.domain, challenge->realm,
                      challenge->service != NULL ? challenge->service : "",
                      challenge->scope != NULL ? challenge->scope : question->name.path,
                      credential->username != NULL ? credential->username : "",
                      credential->source != NULL ? credential->source : "");
    if (key == NULL)
        return -1;
    struct ticket *ticket = ticket_for(question, key, challenge, credential, server, fatal);
    free(key);
    if (ticket == NULL)
        return -1;
    if (ticket->header == NULL && !ticket->pending && question->host->tokens_silent)
        return answer_words(question, fatal, ERROR_NETWORK,
                            "the token server %s did not answer the questions before this one, so "
                            "it was not asked; try later",
                            server);
    if (!ticket->pending && same_header(ticket->header, question->sent_header))
        wipe(&ticket->header); /* it was good once and is so no longer */
    question->grant->ticket = ticket;
    return question_send(question, fatal);
}

static int use_password(struct question *question, const struct credential *credential,
                        bool *refused, struct error *fatal) {
    if (note_refusal(question, credential, NULL, false, fatal) < 0)
        return -1;
    char *header = token_basic_header(credential, fatal);
    if (header == NULL)
        return -1;
    *refused = same_header(header, question->sent_header);
    wipe(&question->grant->basic);
    question->grant->basic = header;
    question->grant->ticket = NULL;
    return *refused ? 0 : question_send(question, fatal);
}

/* The registry has the last word; but a refused HEAD says nothing of why, and some refuse HEAD alone. */
static int give_up(struct question *question, const struct http_response *response,
                   struct error *fatal) {
    if (strcmp(question->method, "HEAD") == 0)
        return question_ask_with_get(question, fatal);
    return answer_status(question, response, fatal);
}

static int ask_as_told(struct question *question, const struct http_response *response,
                       struct challenge *challenge, struct credential *credential,
                       struct error *fatal) {
    if (challenge->bearer && challenge->realm != NULL)
        return use_token(question, challenge, credential, fatal);
    bool refused = true;
    if (challenge->basic && credential->username != NULL && credential->password != NULL) {
        if (use_password(question, credential, &refused, fatal) < 0)
            return -1;
    } else if (note_refusal(question, credential, NULL, false, fatal) < 0) {
        return -1;
    }
    return refused ? give_up(question, response, fatal) : 0;
}

int grant_refused(struct question *question, const struct http_response *response,
                  struct error *fatal) {
    if (question->fresh || ++question->refusals > REFUSALS_LIMIT)
        return give_up(question, response, fatal);
    struct challenge challenge = {0};
    struct credential credential = {0};
    struct error why = {0};
    int result = challenge_parse(response, &challenge, &why);
    if (result == 0)
        result = credentials_find(question->registry->options.credentials, question->name.image,
                                  &credential, &why);
    if (result == 0)
        result = ask_as_told(question, response, &challenge, &credential, fatal);
    else if (why.kind == ERROR_NO_MEMORY || why.kind == ERROR_CANCELLED)
        result = error_move(fatal, &why);
    else
        result = answer_error(question, &why, fatal);
    error_clear(&why);
    challenge_clear(&challenge);
    credential_clear(&credential);
    return result;
}
