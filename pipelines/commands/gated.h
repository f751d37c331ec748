/* gated: what the commands share that send pins through the gate and report: run, test, promote. */
#pragma once

#include "pipelines/commands/command.h"
#include "pipelines/gate.h"

/* What a crashed promotion left: settled when `write`, else only told. */
int gated_recover(struct invocation *invocation, bool write, struct error *err) _must_check_;

/* From the options that these commands have in common. output: as command_output_folder gave it, lent. */
struct gate_options gated_options(const struct invocation *invocation, const char *output);

/* The whole run: folder of reports, configuration, gate, reports, and the summary (or --json) on standard output. */
int gated_run(struct invocation *invocation, struct gate_options *options, int *exit_status,
              struct error *err) _must_check_;
