#include "tests/fuzz/pins.h"

FUZZ_TARGET(text) {
    fuzz_pins("a.txt", bytes, size);
}
