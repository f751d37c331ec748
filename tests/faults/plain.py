#!/usr/bin/env python3
"""Servers that are true: what each command comes to when nothing fails. tests/valgrind.sh looks at the memory of these."""
import engine as table
import inject
from harness import NEW, case, main, sent
from scripted import on

PLAN = table.REGISTRY + [on("GET", "/v2/app/manifests/" + NEW, 404)]  # what it would pull is then not known, and no more


def row(words, **options):
    options.setdefault("config", table.CONFIG)
    rows = {"doctor": inject.DOCTOR, "run --plan": PLAN}.get(words, table.REGISTRY)
    servers = {"registry": rows, "engine": table.engine()}
    return case(words, servers, command=words.split(), seconds=20, **options)


CASES = [
    row("status --json", updates=[{"candidate": NEW}]),
    row("scan --json", out=[r"\"image\": *\"{registry}/app\""], not_sent=[sent("registry"), sent("engine")]),
    row("init --print", config=None, out=[r"{registry}/app"]),
    row("doctor", out=[r"{registry}"]),
    row("run --plan", out=[r"{registry}/app"], not_sent=[sent("engine")]),
    row("run --dry-run", updates=[{"verdict": "promote"}], result={"dry_run": True, "changed": False}),
    row("run", updates=[{"verdict": "promote"}], changed=table.PROMOTED),
]

if __name__ == "__main__":
    main(CASES)
