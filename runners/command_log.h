/* command_log: what a command prints, as the engine's log of its container gives it: the whole into two files, the last
 * TRIAL_TAIL_BYTES of each stream into memory.
 *
 *     command_log_open(&log, spec, step, command, err);
 *     … the container starts …
 *     command_log_follow(&log, engine, id, timeout_ms, err);    until the container has ended
 *     command_log_is_whole(&log, engine, id, err);              where that is in doubt
 *     command_log_close(&log);                                  before the tails are read
 *
 * Secrets that the caller granted are taken out before anything is kept (redact.h); bytes are counted as the engine has them.
 *
 * A log that ended proves nothing by itself: command_outcome.h says what does.
 */
#pragma once

#include "runners/engine/engine.h"
#include "runners/engine/frames.h"
#include "runners/trial.h"

/* One stream of a command. */
struct log_sink {
    int fd;            /* of its file; -1 while there is none */
    int64_t *bytes;    /* so far; the command's */
    struct text *tail; /* the command's; up to twice TRIAL_TAIL_BYTES until the log is closed */
    struct redact_stream redact;
};

/* Adds to file, count and tail. err: io */
int log_sink_write(struct log_sink *sink, const char *bytes, size_t length,
                   struct error *err) _must_check_;
void log_sink_close(struct log_sink *sink); /* cuts the tail to TRIAL_TAIL_BYTES */

struct command_log {
    struct log_sink sinks[2]; /* standard output, standard error */
    int64_t limit_bytes;      /* of one stream */
    bool over;                /* the limit was passed */
    bool
        dropped; /* no longer followed: its container had ended, and it was silent and did not end */
    struct frames frames; /* where in the engine's stream we are */
};

/* Makes the files N-stdout.log and N-stderr.log in the trial's log folder, N from 1; their paths are the command's. The log
 * must stay where it is, and be closed also after -1.
 *   err  io */
int command_log_open(struct command_log *log, const struct trial_spec *spec, size_t step,
                     struct command_result *command, struct error *err) _must_check_;
/* The same with files of another name: STEM-stdout.log, STEM-stderr.log. */
int command_log_open_as(struct command_log *log, const struct trial_spec *spec, const char *stem,
                        struct command_result *command, struct error *err) _must_check_;
void command_log_close(struct command_log *log);

/* While a log that is followed says nothing for so long, the engine is asked whether its container has ended. */
#define COMMAND_LOG_SILENCE_MS 3000

/* Reads from the start of the container to its end. Podman now and then does not end the log of a container that ended at
 * once: then `dropped` is set, and command_log_read_again tells what the log holds.
 *   in   other       for that question: `engine` is busy
 *        timeout_ms  what is left of the test's time
 *   err  timeout;  limit with `over` set: the command printed more than log_limit;  protocol, engine: the stream broke */
int command_log_follow(struct command_log *log, struct engine *engine, struct engine *other,
                       const char *id, int64_t timeout_ms, struct error *err) _must_check_;

/* Reads the log of a container that has ended from its beginning; what was read before is forgotten.
 * err: as of command_log_follow */
int command_log_read_again(struct command_log *log, struct engine *engine, const char *id,
                           struct error *err) _must_check_;

/* Reads what the log ends with, into the tails alone: where it is longer than the files may be. */
int command_log_read_tails(struct command_log *log, struct engine *engine, const char *id,
                           struct error *err) _must_check_;

/* Counts the bytes of the log anew. err: engine when it holds others than were read; as of command_log_follow */
int command_log_is_whole(const struct command_log *log, struct engine *engine, const char *id,
                         struct error *err) _must_check_;
