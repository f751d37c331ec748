#include "pipelines/commands/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gate/base/file.h"
#include "gate/base/text.h"
#include "reports/json.h"

#define JSON_LIMIT (256u << 20) /* bytes of a machine form on standard output */

extern const struct command command_init, command_scan, command_status, command_run, command_test,
    command_promote, command_approve, command_deny, command_hold, command_release, command_rollback,
    command_record, command_history, command_report, command_doctor, command_completion;

const struct command *const commands[] = {&command_init,
                                          &command_scan,
                                          &command_status,
                                          &command_run,
                                          &command_test,
                                          &command_promote,
                                          &command_approve,
                                          &command_deny,
                                          &command_hold,
                                          &command_release,
                                          &command_rollback,
                                          &command_record,
                                          &command_history,
                                          &command_report,
                                          &command_doctor,
                                          &command_completion,
                                          NULL};

const struct command *command_find(const char *name) {
    for (const struct command *const *command = commands; *command != NULL; command++)
        if (strcmp((*command)->name, name) == 0)
            return *command;
    return NULL;
}

int command_config(struct invocation *invocation, struct config *config, struct error *err) {
    const char *named = invocation->options.values[OPTION_CONFIG];
    if (named != NULL && config_load(named, config, err) == 0)
        return 0;
    if (named != NULL && err->kind == ERROR_NOT_FOUND)
        return error_set(err, ERROR_USAGE, "--config: %s: no such file", named);
    if (named != NULL)
        return -1;
    _cleanup_(free_pointer) char *usual = file_join(invocation->root, CONFIG_FILE, err);
    if (usual == NULL)
        return -1;
    if (config_load(usual, config, err) == 0)
        return 0;
    struct stat status;
    if (err->kind != ERROR_NOT_FOUND || lstat(usual, &status) == 0) /* a link to nowhere */
        return -1;
    error_clear(err);
    *config = (struct config){0};
    config->file = string_dup(CONFIG_FILE, err);
    return config->file != NULL ? 0 : -1;
}

int command_print(struct invocation *invocation, const struct text *text, struct error *err) {
    if (text_check(text, err) < 0)
        return -1;
    terminal_rest(invocation->terminal);
    if (fwrite(text_string(text), 1, text->length, invocation->out) != text->length ||
        fflush(invocation->out) != 0)
        return error_set(err, ERROR_IO, "standard output could not be written: %s",
                         strerror(errno));
    return 0;
}

int command_print_json(struct invocation *invocation, json_t *take_json, struct error *err) {
    if (take_json == NULL)
        return err->kind != ERROR_NONE ? -1 : error_no_memory(err);
    _cleanup_(text_clear) struct text out = {.ceiling = JSON_LIMIT};
    int result = json_draw(take_json, &out, err);
    json_decref(take_json);
    return result < 0 ? -1 : command_print(invocation, &out, err);
}

const char *command_state(const struct invocation *invocation) {
    const char *named = invocation->options.values[OPTION_STATE];
    if (named == NULL)
        named = getenv(STATE_ENVIRONMENT);
    return named != NULL && *named != '\0' ? named : NULL;
}

char *command_output_folder(const struct invocation *invocation, struct error *err) {
    const char *named = invocation->options.values[OPTION_OUTPUT];
    if (named != NULL)
        return string_dup(named, err);
    return file_join(invocation->root, "pingate-out", err);
}
