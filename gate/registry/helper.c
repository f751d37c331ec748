#include "gate/registry/helper.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/json_read.h"
#include "gate/base/process.h"
#include "gate/base/text.h"

#define NAME_LIMIT 64 /* bytes */

bool helper_name_valid(const char *name) {
    size_t length = strlen(name);
    return length > 0 && length <= NAME_LIMIT && name[0] != '.' && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               length;
}

bool helper_installed(const char *name) {
    const char *at = getenv("PATH");
    while (at != NULL && *at != '\0') {
        struct error err = {0};
        size_t length = strcspn(at, ":");
        char *path = string_format(&err, "%.*s/docker-credential-%s", (int)length, at, name);
        bool found = path != NULL && length > 0 && access(path, X_OK) == 0;
        free(path);
        error_clear(&err);
        if (found)
            return true;
        at += length + (at[length] == ':' ? 1 : 0);
    }
    return false;
}

/* Helpers print their complaints on standard output. What could be an answer is not quoted: it may hold the secret. */
static int tell_failure(const char *program, const struct process_result *result,
                        struct error *err) {
    const char *output = text_string(&result->output);
    size_t length = strcspn(output, "\r\n");
    bool quotable = length > 0 && strchr(output, '{') == NULL;
    _cleanup_(free_pointer) char *why =
        quotable ? string_dup_length(output, length < 200 ? length : 200, err)
                 : process_result_why(result, err);
    if (why == NULL)
        return -1;
    return error_set(err, ERROR_AUTH, "%s failed: %.200s", program, why);
}

static int read_answer(const char *program, const struct text *output, struct credential *out,
                       struct error *err) {
    json_auto_t *root = NULL;
    if (json_read(text_string(output), output->length, 0, &root, NULL, err) < 0)
        return -1;
    const char *username = json_string_value(json_object_get(root, "Username"));
    const char *secret = json_string_value(json_object_get(root, "Secret"));
    if (username == NULL || secret == NULL)
        return error_set(err, ERROR_AUTH, "%s answered without \"Username\" and \"Secret\"",
                         program);
    if (*secret == '\0') /* some helpers say so that they know none */
        return 0;
    if (strcmp(username, "<token>") == 0) {
        out->identity_token = string_dup(secret, err);
        return out->identity_token != NULL ? 0 : -1;
    }
    out->username = string_dup(username, err);
    out->password = string_dup(secret, err);
    return out->username != NULL && out->password != NULL ? 0 : -1;
}

static int take_result(const char *program, const struct process_result *result,
                       struct credential *out, struct error *err) {
    if (result->exit_status == 0)
        return read_answer(program, &result->output, out, err);
    static const char none[] = "credentials not found";
    if (strcasestr(text_string(&result->output), none) != NULL ||
        strcasestr(text_string(&result->error_output), none) != NULL)
        return 0;
    return tell_failure(program, result, err);
}

int helper_ask(const char *name, const char *host, const struct cancel *cancel,
               struct credential *out, struct error *err) {
    *out = (struct credential){0};
    _cleanup_(free_pointer) char *program = string_format(err, "docker-credential-%s", name);
    if (program == NULL)
        return -1;
    const char *url = strcmp(host, "docker.io") == 0 ? "https://index.docker.io/v1/" : host;
    const char *const argv[] = {program, "get", NULL};
    struct process_options options = {.argv = argv,
                                      .input = url,
                                      .input_length = strlen(url),
                                      .timeout_ms = HELPER_TIMEOUT_MS,
                                      .output_limit = HELPER_OUTPUT_LIMIT,
                                      .cancel = cancel};
    struct process_result result = {0};
    int status = process_run(&options, &result, err);
    if (status == 0)
        status = take_result(program, &result, out, err);
    if (result.output.bytes != NULL)
        explicit_bzero(result.output.bytes, result.output.length);
    process_result_clear(&result);
    if (status < 0)
        credential_clear(out);
    return status;
}
