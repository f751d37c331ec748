#include "reports/result.h"

/* The texts of a struct, in a list. */
static int redact_all(const struct redact *redact, char **const *texts, size_t count,
                      struct error *err) {
    for (size_t i = 0; i < count; i++)
        if (redact_string(redact, texts[i], err) < 0)
            return -1;
    return 0;
}

#define REDACT(...)                                                                                \
    redact_all(redact, (char **const[]){__VA_ARGS__},                                              \
               sizeof((char **const[]){__VA_ARGS__}) / sizeof(char **), err)

static int redact_list(const struct redact *redact, struct string_list *list, struct error *err) {
    for (size_t i = 0; i < list->count; i++)
        if (redact_string(redact, &list->items[i], err) < 0)
            return -1;
    return 0;
}

static int redact_suite(const struct redact *redact, struct result_suite *suite,
                        struct error *err) {
    if (REDACT(&suite->file, &suite->name) < 0)
        return -1;
    for (size_t i = 0; i < suite->case_count; i++) {
        struct result_case *c = &suite->cases[i];
        if (REDACT(&c->classname, &c->name, &c->message, &c->detail) < 0)
            return -1;
    }
    return 0;
}

static int redact_trial(const struct redact *redact, struct result_trial *trial,
                        struct error *err) {
    if (REDACT(&trial->reason) < 0 || redact_list(redact, &trial->attempt_reasons, err) < 0)
        return -1;
    for (size_t i = 0; i < trial->command_count; i++) {
        struct result_command *c = &trial->commands[i];
        if (REDACT(&c->text, &c->reason, &c->out_tail, &c->err_tail, &c->reproduce,
                   &c->difference) < 0)
            return -1;
    }
    for (size_t i = 0; i < trial->service_count; i++) {
        struct result_service *s = &trial->services[i];
        if (REDACT(&s->reason, &s->out_tail, &s->err_tail) < 0)
            return -1;
    }
    struct result_build *build = trial->build;
    if (build != NULL && REDACT(&build->reason, &build->step, &build->tail) < 0)
        return -1;
    for (size_t i = 0; i < trial->suite_count; i++)
        if (redact_suite(redact, &trial->suites[i], err) < 0)
            return -1;
    return 0;
}

int result_redact(struct result *result, const struct redact *redact, struct error *err) {
    if (redact == NULL)
        return 0;
    for (size_t i = 0; i < result->update_count; i++) {
        struct result_update *update = &result->updates[i];
        if (REDACT(&update->reason, &update->reproduce) < 0)
            return -1;
        for (size_t k = 0; k < update->tried_count; k++)
            if (REDACT(&update->tried[k].reason) < 0)
                return -1;
    }
    for (size_t i = 0; i < result->trial_count; i++)
        if (redact_trial(redact, &result->trials[i], err) < 0)
            return -1;
    for (size_t i = 0; i < result->stage_count; i++)
        if (REDACT(&result->stages[i].reason) < 0)
            return -1;
    return redact_list(redact, &result->warnings, err) < 0
               ? -1
               : redact_list(redact, &result->errors, err);
}
