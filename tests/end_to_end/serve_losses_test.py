#!/usr/bin/env python3
"""What `keyvigil serve` says of what it did not look at, and what it does with what comes twice.

Run by ctest with the path of the program, or by hand: python3 tests/end_to_end/serve_losses_test.py KEYVIGIL
"""
import json
import sys
import time
import unittest

import serve_test
from serve_test import TOR_ADDRESS, ServeCase, days_later, json_lines, record

BEGIN = 1_780_000_000


class Losses(ServeCase):
    def await_problem(self, service, kind):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            problems = self.ask(service, "/v1/overview")["service"]["problems"]
            found = [problem for problem in problems if problem["kind"] == kind]
            if found:
                return found[0]
            time.sleep(0.2)
        raise AssertionError(f"no problem of the kind {kind}: {problems}")

    def closed_tor_alerts(self, service):
        """Name and revision of each."""
        alerts = [alert["properties"] | {"name": alert["name"]} for alert in service.alerts().values()]
        return {alert["name"]: alert["supportingEvidence"]["revision"] for alert in alerts
                if alert["alertType"] == "KV_TORAccess" and not alert.get("open")}

    def await_closed_tor_alert(self, service):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = self.closed_tor_alerts(service)
            if found:
                return found
            time.sleep(0.2)
        raise AssertionError("no alert was raised and closed")

    def test_a_file_that_is_too_large_to_be_taken_is_a_problem(self):
        folder = self.folder / "followed"
        folder.mkdir()
        with (folder / "export.json.gz").open("wb") as file:
            file.write(b"\x1f\x8b\x08")
            file.truncate(260 << 20)
        (folder / "small.json").write_bytes(json_lines([record(BEGIN, number=1)]))
        service = self.start(settings=self.settings + "serve:\n  inputs: [{folder: ../followed, poll_seconds: 1}]\n")
        problem = self.await_problem(service, "input")
        self.assertIn("export.json.gz", problem["text"])
        self.assertIn("passed over", problem["text"])
        (source,) = self.ask(service, "/v1/sources")["value"]
        self.assertIn("passed over", source["failure"])
        self.assertEqual(source["records"], 1)

    def test_what_a_list_lost_is_logged_and_shown(self):
        (self.folder / "exits.txt").write_text(f"{TOR_ADDRESS}\n203.0.113.8-203.0.113.20\n203[.]0[.]113[.]9\n")
        service = self.start()
        problem = self.await_problem(service, "list")
        self.assertIn("2 of 3 entries were refused (2 not an address)", problem["text"])
        (in_force,) = self.ask(service, "/v1/sources")["listsInForce"]
        self.assertEqual((in_force["role"], in_force["entries"], in_force["refused"]), ("tor", 1, 2))
        self.assertIn("203.0.113.8-203.0.113.20", in_force["losses"])
        self.assertTrue(any("2 of 3 entries" in line for line in service.log_lines()))

    def test_the_same_body_again_is_decided_once_however_late(self):
        service = self.start(settings=self.settings + "serve:\n  checkpoint_seconds: 1\n")
        records = [record(BEGIN + 3600 * hour, number=hour) for hour in range(24 * 20)]
        records[5] = record(BEGIN + 5 * 3600, TOR_ADDRESS, number=5)
        body = json_lines(records)
        self.assertEqual(service.send(body + json_lines(days_later(BEGIN, 21)))[0], 200)
        figures = service.await_decided()
        before = self.await_closed_tor_alert(service)
        for again in (body, body[:len(body) // 2] + b"\n"):
            self.assertEqual(service.send(again)[0], 200)
        after = service.await_decided()
        self.assertEqual(after["events_decided_total"], figures["events_decided_total"])
        self.assertEqual(after["late_total"], 0)
        self.assertGreaterEqual(after["decided_before_total"], len(records))
        self.assertEqual(self.closed_tor_alerts(service), before)
        status, _, text = service.ask("POST", "/dataCollectionRules/dcr-1/streams/Custom-Any?api-version=2023-01-01",
                                      json.dumps(records).encode(), {"Content-Type": "application/json"})
        self.assertEqual(status, 204, text)
        self.assertEqual(service.await_decided()["events_decided_total"], figures["events_decided_total"])
        overview = self.ask(service, "/v1/overview")["service"]
        self.assertEqual((overview["late"], overview["tooOld"], overview["bounds"]), (0, 0, []))
        # A restart forgets none of it.
        self.assertEqual(service.stop(), 0)
        service = self.start()
        decided = service.metrics()["events_decided_total"]
        self.assertEqual(service.send(body)[0], 200)
        self.assertEqual(service.await_decided()["events_decided_total"], decided)


if __name__ == "__main__":
    serve_test.KEYVIGIL = sys.argv.pop(1)
    unittest.main(verbosity=2)
