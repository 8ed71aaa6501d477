"""SIGKILL at random moments, and inside the store's commits: nothing acknowledged is lost or counted twice."""
import collections
import http.client
import json
import re
import threading
import time

from rounds import KEPT, Broken, Round, kept_events, serve_test

SUBSCRIPTION = re.compile(rb"/SUBSCRIPTIONS/([0-9A-F-]{36})/", re.IGNORECASE)
AIMS = ("J1", "J2", "J3", "C1", "C2", "A1", "A2", "")


class Kills(Round):
    name = "kills"
    what = "SIGKILL while bodies are sent, or while a file is followed, at a random time or inside a commit; restart"
    holds = "every acknowledged record decided once; alerts as of `detect`; every revision in the output, in order"

    def attack(self):
        lines, settings, _ = self.simulated(self.chance.randrange(1500, 5000), self.chance.randrange(1, 1000))
        expected = self.detected(lines, settings)
        self.output = self.folder / "out.jsonl"
        settings += (f"outputs:\n  - {{name: all, kind: file, path: '{self.output}', backfilled: true, "
                     f"learning: true}}\n")
        kills = self.chance.randrange(2, 7)
        if self.chance.random() < 0.5:
            service = self.killed_while_sending(lines, settings + KEPT, kills)
        else:
            service = self.killed_while_following(lines, settings + KEPT, kills)
        self.expect_all(service, lines, settings + KEPT, expected)

    def expect_all(self, service, lines, settings, expected):
        figures = service.await_decided()
        kept = kept_events(figures)
        if kept < len(lines):
            raise Broken("lost", f"{kept} of {len(lines)} acknowledged records were kept", len(lines) - kept)
        if figures["late_total"]:
            raise Broken("doubled", f"{figures['late_total']:.0f} records are late, none was sent late")
        self.stop(service)
        service = self.restart(service, settings)
        subscriptions = {found.lower().decode() for line in lines for found in SUBSCRIPTION.findall(line)}
        found = {}
        for subscription in subscriptions:
            found.update(service.alerts(subscription))
        self.expect_alerts(found, expected)
        # What was sent again is known as a copy when its turn comes: now.
        later = serve_test.days_later(serve_test.time_of(lines[-1]), 3)
        self.send(service, later)
        self.expect_sum(service.await_decided(), len(lines) + len(later))
        self.await_that("all is delivered", lambda: service.metrics()["outbox"] == 0)
        self.stop(service)
        self.expect_output(serve_test.Crashes.kept_alerts(service.folder / "store.db")[0])

    def expect_output(self, revisions):
        """Each revision that is kept went out at least once, in order."""
        sent = collections.defaultdict(list)
        for line in self.output.read_text().splitlines():
            try:
                alert = json.loads(line)
            except ValueError:
                continue  # cut off by a kill; what it was to say comes again
            number = alert["properties"]["supportingEvidence"]["revision"]
            name = alert["name"].split("_")[1]
            if number not in sent[name]:
                sent[name].append(number)
        kept = collections.defaultdict(list)
        for name, number, *_ in revisions:
            kept[name].append(number)
        missing = {name for name, numbers in kept.items() if sent[name] != sorted(numbers)}
        if missing:
            name = min(missing)
            raise Broken("missing", f"revisions are missing in the output or out of order, of {len(missing)} alerts: "
                         f"{name} has {kept[name]}, sent were {sent[name]}", len(missing))

    # While bodies are sent.

    def killed_while_sending(self, lines, settings, kills):
        chunks, at = [], 0
        while at < len(lines):
            size = self.chance.randrange(1, 500)
            chunks.append(lines[at:at + size])
            at += size
        at = 0
        for target in sorted(self.chance.randrange(len(chunks)) for _ in range(kills)):
            aim, delay = self.chance.choice(AIMS), self.chance.uniform(0.0, 0.05)
            self.step(f"kill inside commit {aim}" if aim else f"kill {delay * 1000:.1f} ms after body {target} of "
                      f"{len(chunks)} begins")
            service = self.start_to_die(settings, aim)
            if service.port is not None:
                at = self.send_until(service, chunks, at, target)
                killer = threading.Thread(target=serve_test.Crashes.kill_soon, args=(service, 2.0 if aim else delay))
                killer.start()
                at = self.send_until(service, chunks, at, len(chunks))
                killer.join()
            self.bury(service)
        service = self.restart(self.services[0], settings) if self.services else self.start(settings=settings)
        at = self.send_until(service, chunks, at, len(chunks))
        if at < len(chunks):
            raise Broken("others", f"body {at} was not taken by a service that nobody kills: "
                         f"{service.log_lines()[-3:]}")
        return service

    def start_to_die(self, settings, aim):
        """At the commit that `aim` names ("J2": the second of the journal), where it names one."""
        mark = self.folder / "mark"
        mark.write_bytes(b"---")
        service = serve_test.Service(self.folder / "service", settings, environment={
            "KEYVIGIL_COMMIT_MARK": str(mark), "KEYVIGIL_COMMIT_DIE_AT": aim})
        service.killed = True
        self.services.append(service)
        return service

    def bury(self, service):
        serve_test.Crashes.kill_soon(service, 0)
        code = service.process.wait()
        service.log.close()
        if code != -serve_test.signal.SIGKILL:
            raise Broken("crashes" if code < 0 else "others",
                         f"it ended with {code} before it was killed: {service.log_lines()[-3:]}")
        self.count_harm()

    def send_until(self, service, chunks, begin, end):
        """Where to go on: the first body without a good answer."""
        connection = service.connection()
        at = begin
        try:
            while at < end:
                status, text = service.send(b"".join(chunks[at]), connection)
                if status != 200:
                    raise Broken("others", f"good records were answered with {status}: {text[:300]}")
                answer = json.loads(text)
                if (answer["records"], answer["refused"]) != (len(chunks[at]), 0):
                    raise Broken("others", f"{len(chunks[at])} good records were answered with {answer}")
                self.counts["acknowledged"] += len(chunks[at])
                at += 1
        except (OSError, http.client.HTTPException):
            if service.process.poll() is None:  # a dead one may take a moment to be seen as such
                time.sleep(0.5)
        finally:
            connection.close()
        return at

    # While a file is followed.

    def killed_while_following(self, lines, settings, kills):
        folder = self.folder / "followed"
        folder.mkdir()
        settings += "  inputs: [{folder: ../followed, poll_seconds: 1}]\n"
        whole, written = b"".join(lines), 0
        with (folder / "log.json").open("ab", buffering=0) as file:
            for number in range(kills):
                size = self.chance.randrange(1, 2 * max(2, (len(whole) - written) // (kills - number + 1)))
                aim, delay = self.chance.choice(AIMS), self.chance.uniform(0.0, 1.5)
                self.step(f"append {size} bytes, kill " + (f"inside commit {aim}" if aim else f"after {delay:.2f} s"))
                service = self.start_to_die(settings, aim)
                file.write(whole[written:written + size])
                written += len(whole[written:written + size])
                serve_test.Crashes.kill_soon(service, 2.0 if aim else delay)
                self.bury(service)
            file.write(whole[written:])
        service = self.restart(self.services[0], settings)
        self.follow_all(service, len(lines))
        self.counts["acknowledged"] += len(lines)
        return service
