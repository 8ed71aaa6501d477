"""Servers of threat lists that answer as no server should: the good list is read all the same, and the others told."""
import gzip
import http.server
import json
import random
import socket
import threading
import time

from rounds import BEGIN, KEPT, Broken, Round, serve_test

ENTRIES = 100
HOSTILE_AT_ONCE = 6
STOPS_WITHIN_SECONDS = 30
LEVELS = 100_000
TAXII = b'{"type":"indicator","pattern":"[ipv4-addr:value = \'198.51.100.7\']","pattern_type":"stix"}'


class ListServer:
    """Answers a path as the behaviour of this name says."""

    def __init__(self, seed):
        self.seed = seed
        self.closing = threading.Event()
        self.asked = []
        self.good = b""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # who asked has gone away, as it should

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, request):
        name = request.path.partition("?")[0].strip("/").partition(".")[0]
        self.asked.append(name)
        if name == "good":
            self.reply(request, self.good)
        elif name in BEHAVIOURS:
            # The same answer each time, whoever is asked first.
            BEHAVIOURS[name](self, request, random.Random(f"{name} {self.seed}"))
        else:
            self.reply(request, b"203.0.113.9\n")

    @staticmethod
    def reply(request, body, status=200, headers=(), length=None):
        request.send_response(status)
        for name, value in headers:
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body) if length is None else length))
        request.end_headers()
        request.wfile.write(body)

    # What servers do.

    def hang(self, request, _):
        self.closing.wait(600)

    def drip(self, request, _):
        request.send_response(200)
        request.end_headers()
        while not self.closing.wait(0.2):
            request.wfile.write(b"2")

    def endless(self, request, _):
        request.send_response(200)
        request.end_headers()
        while not self.closing.is_set():
            request.wfile.write(b"203.0.113.7\n" * 10_000)

    def deep(self, request, _):
        self.reply(request, b'{"objects":[{"type":"indicator","x":' + b"[" * LEVELS + b"]" * LEVELS + b"}]}")

    def pages(self, request, _):
        """There are always more."""
        self.reply(request, b'{"more":true,"next":"%d","objects":[%s]}' % (len(self.asked), TAXII))

    def arrays(self, request, _):
        self.reply(request, b'{"objects":[' + b"[]," * (8 << 20) + b"[]]}")

    def redirect(self, request, chance):
        place = chance.choice(("/canary", "file:///etc/passwd", "gopher://127.0.0.1:1/", "/redirect"))
        self.reply(request, b"", chance.choice((301, 302, 307)), [("Location", place)])

    def garbage(self, request, chance):
        self.reply(request, chance.randbytes(5000))

    def page(self, request, _):
        self.reply(request, b"<!DOCTYPE html><html><body>Sign in at 203.0.113.66</body></html>",
                   headers=[("Content-Type", "text/html")])

    def short(self, request, _):
        self.reply(request, b"203.0.113.7\n", length=5000)

    def chunks(self, request, _):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n203.0.113.7\n\r\n")

    def bomb(self, request, _):
        self.reply(request, gzip.compress(b"203.0.113.7\n" * (30 << 20), 1, mtime=0),
                   headers=[("Content-Encoding", "gzip")])

    def everybody(self, request, _):
        self.reply(request, b"0.0.0.0/0\n::/0\n")

    def status(self, request, chance):
        self.reply(request, b"203.0.113.7\n", chance.choice((204, 304, 401, 404, 429, 500, 503)),
                   [("Retry-After", "999999999")])

    def head(self, request, _):
        request.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1_000_000 + b"\r\n203.0.113.7\n")

    def nothing(self, request, _):
        request.connection.shutdown(socket.SHUT_RDWR)

    def cut_json(self, request, _):
        self.reply(request, b'{"objects":[' + TAXII + b",")


# By the path that a list is asked for at; with those whose failure needs more time than a round has.
BEHAVIOURS = {name: getattr(ListServer, name) for name in (
    "hang", "drip", "endless", "deep", "pages", "arrays", "redirect", "garbage", "page", "short", "chunks", "bomb",
    "everybody", "status", "head", "nothing", "cut_json")}
SLOW = {"hang", "drip", "pages", "endless"}
NO_INDICATORS = {"arrays"}  # a collection without one is no failure
OBJECTS = {"deep", "pages", "arrays", "cut_json"}  # asked for as a TAXII collection


class Feeds(Round):
    name = "feeds"
    what = "lists by URL that hang, drip, never end, are deep, empty, cut, redirected, garbage, bombs, or shrink"
    holds = "the good list is in force and raises its alert; the others are told and decide nothing; it ends in time"

    def attack(self):
        self.server = ListServer(self.seed)
        self.addCleanup(self.server.close)
        entries = [f"203.0.113.{number}" for number in range(ENTRIES)]
        self.server.good = "\n".join(entries).encode()
        hostile = self.chance.sample(sorted(BEHAVIOURS), HOSTILE_AT_ONCE)
        for name in hostile:
            self.step(f"a list that answers by {name}")
        service = self.start(settings=self.with_feeds(hostile))
        with self.watched(service):
            self.await_that("the good list", lambda: "confirmedUtc" in self.lists(service).get("good", {}))
            self.expect_told(service, hostile)
            self.raise_alert(service, 0)
            self.shrink(service, hostile)
            self.raise_alert(service, 1)
        if "canary" in self.server.asked:
            raise Broken("others", "a redirection was followed")
        begin = time.monotonic()
        self.stop(service)
        if time.monotonic() - begin > STOPS_WITHIN_SECONDS:
            raise Broken("hangs", f"it took {time.monotonic() - begin:.0f} s to end")

    def with_feeds(self, hostile, more=""):
        def feed(name, more=""):
            return f"    - {{url: '{self.server.url}/{name}', role: tor{more}}}\n"
        return ("lists:\n  feeds:\n" + "".join(feed(name, ", taxii: true" if name in OBJECTS else "")
                                               for name in hostile) + feed("good", more) + KEPT)

    def lists(self, service):
        found, _, text = service.ask("GET", "/v1/sources")
        if found != 200:
            return {}
        return {one["name"].removeprefix(f"{self.server.url}/"): one for one in json.loads(text)["lists"]}

    def expect_told(self, service, hostile):
        fast = [name for name in hostile if name not in SLOW | NO_INDICATORS]
        self.await_that("the failures", lambda: [name for name in fast if not self.failed(service, name)],
                        lambda silent: not silent)
        confirmed = [name for name in hostile
                     if name not in NO_INDICATORS and "confirmedUtc" in self.lists(service)[name]]
        if confirmed:
            raise Broken("others", f"the answers of {confirmed} are in force")

    def failed(self, service, name):
        return self.lists(service).get(name, {}).get("failure")

    def raise_alert(self, service, number):
        """Somebody of the good list reads a secret."""
        records = [serve_test.record(BEGIN + number * 5 * 86400, serve_test.TOR_ADDRESS, number=number)]
        begin = BEGIN + number * 5 * 86400
        self.send(service, records + serve_test.days_later(begin, 1))
        service.await_decided()
        found = self.await_that("the alert by the good list", service.alerts, lambda found: len(found) >= number + 1)
        if len(found) != number + 1:
            raise Broken("doubled", f"{len(found)} alerts, expected {number + 1}", len(found) - number - 1)

    def shrink(self, service, hostile):
        """The good one is suddenly nearly empty, and is asked for at once since its settings change."""
        self.step("the good list shrinks")
        self.server.good = self.chance.choice((b"# none\n", b"203.0.113.1\n", b""))
        before = service.metrics()['configuration_reloads_total{outcome="done"}']
        (service.folder / "keyvigil.yaml").write_text(self.with_feeds(hostile, ", stale_hours: 47"))
        service.process.send_signal(serve_test.signal.SIGHUP)
        self.await_that("the reload", lambda: service.metrics()['configuration_reloads_total{outcome="done"}'] > before)
        self.await_that("what is held back is told", lambda: self.failed(service, "good"))
