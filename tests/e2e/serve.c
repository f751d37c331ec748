/* A service for images that hold nothing else: `serve PORT [STATUS [MS]]` answers each GET on that port with the status, and begins
 * to listen after so many milliseconds. It says so on standard output. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int port = argc > 1 ? atoi(argv[1]) : 80;
    const char *status = argc > 2 ? argv[2] : "200";
    if (argc > 3)
        usleep((useconds_t)atoi(argv[3]) * 1000);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int one = 1;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listening, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listening, 50) < 0) {
        perror("serve");
        return 1;
    }
    printf("serving on %d\n", port);
    fflush(stdout);
    for (;;) {
        char asked[4096];
        char answer[200];
        int fd = accept(listening, NULL, NULL);
        if (fd < 0)
            continue;
        if (read(fd, asked, sizeof asked) > 0) {
            snprintf(answer, sizeof answer, "HTTP/1.0 %s Word\r\nContent-Length: 6\r\n\r\nhello\n",
                     status);
            if (write(fd, answer, strlen(answer)) < 0)
                perror("serve");
        }
        close(fd);
    }
}
