#include "reports/junit_read.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

/* What is read adds up, and a pass is proven: a test passed, and no word of a failure stands in a tag. */
FUZZ_TARGET(junit_read) {
    struct junit_totals totals;
    struct error err = {0};
    bool read = junit_read((const char *)bytes, size, &totals, &err) == 0;
    fuzz_require(read || err.kind == ERROR_INPUT || err.kind == ERROR_LIMIT);
    if (read) {
        fuzz_require(totals.passed + totals.failed + totals.skipped == totals.tests);
        fuzz_require(totals.flaky <= totals.passed);
        bool passed = totals.outcome == OUTCOME_PASSED || totals.outcome == OUTCOME_FLAKY;
        fuzz_require(passed || totals.outcome == OUTCOME_FAILED);
        fuzz_require(!passed || (totals.passed > 0 && totals.failed == 0 && totals.why == NULL));
        fuzz_require(!passed || memmem(bytes, size, "<failure>", 9) == NULL ||
                     memmem(bytes, size, "<![CDATA[", 9) != NULL ||
                     memmem(bytes, size, "<!--", 4) != NULL ||
                     memmem(bytes, size, "<?", 2) != NULL);
        fuzz_require((totals.outcome == OUTCOME_FLAKY) == (passed && totals.flaky > 0));
    }
    junit_totals_clear(&totals);
    error_clear(&err);
}
