/* The stories of test_entry.c, which tells how they are written. */

#define PROVEN "0 proven r2 n1; 0 see production r1 n1; "

static const struct row rows[] = {
    /* nothing to do */
    {"the same stands in both", NULL, "0 proven r1 n1", "r1 n1", "r1 n1", .now = 1, .expected = "up-to-date"},
    {"an empty ledger and the same in both", NULL, NULL, "r1", "r1", .now = 1, .expected = "up-to-date"},
    {"the stage holds nothing", NULL, "0 proven r1", "r1", "", .now = 1, .expected = "up-to-date"},
    {"the stage before holds nothing", NULL, NULL, "", "r1", .now = 1, .expected = "up-to-date"},
    {"images that the stage lacks drop out", NULL, "0 proven r1 n2", "r1 n2", "r1", .now = 1, .expected = "up-to-date"},
    {"images that the snapshot lacks stay", NULL, "0 proven r2", "r2", "r1 n1", .now = 1, .expected = "fits r1>r2"},
    /* soak */
    {"no soak is asked for", NULL, PROVEN, "r2 n1", "r1 n1", .now = 0, .expected = "fits r1>r2"},
    {"soak: not yet", "soak 24", PROVEN, "r2 n1", "r1 n1", .now = 23, .expected = "soaking at 24 r1>r2"},
    {"soak: to the hour", "soak 24", PROVEN, "r2 n1", "r1 n1", .now = 24, .expected = "fits r1>r2"},
    {"soak: two began apart, the later counts", "soak 24", "0 proven r2 n1; 5 proven r2 n2", "r2 n2", "r1 n1", .now = 23, .expected = "soaking at 29 n1>n2 r1>r2"},
};
