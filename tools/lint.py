#!/usr/bin/env python3
"""clang-tidy over src/, changed files first, within a bound of time.

A file is not looked at again while it, the headers of ours that it includes and .clang-tidy stay the same: what was
clean is remembered in <build>/lint.txt. Where the time runs out, what was not looked at is said, and is no failure.
"""
import argparse
import concurrent.futures
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FINDING = re.compile(r"^(/[^:\n]+):\d+:\d+: (?:error|warning): ", re.MULTILINE)
# The analyzer takes a type-erased executor for a null pointer; it is asio's own code, which no line of ours can answer.
NOT_OURS = "/usr/include/boost/asio/"
INCLUDE = re.compile(r'^\s*#include "([^"]+)"', re.MULTILINE)


def own_files(path, seen):
    """The file and every file under src/ that it includes, directly or not."""
    if path in seen or not path.is_file():
        return seen
    seen.add(path)
    for name in INCLUDE.findall(path.read_text()):
        own_files(ROOT / "src" / name, seen)
    return seen


def digest(path):
    parts = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    for part in sorted(own_files(path, set())):
        parts.update(str(part.relative_to(ROOT)).encode() + b"\0" + part.read_bytes())
    return parts.hexdigest()


def changed_files():
    """Files of the last commits and of the work tree, newest first."""
    names = []
    for command in (["git", "diff", "--name-only", "HEAD"],
                    ["git", "log", "--name-only", "--format=", "-n", "50"]):
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        names += answer.stdout.split()
    return {name: rank for rank, name in reversed(list(enumerate(names)))}


def lint(path, build):
    command = ["clang-tidy-14", "-p", str(build), "--quiet", "--extra-arg=-Wno-unknown-warning-option",
               "--extra-arg=-Wno-error", str(path)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    places = FINDING.findall(answer.stdout)
    if places and all(place.startswith(NOT_OURS) for place in places):
        return 0, ""
    return answer.returncode, answer.stdout.strip() or answer.stderr.strip()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--build", required=True, type=pathlib.Path, help="folder with compile_commands.json")
    arguments.add_argument("--seconds", default=420, type=int, help="start no further file after this time")
    arguments.add_argument("--jobs", default=2, type=int)
    options = arguments.parse_args()
    if shutil.which("clang-tidy-14") is None:
        print("lint: clang-tidy-14 is not installed; run tools/set_up.sh check", file=sys.stderr)
        return 2

    ranks = changed_files()
    files = sorted(ROOT.glob("src/*/*.cpp"),
                   key=lambda path: (ranks.get(str(path.relative_to(ROOT)), len(ranks)), str(path)))
    memory = options.build / "lint.txt"
    known = set(memory.read_text().split()) if memory.exists() else set()
    end = time.monotonic() + options.seconds
    clean, failed, unchanged, not_reached = 0, 0, 0, []

    def one(path):
        mark = digest(path)
        if mark in known:
            return path, mark, "unchanged", ""
        if time.monotonic() > end:
            return path, mark, "not reached", ""
        code, text = lint(path, options.build)
        return path, mark, "clean" if code == 0 else "failed", text

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for path, mark, verdict, text in pool.map(one, files):
            if verdict == "not reached":
                not_reached.append(str(path.relative_to(ROOT)))
            elif verdict == "failed":
                failed += 1
                print(text, flush=True)
            else:
                clean += verdict == "clean"
                unchanged += verdict == "unchanged"
                known.add(mark)
    memory.write_text("\n".join(sorted(known)) + "\n")
    print(f"lint: {clean} files clean, {unchanged} unchanged since they were clean, {failed} with findings, "
          f"{len(not_reached)} not looked at within {options.seconds} s")
    for name in not_reached:
        print(f"lint: not looked at: {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
