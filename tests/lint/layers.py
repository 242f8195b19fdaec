"""Holds the arrows between the folders of src/, and that some system calls are made in one place only.

usage: layers.py SOURCE_ROOT
"""

import pathlib
import re
import sys

SUPERVISION = "base os config ipc scoreboard supervisor control"
MAY_INCLUDE = {
    "base": "",
    "os": "base",
    "stack": "base os",
    "config": "base",
    "ipc": "base os config stack",  # the config crosses the exec, stacks the channel
    "scoreboard": "base os",
    "supervisor": "base config",
    "http": "base",
    "control": "base os config scoreboard supervisor",
    "admin": "base os http scoreboard config",
    "master": SUPERVISION + " stack",
    "app": "base os http serval",
    "worker": "base os stack config ipc scoreboard http app",
    "mold": "base os config ipc scoreboard app worker",
    "cli": "base os stack config control master mold admin",
    "external": "",
}
# call → the only files that may make it
ONE_PLACE = {
    r"v?fork|clone3?": ["os/fork.cpp"],
    r"exec[lv]p?e?|fexecve|execveat|posix_spawnp?|system|popen": ["os/spawn.cpp"],
    r"wait|waitpid|waitid|wait[34]": ["os/wait.cpp"],
    r"dlopen|dlsym|dlmopen": ["app/module.cpp", "stack/libdw.cpp"],
    r"usleep|nanosleep|clock_nanosleep": [],  # nobody waits for time to pass; deadlines are timers
}


def without_comments_and_strings(text):
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
    return re.sub(pattern, lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=re.DOTALL)


def complaints(src):
    for path in sorted(src.rglob("*.[ch]pp")):
        name = path.relative_to(src).as_posix()
        text = path.read_text()
        folder = name.split("/")[0]
        allowed = {folder, *MAY_INCLUDE.get(folder, "").split()}
        if folder not in MAY_INCLUDE and name != "main.cpp":
            yield f"{name}:1: the folder {folder} is not in the table of tests/lint/layers.py"
        for number, line in enumerate(text.splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*["<]([a-z_]+)/', line)
            if include and (src / include[1]).is_dir() | (include[1] == "serval") and name != "main.cpp" and include[1] not in allowed:
                yield f"{name}:{number}: {folder} may not include {include[1]}"
        for number, line in enumerate(without_comments_and_strings(text).splitlines(), 1):
            for call, places in ONE_PLACE.items():
                if re.search(rf"(?:^|[^\w.>])::(?:{call})\s*\(", line) and name not in places:
                    yield f"{name}:{number}: this call belongs into {' or '.join(places) or 'no file'}: {line.strip()}"


found = list(complaints(pathlib.Path(sys.argv[1]) / "src"))
print(*found, sep="\n")
sys.exit(bool(found))
