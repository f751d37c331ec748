#include "runners/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/trace.h"
#include "runners/command_outcome.h"
#include "runners/engine/network.h"
#include "runners/inside.h"
#include "runners/ready.h"
#include "runners/service_log.h"
#include "runners/service_spec.h"
#include "runners/test_service.h"
#include "runners/trial_container.h"

void service_result_clear(struct service_result *service) {
    command_result_clear(&service->end);
}

/* One service on its way to be ready. */
struct starting {
    const struct trial_run *run;
    const struct trial_spec *spec;
    size_t number;
    struct trial_services *services;
    struct service_result *result;
};

static const struct test_service *service_of(const struct starting *starting) {
    return starting->spec->services[starting->number].service;
}

static int make_network(const struct trial_run *run, const struct trial_spec *spec,
                        struct trial_services *services, struct error *err) {
    if (cancel_check(run->cancel, err) < 0)
        return -1;
    if (network_create(run->cleaner, run->name, run->labels, !spec->test->network,
                       &services->network, err) == 0)
        return 0;
    if (trial_may_have_worked(err))
        trial_network_remove(run, run->name);
    return -1;
}

static int make_container(const struct starting *starting, char **id, struct error *err) {
    const struct trial_run *run = starting->run;
    _cleanup_(free_pointer) char *name =
        string_format(err, "%s-service-%zu", run->name, starting->number + 1);
    json_auto_t *body = name == NULL ? NULL
                                     : service_spec(starting->spec, starting->number,
                                                    starting->services->network, run->labels, err);
    if (body == NULL || cancel_check(run->cancel, err) < 0)
        return -1;
    if (container_create(run->cleaner, name, body, id, err) == 0)
        return 0;
    if (*id == NULL && trial_may_have_worked(err))
        trial_container_remove(run, name);
    return -1;
}

/* The helper that asks from within the network. NULL without an error: the engine cannot run it, and services are asked by their own
 * shell. */
static int need_probe(const struct starting *starting, struct error *err) {
    const struct trial_run *run = starting->run;
    struct trial_services *services = starting->services;
    static const char *const hold[] = {"hold", NULL};
    struct error why = {0};
    if (services->probe != NULL)
        return 0;
    if (inside_check(run->platform, &why) < 0) {
        trace(TRACE_ENGINE, "services are asked by their own shell: %s", error_message(&why));
        error_clear(&why);
        return 0;
    }
    _cleanup_(free_pointer) char *name = string_format(err, "%s-probe", run->name);
    if (name == NULL || cancel_check(run->cancel, err) < 0)
        return -1;
    struct inside_wish wish = {.engine = run->engine,
                               .cleaner = run->cleaner,
                               .labels = run->labels,
                               .name = name,
                               .image = run->service_ids[starting->number],
                               .network = services->network,
                               .words = hold};
    char *id = NULL;
    if (inside_make(&wish, &id, err) < 0) {
        free(id);
        trial_container_remove(run, name);
        return -1;
    }
    services->probe = id;
    return container_start(run->engine, id, err);
}

static void say_not_ready(const struct starting *starting, const struct ready_wait *wait,
                          const struct test_ready *ready) {
    struct command_result *end = &starting->result->end;
    char within[64];
    _cleanup_(text_clear) struct text words = {0};
    _cleanup_(text_clear) struct text awaited = {0};
    ready_words(ready, &awaited);
    clock_duration_words(service_of(starting)->within_ms, within, sizeof within);
    enum outcome outcome = OUTCOME_FAILED;
    if (wait->state == READY_LATE) {
        outcome = OUTCOME_TIMED_OUT;
        text_printf(&words, "not ready within %s: waited for %s", within, text_string(&awaited));
    } else if (wait->state == READY_NEVER) {
        text_printf(&words, "cannot become ready: waited for %s", text_string(&awaited));
    } else {
        outcome = service_outcome_of_end(&wait->end, end, &words);
        text_printf(&words, " before it was ready (waited for %s)", text_string(&awaited));
    }
    if (wait->said[0] != '\0' && wait->state != READY_ENDED)
        text_printf(&words, "; %s", wait->said);
    command_outcome_set(end, outcome, text_string(&words));
}

/* What it is waited for, one after the other. */
static int wait_ready(const struct starting *starting, const struct container_facts *facts,
                      struct error *err) {
    const struct trial_run *run = starting->run;
    const struct test_service *service = service_of(starting);
    const struct running_service *running = &starting->services->items[starting->number];
    struct test_ready by_default;
    ready_default(facts, &by_default);
    const struct test_ready *all = service->ready_count > 0 ? service->ready : &by_default;
    size_t count = service->ready_count > 0 ? service->ready_count : 1;
    struct ready_wait wait = {.engine = run->engine,
                              .other = run->cleaner,
                              .cancel = run->cancel,
                              .id = running->id,
                              .name = service->name,
                              .facts = facts,
                              .deadline_ms = running->started_ms + service->within_ms};
    for (size_t i = 0; i < count; i++) {
        if (ready_needs_probe(all[i].kind) && need_probe(starting, err) < 0)
            return -1;
        wait.probe = starting->services->probe;
        if (ready_wait(&wait, &all[i], err) < 0)
            return -1;
        if (wait.state == READY_YES)
            continue;
        say_not_ready(starting, &wait, &all[i]);
        return 0;
    }
    starting->result->ready_ms = clock_monotonic_ms() - running->started_ms;
    command_outcome_set(&starting->result->end, OUTCOME_PASSED, NULL);
    if (test_service_is_job(service))
        starting->result->end.exit_code = wait.end.exit_code;
    return 0;
}

/* A pass needs that it is the image that was pulled. */
static int prove_image(const struct starting *starting, const char *id, struct error *err) {
    struct container_state state;
    if (container_inspect(starting->run->engine, id, &state, err) < 0)
        return -1;
    return strcmp(state.image, starting->run->service_ids[starting->number]) == 0
               ? 0
               : error_set(err, ERROR_ENGINE,
                           "the container ran another image than the one that was pulled");
}

/* Whatever the engine makes of the image's. */
static int take_own_check(const struct test_service *service, struct container_facts *facts,
                          struct error *err) {
    if (service->health.argv == NULL)
        return 0;
    string_list_clear(&facts->health);
    for (char **word = service->health.argv; *word != NULL; word++)
        if (string_list_add(&facts->health, *word, err) < 0)
            return -1;
    return 0;
}

static int start_one(const struct starting *starting, struct error *err) {
    const struct trial_run *run = starting->run;
    struct running_service *running = &starting->services->items[starting->number];
    if (make_container(starting, &running->id, err) < 0)
        return -1;
    running->started_ms = clock_monotonic_ms();
    if (container_start(run->engine, running->id, err) < 0) {
        if (err->kind == ERROR_CANCELLED)
            return -1;
        command_outcome_of_start(run->cleaner, running->id, err, &starting->result->end);
        error_clear(err);
        return 0;
    }
    running->started = true;
    _cleanup_(container_facts_clear) struct container_facts facts = {0};
    if (prove_image(starting, running->id, err) < 0 ||
        container_facts_get(run->engine, running->id, run->name, &facts, err) < 0)
        return -1;
    if (take_own_check(service_of(starting), &facts, err) < 0)
        return -1;
    return wait_ready(starting, &facts, err);
}

static int prepare(const struct trial_spec *spec, struct trial_result *result,
                   struct trial_services *services, struct error *err) {
    size_t count = spec->service_count;
    services->items = calloc(count, sizeof *services->items);
    result->services = calloc(count, sizeof *result->services);
    if (services->items == NULL || result->services == NULL)
        return error_no_memory(err);
    services->count = count;
    result->service_count = count;
    for (size_t i = 0; i < count; i++) {
        result->services[i].ready_ms = -1;
        result->services[i].end.exit_code = -1;
        command_outcome_set(&result->services[i].end, OUTCOME_SKIPPED,
                            "not started: a service before it did not get ready");
    }
    return 0;
}

int trial_services_start(const struct trial_run *run, const struct trial_spec *spec,
                         struct trial_result *result, struct trial_services *services,
                         struct error *err) {
    *services = (struct trial_services){0};
    if (spec->service_count == 0)
        return 0;
    if (prepare(spec, result, services, err) < 0)
        return -1;
    int status = make_network(run, spec, services, err);
    for (size_t i = 0; i < spec->service_count; i++) {
        struct starting starting = {run, spec, i, services, &result->services[i]};
        if (status == 0)
            status = start_one(&starting, err);
        if (status < 0) {
            command_outcome_of_error(err, &result->services[i].end);
            if (err->kind == ERROR_CANCELLED)
                return -1;
            error_clear(err);
        }
        if (result->services[i].end.outcome != OUTCOME_PASSED)
            break;
    }
    return 0;
}

const struct service_result *trial_services_failed(const struct trial_result *result) {
    for (size_t i = 0; i < result->service_count; i++)
        if (result->services[i].end.outcome != OUTCOME_PASSED &&
            result->services[i].end.outcome != OUTCOME_SKIPPED)
            return &result->services[i];
    return NULL;
}

bool trial_services_ready(const struct trial_result *result) {
    for (size_t i = 0; i < result->service_count; i++)
        if (result->services[i].end.outcome != OUTCOME_PASSED)
            return false;
    return true;
}

/* How one that was ready fared until the commands were over. */
static void look_after(const struct trial_run *run, const struct test_service *service,
                       const struct running_service *running, struct service_result *result) {
    struct container_state state;
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(text_clear) struct text words = {0};
    if (container_inspect(run->cleaner, running->id, &state, &err) < 0) {
        error_wrap(&err, "nobody knows whether it ran to the end");
        command_outcome_of_error(&err, &result->end);
        return;
    }
    bool ended = !state.running;
    if (!state.oom && (!ended || service->may_end || test_service_is_job(service))) {
        result->end.exit_code = ended ? state.exit_code : -1;
        return;
    }
    enum outcome outcome = service_outcome_of_end(&state, &result->end, &words);
    text_add(&words, " while the commands ran");
    command_outcome_set(&result->end, outcome, text_string(&words));
}

/* Its program is not in the image: the container started, and its first process says so on standard error. */
static void say_if_not_started(struct service_result *service) {
    char words[300];
    char reason[400];
    int code = service->end.exit_code;
    if (service->end.outcome != OUTCOME_FAILED || (code != 1 && code != 126 && code != 127) ||
        !command_outcome_init_failed(&service->end.err_tail, words, sizeof words))
        return;
    snprintf(reason, sizeof reason, "could not be started: %s", words);
    command_outcome_set(&service->end, OUTCOME_FAILED, reason);
}

void trial_services_finish(const struct trial_run *run, const struct trial_spec *spec,
                           struct trial_result *result, struct trial_services *services,
                           bool cancelled) {
    for (size_t i = 0; i < services->count && !cancelled; i++) {
        const struct running_service *running = &services->items[i];
        struct service_result *service = &result->services[i];
        if (!running->started)
            continue;
        service->end.duration_ms = clock_monotonic_ms() - running->started_ms;
        if (service->end.outcome == OUTCOME_PASSED)
            look_after(run, spec->services[i].service, running, service);
        service_log_read(run, spec, spec->services[i].service, running->id, &service->end);
        say_if_not_started(service);
    }
}

static void remove_container(const struct trial_run *run, const char *id, bool keep) {
    if (id != NULL && !keep)
        trial_container_remove(run, id);
    else if (id != NULL)
        trial_container_leave(run, id);
}

void trial_services_remove(const struct trial_run *run, struct trial_services *services,
                           bool keep) {
    for (size_t i = services->count; i > 0; i--) {
        remove_container(run, services->items[i - 1].id, keep);
        free(services->items[i - 1].id);
    }
    remove_container(run, services->probe, keep);
    if (services->network != NULL && !keep)
        trial_network_remove(run, services->network);
    else if (services->network != NULL && run->on_kept != NULL)
        run->on_kept(run->context, "network", services->network);
    free(services->items);
    free(services->probe);
    free(services->network);
    *services = (struct trial_services){0};
}
