/* markdown_parts: private to markdown*.c. Pieces that the report is made of.
 */
#pragma once

#include "gate/base/text.h"
#include "reports/result.h"

#define MARKDOWN_NAME_LIMIT 120u /* bytes of an image, file or test name */
/* bytes of a reason in a row; the failure below tells it whole */
#define MARKDOWN_REASON_LIMIT 300u

/* How much is told; markdown.c has the steps from all to least. */
struct markdown_detail {
    bool passes; /* the folded list of what passed */
    bool diff;
    size_t tail_lines; /* of each stream of a failed command */
    size_t tail_bytes;
    size_t failures; /* that are told in full */
    size_t rows;     /* of updates, worst first */
    size_t messages; /* warnings, and errors */
    bool current;    /* the folded list of what is up to date */
    size_t changes;  /* updates of which is told what changed in the image */
    size_t cases;    /* tests from inside that are named, of each trial */
    const char *cut; /* what this step leaves out, in words; NULL for nothing */
};

void markdown_words(struct text *out, const char *words, size_t limit); /* cut, cleaned */
void markdown_code(struct text *out, const char *words, size_t limit); /* the same in a code span */

/* `redis`, `7.2.4@0123456789ab` */
void markdown_image(struct text *out, const struct result_update *update);
void markdown_version(struct text *out, const char *tag, const char *digest);

/* "1 m 12 s" */
void markdown_duration(struct text *out, int64_t duration_ms);

/* "3 files (12 kB) in `artifacts/001-answers`: `build/report/index.html`, `out.txt` and 1 more" */
void markdown_artifacts(struct text *out, const struct result_trial *trial);

/* The case that failed, and its message, on one line. */
void markdown_case(struct text *out, const struct result_case *of);

/* What changed in the images of the candidates, a line for each; what is denied first. */
void markdown_changes(const struct result *result, size_t shown, struct text *out);

/* What passed only when it was run again. */
void markdown_flaky(const struct result *result, size_t shown, struct text *out);

/* The commands of the trial up to the failed one, for a shell. */
void markdown_reproduce(struct text *out, const struct result_trial *trial,
                        const struct result_command *failed);
void markdown_verdict_again(struct text *out, const char *reproduce);

/* The trials that failed or broke, each under a heading. */
void markdown_failures(const struct result *result, const struct markdown_detail *detail,
                       struct text *out);
