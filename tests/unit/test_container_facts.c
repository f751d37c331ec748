#include "runners/engine/container_facts.h"

#include "tests/unit/unit.h"

/* What the engine tells, and what is read of it: "health words|port|address"; "!" begins an error. */
static const struct {
    const char *answer, *expected;
} rows[] = {
    {"{\"Config\":{}}", "|0|"},
    {"{\"Config\":{\"Healthcheck\":{\"Test\":[\"CMD\",\"a\",\"b c\"]}}}", "a,b c|0|"},
    {"{\"Config\":{\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"a || b\"]}}}",
     "/bin/sh,-c,a || b|0|"},
    {"{\"Config\":{\"Shell\":[\"bash\",\"-ec\"],\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"a\"]}}}",
     "bash,-ec,a|0|"},
    {"{\"Config\":{\"Healthcheck\":{\"Test\":[\"NONE\"]}}}", "|0|"},
    {"{\"Config\":{\"Healthcheck\":{\"Test\":[]}}}", "|0|"},
    {"{\"Config\":{\"Healthcheck\":{\"Interval\":5}}}", "|0|"},
    {"{\"Config\":{\"Healthcheck\":{\"Test\":[\"HTTP\",\"/\"]}}}",
     "!kind that is not known: \"HTTP\""},
    {"{\"Config\":{\"ExposedPorts\":{\"8080/tcp\":{},\"80/tcp\":{},\"53/udp\":{},\"9\":{}}}}",
     "|9|"},
    {"{\"Config\":{\"ExposedPorts\":{\"53/udp\":{},\"x/tcp\":{},\"70000/tcp\":{},\"0/tcp\":{}}}}",
     "|0|"},
    {"{\"Config\":{},\"NetworkSettings\":{\"Networks\":{\"other\":{\"IPAddress\":\"10.0.0.9\"},"
     "\"mine\":{\"IPAddress\":\"10.0.0.2\"}}}}",
     "|0|10.0.0.2"},
    {"{\"Config\":{},\"NetworkSettings\":{\"Networks\":{\"name\":{\"NetworkID\":\"mine\","
     "\"IPAddress\":\"\",\"GlobalIPv6Address\":\"fd00::2\"}}}}",
     "|0|fd00::2"},
    {"{\"Config\":{},\"NetworkSettings\":{\"Networks\":{\"mine\":{\"IPAddress\":\"\"}}}}", "|0|"},
    {"{\"Config\":{},\"NetworkSettings\":[]}", "|0|"},
    {"{\"Config\":7}", "!malformed"},
    {"{}", "!malformed"},
    {"[]", "!malformed"},
};

START_TEST(reads) {
    struct error err = {0};
    struct container_facts facts;
    char got[300] = "";
    json_t *answer = json_loads(rows[_i].answer, 0, NULL);
    ck_assert_msg(answer != NULL, "%s", rows[_i].answer);
    if (container_facts_read(answer, "mine", &facts, &err) < 0) {
        ck_assert_msg(*rows[_i].expected == '!', "%s: %s", rows[_i].answer, error_message(&err));
        ck_assert_ptr_nonnull(strstr(error_message(&err), rows[_i].expected + 1));
        error_clear(&err);
    } else {
        for (size_t i = 0; i < facts.health.count; i++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i > 0 ? "," : "",
                     facts.health.items[i]);
        snprintf(got + strlen(got), sizeof got - strlen(got), "|%d|%s", (int)facts.port,
                 facts.address != NULL ? facts.address : "");
        ck_assert_str_eq(got, rows[_i].expected);
    }
    container_facts_clear(&facts);
    json_decref(answer);
}
END_TEST

UNIT_MAIN("container_facts", { tcase_add_loop_test(cases, reads, 0, sizeof rows / sizeof *rows); })
