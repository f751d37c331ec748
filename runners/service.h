/* service: what runs beside the commands of a trial: a network of the trial's own, and one container for each service in it.
 *
 *     struct trial_services services = {0};
 *     trial_services_start(run, spec, result, &services, err);     one after the other, each until it is ready
 *     if (trial_services_ready(result)) …                          the commands run
 *     trial_services_finish(run, spec, result, &services);         always: looks how they fared, reads their logs, removes
 *
 * The network is `internal` unless the test says `network: bridge`: from it nothing but itself is reached. Commands join it, so they see
 * services by name. What tcp and http probes need is a helper container (inside.h), made when the first of them is asked for.
 *
 * A service that ends before it is ready fails the trial at once. One that ends while commands run fails it too, whatever the commands
 * said: a test that passes over a crashed service has not seen what it was to see. Not so for a job (`ready: {exit: 0}`) and
 * where the test says `may_end`. An engine that cannot tell is an error, and no pass.
 */
#pragma once

#include "runners/engine/container_facts.h"
#include "runners/trial_run.h"

/* One of them, while the trial is on its way. */
struct running_service {
    char *id; /* of its container; NULL: there is none */
    bool started;
    int64_t started_ms; /* of clock_monotonic_ms */
};

struct trial_services {
    char *network; /* id; NULL: there is none */
    char *probe;   /* container; NULL: there is none */
    struct running_service *items;
    size_t count;
};

/* Fills result->services, each with an outcome.
 *   err  cancelled; everything else is an outcome */
int trial_services_start(const struct trial_run *run, const struct trial_spec *spec,
                         struct trial_result *result, struct trial_services *services,
                         struct error *err) _must_check_;

/* All of them are ready; also when there are none. */
bool trial_services_ready(const struct trial_result *result);

/* The first that did not do what it should; NULL when there is none. */
const struct service_result *trial_services_failed(const struct trial_result *result);

/* Looks at those that should run still, reads all logs, and removes containers and network.
 *   in  cancelled  nothing is looked at any more, for the lack of time
 *       keep       what was made stays, stopped */
void trial_services_finish(const struct trial_run *run, const struct trial_spec *spec,
                           struct trial_result *result, struct trial_services *services,
                           bool cancelled);

/* After the look of trial_services_finish: removes, or keeps, what was made. */
void trial_services_remove(const struct trial_run *run, struct trial_services *services, bool keep);

void service_result_clear(struct service_result *service);
