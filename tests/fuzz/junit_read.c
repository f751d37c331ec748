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
    /* the same when suites and cases are kept, and these add up, too */
    struct junit_keep keep = {0};
    struct junit_totals kept;
    size_t tests = 0;
    size_t failed = 0;
    bool again = junit_read_kept((const char *)bytes, size, "f", &keep, &kept, &err) == 0;
    fuzz_require(again == read);
    junit_keep_finish(&keep);
    for (size_t i = 0; again && i < keep.count; i++) {
        tests += keep.items[i].tests;
        failed += keep.items[i].failed + keep.items[i].errors;
        fuzz_require(keep.items[i].case_count <= keep.items[i].tests);
    }
    fuzz_require(!again || (tests == kept.tests && failed == kept.failed));
    junit_totals_clear(&kept);
    junit_keep_clear(&keep);
    error_clear(&err);
}
