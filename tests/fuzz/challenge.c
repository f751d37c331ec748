#include "gate/registry/auth.h"

#include <string.h>
#include <strings.h>

#include "tests/fuzz/fuzz.h"

/* Lines are headers; what they name as token server is weighed against a registry. */
FUZZ_TARGET(challenge) {
    char *text = fuzz_string(bytes, size);
    struct http_header items[4];
    struct http_response response = {.headers = {.items = items}};
    struct error err = {0};
    struct challenge found = {0};
    for (char *line = text, *end = NULL; line != NULL && response.headers.count < 4; line = end) {
        end = strchr(line, '\n');
        if (end != NULL)
            *end++ = '\0';
        items[response.headers.count++] = (struct http_header){(char *)"WWW-Authenticate", line};
    }
    fuzz_require(challenge_parse(&response, &found, &err) == 0);
    fuzz_require(found.realm == NULL || found.bearer);
    if (found.realm != NULL) {
        char host[300];
        const char *registry = "https://registry.example.com/v2/";
        bool may = auth_realm_may_see_credentials(found.realm, registry, NULL);
        fuzz_require(!may || auth_realm_allowed(found.realm, registry));
        fuzz_require(!may || strncasecmp(found.realm, "https://", 8) == 0);
        if (may) { /* libcurl goes to the host that was weighed */
            char whole[320];
            fuzz_require(auth_host(found.realm, host, sizeof host));
            snprintf(whole, sizeof whole, "https://%s/", host);
            fuzz_require(http_same_origin(found.realm, whole) ||
                         !http_same_origin(found.realm, found.realm));
        }
    }
    challenge_clear(&found);
    error_clear(&err);
    free(text);
}
