/* exit: it has ended, with the code that is wanted, and not for the lack of memory. */
#include <stdio.h>

#include "runners/ready_parts.h"

int ready_wait_exit(struct ready_wait *wait, const struct test_ready *ready, struct error *err) {
    for (;;) {
        bool done;
        if (ready_look(wait, &done, err) < 0)
            return -1;
        if (done) {
            const struct container_state *end = &wait->end;
            if (end->started && !end->oom && end->exit_code == ready->number &&
                end->error[0] == '\0')
                wait->state = READY_YES;
            return 0;
        }
        if (ready_pause(wait, &done, err) < 0)
            return -1;
        if (done)
            return 0;
        snprintf(wait->said, sizeof wait->said, "it still runs");
    }
}
