#include "gate/verdict.h"

#include <stddef.h>
#include <string.h>

static const char *const verdict_names[VERDICT_COUNT] = {
    [VERDICT_UP_TO_DATE] = "up-to-date",
    [VERDICT_PROMOTE] = "promote",
    [VERDICT_REJECT] = "reject",
    [VERDICT_HOLD] = "hold",
    [VERDICT_LOOKUP_FAILED] = "lookup-failed",
};

static const char *const code_names[CODE_COUNT] = {
    [CODE_NONE] = "",
    [CODE_NO_TAG] = "no-tag",
    [CODE_NOT_A_VERSION] = "not-a-version",
    [CODE_TAG_MISMATCH] = "tag-mismatch",
    [CODE_NO_TEST] = "no-test",
    [CODE_GATE_CLOSED] = "gate-closed",
    [CODE_NOT_SELECTED] = "not-selected",
    [CODE_NOT_TESTED] = "not-tested",
    [CODE_NOT_WRITABLE] = "not-writable",
    [CODE_NOT_WRITTEN] = "not-written",
    [CODE_REGRESSION] = "regression",
    [CODE_ALREADY_BROKEN] = "already-broken",
    [CODE_TEST_FAILED] = "test-failed",
    [CODE_FAILS_TOGETHER] = "fails-together",
    [CODE_FLAKY] = "flaky",
    [CODE_CHANGE_DENIED] = "change-denied",
    [CODE_UNKNOWN_ENTRY] = "unknown-entry",
    [CODE_DENIED] = "denied",
    [CODE_ON_HOLD] = "on-hold",
    [CODE_REVOKED] = "revoked",
    [CODE_NO_EVIDENCE] = "no-evidence",
    [CODE_NOT_OBSERVED] = "not-observed",
    [CODE_SOAKING] = "soaking",
    [CODE_NOT_APPROVED] = "not-approved",
    [CODE_AMBIGUOUS] = "ambiguous",
    [CODE_DOWNGRADE] = "downgrade",
    [CODE_DIGEST_GONE] = "digest-gone",
    [CODE_PAUSED] = "paused",
    [CODE_COOLDOWN] = "cooldown",
    [CODE_AUTH] = "auth",
    [CODE_RATE_LIMIT] = "rate-limit",
    [CODE_NETWORK] = "network",
    [CODE_TIMEOUT] = "timeout",
    [CODE_NOT_FOUND] = "not-found",
    [CODE_LIMIT] = "limit",
    [CODE_PROTOCOL] = "protocol",
    [CODE_IO] = "io",
};

static const char *const outcome_names[OUTCOME_COUNT] = {
    [OUTCOME_PASSED] = "passed",       [OUTCOME_FAILED] = "failed", [OUTCOME_FLAKY] = "flaky",
    [OUTCOME_TIMED_OUT] = "timed-out", [OUTCOME_OOM] = "oom",       [OUTCOME_ERROR] = "error",
    [OUTCOME_SKIPPED] = "skipped",
};

static bool find_name(const char *const *names, int count, const char *name, int *out) {
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

const char *verdict_name(enum verdict verdict) {
    return verdict_names[verdict];
}

bool verdict_from_name(const char *name, enum verdict *out) {
    int found;
    if (!find_name(verdict_names, VERDICT_COUNT, name, &found))
        return false;
    *out = (enum verdict)found;
    return true;
}

const char *verdict_code_name(enum verdict_code code) {
    return code_names[code];
}

bool verdict_code_from_name(const char *name, enum verdict_code *out) {
    int found;
    if (!find_name(code_names, CODE_COUNT, name, &found))
        return false;
    *out = (enum verdict_code)found;
    return true;
}

const char *outcome_name(enum outcome outcome) {
    return outcome_names[outcome];
}

bool outcome_from_name(const char *name, enum outcome *out) {
    int found;
    if (!find_name(outcome_names, OUTCOME_COUNT, name, &found))
        return false;
    *out = (enum outcome)found;
    return true;
}

bool outcome_is_failure(enum outcome outcome) {
    return outcome == OUTCOME_FAILED || outcome == OUTCOME_TIMED_OUT || outcome == OUTCOME_OOM;
}
