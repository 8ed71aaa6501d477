#!/usr/bin/env python3
"""`keyvigil explain`, from outside.

Run by ctest with the path of the program, or by hand: python3 tests/end_to_end/explain_test.py build/release/keyvigil
Standard library only.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

KEYVIGIL = ""  # set from the command line, below


def run(*arguments):
    done = subprocess.run([KEYVIGIL, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600,
                          check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


class Explain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        kept = tempfile.TemporaryDirectory()
        cls.addClassCleanup(kept.cleanup)
        cls.folder = pathlib.Path(kept.name)
        cls.logs = cls.folder / "logs.json"
        cls.tor = cls.folder / "tor.txt"
        cls.alerts = cls.folder / "alerts.jsonl"
        cls.state = cls.folder / "some.state"
        code, _, err = run("simulate", "--size", "small", "--days", "24", "--seed", "5", "--attacks", "all",
                           "--strength", "human", "--output", cls.logs, "--tor-list", cls.tor)
        assert code == 0, err
        common = ["detect", cls.logs, "--tor", cls.tor, "--learning-days", "8", "--alerts-per-1000-vault-days", "100",
                  "--format", "jsonl", "--quiet"]
        code, _, err = run(*common, "--output", cls.alerts)
        assert code == 0, err
        code, out, err = run(*common, "--state", cls.state, "--final")
        assert code == 0, err
        cls.lines = [json.loads(line) for line in cls.alerts.read_text().splitlines()]
        cls.open = [json.loads(line) for line in out.splitlines() if json.loads(line)["properties"].get("open")]

    def one_of_type(self, begin):
        return next(alert for alert in self.lines if alert["properties"]["alertType"] == begin)

    def test_says_why_with_numbers_and_what_to_do(self):
        one_of_each = {alert["properties"]["alertType"]: alert for alert in self.lines}
        self.assertGreater(len(one_of_each), 8)
        path = self.folder / "one_of_each.jsonl"
        path.write_text("".join(json.dumps(alert) + "\n" for alert in one_of_each.values()))
        for alert in one_of_each.values():
            code, out, err = run("explain", alert["name"], "--alerts", path)
            self.assertEqual(code, 0, err)
            self.assertIn(alert["properties"]["alertDisplayName"], out)
            for reason in alert["properties"]["supportingEvidence"]["reasons"]:
                self.assertIn(reason["sentence"], out)
            for part in ["Why", "What else it could be", "To rotate", "What to do", "Records"]:
                self.assertIn(part, out)
            self.assertEqual("How rare" in out, "verdict" in alert["properties"]["supportingEvidence"])

    def test_takes_the_beginning_of_the_id(self):
        guid = self.lines[0]["name"].split("_")[1]
        whole = run("explain", self.lines[0]["name"], "--alerts", self.alerts)
        self.assertEqual(run("explain", guid[:13], "--alerts", self.alerts), whole)

    def test_json_is_the_alert(self):
        code, out, err = run("explain", self.lines[0]["name"], "--alerts", self.alerts, "--format", "json")
        self.assertEqual((code, json.loads(out)), (0, self.lines[0]), err)

    def test_knows_the_alerts_that_are_open_in_a_state_file(self):
        self.assertTrue(self.open)
        code, out, err = run("explain", self.open[0]["name"], "--state", self.state)
        self.assertEqual(code, 0, err)
        self.assertIn("still open", out)

    def test_names_some_alerts_where_none_is_meant(self):
        code, out, err = run("explain", "0000zzzz", "--alerts", self.alerts)
        self.assertEqual((code, out), (2, ""))
        self.assertIn(self.lines[0]["name"], err)

    def test_refuses_a_file_that_holds_no_alerts(self):
        code, _, err = run("explain", "abcd", "--alerts", self.logs)
        self.assertEqual(code, 3)
        self.assertIn("logs.json:1:", err)

    def test_wants_one_place_to_look(self):
        self.assertEqual(run("explain", "abcd")[0], 2)

    def test_no_text_of_an_alert_moves_the_cursor(self):
        hostile = json.loads(json.dumps(self.lines[0]))
        hostile["properties"]["compromisedEntity"] = "\x1b[2Jgone\u202e"
        path = self.folder / "hostile.jsonl"
        path.write_text(json.dumps(hostile) + "\n")
        code, out, err = run("explain", hostile["name"], "--alerts", path)
        self.assertEqual(code, 0, err)
        self.assertNotIn("\x1b", out)
        self.assertNotIn("\u202e", out)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: explain_test.py KEYVIGIL [unittest arguments]")
    KEYVIGIL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
