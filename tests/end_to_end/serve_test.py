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
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

KEYVIGIL = ""  # set from the command line, below

TOR_ADDRESS = "203.0.113.66"
OFFICE_ADDRESS = "192.0.2.10"
SUBSCRIPTION = "cccccccc-0000-4000-8000-000000000003"
ALERTS = "/subscriptions/{}/providers/Microsoft.Security/alerts?api-version=2022-01-01"
STARTED_WITHIN_SECONDS = 120
DECIDED_WITHIN_SECONDS = 300


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


def days_later(last_time, days):
    """Two vaults and an hour: what was before is decided, and alerts of days before are closed."""
    begin = last_time + days * 86400
    return [record(begin + 3600 * hour, vault=vault, number=900000 + 10 * hour + place)
            for hour in range(2) for place, vault in enumerate(["kv-contoso-a", "kv-contoso-b"])]


class Service:
    """The program, running."""

    def __init__(self, folder, settings="", arguments=(), environment=None, limits=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        config = self.folder / "keyvigil.yaml"
        config.write_text(settings)
        self.log_path = self.folder / "log.jsonl"
        self.log = self.log_path.open("ab")
        begin = self.log_path.stat().st_size
        self.process = subprocess.Popen(
            [KEYVIGIL, "serve", "--dev", "--config", str(config), "--store", str(self.folder / "store.db"),
             "--listen", "127.0.0.1:0", *arguments],
            stdout=subprocess.DEVNULL, stderr=self.log, env={**os.environ, **(environment or {})}, preexec_fn=limits)
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
        last = max(times)[:19]
        end = calendar.timegm(time.strptime(last, "%Y-%m-%dT%H:%M:%S"))
        lines += json_lines(days_later(end, 5)).splitlines(keepends=True)
        # The one that most records are of, so that there are alerts in it.
        named = re.compile(rb"/SUBSCRIPTIONS/([0-9A-F-]{36})/", re.IGNORECASE)
        found = collections.Counter(match.group(1).lower() for match in map(named.search, lines) if match)
        subscription = found.most_common(1)[0][0].decode()
        settings = "lists:\n  tor: [../tor.txt]\n  suspicious: [../suspicious.txt]\n"
        return lines, settings, subscription

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

        for send in (to_logs, to_logs_compressed, to_rule):
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

    def test_a_folder_of_blobs_gives_the_alerts_of_detect(self):
        """One blob a vault and hour, half of each there when the service starts, the rest appended while it runs."""
        lines, settings, _ = self.simulated(6000)
        expected = self.detected(lines, settings)
        subscriptions = {alert["id"].split("/")[2] for alert in expected.values()}
        self.assertGreater(len(expected), 20)
        blobs = collections.defaultdict(list)
        place = re.compile(rb'"time":\s*"(\d+)-(\d+)-(\d+)T(\d+).*"resourceId":\s*"([^"]+)"|'
                           rb'"resourceId":\s*"([^"]+)".*"time":\s*"(\d+)-(\d+)-(\d+)T(\d+)')
        for line in lines:
            found = place.search(line)
            year, month, day, hour = (part.decode() for part in (found.groups()[:4] if found.group(5)
                                                                 else found.groups()[6:]))
            vault = (found.group(5) or found.group(6)).decode().upper().strip("/")
            blobs[f"resourceId=/{vault}/y={year}/m={month}/d={day}/h={hour}/m=00/PT1H.json"].append(line)
        root = self.folder / "blobs"
        for name, held in blobs.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(b"".join(held))
        service = self.start("folder", settings + f"serve:\n  inputs:\n    - folder: {root}\n      from: 2000-01-01\n"
                                                   "      poll_seconds: 1\n")
        deadline = time.monotonic() + DECIDED_WITHIN_SECONDS
        decided = 0
        while time.monotonic() < deadline and decided < len(lines) - 10:
            figures = service.await_decided()
            decided = figures["events_decided_total"] + figures["events_held"] + figures["duplicates_total"]
            time.sleep(0.2)
        self.assertEqual(figures["late_total"], 0)
        self.assertEqual(service.stop(), 0, service.log_lines()[-3:])
        service = self.start("folder", settings)
        found = {}
        for subscription in subscriptions:
            found.update(service.alerts(subscription))
        self.assertEqual(found.keys(), expected.keys())
        for name, alert in found.items():
            self.assertEqual(alert["properties"]["extendedProperties"],
                             expected[name]["properties"]["extendedProperties"])

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

    def final_state(self, service, subscription):
        figures = service.await_decided()
        self.assertEqual(service.stop(), 0, service.log_lines()[-3:])
        service = self.start(service.folder.name, None if self.crash_settings is None else self.crash_settings)
        return figures, service.alerts(subscription)

    def test_fifty_kills_lose_nothing_and_count_nothing_twice(self):
        rounds = int(os.environ.get("KEYVIGIL_CRASH_ROUNDS", 6 if is_sanitized() else 50))
        seed = int(os.environ.get("KEYVIGIL_SEED", random.randrange(1 << 32)))
        print(f"\ncrash test: {rounds} rounds, KEYVIGIL_SEED={seed}", flush=True)
        chance = random.Random(seed)
        lines, settings, subscription = self.simulated(2400 * rounds)
        self.crash_settings = settings + "serve:\n  checkpoint_seconds: 1\n"
        chunks = [gzip.compress(b"".join(lines[at:at + self.CHUNK]), 1) for at in range(0, len(lines), self.CHUNK)]

        quiet = self.start("undisturbed", self.crash_settings)
        self.assertEqual(self.send_all(quiet, chunks, 0), len(chunks))
        expected_figures, expected = self.final_state(quiet, subscription)
        self.assertEqual(expected_figures["events_decided_total"] + expected_figures["events_held"] +
                         expected_figures["duplicates_total"], len(lines))

        mark_path = self.folder / "mark"
        mark_path.write_bytes(b"--")
        with mark_path.open("r+b") as file:
            mark = mmap.mmap(file.fileno(), 2)
        at = killed = in_journal = in_checkpoint = 0
        while at < len(chunks):
            # Half of the kills come at a random time, the others inside a commit, of the journal and of a checkpoint.
            aim = "" if killed >= rounds else [f"J{chance.randint(1, 4)}", "", "C1", ""][killed % 4]
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
            mark[0:2] = b"--"
        if service.process.poll() is not None:  # the last kill came after the last record
            service = self.start("crashing", self.crash_settings)
        print(f"crash test: {killed} kills, {in_journal} in a commit of the journal, {in_checkpoint} in a checkpoint, "
              f"{len(lines)} records", flush=True)
        self.assertEqual(at, len(chunks))
        self.assertEqual(killed, rounds)
        self.assertGreaterEqual(in_journal + in_checkpoint, rounds * 2 // 5)
        figures, found = self.final_state(service, subscription)
        for name in ("events_decided_total", "events_held", "late_total"):
            self.assertEqual(figures[name], expected_figures[name], name)
        self.assertEqual(found.keys(), expected.keys())
        self.assertEqual(found, expected)

    @staticmethod
    def kill_soon(service, seconds):
        """After so many seconds at the latest: it may kill itself before."""
        try:
            service.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            service.process.kill()

    def test_a_full_disk_refuses_input_and_loses_nothing(self):
        lines, settings, subscription = self.simulated(8000)
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

    def test_a_store_that_cannot_be_written_is_refused(self):
        if os.geteuid() == 0:
            self.skipTest("root writes to anything")
        service = self.start()
        self.assertEqual(service.stop(), 0)
        store = self.folder / "service" / "store.db"
        store.chmod(0o400)
        done = run("serve", "--dev", "--store", store, "--listen", "127.0.0.1:0")
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"store", done.stderr)


if __name__ == "__main__":
    KEYVIGIL = sys.argv.pop(1)
    unittest.main(verbosity=2)
