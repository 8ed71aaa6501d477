#!/usr/bin/env python3
"""What `keyvigil serve` does with input that it cannot take: the rest goes on, and it is told.

Run by ctest with the path of the program, or by hand: python3 tests/end_to_end/serve_inputs_test.py KEYVIGIL
"""
import json
import os
import subprocess
import sys
import time
import unittest

import serve_test
from serve_test import BlobContainer, ServeCase, json_lines, record

BEGIN = 1_780_000_000


def blob(vault, when):
    at = time.gmtime(when)
    return (f"resourceId=/SUBSCRIPTIONS/S/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/{vault}/y={at.tm_year}"
            f"/m={at.tm_mon:02}/d={at.tm_mday:02}/h={at.tm_hour:02}/m=00/PT1H.json")


class FailingContainer(BlobContainer):
    """Some blobs are listed and answer with a status of their own."""

    def __init__(self, blobs, statuses):
        self.statuses = statuses
        super().__init__(blobs)

    def answer(self, request):
        for name, status in self.statuses.items():
            if name.replace("=", "%3D") in request.path or name in request.path:
                return self.reply(request, status, b"")
        return super().answer(request)


class InputsCase(ServeCase):
    def source(self, service, prefix="folder/"):
        found = [one for one in self.ask(service, "/v1/sources")["value"] if one["name"].startswith(prefix)]
        return found[0] if found else {"records": 0, "failure": "", "itemsFailing": 0}

    def await_records(self, service, count, prefix="folder/"):
        return self.await_that(f"{count} records", lambda: self.source(service, prefix),
                               lambda found: found["records"] >= count)

    def problems(self, service, kind):
        return [one for one in self.ask(service, "/v1/overview")["service"]["problems"] if one["kind"] == kind]

    def await_problem(self, service, kind):
        return self.await_that(f"problem {kind}", lambda: self.problems(service, kind))[0]

    def await_no_problem(self, service, kind):
        self.await_that(f"no problem {kind}", lambda: self.problems(service, kind), lambda found: not found)


class Inputs(InputsCase):
    def test_what_is_no_file_stops_nothing_and_is_told(self):
        folder = self.folder / "followed"
        now = int(time.time())
        names = [folder / blob(vault, now) for vault in ("KV-A", "KV-B", "KV-C")]
        for place, name in enumerate(names):
            name.parent.mkdir(parents=True)
            name.write_bytes(json_lines(record(now - 600 + i, number=10 * place + i) for i in range(10)))
        names[1].unlink()
        os.mkfifo(names[1])
        service = self.start(settings=self.settings + "serve:\n  inputs: [{folder: ../followed, poll_seconds: 1}]\n")
        self.await_records(service, 20)
        self.assertIn("KV-B", self.await_problem(service, "input")["text"])
        self.assertEqual(self.source(service)["itemsLeftOut"], 1)
        with names[0].open("ab") as file:
            file.write(json_lines([record(now - 30, number=99)]))
        self.await_records(service, 21)
        names[1].unlink()
        names[1].write_bytes(json_lines(record(now - 600 + i, number=10 + i) for i in range(10)))
        self.await_records(service, 31)
        self.await_no_problem(service, "input")
        # One that is a pipe when the service ends waits for nobody.
        names[2].unlink()
        os.mkfifo(names[2])
        self.await_problem(service, "input")
        self.assertEqual(service.stop(), 0)

    def test_blobs_that_are_gone_or_archived_stop_nothing(self):
        now = int(time.time())
        blobs = {blob(f"KV-{number}", now): json_lines(record(now - 600 + i, number=10 * number + i) for i in range(10))
                 for number in range(10)}
        statuses = {"KV-2/": 404, "KV-4/": 409, "KV-6/": 403, "KV-8/": 500}
        (self.folder / "sas").write_text(BlobContainer.SAS)
        container = FailingContainer(blobs, statuses)
        self.addCleanup(container.close)
        service = self.start(settings=self.settings + f"serve:\n  inputs:\n    - container: {container.url}\n"
                             "      sas: {file: ../sas}\n      plain_text: true\n      poll_seconds: 1\n")
        self.await_records(service, 60, "container/")
        problem = self.await_problem(service, "input")
        container.blobs[blob("KV-11", now)] = json_lines([record(now - 60, number=999)])
        self.await_records(service, 61, "container/")
        self.assertGreaterEqual(self.source(service, "container/")["itemsFailing"], 2, problem)
        container.statuses.clear()
        self.await_records(service, 101, "container/")
        self.await_no_problem(service, "input")

    def test_a_large_array_is_taken_in_pieces(self):
        folder = self.folder / "followed"
        folder.mkdir()
        records = [record(BEGIN + i, number=i) for i in range(4000)]
        for one in records:
            one["properties"]["clientInfo"] = "x" * 9000
        for name, document in (("array.json", records), ("envelope.json", {"records": records[:3999]})):
            (folder / name).write_text(json.dumps(document, indent=1))
            self.assertGreater((folder / name).stat().st_size, 33 << 20)
        service = self.start(settings=self.settings + "serve:\n  inputs: [{folder: ../followed, poll_seconds: 1}]\n")
        source = self.await_records(service, 7999)
        figures = service.await_decided()
        self.assertEqual((source["records"], source["refused"], source["failure"]), (7999, 0, ""))
        self.assertEqual(figures["events_decided_total"] + figures["events_held"] + figures["duplicates_total"], 7999)

    def test_files_that_are_pipes_are_refused_at_once(self):
        os.mkfifo(self.folder / "pipe")
        (self.folder / "list.yaml").write_text("lists:\n  tor: [pipe]\n")
        (self.folder / "empty.yaml").write_text("")
        for arguments in (["--config", "list.yaml"], ["--config", "pipe"], ["--state", "pipe"],
                          ["--config", "empty.yaml", "--store", "pipe"]):
            with self.subTest(arguments):
                done = subprocess.run(
                    [serve_test.KEYVIGIL, "serve", "--dev", "--listen", "127.0.0.1:0", *arguments], cwd=self.folder,
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(b"expected a regular file, found a pipe", done.stderr)


class Vaults(InputsCase):
    def test_a_vault_that_falls_silent_is_told_while_others_go_on(self):
        service = self.start(settings=self.settings + "lateness_minutes: 0\nserve:\n  silent_minutes: 60\n")
        hours = 9 * 24
        both = [record(BEGIN + 3600 * hour, vault=vault, number=10 * hour + place)
                for hour in range(hours) for place, vault in enumerate(["kv-contoso-a", "kv-contoso-b"])]
        one = [record(BEGIN + 3600 * hour, vault="kv-contoso-a", number=10 * hour)
               for hour in range(hours, hours + 12)]
        self.assertEqual(service.send(json_lines(both))[0], 200)
        service.await_decided()
        self.assertEqual(self.problems(service, "silent"), [])
        self.assertEqual(service.send(json_lines(one))[0], 200)
        problem = self.await_problem(service, "silent")
        self.assertTrue(problem["about"].endswith("/vaults/kv-contoso-b"), problem)
        self.assertEqual(self.ask(service, "/v1/overview")["service"]["silentVaults"], 1)
        # A restart knows it still.
        self.assertEqual(service.stop(), 0)
        service = self.start(settings=(self.folder / "service" / "keyvigil.yaml").read_text())
        self.await_problem(service, "silent")
        back = [record(BEGIN + 3600 * (hours + hour), vault=vault, number=10 * (hours + hour) + place)
                for hour in (13, 14) for place, vault in enumerate(["kv-contoso-a", "kv-contoso-b"])]
        self.assertEqual(service.send(json_lines(back))[0], 200)
        self.await_no_problem(service, "silent")


class Bodies(InputsCase):
    def test_good_records_are_taken_whatever_stands_before_them(self):
        service = self.start()
        good = json_lines(record(BEGIN + i, number=i) for i in range(100))
        status, text = service.send(b'{"a":1}\n' * 8 + good)
        self.assertEqual(status, 200, text)
        answer = json.loads(text)
        self.assertEqual((answer["records"], answer["refused"]), (108, 8))
        self.assertEqual(sum(answer["refusedByCause"].values()), 8)
        self.assertIn("expected", answer["firstRefusal"])
        self.assertEqual(service.send(b'{"a":1}\n' * 8)[0], 400)
        array = json.dumps([record(BEGIN + i, number=200 + i) for i in range(100)]).encode()
        status, text = service.send(array[:len(array) // 2])
        self.assertEqual(status, 400, text)
        self.assertIn(b"it was cut", text)
        path = "/dataCollectionRules/dcr-1/streams/Custom-Vaults?api-version=2023-01-01"
        rows = [{"i": 1}, *json.loads(array)]
        status, headers, text = service.ask("POST", path, json.dumps(rows).encode())
        self.assertEqual(status, 204, text)
        self.assertEqual(headers["x-keyvigil-refused"], "1")
        self.assertEqual(service.ask("POST", path, array[:-9])[0], 400)
        service.await_decided()
        counted = {one["name"]: (one["records"], one["refused"]) for one in self.ask(service, "/v1/sources")["value"]}
        self.assertEqual(counted, {"logs": (108, 8), "ingest/dcr-1/Custom-Vaults": (101, 1)})

    def test_blank_lines_are_no_skipped_records(self):
        service = self.start()
        records = [record(BEGIN + i, number=i) for i in range(3)]
        other = json.dumps(record(BEGIN, number=9) | {"category": "AllMetrics"}).encode()
        self.assertEqual(service.send(b"\r\n\n".join(json_lines([one]) for one in records) + other)[0], 200)
        service.await_decided()
        (source,) = self.ask(service, "/v1/sources")["value"]
        self.assertEqual((source["records"], source["refused"], source["skipped"]), (4, 0, 1))

    def test_names_of_inputs_are_bounded_and_can_be_removed(self):
        service = self.start()

        def send(number):
            return service.ask("POST", f"/dataCollectionRules/dcr-{number}/streams/x?api-version=2023-01-01",
                               json_lines([record(BEGIN, number=number)]), connection=connection)
        connection = service.connection()
        self.addCleanup(connection.close)
        self.assertEqual({send(number)[0] for number in range(100)}, {204})
        status, headers, text = send(100)
        self.assertEqual(status, 429, text)
        self.assertIn("Retry-After", headers)
        self.assertEqual(send(5)[0], 204)
        self.assertEqual(service.send(json_lines([record(BEGIN, number=1)]))[0], 200)
        service.await_decided()
        self.assertEqual(len(self.ask(service, "/v1/sources")["value"]), 101)
        self.assertEqual(service.ask("DELETE", "/v1/sources/ingest/dcr-5/x")[0], 204)
        self.assertEqual(service.ask("DELETE", "/v1/sources/ingest/dcr-5/x")[0], 404)
        self.assertEqual(service.ask("DELETE", "/v1/sources/ingest/dcr-100/x")[0], 404)
        self.assertEqual(send(100)[0], 204)
        service.await_decided()
        names = {one["name"] for one in self.ask(service, "/v1/sources")["value"]}
        self.assertEqual(len(names), 101)
        self.assertNotIn("ingest/dcr-5/x", names)
        self.assertIn("input.forget", [line["action"] for line in self.ask(service, "/v1/audit")["value"]])


class Clock(InputsCase):
    def test_records_that_say_that_the_clock_is_slow_are_not_taken(self):
        folder = self.folder / "followed"
        folder.mkdir()
        now = time.time()
        ahead = json_lines(record(now + 7200 + i, number=i) for i in range(10))
        (folder / "ahead.json").write_bytes(ahead)
        (folder / "stray.json").write_bytes(
            json_lines([record(now + 10**9, number=50), *(record(now - 60 + i, number=60 + i) for i in range(10))]))
        service = self.start(settings=self.settings + "serve:\n  inputs: [{folder: ../followed, poll_seconds: 1}]\n")
        connection = service.connection()
        self.addCleanup(connection.close)
        status, headers, text = service.ask("POST", "/v1/logs", ahead, connection=connection)
        self.assertEqual(status, 503, text)
        self.assertIn("Retry-After", headers)
        self.assertIn(b"clock", text)
        problem = self.await_problem(service, "clock")
        self.assertIn("2.0 hours ahead", problem["text"])
        source = self.await_records(service, 11)
        self.assertEqual((source["records"], source["refusedByCause"]), (11, {"future": 1}))
        self.assertIn("ahead.json", self.await_that("a failure", lambda: self.source(service)["failure"]))
        self.assertEqual(service.send(json_lines([record(now - 30, number=99)]))[0], 200)
        figures = service.await_decided()
        self.assertEqual(figures["clock_held"], 2)
        self.assertEqual(figures["future_refused_total"], 1)


if __name__ == "__main__":
    serve_test.KEYVIGIL = sys.argv.pop(1)
    unittest.main(verbosity=2)
