#!/usr/bin/env python3
"""`keyvigil serve` from outside: what clients send and ask, and what is left after it was killed.

Run by ctest with the path of the program, or by hand: python3 tests/end_to_end/serve_test.py build/release/keyvigil
Standard library only; everything is on the loopback interface. KEYVIGIL_CRASH_ROUNDS and KEYVIGIL_SEED change how
often the crash test kills the service, and when.
"""
import base64
import calendar
import collections
import gzip
import http.client
import http.server
import io
import json
import mmap
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import zipfile

KEYVIGIL = ""  # set from the command line, below

TOR_ADDRESS = "203.0.113.66"
OFFICE_ADDRESS = "192.0.2.10"
SUBSCRIPTION = "cccccccc-0000-4000-8000-000000000003"
ALERTS = "/subscriptions/{}/providers/Microsoft.Security/alerts?api-version=2022-01-01"
STARTED_WITHIN_SECONDS = 120
DECIDED_WITHIN_SECONDS = 300
TOLD_WITHIN_SECONDS = 120


def is_sanitized():
    """Instrumented programs are many times slower: fewer rounds say as much."""
    text = pathlib.Path(KEYVIGIL).read_bytes()
    return b"__asan_init" in text or b"__tsan_init" in text


def record(when, address=OFFICE_ADDRESS, vault="kv-contoso-pay", number=0, subscription=SUBSCRIPTION):
    """One raw audit record; `when` in seconds since 1970."""
    secret = f"https://{vault}.vault.azure.net/secrets/database"
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S.0000000Z", time.gmtime(when)), "category": "AuditEvent",
        "operationName": "SecretGet", "operationVersion": "7.4", "resultType": "Success", "resultSignature": "OK",
        "resultDescription": "", "durationMs": "21", "callerIpAddress": address,
        "correlationId": f"dddddddd-0000-4000-8000-{number:012}",
        "identity": {"claim": {"appid": "bbbbbbbb-0000-4000-8000-000000000002"}},
        "properties": {"id": secret, "clientInfo": "azsdk-python-keyvault-secrets/4.7.0",
                       "requestUri": f"{secret}?api-version=7.4", "httpStatusCode": 200},
        "resourceId": f"/SUBSCRIPTIONS/{subscription.upper()}/RESOURCEGROUPS/RG-PAY/PROVIDERS/MICROSOFT.KEYVAULT"
                      f"/VAULTS/{vault.upper()}",
    }


def json_lines(records):
    return "".join(json.dumps(one) + "\n" for one in records).encode()


TIME = re.compile(rb'"time":\s*"([^".Z]+)')


def time_of(line):
    """Of a raw record, in seconds since 1970."""
    return calendar.timegm(time.strptime(TIME.search(line).group(1).decode(), "%Y-%m-%dT%H:%M:%S"))


def days_later(last_time, days):
    """Two vaults and an hour: what was before is decided, and alerts of days before are closed."""
    begin = last_time + days * 86400
    return [record(begin + 3600 * hour, vault=vault, number=900000 + 10 * hour + place)
            for hour in range(2) for place, vault in enumerate(["kv-contoso-a", "kv-contoso-b"])]


class Service:
    """The program, running. `moved`: paths are relative to its folder, which may be moved while it does not run."""

    def __init__(self, folder, settings="", arguments=(), environment=None, limits=None, moved=False):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        config = self.folder / "keyvigil.yaml"
        config.write_text(settings)
        self.log_path = self.folder / "log.jsonl"
        self.log = self.log_path.open("ab")
        begin = self.log_path.stat().st_size
        self.process = subprocess.Popen(
            [os.path.abspath(KEYVIGIL), "serve", "--dev", "--config", config.name if moved else str(config),
             "--store", "store.db" if moved else str(self.folder / "store.db"), "--listen", "127.0.0.1:0", *arguments],
            cwd=self.folder if moved else None, stdout=subprocess.DEVNULL, stderr=self.log,
            env={**os.environ, **(environment or {})}, preexec_fn=limits)
        self.port = None
        self.context = None
        self.await_listening(begin)

    def log_lines(self, begin=0):
        with self.log_path.open("rb") as log:
            log.seek(begin)
            return log.read().decode(errors="replace").splitlines()

    def await_listening(self, begin):
        deadline = time.monotonic() + STARTED_WITHIN_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in self.log_lines(begin):
                found = re.search(r'"url":"https://127\.0\.0\.1:(\d+)"', line)
                if found:
                    self.port = int(found.group(1))
                    self.context = ssl.create_default_context(
                        cafile=str(self.folder / "keyvigil-dev" / "authority.pem"))
                    self.token = (self.folder / "keyvigil-dev" / "token").read_text().strip()
                    return
            time.sleep(0.01)

    def connection(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.context)

    def ask(self, method, path, body=None, headers=None, connection=None, token=None):
        """Status, headers and body. Raises where the connection breaks."""
        own = connection or self.connection()
        own.request(method, path, body=body,
                    headers={"Authorization": f"Bearer {token or self.token}", **(headers or {})})
        response = own.getresponse()
        text = response.read()
        if connection is None:
            own.close()
        return response.status, dict(response.getheaders()), text

    def send(self, body, connection=None):
        status, _, text = self.ask("POST", "/v1/logs", body, connection=connection)
        return status, text

    def metrics(self):
        status, _, text = self.ask("GET", "/metrics")
        assert status == 200, text
        figures = {}
        for line in text.decode().splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                figures[name.removeprefix("keyvigil_")] = float(value)
        return figures

    def await_decided(self):
        """Until nothing that was received waits."""
        deadline = time.monotonic() + DECIDED_WITHIN_SECONDS
        while time.monotonic() < deadline:
            figures = self.metrics()
            if figures["journal_waiting_bytes"] == 0:
                return figures
            time.sleep(0.05)
        raise AssertionError(f"still undecided: {figures}")

    def alerts(self, subscription=SUBSCRIPTION):
        """By id, as ARM shows them, without the wall clock's times."""
        path = ALERTS.format(subscription)
        found = {}
        while path:
            status, _, text = self.ask("GET", path)
            assert status == 200, text
            page = json.loads(text)
            for alert in page["value"]:
                alert["properties"].pop("processingEndTimeUtc", None)
                found[alert["name"]] = alert
            link = page.get("nextLink")
            path = link[link.index("/subscriptions"):] if link else None
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=300)
        self.log.close()
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


def run(*arguments):
    return subprocess.run([KEYVIGIL, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=600, check=False)


class BlobContainer:
    """Azure's blob service, as far as it is needed to list a container, page by page, and to read ranges of blobs."""

    SAS = "sv=2022-11-02&sr=c&sp=rl&sig=c2VjcmV0"
    PAGE = 50

    def __init__(self, blobs, address=("127.0.0.1", 0)):
        self.blobs = blobs
        self.lowest_asked = {}  # place of the first byte, by name
        self.ranges = self.pages = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                outer.answer(self)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(address, Handler)
        self.url = f"http://{address[0]}:{self.server.server_port}/account/insights-logs-auditevent"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, request):
        parts = urllib.parse.urlsplit(request.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        if query.get("sig") != "c2VjcmV0" or "x-ms-version" not in request.headers:
            return self.reply(request, 403, b"")
        if query.get("comp") == "list":
            return self.reply(request, 200, self.page(query.get("marker", "")))
        name = urllib.parse.unquote(parts.path).split("/", 3)[3]
        blob = self.blobs.get(name)
        if blob is None:
            return self.reply(request, 404, b"")
        first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers["x-ms-range"]).groups())
        self.ranges += 1
        self.lowest_asked[name] = min(first, self.lowest_asked.get(name, first))
        return self.reply(request, 206, blob[first:last + 1])

    def page(self, marker):
        self.pages += 1
        names = sorted(name for name in self.blobs if name >= marker)
        listed = "".join(f"<Blob><Name>{name}</Name><Properties><Creation-Time>Mon, 01 Jun 2026 00:00:00 GMT"
                         f"</Creation-Time><Content-Length>{len(self.blobs[name])}</Content-Length></Properties></Blob>"
                         for name in names[:self.PAGE])
        after = names[self.PAGE] if len(names) > self.PAGE else ""
        return (f"<?xml version='1.0'?><EnumerationResults><Blobs>{listed}</Blobs><NextMarker>{after}</NextMarker>"
                f"</EnumerationResults>").encode()

    @staticmethod
    def reply(request, status, body):
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


class ServeCase(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory(prefix="keyvigil-serve-")
        self.folder = pathlib.Path(self.place.name)
        self.services = []
        (self.folder / "exits.txt").write_text(TOR_ADDRESS + "\n")
        self.settings = "lists:\n  tor: [../exits.txt]\n"

    def tearDown(self):
        for service in self.services:
            if service.process.poll() is None:
                service.kill()
        self.place.cleanup()

    def start(self, name="service", settings=None, **more):
        service = Service(self.folder / name, self.settings if settings is None else settings, **more)
        self.services.append(service)
        self.assertIsNone(service.process.poll(), service.log_lines())
        self.assertIsNotNone(service.port, service.log_lines())
        return service

    def ask(self, service, path, method="GET", body=None, status=200):
        found, _, text = service.ask(method, path, body)
        self.assertEqual(found, status, text)
        return json.loads(text)

    @staticmethod
    def await_that(what, look, holds=bool):
        """What `look` gave once it holds."""
        deadline = time.monotonic() + TOLD_WITHIN_SECONDS
        while time.monotonic() < deadline:
            found = look()
            if holds(found):
                return found
            time.sleep(0.1)
        raise AssertionError(f"{what}: not within {TOLD_WITHIN_SECONDS} s, found {found}")

    def simulated(self, events, seed=5):
        """A month of a simulated estate: raw records in order, with the lists that expose the attacks in it."""
        done = run("simulate", "--size", "small", "--days", 32, "--events", events, "--seed", seed, "--attacks", "all",
                   "--strength", "loud", "--output", self.folder / "raw.json", "--tor-list", self.folder / "tor.txt",
                   "--suspicious-list", self.folder / "suspicious.txt")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = (self.folder / "raw.json").read_bytes().splitlines(keepends=True)
        times = [re.search(rb'"time":\s*"([^"]+)"', line).group(1).decode() for line in lines]
        order = sorted(range(len(lines)), key=times.__getitem__)
        lines = [lines[place] for place in order]
        lines += json_lines(days_later(time_of(lines[-1]), 5)).splitlines(keepends=True)
        # The one that most records are of, so that there are alerts in it.
        named = re.compile(rb"/SUBSCRIPTIONS/([0-9A-F-]{36})/", re.IGNORECASE)
        found = collections.Counter(match.group(1).lower() for match in map(named.search, lines) if match)
        subscription = found.most_common(1)[0][0].decode()
        settings = "lists:\n  tor: [../tor.txt]\n  suspicious: [../suspicious.txt]\n"
        return lines, settings, subscription

    @staticmethod
    def blobs_of(lines):
        """The records by the hourly blob that Azure would write them to."""
        place = re.compile(rb'"time":\s*"(\d+)-(\d+)-(\d+)T(\d+).*"resourceId":\s*"([^"]+)"|'
                           rb'"resourceId":\s*"([^"]+)".*"time":\s*"(\d+)-(\d+)-(\d+)T(\d+)')
        blobs = collections.defaultdict(list)
        for line in lines:
            found = place.search(line)
            year, month, day, hour = (part.decode() for part in (found.groups()[:4] if found.group(5)
                                                                 else found.groups()[6:]))
            vault = (found.group(5) or found.group(6)).decode().upper().strip("/")
            blobs[f"resourceId=/{vault}/y={year}/m={month}/d={day}/h={hour}/m=00/PT1H.json"].append(line)
        return {name: b"".join(held) for name, held in blobs.items()}

    @staticmethod
    def follow_all(service, records):
        """Until so many were followed and decided, as far as they can be; the figures."""
        deadline = time.monotonic() + DECIDED_WITHIN_SECONDS
        while time.monotonic() < deadline:
            figures = service.await_decided()
            taken = figures["events_decided_total"] + figures["events_held"] + figures["duplicates_total"]
            if taken >= records:
                return figures
            time.sleep(0.2)
        raise AssertionError(f"{taken} of {records} records were followed")

    def detected(self, lines, settings):
        """What `detect` says of the same records, by name."""
        (self.folder / "all.json").write_bytes(b"".join(lines))
        config = self.folder / "service" / "detect.yaml"
        config.parent.mkdir(exist_ok=True)
        config.write_text(settings)
        done = run("detect", self.folder / "all.json", "--config", config, "--format", "jsonl", "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        return {alert["name"]: alert for alert in map(json.loads, done.stdout.splitlines())}


class Inputs(ServeCase):
    def test_logs_and_the_logs_ingestion_api_give_the_alerts_of_detect(self):
        lines, settings, _ = self.simulated(6000)
        expected = self.detected(lines, settings)
        subscriptions = {alert["id"].split("/")[2] for alert in expected.values()}
        self.assertGreater(len(expected), 20)
        self.assertGreater(len(subscriptions), 3)
        chunks = [b"".join(lines[at:at + 700]) for at in range(0, len(lines), 700)]

        def to_logs(service, chunk):
            return service.ask("POST", "/v1/logs", chunk)[0] == 200

        def to_logs_compressed(service, chunk):
            return service.ask("POST", "/v1/logs", gzip.compress(chunk), {"Content-Encoding": "gzip"})[0] == 200

        def to_rule(service, chunk):
            array = json.dumps([json.loads(line) for line in chunk.splitlines()]).encode()
            status, _, _ = service.ask(
                "POST", "/dataCollectionRules/dcr-1/streams/Custom-Vaults?api%2Dversion=2023-01-01",
                gzip.compress(array), {"Content-Encoding": "gzip", "Content-Type": "application/json"})
            return status == 204

        def to_logs_zipped(service, chunk):
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
                file.writestr("PT1H.json", chunk)
            return service.ask("POST", "/v1/logs", archive.getvalue())[0] == 200

        for send in (to_logs, to_logs_compressed, to_logs_zipped, to_rule):
            with self.subTest(send.__name__):
                service = self.start(send.__name__, settings)
                for chunk in chunks:
                    self.assertTrue(send(service, chunk))
                figures = service.await_decided()
                self.assertEqual(figures["late_total"], 0)
                self.assertEqual(service.stop(), 0, service.log_lines()[-3:])
                service = self.start(send.__name__, settings)
                found = {}
                for subscription in subscriptions:
                    found.update(service.alerts(subscription))
                self.assertEqual(found, expected)
                service.kill()

    def test_a_table_without_rows_is_taken_and_is_nothing(self):
        _, settings, _ = self.simulated(100)
        service = self.start("empty", settings)
        for body in (b"TimeGenerated,OperationName", b"TimeGenerated,OperationName\r",
                     b"TimeGenerated;OperationName\r\n"):
            self.assertEqual(service.ask("POST", "/v1/logs", body)[0], 200)
        self.assertEqual(service.stop(), 0, service.log_lines()[-3:])

    def test_what_is_followed_gives_the_alerts_of_detect(self):
        """A folder and a container of a blob a vault and hour. Both are of the past for the service, so their alerts
        are marked, and go to no output but the one that asks for them."""
        lines, settings, _ = self.simulated(6000)
        expected = self.detected(lines, settings)
        subscriptions = {alert["id"].split("/")[2] for alert in expected.values()}
        self.assertGreater(len(expected), 20)
        blobs = self.blobs_of(lines)
        root = self.folder / "blobs"
        for name, held in blobs.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(held)
        (self.folder / "sas").write_text(BlobContainer.SAS)
        container = BlobContainer(blobs)
        self.addCleanup(container.close)
        outputs = ("outputs:\n  - {name: live, kind: file, path: live.jsonl}\n"
                   "  - {name: past, kind: file, path: past.jsonl, backfilled: true}\n")
        inputs = {"folder": f"    - folder: {root}\n",
                  "container": f"    - container: {container.url}\n      sas: {{file: ../sas}}\n"
                               "      plain_text: true\n"}
        for kind, settings_of_input in inputs.items():
            with self.subTest(kind):
                service = self.start(kind, settings + outputs + "serve:\n  inputs:\n" + settings_of_input +
                                     "      from: 2000-01-01\n      poll_seconds: 1\n")
                # Whatever was read when the service was killed is of the past, and so is the rest.
                while service.metrics()["events_decided_total"] < 500:
                    time.sleep(0.01)
                service.kill()
                service = self.start(kind, (self.folder / kind / "keyvigil.yaml").read_text())
                figures = self.follow_all(service, len(lines) - 10)
                self.assertEqual(figures["late_total"], 0)
                self.assertEqual(service.stop(), 0, service.log_lines()[-3:])
                service = self.start(kind, settings + outputs)
                found = {}
                for subscription in subscriptions:
                    found.update(service.alerts(subscription))
                self.assertEqual(found.keys(), expected.keys())
                for name, alert in found.items():
                    self.assertEqual(alert["properties"]["extendedProperties"],
                                     expected[name]["properties"]["extendedProperties"])
                # Those that the last stop closed are new lines of the same alerts.
                past = self.await_lines(self.folder / kind / "past.jsonl", len(expected))
                self.assertEqual({alert["name"] for alert in past}, expected.keys())
                self.assertFalse((self.folder / kind / "live.jsonl").exists())
                status, _, text = service.ask("GET", "/v1/alerts?limit=1000")
                self.assertEqual(status, 200, text)
                self.assertTrue(all(alert["backfilled"] for alert in json.loads(text)["value"]))
                service.kill()
        self.assertGreater(container.ranges, len(blobs) - 1)
        self.assertGreater(container.pages, 1)

    def await_lines(self, path, count):
        """The alerts in a file of an output, once there are so many different ones."""
        deadline = time.monotonic() + DECIDED_WITHIN_SECONDS
        while time.monotonic() < deadline:
            alerts = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
            if len({alert["name"] for alert in alerts}) >= count:
                return alerts
            time.sleep(0.1)
        raise AssertionError(f"expected {count} alerts in {path}, found {len(alerts)} lines")

    def test_what_no_step_could_read_is_refused_and_nothing_is_stored(self):
        service = self.start()
        good = json_lines([record(1_780_000_000)])
        for name, body, status in [("empty", b"", 400), ("text", b"hello", 400), ("other", b'{"a":1}\n', 400),
                                   ("cut", gzip.compress(good)[:-9], 400), ("good", good, 200)]:
            with self.subTest(name):
                self.assertEqual(service.send(body)[0], status)
        self.assertEqual(service.await_decided()['records_total{input="logs"}'], 1)

    def test_a_principal_bound_to_subscriptions_sends_for_no_other(self):
        made = run("token", "new")
        self.assertEqual(made.returncode, 0, made.stderr)
        token, hashed = re.findall(rb"(kv_\S+|sha256:\S+)", made.stdout)
        settings = (f"serve:\n  tokens:\n    - name: bound\n      hash: '{hashed.decode()}'\n      roles: [ingest]\n"
                    f"      subscriptions: [{SUBSCRIPTION}]\n")
        service = self.start(settings=settings)
        own = record(1_780_000_000)
        foreign = record(1_780_000_001, subscription="cccccccc-0000-4000-8000-00000000000f")
        token = token.decode()
        self.assertEqual(service.ask("POST", "/v1/logs", json_lines([own]), token=token)[0], 200)
        self.assertEqual(service.ask("POST", "/v1/logs", json_lines([own, foreign]), token=token)[0], 403)
        self.assertEqual(service.await_decided()['records_total{input="logs"}'], 1)


def in_base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class SigningKey:
    """An RSA key made by the openssl command, which signs JSON Web Tokens."""

    def __init__(self, folder, name):
        self.path = folder / f"{name}.key"
        self.command("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.path)

    @staticmethod
    def command(*arguments, given=b""):
        return subprocess.run(["openssl", *map(str, arguments)], input=given, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=True).stdout

    def public(self):
        modulus = self.command("rsa", "-in", self.path, "-noout", "-modulus").decode().strip().partition("=")[2]
        return {"kty": "RSA", "use": "sig", "kid": "one", "n": in_base64url(bytes.fromhex(modulus)), "e": "AQAB"}

    def token(self, claims, algorithm="RS256"):
        parts = [{"alg": algorithm, "typ": "JWT", "kid": "one"}, claims]
        text = ".".join(in_base64url(json.dumps(part).encode()) for part in parts)
        return text + "." + in_base64url(self.command("dgst", "-sha256", "-sign", self.path, given=text.encode()))


class Lists(ServeCase):
    def test_lists_by_url_are_fetched_held_back_and_reported(self):
        """A file and a TAXII collection are put in force; a list of everybody's addresses is not."""
        long_ago = "2026-01-01T00:00:00Z"
        indicator = {"type": "indicator", "spec_version": "2.1", "pattern_type": "stix", "valid_from": long_ago,
                     "id": "indicator--00000000-0000-4000-8000-000000000001", "created": long_ago,
                     "modified": long_ago, "pattern": "[ipv4-addr:value = '203.0.113.77']"}
        served = {"/exits": (b"203.0.113.66\n", "text/plain"),
                  "/taxii/collections/one/objects/": (json.dumps({"more": False, "objects": [indicator]}).encode(),
                                                      "application/taxii+json;version=2.1"),
                  "/doubtful": (b"192.0.2.0/24\n", "text/plain")}
        asked = collections.Counter()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = self.path.partition("?")[0]
                asked[path] += 1
                body, kind = served.get(path, (b"", ""))
                self.send_response(200 if path in served else 404)
                self.send_header("Content-Type", kind)
                self.send_header("ETag", '"1"')
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(lambda: (server.shutdown(), server.server_close(), thread.join()))
        url = f"http://127.0.0.1:{server.server_port}"
        feeds = {"/exits?key=secret": "tor", "/taxii/collections/one/objects/": "suspicious", "/doubtful": "suspicious",
                 "/missing": "tor"}
        settings = "lists:\n  feeds:\n" + "".join(
            f"    - {{url: '{url}{path}', role: {role}, taxii: {str('taxii' in path).lower()}, "
            "plain_text: true}\n"
            for path, role in feeds.items())
        # Twenty callers from one network, so that there is something to try a list on.
        begin = 1_780_000_000
        callers = []
        for number in range(20):
            one = record(begin + number, number=number)
            one["identity"]["claim"]["appid"] = f"bbbbbbbb-0000-4000-8000-{number:012}"
            callers.append(one)
        service = self.start(settings="")
        self.assertEqual(service.send(json_lines(callers + days_later(begin, 1)))[0], 200)
        service.await_decided()
        self.assertEqual(service.stop(), 0)

        service = self.start(settings=settings)
        deadline = time.monotonic() + DECIDED_WITHIN_SECONDS
        while True:
            status, _, text = service.ask("GET", "/v1/sources")
            self.assertEqual(status, 200, text)
            lists = {one["name"].removeprefix(url): one for one in json.loads(text)["lists"]}
            if all(one["failure"] or "confirmedUtc" in one for one in lists.values()):
                break
            self.assertLess(time.monotonic(), deadline, text)
            time.sleep(0.1)
        self.assertEqual(lists["/exits"]["failure"], "")
        self.assertEqual(lists["/taxii/collections/one/objects/"]["failure"], "")
        self.assertIn("held back", lists["/doubtful"]["failure"])
        self.assertIn("404", lists["/missing"]["failure"])
        self.assertNotIn("secret", text.decode())
        then = begin + 2 * 86400
        attacks = [record(then, "203.0.113.66", number=101), record(then + 1, "203.0.113.77", number=102),
                   record(then + 2, OFFICE_ADDRESS, number=103)]
        self.assertEqual(service.send(json_lines(attacks + days_later(then, 5)))[0], 200)
        service.await_decided()
        # What is wrong shows where people look.
        while True:
            status, _, text = service.ask("GET", "/v1/overview")
            self.assertEqual(status, 200, text)
            problems = {one["about"].removeprefix(url) for one in json.loads(text)["service"]["problems"]
                        if one["kind"] == "list"}
            if problems == {"/doubtful", "/missing"}:
                break
            self.assertLess(time.monotonic(), deadline, text)
            time.sleep(0.2)
        self.assertEqual(service.metrics()[f'list_failing{{list="{url}/doubtful"}}'], 1)
        self.assertEqual(service.stop(), 0)
        # After a restart the lists are those that were in force, also those that cannot be had now.
        served.clear()
        service = self.start(settings=settings)
        types = sorted(alert["properties"]["alertType"] for alert in service.alerts().values())
        self.assertEqual(types, ["KV_SuspiciousIPAccess", "KV_TORAccess"])
        self.assertEqual(service.send(json_lines([record(then + 6 * 86400, "203.0.113.66", number=201)] +
                                                 days_later(then + 6 * 86400, 5)))[0], 200)
        service.await_decided()
        self.assertEqual(service.stop(), 0)
        service = self.start(settings=settings)
        types = sorted(alert["properties"]["alertType"] for alert in service.alerts().values())
        self.assertEqual(types, ["KV_SuspiciousIPAccess", "KV_TORAccess", "KV_TORAccess"])


class Refusals(ServeCase):
    """One for each limit: the right status, nothing stored, one line in the audit trail."""

    SETTINGS = "serve:\n  body_limit_mebibytes: 1\n  decompressed_limit_mebibytes: 2\n"

    def raw(self, service, request):
        """The status of what comes back for these bytes."""
        with service.context.wrap_socket(socket.create_connection(("127.0.0.1", service.port), timeout=60),
                                         server_hostname="127.0.0.1") as stream:
            try:
                stream.sendall(request)
            except OSError:
                pass  # answered before all was sent
            return int(stream.recv(65536).split(b" ", 2)[1])

    def audited(self, service):
        status, _, text = service.ask("GET", "/v1/audit?limit=1000")
        self.assertEqual(status, 200, text)
        return [line for line in json.loads(text)["value"] if line["action"] == "request.refused"]

    def expect_refused(self, service, name, ask, status, cause):
        with self.subTest(name):
            before = self.audited(service)
            self.assertEqual(ask(), status)
            deadline = time.monotonic() + DECIDED_WITHIN_SECONDS
            while len(self.audited(service)) == len(before) and time.monotonic() < deadline:
                time.sleep(0.02)
            lines = self.audited(service)
            self.assertEqual(len(lines), len(before) + 1)
            self.assertEqual(lines[0]["outcome"], f"{status} {cause}")
            self.assertEqual(service.await_decided().get('records_total{input="logs"}', 0), 0, "something was stored")

    def test_each_limit_refuses_and_is_audited_once(self):
        service = self.start(settings=self.SETTINGS)
        good = json_lines([record(1_780_000_000)])
        head = f"Host: localhost\r\nAuthorization: Bearer {service.token}\r\n".encode()
        post = b"POST /v1/logs HTTP/1.1\r\n" + head
        bomb = gzip.compress(good + b" " * (300 << 20), 9)
        self.assertLess(len(bomb), 1 << 20)
        for name, ask, status, cause in [
                ("an oversized body", lambda: self.raw(
                    service, post + b"Content-Length: 1048577\r\n\r\n" + good), 413, "body_too_large"),
                ("an oversized body in chunks", lambda: self.raw(
                    service, post + b"Transfer-Encoding: chunked\r\n\r\n" +
                    (b"10000\r\n" + b"a" * 65536 + b"\r\n") * 17), 413, "body_too_large"),
                ("a bomb", lambda: service.send(bomb)[0], 413, "too_large"),
                ("no token", lambda: self.raw(service, b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\n"
                                              b"Content-Length: %d\r\n\r\n" % len(good) + good), 401,
                 "not_authenticated"),
                ("an unknown token", lambda: service.ask("POST", "/v1/logs", good, token="kv_" + "A" * 43)[0], 401,
                 "unknown_token"),
                ("a malformed token", lambda: service.ask("POST", "/v1/logs", good, token="letmein")[0], 401,
                 "malformed_token"),
                ("path traversal", lambda: self.raw(
                    service, b"GET /v1/../../etc/passwd HTTP/1.1\r\n" + head + b"\r\n"), 400, "bad_path"),
                ("encoded path traversal", lambda: self.raw(
                    service, b"POST /v1/%2e%2e%2f%2e%2e%2fetc HTTP/1.1\r\n" + head + b"\r\n"), 400, "bad_path"),
                ("many headers", lambda: self.raw(service, post + b"x: y\r\n" * 120 + b"\r\n"), 431, "head_too_large"),
                ("long headers", lambda: self.raw(service, post + b"x: " + b"y" * 40000 + b"\r\n\r\n"), 431,
                 "head_too_large"),
                ("a long URI", lambda: self.raw(
                    service, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + head + b"\r\n"), 414, "uri_too_long"),
                ("two lengths", lambda: self.raw(
                    service, post + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400,
                 "malformed_request")]:
            self.expect_refused(service, name, ask, status, cause)

    @unittest.skipUnless(shutil.which("openssl"), "the openssl command is needed to sign tokens")
    def test_tokens_of_an_issuer_are_judged(self):
        key, forger = SigningKey(self.folder, "issuer"), SigningKey(self.folder, "forger")
        (self.folder / "keys.json").write_text(json.dumps({"keys": [key.public()]}))
        service = self.start(settings="serve:\n  issuers:\n    - issuers: [https://issuer.example]\n"
                                      "      audiences: [api://keyvigil]\n      key_set_file: ../keys.json\n"
                                      "      grants:\n        - app_role: Sender\n          roles: [ingest]\n")
        now = int(time.time())
        claims = {"iss": "https://issuer.example", "aud": "api://keyvigil", "sub": "somebody", "roles": ["Sender"],
                  "exp": now + 3600, "nbf": now - 10}
        good = json_lines([record(1_780_000_000)])
        expired = {**claims, "exp": now - 3600}
        for name, token, status, cause in [
                ("expired", key.token(expired), 401, "expired_token"),
                ("of tomorrow", key.token({**claims, "nbf": now + 86400}), 401, "token_not_yet_valid"),
                ("for another audience", key.token({**claims, "aud": "https://vault.azure.net"}), 401,
                 "wrong_audience"),
                ("of another issuer", key.token({**claims, "iss": "https://other.example"}), 401, "unknown_issuer"),
                ("forged", forger.token(claims), 401, "bad_signature"),
                ("unsigned", key.token(claims, "none"), 401, "malformed_jwt"),
                ("of another kind", key.token(claims, "HS256"), 401, "malformed_jwt"),
                ("without the role", key.token({**claims, "roles": ["Other"]}), 403, "not_authorized")]:
            self.expect_refused(service, name, lambda: service.ask("POST", "/v1/logs", good, token=token)[0], status,
                                cause)
        self.assertEqual(service.ask("POST", "/v1/logs", good, token=key.token(claims))[0], 200)
        self.assertEqual(service.await_decided()['records_total{input="logs"}'], 1)


class Running(ServeCase):
    def test_a_quiet_estate_moves_on_and_alerts_show(self):
        now = int(time.time())
        service = self.start(settings=self.settings + "lateness_minutes: 0\nserve:\n  idle_seconds: 1\n")
        records = [record(now - 300), record(now - 240, TOR_ADDRESS, number=1), record(now - 180, number=2)]
        self.assertEqual(service.send(json_lines(records))[0], 200)
        deadline = time.monotonic() + DECIDED_WITHIN_SECONDS
        while time.monotonic() < deadline and not service.alerts():
            time.sleep(0.2)
        (alert,) = service.alerts().values()
        self.assertEqual(alert["properties"]["alertType"], "KV_TORAccess")

    def test_signals_reload_lists_and_stop(self):
        service = self.start()
        (self.folder / "exits.txt").write_text("203.0.113.99\n")
        service.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + DECIDED_WITHIN_SECONDS
        while not any("settings or lists changed" in line for line in service.log_lines()):
            self.assertLess(time.monotonic(), deadline, "the lists were not read again")
            time.sleep(0.05)
        records = [record(1_780_000_000), record(1_780_000_060, "203.0.113.99", number=1),
                   record(1_780_000_120, TOR_ADDRESS, number=2)] + days_later(1_780_000_000, 5)
        self.assertEqual(service.send(json_lines(records))[0], 200)
        service.await_decided()
        self.assertEqual(service.stop(), 0)
        service = self.start()
        (alert,) = service.alerts().values()
        self.assertIn("203.0.113.99", json.dumps(alert))

    def await_log(self, service, text):
        deadline = time.monotonic() + DECIDED_WITHIN_SECONDS
        while not any(text in line for line in service.log_lines()):
            self.assertLess(time.monotonic(), deadline, f"the log never said '{text}'")
            time.sleep(0.05)

    def test_a_signal_takes_over_tokens_and_outputs_and_says_what_needs_a_restart(self):
        def made(name):
            done = run("token", "new")
            token, hashed = (part.decode() for part in re.findall(rb"(kv_\S+|sha256:\S+)", done.stdout))
            return token, f"    - {{name: {name}, hash: '{hashed}', roles: [reader]}}\n"

        (old, old_line), (new, new_line) = made("one"), made("one")
        service = self.start(settings=self.settings + "serve:\n  tokens:\n" + old_line)
        self.assertEqual(service.ask("GET", "/v1/overview", token=old)[0], 200)
        self.assertEqual(service.ask("GET", "/v1/overview", token=new)[0], 401)
        path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/locations/global/alerts/default/simulate"
        sample = json.dumps({"properties": {"kind": "Bundles", "bundles": ["KeyVaults"]}})
        self.assertIn(service.ask("POST", path + "?api-version=2021-11-01", sample)[0], (202, 204))
        (self.folder / "service" / "keyvigil.yaml").write_text(
            self.settings + "outputs:\n  - {name: all, kind: file, path: all.jsonl}\n"
            "  - {name: real, kind: file, path: real.jsonl, simulated: false}\n"
            "serve:\n  silent_minutes: 7\n  public_url: https://keyvigil.example\n  tokens:\n" + new_line)
        self.reload(service)
        self.await_log(service, "serve.public_url was changed, which takes a restart")
        (reloaded,) = [line for line in map(json.loads, service.log_lines())
                       if line["message"] == "configuration reloaded"]
        self.assertEqual(reloaded["changed"], "outputs, serve.tokens, serve.silent_minutes")
        self.assertEqual(service.ask("GET", "/v1/overview", token=old)[0], 401)
        self.assertEqual(service.ask("GET", "/v1/overview", token=new)[0], 200)
        self.assertEqual(service.ask("GET", "/v1/overview")[0], 200, "the token of --dev stays")
        # Sample alerts go to the outputs of now that want them.
        self.assertIn(service.ask("POST", path + "?api-version=2021-11-01", sample)[0], (202, 204))
        deadline = time.monotonic() + DECIDED_WITHIN_SECONDS
        lines = self.folder / "service" / "all.jsonl"
        while not lines.exists() or len(lines.read_text().splitlines()) < 14:
            self.assertLess(time.monotonic(), deadline, "the sample alerts did not arrive")
            time.sleep(0.05)
        for line in lines.read_text().splitlines():
            self.assertTrue(json.loads(line)["properties"]["alertType"].startswith("SIMULATED_"), line)
        self.assertEqual(len(lines.read_text().splitlines()), 14, "those of before the signal had no output")
        self.assertFalse((self.folder / "service" / "real.jsonl").exists())

    def reload(self, service, settings=None, outcome="done"):
        """Sends the signal, and waits until it was taken."""
        if settings is not None:
            (service.folder / "keyvigil.yaml").write_text(settings)
        name = f'configuration_reloads_total{{outcome="{outcome}"}}'
        before = service.metrics()[name]
        service.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + DECIDED_WITHIN_SECONDS
        while service.metrics()[name] == before:
            self.assertLess(time.monotonic(), deadline, service.log_lines()[-3:])
            time.sleep(0.02)

    def audited(self, service, action):
        status, _, text = service.ask("GET", "/v1/audit?limit=1000")
        self.assertEqual(status, 200, text)
        return [line for line in json.loads(text)["value"] if line["action"] == action]

    def test_a_configuration_that_does_not_hold_is_refused_as_a_whole(self):
        """Each has something good before what is wrong: none of it is taken over."""
        settings = self.settings + "serve:\n  silent_minutes: 7\n"
        service = self.start(settings=settings)
        inputs = self.folder / "inputs"
        inputs.mkdir()
        good = f"serve:\n  silent_minutes: 9\n  inputs:\n    - folder: {inputs}\n"
        for what, text, words in [
                ("no YAML", "serve: [", "expected YAML"),
                ("an unknown key", self.settings + good + "  silent_minuets: 7\n", "silent_minutes"),
                ("a list that is not there", "lists: {tor: [missing.txt]}\n" + good, "missing.txt"),
                ("a secret that is not there", self.settings + good +
                 "    - container: https://account.blob.example/logs\n      sas: {file: missing}\n", "missing"),
                ("a feed's secret that is not there", "lists:\n  feeds:\n    - {url: 'https://lists.example/', "
                 "role: tor, authorization: {file: missing}}\n" + good, "missing"),
                ("an input twice", self.settings + good + f"    - folder: {inputs}\n", "twice"),
                ("an output's secret that is not there", self.settings + good +
                 "outputs:\n  - {name: chat, kind: slack, secret: {file: missing}}\n", "outputs.chat.secret"),
                ("a key set that is not there", self.settings + good +
                 "  issuers: [{issuers: [a], audiences: [b], key_set_file: missing}]\n", "key_set_file"),
                ("a key twice", self.settings + good + "  lag_seconds: 20\n  lag_seconds: 30\n", "found it again"),
                ("a location that is a path", self.settings + good + "estates: [{location: west/../../x}]\n",
                 "expected a region"),
                ("a token without a hash", self.settings + good +
                 "  tokens: [{name: a, roles: [reader], hash: none}]\n", "token new"),
                ("an issuer without keys", self.settings + good + "  issuers: [{issuers: [a], audiences: [b]}]\n",
                 "key_set_url")]:
            with self.subTest(what):
                self.reload(service, text, "refused")
                figures = service.metrics()
                self.assertEqual(figures["configuration_last_reload_successful"], 0)
                self.assertIn(words, self.audited(service, "configuration.reload")[0]["outcome"])
                self.assertIn(words, [line for line in service.log_lines() if "not reloaded" in line][-1])
                self.assertFalse(any("input started" in line for line in service.log_lines()))
        _, _, text = service.ask("GET", "/v1/overview")
        problems = [one for one in json.loads(text)["service"]["problems"] if one["kind"] == "configuration"]
        self.assertEqual(len(problems), 1)
        self.assertIn("stays in force", problems[0]["text"])
        # What was in force is so still, and the next good one is taken.
        self.reload(service, settings)
        self.assertEqual(service.metrics()["configuration_last_reload_successful"], 1)
        self.assertEqual(self.audited(service, "configuration.reload")[0]["outcome"], "done")
        self.assertEqual(self.audited(service, "configuration.reload")[0]["target"], "", "nothing differs")
        _, _, text = service.ask("GET", "/v1/overview")
        self.assertEqual(json.loads(text)["service"]["problems"], [])

    @unittest.skipUnless(shutil.which("openssl"), "the openssl command is needed to sign tokens")
    def test_a_signal_takes_over_issuers(self):
        first, second = SigningKey(self.folder, "first"), SigningKey(self.folder, "second")
        (self.folder / "first.json").write_text(json.dumps({"keys": [first.public()]}))
        (self.folder / "second.json").write_text(json.dumps({"keys": [second.public()]}))

        def issuer(name):
            return (f"    - issuers: [https://{name}.example]\n      audiences: [api://keyvigil]\n"
                    f"      key_set_file: ../{name}.json\n      grants: [{{app_role: Reader, roles: [reader]}}]\n")

        def status(key, name):
            token = key.token({"iss": f"https://{name}.example", "aud": "api://keyvigil", "sub": "somebody",
                               "roles": ["Reader"], "exp": int(time.time()) + 3600})
            return service.ask("GET", "/v1/overview", token=token)[0]

        service = self.start(settings="serve:\n  issuers:\n" + issuer("first"))
        self.assertEqual((status(first, "first"), status(second, "second")), (200, 401))
        self.reload(service, "serve:\n  issuers:\n" + issuer("first") + issuer("second"))
        self.assertEqual((status(first, "first"), status(second, "second")), (200, 200))
        self.reload(service, "serve:\n  issuers:\n" + issuer("second"))
        self.assertEqual((status(first, "first"), status(second, "second")), (401, 200))
        # Keys in a file are read again.
        (self.folder / "second.json").write_text(json.dumps({"keys": [first.public()]}))
        self.reload(service)
        self.assertEqual((status(first, "second"), status(second, "second")), (200, 401))

    def test_a_signal_takes_over_lists_by_url(self):
        """One that is added is fetched and decides, one that is removed decides no more."""
        asked = collections.Counter()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked[self.path] += 1
                body = {"/one": b"203.0.113.1\n", "/two": b"203.0.113.2\n"}[self.path]
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(lambda: (server.shutdown(), server.server_close(), thread.join()))
        url = f"http://127.0.0.1:{server.server_port}"

        def settings(*paths):
            return "lists:\n  feeds:\n" + "".join(f"    - {{url: '{url}{path}', role: tor}}\n" for path in paths)

        def await_lists(*paths):
            deadline = time.monotonic() + DECIDED_WITHIN_SECONDS
            while True:
                lists = json.loads(service.ask("GET", "/v1/sources")[2])["lists"]
                self.assertEqual([one["name"].removeprefix(url) for one in lists], list(paths))
                if all("confirmedUtc" in one and not one["failure"] for one in lists):
                    return
                self.assertLess(time.monotonic(), deadline, lists)
                time.sleep(0.05)

        service = self.start(settings=settings("/one"))
        await_lists("/one")
        self.reload(service, settings("/one", "/two"))
        await_lists("/one", "/two")
        self.assertEqual(asked["/one"], 1, "one that is as before is not asked again")
        begin = 1_780_000_000
        attacks = [record(begin + number, f"203.0.113.{number}", number=number) for number in (1, 2)]
        self.assertEqual(service.send(json_lines(attacks + days_later(begin, 1)))[0], 200)
        service.await_decided()
        self.reload(service, settings("/two"))
        await_lists("/two")
        begin += 2 * 86400
        attacks = [record(begin + number, f"203.0.113.{number}", number=10 + number) for number in (1, 2)]
        self.assertEqual(service.send(json_lines(attacks + days_later(begin, 5)))[0], 200)
        service.await_decided()
        self.assertEqual(service.stop(), 0)
        service = self.start(settings=settings("/two"))
        found = sorted(address for alert in service.alerts().values()
                       for address in set(re.findall(r"203\.0\.113\.\d", json.dumps(alert))))
        self.assertEqual(found, ["203.0.113.1", "203.0.113.2", "203.0.113.2"])

    def test_reloads_in_the_middle_of_what_is_followed_change_no_alert(self):
        """Inputs are changed, removed and put back while a month is read: everything is decided once."""
        lines, settings, _ = self.simulated(6000)
        expected = self.detected(lines, settings)
        subscriptions = {alert["id"].split("/")[2] for alert in expected.values()}
        blobs = self.blobs_of(lines)
        root = self.folder / "blobs"
        hour = re.compile(r"y=\d+/m=\d+/d=\d+/h=\d+")
        middle = sorted(hour.search(name).group() for name in blobs)[len(blobs) // 2]

        def write(chosen):
            for name, held in blobs.items():
                if chosen(hour.search(name).group()):
                    (root / name).parent.mkdir(parents=True, exist_ok=True)
                    (root / name).write_bytes(held)

        write(lambda of: of < middle)
        other = self.folder / "other"
        other.mkdir()
        seed = int(os.environ.get("KEYVIGIL_SEED", random.randrange(1 << 32)))
        print(f"\nreloads: KEYVIGIL_SEED={seed}", flush=True)
        chance = random.Random(seed)

        def configuration(seconds, followed=True, more=False):
            return (settings + f"serve:\n  checkpoint_seconds: {seconds}\n  inputs:\n" +
                    (f"    - {{folder: {root}, from: 2000-01-01, poll_seconds: {seconds}}}\n" if followed else "") +
                    (f"    - {{folder: {other}}}\n" if more or not followed else ""))

        service = self.start(settings=configuration(1))
        steps = [{}, {"seconds": 2}, {"more": True}, {"followed": False}, {"seconds": 3}, {"followed": False}, {}]
        for step in steps:
            time.sleep(chance.uniform(0, 0.2))
            self.reload(service, configuration(**{"seconds": 1, **step}))
            if step == {"followed": False}:  # what comes meanwhile is read when it is put back
                write(lambda of: of >= middle)
        figures = self.follow_all(service, len(lines))
        started = sum("input started" in line and str(root) in line for line in service.log_lines())
        self.assertEqual(started, 3, "at the start, and when it was put back")
        self.assertEqual(figures["late_total"], 0)
        self.assertEqual(figures["events_decided_total"] + figures["events_held"] + figures["duplicates_total"],
                         len(lines))
        self.assertEqual(figures["duplicates_total"], 0)
        self.assertEqual(service.stop(), 0, service.log_lines()[-3:])
        service = self.start(settings=settings)

        def told():
            found = {}
            for subscription in subscriptions:
                found.update(service.alerts(subscription))
            return properties_of(found)

        def properties_of(alerts):
            return {name: alert["properties"]["extendedProperties"] for name, alert in alerts.items()}

        # What was held back for an input that might still say something is decided now that there is none.
        self.await_that("the alerts of detect", told, lambda found: found == properties_of(expected))
        # It is followed no longer: it is known, and nobody waits for it.
        (known,) = [one for one in json.loads(service.ask("GET", "/v1/sources")[2])["value"]
                    if one["name"] == f"folder/{root}"]
        self.assertTrue(known["removed"])

    def test_what_waits_for_a_removed_output_is_given_up(self):
        def output(name):
            return f"  - {{name: {name}, kind: webhook, url: 'http://127.0.0.1:9/', plain_text: true}}\n"

        path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/locations/global/alerts/default/simulate"
        sample = json.dumps({"properties": {"kind": "Bundles", "bundles": ["KeyVaults"]}})
        service = self.start(settings="outputs:\n" + output("one") + output("two") + output("three"))
        self.assertIn(service.ask("POST", path + "?api-version=2021-11-01", sample)[0], (202, 204))
        self.assertEqual(service.metrics()["outbox"], 42)
        self.reload(service, "outputs:\n" + output("one") + output("two"))
        figures = service.metrics()
        self.assertEqual((figures["outbox"], figures["dead_letters"], figures["outbox_orphaned_total"]), (28, 14, 14))
        self.assertEqual([line["target"] for line in self.audited(service, "outbox.orphaned")],
                         ["three (14 revisions)"])
        self.assertEqual(service.stop(), 0)
        service = self.start(settings="outputs:\n" + output("two"))
        figures = service.metrics()
        self.assertEqual((figures["outbox"], figures["dead_letters"], figures["outbox_orphaned_total"]), (14, 28, 14))
        self.await_log(service, "no longer configured")
        self.assertEqual([line["target"] for line in self.audited(service, "outbox.orphaned")],
                         ["one (14 revisions)", "three (14 revisions)"])
        # It was a mistake: what waited for the output waits again.
        self.reload(service, "outputs:\n" + output("two") + output("three"))
        figures = service.metrics()
        self.assertEqual((figures["outbox"], figures["dead_letters"]), (28, 14))

    def test_what_was_decided_can_be_looked_through(self):
        service = self.start(settings=self.settings + "serve:\n  checkpoint_seconds: 1\n")
        begin = 1_780_000_000
        records = [record(begin + 60 * minute, number=minute) for minute in range(30)]
        records[7] = record(begin + 420, TOR_ADDRESS, number=7)
        self.assertEqual(service.send(json_lines(records + days_later(begin, 1)))[0], 200)
        service.await_decided()

        def ask(path):
            status, _, text = service.ask("GET", path)
            self.assertEqual(status, 200, text)
            return json.loads(text)

        caller = "bbbbbbbb-0000-4000-8000-000000000002"
        deadline = time.monotonic() + DECIDED_WITHIN_SECONDS
        found, path = [], f"/v1/timeline?caller={caller}&limit=7&until=2026-05-29T00:00:00Z"
        while not ask(path)["value"]:
            self.assertLess(time.monotonic(), deadline, "the events were not kept")
            time.sleep(0.1)
        while path:
            page = ask(path)
            self.assertLessEqual(len(page["value"]), 7)
            found += page["value"]
            path = page.get("nextLink")
        self.assertEqual([int(event["correlationId"][-12:]) for event in found], list(range(29, -1, -1)))
        self.assertEqual(found[22]["address"], TOR_ADDRESS)
        entity = ask(f"/v1/entities/caller?key={caller}")
        self.assertEqual(entity["profile"]["kind"], "app")
        (vault,) = [one for one in entity["profile"]["related"]["vaults"]["value"] if "kv-contoso-pay" in one["key"]]
        self.assertEqual(vault["daysSeen"], 1)
        addresses = {one["key"] for one in entity["profile"]["related"]["addresses"]["value"]}
        self.assertEqual(addresses, {"192.0.2.0/24", "203.0.113.0/24"})
        self.assertEqual(entity["profile"]["usual"]["share_of_secret_reads"], 1)
        entity = ask(f"/v1/entities/vault?key={vault['key']}")
        self.assertEqual([one["key"] for one in entity["profile"]["related"]["callers"]["value"]], [caller])
        figures = service.metrics()
        self.assertGreaterEqual(figures["events_kept"], 30)
        self.assertIn('detector_seconds_total{type="KV_TORAccess"}', figures)
        self.assertEqual(figures["edges_evicted_total"], 0)
        self.assertEqual(ask("/v1/overview?days=3650")["service"]["problems"], [])

    def test_health_needs_no_token_and_figures_need_one(self):
        service = self.start()
        for path, status in [("/healthz", 200), ("/readyz", 200), ("/metrics", 401)]:
            self.assertEqual(service.ask("GET", path, token="none" if status == 200 else "kv_wrong")[0], status, path)

    def test_a_state_of_detect_is_taken_up_and_goes_on(self):
        lines, settings, subscription = self.simulated(6000)
        expected = {name: alert for name, alert in self.detected(lines, settings).items()
                    if alert["id"].split("/")[2] == subscription}
        half = len(lines) // 2
        (self.folder / "half.json").write_bytes(b"".join(lines[:half]))
        config = self.folder / "service" / "detect.yaml"
        done = run("detect", self.folder / "half.json", "--config", config, "--state", self.folder / "vaults.state",
                   "--format", "jsonl", "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        before = {alert["name"]: alert for alert in map(json.loads, done.stdout.splitlines())
                  if not alert["properties"].get("open")}
        service = self.start(settings=settings, arguments=["--state", str(self.folder / "vaults.state")])
        for at in range(half, len(lines), 700):
            self.assertEqual(service.send(b"".join(lines[at:at + 700]))[0], 200)
        service.await_decided()
        self.assertEqual(service.stop(), 0)
        service = self.start(settings=settings)
        found = service.alerts(subscription)
        self.assertEqual(found.keys(), expected.keys() - before.keys())
        for name, alert in found.items():
            self.assertEqual(alert["properties"]["extendedProperties"],
                             expected[name]["properties"]["extendedProperties"])

    def test_says_what_is_missing(self):
        done = run("serve", "--store", self.folder / "store.db", "--listen", "127.0.0.1:0")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"--dev", done.stderr)


class Crashes(ServeCase):
    """kill -9 at any moment: what was acknowledged is decided, once."""

    CHUNK = 500

    def send_all(self, service, chunks, begin):
        """From `begin` on until the service breaks; where to go on."""
        connection = service.connection()
        try:
            for at in range(begin, len(chunks)):
                status, text = service.send(chunks[at], connection)
                if status in (429, 503):
                    return at
                assert status == 200, (status, text)
            return len(chunks)
        except (OSError, http.client.HTTPException):
            return at
        finally:
            connection.close()

    @staticmethod
    def kept_alerts(store):
        """Of a store that nobody has open: every revision with its bytes, and what waits for an output."""
        database = sqlite3.connect(f"file:{store}?mode=ro&immutable=1", uri=True)
        try:
            revisions = database.execute(
                "SELECT a.id, r.revision, r.snapshot, a.open FROM alert a JOIN alert_revision r ON r.alert = a.number "
                "ORDER BY 1, 2").fetchall()
            waiting = database.execute(
                "SELECT a.id, o.output, o.revision FROM outbox o JOIN alert a ON a.number = o.alert "
                "ORDER BY 1, 2, o.number").fetchall()
            changes = database.execute(
                "SELECT a.id, c.revision, c.note FROM alert_change c JOIN alert a ON a.number = c.alert "
                "ORDER BY 1, c.number").fetchall()
        finally:
            database.close()
        return revisions, waiting, changes

    def final_state(self, service, subscription):
        figures = service.await_decided()
        self.assertEqual(service.stop(), 0, service.log_lines()[-3:])
        figures["kept_alerts"] = self.kept_alerts(service.folder / "store.db")
        service = self.start(service.folder.name, None if self.crash_settings is None else self.crash_settings)
        figures["events_kept"] = service.metrics()["events_kept"]  # until then the last ones may not be written
        return figures, service.alerts(subscription)

    def test_fifty_kills_lose_nothing_and_count_nothing_twice(self):
        rounds = int(os.environ.get("KEYVIGIL_CRASH_ROUNDS", 6 if is_sanitized() else 50))
        seed = int(os.environ.get("KEYVIGIL_SEED", random.randrange(1 << 32)))
        print(f"\ncrash test: {rounds} rounds, KEYVIGIL_SEED={seed}", flush=True)
        chance = random.Random(seed)
        lines, settings, subscription = self.simulated(2400 * rounds)
        # Nobody listens at the output: whatever was ever to go out waits for it.
        self.crash_settings = settings + (
            "serve:\n  checkpoint_seconds: 1\n  event_retention_days: 400\n"
            "outputs:\n  - {name: nobody, kind: webhook, url: 'http://127.0.0.1:9/', plain_text: true}\n")
        chunks = [gzip.compress(b"".join(lines[at:at + self.CHUNK]), 1) for at in range(0, len(lines), self.CHUNK)]

        quiet = self.start("undisturbed", self.crash_settings)
        self.assertEqual(self.send_all(quiet, chunks, 0), len(chunks))
        expected_figures, expected = self.final_state(quiet, subscription)
        self.assertEqual(expected_figures["events_decided_total"] + expected_figures["events_held"] +
                         expected_figures["duplicates_total"], len(lines))

        mark_path = self.folder / "mark"
        mark_path.write_bytes(b"---")
        with mark_path.open("r+b") as file:
            mark = mmap.mmap(file.fileno(), 3)
        at = killed = in_journal = in_checkpoint = in_alerts = 0
        while at < len(chunks):
            # Half of the kills come at a random time, the others inside a commit: of the journal, of a checkpoint, of
            # alerts.
            aims = [f"J{chance.randint(1, 4)}", "", "C1", "", f"A{chance.randint(1, 3)}", ""]
            aim = "" if killed >= rounds else aims[killed % len(aims)]
            service = Service(self.folder / "crashing", self.crash_settings, environment={
                "KEYVIGIL_COMMIT_MARK": str(mark_path), "KEYVIGIL_COMMIT_DIE_AT": aim})
            self.services.append(service)
            killer = None
            if killed < rounds:
                killer = threading.Thread(target=self.kill_soon,
                                          args=(service, 8 if aim else chance.uniform(0.0, 0.3)))
                killer.start()
            # So that what is left lasts for all rounds.
            last = len(chunks) if killed >= rounds else at + max(1, (len(chunks) - at) // (rounds - killed))
            if service.port is not None:  # else it died while it started
                at = self.send_all(service, chunks[:last], at)
            if killer is None:
                break
            killer.join()
            service.process.wait()
            service.log.close()
            killed += 1
            in_journal += mark[0:1] == b"J"
            in_checkpoint += mark[1:2] == b"C"
            in_alerts += mark[2:3] == b"A"
            mark[0:3] = b"---"
        if service.process.poll() is not None:  # the last kill came after the last record
            service = self.start("crashing", self.crash_settings)
        print(f"crash test: {killed} kills, {in_journal} in a commit of the journal, {in_checkpoint} in a checkpoint, "
              f"{in_alerts} in one of alerts, {len(lines)} records", flush=True)
        self.assertEqual(at, len(chunks))
        self.assertEqual(killed, rounds)
        self.assertGreaterEqual(in_journal + in_checkpoint + in_alerts, rounds * 2 // 5)
        figures, found = self.final_state(service, subscription)
        for name in ("events_decided_total", "events_held", "late_total", "events_kept"):
            self.assertEqual(figures[name], expected_figures[name], name)
        self.assertEqual(found.keys(), expected.keys())
        self.assertEqual(found, expected)
        # Revisions, what waits to go out, and the history: none is missing, none is there twice.
        for what, kept, wanted in zip(("revisions", "waiting", "changes"), figures["kept_alerts"],
                                      expected_figures["kept_alerts"]):
            self.assertGreater(len(wanted), 20, what)
            self.assertEqual([row[:2] for row in kept], [row[:2] for row in wanted], what)
            self.assertEqual(kept, wanted, what)

    @staticmethod
    def kill_soon(service, seconds):
        """After so many seconds at the latest: it may kill itself before."""
        try:
            service.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            service.process.kill()

    def test_a_full_disk_refuses_input_and_loses_nothing(self):
        lines, settings, subscription = self.simulated(8000)
        settings += "serve:\n  event_retention_days: 400\n"
        self.crash_settings = settings
        chunks = [b"".join(lines[at:at + 200]) for at in range(0, len(lines), 200)]

        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, resource.RLIM_INFINITY))

        service = self.start("full", settings, limits=small_files)
        acknowledged = self.send_all(service, chunks, 0)
        self.assertLess(acknowledged, len(chunks), "the limit was never met")
        status, headers, _ = service.ask("POST", "/v1/logs", chunks[acknowledged])
        self.assertIn(status, (429, 503))
        self.assertIn("retry-after", {name.lower() for name in headers})
        self.assertEqual(service.ask("GET", "/healthz")[0], 200)
        service.kill()
        service = self.start("full", settings)
        self.assertEqual(self.send_all(service, chunks, acknowledged), len(chunks))
        figures, found = self.final_state(service, subscription)
        self.assertEqual(figures["events_decided_total"] + figures["events_held"], len(lines))
        self.assertEqual(figures["events_kept"], figures["events_decided_total"])
        expected = self.detected(lines, settings)
        self.assertEqual(found, {name: alert for name, alert in expected.items()
                                 if alert["id"].split("/")[2] == subscription})

    def test_a_damaged_store_is_refused_with_a_way_out(self):
        service = self.start()
        for begin in range(0, 3000, 500):
            records = [record(1_780_000_000 + place, number=place) for place in range(begin, begin + 500)]
            self.assertEqual(service.send(json_lines(records))[0], 200)
        service.await_decided()
        self.assertEqual(service.stop(), 0)
        store = self.folder / "service" / "store.db"
        whole = store.read_bytes()
        store.write_bytes(whole[:-4096] + bytes(4096))
        done = run("serve", "--dev", "--store", store, "--listen", "127.0.0.1:0")
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"backup", done.stderr)
        self.assertEqual(store.read_bytes(), whole[:-4096] + bytes(4096))

    def run_unprivileged(self, *arguments):
        """As somebody who may not write to anything: root may, so for root it is nobody (65534)."""
        if os.geteuid() != 0:
            return run(*arguments)
        program = self.folder / "keyvigil"
        if not program.exists():  # where it was built nobody else may be allowed in
            shutil.copy2(KEYVIGIL, program)
            program.chmod(0o755)
            self.folder.chmod(0o755)
            for path in [self.folder / "service", *(self.folder / "service").rglob("*")]:
                os.chown(path, 65534, 65534)

        def become_nobody():
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)

        return subprocess.run([str(program), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=600, check=False, preexec_fn=become_nobody)

    def test_a_store_that_cannot_be_written_is_refused_and_left_alone(self):
        service = self.start()
        self.assertEqual(service.send(json_lines([record(1_780_000_000)]))[0], 200)
        service.await_decided()
        self.assertEqual(service.stop(), 0)
        store = self.folder / "service" / "store.db"
        whole = store.read_bytes()
        for what, path, mode in [("store", store, 0o400), ("folder", store.parent, 0o500)]:
            with self.subTest(what):
                before = path.stat().st_mode
                path.chmod(mode)
                done = self.run_unprivileged("serve", "--dev", "--store", store, "--listen", "127.0.0.1:0")
                path.chmod(before)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn(f"expected to write to the {what} '{path}', found it read-only; make it writable"
                              .encode(), done.stderr)
                self.assertEqual(store.read_bytes(), whole)
        # Once it can be written it goes on.
        service = self.start()
        self.assertEqual(service.metrics()["events_decided_total"] + service.metrics()["events_held"], 1)


if __name__ == "__main__":
    KEYVIGIL = sys.argv.pop(1)
    unittest.main(verbosity=2)
