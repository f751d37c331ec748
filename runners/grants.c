#include "runners/grants.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"

const struct grant *grants_find(const struct grants *grants, const char *name, bool secret) {
    for (size_t i = 0; grants != NULL && i < grants->count; i++)
        if (grants->items[i].secret == secret && strcmp(grants->items[i].name, name) == 0)
            return &grants->items[i];
    return NULL;
}

static int check_secret(const char *name, size_t length, struct error *err) {
    if (length < GRANT_SECRET_LEAST)
        return error_set(err, ERROR_LIMIT,
                         "secret %s has %zu bytes: one of fewer than %d cannot be told from other "
                         "text, so nothing could keep it out of logs and reports",
                         name, length, GRANT_SECRET_LEAST);
    if (length > GRANT_SECRET_LIMIT)
        return error_set(err, ERROR_LIMIT, "secret %s has %zu bytes, and %u are the limit", name,
                         length, GRANT_SECRET_LIMIT);
    return 0;
}

int grants_add(struct grants *grants, const char *name, const char *value, size_t length,
               bool secret, struct error *err) {
    size_t count = 0;
    for (size_t i = 0; i < grants->count; i++)
        count += grants->items[i].secret == secret ? 1 : 0;
    if (count == GRANTS_LIMIT)
        return error_set(err, ERROR_LIMIT, "more than %d %s are granted", GRANTS_LIMIT,
                         secret ? "secrets" : "variables");
    if (secret && check_secret(name, length, err) < 0)
        return -1;
    struct grant *grant = array_add(grants, err);
    if (grant == NULL)
        return -1;
    grant->secret = secret;
    grant->length = length;
    grant->name = string_dup(name, err);
    grant->value = string_dup_length(value, length, err);
    return grant->name != NULL && grant->value != NULL ? 0 : -1;
}

int grants_seal(struct grants *grants, struct error *err) {
    bool any = false;
    for (size_t i = 0; i < grants->count; i++)
        any = any || grants->items[i].secret;
    if (!any)
        return 0;
    if (redact_new(&grants->redact, err) < 0)
        return -1;
    for (size_t i = 0; i < grants->count; i++) {
        const struct grant *grant = &grants->items[i];
        if (grant->secret && redact_add(grants->redact, grant->value, grant->length, err) < 0)
            return -1;
    }
    return redact_seal(grants->redact, err);
}

void grants_clear(struct grants *grants) {
    for (size_t i = 0; i < grants->count; i++) {
        struct grant *grant = &grants->items[i];
        if (grant->value != NULL)
            explicit_bzero(grant->value, grant->length);
        free(grant->value);
        free(grant->name);
    }
    free(grants->items);
    redact_freep(&grants->redact);
    *grants = (struct grants){0};
}
