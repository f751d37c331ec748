"""Called by docs.sh: types words and a tab into an interactive shell on a terminal, and waits for what must stand there.

    complete.py SHELL FOLDER-OF-COMPLETIONS LINE EXPECTED
"""

import os
import pty
import re
import select
import sys
import tempfile
import time

SECONDS = 30  # a shell's first completion on a busy machine takes a few

COMMANDS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source {folder}/pingate; PS1=READY'> '"),
    "zsh": (["zsh", "-f", "-i"],
            "fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D; PS1=READY'> '"),
    "fish": (["fish", "--private", "--no-config", "-i"],
             "source {folder}/pingate.fish; function fish_prompt; echo -n READY'> '; end"),
}


def plain(output):
    """What stands on the screen, roughly: without escape sequences."""
    text = output.decode("utf-8", "replace")
    text = re.sub(r"\x1b\[[0-9;?<>=]*[a-zA-Z]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[()][A-Z0-9]|\x1b[=>78]|\x0f", "", text)
    line = []
    for character in text:
        if character == "\b":
            del line[-1:]
        else:
            line.append(character)
    return "".join(line)


def wait_for(terminal, expected, seen, deadline):
    while time.monotonic() < deadline:
        if expected in plain(seen):
            return seen, True
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                seen += os.read(terminal, 65536)
            except OSError:
                break
    return seen, expected in plain(seen)


def main(shell, folder, line, expected):
    command, prepare = COMMANDS[shell]
    with tempfile.TemporaryDirectory() as home:
        with open(os.path.join(home, "unique-file.json"), "w", encoding="utf-8"):
            pass
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(home)
            os.execvpe(command[0], command, {"PATH": os.environ["PATH"], "HOME": home, "TERM": "xterm", "LC_ALL": "C.UTF-8",
                                             "COLUMNS": "200"})
        deadline = time.monotonic() + SECONDS
        # A space first, so that what is typed is not what is waited for.
        os.write(terminal, prepare.format(folder=folder).encode() + b"\n")
        seen, good = wait_for(terminal, "READY> ", b"", deadline)
        if good:
            os.write(terminal, line.encode() + b"\t")
            seen, good = wait_for(terminal, expected, b"", deadline)
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(terminal)
    if not good:
        print(f"waited in vain for {expected!r}; the screen was\n{plain(seen)}")
    return 0 if good else 1


sys.exit(main(*sys.argv[1:]))
