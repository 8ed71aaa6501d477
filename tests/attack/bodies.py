"""Bodies that nobody should send: what is taken and what is refused add up, and nothing is decided twice."""
import gzip
import io
import json
import re
import zipfile

from rounds import BEGIN, KEPT, Broken, Round, kept_events, serve_test

MUTATED = 500_000  # numbers of records whose number may change
RULE = "/dataCollectionRules/dcr-1/streams/Custom-Vaults?api-version=2023-01-01"
ANSWERS = {200, 204, 400, 413, 415, 429, 503}
LIMITS = "  body_limit_mebibytes: 2\n  decompressed_limit_mebibytes: 16\n"
# As records of one body: what cannot be used, and does not spoil its neighbours in any framing.
UNUSABLE = (b"{}", b'{"a":1}', b'{"time":"2026-05-28T20:26:40Z"}', b'{"time":7,"category":"AuditEvent"}',
            b'{"records":{}}', b'{"time":"yesterday","category":"AuditEvent","operationName":"SecretGet"}',
            b'{"properties":' + b"[" * 60 + b"]" * 60 + b"}")
RECORDS_READ = re.compile(rb"records +(\d+) read; (\d+) refused")


class Bodies(Round):
    name = "bodies"
    what = "bodies that are mixed, mutated, nested, cut, huge, compressed (bombs) or in a wrong character set"
    holds = "documented answers; records sent = taken + refused; `detect` counts alike; nothing decided twice"

    def attack(self):
        self.number = 0
        self.taken = set()  # numbers of records in bodies that are known to be good
        self.answered = []  # acknowledged bodies
        self.records = self.refused = 0
        self.service = self.start(settings=self.settings + KEPT + LIMITS)
        makers = (self.exact, self.exact, self.exact, self.mutated, self.mutated, self.bomb, self.deep, self.huge)
        with self.watched(self.service):
            for _ in range(40):
                self.chance.choice(makers)()
            self.expect_all()

    def some_records(self, most, first=0):
        count = self.chance.randrange(1, most)
        self.number += count
        return {number: json.dumps(serve_test.record(BEGIN + number - first, number=number)).encode()
                for number in range(first + self.number - count, first + self.number)}

    # What is sent, and what must be said of it.

    def exact(self):
        """Good and unusable records in turn, in any framing: the answer counts both."""
        good = self.some_records(40)
        pieces = list(good.values())
        bad = self.chance.choice((0, 0, 1, 5, 20))
        for _ in range(bad):
            pieces.insert(self.chance.randrange(len(pieces) + 1), self.chance.choice(UNUSABLE))
        framing, body = self.framed(pieces)
        packing, packed, headers = self.packed(body)
        to_rule = framing == "array" and self.chance.random() < 0.5
        self.step(f"{len(good)} good and {bad} unusable records as {framing}, {packing}"
                  f"{', to a rule' if to_rule else ''}")
        status, found, text = self.post(packed, headers, RULE if to_rule else "/v1/logs")
        if found != (len(pieces), bad):
            raise Broken("others", f"{len(pieces)} records, {bad} of them unusable, as {framing} ({packing}) were "
                         f"answered with {status}, {found}: {text[:300]}")
        self.taken |= good.keys()
        self.count(packed, headers, found)
        if not headers and not to_rule:
            self.expect_alike(packed, found)

    def framed(self, pieces):
        framing = self.chance.choice(("lines", "array", "envelope", "mixture", "pretty lines"))
        if framing == "lines":
            return framing, b"\n".join(pieces) + b"\n"
        if framing == "array":
            return framing, b"[" + b",".join(pieces) + b"]"
        if framing == "envelope":
            return framing, b'{"records":[' + b",\n".join(pieces) + b"]}"
        if framing == "pretty lines":
            return framing, b"\r\n\r\n".join(b" \t" + piece for piece in pieces)
        parts, at = [], 0
        while at < len(pieces):
            some = pieces[at:at + self.chance.randrange(1, 8)]
            at += len(some)
            parts.append(self.chance.choice((b"\n".join(some), b"[" + b",".join(some) + b"]",
                                             b'{"records":[' + b",".join(some) + b"]}")))
        return framing, b"\n".join(parts)

    def packed(self, body):
        packing = self.chance.choice(("plain", "plain", "gzip header", "gzip", "two gzip members", "zip", "UTF-16",
                                      "BOM"))
        if packing == "gzip header":
            return packing, gzip.compress(body, mtime=0), {"Content-Encoding": "gzip"}
        if packing == "gzip":
            return packing, gzip.compress(body, mtime=0), {}
        if packing == "two gzip members":
            cut = self.chance.randrange(len(body))
            return packing, gzip.compress(body[:cut], mtime=0) + gzip.compress(body[cut:], mtime=0), {}
        if packing == "zip":
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
                file.writestr(zipfile.ZipInfo("PT1H.json"), body)
            return packing, archive.getvalue(), {}
        if packing == "UTF-16":
            return packing, body.decode().encode("utf-16"), {}
        return packing, (b"\xef\xbb\xbf" if packing == "BOM" else b"") + body, {}

    def mutated(self):
        """Whatever is made of it: a documented answer, and sums that hold."""
        _, body = self.framed(list(self.some_records(30, MUTATED).values()))
        _, body, headers = self.packed(body)
        body = bytearray(body)
        done = []
        for _ in range(self.chance.randrange(1, 8)):
            at = self.chance.randrange(len(body))
            length = min(self.chance.choice((1, 3, 40, 2000)), len(body) - at)
            change = self.chance.choice(("flip", "cut out", "repeat", "garbage", "end", "NUL", "brackets"))
            done.append(f"{change} {length} at {at}")
            if change == "flip":
                body[at] ^= 1 << self.chance.randrange(8)
            elif change == "cut out":
                del body[at:at + length]
            elif change == "repeat":
                body[at:at] = body[at:at + length]
            elif change == "garbage":
                body[at:at + length] = self.chance.randbytes(length)
            elif change == "end":
                del body[max(1, at):]
            elif change == "NUL":
                body[at:at + length] = bytes(length)
            else:
                body[at:at] = self.chance.choice((b"[", b"]", b"{", b"}", b'"', b",", b"\n")) * length
            body = body or bytearray(b" ")
        self.step(f"mutated: {', '.join(done)}")
        self.post_any(bytes(body), headers)

    def bomb(self):
        mebibytes = self.chance.choice((17, 64, 256))
        filling = self.chance.choice((b" ", b"[", b"\n", b'{"a":1}\n', b"\0"))
        nested = self.chance.random() < 0.3
        self.step(f"a bomb of {mebibytes} MiB of {filling!r}{', twice compressed' if nested else ''}")
        pressed = gzip.compress(filling * ((mebibytes << 20) // len(filling)), 6, mtime=0)
        self.post_any(gzip.compress(pressed, 1, mtime=0) if nested else pressed,
                      self.chance.choice(({}, {"Content-Encoding": "gzip"}, {"Content-Encoding": "gzip, gzip"})))

    def deep(self):
        levels = self.chance.choice((65, 1000, 100_000, 900_000))
        opening, closing = self.chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'{"records":[', b"]}")))
        levels //= len(opening)
        closed = self.chance.random() < 0.5
        self.step(f"{levels} levels of {opening!r}{', closed' if closed else ''}")
        self.post_any(opening * levels + b"1" + closing * (levels if closed else 0), {})

    def huge(self):
        length = self.chance.choice((100_000, 1_500_000, 3_000_000))
        where = self.chance.choice(("member", "key", "number", "line", "empty arrays"))
        self.step(f"huge {where} of {length}")
        record = serve_test.record(BEGIN + self.number, number=self.number)
        self.number += 1
        if where == "member":
            body = json.dumps(record | {"padding": "x" * length}).encode()
        elif where == "key":
            body = json.dumps(record | {"x" * length: 1}).encode()
        elif where == "number":
            body = json.dumps(record)[:-1].encode() + b',"n":' + b"9" * length + b"}"
        elif where == "line":
            body = b"x" * length
        else:
            body = b"[" + b"[]," * (length // 3) + b"[]]"
        self.post_any(body, {})

    # What must hold.

    def post(self, body, headers, path="/v1/logs"):
        """Status, (records, refused) where it was taken, text."""
        status, given, text = self.service.ask("POST", path, body, headers)
        if status not in ANSWERS:
            raise Broken("others", f"answered with {status}, which is not documented: {text[:300]}")
        if status == 204:
            sent = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else self.text_of(body))
            return status, (len(sent), int(given.get("x-keyvigil-refused", 0))), text
        if status != 200:
            return status, None, text
        answer = json.loads(text)
        if sum(answer.get("refusedByCause", {}).values()) != answer["refused"]:
            raise Broken("others", f"causes do not add up to what was refused: {answer}")
        return status, (answer["records"], answer["refused"]), text

    @staticmethod
    def text_of(body):
        if body[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                return archive.read("PT1H.json")
        return body.decode("utf-16") if body[:2] == b"\xff\xfe" else body.decode("utf-8-sig")

    def post_any(self, body, headers):
        _, found, _ = self.post(body, headers)
        if found is not None:
            self.count(body, headers, found)

    def count(self, body, headers, found):
        self.answered.append((body, headers))
        self.records += found[0]
        self.refused += found[1]
        self.counts["acknowledged"] += found[0] - found[1]

    def expect_alike(self, body, found):
        """`detect` counts the same body alike."""
        (self.folder / "body").write_bytes(body)
        done = serve_test.run("detect", self.folder / "body", "--max-refused", "100", "--allow-empty", "--format",
                              "jsonl")
        read = RECORDS_READ.search(done.stderr)
        if done.returncode != 0 or read is None or tuple(map(int, read.groups())) != found:
            raise Broken("crashes" if done.returncode < 0 else "others", f"serve counts (records, refused) {found}, "
                         f"`detect` ended with {done.returncode}: {done.stderr[-600:]}")

    def expect_all(self):
        figures = self.service.await_decided()
        self.expect_accounted(figures)
        self.expect_decided_once(self.service, self.taken)
        # The same bodies again: nothing of them is new.
        before = kept_events(self.service.await_decided())
        self.step("all acknowledged bodies again")
        for body, headers in self.answered:
            self.post(body, headers)
        after = kept_events(self.service.await_decided())
        if after != before:
            raise Broken("doubled", f"{before} events were decided or held, {after} after the same bodies came again",
                         max(1, after - before))

    def expect_accounted(self, figures):
        """What was said in the answers is what became of the records."""
        def total(prefix):
            return int(sum(value for name, value in figures.items() if name.startswith(prefix)))
        said = (self.records, self.refused)
        counted = (total("records_total"), total("records_refused_total"))
        if counted != said:
            raise Broken("others", f"answers said (records, refused) {said}, the figures say {counted}")
        used = (kept_events(figures) + total("duplicates_total") + total("too_old_total")
                + total("records_skipped_total"))
        if used != self.records - self.refused:
            raise Broken("lost" if used < self.records - self.refused else "doubled",
                         f"{self.records - self.refused} records were taken, {used} are accounted for: {figures}",
                         abs(self.records - self.refused - used))
