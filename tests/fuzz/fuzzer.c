/* libFuzzer's entry: PINGATE_FUZZ_TARGET names the target. */
#include <string.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct fuzz_target *chosen;

int LLVMFuzzerInitialize(int *count, char ***arguments) {
    (void)count;
    (void)arguments;
    const char *name = getenv("PINGATE_FUZZ_TARGET");
    chosen = name != NULL ? fuzz_find(name) : NULL;
    if (chosen == NULL) {
        fprintf(stderr, "PINGATE_FUZZ_TARGET must name a target; there are:\n");
        for (const struct fuzz_target *target = fuzz_targets(); target; target = target->next)
            fprintf(stderr, "  %s\n", target->name);
        exit(2);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    chosen->run(bytes, size);
    return 0;
}
