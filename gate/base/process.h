/* process: runs a helper program (git, a credential helper) to its end and takes what it prints; the one module that starts
 * programs.
 *
 *     const char *const argv[] = {"git", "-C", root, "ls-files", "-z", NULL};
 *     struct process_options options = {.argv = argv, .timeout_ms = 60000, .output_limit = 64u << 20, .cancel = cancel};
 *     struct process_result result = {0};
 *     if (process_run(&options, &result, err) < 0) …      it did not run, or did not end by itself
 *     if (result.exit_status != 0) …                      it ran and failed: result.error_output tells why
 *     process_result_clear(&result);
 *
 * The program gets default signal handlers, an empty signal mask, a process group of its own, and no descriptor of ours but
 * its three. Nothing of its group outlives the call: what it left running is killed.
 */
#pragma once

#include <stdint.h>

#include "gate/base/cancel.h"
#include "gate/base/text.h"

/* bytes of standard error that are kept; the rest is dropped */
#define PROCESS_ERROR_OUTPUT_LIMIT (64u << 10)

struct process_options {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH when it has no "/" */
    const char *const *environment; /* "NAME=value", NULL-terminated; NULL is ours */
    const void *input;              /* what it reads from standard input; NULL is nothing */
    size_t input_length;            /* bytes */
    int64_t timeout_ms;             /* until it is killed; 0 is no limit */
    size_t output_limit;            /* bytes of standard output; 0 is TEXT_CEILING_DEFAULT */
    const struct cancel *cancel;    /* may be NULL */
};

struct process_result {
    int exit_status;    /* 0–255; -1 when a signal ended it */
    int signal;         /* that ended it; 0 otherwise */
    struct text output; /* what it wrote to standard output; untrusted */
    /* to standard error, its first PROCESS_ERROR_OUTPUT_LIMIT bytes; untrusted */
    struct text error_output;
};

/* out  result  cleared by the caller with process_result_clear, also on -1
 * err  not-found  no such program;  timeout, cancelled  it was killed;  limit  too much output, it was killed;  io, no-memory
 */
int process_run(const struct process_options *options, struct process_result *result,
                struct error *err) _must_check_;
void process_result_clear(struct process_result *result);

/* The first line of what it wrote to standard error, else how it ended: "fatal: …", "exit status 1", "killed by SIGSEGV".
 * For messages; untrusted. NULL with *err set when there is no memory. */
char *process_result_why(const struct process_result *result, struct error *err) _must_check_;
