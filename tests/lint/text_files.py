"""Every file of the project is clean text: UTF-8, LF, an end of line at the end, no trailing blanks, no tabs in C++, names in ASCII.

usage: text_files.py SOURCE_ROOT
"""

import pathlib
import re
import subprocess
import sys

BINARY = re.compile(r"^tests/corpus/|^tests/fuzz/(seeds|found)/|\.(png|ico|gz|bin)$")


def files(root):
    """Tracked files and new ones; what .gitignore names is left out. Outside a git checkout: everything but hidden and build folders."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True)
    if listed.returncode == 0:
        return sorted(set(listed.stdout.decode().split("\0")) - {""})
    paths = (path.relative_to(root).as_posix() for path in pathlib.Path(root).rglob("*") if path.is_file())
    return sorted(path for path in paths if not re.match(r"(\.git|build[^/]*)/", path))


def complaints(root):
    for name in files(root):
        path = pathlib.Path(root) / name
        if not path.is_file():
            continue  # deleted, but not yet committed
        if not re.fullmatch(r"[A-Za-z0-9._/@+-]+", name):
            yield f"{name}: a file name of other than plain ASCII letters, digits and ._@+-"
        if BINARY.search(name):
            continue
        data = path.read_bytes()
        try:
            lines = data.decode().split("\n")
        except UnicodeDecodeError as error:
            yield f"{name}: not UTF-8: {error}"
            continue
        if data and not data.endswith(b"\n"):
            yield f"{name}: no end of line at the end"
        for number, line in enumerate(lines, 1):
            if "\r" in line:
                yield f"{name}:{number}: a carriage return"
            elif line != line.rstrip():
                yield f"{name}:{number}: trailing blanks"
            elif "\t" in line and name.endswith((".cpp", ".hpp", ".c", ".h", ".py")):
                yield f"{name}:{number}: a tab"
            elif len(line) > 160 and name.endswith((".cpp", ".hpp", ".c", ".h", ".py")):
                yield f"{name}:{number}: {len(line)} columns; aim at 150, 160 are the limit"


found = list(complaints(sys.argv[1]))
print(*found, sep="\n")
sys.exit(bool(found))
