#include "pipelines/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "gate/selector.h"

struct index_list {
    size_t *items;
    size_t count;
    size_t capacity;
};

static int add_index(struct index_list *list, size_t index, struct error *err) {
    size_t at = 0;
    while (at < list->count && list->items[at] < index)
        at++;
    if (at < list->count && list->items[at] == index)
        return 0;
    if (array_add(list, err) == NULL)
        return -1;
    memmove(&list->items[at + 1], &list->items[at], (list->count - 1 - at) * sizeof *list->items);
    list->items[at] = index;
    return 0;
}

/* A test for the updates of one stage. */
struct request {
    const struct config *config;
    const struct update_list *updates;
    const struct test *test;
    size_t stage;
};

static bool names_one_of_stage(const struct request *request, const char *in) {
    for (size_t i = 0; i < request->updates->count; i++) {
        const struct update *update = &request->updates->items[i];
        if (update->stage == request->stage && selector_matches(in, update->image, update->tag))
            return true;
    }
    return false;
}

/* The one update that `in` names, of the own stage if there is one. One image with two values, by tag or by digest, is an
 * ambiguity. */
static int find_in(const struct request *request, const char *what, const char *in, int line,
                   size_t *out, struct error *err) {
    const struct config *config = request->config;
    const struct update_list *updates = request->updates;
    const struct test *test = request->test;
    bool own = names_one_of_stage(request, in);
    size_t found = PLAN_NO_SUBJECT;
    for (size_t i = 0; i < updates->count; i++) {
        const struct update *update = &updates->items[i];
        if ((own && update->stage != request->stage) ||
            !selector_matches(in, update->image, update->tag))
            continue;
        if (found != PLAN_NO_SUBJECT)
            return error_set(err, ERROR_CONFIG,
                             "%s:%d: test \"%s\": %s: \"%s\" is pinned with more than one value "
                             "(%s and %s, among others); "
                             "name its tag, or pin it to one digest",
                             config->file, line, test->name, what, in,
                             updates->items[found].tag != NULL ? updates->items[found].tag
                                                               : "no tag",
                             update->tag != NULL ? update->tag : "no tag");
        found = i;
    }
    if (found == PLAN_NO_SUBJECT)
        return error_set(err, ERROR_CONFIG,
                         "%s:%d: test \"%s\": %s: \"%s\" is no pinned image of this project; "
                         "`pingate scan` lists them",
                         config->file, line, test->name, what, in);
    *out = found;
    return 0;
}

/* Fills steps with updates, or PLAN_NO_SUBJECT for commands that run in the subject. */
static int resolve_steps(const struct request *request, size_t *steps, bool *has_subject,
                         struct error *err) {
    const struct test *test = request->test;
    *has_subject = false;
    for (size_t i = 0; i < test->command_count; i++) {
        const struct test_command *command = &test->commands[i];
        const char *in = command->in != NULL ? command->in : test->in;
        steps[i] = PLAN_NO_SUBJECT;
        if (in == NULL)
            *has_subject = true;
        else if (find_in(request, "in", in, command->line, &steps[i], err) < 0)
            return -1;
    }
    return 0;
}

static int resolve_services(const struct request *request, size_t *services, struct error *err) {
    const struct test *test = request->test;
    for (size_t i = 0; i < test->service_count; i++) {
        const struct test_service *service = &test->services[i];
        char what[100];
        snprintf(what, sizeof what, "service %s", service->name);
        if (find_in(request, what, service->image, service->line, &services[i], err) < 0)
            return -1;
    }
    return 0;
}

bool plan_test_covers(const struct test *test, const char *image, const char *tag) {
    if (test->images.count > 0)
        return selector_list_matches(&test->images, image, tag);
    bool uses_in = false;
    for (size_t i = 0; i < test->command_count; i++) {
        const char *in = test->commands[i].in != NULL ? test->commands[i].in : test->in;
        uses_in = uses_in || in != NULL;
        if (in != NULL && selector_matches(in, image, tag))
            return true;
    }
    for (size_t i = 0; i < test->service_count; i++)
        if (selector_matches(test->services[i].image, image, tag))
            return true;
    return !uses_in && test->service_count == 0;
}

static int find_covered(const struct request *request, const size_t *steps, const size_t *services,
                        struct index_list *covered, struct error *err) {
    const struct test *test = request->test;
    bool uses_in = test->service_count > 0;
    for (size_t i = 0; i < test->command_count; i++)
        uses_in = uses_in || steps[i] != PLAN_NO_SUBJECT;
    for (size_t i = 0; i < request->updates->count; i++) {
        const struct update *update = &request->updates->items[i];
        bool covers = test->images.count > 0
                          ? selector_list_matches(&test->images, update->image, update->tag)
                          : !uses_in;
        for (size_t s = 0; test->images.count == 0 && s < test->command_count; s++)
            covers = covers || steps[s] == i;
        for (size_t s = 0; test->images.count == 0 && s < test->service_count; s++)
            covers = covers || services[s] == i;
        if (covers && update->stage == request->stage && add_index(covered, i, err) < 0)
            return -1;
    }
    return 0;
}

static int add_trial(struct plan *plan, const struct test *test, size_t subject,
                     const size_t *steps, const size_t *services, const struct index_list *covers,
                     struct error *err) {
    struct plan_trial *trial = array_add(plan, err);
    if (trial == NULL)
        return -1;
    trial->test = test;
    trial->subject = subject;
    trial->steps = calloc(test->command_count, sizeof *trial->steps);
    trial->services = calloc(test->service_count + 1, sizeof *trial->services);
    if (trial->steps == NULL || trial->services == NULL)
        return error_no_memory(err);
    struct index_list participants = {0};
    struct index_list covered = {0};
    int result = subject != PLAN_NO_SUBJECT ? add_index(&participants, subject, err) : 0;
    for (size_t i = 0; i < test->command_count && result == 0; i++) {
        trial->steps[i] = steps[i] != PLAN_NO_SUBJECT ? steps[i] : subject;
        result = add_index(&participants, trial->steps[i], err);
    }
    for (size_t i = 0; i < test->service_count && result == 0; i++) {
        trial->services[i] = services[i];
        result = add_index(&participants, services[i], err);
    }
    if (subject != PLAN_NO_SUBJECT && result == 0)
        result = add_index(&covered, subject, err);
    for (size_t i = 0; subject == PLAN_NO_SUBJECT && i < covers->count && result == 0; i++)
        result = add_index(&covered, covers->items[i], err);
    /* what a trial covers also takes part: PINGATE_ variables name it */
    for (size_t i = 0; i < covered.count && result == 0; i++)
        result = add_index(&participants, covered.items[i], err);
    trial->participants = participants.items;
    trial->participant_count = participants.count;
    trial->covers = covered.items;
    trial->cover_count = covered.count;
    return result;
}

/* out  any  it covers something of the stage */
static int plan_test(const struct request *request, struct plan *plan, bool *any,
                     struct error *err) {
    const struct test *test = request->test;
    _cleanup_(free_pointer) size_t *steps = calloc(test->command_count + 1, sizeof *steps);
    _cleanup_(free_pointer) size_t *services = calloc(test->service_count + 1, sizeof *services);
    if (steps == NULL || services == NULL)
        return error_no_memory(err);
    bool has_subject;
    if (resolve_steps(request, steps, &has_subject, err) < 0 ||
        resolve_services(request, services, err) < 0)
        return -1;
    struct index_list covered = {0};
    int result = find_covered(request, steps, services, &covered, err);
    *any = *any || covered.count > 0;
    if (result == 0 && !has_subject && covered.count > 0)
        result = add_trial(plan, test, PLAN_NO_SUBJECT, steps, services, &covered, err);
    for (size_t i = 0; has_subject && i < covered.count && result == 0; i++)
        result = add_trial(plan, test, covered.items[i], steps, services, &covered, err);
    free(covered.items);
    return result;
}

/* A test of another stage is not idle: this command is not about that stage. */
static int plan_stages(const struct config *config, const struct update_list *updates,
                       const struct test *test, bool every_test, struct plan *plan,
                       struct error *err) {
    bool asked = false;
    bool any = false;
    for (size_t s = 0; s <= config->stages.count; s++) {
        size_t stage = s < config->stages.count ? s : STAGE_NONE;
        struct request request = {config, updates, test, stage};
        bool here = false;
        for (size_t i = 0; i < updates->count && !here; i++)
            here = updates->items[i].stage == stage;
        if (!here ||
            (!every_test &&
             !stage_runs_test(&config->stages, stage_at(&config->stages, stage), test->name)))
            continue;
        asked = true;
        if (plan_test(&request, plan, &any, err) < 0)
            return -1;
    }
    if (!asked || any)
        return 0;
    _cleanup_(free_pointer) char *warning = string_format(
        err, "%s:%d: test \"%s\" covers no pinned image", config->file, test->line, test->name);
    return warning != NULL ? string_list_add(&plan->warnings, warning, err) : -1;
}

static int warn_of_idle_rules(const struct config *config, const struct update_list *updates,
                              struct plan *plan, struct error *err) {
    for (size_t i = 0; i < config->rules.count; i++) {
        const struct config_rule *rule = &config->rules.items[i];
        bool used = false;
        for (size_t u = 0; u < updates->count && !used; u++)
            used = config_rule_for(config, updates->items[u].image, updates->items[u].tag) == rule;
        if (used)
            continue;
        _cleanup_(free_pointer) char *warning = string_format(
            err, "%s:%d: this rule of updates is the first that matches for no pinned image",
            config->file, rule->line);
        if (warning == NULL || string_list_add(&plan->warnings, warning, err) < 0)
            return -1;
    }
    return 0;
}

int plan_make(const struct config *config, const struct update_list *updates, bool every_test,
              struct plan *plan, struct error *err) {
    *plan = (struct plan){0};
    for (size_t i = 0; i < config->tests.count; i++)
        if (!config->tests.items[i].external &&
            plan_stages(config, updates, &config->tests.items[i], every_test, plan, err) < 0)
            return -1;
    return warn_of_idle_rules(config, updates, plan, err);
}

bool plan_covers(const struct plan *plan, size_t update) {
    for (size_t i = 0; i < plan->count; i++)
        for (size_t c = 0; c < plan->items[i].cover_count; c++)
            if (plan->items[i].covers[c] == update)
                return true;
    return false;
}

bool plan_moves(const struct update *update) {
    return !update->decided && update->candidate_digest != NULL;
}

bool plan_needs(const struct plan_trial *trial, const struct update_list *updates) {
    for (size_t i = 0; i < trial->cover_count; i++)
        if (plan_moves(&updates->items[trial->covers[i]]))
            return true;
    return false;
}

void plan_clear(struct plan *plan) {
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->items[i].steps);
        free(plan->items[i].services);
        free(plan->items[i].participants);
        free(plan->items[i].covers);
    }
    free(plan->items);
    string_list_clear(&plan->warnings);
    *plan = (struct plan){0};
}

static int add_variable(struct trial_spec *spec, const char *name, const char *value,
                        struct error *err) {
    if (value == NULL)
        return 0;
    _cleanup_(free_pointer) char *both = string_format(err, "%s=%s", name, value);
    return both != NULL ? string_list_add(&spec->environment, both, err) : -1;
}

static int add_variables(const struct plan_trial *trial, const struct update_list *updates,
                         const bool *moved, struct trial_spec *spec, struct error *err) {
    size_t shown = trial->subject != PLAN_NO_SUBJECT ? trial->subject
                   : trial->cover_count == 1         ? trial->covers[0]
                                                     : PLAN_NO_SUBJECT;
    if (shown == PLAN_NO_SUBJECT)
        return 0;
    const struct update *update = &updates->items[shown];
    bool new_one = moved[shown] || update->digest == NULL;
    if (add_variable(spec, "PINGATE_IMAGE", update->image, err) < 0 ||
        add_variable(spec, "PINGATE_TAG", new_one ? update->candidate_tag : update->tag, err) < 0 ||
        add_variable(spec, "PINGATE_DIGEST", new_one ? update->candidate_digest : update->digest,
                     err) < 0 ||
        add_variable(spec, "PINGATE_OLD_DIGEST", update->digest, err) < 0)
        return -1;
    return 0;
}

/* The digest that an update has in this question. */
static int fill_image(const struct update_list *updates, size_t at, const bool *moved, char **image,
                      char **tag, char **digest, struct error *err) {
    const struct update *update = &updates->items[at];
    bool new_one = moved[at] || update->digest == NULL;
    return string_copy(update->image, image, err) == 0 &&
                   string_copy(new_one ? update->candidate_tag : update->tag, tag, err) == 0
               ? string_copy(new_one ? update->candidate_digest : update->digest, digest, err)
               : -1;
}

static int fill_step(const struct plan_trial *trial, size_t index,
                     const struct update_list *updates, const bool *moved, struct trial_step *step,
                     struct error *err) {
    step->command = &trial->test->commands[index];
    return fill_image(updates, trial->steps[index], moved, &step->image, &step->tag, &step->digest,
                      err);
}

static int fill_services(const struct plan_trial *trial, const struct update_list *updates,
                         const bool *moved, struct trial_spec *spec, struct error *err) {
    spec->service_count = trial->test->service_count;
    spec->services = calloc(spec->service_count + 1, sizeof *spec->services);
    if (spec->services == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < spec->service_count; i++) {
        struct trial_service *service = &spec->services[i];
        service->service = &trial->test->services[i];
        if (fill_image(updates, trial->services[i], moved, &service->image, &service->tag,
                       &service->digest, err) < 0)
            return -1;
    }
    return 0;
}

int plan_spec(const struct plan_trial *trial, const struct update_list *updates, const bool *moved,
              const char *log_folder, struct trial_spec *spec, struct error *err) {
    *spec = (struct trial_spec){.test = trial->test};
    spec->log_folder = string_dup(log_folder, err);
    spec->steps = calloc(trial->test->command_count, sizeof *spec->steps);
    if (spec->log_folder == NULL || spec->steps == NULL)
        return error_no_memory(err);
    spec->step_count = trial->test->command_count;
    for (size_t i = 0; i < spec->step_count; i++)
        if (fill_step(trial, i, updates, moved, &spec->steps[i], err) < 0)
            return -1;
    if (fill_services(trial, updates, moved, spec, err) < 0)
        return -1;
    struct text title = {0};
    text_add(&title, trial->test->name);
    const char *before = " on ";
    for (size_t i = 0; i < trial->participant_count; i++) {
        const struct update *update = &updates->items[trial->participants[i]];
        const char *tag = moved[trial->participants[i]] ? update->candidate_tag : update->tag;
        text_printf(&title, "%s%s%s%s%s", before, reference_familiar(update->image),
                    tag != NULL ? ":" : "", tag != NULL ? tag : "",
                    moved[trial->participants[i]] ? "" : " (as pinned)");
        before = " + ";
    }
    spec->title = text_steal(&title, err);
    return spec->title != NULL ? add_variables(trial, updates, moved, spec, err) : -1;
}
