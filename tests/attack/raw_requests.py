"""Bytes on the port that no client would send: nobody is let in by them, and nobody else has to wait."""
import re
import socket
import time

from rounds import BEGIN, HEALTH_WITHIN_SECONDS, KEPT, Broken, Round, json_lines, serve_test

# As SECURITY.md and the description of the API say them.
ANSWERS = {200, 204, 400, 401, 403, 404, 405, 408, 413, 414, 415, 429, 431, 501, 503, 505}
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
MOST_OPEN = 200
READ_SECONDS = 2.0
SMUGGLED = 500_000  # numbers of records that stand behind a request whose length is in doubt

LENGTHS_IN_DOUBT = (
    "Content-Length: {n}\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: {n}",
    "Content-Length: {n}\r\nContent-Length: 0", "Content-Length: 0, {n}", "Content-Length: +{n}",
    "Content-Length: -1", "Content-Length: 0x{n:x}", "Content-Length: {n}\r\n folded", "Content-Length : {n}",
    "Transfer-Encoding: xchunked\r\nContent-Length: {n}", "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: identity\r\nContent-Length: {n}", "Transfer-Encoding:\tchunked\r\nContent-Length: {n}",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip", "Content-Length: 99999999999999999999",
    "X: y\r\nTransfer-Encoding\r\n: chunked\r\nContent-Length: {n}",
    "X: y\x00\r\nContent-Length: {n}\r\nContent-Length: 0")
HEADS = (
    b"GET / HTTP/0.9\r\n\r\n", b"GET /healthz\r\n", b"GET /healthz HTTP/1.2\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /healthz HTTP/1.1\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /v1/%c0%ae%c0%ae/x HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /v1/..%2f..%2fx HTTP/1.1\r\nHost: h\r\n\r\n",
    b"TRACE /v1/alerts HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\r\n" * 1000, b"\x16\x03\x01\x02\x00\x01\x00",
    b"\0" * 4096,
    b"GET /v1/alerts?after=%ff&limit=-1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n")
CHUNKS = (
    b"zz\r\n", b"-5\r\nabcde\r\n0\r\n\r\n", b"ffffffffffffffff\r\na\r\n", b"5\r\nabc\r\n0\r\n\r\n", b"5\nabcde\n0\n\n",
    b"5;x=" + b"y" * 70000 + b"\r\nabcde\r\n0\r\n\r\n", b"1\r\na\r\n" * 20000 + b"0\r\n\r\n", b"5\r\nabcdeXX0\r\n\r\n",
    b"0\r\n" + b"X: y\r\n" * 5000 + b"\r\n", b"00000000000000000000000005\r\nabcde\r\n0\r\n\r\n")


class RawRequests(Round):
    name = "raw"
    what = "lengths in doubt, half and slow requests, large heads, wrong chunks, pipelining, early close, no TLS"
    holds = "no crash; nothing smuggled is taken; documented answers; an honest request is answered within 5 s"

    def attack(self):
        self.service = self.start(settings=self.settings + KEPT)
        self.head = f"Host: localhost\r\nAuthorization: Bearer {self.service.token}\r\n".encode()
        self.open = []
        self.addCleanup(self.close_all)
        self.sent = set()
        makers = (self.in_doubt, self.in_doubt, self.odd_head, self.large_head, self.wrong_chunks, self.pipelined,
                  self.half, self.slow, self.many, self.plain, self.early_close)
        with self.watched(self.service):
            for number in range(60):
                self.chance.choice(makers)(number)
                self.honest(number)
            found = self.expect_decided_once(self.service, self.sent)
        smuggled = sorted(found.keys() - self.sent)
        if smuggled:
            raise Broken("others", f"requests were smuggled in: the records {smuggled} were taken")
        self.close_all()
        self.stop(self.service)

    def honest(self, number):
        begin = time.monotonic()
        status, text = self.send(self.service, [serve_test.record(BEGIN + number, number=number)])
        waited = time.monotonic() - begin
        if status != 200:
            raise Broken("others", f"an honest request was answered with {status}: {text[:300]}")
        if waited > HEALTH_WITHIN_SECONDS:
            raise Broken("hangs", f"an honest request waited for {waited:.1f} s")
        self.sent.add(number)

    # Connections.

    def connect(self, tls=True):
        stream = socket.create_connection(("127.0.0.1", self.service.port), timeout=10)
        if tls:
            stream = self.service.context.wrap_socket(stream, server_hostname="127.0.0.1")
        self.open.append(stream)
        while len(self.open) > MOST_OPEN:
            self.open.pop(0).close()
        return stream

    def close_all(self):
        while self.open:
            self.open.pop().close()

    def close(self, stream):
        self.open.remove(stream)
        stream.close()

    def answers(self, request):
        """The statuses of what comes back for these bytes, until it is closed or nothing comes."""
        stream = self.connect()
        received = b""
        try:
            stream.sendall(request)
            deadline = time.monotonic() + READ_SECONDS
            while time.monotonic() < deadline:
                stream.settimeout(READ_SECONDS / 4)
                piece = stream.recv(65536)
                if not piece:
                    break
                received += piece
        except (OSError, ValueError):
            pass  # closed, or answered before all was sent, or no more comes
        self.close(stream)
        found = [int(status) for status in STATUS.findall(received)]
        strange = set(found) - ANSWERS
        if strange:
            raise Broken("others", f"undocumented answers {strange} to {request[:300]!r}")
        return found

    # What a stranger does.

    def in_doubt(self, number):
        """A request of doubtful length, and behind it a whole good one: only one end may be seen."""
        smuggled = json_lines([serve_test.record(BEGIN + number, number=SMUGGLED + number)])
        inner = (b"POST /v1/logs HTTP/1.1\r\n" + self.head + b"Content-Length: %d\r\n\r\n" % len(smuggled) + smuggled)
        behind = self.chance.choice((b"", b"0\r\n\r\n", b"1\r\nx\r\n0\r\n\r\n", b"\n")) + inner
        lengths = self.chance.choice(LENGTHS_IN_DOUBT)
        self.step(f"a length in doubt: {lengths!r}, then {behind[:8]!r} and a good request")
        found = self.answers(b"POST /v1/logs HTTP/1.1\r\n" + self.head
                             + lengths.format(n=len(behind)).encode("latin-1") + b"\r\n\r\n" + behind)
        if any(status < 400 for status in found):
            raise Broken("others", f"a length in doubt, {lengths!r}, was answered with {found}")

    def odd_head(self, _):
        head = self.chance.choice(HEADS)
        self.step(f"odd head {head[:60]!r}")
        self.answers(head)

    def large_head(self, _):
        fields, length = self.chance.choice(((1, 40_000), (200, 10), (5000, 100), (1, 5_000_000), (90, 300)))
        self.step(f"{fields} fields of {length}")
        found = self.answers(b"GET /healthz HTTP/1.1\r\n" + self.head + (b"x: " + b"y" * length + b"\r\n") * fields
                             + b"\r\n")
        if any(status < 400 for status in found) and fields * length > 32768:
            raise Broken("others", f"{fields} header fields of {length} were answered with {found}")

    def wrong_chunks(self, _):
        chunks = self.chance.choice(CHUNKS)
        self.step(f"chunks {chunks[:40]!r}")
        found = self.answers(b"POST /v1/logs HTTP/1.1\r\n" + self.head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        if any(status < 400 for status in found):
            raise Broken("others", f"chunks {chunks[:60]!r} were answered with {found}")

    def pipelined(self, _):
        count = self.chance.choice((2, 10, 200))
        self.step(f"{count} requests at once")
        found = self.answers((b"GET /healthz HTTP/1.1\r\n" + self.head + b"\r\n") * count)
        if found != [200] * count:
            raise Broken("others", f"{count} requests at once had {len(found)} answers: {found[-3:]}")

    def half(self, _):
        whole = b"POST /v1/logs HTTP/1.1\r\n" + self.head + b"Content-Length: 100000\r\n\r\n" + b"x" * 1000
        cut = self.chance.randrange(1, len(whole))
        self.step(f"{cut} bytes of a request, and silence")
        self.send_some(self.connect(), whole[:cut])

    def slow(self, _):
        """A byte more for each connection that is open, now and then."""
        self.step("a byte for each open connection")
        for stream in list(self.open):
            self.send_some(stream, b"a")

    def many(self, _):
        count = self.chance.choice((10, 50))
        tls = self.chance.random() < 0.5
        self.step(f"{count} idle connections{'' if tls else ' without a handshake'}")
        for _ in range(count):
            self.connect(tls)

    def plain(self, _):
        garbage = self.chance.choice((b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", self.chance.randbytes(500),
                                      b"\x16\x03\x01" + self.chance.randbytes(300), b"\x80" * 20000))
        self.step(f"without TLS: {garbage[:20]!r}")
        self.send_some(self.connect(tls=False), garbage)

    def early_close(self, _):
        count = self.chance.randrange(1, 10)
        self.step(f"{count} requests that wait for no answer")
        for _ in range(count):
            stream = self.connect()
            self.send_some(stream, b"GET /v1/alerts?limit=1000 HTTP/1.1\r\n" + self.head + b"\r\n")
            self.close(stream)

    @staticmethod
    def send_some(stream, some):
        try:
            stream.settimeout(1)
            stream.sendall(some)
        except OSError:
            pass  # the service has closed it, which it may
