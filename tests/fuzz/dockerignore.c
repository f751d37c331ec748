/* The last line is the path, what is before it the file. */
#include "runners/dockerignore.h"

#include <stdio.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(dockerignore) {
    struct error err = {0};
    struct dockerignore ignore = {0};
    char *file = fuzz_string(bytes, size);
    char *newline = strrchr(file, '\n');
    const char *path = newline != NULL ? newline + 1 : "a";
    size_t length = newline != NULL ? (size_t)(newline - file) : strlen(file);
    int parsed = dockerignore_parse(file, length, &ignore, &err);
    fuzz_require(parsed == 0 || err.kind == ERROR_INPUT || err.kind == ERROR_LIMIT);
    if (parsed == 0 && *path != '\0' && strlen(path) < 200) {
        bool excluded = dockerignore_excludes(&ignore, path);
        fuzz_require(excluded == dockerignore_excludes(&ignore, path));
        /* what is pruned is left out, and so is all below it */
        if (dockerignore_prunes(&ignore, path)) {
            char below[220];
            snprintf(below, sizeof below, "%s/x", path);
            fuzz_require(excluded && dockerignore_excludes(&ignore, below));
        }
        /* a last pattern for everything decides, either way */
        fuzz_require(dockerignore_parse("**", 2, &ignore, &err) == 0);
        fuzz_require(dockerignore_excludes(&ignore, path));
        fuzz_require(dockerignore_parse("!**", 3, &ignore, &err) == 0);
        fuzz_require(!dockerignore_excludes(&ignore, path));
    }
    error_clear(&err);
    dockerignore_clear(&ignore);
    free(file);
}
