#include "runners/reproduce.h"

#include <unistd.h>

#include "runners/build_context.h"
#include "tests/unit/unit.h"

#define DIGEST "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LIMITS "--memory 2147483648 --memory-swap 2147483648 --pids-limit 1024 --cpus 2.00 "

static const struct row {
    const char *what;
    const char *argv[5];
    const char *environment;
    const char *user, *workdir;
    bool network, keep_entrypoint;
    const char *expected;  /* from "docker run …" on, without the image */
    const char *words[24]; /* what a shell makes of it */
} rows[] = {
    {"a command for a shell",
     {"sh", "-ec", "redis-cli ping"},
     NULL,
     NULL,
     NULL,
     false,
     false,
     "docker run --rm --init --security-opt no-new-privileges --network none " LIMITS
     "-v \"$PWD:/pingate/workspace\" -w '/pingate/workspace' -e 'PINGATE_TAG=7.2' --entrypoint "
     "'sh' "
     "docker.io/library/redis@" DIGEST " '-ec' 'redis-cli ping'",
     {"run",
      "--rm",
      "--init",
      "--security-opt",
      "no-new-privileges",
      "--network",
      "none",
      "--memory",
      "2147483648",
      "--memory-swap",
      "2147483648",
      "--pids-limit",
      "1024",
      "--cpus",
      "2.00",
      "-v",
      "PWD:/pingate/workspace",
      "-w",
      "/pingate/workspace",
      "-e",
      "PINGATE_TAG=7.2"}},
    {"quotes, dollars, back ticks, line ends and wide characters stay what they are",
     {"sh", "it's $HOME `id` \"x\" \\ \n ü", "", "*", NULL},
     "A=b 'c' $d",
     "a'b",
     "/x y",
     true,
     true,
     "docker run --rm --init --security-opt no-new-privileges --network bridge " LIMITS
     "-v \"$PWD:/pingate/workspace\" -w '/x y' -u 'a'\\''b' -e 'A=b '\\''c'\\'' $d' -e "
     "'PINGATE_TAG=7.2' "
     "docker.io/library/redis@" DIGEST " 'sh' 'it'\\''s $HOME `id` \"x\" \\ \n ü' '' '*'",
     {"run", "--rm", "--init", "--security-opt", "no-new-privileges", "--network", "bridge"}},
};

static char *line_of(const struct row *row, struct error *err) {
    struct test_command command = {.argv = (char **)row->argv};
    struct trial_step step = {
        .command = &command, .image = (char *)"docker.io/library/redis", .digest = (char *)DIGEST};
    char *own[] = {(char *)row->environment};
    char *added[] = {(char *)"PINGATE_TAG=7.2"};
    struct test test = {.name = (char *)"answers",
                        .user = (char *)row->user,
                        .workdir = (char *)row->workdir,
                        .environment = {own, row->environment != NULL ? 1 : 0, 1},
                        .network = row->network,
                        .entrypoint = row->keep_entrypoint ? ENTRYPOINT_KEEP : ENTRYPOINT_CLEAR,
                        .memory_bytes = TEST_MEMORY_BYTES,
                        .nano_cpus = TEST_NANO_CPUS,
                        .pids = TEST_PIDS};
    struct trial_spec spec = {
        .test = &test, .steps = &step, .step_count = 1, .environment = {added, 1, 1}};
    return reproduce_command(&spec, 0, err);
}

START_TEST(surroundings) {
    struct error err = {0};
    struct test_command command = {.argv = (char *[]){(char *)"/say", (char *)"a b", NULL}};
    struct trial_step step = {.command = &command,
                              .image = (char *)"docker.io/library/redis",
                              .digest = (char *)"sha256:of-the-index",
                              .child = (char *)DIGEST};
    char *from[] = {(char *)"IN=OUT"};
    char *tmpfs[] = {(char *)"/run:rw,size=5"};
    struct ulimit limits[] = {{(char *)"core", -1, -1}, {(char *)"nofile", 100, 200}};
    struct test_secret secrets[] = {{(char *)"KEY", (char *)"it's", 1}};
    struct test test = {.name = (char *)"answers",
                        .environment_from = {from, 1, 1},
                        .secrets = {secrets, 1, 1},
                        .entrypoint = ENTRYPOINT_REPLACE,
                        .entrypoint_words = (char *[]){(char *)"tini", (char *)"--", NULL},
                        .platform = (char *)"linux/386",
                        .strict = true,
                        .memory_bytes = 16777216,
                        .nano_cpus = 500000000,
                        .pids = 7,
                        .shm_bytes = 1048576,
                        .tmpfs = {tmpfs, 1, 1},
                        .ulimits = {limits, 2, 2}};
    struct trial_spec spec = {.test = &test, .steps = &step, .step_count = 1};
    char *line = reproduce_command(&spec, 0, &err);
    ck_assert_pstr_eq(
        line,
        "docker run --rm --init --security-opt no-new-privileges --network none --platform "
        "'linux/386' --memory 16777216 --memory-swap 16777216 --pids-limit 7 --cpus 0.50 "
        "--shm-size 1048576 --ulimit core=-1:-1 --ulimit nofile=100:200 --cap-drop ALL "
        "--read-only --tmpfs '/run:rw,size=5' --tmpfs '/tmp:rw,exec,nosuid,nodev,mode=1777' -v "
        "\"$PWD:/pingate/workspace\" -v \"${KEY_FILE:?is to name a file that holds this "
        "secret}:/run/secrets/\"'it'\\''s':ro -w '/pingate/workspace' -e 'IN='\"${OUT?is not "
        "set}\" --entrypoint 'tini' docker.io/library/redis@" DIGEST " '--' '/say' 'a b'");
    free(line);
}
END_TEST

START_TEST(what_is_built) {
    struct error err = {0};
    struct test_command command = {.argv = (char *[]){(char *)"cat", (char *)"/a b", NULL}};
    struct trial_step step = {.command = &command};
    char *args[] = {(char *)"A=it's", (char *)"B="};
    struct test_build wish = {.target = (char *)"test", .args = {args, 2, 2}};
    struct build_context context = {.folder = (char *)"a b"};
    struct trial_build build = {.build = &wish, .context = &context};
    struct test test = {.name = (char *)"app",
                        .entrypoint = ENTRYPOINT_CLEAR,
                        .platform = (char *)"linux/386",
                        .memory_bytes = TEST_MEMORY_BYTES,
                        .nano_cpus = TEST_NANO_CPUS,
                        .pids = TEST_PIDS};
    struct trial_spec spec = {.test = &test,
                              .steps = &step,
                              .step_count = 1,
                              .build = &build,
                              .log_folder = (char *)"out/logs/001-app"};
    char *line = reproduce_command(&spec, 0, &err);
    ck_assert_pstr_eq(
        line, "docker run --rm --init --security-opt no-new-privileges --network none --platform "
              "'linux/386' " LIMITS
              "-v \"$PWD:/pingate/workspace\" -w '/pingate/workspace' --entrypoint 'cat' "
              "\"$(docker build -q -f 'out/logs/001-app/Dockerfile' --platform 'linux/386' "
              "--target 'test' --build-arg 'A=it'\\''s' --build-arg 'B=' 'a b')\" '/a b'");
    free(line);
}
END_TEST

START_TEST(lines) {
    const struct row *row = &rows[_i];
    struct error err = {0};
    char *line = line_of(row, &err);
    ck_assert_msg(line != NULL, "%s: %s", row->what, error_message(&err));
    ck_assert_msg(strcmp(line, row->expected) == 0, "%s:\n%s\n%s", row->what, line, row->expected);
    free(line);
}
END_TEST

/* The shell is the judge of quoting: "docker" is a function that prints each word it was given, and a NUL. */
START_TEST(a_shell_takes_them_apart) {
    const struct row *row = &rows[_i];
    struct error err = {0};
    char *line = line_of(row, &err);
    char *script = string_format(&err, "PWD=PWD; docker() { printf '%%s\\0' \"$@\"; }\n%s", line);
    char path[] = "/tmp/pingate-script-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, script, strlen(script)), (ssize_t)strlen(script));
    close(fd);
    char command[64];
    snprintf(command, sizeof command, "sh %s", path);
    FILE *pipe = popen(command, "r");
    char got[4096];
    size_t length = fread(got, 1, sizeof got, pipe);
    ck_assert_int_eq(pclose(pipe), 0);
    unlink(path);
    const char *at = got;
    for (size_t i = 0; row->words[i] != NULL; i++, at += strlen(at) + 1)
        ck_assert_str_eq(at, row->words[i]);
    const char *last = got + length; /* the arguments are at the end, the image before them */
    size_t from = row->keep_entrypoint ? 0 : 1;
    size_t count = 0;
    while (row->argv[count] != NULL)
        count++;
    for (size_t i = count; i > from; i--) {
        last -= strlen(row->argv[i - 1]) + 1;
        ck_assert_msg(last >= got && strcmp(last, row->argv[i - 1]) == 0, "%s: argument %zu",
                      row->what, i);
    }
    last -= strlen("docker.io/library/redis@" DIGEST) + 1;
    ck_assert_str_eq(last, "docker.io/library/redis@" DIGEST);
    free(script);
    free(line);
}
END_TEST

/* The whole of it is run by a shell, where "docker" writes down what it is asked for. */
START_TEST(services) {
    struct error err = {0};
    char *aliases[] = {(char *)"cache"};
    char *environment[] = {(char *)"A=it's"};
    struct test_ready job = {.kind = READY_EXIT};
    struct test_ready both[] = {
        {.kind = READY_LOG, .text = (char *)"^ready"},
        {.kind = READY_EXEC,
         .command = {.argv = (char *[]){(char *)"redis-cli", (char *)"ping", NULL}}}};
    struct test_service wanted[] = {
        {.name = (char *)"redis",
         .entrypoint = ENTRYPOINT_KEEP,
         .aliases = {aliases, 1, 1},
         .environment = {environment, 1, 1},
         .memory_bytes = 16777216,
         .ready = both,
         .ready_count = 2},
        {.name = (char *)"fill",
         .entrypoint = ENTRYPOINT_CLEAR,
         .command = {.argv = (char *[]){(char *)"sh", (char *)"-ec", (char *)"x y", NULL}},
         .memory_bytes = 16777216,
         .ready = &job,
         .ready_count = 1}};
    struct trial_service of[] = {
        {.service = &wanted[0], .image = (char *)"r", .digest = (char *)"d1"},
        {.service = &wanted[1], .image = (char *)"f", .digest = (char *)"d2"}};
    struct test_command command = {.argv = (char *[]){(char *)"/say", NULL}};
    struct trial_step step = {.command = &command, .image = (char *)"i", .digest = (char *)"d3"};
    struct test test = {.name = (char *)"a"};
    struct trial_spec spec = {
        .test = &test, .steps = &step, .step_count = 1, .services = of, .service_count = 2};
    char *line = reproduce_command(&spec, 0, &err);
    ck_assert_ptr_nonnull(line);
    ck_assert_ptr_null(strchr(line, '\n'));
    char *script =
        string_format(&err,
                      "PWD=/; docker() { echo \"$*\" >&3; [ \"$1 $2\" != 'run --rm' ] || exit 7; "
                      "[ \"$1\" != logs ] || echo ready; }\n%s\necho \"status $?\" >&3",
                      line);
    char path[] = "/tmp/pingate-script-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, script, strlen(script)), (ssize_t)strlen(script));
    close(fd);
    char shell[64];
    snprintf(shell, sizeof shell, "sh %s 3>&1 >/dev/null", path);
    FILE *pipe = popen(shell, "r");
    char got[4096];
    got[fread(got, 1, sizeof got - 1, pipe)] = '\0';
    ck_assert_int_eq(pclose(pipe), 0);
    unlink(path);
    ck_assert_str_eq(
        got, "network create --internal pingate-look\n"
             "run -d --init --security-opt no-new-privileges --network pingate-look --name "
             "pingate-look-redis --network-alias redis --network-alias cache --memory 16777216 "
             "--memory-swap 16777216 -e A=it's r@d1\n"
             "logs pingate-look-redis\n"
             "exec pingate-look-redis redis-cli ping\n"
             "run -d --init --security-opt no-new-privileges --network pingate-look --name "
             "pingate-look-fill --network-alias fill --memory 16777216 --memory-swap 16777216 "
             "--entrypoint sh f@d2 -ec x y\n"
             "wait pingate-look-fill\n"
             "run --rm --init --security-opt no-new-privileges --network pingate-look --memory 0 "
             "--memory-swap 0 --pids-limit 0 --cpus 0.00 -v /:/pingate/workspace -w "
             "/pingate/workspace --entrypoint /say i@d3\n"
             "rm -f -v pingate-look-redis pingate-look-fill\n"
             "network rm pingate-look\n"
             "status 7\n");
    free(script);
    free(line);
}
END_TEST

UNIT_MAIN("reproduce", {
    tcase_add_test(cases, services);
    tcase_add_test(cases, surroundings);
    tcase_add_test(cases, what_is_built);
    tcase_add_loop_test(cases, lines, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(cases, a_shell_takes_them_apart, 0, sizeof rows / sizeof *rows);
})
