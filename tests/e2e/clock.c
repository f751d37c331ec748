/* clock: lets a test say what time it is, in a copy of the program that is built for tests alone.
 *
 *     PINGATE_TEST_NOW=2026-11-25T10:53:00Z    it is this time when the program starts, and goes on from there
 *     PINGATE_TEST_NOW=+3d4h                   the real time and so much; "-1h" before it
 *
 * Without it the time is the real one. Linked with the linker's --wrap (tests/local.mk): clock_now_ms is all that is
 * replaced. What is measured (time-outs, durations) and what engines are told (expiry of what a run leaves) goes on by the
 * real clock. The program that is shipped holds nothing of this. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gate/base/clock.h"

int64_t __real_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void);

static int64_t begun_ms; /* the real time when the program started */

__attribute__((constructor)) static void begin(void) {
    begun_ms = __real_clock_now_ms();
}

/* A test that asks for a time which nobody understands must not go on with another one. */
static _Noreturn void refuse(const char *words) {
    fprintf(stderr, "PINGATE_TEST_NOW=%s: neither 2026-11-25T10:53:00Z nor +3d4h\n", words);
    abort();
}

int64_t __wrap_clock_now_ms(void) {
    const char *words = getenv("PINGATE_TEST_NOW");
    if (words == NULL)
        return __real_clock_now_ms();
    _cleanup_(error_clear) struct error err = {0};
    if (*words == '+' || *words == '-') {
        int64_t offset_ms;
        if (clock_parse_duration(words + 1, &offset_ms, &err) < 0)
            refuse(words);
        return __real_clock_now_ms() + (*words == '+' ? offset_ms : -offset_ms);
    }
    struct tm parts = {0};
    const char *end = strptime(words, "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (end == NULL || *end != '\0')
        refuse(words);
    return (int64_t)timegm(&parts) * 1000 + __real_clock_now_ms() - begun_ms;
}
