/* reach: in what words to say why an engine cannot be reached, and what to do.
 */
#pragma once

#include "gate/base/http.h"
#include "runners/engine/address.h"

/* Why a socket cannot be connected to and what to do, as a sentence; "" when it can be, or for what is no socket. Connects once.
 */
void engine_socket_trouble(const struct engine_location *location, char *out, size_t size);

/* What to do about a failed first call over TCP, as a sentence; "" when nothing is known.
 *   in  words  of libcurl, or of what answered */
void engine_tcp_remedy(const struct engine_location *location, enum http_failure failure,
                       const char *words, char *out, size_t size);
