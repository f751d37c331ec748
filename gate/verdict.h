/* verdict: what became of an update, and outcome: what became of one trial. The words of every report.
 */
#pragma once

#include <stdbool.h>

enum verdict {
    VERDICT_UP_TO_DATE,    /* nothing newer that the policy allows */
    VERDICT_PROMOTE,       /* all tests passed: written, or would be */
    VERDICT_REJECT,        /* a test said no */
    VERDICT_HOLD,          /* it may not move, for the reason that the code tells */
    VERDICT_LOOKUP_FAILED, /* could not look: nothing is known */
    VERDICT_COUNT
};

/* Stable codes: machine forms carry the name, people read the reason beside it. */
enum verdict_code {
    CODE_NONE,          /* promote, up-to-date */
    CODE_NO_TAG,        /* hold: the pin says nothing of what it follows */
    CODE_NOT_A_VERSION, /* hold: the tag is no version and the policy needs one */
    CODE_TAG_MISMATCH,  /* hold: the rule's tags.match does not match the tag that is followed */
    CODE_NO_TEST,       /* hold: no test covers it */
    CODE_GATE_CLOSED,   /* hold: passed alone, but another update failed and promote is "all" */
    CODE_NOT_SELECTED,  /* hold: --image names others */
    CODE_NOT_TESTED,    /* hold: its tests could not be run (error), or were cut short */
    CODE_NOT_WRITABLE,  /* hold: one of its files may not be written, found before any test */
    CODE_NOT_WRITTEN,   /* hold: passed, and the files could not be written */
    CODE_REGRESSION,    /* reject: fails on the candidate, passes on the current digest */
    CODE_ALREADY_BROKEN, /* reject: fails on both; hold: that is tolerated, and nothing else passed */
    CODE_TEST_FAILED,    /* reject: fails, and the current digest could not be tried */
    CODE_FAILS_TOGETHER, /* reject: fails only together with others, which the update names */
    CODE_FLAKY, /* reject: a test passed only when it was run again, and `flaky` is "reject" */
    CODE_CHANGE_DENIED, /* reject: what changed in the image is refused by `deny` */
    CODE_UNKNOWN_ENTRY, /* hold: the ledger holds a critical entry of a newer pingate */
    CODE_DENIED,        /* hold: somebody said no */
    CODE_ON_HOLD,       /* hold: the stage, or this image in it, is held */
    CODE_REVOKED,       /* hold: its newest evidence is a failure */
    CODE_NO_EVIDENCE,   /* hold: a test that covers it never passed on it */
    CODE_NOT_OBSERVED,  /* hold: it was not yet seen in the stage before */
    CODE_SOAKING,       /* hold: it has not stood long enough in the stage before */
    CODE_NOT_APPROVED,  /* hold: fewer people approved than the stage asks for */
    CODE_AMBIGUOUS,     /* hold: several values of the stage before could follow */
    CODE_DOWNGRADE,     /* hold: an older version than the one that stands there */
    CODE_DIGEST_GONE,   /* hold: the registry no longer has it */
    CODE_PAUSED,        /* hold: the value that stands there soaks for a later stage */
    CODE_COOLDOWN,      /* hold: not known for long enough */
    CODE_AUTH,          /* lookup-failed: the registry or its token server refused */
    CODE_RATE_LIMIT,    /* lookup-failed: 429 to the end */
    CODE_NETWORK,       /* lookup-failed: no connection, or 5xx to the end */
    CODE_TIMEOUT,       /* lookup-failed: not settled in its time */
    CODE_NOT_FOUND,     /* lookup-failed: no such tag or repository */
    CODE_LIMIT,         /* lookup-failed: an answer or a match beyond a limit of ours */
    CODE_PROTOCOL,      /* lookup-failed: an answer that makes no sense, or lies */
    CODE_IO,            /* lookup-failed: a file of this machine could not be read */
    CODE_COUNT
};

enum outcome {
    OUTCOME_PASSED,
    OUTCOME_FAILED, /* a command said no */
    OUTCOME_FLAKY,  /* passed after it failed */
    OUTCOME_TIMED_OUT,
    OUTCOME_OOM,     /* the memory limit was hit */
    OUTCOME_ERROR,   /* infrastructure: could not tell */
    OUTCOME_SKIPPED, /* was not run, and why */
    OUTCOME_COUNT
};

const char *verdict_name(enum verdict verdict); /* "up-to-date" */
bool verdict_from_name(const char *name, enum verdict *out);
const char *verdict_code_name(enum verdict_code code); /* "no-tag"; "" for CODE_NONE */
bool verdict_code_from_name(const char *name, enum verdict_code *out);
const char *outcome_name(enum outcome outcome); /* "timed-out" */
bool outcome_from_name(const char *name, enum outcome *out);
bool outcome_is_failure(enum outcome outcome); /* failed, timed-out, oom: a test said no */
