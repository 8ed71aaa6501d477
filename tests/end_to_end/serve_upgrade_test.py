#!/usr/bin/env python3
"""`keyvigil serve` on stores that released versions wrote (tests/data/upgrade), and on stores of newer versions.

Run by ctest with the path of the program, or by hand: python3 tests/end_to_end/serve_upgrade_test.py KEYVIGIL
"""
import pathlib
import sqlite3
import sys
import tempfile
import unittest

import serve_test
import upgrade_story
from serve_test import SUBSCRIPTION, ServeCase, run
from upgrade_story import SETTINGS, Story, apart_from_status, by_lists, expected_of, fixtures, log_of, unpack


class UpgradeCase(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="keyvigil-upgrade-")
        self.addCleanup(place.cleanup)
        self.folder = pathlib.Path(place.name)

    def story(self, name, fixture):
        folder = self.folder / name
        folder.mkdir()
        story = Story(folder, log_of(fixture), expected_of(fixture)["parts"])
        self.addCleanup(story.close)
        return story

    def opened(self, fixture):
        story = self.story("upgraded", fixture)
        unpack(fixture, story.folder)
        return story


class Upgrade(UpgradeCase):
    def never_interrupted(self, fixture):
        """What this program says of the same log where nothing stopped it."""
        story = self.story("whole", fixture)
        unpack(fixture, story.folder)
        for name in upgrade_story.KEPT_FILES:
            if name.startswith(("store.db", "archive", "vaults")) and (story.folder / name).is_file():
                (story.folder / name).unlink()
        story.start(SETTINGS)
        for part in (story.take_first, story.dismiss_oldest, story.take_second, story.send_one, story.take_rest):
            part()
        told = story.alerts(), story.await_archived()
        story.close()
        return told

    def test_nothing_is_lost_and_the_rest_gives_the_same_alerts(self):
        self.assertTrue(fixtures(), "no fixture was found")
        for fixture in fixtures():
            with self.subTest(fixture.name):
                known = expected_of(fixture)["serve"]
                whole, delivered = self.never_interrupted(fixture)
                story = self.opened(fixture)
                story.show(story.second, bytes_of_next=200)
                story.start(SETTINGS)
                # With the one that was acknowledged just before the service was killed.
                story.await_records(story.second + 1)
                facts = story.facts()
                for identity, alert in known["alerts"].items():
                    self.assertEqual(facts["alerts"].get(identity), alert)
                self.assertEqual(facts["rules"], known["rules"])
                self.assertEqual(facts["dead"], known["dead"])
                # The record that was acknowledged last may raise more than it did.
                self.assertGreaterEqual(facts["undelivered"], known["undelivered"])
                for source, records in known["records"].items():
                    self.assertEqual(facts["records"][source], records)
                story.take_rest()
                # What behaviour raises is judged by what was learned, and the versions of before judged it otherwise.
                self.assertEqual(apart_from_status(by_lists(story.alerts())), apart_from_status(by_lists(whole)))
                lab = [alert for alert in by_lists(whole).values() if alert["subscriptionId"] == SUBSCRIPTION]
                self.assertEqual([alert["status"] for alert in lab], ["Dismissed"])
                self.assertGreater(len(by_lists(story.alerts())), len(by_lists(facts["alerts"])))
                self.assertTrue(story.await_archived())
                for name, begun in ServeCase.blobs_of(story.lines[:story.second]).items():
                    self.assertGreaterEqual(story.container.lowest_asked.get(name, len(begun)), len(begun), name)
                self.assertEqual(story.service.stop(), 0)
                story.close()

    def test_commands_read_a_store_that_serve_has_not_opened_yet(self):
        for fixture in fixtures():
            with self.subTest(fixture.name):
                expected = expected_of(fixture)
                story = self.opened(fixture)
                store = story.folder / "store.db"
                done = run("outputs", "dead", "list", store, "--output", "removed")
                self.assertEqual(done.returncode, 0, done.stderr)
                for identity, _ in expected["serve"]["dead"]:
                    self.assertIn(identity, done.stdout.decode())
                done = run("backup", store, story.folder / "copy")
                self.assertEqual(done.returncode, 0, done.stderr)
                # The way back: the copy is of the version that the store was of.
                self.assertEqual(int.from_bytes((story.folder / "copy").read_bytes()[60:64], "big"),
                                 expected["formats"]["store"])
                (story.folder / "copy").rename(store)
                for end in ("-wal", "-shm"):
                    pathlib.Path(f"{store}{end}").unlink(missing_ok=True)
                story.show(story.second, bytes_of_next=200)
                story.start(SETTINGS)
                story.await_records(story.second + 1)
                self.assertLessEqual(expected["serve"]["alerts"].items(), story.alerts().items())
                story.close()


class GoingBack(UpgradeCase):
    """A file of a version that does not exist yet."""

    REFUSED = "a newer KeyVigil wrote it; use that version, or a copy from before the upgrade"

    def serve(self, folder, *arguments):
        done = serve_test.run("serve", "--dev", "--store", folder / "store.db", "--listen", "127.0.0.1:0", *arguments)
        return done.returncode, done.stderr.decode()

    def newer(self, statement, name="store.db"):
        story = self.opened(fixtures()[-1])
        story.close()
        store = story.folder / name
        for end in ("-wal", "-shm"):
            pathlib.Path(f"{store}{end}").unlink(missing_ok=True)
        database = sqlite3.connect(store)
        database.execute("PRAGMA journal_mode=DELETE")
        for one in statement.split(";"):
            database.execute(one)
        database.commit()
        database.close()
        return story.folder

    def test_a_newer_store_is_refused_by_every_command_and_left_alone(self):
        folder = self.newer("PRAGMA user_version=1000")
        store = folder / "store.db"
        before = store.read_bytes()
        code, told = self.serve(folder)
        self.assertEqual(code, 3)
        self.assertIn(f"to have a schema of version 1 to 2, found 1000: {self.REFUSED}", told)
        for command in (["backup", store, folder / "copy"], ["backup", "--damaged", store, folder / "copy"],
                        ["outputs", "dead", "list", store]):
            done = run(*command)
            self.assertEqual(done.returncode, 3, command)
            self.assertIn("a newer KeyVigil wrote it", done.stderr.decode(), command)
        self.assertFalse((folder / "copy").exists())
        self.assertEqual(store.read_bytes(), before)

    def test_a_newer_file_of_events_is_refused_with_its_own_way_out(self):
        folder = self.newer("PRAGMA user_version=1000", "store.db.events")
        code, told = self.serve(folder)
        self.assertEqual(code, 3)
        self.assertIn("store.db.events", told)
        self.assertIn("or move this file away: timelines come from it", told)
        (folder / "store.db.events").unlink()
        story = Story(folder, [], [0, 0])
        self.addCleanup(story.close)
        story.start(SETTINGS)

    def test_other_files_are_told_from_stores(self):
        for found, text in (("a file of another kind", b"hello " * 1000), ("an empty file", b"")):
            with self.subTest(found):
                (self.folder / "store.db").write_bytes(text)
                code, told = self.serve(self.folder)
                self.assertEqual(code, 3)
                self.assertIn(found, told)
                self.assertEqual((self.folder / "store.db").read_bytes(), text)


if __name__ == "__main__":
    serve_test.KEYVIGIL = sys.argv.pop(1)
    unittest.main(verbosity=2)
