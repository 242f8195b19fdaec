"""Holds the arrows between the folders of src/, and between the files of a folder, and that some system calls are made in one place only.

The arrows between folders are those of the table in src/README.md, section "Layers": #include lines may follow no others, and the USES of each
folder's CMakeLists.txt must be the same list. Within a folder they may lead anywhere but back: no file, its header and source taken as one, may
include itself by way of others.

usage: layers.py SOURCE_ROOT
"""

import pathlib
import re
import sys

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


def table_of_layers(readme):
    """{folder: what it may include}, both as in the table; `serval` stands for the public headers in include/serval."""
    section = re.search(r"^## Layers\n(.*?)^## ", readme, flags=re.DOTALL | re.MULTILINE)
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", section[1] if section else "", flags=re.MULTILINE)
    return {folder: set(uses.split()) - {"–"} for folder, uses in rows}


def complaints_about_cmake(src, layers):
    """Each folder has its row, and each row its folder, which links what it may include and nothing else."""
    folders = {path.parent.name for path in src.glob("*/CMakeLists.txt")}
    for folder in sorted(folders ^ layers.keys()):
        yield f"README.md:1: {folder} is {'a folder without a row' if folder in folders else 'a row without a folder'} in the table of layers"
    for folder in sorted(folders & layers.keys()):
        uses = re.search(r"\bserval_library\([^)]*\bUSES\b([^)]*)\)", (src / folder / "CMakeLists.txt").read_text())
        used, wanted = set(uses[1].split() if uses else []), layers[folder] - {"serval"}
        if used != wanted:
            yield (f"{folder}/CMakeLists.txt:1: USES {' '.join(sorted(used)) or 'nothing'}, "
                   f"but the table of src/README.md says {' '.join(sorted(wanted)) or 'nothing'}")


def circles(edges):
    """The groups of nodes, as large as they are, in which each leads to every other; edges = {node: nodes}."""
    def reachable(start):
        found, ahead = set(), [start]
        while ahead:
            new = set(edges.get(ahead.pop(), ())) - found
            found |= new
            ahead += new
        return found

    ways = {node: reachable(node) for node in edges}
    grouped = set()
    for node in sorted(edges):
        if node in grouped or node not in ways[node]:
            continue
        group = sorted(other for other in ways[node] if node in ways.get(other, ()))
        grouped.update(group)
        yield group


def complaints_about_circles(src):
    """Names each file of a circle that includes another one of it."""
    edges = {}
    for path in sorted(src.rglob("*.[ch]pp")):
        unit = path.relative_to(src).with_suffix("").as_posix()
        edges.setdefault(unit, {})
        for number, line in enumerate(path.read_text().splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*"([\w/]+)\.hpp"', line)
            if include and include[1] != unit and include[1].split("/")[0] == unit.split("/")[0]:
                edges[unit].setdefault(include[1], f"{path.relative_to(src).as_posix()}:{number}")
    for group in circles(edges):
        for unit in group:
            for other, place in edges[unit].items():
                if other in group:
                    yield f"{place}: {unit} may not include {other}, which includes it by way of {' '.join(group)}"


def complaints(src):
    layers = table_of_layers((src / "README.md").read_text())
    yield from complaints_about_cmake(src, layers)
    yield from complaints_about_circles(src)
    for path in sorted(src.rglob("*.[ch]pp")):
        name = path.relative_to(src).as_posix()
        text = path.read_text()
        folder = name.split("/")[0]
        allowed = {folder, *layers.get(folder, ())}
        for number, line in enumerate(text.splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*["<]([a-z_]+)/', line)
            known = include and ((src / include[1]).is_dir() or include[1] == "serval")
            if known and name != "main.cpp" and include[1] not in allowed:
                yield f"{name}:{number}: {folder} may not include {include[1]}"
        for number, line in enumerate(without_comments_and_strings(text).splitlines(), 1):
            for call, places in ONE_PLACE.items():
                if re.search(rf"(?:^|[^\w.>])::(?:{call})\s*\(", line) and name not in places:
                    yield f"{name}:{number}: this call belongs into {' or '.join(places) or 'no file'}: {line.strip()}"


found = list(complaints(pathlib.Path(sys.argv[1]) / "src"))
print(*found, sep="\n")
sys.exit(bool(found))
