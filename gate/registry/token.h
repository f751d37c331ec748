/* token: how a token server is asked, and what its answer is worth; pure.
 *
 * With a user's name and password: GET realm?service=…&scope=… with Basic. With an identity token: POST realm with
 * grant_type=refresh_token (OAuth 2). With neither: GET, anonymously. The answer holds the token as "token" or "access_token",
 * and its life in seconds as "expires_in"; 60 where that lacks.
 *   src  distribution, "Token Authentication Specification" and "… using OAuth 2"
 */
#pragma once

#include <stdint.h>

#include "gate/registry/auth.h"
#include "gate/registry/credentials.h"

#define TOKEN_BODY_LIMIT      (64u << 10) /* bytes of a token server's answer */
#define TOKEN_LIFE_MS         60000       /* of a token whose answer does not tell */
#define TOKEN_LONGEST_LIFE_MS 86400000    /* no answer is believed for longer than a day */
#define TOKEN_EARLY_MS        5000        /* it is renewed so long before it ends, … */

/* A request as it goes out; all of it may be secret. */
struct token_request {
    char *url;
    char *authorization; /* "Authorization: Basic …"; NULL: none */
    char *body;          /* of a POST; NULL: a GET */
};

/* in   credential  empty: anonymous
 *      oauth       the identity token goes out by POST; false: as the password of a GET, for servers that know no OAuth
 */
int token_request_make(const struct challenge *challenge, const char *path,
                       const struct credential *credential, bool oauth, struct token_request *out,
                       struct error *err) _must_check_;
void token_request_clear(struct token_request *request); /* wipes it */

/* The credential as "Authorization: Basic …". NULL with *err set. */
char *token_basic_header(const struct credential *credential, struct error *err) _must_check_;

struct token {
    char *header; /* "Authorization: Bearer …" */
    int64_t
        life_ms; /* it is good for so long from now on; already shortened by what it is renewed early */
};

/* in   response  of a token server, complete
 *      server    its name, for messages
 * err  auth  401, 403;  rate-limit  429;  network  5xx;  protocol  anything else that holds no token that could be sent
 */
int token_read(const struct http_response *response, const char *server, struct token *out,
               struct error *err) _must_check_;
void token_clear(struct token *token); /* wipes it */
