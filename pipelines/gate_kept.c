/* What --keep left in the engine: names, and the commands to look at them and to remove them. */
#include <string.h>

#include "pipelines/gate.h"

#define KEPT_NAMED 12u /* in a report; all of them are on the terminal */

/* The client that speaks with this engine: "docker", "podman", with the address where it was given. */
static void add_client(const struct gate *gate, struct text *out) {
    bool podman = string_has_prefix(schedule_engine_words(gate->schedule), "Podman");
    text_add(out, podman ? "podman" : "docker");
    if (gate->options->engine != NULL)
        text_printf(out, " %s %s", podman ? "--url" : "-H", gate->options->engine);
}

static const struct {
    const char *what; /* as schedule_kept has it */
    const char *list; /* of the client: what lists their ids */
    const char *remove;
} kinds[] = {
    {"container ", "ps -aq", "rm -f"},
    {"volume ", "volume ls -q", "volume rm"},
    {"network ", "network ls -q", "network rm"},
    {"image ", "images -q", "rmi -f"},
};

static bool has_kind(const struct string_list *kept, const char *what) {
    for (size_t i = 0; i < kept->count; i++)
        if (string_has_prefix(kept->items[i], what))
            return true;
    return false;
}

/* "docker rm -f $(docker ps -aq --filter label=pingate.run=…) && docker volume rm …" */
static void add_removal(const struct gate *gate, const struct string_list *kept, struct text *out) {
    const char *before = "";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!has_kind(kept, kinds[i].what))
            continue;
        text_add(out, before);
        add_client(gate, out);
        text_printf(out, " %s $(", kinds[i].remove);
        add_client(gate, out);
        text_printf(out, " %s --filter label=pingate.run=%s)", kinds[i].list, gate->run_id);
        before = " && ";
    }
}

static void add_names(const struct string_list *kept, struct text *out) {
    for (size_t i = 0; i < kept->count && i < KEPT_NAMED; i++)
        text_printf(out, "%s%s", i > 0 ? ", " : "", kept->items[i]);
    if (kept->count > KEPT_NAMED)
        text_printf(out, ", and %zu more", kept->count - KEPT_NAMED);
}

/* How the first container is looked at. */
static void add_look(const struct gate *gate, const struct string_list *kept, struct text *out) {
    const char *name = NULL;
    for (size_t i = 0; i < kept->count && name == NULL; i++)
        if (string_has_prefix(kept->items[i], kinds[0].what))
            name = kept->items[i] + strlen(kinds[0].what);
    if (name == NULL)
        return;
    add_client(gate, out);
    text_printf(out, " logs %s; ", name);
    add_client(gate, out);
    text_printf(out, " cp %s:%s .", name, WORKSPACE_FOLDER);
}

int gate_show_kept(struct gate *gate, struct error *err) {
    const struct string_list *kept = schedule_kept(gate->schedule);
    if (kept->count == 0)
        return 0;
    _cleanup_(text_clear) struct text names = {0};
    _cleanup_(text_clear) struct text look = {0};
    _cleanup_(text_clear) struct text removal = {0};
    _cleanup_(text_clear) struct text all = {0};
    add_names(kept, &names);
    add_look(gate, kept, &look);
    add_removal(gate, kept, &removal);
    terminal_warning(gate->terminal, "kept for a look, until the next run on this engine: %s",
                     text_string(&names));
    if (look.length > 0)
        terminal_warning(gate->terminal, "to look: %s", text_string(&look));
    terminal_warning(gate->terminal, "to remove: %s", text_string(&removal));
    text_printf(&all, "kept for a look, until the next run on this engine: %s; to remove: %s",
                text_string(&names), text_string(&removal));
    return text_check(&all, err) < 0
               ? -1
               : string_list_add(&gate->result->warnings, text_string(&all), err);
}
