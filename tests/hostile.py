"""Makes a result.json for each attack below: tests/hostile.py RESULT FOLDER takes a good one, puts the attack into every text
that comes from outside, and writes FOLDER/NAME.json. tests/reports.sh then draws each and asks the real readers."""

import json
import sys

ATTACKS = {
    "workflow-commands": "::set-output name=a::b\n  ::error file=x::y\n##[error]z\nx ##vso[task.setvariable variable=a]b\n##teamcity[x]",
    "hidden-commands": "#\u200b#[x]\n:\u200b:error::x\n\u202e::warning::x\n\u2066##\u2069vso[task.complete]",
    "section": "\x1b[0Ksection_start:1:x\r\x1b[0Kq\nsection_end:1:x\r\x1b[0K",
    "escapes": "\x1b[2J\x1b[1;1H\x1b[31mred\x1b]0;title\x07\x9b31mx\x1bPq#0\x1b\\\x1b[",
    "controls": "a\x00b\x01c\x08d\x0be\x0cf\x7fg\x85h\ufffei\uffffj",
    "line-ends": "a\r\nb\rc\u2028d\u2029e\x85f",
    "bidirectional": "\u202eabc\u202c \u2066x\u2069 \u200b\ufeff \U000e0041",
    "quick-actions": "/merge\n/close\n  /approve\n/lgtm\nx\n/label ~bug",
    "fences": "```\n/close\n````\n~~~\n`\n``\n```sh\n    ```\n",
    "html": "<img src=x onerror=alert(1)><script>x</script><!-- x --><![CDATA[y]]></details></summary><details open>",
    "markdown": "![p](https://evil.example/p.png) [x](javascript:x) **b** _i_ ~~s~~ \\<b> <https://e.example> [r]: http://e.example",
    "blocks": "# title\n- item\n1. item\n> quote\n---\n===\n| a | b |\n|---|---|\n    code",
    "table": "a|b\\|c\n|d|e|",
    "mentions": "@everyone @org/team #1 org/repo#2 GH-3 !4 &5 ~label %milestone $snippet deadbeefdeadbeef user@host.example",
    "links": "https://github.com/a/b/issues/1 www.evil.example http://x ftp://y :smile: file:///etc/passwd",
    "formulas": "$x$ $$y$$ `$z$` \\(a\\)",
    "xml": "]]>&#27;&amp;&lt;\"'<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
    "shell": "'; rm -rf / #$(reboot)`reboot`\n\\\n",
    "percent": "%0A%0D::error::x %25 %s %n",
    "long-line": "x" * 20000,
    "long-run": "`" * 3000 + "\n" + "#" * 3000 + "[\n" + "<" * 3000,
    "many-lines": "line\n" * 20000,
    "wide": "\u65e5\u672c\u8a9e e\u0301 \U0001f469\u200d\U0001f469\u200d\U0001f467 \uff1a\uff1aerror\uff1a\uff1a",
    "empty": "",
    "spaces": " \t\u00a0\u3000 ",
}


def put(value, attack, key=None):
    """The attack in place of each text that the program did not choose itself."""
    kept = {"verdict", "code", "outcome", "command", "promote"}
    if isinstance(value, dict):
        return {k: put(v, attack, k) for k, v in value.items()}
    if isinstance(value, list):
        return [put(v, attack, key) for v in value]
    if not isinstance(value, str) or key in kept:
        return value
    if key in ("digest", "candidate_digest"):
        return attack[:100]
    return attack


result = json.load(open(sys.argv[1]))
# One more, that a pass on record stands in for: an entry of the ledger is a text from outside, too.
result["trials"].append(
    {**result["trials"][0], "outcome": "passed", "commands": [], "reused": {"time_ms": 1, "entry": "4f0c2a91d3b87e65"}}
)
for name, attack in ATTACKS.items():
    # NUL cannot stand in a text of the result, which ends there.
    hostile = put(result, attack.replace("\0", ""))
    hostile["diff"] = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+" + attack.replace("\0", "") + "\n"
    with open(f"{sys.argv[2]}/{name}.json", "w") as file:
        json.dump(hostile, file)
