/* fuzz: targets that are fed with bytes from anywhere; the same ones replay the seed corpus in `make check`.
 *
 * A target is one file and one line in local.mk:
 *
 *     FUZZ_TARGET(reference) {                    // tests/fuzz/reference.c, seeds in tests/fuzz/corpus/reference/
 *         … bytes, size …
 *         fuzz_require(what must hold);
 *     }
 *
 * tests/fuzz/replay [TARGET [FILE…]]      runs the seeds, or these files; reports in TAP
 * tests/fuzz/run.sh SECONDS [TARGET…]     fuzzes with libFuzzer, that long for each target
 *
 * What a run finds is fixed, and the input becomes a seed with a name that says what it was.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct fuzz_target {
    const char *name; /* also that of its folder of seeds */
    void (*run)(const uint8_t *bytes, size_t size);
    struct fuzz_target *next;
};

void fuzz_register(struct fuzz_target *target);
const struct fuzz_target *fuzz_targets(void); /* in no order */
const struct fuzz_target *fuzz_find(const char *name);

#define FUZZ_TARGET(target)                                                                        \
    static void run_target(const uint8_t *bytes, size_t size);                                     \
    __attribute__((constructor)) static void register_target(void) {                               \
        static struct fuzz_target self = {.name = #target, .run = run_target};                     \
        fuzz_register(&self);                                                                      \
    }                                                                                              \
    static void run_target(const uint8_t *bytes, size_t size)

/* Stops the program, which is how libFuzzer learns of it. */
#define fuzz_require(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The bytes as a string on the heap, cut at the first NUL; never NULL. */
char *fuzz_string(const uint8_t *bytes, size_t size);
