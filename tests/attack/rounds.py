"""What every kind of attack is made of: a round with its seed, its steps, its counts and its laws.

A kind is a class that derives from Round and gives itself a name: that puts it into KINDS. It does all that is random
with `self.chance`, so that the same seed gives the same steps; only times differ. What breaks a law raises Broken.
"""
import collections
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import sys
import threading
import time
import traceback
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "end_to_end"))
import serve_test  # noqa: E402
from serve_test import ServeCase, days_later, json_lines  # noqa: E402

# Of a table's row. "harms": kills, or damages that were done.
COLUMNS = ("rounds", "actions", "harms", "acknowledged", "lost", "doubled", "missing", "crashes", "hangs", "others",
           "skipped")
KINDS = {}

BEGIN = 1_780_000_000
CALLER = "bbbbbbbb-0000-4000-8000-000000000002"  # of serve_test.record
LATER = 900_000  # from here on: numbers of serve_test.days_later
HEALTH_WITHIN_SECONDS = 5
SHOWN_WITHIN_SECONDS = 60
KEPT = "serve:\n  checkpoint_seconds: 1\n  idle_seconds: 1\n  event_retention_days: 400\n"
NUMBERED = re.compile(r"dddddddd-0000-4000-8000-\d{12}")  # of serve_test.record
SANITIZER_REPORT = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|terminate called")


def kept_events(figures):
    """Decided, or held until their turn."""
    return int(figures["events_decided_total"] + figures["events_held"])


class Broken(Exception):
    """A law that did not hold: the column that counts it, how often, and what was seen."""

    def __init__(self, column, text, count=1):
        super().__init__(text)
        self.column, self.count = column, count


class Neighbour:
    """Somebody honest who asks for the health of the service all the time, and measures."""

    PAUSE_SECONDS = 0.1

    def __init__(self, service):
        self.service = service
        self.longest_seconds = 0.0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.ask)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.stopping.set()
        self.thread.join()

    def ask(self):
        begin = time.monotonic()  # of the first question that has no answer yet
        while not self.stopping.wait(self.PAUSE_SECONDS):
            answered = self.healthy()
            waited = time.monotonic() - begin
            if self.service.process.poll() is not None:
                return  # a crash, which is looked for elsewhere
            self.longest_seconds = max(self.longest_seconds, waited - self.PAUSE_SECONDS)
            if answered:
                begin = time.monotonic()

    def healthy(self):
        connection = self.service.connection()
        connection.timeout = HEALTH_WITHIN_SECONDS
        try:
            return self.service.ask("GET", "/healthz", connection=connection)[0] == 200
        except (OSError, serve_test.http.client.HTTPException):
            return False
        finally:
            connection.close()


class Round(ServeCase):
    """One attack. A kind says in `what` what it does, and in `holds` what must hold all the same."""

    name = what = holds = ""

    def __init_subclass__(cls):
        KINDS[cls.name] = cls

    def __init__(self, seed, kept_folder):
        super().__init__("attack")
        self.seed = seed
        self.chance = random.Random(f"{self.name} {seed}")
        self.kept_folder = kept_folder
        self.counts = collections.Counter(rounds=1)
        self.steps = []
        self.skips = set()
        self.failure = None

    def attack(self):
        raise NotImplementedError

    def perform(self):
        """The whole round; afterwards `failure` and `counts` say how it went."""
        self.setUp()
        self.folder.chmod(0o755)
        try:
            self.attack()
            self.expect_no_crash()
        except unittest.SkipTest as why:
            self.skip(str(why))
        except Exception as error:  # whatever goes wrong is a finding, and the next kind has its turn
            self.failure = self.judged(error)
        finally:
            self.end()

    def judged(self, error):
        if isinstance(error, (OSError, serve_test.http.client.HTTPException)):
            time.sleep(1)  # a process that dies closes its connections before it is seen to be dead
        try:
            self.expect_no_crash()
        except Broken as crash:
            error = crash
        if isinstance(error, Broken):
            self.counts[error.column] += error.count
            return str(error)
        self.counts["others"] += 1
        return "".join(traceback.format_exception(error)).strip()

    def end(self):
        for service in self.services:
            if service.process.poll() is None:
                service.kill()
            service.log.close()
        self.doCleanups()
        if self.failure is not None:
            (self.folder / "steps.txt").write_text("\n".join(self.steps) + "\n")
            kept = self.kept_folder / f"{self.name}-{self.seed}"
            shutil.copytree(self.folder, kept, symlinks=True, dirs_exist_ok=True,
                            copy_function=copy_regular, ignore_dangling_symlinks=True)
        self.tearDown()

    def step(self, text):
        """What is done next: the same for the same seed."""
        self.steps.append(text)
        self.counts["actions"] += 1

    def skip(self, why):
        self.skips.add(why)
        self.counts["skipped"] += 1

    def count_harm(self):
        self.counts["harms"] += 1

    # What must hold.

    def expect_no_crash(self):
        for service in self.services:
            code = service.process.poll()
            if code is not None and code < 0 and not getattr(service, "killed", False):
                raise Broken("crashes", f"the service ended by signal {-code}: {service.log_lines()[-3:]}")
            found = SANITIZER_REPORT.search("\n".join(service.log_lines()))
            if found:
                raise Broken("crashes", f"'{found.group()}' in {service.log_path}")

    def kill(self, service):
        service.killed = True
        self.count_harm()
        service.kill()

    def stop(self, service, codes=(0,)):
        try:
            code = service.stop()
        except serve_test.subprocess.TimeoutExpired as error:
            raise Broken("hangs", f"SIGTERM did not end it: {error}") from error
        if code not in codes and code >= 0:
            raise Broken("others", f"it ended with {code}, expected one of {codes}: {service.log_lines()[-3:]}")
        self.expect_no_crash()

    def restart(self, service, settings, **more):
        """A start that a Broken law tells of, where it does not come up."""
        service = serve_test.Service(service.folder, settings, **more)
        self.services.append(service)
        if service.port is None:
            code = service.process.poll()
            column = "hangs" if code is None else "crashes" if code < 0 else "others"
            raise Broken(column, f"it does not start again (exit code {code}): {service.log_lines()[-3:]}")
        return service

    def expect_refusal(self, service, why, words=("expected",)):
        """A start that was refused, by an exit code and a sentence that has one of these words."""
        code, text = service.process.poll(), "\n".join(service.log_lines()[-3:])
        self.expect_no_crash()
        if code is None:
            raise Broken("hangs", f"{why}: the start hangs")
        if code not in (2, 3) or not any(word in text for word in words):
            raise Broken("others", f"{why}: the start ended with {code} and '{text}'")

    @contextlib.contextmanager
    def watched(self, service):
        """While this lasts, a neighbour asks for the health of the service: every answer comes in time."""
        with Neighbour(service) as neighbour:
            yield neighbour
        self.expect_no_crash()
        if neighbour.longest_seconds > HEALTH_WITHIN_SECONDS:
            raise Broken("hangs", f"/healthz did not answer for {neighbour.longest_seconds:.1f} s")

    def send(self, service, records, **more):
        """Status and answer; what is acknowledged counts."""
        status, text = service.send(json_lines(records), **more)
        if status == 200:
            self.counts["acknowledged"] += len(records)
        return status, text

    def flush(self, service, days=30):
        """Moves time on, so that nothing is held that was sent before."""
        status, text = service.send(json_lines(days_later(BEGIN, days)))
        if status != 200:
            raise Broken("others", f"good records were answered with {status}: {text[:300]}")

    def timeline(self, service):
        """How often each record of CALLER was decided, by its number."""
        found = collections.Counter()
        path = f"/v1/timeline?caller={CALLER}&limit=1000"
        while path:
            page = self.ask(service, path)
            found.update(int(event["correlationId"][-12:]) for event in page["value"]
                         if NUMBERED.fullmatch(event["correlationId"]))
            path = page.get("nextLink")
            path = path and path[path.index("/v1/"):]
        return collections.Counter({number: times for number, times in found.items() if number < LATER})

    def expect_decided_once(self, service, numbers):
        """Each record with one of these numbers was decided once; the service may need some seconds to show it."""
        self.flush(service)
        service.await_decided()
        numbers = set(numbers)
        deadline = time.monotonic() + SHOWN_WITHIN_SECONDS
        while True:
            found = self.timeline(service)
            lost = numbers - found.keys()
            if not lost or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        self.expect_once({number: times for number, times in found.items() if number in numbers})
        if lost:
            raise Broken("lost", f"acknowledged records were never decided: {sorted(lost)[:20]}", len(lost))
        return found

    @staticmethod
    def expect_once(found):
        twice = sorted(number for number, times in found.items() if times > 1)
        if twice:
            raise Broken("doubled", f"records were decided twice: {twice[:20]}", len(twice))

    def expect_sum(self, figures, events):
        """So many different events were acknowledged: so many were decided, or are held until their turn."""
        kept = kept_events(figures)
        if kept < events:
            raise Broken("lost", f"{kept} of {events} acknowledged records were kept", events - kept)
        if kept > events:
            raise Broken("doubled", f"{kept} records were decided, {events} were acknowledged", kept - events)

    def expect_alerts(self, found, expected):
        """As `detect` prints them."""
        missing, extra = expected.keys() - found.keys(), found.keys() - expected.keys()
        if extra:
            raise Broken("doubled", f"alerts that `detect` does not know: {sorted(extra)[:5]}", len(extra))
        if missing:
            raise Broken("missing", f"alerts of `detect` are missing: {sorted(missing)[:5]}", len(missing))
        different = sorted(name for name in expected if found[name] != expected[name])
        if different:
            name = different[0]
            raise Broken("missing", f"alerts differ from those of `detect`: {different[:5]}; found "
                         f"{json.dumps(found[name])}, expected {json.dumps(expected[name])}", len(different))


def copy_regular(source, target):
    """Pipes and devices stay where they are."""
    if os.path.isfile(source):
        shutil.copy2(source, target)
