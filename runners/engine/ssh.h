/* ssh: an engine over ssh, as the docker CLI does it.
 *
 *     ssh -T -o ConnectTimeout=30 [-l USER] [-p PORT] -- HOST docker [--host unix://PATH] system dial-stdio
 *
 * What that program reads and writes is the connection to the engine. Each connection is one such process; it ends when
 * the connection does, and so when we are killed. libcurl wants to connect by itself (7.88 fails with a socket that is connected
 * already, and never uses a connection to an abstract one twice), so a dialer listens on a socket without a name that libcurl
 * finds below /proc/self/fd, and what is accepted there becomes the standard input and output of ssh. How to get there (keys, jump hosts, one connection for many) is for ssh's own
 * configuration to say. It cannot ask anybody anything: a host's key is known before, and a key needs no word or has an agent.
 *
 *     struct ssh_dialer *dialer = ssh_dialer_new(&location.ssh, timeout_ms, err);
 *     options.tend = ssh_dialer_tend;                 of the loop, see http.h; a dialer is for one loop
 *     request.unix_socket = ssh_dialer_socket(dialer);
 *     ssh_dialer_words(dialer, words, sizeof words);  when a request failed: what ssh said
 *     ssh_dialer_freep(&dialer);                      after the loop
 *
 *   src  docker CLI, cli/connhelper
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gate/base/error.h"

struct engine_ssh {
    char *user; /* NULL: as ssh's configuration says */
    char *host;
    char *port; /* digits; NULL: as ssh's configuration says */
    char *path; /* of the socket over there; NULL: where docker over there looks */
};

/* rest: what stands behind "ssh://". err: usage */
int engine_ssh_parse(const char *rest, struct engine_ssh *out, struct error *err) _must_check_;
int engine_ssh_copy(const struct engine_ssh *from, struct engine_ssh *to,
                    struct error *err) _must_check_;
void engine_ssh_clear(struct engine_ssh *ssh);

struct ssh_dialer;

/* connect_timeout_ms: until the host over there answers */
struct ssh_dialer *ssh_dialer_new(const struct engine_ssh *ssh, int64_t connect_timeout_ms,
                                  struct error *err) _must_check_;
const char *ssh_dialer_socket(const struct ssh_dialer *dialer); /* a path */

/* Starts ssh for whoever has connected. err: engine  there is no ssh;  io, no-memory */
int ssh_dialer_tend(void *dialer, struct error *err) _must_check_;

/* The last words on standard error of the connection that was made last; "" when it said nothing. Untrusted. */
void ssh_dialer_words(struct ssh_dialer *dialer, char *out, size_t size);

/* What the user can do about such words, as a sentence; "" when nothing is known. Pure. */
const char *ssh_remedy(const char *words);

void ssh_dialer_freep(struct ssh_dialer **dialer);
