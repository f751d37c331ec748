/* The whole content of the image without a shell: prints its arguments, one a line, and exits with the number in the
 * first of them when that is --exit=N.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    static const char option[] = "--exit=";
    int status = 0;

    for (int i = 1; i < argc; i++) {
        if (i == 1 && strncmp(argv[i], option, sizeof option - 1) == 0)
            status = atoi(argv[i] + sizeof option - 1);
        else
            puts(argv[i]);
    }
    return status;
}
