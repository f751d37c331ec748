/* process_link: a program that carries a connection: its standard input and output are the other end of a socket.
 *
 *     struct process_link *link = process_link_open(argv, theirs, err); talk on the socket's other end
 *     close(ours);                                                      the program sees the end of its input, and ends
 *     process_link_words(link, 500, &words, err);                       what it wrote to standard error
 *     process_link_close(link, 500);                                    waits for it; what does not end is killed
 *
 * The program has a session of its own: no signal of a terminal reaches it, and it can ask nobody anything there. It holds
 * nothing of ours but its end of the socket, so it ends by itself when we are killed.
 */
#pragma once

#include <stdint.h>

#include "gate/base/text.h"

struct process_link;

/* in  argv    see process.h
 *     theirs  the program's end, which stays the caller's to close: while we hold it, our end sees no end of the connection
 * NULL with *err set: not-found  no such program;  io, no-memory */
struct process_link *process_link_open(const char *const *argv, int theirs,
                                       struct error *err) _must_check_;

/* Whether it has ended, after waiting for that for so long. */
bool process_link_ended(struct process_link *link, int64_t wait_ms);

/* The end of what it wrote to standard error so far, untrusted. err: io, no-memory */
int process_link_words(const struct process_link *link, struct text *out,
                       struct error *err) _must_check_;

/* Our end is closed before. Waits for so long, then ends it, and frees. */
void process_link_close(struct process_link *link, int64_t wait_ms);
