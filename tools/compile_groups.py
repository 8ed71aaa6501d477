#!/usr/bin/env python3
"""Groups source files that can be compiled as one: no two of a group declare the same name.

Files of a room may use one name for different things in their unnamed namespaces. Names are read from the lines that
begin a declaration, generously: two names that would not clash only cost a group.

Usage: compile_groups.py SIZE FILE...    prints one line "GROUP FILE" a file; run by CMake (KEYVIGIL_COMPILE_IN_GROUPS)
"""
import pathlib
import re
import sys

DECLARED = re.compile(r"([A-Za-z_~][\w:]*)\s*(?:\[.*)?$")
TEST = re.compile(r"(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\((\w+), (\w+)")
NO_DECLARATION = ("namespace", "using namespace", "static_assert", "public:", "private:", "protected:")


def declared_names(path):
    """What each name stands for that the file declares at the beginning of a line, as far as a look at lines tells.

    None where it takes names in that are not seen here."""
    names = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        if not (line[:1].isalpha() or line[:1] in ("[", ":")) or line.startswith(NO_DECLARATION):
            continue
        if line.startswith("using enum "):
            return None
        test = TEST.match(line)
        declared = DECLARED.search(re.split(r" = | : |[({;]", line.replace("[[nodiscard]] ", ""), maxsplit=1)[0])
        if test:
            names["::".join(test.groups())] = f"{path}:{number}"
        elif declared:
            # The same name for the same type is no clash.
            name = declared.group(1).rpartition("::")[2] if line.startswith("using ") else declared.group(1)
            names[name] = line if line.startswith("using ") else f"{path}:{number}"
    return names


def fits(names, size, members, taken):
    return len(members) < size and all(taken.get(name, text) == text for name, text in names.items())


def grouped(paths, size):
    """The paths in groups of at most that size: each in the first where no name of its stands for something else."""
    alone, groups = [], []
    for path in paths:
        names = declared_names(path)
        if names is None:
            alone.append([path])
            continue
        group = next((group for group in groups if fits(names, size, *group)), None)
        if group is None:
            group = ([], {})
            groups.append(group)
        group[0].append(path)
        group[1].update(names)
    return alone + [members for members, _ in groups]


if __name__ == "__main__":
    for number, members in enumerate(grouped([pathlib.Path(name) for name in sys.argv[2:]], int(sys.argv[1]))):
        for path in members:
            print(number, path)
