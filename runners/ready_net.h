/* ready_net: how a service's own shell is asked about its network, where the helper program of inside.h cannot run. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define READY_SCRIPT_SIZE 400

/* A script for `sh`, of builtins alone, that succeeds when something listens on the tcp port, and not on loopback alone.
 *   src  proc(5): state 0A is LISTEN; addresses are of the machine's byte order, 127.0.0.1 is 0100007F */
void ready_tcp_script(int64_t port, char *out, size_t size);

/* A script for `sh -c … sh PORT PATH STATUS` that needs curl or wget in the image. */
#define READY_HTTP_SCRIPT                                                                          \
    "url=http://127.0.0.1:$1$2\n"                                                                  \
    "if command -v curl >/dev/null 2>&1; then\n"                                                   \
    "    got=$(curl -s -o /dev/null -w '%{http_code}' \"$url\") || got=000\n"                      \
    "    echo \"the answer was: $got\"\n"                                                          \
    "    if [ \"$3\" != 0 ]; then [ \"$got\" = \"$3\" ]; else [ \"$got\" -ge 200 ] && [ \"$got\" " \
    "-le 399 ]; fi\n"                                                                              \
    "elif command -v wget >/dev/null 2>&1 && [ \"$3\" = 0 ]; then\n"                               \
    "    wget -q -O /dev/null \"$url\"\n"                                                          \
    "else\n"                                                                                       \
    "    echo 'neither curl nor wget is in the image, and pingate cannot run its own program on '" \
    "\"this engine\"\n"                                                                            \
    "    exit 1\n"                                                                                 \
    "fi\n"
