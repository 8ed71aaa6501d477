"""Files of the store come to harm, while it is open or not: what is gone is told, or nothing is gone."""
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import typing

from rounds import BEGIN, KEPT, Broken, Round, kept_events, serve_test

HEADER_BYTES, FRAME_HEADER_BYTES = 32, 24
PAGE_SIZE_AT = 8
SENTENCE = ("expected", "damaged", "malformed", "not a database")


class Harm(typing.NamedTuple):
    path: pathlib.Path
    may_be_gone: bool  # what the last commits held, without a word
    may_end_it: bool  # the process that has it open


class Damage(Round):
    name = "damage"
    what = "each file of the store, the write-ahead log included: bits turned, cut, removed, replaced, pages zeroed"
    holds = "opened with all that was acknowledged, or refused or told in a sentence; no crash"

    def attack(self):
        self.settings += KEPT + "lateness_minutes: 0\n"
        service = self.start(settings=self.settings)
        for number in range(self.chance.randrange(5, 25)):
            self.send_some(service, number)
        service.await_decided()
        if self.chance.random() < 0.4:
            self.damaged_while_open(service)
        else:
            self.damaged_while_shut(service)

    def send_some(self, service, number):
        records = [serve_test.record(BEGIN + 60 * number + i, vault=f"kv-contoso-{i % 2}", number=20 * number + i,
                                     address=serve_test.TOR_ADDRESS if i == 7 else serve_test.OFFICE_ADDRESS)
                   for i in range(20)]
        return self.send(service, records)[0]

    # While nobody has it open: the same store again and again, with another damage each time.

    def damaged_while_shut(self, service):
        if self.chance.random() < 0.7:
            self.step("kill it, so that a log is left")
            self.kill(service)
        else:
            self.step("stop it")
            self.stop(service)
        whole = self.folder / "whole"
        shutil.copytree(service.folder, whole)
        before = self.state(self.restart(service, self.settings))
        for _ in range(12):
            if self.services[-1].process.poll() is None:
                self.services[-1].kill()
                self.services[-1].killed = True
            shutil.rmtree(service.folder)
            shutil.copytree(whole, service.folder)
            self.expect_told_or_whole(service.folder, self.harm(service.folder), before)

    def state(self, service):
        """How many records are known, and the alerts."""
        figures = service.await_decided()
        return kept_events(figures), service.alerts()

    def harm(self, folder):
        """One file is damaged."""
        files = sorted(path for path in folder.iterdir() if path.name.startswith("store.db") and path.is_file())
        path = self.chance.choice(files)
        size = path.stat().st_size
        change = self.chance.choice(("turn a bit", "turn a bit", "garbage", "cut", "remove", "empty", "zero pages",
                                     "replace", "folder"))
        # Sizes may differ between two runs of one seed: what is drawn does not depend on them.
        part, length, bit, pages = (self.chance.random(), self.chance.choice((1, 100, 4096, 65536)),
                                    self.chance.randrange(8), self.chance.randrange(1, 5))
        garbage = random.Random(self.chance.random()).randbytes(length)
        at = int(part * size)
        self.step(f"{change} in {path.name}, at {part:.4f} of it, {length} bytes")
        self.count_harm()
        in_place = change in ("turn a bit", "garbage", "zero pages")
        may_be_gone = path.name == "store.db-wal" and (not in_place or at >= last_commit_at(path))
        if change == "turn a bit" and size:
            overwrite(path, at, bytes([path.read_bytes()[at] ^ 1 << bit]))
        elif change == "garbage":
            overwrite(path, at, garbage[:size - at])
        elif change == "zero pages":
            overwrite(path, at - at % 4096, bytes(min(4096 * pages, size - at + at % 4096)))
        elif change in ("cut", "empty"):
            os.truncate(path, at if change == "cut" else 0)
        elif change in ("remove", "replace", "folder"):
            path.unlink()
            if change == "folder":
                path.mkdir()
            elif change == "replace":
                path.write_bytes(garbage)
        return Harm(path, may_be_gone, path.name.endswith("-shm") and change in ("cut", "empty"))

    def expect_told_or_whole(self, folder, harm, before):
        path = harm.path
        already_said = (folder / "log.jsonl").stat().st_size
        service = serve_test.Service(folder, self.settings)
        self.services.append(service)
        if service.port is None:
            self.expect_refusal(service, f"{path.name} was damaged", SENTENCE)
            return
        records, alerts = self.state(service)
        problems = self.ask(service, "/v1/overview")["service"]["problems"]
        told = bool(problems) or warned(service.log_lines(already_said))
        gone = before[0] - records
        if gone < 0:
            raise Broken("doubled", f"{records} records are known after the damage, {before[0]} before it", -gone)
        if harm.may_be_gone or told:
            return
        if gone or alerts != before[1]:
            raise Broken("lost", f"{path.name} was damaged: {gone} of {before[0]} records and "
                         f"{len(before[1].keys() - alerts.keys())} of {len(before[1])} alerts are gone, and nothing "
                         f"says so", max(gone, 1))
        if self.send_some(service, 5000) not in (200, 503):
            raise Broken("others", f"{path.name} was damaged: good records are not taken")

    # While it is open.

    def damaged_while_open(self, service):
        harm = self.harm(service.folder)
        try:
            with self.watched(service):
                for number in range(100, 110):
                    self.send_some(service, number)
            self.stop(service, codes=(0, 3))
            told = service.process.returncode == 3 or warned(service.log_lines())
        except (OSError, http.client.HTTPException, Broken):
            # SQLite maps the file: who shortens it ends the process, as a kill would.
            if not harm.may_end_it or service.process.wait(10) != -signal.SIGBUS:
                raise
            self.skip("a -shm file that is shortened while it is mapped ends the service by SIGBUS, as SQLite works: "
                      "only what is left after it is looked at")
            service.killed, told = True, False
        acknowledged = self.counts["acknowledged"]
        service = serve_test.Service(service.folder, self.settings)
        self.services.append(service)
        if service.port is None:
            self.expect_refusal(service, f"{harm.path.name} was damaged", SENTENCE)
            return
        records, _ = self.state(service)
        if records < acknowledged and not told:
            raise Broken("lost", f"{harm.path.name} was damaged while it was open: {records} of {acknowledged} "
                         f"acknowledged records are left, and nothing says so", acknowledged - records)


def warned(lines):
    return any(json.loads(line)["level"] in ("warning", "error") for line in lines if line.startswith("{"))


def overwrite(path, at, what):
    with path.open("r+b") as file:
        file.seek(max(0, at))
        file.write(what)


def last_commit_at(log):
    """Where the frames of the last commit in a write-ahead log of SQLite begin: what is damaged there cannot be told
    from a crash."""
    content = log.read_bytes()
    if len(content) < HEADER_BYTES:
        return 0
    page_size, = struct.unpack_from(">I", content, PAGE_SIZE_AT)
    commits, at = [HEADER_BYTES], HEADER_BYTES
    while page_size and at + FRAME_HEADER_BYTES + page_size <= len(content):
        salted = content[at + 8:at + 16] == content[16:24]
        ends_a_commit = struct.unpack_from(">I", content, at + 4)[0] != 0
        at += FRAME_HEADER_BYTES + page_size
        if not salted:
            break
        if ends_a_commit:
            commits.append(at)
    return commits[-2] if len(commits) > 1 else HEADER_BYTES
