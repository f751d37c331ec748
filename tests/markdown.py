"""Reads drawn Markdown; fails when it holds more than our own markup, or text that a forge would make live."""

import re
import sys
from html.parser import HTMLParser

TAGS = set("p strong code pre table thead tbody tr th td h3 ul li blockquote details summary sub".split())
VOID = {"hr", "br", "img", "input"}
ATTRIBUTES = {("details", "open"), ("code", "class")}
# Outside of code a forge makes these live after the Markdown is drawn.
LIVE = [r"@\w", r"(^|\W)#\d", r"\w#\d", r"(^|\W)!\d", r"&\d", r"~\w", r"://", r"\bwww\.", r"\bGH-\d", r"\b[0-9a-f]{7,40}\b",
        r"\$[^\s\u200b]", r":[a-z_+-]+:"]


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []
        self.faults = []

    def handle_starttag(self, tag, attributes):
        if tag not in TAGS:
            self.faults.append(f"<{tag}>")
        for name, value in attributes:
            if (tag, name) not in ATTRIBUTES:
                self.faults.append(f"<{tag} {name}={value}>")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes another")

    def handle_comment(self, data):
        self.faults.append(f"comment {data[:40]}")

    def handle_decl(self, decl):
        self.faults.append(f"declaration {decl[:40]}")

    def handle_data(self, data):
        if "code" in self.open or "pre" in self.open:
            return
        for pattern in LIVE:
            for found in re.finditer(pattern, data):
                self.faults.append(f"live text {found.group(0)!r} in {data[:60]!r}")


reader = Reader()
reader.feed(sys.stdin.read())
reader.close()
if reader.open:
    reader.faults.append(f"never closed: {reader.open}")
for fault in reader.faults:
    print(f"# {fault}", file=sys.stderr)
sys.exit(1 if reader.faults else 0)
