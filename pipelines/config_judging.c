/* What pingate.yaml says of the judging: baselines, flaky passes, how many candidates are tried. */
#include "pipelines/config_tables.h"
#include "runners/test.h"

#define CANDIDATES_LIMIT 50 /* each is a pull and all tests anew; more is a typo */

int config_read_baseline(const char *file, const struct yaml_node *node, void *field,
                         struct error *err) {
    static const char *const words[] = {"compare", "always", "tolerate", "off", NULL};
    static const enum baseline kinds[] = {BASELINE_COMPARE, BASELINE_ALWAYS, BASELINE_TOLERATE,
                                          BASELINE_OFF};
    size_t chosen;
    if (config_read_choice(file, node, words, &chosen, err) < 0)
        return -1;
    *(enum baseline *)field = kinds[chosen];
    return 0;
}

int config_read_flaky(const char *file, const struct yaml_node *node, void *field,
                      struct error *err) {
    static const char *const words[] = {"reject", "promote", NULL};
    size_t chosen;
    if (config_read_choice(file, node, words, &chosen, err) < 0)
        return -1;
    *(enum flaky *)field = chosen == 0 ? FLAKY_REJECT : FLAKY_PROMOTE;
    return 0;
}

int config_read_candidates(const char *file, const struct yaml_node *node, void *field,
                           struct error *err) {
    int64_t count;
    if (config_read_count(file, node, &count, err) < 0)
        return -1;
    if (count > CANDIDATES_LIMIT)
        return config_complain(file, node, err,
                               "more than %d candidates: each is a pull, and all tests anew",
                               CANDIDATES_LIMIT);
    *(int64_t *)field = count;
    return 0;
}
