/* auth: what a registry asks for before it answers (WWW-Authenticate), and where credentials may go.
 *
 *     header    = challenge *( "," challenge )
 *     challenge = scheme [ parameter *( "," parameter ) ]
 *     parameter = name "=" ( word | quoted-string )
 *   src  RFC 9110, section 11; distribution "token authentication"
 */
#pragma once

#include "gate/base/http.h"

struct challenge {
    bool bearer;   /* a Bearer challenge was there */
    bool basic;    /* a Basic challenge was there */
    char *realm;   /* of Bearer: address of the token server */
    char *service; /* of Bearer; NULL where there is none */
    char *scope;   /* of Bearer; NULL where there is none */
};

/* All WWW-Authenticate headers of an answer; unknown schemes are passed over. */
int challenge_parse(const struct http_response *response, struct challenge *out,
                    struct error *err) _must_check_;
void challenge_clear(struct challenge *challenge);

/* Whether a token server may be asked at all (https, or plain http on loopback beside a registry on loopback), and whether
 * it may see the registry's credentials (the same host, or the same last two labels of its name). */
bool auth_realm_allowed(const char *realm, const char *registry_url);
bool auth_realm_may_see_credentials(const char *realm, const char *registry_url);
