#!/usr/bin/env python3
"""What a run says of what it did not look at: exit codes, sentences, and daily runs with a state.

Run by ctest with the path of the program, or by hand: python3 tests/end_to_end/detect_endings_test.py KEYVIGIL
"""
import gzip
import json
import os
import sys
import unittest

import detect_test
from detect_test import (ALL_THREE, SUSPICIOUS_ADDRESS, TOR_ADDRESS, InAFolder, alerts_of, attacked_day, json_lines,
                         quiet_day, record, run, types_of)


class NothingDecided(InAFolder):
    def test_is_an_exit_code_of_its_own_with_a_sentence(self):
        (self.folder / "empty").mkdir()
        other = {"time": "2026-05-05T10:00:00Z", "category": "StorageRead", "operationName": "GetBlob",
                 "resourceId": f"/SUBSCRIPTIONS/{detect_test.SUBSCRIPTION}/RESOURCEGROUPS/R/PROVIDERS"
                               "/MICROSOFT.STORAGE/STORAGEACCOUNTS/S"}
        for what, path in [("an empty folder", self.folder / "empty"), ("an empty file", self.write("a.json", b"")),
                           ("another service's log", self.write("b.json", json_lines([other]))),
                           ("blank lines", self.write("c.json", b"\n\n")),
                           ("an envelope of nothing", self.write("d.json", b'{"records": []}'))]:
            with self.subTest(what):
                code, out, err = self.detect(path, "--quiet")
                self.assertEqual((code, out), (5, b""), err)
                self.assertIn("--allow-empty", err)
                self.assertEqual(self.detect(path, "--quiet", "--allow-empty")[::2], (0, ""))

    def test_is_not_a_table_without_rows(self):
        code, _, err = self.detect(self.write("query.csv", b"TimeGenerated,OperationName,ResourceId\n"))
        self.assertEqual(code, 0, err)

    def test_is_not_a_run_that_holds_or_knows_everything(self):
        logs = self.write("logs.json", json_lines([record(600, TOR_ADDRESS)]))
        state = self.folder / "some.state"
        code, _, err = self.detect(logs, "--state", state)
        self.assertEqual(code, 0, err)
        self.assertEqual(self.detect(logs, "--state", state, "--final")[0], 0)
        code, _, err = self.detect(logs, "--state", state, "--final")
        self.assertEqual(code, 0, err)
        self.assertIn("nothing was new", err)


class CutInput(InAFolder):
    def test_is_an_exit_code_of_its_own_and_what_came_before_is_decided(self):
        data = gzip.compress(json_lines(attacked_day(5) + quiet_day(6)))
        for what, content in [("cut", data[:-200]), ("damaged", data[:-300] + b"\0" * 50 + data[-250:])]:
            with self.subTest(what):
                logs = self.write("logs.gz", content)
                code, out, err = self.detect(logs, "--quiet")
                self.assertEqual(code, 6, err)
                self.assertEqual(types_of(out), ALL_THREE)
                self.assertIn("logs.gz", err)
                self.assertEqual(self.detect(logs, "--quiet", "--max-refused", "100")[0], 0)

    def test_is_also_a_document_without_its_end(self):
        records = [one for day in range(5, 12) for one in quiet_day(day)]
        whole = json.dumps({"records": records}).encode()
        self.assertEqual(self.detect(self.write("whole.json", whole), "--quiet")[0], 0)
        code, _, err = self.detect(self.write("cut.json", whole[:-300]), "--quiet")
        self.assertEqual(code, 6, err)

    def test_does_not_hide_an_alert(self):
        logs = self.write("logs.gz", gzip.compress(json_lines(attacked_day(5) + quiet_day(6)))[:-200])
        code, _, err = self.detect(logs, "--quiet", "--fail-on", "Medium")
        self.assertEqual(code, 1, err)
        self.assertIn("cut off", err)


class WhatCannotHappen(InAFolder):
    def test_an_alert_without_its_list_is_refused_or_named(self):
        logs = self.write("logs.json", json_lines(attacked_day()))
        for only, lists, code, says in [
                ("KV_TORAccess", [], 2, "--tor FILE"),
                ("KV_SuspiciousIPAccess", ["--tor", self.tor], 2, "--suspicious"),
                ("KV_TORAccess,KV_UserAnomaly", [], 0, "KV_TORAccess cannot"),
                ("threat-lists", ["--tor", self.tor], 0, "KV_SuspiciousIPAccess, KV_SuspiciousIPAccessDenied cannot"),
                ("threat-lists", [], 0, "cannot be raised")]:
            with self.subTest(only=only, lists=lists):
                found, _, err = run("detect", logs, "--quiet", "--only", only, *lists)
                self.assertEqual(found, code, err)
                self.assertIn(says, err)
        self.assertNotIn("cannot be raised", self.detect(logs, "--only", "threat-lists")[2])

    def test_an_empty_interval_is_refused_or_said(self):
        logs = self.write("logs.json", json_lines(quiet_day()))
        self.assertEqual(self.detect(logs, "--from", "2026-05-06", "--until", "2026-05-05")[0], 2)
        self.assertEqual(self.detect(logs, "--from", "2026-05-06", "--until", "2026-05-06")[0], 2)
        code, _, err = self.detect(logs, "--quiet", "--from", "2026-06-01")
        self.assertEqual(code, 0, err)
        self.assertIn("no event lies between", err)


class Learning(InAFolder):
    def test_that_is_not_over_is_said_first_with_how_to_see_and_shorten_it(self):
        logs = self.write("logs.json", json_lines([one for day in range(5, 12) for one in quiet_day(day)]))
        code, _, err = self.detect(logs)
        self.assertEqual(code, 0, err)
        first = err.splitlines()[0]
        for words in ["6.4 of the 14 days", "--show-learning", "--learning-days 3", "2026-05-19"]:
            self.assertIn(words, first)
        self.assertNotIn("raises alerts since", err)

    def test_is_said_in_quiet_only_where_no_alert_was_possible(self):
        logs = self.write("logs.json", json_lines(quiet_day()))
        self.assertIn("days that behaviour is learned from", run("detect", logs, "--quiet")[2])
        self.assertEqual(self.detect(logs, "--quiet")[2], "")
        self.assertEqual(self.detect(logs, "--quiet", "--only", "KV_TORAccess")[2], "")

    def test_that_is_over_is_not_spoken_of(self):
        logs = self.write("logs.json", json_lines([one for day in range(5, 12) for one in quiet_day(day)]))
        code, _, err = self.detect(logs, "--learning-days", "2")
        self.assertEqual(code, 0, err)
        self.assertNotIn("learned from", err)
        self.assertIn("raises alerts since 2026-05-07", err)


class Lists(InAFolder):
    def test_their_losses_are_said_with_causes_and_first_lines(self):
        logs = self.write("logs.json", json_lines(quiet_day()))
        mixed = self.write("mixed.txt", b"203.0.113.7\n203.0.113.8-203.0.113.20\n203[.]0[.]113[.]9\nnobody,1\n")
        code, _, err = run("detect", logs, "--suspicious", mixed)
        self.assertEqual(code, 0, err)
        self.assertIn("3 of 4 entries were refused (3 not an address)", err)
        self.assertIn('line 2: "203.0.113.8-203.0.113.20"', err)

    def test_that_are_older_than_the_logs_are_named(self):
        logs = self.write("logs.json", json_lines(quiet_day()))
        old = self.write("old.txt", b"# Last updated: Fri Apr  3 10:00:00 UTC 2026\n203.0.113.7\n")
        said = self.write("said.txt", b"203.0.113.7\n")
        os.utime(said, (1_700_000_000, 1_700_000_000))
        for path in [old, said]:
            self.assertIn("load the list again", run("detect", logs, "--suspicious", path)[2])
        self.assertNotIn("load the list again", self.detect(logs)[2])


class DailyRuns(InAFolder):
    def daily(self, day, *more, records=None):
        logs = self.write(f"{day}.json", json_lines(quiet_day(day) if records is None else records))
        code, out, err = self.detect(logs, "--state", self.folder / "some.state", "--format", "jsonl", *more)
        return code, alerts_of(out), err

    def test_print_an_alert_once_for_each_revision(self):
        code, alerts, err = self.daily(5, "--fail-on", "Low", records=attacked_day(5))
        self.assertEqual((code, len(alerts)), (1, 3), err)
        for day in (6, 7, 8, 9):
            code, alerts, err = self.daily(day, "--fail-on", "Low")
            self.assertEqual((code, alerts), (0, []), err)

    def test_print_a_new_revision(self):
        self.daily(5, records=attacked_day(5))
        more = quiet_day(6) + [record(minute, SUSPICIOUS_ADDRESS, vault="kv-contoso-read", day=5)
                               for minute in (1100, 1101, 1102)]
        code, alerts, err = self.daily(6, records=sorted(more, key=lambda one: one["time"]))
        self.assertEqual(code, 0, err)
        self.assertEqual([alert["properties"]["alertType"] for alert in alerts], ["KV_SuspiciousIPAccess"])
        self.assertGreater(alerts[0]["properties"]["supportingEvidence"]["revision"], 1)

    def test_print_all_open_alerts_where_asked(self):
        self.daily(5, records=attacked_day(5))
        code, alerts, err = self.daily(6, "--all-open")
        self.assertEqual((code, len(alerts)), (0, 3), err)
        self.assertEqual(self.detect(self.write("x.json", json_lines(quiet_day())), "--all-open")[0], 2)

    def test_of_a_folder_that_grows_decide_what_is_new(self):
        state = ["--state", self.folder / "some.state"]
        everything = [attacked_day(5)] + [quiet_day(day) for day in range(6, 31)]
        seen = set()
        for day, records in enumerate(everything):
            self.write(f"cont/{day:02}.json", json_lines(records))
            code, out, err = self.detect(self.folder / "cont", *state, "--format", "jsonl")
            self.assertEqual(code, 0, err)
            for alert in alerts_of(out):
                revision = (alert["name"], alert["properties"]["supportingEvidence"]["revision"])
                self.assertNotIn(revision, seen)
                self.assertFalse(alert["properties"]["supportingEvidence"]["continued"])
                seen.add(revision)
            self.assertRegex(err, r" 0 late")
        self.assertEqual(len(seen), 3)
        # A file of the first day that was missing comes after weeks: it is decided, once.
        self.write("cont/late.json", json_lines([record(700, TOR_ADDRESS, vault="kv-contoso-late", day=5)]))
        found = [types_of(self.detect_lines(self.folder / "cont", *state)) for _ in range(3)]
        self.assertEqual(found, [["KV_TORAccess"], [], []])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: detect_endings_test.py KEYVIGIL [unittest arguments]")
    detect_test.KEYVIGIL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
