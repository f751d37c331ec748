/* summary: what a person at a terminal, or at the end of a CI log, reads when a run is over: the verdict, what moved and what
 * did not and why, the last lines of what failed, where the reports are, what to do next. Everything else is in the reports.
 */
#pragma once

#include "reports/result.h"
#include "reports/screen.h"

/* in   output  the folder of the reports, as the caller wrote it
 *      brief   the verdict alone */
int summary_draw(const struct result *result, const struct screen *screen, const char *output,
                 bool brief, struct text *out, struct error *err) _must_check_;
