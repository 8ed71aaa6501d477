#!/usr/bin/env python3
"""Nothing that a command writes may be what it reads, under whatever name: tried for each pair.

Run by ctest with the path of the program, or by hand: python3 tests/end_to_end/detect_paths_test.py KEYVIGIL
"""
import json
import os
import subprocess
import sys
import time
import unittest

import detect_test
from detect_test import InAFolder, attacked_day, json_lines, quiet_day, record, run

# How a name leads to the file that is read: itself, another way there, links.
WAYS = ["itself", "dotted", "symbolic", "symbolic twice", "hard", "through a linked folder"]


class Paths(InAFolder):
    def setUp(self):
        super().setUp()
        self.write("logs/a.json", json_lines(attacked_day(5)))
        self.write("logs/deep/b.json", json_lines(attacked_day(6)))
        self.write("single.json", json_lines(quiet_day(7)))
        self.write("globbed-1.json", json_lines(quiet_day(8)))
        ranges = {"name": "AzureCloud", "id": "AzureCloud", "properties": {"addressPrefixes": ["203.0.113.128/25"]}}
        tags = {"changeNumber": 1, "cloud": "Public", "values": [ranges]}
        self.write("tags.json", json.dumps(tags).encode())
        self.write("teams.txt", b"203.0.113.99\n")
        self.write("keyvigil.yaml", b"lists: {suspicious: [teams.txt]}\nlearning_days: 3\n")
        self.read = {"a file of a folder": "logs/a.json", "a file deep in a folder": "logs/deep/b.json",
                     "a file": "single.json", "a file of a glob": "globbed-1.json", "Tor list": "tor.txt",
                     "suspicious list": "suspicious.netset", "service tags": "tags.json",
                     "configuration": "keyvigil.yaml", "list of the configuration": "teams.txt"}
        self.arguments = ["logs", "single.json", "globbed-*.json", "--tor", "tor.txt", "--suspicious",
                          "suspicious.netset", "--service-tags", "tags.json", "--config", "keyvigil.yaml"]
        os.chdir(self.folder)
        self.addCleanup(os.chdir, detect_test.ROOT)

    def bytes_of_all(self):
        return {name: (self.folder / name).read_bytes() for name in self.read.values()}

    def names_of(self, target):
        """Names that lead to the file, by way."""
        for old in ["link", "link-2", "hard-link", "linked-folder"]:
            if os.path.lexists(old):
                os.remove(old)
        os.symlink(os.path.abspath(target), "link")
        os.symlink("link", "link-2")
        os.link(target, "hard-link")
        os.symlink(os.path.dirname(os.path.abspath(target)), "linked-folder")
        through = os.path.join("linked-folder", os.path.basename(target))
        return dict(zip(WAYS, [target, f"./logs/../{target}", "link", "link-2", "hard-link", through]))

    def refused(self, *arguments, before, **options):
        code, out, err = run(*arguments, **options)
        self.assertEqual((code, out), (2, b""), err)
        self.assertIn("name another", err)
        self.assertEqual(self.bytes_of_all(), before)

    def test_each_written_path_is_refused_at_each_read_path(self):
        before = self.bytes_of_all()
        for option in ["--output", "--refused", "--incidents", "--state"]:
            for what, target in self.read.items():
                for way, name in self.names_of(target).items():
                    with self.subTest(option=option, what=what, way=way):
                        self.refused("detect", *self.arguments, option, name, before=before)

    def test_an_unfinished_copy_is_refused_at_each_read_path(self):
        before = self.bytes_of_all()
        for option in ["--output", "--incidents"]:
            for what, target in self.read.items():
                for link in [os.symlink, os.link]:
                    with self.subTest(option=option, what=what, link=link.__name__):
                        if os.path.lexists("new.partial"):
                            os.remove("new.partial")
                        link(os.path.abspath(target), "new.partial")
                        self.refused("detect", *self.arguments, option, "new", before=before)
        os.remove("new.partial")

    def test_the_lock_of_a_state_is_refused_at_each_read_path(self):
        before = self.bytes_of_all()
        for what, target in self.read.items():
            with self.subTest(what):
                if os.path.lexists("some.state.lock"):
                    os.remove("some.state.lock")
                os.link(target, "some.state.lock")
                self.refused("detect", *self.arguments, "--state", "some.state", before=before)

    def test_written_paths_are_refused_at_each_other(self):
        before = self.bytes_of_all()
        os.mkdir("there")
        os.symlink("there", "also-there")
        os.symlink("there/new", "leads-nowhere-yet")
        options = ["--output", "--refused", "--incidents", "--state"]
        for first in options:
            for second in options:
                for name in ["there/new", "there/../there/new", "also-there/new", "leads-nowhere-yet"]:
                    if first == second:
                        continue
                    with self.subTest(first=first, second=second, name=name):
                        self.refused("detect", *self.arguments, first, "there/new", second, name, before=before)
                        self.assertEqual(os.listdir("there"), [])

    def test_standard_streams_count_as_the_files_that_they_are(self):
        before = self.bytes_of_all()
        for option in ["--output", "--refused", "--incidents", "--state"]:
            with self.subTest(option), open("single.json", "rb") as stdin:
                done = subprocess.run([detect_test.KEYVIGIL, "detect", "-", option, "single.json"], stdin=stdin,
                                      capture_output=True, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(self.bytes_of_all(), before)
        with open("single.json", "ab") as stdout:
            done = subprocess.run([detect_test.KEYVIGIL, "detect", "single.json"], stdout=stdout,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(self.bytes_of_all(), before)

    def test_devices_and_free_names_may_be_used(self):
        code, _, err = run("detect", *self.arguments, "--output", "/dev/null", "--refused", "/dev/null",
                           "--incidents", "/dev/null", "--state", "logs-state")
        self.assertEqual(code, 0, err)

    def test_a_state_behind_a_link_is_replaced_behind_it(self):
        os.mkdir("real")
        os.symlink("real/some.state", "some.state")
        for day in (5, 6):
            logs = self.write("day.json", json_lines(quiet_day(day)))
            code, _, err = self.detect(logs, "--state", "some.state")
            self.assertEqual(code, 0, err)
            self.assertTrue(os.path.islink("some.state"))
            self.assertEqual(os.listdir("real"), ["some.state"])


class OtherCommands(InAFolder):
    def setUp(self):
        super().setUp()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, detect_test.ROOT)

    def refused_with_the_bytes_as_they_were(self, name, *arguments):
        before = (self.folder / name).read_bytes()
        code, _, err = run(*arguments)
        self.assertEqual(code, 2, err)
        self.assertIn("name another", err)
        self.assertEqual((self.folder / name).read_bytes(), before)

    def test_simulate_writes_nothing_twice(self):
        options = ["--output", "--tor-list", "--suspicious-list", "--service-tags", "--labels"]
        for first in options:
            for second in options:
                if first < second:
                    with self.subTest(first=first, second=second):
                        code, _, err = run("simulate", "--days", "1", first, "new", second, "./new")
                        self.assertEqual(code, 2, err)
                        self.assertFalse(os.path.exists("new"))

    def test_export_does_not_write_what_it_reads(self):
        logs = self.write("logs.json", json_lines(attacked_day()))
        self.assertEqual(self.detect(logs, "--state", "some.state")[0], 0)
        self.write("keyvigil.yaml", b"learning_days: 3\n")
        for name in ["some.state", "keyvigil.yaml"]:
            os.symlink(name, "link")
            for way in [name, "link"]:
                self.refused_with_the_bytes_as_they_were(name, "export", "--state", "some.state", "--config",
                                                         "keyvigil.yaml", "--output", way)
            os.remove("link")

    def test_backup_does_not_remove_the_store_that_bears_its_unfinished_name(self):
        self.write("copy.unfinished", b"a store")
        self.refused_with_the_bytes_as_they_were("copy.unfinished", "backup", "copy.unfinished", "copy")

    def test_serve_writes_nothing_that_it_reads_and_nothing_into_what_it_follows(self):
        os.mkdir("followed")
        base = "serve:\n  store: {store}\n  inputs: [{{folder: followed}}]\nlists: {{tor: [tor.txt]}}\n" \
               "outputs: [{{name: soc, kind: file, path: {output}}}]\n"
        for store, output in [("tor.txt", "alerts"), ("db", "tor.txt"), ("keyvigil.yaml", "alerts"), ("db", "db"),
                              ("db", "db-wal"), ("db", "keyvigil.yaml"), ("followed/db", "alerts"),
                              ("db", "followed/alerts")]:
            with self.subTest(store=store, output=output):
                self.write("keyvigil.yaml", base.format(store=store, output=output).encode())
                for command in [["serve", "--dev"], ["outputs"]]:
                    self.refused_with_the_bytes_as_they_were("tor.txt", *command, "--config", "keyvigil.yaml")
                self.assertEqual(os.listdir("followed"), [])


class TwoRuns(InAFolder):
    def test_on_one_state_exclude_each_other(self):
        state = self.folder / "some.state"
        first = subprocess.Popen([detect_test.KEYVIGIL, "detect", "-", "--state", state, "--quiet"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        lock = self.folder / "some.state.lock"
        for _ in range(500):
            if lock.exists() and lock.read_bytes().endswith(b"\n"):
                break
            time.sleep(0.02)
        logs = self.write("logs.json", json_lines(quiet_day()))
        os.symlink(state, self.folder / "link")
        for name in ["some.state", "link"]:
            code, out, err = self.detect(logs, "--state", self.folder / name)
            self.assertEqual((code, out), (3, b""), err)
            self.assertIn(f"process {first.pid}", err)
        first.communicate(json_lines([record(500, detect_test.OFFICE_ADDRESS, day=6)]))
        self.assertEqual(first.returncode, 0)
        self.assertFalse(lock.exists())
        self.assertEqual(self.detect(logs, "--state", state)[0], 0)

    def test_a_lock_that_a_dead_run_left_is_taken_over_and_another_file_is_not(self):
        logs = self.write("logs.json", json_lines(quiet_day()))
        lock = self.write("some.state.lock", b"4194304\n")
        self.assertEqual(self.detect(logs, "--state", self.folder / "some.state")[0], 0)
        self.assertFalse(lock.exists())
        self.write("some.state.lock", b"somebody's notes\n")
        code, _, err = self.detect(logs, "--state", self.folder / "some.state")
        self.assertEqual(code, 3, err)
        self.assertEqual(lock.read_bytes(), b"somebody's notes\n")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: detect_paths_test.py KEYVIGIL [unittest arguments]")
    detect_test.KEYVIGIL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
