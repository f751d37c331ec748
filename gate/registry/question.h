/* question: what the files of the registry client share; nobody else includes it.
 *
 *     registry.c   the queue of each host, requests, redirects, retries, pages
 *     grant.c      who may ask: challenges, tokens, what happens after a 401
 *     blobs.c      manifests by digest, from the index to the image and its configuration
 *     answer.c     what an answer means: digests, and errors in words that a person can act on
 *
 * The life of a question: queued at its host → active (its time runs) → a request is under way, or a timer waits to send it
 * again, or its grant waits for a token → answered, and freed.
 */
#pragma once

#include <sys/queue.h>

#include "gate/base/http.h"
#include "gate/registry/auth.h"
#include "gate/registry/registry.h"
#include "gate/registry/token.h"

enum question_kind { ASK_DIGEST, ASK_TAGS, ASK_BLOBS, ASK_CONFIG };

TAILQ_HEAD(question_queue, question);

struct host {
    struct host *next;
    struct registry *registry;
    char *domain;                         /* as in references */
    char *base;                           /* "https://registry-1.docker.io/v2/" */
    const struct registry_host *settings; /* NULL: the defaults */
    int64_t timeout_ms;                   /* of one question */
    struct question_queue queued;
    size_t active;
    bool pumping; /* host_pump is at work further up */
    bool silent;  /* a question ran out of time or tries, and nothing was answered meanwhile */
    int64_t last_answer_ms; /* monotonic; 0: never */
    bool tokens_silent;     /* the same of its token server */
    int64_t last_token_ms;
    int64_t not_before_ms; /* it asked for a pause: nothing is sent earlier (monotonic) */
};

/* A token for one (host, realm, service, scope, credential), and who waits for it. */
struct ticket {
    char *key;    /* all five */
    char *header; /* "Authorization: Bearer …"; NULL: there is none yet, or it was refused */
    int64_t good_until_ms; /* monotonic */
    bool pending;          /* a request for it is under way, or will be sent again */
    struct host *host;
    char *server; /* host of the realm, for messages */
    char *path;   /* of the repository for which it was first asked */
    struct challenge challenge;
    struct credential credential; /* that goes along; empty: anonymous */
    bool oauth_refused;           /* the token server knows no POST: ask by GET */
    unsigned int tries;
    int64_t deadline_ms; /* of the question that made us ask */
    struct question_queue waiting;
};

/* What one image's questions send along. */
struct grant {
    char *image;
    struct ticket *ticket; /* NULL: none, or it is Basic */
    char *basic;           /* "Authorization: Basic …"; NULL where there is none */
    char *
        refusal; /* what to tell when the registry refuses: which credentials were tried, or why none */
};

struct question {
    TAILQ_ENTRY(question) link; /* in its host's queue, or among a ticket's waiting */
    TAILQ_ENTRY(question) all;
    struct registry *registry;
    struct host *host;
    enum question_kind kind;
    struct reference name;
    char *url;          /* of the request under way */
    bool elsewhere;     /* that is at another origin than the registry's: no credentials there */
    const char *method; /* "HEAD" or "GET" */
    struct grant *grant;
    char *sent_header; /* that the request under way carried; NULL: none */
    bool fresh;        /* that header was got in answer to this very question: a refusal is final */
    unsigned int refusals; /* answers 401 in a row */
    unsigned int tries;
    unsigned int redirects;
    int64_t asked_pause_ms; /* of its last answer's Retry-After; -1: none */
    int64_t deadline_ms;    /* monotonic; from its first request on */
    struct string_list tags;
    size_t pages;
    char *landmark;           /* an earlier page's address: meeting it again is a circle */
    size_t next_landmark;     /* the page at which it is set anew; grows twofold */
    struct platform platform; /* of ASK_BLOBS and ASK_CONFIG */
    bool is_child;            /* name.digest is an image's that an index named */
    struct blob_list
        blobs; /* of ASK_CONFIG: not empty once the configuration itself is asked for */
    registry_on_digest *on_digest;
    registry_on_tags *on_tags;
    registry_on_blobs *on_blobs; /* of ASK_BLOBS; NULL: only the manifest is asked for, on_digest */
    registry_on_config *on_config;
    void *context;
};

struct registry {
    struct registry_options options;
    struct cancel *cancel;
    struct http_loop *loop;
    struct host *hosts;
    TAILQ_HEAD(, question) questions;
    void *grants;  /* tree of struct grant by image (tsearch) */
    void *tickets; /* tree of struct ticket by key */
    struct registry_counts counts;
};

/* All below: -1 only with *fatal set; what fails for one question is its answer. */

/* registry.c */
int question_send(struct question *question, struct error *fatal);
int question_ask_with_get(struct question *question, struct error *fatal);
int64_t host_request_timeout_ms(const struct host *host, int64_t deadline_ms); /* 0: none is left */

/* blobs.c */
int question_on_content(struct question *question, const struct http_response *response,
                        struct error *fatal);

/* grant.c */
struct grant *grant_for(struct registry *registry, const char *image, struct error *err);

/* Sets *header to what the question is to send (NULL: nothing), or *wait when a token must come first: then the question goes
 * on by itself. */
int grant_header(struct question *question, const char **header, bool *wait, struct error *fatal);

/* After a 401: asks for a token, sends again, or answers. */
int grant_refused(struct question *question, const struct http_response *response,
                  struct error *fatal);
void grants_free(struct registry *registry);

/* answer.c: each answers the question, frees it, and lets the next one of the host begin. */
int answer_error(struct question *question, const struct error *why, struct error *fatal);
int answer_words(struct question *question, struct error *fatal, enum error_kind kind,
                 const char *format, ...) _printf_(4, 5);
int answer_status(struct question *question, const struct http_response *response,
                  struct error *fatal);
int answer_pause(struct question *question,
                 struct error *fatal); /* the host's pause is too long for it */
int answer_failure(struct question *question, const struct http_response *response,
                   const struct error *failed, struct error *fatal);
int answer_digest(struct question *question, const struct http_response *response,
                  const char *digest, enum manifest_kind kind, struct error *fatal);
int answer_tags(struct question *question, struct error *fatal);
int answer_blobs(struct question *question, const struct blob_list *blobs, struct error *fatal);
int answer_child(struct question *question, const char *digest, struct error *fatal);
int answer_config(struct question *question, const struct text *config, struct error *fatal);

/* registry.c: takes the question out of all lists, before its callback is called; frees it, and its host goes on. */
void question_take(struct question *question);
int question_end(struct question *question, int result, struct error *fatal);
