#!/usr/bin/env python3
"""`detect` decodes on as many threads as it is given: what it prints is the same.

Run by ctest, also under ThreadSanitizer, with the path of the program, or by hand:
python3 tests/end_to_end/detect_threads_test.py KEYVIGIL
"""
import gzip
import os
import sys
import unittest

import detect_test
from detect_test import ALL_THREE, InAFolder, attacked_day, json_lines, quiet_day, run, types_of


class Threads(InAFolder):
    def printed(self, *arguments):
        code, out, err = run("detect", *arguments, "--quiet")
        self.assertEqual(code, 0, err)
        return out

    def test_do_not_matter_to_many_files(self):
        """More files than threads, packed and plain, one of them larger than a batch."""
        for day in range(1, 28):
            lines = json_lines(attacked_day(day) if day % 9 == 0 else quiet_day(day) * (40 if day == 13 else 1))
            packed = day % 2 == 0
            self.write(f"logs/{day:02}.json" + (".gz" if packed else ""), gzip.compress(lines) if packed else lines)
        lists = ("--tor", self.tor, "--suspicious", self.suspicious)
        expected = self.printed(self.folder / "logs", *lists, "--threads", "1")
        self.assertEqual(types_of(expected), sorted(3 * ALL_THREE))
        for threads in ("2", "3", "8"):
            self.assertEqual(self.printed(self.folder / "logs", *lists, "--threads", threads), expected, threads)

    def test_do_not_matter_to_what_is_learned(self):
        logs = self.folder / "logs.json"
        code, _, err = run("simulate", *detect_test.Behaviour.WORLD, "--output", logs)
        self.assertEqual(code, 0, err)
        options = detect_test.Behaviour.OPTIONS
        expected = self.printed(logs, *options, "--threads", "1")
        self.assertGreater(len(types_of(expected)), 5)
        self.assertEqual(self.printed(logs, *options, "--threads", "3"), expected)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: detect_threads_test.py KEYVIGIL [unittest arguments]")
    detect_test.KEYVIGIL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
