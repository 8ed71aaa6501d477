#!/usr/bin/env python3
"""Writes the files that a user of this program's version has, for the tests of later versions: tests/data/upgrade/VERSION.

Run before a release, and whenever a version of a format is about to change, with the program of before the change:
  python3 tests/data/upgrade/make_fixtures.py build/release/keyvigil [--folder tests/data/upgrade] [--name 0.1.0]
What is in a fixture: tests/end_to_end/upgrade_story.py. Standard library only; everything is on the loopback interface.
"""
import argparse
import json
import lzma
import pathlib
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "end_to_end"))
import serve_test  # noqa: E402
import upgrade_story  # noqa: E402
from serve_test import TOR_ADDRESS, BlobContainer, run  # noqa: E402

ATTACKS = "tor-success,suspicious-success,own-dump"
FIRST_SHARE, SECOND_SHARE = 0.7, 0.8


def checked(*arguments):
    done = run(*arguments)
    if done.returncode != 0:
        raise SystemExit(f"keyvigil {' '.join(map(str, arguments))} ended with {done.returncode}: "
                         f"{done.stderr.decode()}")
    return done.stdout.decode()


def make_log(folder):
    raw = folder / "raw.json"
    checked("simulate", "--size", "small", "--vaults", 3, "--apps", 2, "--users", 2, "--events", 160, "--days", 14,
            "--start", "2026-01-05T00:00:00Z", "--seed", 5, "--attacks", ATTACKS, "--strength", "loud", "--output", raw,
            "--tor-list", folder / "tor.txt", "--suspicious-list", folder / "suspicious.txt")
    (folder / "more.txt").write_text(TOR_ADDRESS + "\n")
    (folder / "sas").write_text(BlobContainer.SAS)
    lines = sorted(raw.read_bytes().splitlines(keepends=True), key=serve_test.time_of)
    raw.unlink()
    return lines


def serve_half_way(folder, lines, parts):
    """A service that was stopped once and killed once; what it said last."""
    story = upgrade_story.Story(folder, lines, parts)
    try:
        story.start(upgrade_story.WITH_ANOTHER_OUTPUT)
        story.take_first()
        story.dismiss_oldest()
        if story.service.stop() != 0:
            raise SystemExit(f"the service did not stop: {story.service.log_lines()[-3:]}")
        story.start(upgrade_story.SETTINGS)
        story.take_second()
        facts = story.facts()
        story.send_one()
        story.service.kill()
        return facts
    finally:
        story.close()


def detect_half_way(folder, lines):
    """One daily run; the lines it printed."""
    (folder / "today.jsonl").write_bytes(b"".join(lines))
    printed = checked("detect", folder / "today.jsonl", *upgrade_story.lists_of(folder), "--state",
                      folder / "vaults.state", "--format", "jsonl", "--quiet")
    return [json.loads(line) for line in printed.splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keyvigil")
    parser.add_argument("--folder", type=pathlib.Path, default=HERE)
    parser.add_argument("--name", help="of the fixture; default: the program's version")
    chosen = parser.parse_args()
    serve_test.KEYVIGIL = chosen.keyvigil
    said = checked("version")
    fixture = chosen.folder / (chosen.name or said.split()[1])
    if fixture.exists():
        raise SystemExit(f"expected to make the new folder '{fixture}', found that there is one; what released versions "
                         "wrote is kept: name another with --name, or remove it yourself")
    with tempfile.TemporaryDirectory(prefix="keyvigil-fixture-") as place:
        folder = pathlib.Path(place)
        lines = make_log(folder)
        parts = [int(len(lines) * FIRST_SHARE), int(len(lines) * SECOND_SHARE)]
        facts = serve_half_way(folder, lines, parts)
        printed = detect_half_way(folder, lines[:parts[0]])
        expected = {"version": said.split()[1], "formats": {name: written for name, (_, _, written) in
                                                           upgrade_story.formats_of(said).items()},
                    "parts": parts, "serve": facts, "detect": upgrade_story.newest(printed)}
        fixture.mkdir(parents=True)
        with tarfile.open(fixture / "files.tar.xz", "w:xz", preset=9) as archive:
            for name in upgrade_story.KEPT_FILES:
                if (folder / name).exists():
                    archive.add(folder / name, name, filter=upgrade_story.nobody)
        (fixture / "log.jsonl.xz").write_bytes(lzma.compress(b"".join(lines), preset=9))
        (fixture / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")
    print(f"made {fixture}")


if __name__ == "__main__":
    main()
