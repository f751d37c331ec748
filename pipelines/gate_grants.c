/* What tests ask the caller for, and what he grants on the command line. */
#include <stdlib.h>
#include <string.h>

#include "gate/base/file.h"
#include "pipelines/gate.h"

/* Whether an option grants that name. file: behind "="; NULL where there is none */
static bool granted(const struct string_list *options, const char *name, const char **file) {
    size_t length = strlen(name);
    for (size_t i = 0; options != NULL && i < options->count; i++) {
        const char *option = options->items[i];
        if (strncmp(option, name, length) != 0 || (option[length] != '\0' && option[length] != '='))
            continue;
        *file = option[length] == '=' ? option + length + 1 : NULL;
        return true;
    }
    return false;
}

static int refuse(const struct gate *gate, const struct test *test, const char *name, bool secret,
                  struct error *err) {
    if (secret)
        return error_set(err, ERROR_USAGE,
                         "%s:%d: test \"%s\" asks for the secret %s, which you did not grant: add "
                         "--allow-secret %s to hand over that variable of your environment, or "
                         "--allow-secret %s=FILE",
                         gate->config->file, test->line, test->name, name, name, name);
    return error_set(err, ERROR_USAGE,
                     "%s:%d: test \"%s\" asks for %s of your environment, which you did not grant: "
                     "add --allow-env %s",
                     gate->config->file, test->line, test->name, name, name);
}

static int read_file(const char *name, const char *file, struct text *value, struct error *err) {
    if (*file == '\0')
        return error_set(err, ERROR_USAGE, "--allow-secret %s=: no file is named", name);
    if (file_read(file, GRANT_SECRET_LIMIT, value, err) < 0) {
        err->kind = ERROR_USAGE;
        return error_wrap(err, "--allow-secret %s=%s", name, file);
    }
    return 0;
}

/* What CI systems have no value for is lacking or empty, which is the same to whoever looks for the reason. */
static int read_variable(const char *name, bool secret, struct text *value, struct error *err) {
    const char *own = getenv(name);
    if (own == NULL || (secret && *own == '\0'))
        return error_set(err, ERROR_USAGE,
                         "--allow-%s %s: your environment has no %s, or an empty one; CI systems "
                         "hide secrets from pull requests of forks",
                         secret ? "secret" : "env", name, name);
    text_add(value, own);
    return text_check(value, err);
}

static int take(struct gate *gate, const struct test *test, const char *name, bool secret,
                struct error *err) {
    const char *file = NULL;
    if (grants_find(&gate->grants, name, secret) != NULL)
        return 0;
    if (!granted(secret ? gate->options->allow_secrets : gate->options->allow_env, name, &file))
        return refuse(gate, test, name, secret, err);
    struct text value = {0};
    int result = file != NULL && secret ? read_file(name, file, &value, err)
                                        : read_variable(name, secret, &value, err);
    if (result == 0 &&
        (result = grants_add(&gate->grants, name, text_string(&value), value.length, secret, err)) <
            0 &&
        err->kind == ERROR_LIMIT) {
        err->kind = ERROR_USAGE;
        error_wrap(err, "--allow-%s %s", secret ? "secret" : "env", name);
    }
    if (value.bytes != NULL)
        explicit_bzero(value.bytes, value.length);
    text_clear(&value);
    return result;
}

int gate_take_grants(struct gate *gate, struct error *err) {
    for (size_t i = 0; i < gate->plan.count; i++) {
        const struct test *test = gate->plan.items[i].test;
        for (size_t e = 0; e < test->environment_from.count; e++)
            if (take(gate, test, strchr(test->environment_from.items[e], '=') + 1, false, err) < 0)
                return -1;
        for (size_t s = 0; s < test->secrets.count; s++)
            if (take(gate, test, test->secrets.items[s].name, true, err) < 0)
                return -1;
    }
    return grants_seal(&gate->grants, err);
}
