#!/usr/bin/env python3
"""`keyvigil backup`, from outside.

Run by ctest with the path of the program, or by hand: python3 tests/end_to_end/backup_test.py build/release/keyvigil
Standard library only.
"""
import os
import pathlib
import sqlite3
import stat
import subprocess
import sys
import tempfile
import unittest

KEYVIGIL = ""  # set from the command line, below
APPLICATION_ID = 0x4B565631
PAGE = 8192


def run(*arguments):
    done = subprocess.run([KEYVIGIL, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600,
                          check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


def salvaged(path, rows=2000):
    """A file as SQLite's own .recover leaves it: the store's marks, pages of another size, no checksums."""
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA application_id={APPLICATION_ID}")
    database.execute("PRAGMA user_version=1")
    database.execute("CREATE TABLE alert(number INTEGER PRIMARY KEY, id TEXT)")
    database.executemany("INSERT INTO alert(id) VALUES(?)", ((f"alert {i} " + "x" * 200,) for i in range(rows)))
    database.commit()
    database.close()


def rows_of(path):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    found = database.execute("SELECT count(*), max(id) FROM alert").fetchone()
    database.close()
    return found


class Backup(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = pathlib.Path(kept.name)
        self.made = self.folder / "salvaged"
        self.store = self.folder / "store"
        self.copy = self.folder / "copy"
        salvaged(self.made)
        code, out, err = run("backup", "--damaged", self.made, self.store)
        self.assertEqual(code, 0, err)
        self.assertIn(f"copied {self.made} to {self.store}", out)

    def test_a_salvaged_file_becomes_a_store_with_checksums(self):
        head = self.store.read_bytes()[:100]
        self.assertEqual(int.from_bytes(head[16:18], "big"), PAGE)
        self.assertEqual(head[20], 8)
        self.assertEqual(rows_of(self.store), rows_of(self.made))
        self.assertEqual(stat.S_IMODE(self.store.stat().st_mode), 0o600)

    def test_copies_a_store(self):
        code, _, err = run("backup", self.store, self.copy)
        self.assertEqual(code, 0, err)
        self.assertEqual(rows_of(self.copy), rows_of(self.store))
        self.assertEqual(sorted(os.listdir(self.folder)), ["copy", "salvaged", "store"])

    def test_refuses_a_file_without_checksums(self):
        code, out, err = run("backup", self.made, self.copy)
        self.assertEqual((code, out), (3, ""))
        self.assertIn("a store without page checksums", err)
        self.assertFalse(self.copy.exists())

    def test_never_replaces_a_file(self):
        self.copy.write_text("precious")
        code, _, err = run("backup", self.store, self.copy)
        self.assertEqual(code, 2)
        self.assertIn("found that there is one; name another", err)
        self.assertEqual(self.copy.read_text(), "precious")

    def test_finds_every_damaged_page_and_says_what_to_do(self):
        whole = self.store.read_bytes()
        for page in range(1, len(whole) // PAGE, 7):
            with self.subTest(page=page):
                damaged = bytearray(whole)
                damaged[page * PAGE + 5000] ^= 4
                self.store.write_bytes(damaged)
                code, _, err = run("backup", self.store, self.copy)
                self.assertEqual(code, 3)
                self.assertIn("a page is damaged", err)
                self.assertIn(f"keyvigil backup --damaged {self.store}", err)
                self.assertFalse(self.copy.exists())

    def test_refuses_other_files(self):
        other = self.folder / "other"
        database = sqlite3.connect(other)
        database.execute("CREATE TABLE a(x)")
        database.commit()
        database.close()
        for options in ([], ["--damaged"]):
            code, _, err = run("backup", *options, other, self.copy)
            self.assertEqual(code, 3)
            self.assertIn("another program's SQLite file", err)
        text = self.folder / "text"
        text.write_text("hello " * 1000)
        code, _, err = run("backup", text, self.copy)
        self.assertEqual(code, 3)
        self.assertIn("a file of another kind", err)
        code, _, err = run("backup", self.folder / "absent", self.copy)
        self.assertEqual(code, 3)
        self.assertIn("expected to read the store", err)
        self.assertFalse(self.copy.exists())


if __name__ == "__main__":
    KEYVIGIL = sys.argv.pop(1)
    unittest.main()
