#!/usr/bin/env python3
"""`keyvigil version` tells every format, and tests/data/upgrade has files of each version but the newest: whoever
changes a format's version adds files of the one before, or this fails.

Run by ctest with the path of the program, or by hand: python3 tests/end_to_end/version_formats_test.py KEYVIGIL
"""
import pathlib
import re
import sys
import unittest

import serve_test
from serve_test import run
from upgrade_story import FIXTURES, expected_of, fixtures, formats_of

CHANGELOG = pathlib.Path(__file__).resolve().parents[2] / "CHANGELOG.md"
# What lies in a store: a program that does not know a newer version of it must refuse the store as a whole.
IN_THE_STORE = ("state", "alert", "suppression-rule")


def missing(formats, kept):
    """Sentences about what `keyvigil version` tells and the fixtures do not hold. `kept`: formats of each fixture."""
    said = []
    for name, (oldest, newest, written) in formats.items():
        versions = {one[name] for one in kept if name in one}
        if written != newest:
            said.append(f"{name}: reads up to {newest}, and writes {written}")
        if not versions:
            said.append(f"{name}: no fixture holds it; run tests/data/upgrade/make_fixtures.py")
            continue
        for version in range(min(versions), newest):
            if version not in versions:
                said.append(f"{name}: no fixture of version {version}; make one with the program of before the change")
        said += [f"{name}: version {version} was written, and is not read any more" for version in sorted(versions)
                 if not oldest <= version <= newest]
    for one in kept:
        if one.get("store") == formats["store"][2]:
            said += [f"{name}: version {formats[name][2]} in a store of the same schema as version {one[name]}; an "
                     "older program would misread it: add a step to the schema" for name in IN_THE_STORE
                     if one.get(name) != formats[name][2]]
    return said


class Formats(unittest.TestCase):
    def setUp(self):
        done = run("version")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.formats = formats_of(done.stdout.decode())
        self.kept = [expected_of(fixture)["formats"] for fixture in fixtures()]

    def test_files_of_every_version_before_are_kept(self):
        self.assertEqual(missing(self.formats, self.kept), [])

    def test_a_change_of_any_version_is_found(self):
        for name, (oldest, newest, _) in self.formats.items():
            with self.subTest(name):
                twice = {**self.formats, name: (oldest, newest + 2, newest + 2)}
                self.assertTrue(any(f"{name}: no fixture of version {newest + 1}" in one
                                    for one in missing(twice, self.kept)))
                kept = max(one[name] for one in self.kept if name in one)
                forgotten = {**self.formats, name: (kept + 1, kept + 1, kept + 1)}
                self.assertTrue(any(f"{name}: version {kept} was written" in one
                                    for one in missing(forgotten, self.kept)))
        store = max(one["store"] for one in self.kept)
        for name in IN_THE_STORE:
            oldest, newest, _ = self.formats[name]
            alone = {**self.formats, "store": (1, store, store), name: (oldest, newest + 1, newest + 1)}
            self.assertTrue(any("add a step to the schema" in one for one in missing(alone, self.kept)), name)

    def test_every_version_of_the_source_is_told(self):
        source = CHANGELOG.parent / "src"
        named = set(re.findall(r'FormatVersions \w+ = \{"([a-z-]+)"', "".join(
            path.read_text() for path in sorted(source.rglob("*.h")))))
        self.assertGreater(len(named), 2)
        self.assertLessEqual(named, self.formats.keys())

    def test_every_released_version_has_files(self):
        released = set(re.findall(r"^## \[?(\d+\.\d+\.\d+)", CHANGELOG.read_text(), re.MULTILINE))
        self.assertLessEqual(released, {path.name for path in FIXTURES.iterdir()})


if __name__ == "__main__":
    serve_test.KEYVIGIL = sys.argv.pop(1)
    unittest.main(verbosity=2)
