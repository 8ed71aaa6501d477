"""Records from the past, from the future and from clocks that jump: all are accounted for, none twice."""
import json
import time

from rounds import BEGIN, KEPT, Broken, Round, json_lines, kept_events, serve_test

DAY = 86400
LATEST = BEGIN + 20 * DAY  # of what is not of the future: what moves time on comes behind it
SPANS = (1, 60, 3600, DAY, 30 * DAY, 365 * DAY)
# As no clock says them; what is no time is refused, the rest is old, or of the future.
ODD_TIMES = ("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z",
             "2026-02-29T00:00:00Z", "2026-02-30T12:00:00Z", "2025-06-30T23:59:60Z", "2025-13-01T00:00:00Z",
             "2025-06-01T24:00:00Z", "2025-06-01T12:00:00+14:00", "2025-06-01T12:00:00-12:00", "2025-06-01", "",
             "99999-01-01T00:00:00Z", "-2025-06-01T00:00:00Z", "2025-06-01T12:00:00.123456789123Z", "now", "1780000000")


class Clocks(Round):
    name = "clocks"
    what = "records of the past and the future, clocks that jump to and fro, times that there are not"
    holds = "records = refused + decided + held; a body from the future is not taken until it is time; none twice"

    def attack(self):
        self.number = self.records = self.refused = 0
        self.taken = set()
        self.bodies = []
        self.last_time = BEGIN
        service = self.start(settings=self.settings + KEPT)
        makers = (self.steady, self.jump, self.jump, self.strays, self.ahead, self.odd)
        with self.watched(service):
            for _ in range(30):
                self.chance.choice(makers)(service)
                if self.chance.random() < 0.05:
                    self.step("kill and restart")
                    break
        self.kill(service)
        service = self.restart(service, self.settings + KEPT)
        with self.watched(service):
            for _ in range(10):
                self.chance.choice(makers)(service)
            self.expect_all(service)

    def some(self, times):
        numbers = range(self.number, self.number + len(times))
        self.number += len(times)
        return [serve_test.record(when, vault=f"kv-contoso-{number % 3}", number=number)
                for when, number in zip(times, numbers)]

    def post(self, service, records, statuses):
        status, text = service.send(json_lines(records))
        if status not in statuses:
            raise Broken("others", f"answered with {status}, expected one of {statuses}: {text[:300]}")
        if status != 200:
            return
        answer = json.loads(text)
        if answer["records"] != len(records):
            raise Broken("others", f"{len(records)} records were answered with {answer}")
        self.records += answer["records"]
        self.refused += answer["refused"]
        self.counts["acknowledged"] += answer["records"] - answer["refused"]
        self.bodies.append(records)
        if not answer["refused"]:
            self.taken.update(int(one["correlationId"][-12:]) for one in records)

    def steady(self, service):
        count = self.chance.randrange(1, 60)
        self.step(f"{count} records, one a second")
        self.post(service, self.some([self.last_time + i for i in range(count)]), {200})
        self.last_time += count

    def jump(self, service):
        """The clock of the sender jumps, between bodies and within one."""
        span = self.chance.choice(SPANS) * self.chance.choice((-1, 1))
        count = self.chance.randrange(1, 40)
        self.step(f"{count} records, the clock jumps by {span} s")
        before = self.last_time
        after = max(DAY, min(before + span, LATEST))
        # Each at a time of its own: of late records that differ in the correlation id alone, one of 65,535 is taken for
        # one that was decided (src/engine/decided_events.h).
        times = [before + i for i in range(count // 2)] + [after + i for i in range(count)]
        self.post(service, self.some(times), {200})
        self.last_time = after + count

    def strays(self, service):
        """Some of the future among others: refused and counted."""
        count, ahead = self.chance.randrange(1, 3), self.chance.choice((2 * 3600, 30 * DAY, 10**9, 8 * 10**9))
        self.step(f"{count} records {ahead} s ahead among 40")
        now = int(time.time())
        times = [self.last_time + i for i in range(40)]
        for _ in range(count):
            times.insert(self.chance.randrange(len(times) + 1), now + ahead)
        refused = self.refused
        self.post(service, self.some(times), {200})
        if self.refused - refused != count:
            raise Broken("others", f"{count} records of the future among 40: {self.refused - refused} were refused")

    def ahead(self, service):
        """All agree that it is later: nothing is taken."""
        ahead, count = self.chance.choice((1200, 2 * 3600, DAY)), self.chance.randrange(10, 60)
        self.step(f"{count} records {ahead} s ahead")
        now = int(time.time())
        self.post(service, self.some([now + ahead + i for i in range(count)]), {503})

    def odd(self, service):
        odd = [self.chance.choice(ODD_TIMES) for _ in range(self.chance.randrange(1, 5))]
        self.step(f"odd times {odd}")
        records = self.some([self.last_time + i for i in range(20 + len(odd))])
        for one, when in zip(records, odd):
            one["time"] = when
        self.post(service, records, {200})

    def expect_all(self, service):
        figures = service.await_decided()
        said = int(figures['records_total{input="logs"}'])
        if said != self.records:
            raise Broken("lost", f"{self.records} records were answered for, {said} are known",
                         abs(self.records - said))
        before = self.accounted(figures)
        if sum(before) != self.records - self.refused:
            raise Broken("lost", f"{self.records - self.refused} records were taken; decided or held, and known "
                         f"before: {before}", abs(self.records - self.refused - sum(before)))
        # What is held is not yet known to be there twice.
        self.flush(service)
        before = self.accounted(service.await_decided())
        self.step("all acknowledged bodies again")
        for records in self.bodies:
            service.send(json_lines(records))
        after = self.accounted(service.await_decided())
        if after[0] != before[0]:
            raise Broken("doubled", f"{before[0]} events were decided or held, {after[0]} after all came again",
                         max(1, after[0] - before[0]))
        self.expect_decided_once(service, self.taken)

    @staticmethod
    def accounted(figures):
        """Of records that were not refused: decided or held; known before, or older than what is known."""
        return (kept_events(figures),
                int(figures["duplicates_total"] + figures["too_old_total"]))
