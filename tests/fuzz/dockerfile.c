#include "tests/fuzz/pins.h"

FUZZ_TARGET(dockerfile) {
    fuzz_pins("Dockerfile", bytes, size);
}
