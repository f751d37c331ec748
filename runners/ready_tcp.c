/* tcp, http: from the helper in the service's network; where the engine cannot run that, by the service's own shell. */
#include "runners/ready_net.h"

#include <stdio.h>

#include "runners/inside.h"
#include "runners/ready_parts.h"

#define PROBE_MS "1000"      /* between two of them it is asked whether the service still runs */
#define TRY_MS   (20 * 1000) /* of which the engine may take the rest, on a crowded machine */

/* An address that lacks is that of a container that has ended. */
static int lacks_address(struct ready_wait *wait, struct error *err) {
    bool ended;
    if (ready_look(wait, &ended, err) < 0)
        return -1;
    if (ended)
        return 0;
    return error_set(err, ERROR_PROTOCOL, "the engine gave service %s no address in its network",
                     wait->name);
}

int ready_wait_tcp(struct ready_wait *wait, const struct test_ready *ready, struct error *err) {
    char port[24];
    char script[READY_SCRIPT_SIZE];
    if (wait->facts->address == NULL)
        return lacks_address(wait, err);
    snprintf(port, sizeof port, "%lld", (long long)ready->number);
    const char *const inside[] = {INSIDE_PROGRAM, "tcp",    wait->facts->address,
                                  port,           PROBE_MS, NULL};
    ready_tcp_script(ready->number, script, sizeof script);
    const char *const shell[] = {"sh", "-c", script, NULL};
    return wait->probe != NULL ? ready_try_exec(wait, wait->probe, inside, TRY_MS, err)
                               : ready_try_exec(wait, wait->id, shell, 0, err);
}

int ready_wait_http(struct ready_wait *wait, const struct test_ready *ready, struct error *err) {
    char port[24];
    char status[24];
    if (wait->facts->address == NULL)
        return lacks_address(wait, err);
    snprintf(port, sizeof port, "%lld", (long long)ready->number);
    snprintf(status, sizeof status, "%lld", (long long)ready->status);
    const char *const inside[] = {INSIDE_PROGRAM, "http",     wait->facts->address,
                                  port,           wait->name, ready->text,
                                  status,         PROBE_MS,   NULL};
    const char *const shell[] = {"sh",   "-c", READY_HTTP_SCRIPT, "sh", port, ready->text,
                                 status, NULL};
    return wait->probe != NULL ? ready_try_exec(wait, wait->probe, inside, TRY_MS, err)
                               : ready_try_exec(wait, wait->id, shell, 0, err);
}
