#include "gate/registry/credentials.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

/* A configuration of docker. Helpers are never run here: PATH is empty. */
FUZZ_TARGET(credentials) {
    static const char *const images[] = {"docker.io/library/redis", "registry.example.com/team/app",
                                         "127.0.0.1:5000/app", "registry.example.com"};
    struct credentials *credentials = NULL;
    struct error err = {0};
    setenv("PATH", "/nonexistent", 1);
    if (credentials_parse("config.json", (const char *)bytes, size, &credentials, &err) < 0) {
        fuzz_require(err.kind == ERROR_INPUT);
        error_clear(&err);
        return;
    }
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        struct credential found;
        if (credentials_find(credentials, images[i], &found, &err) == 0)
            fuzz_require(credential_empty(&found) == (found.source == NULL));
        else
            fuzz_require(err.kind == ERROR_AUTH && credential_empty(&found));
        error_clear(&err);
        credential_clear(&found);
    }
    for (const char *const *host = credentials_hosts(credentials); *host != NULL; host++)
        fuzz_require(strlen(*host) < size);
    credentials_free(credentials);
}
