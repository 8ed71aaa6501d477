#!/usr/bin/env python3
"""`keyvigil detect --state` on states that released versions wrote (tests/data/upgrade), and on newer and other files.

Run by ctest with the path of the program, or by hand: python3 tests/end_to_end/detect_upgrade_test.py KEYVIGIL
"""
import json
import pathlib
import sys
import tempfile
import unittest

import serve_test
from serve_test import run
from upgrade_story import by_lists, expected_of, fixtures, lists_of, log_of, newest, unpack

VERSION_AT = 8  # behind the file's first word


class DetectUpgrade(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="keyvigil-upgrade-")
        self.addCleanup(place.cleanup)
        self.folder = pathlib.Path(place.name)
        self.state = self.folder / "vaults.state"

    def detect(self, lines, state):
        logs = self.folder / "logs.jsonl"
        logs.write_bytes(b"".join(lines))
        done = run("detect", logs, *lists_of(self.folder), "--state", state, "--format", "jsonl", "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_goes_on_as_if_nothing_had_happened(self):
        self.assertTrue(fixtures(), "no fixture was found")
        for fixture in fixtures():
            with self.subTest(fixture.name):
                unpack(fixture, self.folder)
                expected, lines = expected_of(fixture), log_of(fixture)
                exported = run("export", "--state", self.state, "--format", "jsonl")
                self.assertEqual(exported.returncode, 0, exported.stderr)
                open_then = {json.loads(line)["name"] for line in exported.stdout.splitlines()}
                self.assertLessEqual(open_then, expected["detect"].keys())
                first = expected["parts"][0]
                printed = self.detect(lines[first:], self.state)
                whole = self.detect(lines, self.folder / "fresh.state")
                # What was printed before comes again only with a new revision.
                for name, (_, revision) in newest(printed).items():
                    self.assertGreater(revision, expected["detect"].get(name, ["", 0])[1])
                # What behaviour raises is judged by what was learned, and the versions of before judged it otherwise.
                self.assertEqual(by_lists({**expected["detect"], **newest(printed)}), by_lists(newest(whole)))
                self.assertGreater(len(by_lists(newest(whole))), len(by_lists(expected["detect"])))
                self.assertEqual(self.detect(lines, self.state), [])
                (self.folder / "fresh.state").unlink()

    def refused(self, content):
        self.state.write_bytes(content)
        said = []
        for command in (["detect", self.folder / "logs.jsonl", "--state", self.state],
                        ["export", "--state", self.state, "--format", "jsonl"],
                        ["explain", "0000", "--state", self.state],
                        ["serve", "--dev", "--store", self.folder / "new.db", "--listen", "127.0.0.1:0", "--state",
                         self.state]):
            done = run(*command)
            self.assertIn(done.returncode, (2, 3), command)
            self.assertEqual(self.state.read_bytes(), content, command)
            said.append(done.stderr.decode())
        return said

    def test_newer_older_other_and_cut_files_are_refused_and_left_alone(self):
        unpack(fixtures()[-1], self.folder)
        (self.folder / "logs.jsonl").write_bytes(b"".join(log_of(fixtures()[-1])))
        whole = self.state.read_bytes()

        def of_version(version):
            return whole[:VERSION_AT] + version.to_bytes(4, "little") + whole[VERSION_AT + 4:]

        newer = "found version 1000: a newer KeyVigil wrote it; use that version, or a copy from before the upgrade"
        for content, found in [
                (of_version(1000), newer),
                (of_version(1), "found version 1; use an older copy, or delete the file"),
                ((self.folder / "store.db").read_bytes(), "found a file of another kind; name another file"),
                (b"{}\n", "found a file of another kind; name another file"),
                (b"", "found an empty file"),
                (whole[:5], "found a file that was cut short"),
                (whole[:10], "found a file that was cut short"),
                (whole[:-1], "whose checksum is wrong: cut short or damaged")]:
            with self.subTest(found):
                for told in self.refused(content):
                    self.assertIn(found, told)
                    self.assertIn("vaults.state", told)


if __name__ == "__main__":
    serve_test.KEYVIGIL = sys.argv.pop(1)
    unittest.main(verbosity=2)
