#!/usr/bin/env python3
"""`keyvigil serve` where its files are taken away, damaged or out of room: nothing acknowledged is lost without a word.

Run by ctest with the path of the program, or by hand: python3 tests/end_to_end/serve_durable_test.py KEYVIGIL
"""
import json
import resource
import subprocess
import sys
import unittest

import serve_test
from serve_test import TOR_ADDRESS, ServeCase, is_sanitized, json_lines, record

BEGIN = 1_780_000_000


class Durable(ServeCase):
    disk = None

    def tearDown(self):
        if self.disk:
            for service in self.services:
                service.process.kill()
                service.process.wait()
            subprocess.run(["umount", "-l", str(self.disk)], check=True)
        super().tearDown()

    def problem(self, service, about):
        problems = self.ask(service, "/v1/overview")["service"]["problems"]
        found = [problem["text"] for problem in problems if (problem["kind"], problem["about"]) == ("store", about)]
        return found[0] if found else None

    def send_one(self, service, number):
        status, headers, text = service.ask("POST", "/v1/logs", json_lines([record(BEGIN + number, number=number)]))
        return status, {name.lower() for name in headers}, text

    def expect_refused(self, service, number):
        status, headers, text = self.send_one(service, number)
        self.assertEqual(status, 503, text)
        self.assertIn("retry-after", headers)
        return text

    def test_an_alert_waits_for_no_checkpoint_and_is_there_after_a_kill(self):
        settings = self.settings + "lateness_minutes: 0\nserve:\n  checkpoint_seconds: 300\n"
        service = self.start(settings=settings)
        records = [record(BEGIN + place, TOR_ADDRESS if place == 5 else serve_test.OFFICE_ADDRESS,
                          vault=f"kv-contoso-{place % 2}", number=place) for place in range(10)]
        checkpoints = service.metrics()["checkpoints_total"]
        self.assertEqual(service.send(json_lines(records))[0], 200)
        (name,) = raised = self.await_that("the alert shows", service.alerts)
        history = self.ask(service, f"/v1/alerts/{name}")["history"]
        self.assertEqual(service.metrics()["checkpoints_total"], checkpoints)
        service.kill()
        service = self.start(settings=settings)
        self.assertEqual(service.alerts().keys(), raised.keys())
        self.assertEqual(service.await_decided()["alerts_raised_total{type=\"KV_TORAccess\"}"], 1)
        self.assertEqual(service.alerts(), raised)
        self.assertEqual(self.ask(service, f"/v1/alerts/{name}")["history"], history)

    def test_an_open_alert_shows_evidence_that_no_revision_holds(self):
        service = self.start(settings=self.settings + "lateness_minutes: 0\n")
        records = []
        for place in range(12):
            address = TOR_ADDRESS if 3 <= place < 10 else serve_test.OFFICE_ADDRESS
            records.append(record(BEGIN + place, address, vault="kv-contoso-pay", number=place))
            secret = f"https://kv-contoso-pay.vault.azure.net/secrets/s{place}"
            records[-1]["properties"] |= {"id": secret, "requestUri": f"{secret}?api-version=7.4"}
        records.append(record(BEGIN + 20, vault="kv-contoso-other", number=20))
        self.assertEqual(service.send(json_lines(records))[0], 200)
        (name,) = self.await_that("the alert shows", service.alerts)
        # Seven reads: the last revision is that of four.
        shown = self.await_that("all seven are shown", lambda: [
            text for text in [json.dumps(self.ask(service, f"/v1/alerts/{name}")["arm"])]
            if all(f"secrets/s{place}" in text for place in range(3, 10))])
        self.assertNotIn("secrets/s1\"", shown[0])
        self.assertTrue(all(f"secrets/s{place}" in json.dumps(service.alerts()[name]) for place in range(3, 10)))

    def test_a_store_that_is_taken_away_takes_nothing_more(self):
        for change in ("removed", "replaced"):
            with self.subTest(change):
                service = self.start(change)
                self.assertEqual(self.send_one(service, 1)[0], 200)
                store = service.folder / "store.db"
                if change == "removed":
                    store.unlink()
                else:
                    other = service.folder / "other.db"
                    other.write_bytes(store.read_bytes())
                    other.rename(store)
                self.expect_refused(service, 2)
                self.assertEqual(service.ask("GET", "/readyz")[0], 503)
                self.assertEqual(service.ask("GET", "/healthz")[0], 200)
                self.assertIn("removed or replaced", self.await_that("it is told", lambda: self.problem(service,
                                                                                                        "place")))
                self.assertEqual(service.stop(), 3)
                self.assertIn("removed or replaced", service.log_lines()[-1])

    def test_a_damaged_log_of_a_killed_service_is_refused_with_a_way_out(self):
        service = self.start()
        for number in range(30):
            self.assertEqual(self.send_one(service, number)[0], 200)
        service.kill()
        log = self.folder / "service" / "store.db-wal"
        whole = log.read_bytes()
        self.assertGreater(len(whole), 20 * 8216)
        damaged = bytearray(whole)
        damaged[32 + 10 * 8216 + 4000] ^= 1
        log.write_bytes(damaged)
        store = self.folder / "service" / "store.db"
        done = serve_test.run("serve", "--dev", "--store", store, "--listen", "127.0.0.1:0")
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"write-ahead log is damaged", done.stderr)
        self.assertIn(b"backup --damaged", done.stderr)
        self.assertEqual(log.read_bytes(), bytes(damaged))
        # As it was, nothing is missing.
        log.write_bytes(whole)
        service = self.start()
        figures = service.await_decided()
        self.assertEqual(figures["events_decided_total"] + figures["events_held"], 30)

    def small_disk(self, mebibytes):
        disk = self.folder / "disk"
        disk.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "keyvigil-test", str(disk)],
                              stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            self.skipTest(f"needs to mount a small file system: {done.stderr.decode().strip()}")
        self.disk = disk
        return disk

    def test_a_start_on_a_full_disk_serves_what_is_there_and_waits(self):
        disk = self.small_disk(12)
        (disk / "service").mkdir()
        (disk / "service" / "log.jsonl").symlink_to(self.folder / "log.jsonl")
        settings = "lists:\n  tor: [../../exits.txt]\nlateness_minutes: 0\n"
        service = self.start("disk/service", settings)
        records = [record(BEGIN + place, TOR_ADDRESS if place == 5 else serve_test.OFFICE_ADDRESS,
                          vault=f"kv-contoso-{place % 2}", number=place) for place in range(10)]
        self.assertEqual(service.send(json_lines(records))[0], 200)
        raised = self.await_that("the alert shows", service.alerts)
        self.assertEqual(service.stop(), 0)
        # Room to open the files for reading, and none to write an entry.
        config = disk / "service" / "keyvigil.yaml"
        config.write_text(settings + "learning_days: 21\n")
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                file.truncate(file.tell() - (80 << 10))
        service = self.start("disk/service", config.read_text())
        self.assertEqual(service.alerts().keys(), raised.keys())
        self.expect_refused(service, 100)
        self.assertEqual(service.ask("GET", "/readyz")[0], 503)
        self.assertIn("disk full", self.await_that("it is told", lambda: self.problem(service, "room")))
        ballast.unlink()
        self.await_that("it goes on", lambda: self.send_one(service, 100)[0] == 200)
        figures = service.await_decided()
        self.assertEqual(figures["events_decided_total"] + figures["events_held"], 11)
        self.assertEqual(service.alerts().keys(), raised.keys())
        self.await_that("it is ready", lambda: service.ask("GET", "/readyz")[0] == 200)
        self.assertEqual(service.stop(), 0)

    def test_too_little_memory_to_start_is_a_sentence(self):
        if is_sanitized():
            self.skipTest("instrumented programs need much address space")
        for mebibytes in (60, 90, 120):
            with self.subTest(mebibytes):
                done = subprocess.run(
                    [serve_test.KEYVIGIL, "serve", "--dev", "--store", str(self.folder / "store.db"),
                     "--listen", "127.0.0.1:0"],
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20)))
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn(b"keyvigil serve: expected", done.stderr)


if __name__ == "__main__":
    serve_test.KEYVIGIL = sys.argv.pop(1)
    unittest.main(verbosity=2)
