/* auth: what a registry asks for before it answers (WWW-Authenticate), and where credentials may go; pure.
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

/* All WWW-Authenticate headers of an answer; unknown schemes are passed over, of several Bearer challenges the first counts. */
int challenge_parse(const struct http_response *response, struct challenge *out,
                    struct error *err) _must_check_;
void challenge_clear(struct challenge *challenge);

/* The host of an address, with its port where there is one ("auth.example.com:5001"); false when there is none, or anything
 * that two readers of addresses could take for different hosts, such as a user's name before it. size: of out. */
bool auth_host(const char *url, char *out, size_t size);

/* Whether a token server may be asked at all: by https; by plain http only when the registry is spoken to by plain http itself,
 * and the token server is the same host or a loopback one. */
bool auth_realm_allowed(const char *realm, const char *registry_url);

/* Whether a token server may see what the user stored for the registry. It is the registry that names its token server, so
 * whoever can change one answer of the registry would else choose who gets the password. May:
 *
 *   - the registry's own host, on any port
 *   - a host above or below it ("gitlab.example.com" for "registry.gitlab.example.com", and the other way round)
 *   - a pair that is known (auth.c): auth.docker.io for Docker Hub
 *   - the host that the user named: registries: HOST: {token_server: …}
 *
 * Two hosts below one domain are not enough, since nobody can tell "example.co.uk" from "co.uk" without a list of suffixes
 * that changes every week.
 *
 *   in  trusted  host, with or without port, that the user named; may be NULL
 */
bool auth_realm_may_see_credentials(const char *realm, const char *registry_url,
                                    const char *trusted);
