#!/usr/bin/env python3
"""What `keyvigil serve` does about those whose answers it reads (threat lists, outputs) and about who asks too much.

Run by ctest with the path of the program, or by hand: python3 tests/end_to_end/serve_doors_test.py KEYVIGIL
"""
import http.server
import json
import re
import sys
import threading
import unittest

import serve_test
from serve_test import SUBSCRIPTION, TOR_ADDRESS, ServeCase, days_later, json_lines, record, run

WITHIN_SECONDS = 120
BEGIN = 1_780_000_000
LEVELS = 100_000


class Elsewhere:
    """A server whose answers a test sets by path: (status, body)."""

    def __init__(self):
        self.answers = {}
        self.asked = []
        self.hanging = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                if self.path == "/hang":
                    outer.hanging.wait(WITHIN_SECONDS)
                status, body = outer.answers.get(self.path.partition("?")[0], (404, b""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                try:
                    self.end_headers()
                    self.wfile.write(body)
                except ConnectionError:
                    pass  # who asked has stopped

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.hanging.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class DoorsCase(ServeCase):
    def setUp(self):
        super().setUp()
        self.elsewhere = Elsewhere()
        self.addCleanup(self.elsewhere.close)

    def problems(self, service, kind):
        """Text by what it is about."""
        found, _, text = service.ask("GET", "/v1/overview")
        if found == 503:
            return {}
        return {one["about"]: one["text"] for one in json.loads(text)["service"]["problems"] if one["kind"] == kind}


class Feeds(DoorsCase):
    def feed(self, path, more=""):
        return f"    - {{url: '{self.elsewhere.url}{path}', role: tor{more}}}\n"

    def lists(self, service):
        found, _, text = service.ask("GET", "/v1/sources")
        if found == 503:
            return {}
        return {one["name"].removeprefix(self.elsewhere.url): one for one in json.loads(text)["lists"]}

    def test_hostile_answers_hurt_nobody(self):
        """Depth, endless pages and silence: each is told, and the good list does not wait."""
        deep = b'{"objects":[{"type":"indicator","x":' + b"[" * LEVELS + b"]" * LEVELS + b"}]}"
        self.elsewhere.answers = {"/deep": (200, deep), "/deep.json": (200, deep),
                                  "/good": (200, TOR_ADDRESS.encode() + b"\n"),
                                  "/unusable": (200, b"0.0.0.0/1\n")}
        settings = ("lists:\n  feeds:\n" + self.feed("/hang") + self.feed("/deep", ", taxii: true")
                    + self.feed("/deep.json") + self.feed("/unusable") + self.feed("/good"))
        service = self.start(settings=settings)
        self.await_that("the good list", lambda: "confirmedUtc" in self.lists(service).get("/good", {}))
        self.assertNotIn("confirmedUtc", self.lists(service)["/hang"])
        self.await_that("the failures", lambda: all(self.lists(service).get(path, {}).get("failure")
                                                    for path in ("/deep", "/deep.json", "/unusable")))
        lists = self.lists(service)
        self.assertIn("deeper than 64 levels", lists["/deep"]["failure"])
        self.assertIn("deeper than 64 levels", lists["/deep.json"]["failure"])
        self.assertIn("none that can be used", lists["/unusable"]["failure"])
        records = [record(BEGIN, TOR_ADDRESS, number=1)] + days_later(BEGIN, 1)
        self.assertEqual(service.send(json_lines(records))[0], 200)
        service.await_decided()
        self.await_that("the alert by the good list", lambda: len(service.alerts()) == 1)
        self.assertEqual(service.stop(), 0)

    def test_a_list_that_shrinks_is_held_back_and_told(self):
        entries = [f"203.0.113.{number}" for number in range(100)]
        self.elsewhere.answers = {"/list": (200, "\n".join(entries).encode())}
        # A minute is the shortest interval: a reload with another setting asks at once.
        service = self.start(settings="lists:\n  feeds:\n" + self.feed("/list"))
        in_force = lambda: service.metrics().get(f'list_entries{{list="{self.elsewhere.url}/list",role="tor"}}')
        self.await_that("the list in force", lambda: in_force() == 100)
        self.elsewhere.answers = {"/list": (200, b"# none\n")}
        self.reload(service, "lists:\n  feeds:\n" + self.feed("/list", ", stale_hours: 47"))
        self.await_that("held back", lambda: "held back" in self.lists(service).get("/list", {}).get("failure", ""))
        self.assertIn("from 100 to 0 entries", self.lists(service)["/list"]["failure"])
        self.assertEqual(in_force(), 100)
        about = f"{self.elsewhere.url}/list"
        self.await_that("the problem", lambda: about in self.problems(service, "list"))
        # The operator says that it is right.
        self.reload(service, "lists:\n  feeds:\n" + self.feed("/list", ", may_shrink: true"))
        self.await_that("the empty list in force", lambda: in_force() == 0)
        self.await_that("the problem is over", lambda: about not in self.problems(service, "list"))

    def reload(self, service, settings):
        (self.folder / "service" / "keyvigil.yaml").write_text(settings)
        before = service.metrics()['configuration_reloads_total{outcome="done"}']
        service.process.send_signal(serve_test.signal.SIGHUP)
        self.await_that("the reload", lambda: service.metrics()['configuration_reloads_total{outcome="done"}'] > before)


class Outputs(DoorsCase):
    SIMULATE = (f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/locations/global/alerts/default/simulate"
                "?api-version=2021-11-01")
    SAMPLE = json.dumps({"properties": {"kind": "Bundles", "bundles": ["KeyVaults"]}})

    def output_settings(self):
        return f"outputs:\n  - {{name: soc, kind: webhook, url: '{self.elsewhere.url}/hook', plain_text: true}}\n"

    def test_an_output_that_fails_is_a_problem_until_it_works(self):
        self.elsewhere.answers = {"/hook": (401, b"who are you")}
        service = self.start(settings=self.output_settings())
        self.assertIn(service.ask("POST", self.SIMULATE, self.SAMPLE)[0], (202, 204))
        self.await_that("the problem", lambda: "soc" in self.problems(service, "output"))
        self.assertIn("attempts in a row failed, the last one:", self.problems(service, "output")["soc"])
        self.assertIn("answered 401", self.problems(service, "output")["soc"])
        self.elsewhere.answers = {"/hook": (200, b"")}
        self.await_that("the problem is over", lambda: "soc" not in self.problems(service, "output"))
        self.await_that("all is delivered", lambda: service.metrics()["outbox"] == 0)

    def test_dead_letters_are_listed_shown_and_tried_again(self):
        self.elsewhere.answers = {"/hook": (400, b"no such index")}
        service = self.start(settings=self.output_settings())
        self.assertIn(service.ask("POST", self.SIMULATE, self.SAMPLE)[0], (202, 204))
        self.await_that("the dead letters", lambda: service.metrics()["dead_letters"] == 14)
        letters = self.ask(service, "/v1/outputs/dead?output=soc&limit=10")
        self.assertEqual(len(letters["value"]), 10)
        rest = self.ask(service, letters["nextLink"][letters["nextLink"].index("/v1/"):])
        self.assertEqual(len(rest["value"]), 4)
        first = letters["value"][0]
        self.assertIn("no such index", first["why"])
        one = self.ask(service, f"/v1/outputs/dead/{first['id']}")
        self.assertEqual(one["alert"]["id"], first["alertId"])

        # The same from the command line, while the service runs.
        store = self.folder / "service" / "store.db"
        done = run("outputs", "dead", "list", store, "--output", "soc")
        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, 14), done.stderr)
        self.assertIn(b"no such index", done.stdout)
        done = run("outputs", "dead", "show", store, first["id"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(first["alertId"].encode(), done.stdout)
        done = run("outputs", "dead", "revive", store, "--output", "soc")
        self.assertEqual(done.returncode, 3, "serve has the store")
        self.assertIn(b"/v1/outputs/dead/revive", done.stderr)

        self.elsewhere.answers = {"/hook": (200, b"")}
        self.assertEqual(self.ask(service, "/v1/outputs/dead/revive", "POST", json.dumps({"output": "none"}), 404)
                         ["error"]["code"], "ResourceNotFound")
        answer = self.ask(service, "/v1/outputs/dead/revive", "POST",
                          json.dumps({"output": "soc", "ids": [first["id"]]}))
        self.assertEqual(answer, {"revived": 1})
        self.await_that("it is delivered", lambda: service.metrics()['output_delivered_total{output="soc"}'] == 1)
        lines = self.ask(service, "/v1/audit?limit=100")["value"]
        self.assertEqual([line["target"] for line in lines if line["action"] == "output.revive"], ["soc"])
        self.assertEqual(service.stop(), 0)

        # And while it does not.
        done = run("outputs", "dead", "revive", store, "--output", "soc")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"13 dead letters wait for their outputs again", done.stdout)
        done = run("outputs", "dead", "list", store)
        self.assertEqual((done.returncode, done.stdout), (0, b"no dead letters\n"))
        service = self.start(settings=self.output_settings())
        self.await_that("the rest", lambda: service.metrics()['output_delivered_total{output="soc"}'] == 13)
        for words, code in [(("list", self.folder / "none"), 3), (("revive", self.folder / "none", "--output", "a"), 3),
                            (("revive", store), 2), (("show", store, 4711), 2)]:
            done = run("outputs", "dead", *words)
            self.assertEqual(done.returncode, code, (words, done.stderr))
        self.assertFalse((self.folder / "none").exists())


class Askers(DoorsCase):
    def bound_token(self):
        made = run("token", "new", "--name", "bound", "--role", "reader").stdout.decode()
        return re.search(r"kv_[A-Za-z0-9_-]{43}", made).group(), re.search(r"sha256:[0-9a-f:]+", made).group()

    def test_metrics_show_who_is_bound_only_what_is_its_own(self):
        token, hashed = self.bound_token()
        other = "dddddddd-0000-4000-8000-000000000004"
        service = self.start(settings=self.settings + (
            f"serve:\n  checkpoint_seconds: 1\n  tokens:\n    - {{name: bound, hash: '{hashed}', roles: [reader], "
            f"subscriptions: [{other}]}}\n"))
        records = [record(BEGIN, TOR_ADDRESS, number=1),
                   record(BEGIN + 1, TOR_ADDRESS, vault="kv-other", number=2, subscription=other),
                   record(BEGIN + 2, TOR_ADDRESS, vault="kv-third", number=3)]
        self.assertEqual(service.send(json_lines(records + days_later(BEGIN, 1)))[0], 200)
        service.await_decided()
        self.await_that("the alerts", lambda: service.metrics()["alerts_stored"] == 3)
        status, _, text = service.ask("GET", "/metrics", token=token)
        self.assertEqual(status, 200)
        figures = [line for line in text.decode().splitlines() if not line.startswith("#")]
        self.assertEqual({line.partition("{")[0] for line in figures}, {"keyvigil_alerts_stored_by_type"})
        self.assertIn('keyvigil_alerts_stored_by_type{type="KV_TORAccess"} 1', figures)
        self.assertNotIn("logs", text.decode())


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: serve_doors_test.py KEYVIGIL [unittest arguments]")
    serve_test.KEYVIGIL = sys.argv.pop(1)
    unittest.main()
