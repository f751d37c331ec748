#include "tests/fuzz/pins.h"

FUZZ_TARGET(yaml) {
    fuzz_pins("a.yaml", bytes, size);
}
