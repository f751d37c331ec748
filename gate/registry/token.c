#include "gate/registry/token.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/base64.h"
#include "gate/base/json_read.h"
#include "gate/registry/retry.h"

static void wipe(char *secret) {
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void token_request_clear(struct token_request *request) {
    free(request->url);
    wipe(request->authorization);
    wipe(request->body);
    *request = (struct token_request){0};
}

void token_clear(struct token *token) {
    wipe(token->header);
    *token = (struct token){0};
}

static char *basic(const char *user, const char *secret, struct error *err) {
    char *both = string_format(err, "%s:%s", user, secret);
    struct text header = {0};
    if (both == NULL)
        return NULL;
    text_add(&header, "Authorization: Basic ");
    base64_encode(&header, both, strlen(both), false);
    wipe(both);
    return text_steal(&header, err);
}

char *token_basic_header(const struct credential *credential, struct error *err) {
    return basic(credential->username != NULL ? credential->username : "",
                 credential->password != NULL ? credential->password : "", err);
}

static int add_escaped(struct text *out, const char *name, const char *value, struct error *err) {
    char *escaped = http_escape(value, err);
    if (escaped == NULL)
        return -1;
    text_printf(out, "%s%s", name, escaped);
    wipe(escaped);
    return 0;
}

/* "service=…&scope=…"; the scope is the registry's own word, else what a pull needs. */
static int add_question(struct text *out, const struct challenge *challenge, const char *path,
                        struct error *err) {
    _cleanup_(free_pointer) char *scope = challenge->scope != NULL
                                              ? string_dup(challenge->scope, err)
                                              : string_format(err, "repository:%s:pull", path);
    if (scope == NULL || add_escaped(out, "scope=", scope, err) < 0)
        return -1;
    return challenge->service != NULL && *challenge->service != '\0'
               ? add_escaped(out, "&service=", challenge->service, err)
               : 0;
}

static int make_post(const struct challenge *challenge, const char *path,
                     const struct credential *credential, struct token_request *out,
                     struct error *err) {
    struct text body = {0};
    text_add(&body, "grant_type=refresh_token&client_id=pingate&");
    int result = add_question(&body, challenge, path, err);
    if (result == 0)
        result = add_escaped(&body, "&refresh_token=", credential->identity_token, err);
    if (result == 0) {
        out->url = string_dup(challenge->realm, err);
        out->body = text_steal(&body, err);
        result = out->url != NULL && out->body != NULL ? 0 : -1;
    }
    text_clear(&body);
    return result;
}

int token_request_make(const struct challenge *challenge, const char *path,
                       const struct credential *credential, bool oauth, struct token_request *out,
                       struct error *err) {
    *out = (struct token_request){0};
    if (credential->identity_token != NULL && oauth)
        return make_post(challenge, path, credential, out, err);
    const char *secret =
        credential->identity_token != NULL ? credential->identity_token : credential->password;
    if (secret != NULL && credential->username != NULL) {
        out->authorization = basic(credential->username, secret, err);
        if (out->authorization == NULL)
            return -1;
    }
    _cleanup_(text_clear) struct text url = {0};
    text_printf(&url, "%s%s", challenge->realm, strchr(challenge->realm, '?') != NULL ? "&" : "?");
    if (add_question(&url, challenge, path, err) < 0)
        return -1;
    out->url = text_steal(&url, err);
    return out->url != NULL ? 0 : -1;
}

/* What can stand in a header: no blank, no control character, nothing that would begin another one. */
static bool can_be_sent(const char *token) {
    for (const char *at = token; *at != '\0'; at++)
        if ((unsigned char)*at <= 0x20 || (unsigned char)*at >= 0x7f)
            return false;
    return *token != '\0';
}

static int64_t life_of(const json_t *expires_in) {
    double seconds = json_number_value(expires_in); /* some servers write 3600.0 */
    int64_t life_ms = TOKEN_LIFE_MS;
    if (json_is_number(expires_in) && seconds > 0)
        life_ms = seconds < TOKEN_LONGEST_LIFE_MS / 1000.0 ? (int64_t)(seconds * 1000)
                                                           : TOKEN_LONGEST_LIFE_MS;
    return life_ms > 2 * TOKEN_EARLY_MS ? life_ms - TOKEN_EARLY_MS : life_ms / 2;
}

static int refuse(const struct http_response *response, const char *server, struct error *err) {
    long status = response->status;
    if (status == 401 || status == 403)
        return error_set(err, ERROR_AUTH, "the token server %s refused with %ld", server, status);
    if (status == 429)
        return error_set(err, ERROR_RATE_LIMIT,
                         "the token server %s answered 429, too many requests; try later", server);
    if (retry_status(status))
        return error_set(err, ERROR_NETWORK, "the token server %s answered %ld; try later", server,
                         status);
    return error_set(err, ERROR_PROTOCOL, "the token server %s answered %ld without a token",
                     server, status);
}

int token_read(const struct http_response *response, const char *server, struct token *out,
               struct error *err) {
    *out = (struct token){0};
    if (response->status != 200)
        return refuse(response, server, err);
    json_auto_t *root = NULL;
    if (json_read(text_string(&response->body), response->body.length, 0, &root, NULL, err) < 0)
        return -1;
    const char *value = json_string_value(json_object_get(root, "token"));
    if (value == NULL || *value == '\0')
        value = json_string_value(json_object_get(root, "access_token"));
    if (value == NULL)
        return refuse(response, server, err);
    if (!can_be_sent(value))
        return error_set(err, ERROR_PROTOCOL,
                         "the token server %s gave a token with characters that no token has",
                         server);
    out->header = string_format(err, "Authorization: Bearer %s", value);
    out->life_ms = life_of(json_object_get(root, "expires_in"));
    return out->header != NULL ? 0 : -1;
}
