"""What a service and daily runs do before and after an upgrade, told once: tests/data/upgrade/make_fixtures.py stops in
the middle and keeps the files, serve_upgrade_test.py and detect_upgrade_test.py go on from them.

A fixture is a folder tests/data/upgrade/VERSION:
  files.tar.xz    what a user of that version has: configuration, lists, store with companions, state, output
  log.jsonl.xz    the whole log, in order of time; kept, for the simulator changes
  expected.json   what is true after opening them: PARTS of the log, alerts, deliveries, formats of the program
Standard library only.
"""
import json
import lzma
import pathlib
import tarfile
import time

from serve_test import (SUBSCRIPTION, TOR_ADDRESS, BlobContainer, Service, ServeCase, days_later, json_lines, record,
                        time_of)

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "data" / "upgrade"
# One of loopback's addresses that hardly anybody uses: the address of a container is part of what the store knows.
CONTAINER_ADDRESS = ("127.86.75.1", 8675)
LEARNING_DAYS = 4
RULES = "/subscriptions/{}/providers/Microsoft.Security/alertsSuppressionRules/{}?api-version=2019-01-01-preview"
UNREACHABLE = "  - {{name: {}, kind: webhook, url: 'http://127.0.0.1:9/', plain_text: true, backfilled: true,\n" \
              "     most_attempts: 10000, most_age_hours: 8760}}\n"
# For ever and rarely: what is expected does not depend on when it is opened. The container is empty at first, so that
# what comes is not of the past.
SETTINGS = f"""lists:
  tor: [tor.txt, more.txt]
  suspicious: [suspicious.txt]
learning_days: {LEARNING_DAYS}
serve:
  checkpoint_seconds: 300
  alert_retention_days: 0
  audit_retention_days: 0
  inputs:
    - container: http://{CONTAINER_ADDRESS[0]}:{CONTAINER_ADDRESS[1]}/account/insights-logs-auditevent
      sas: {{file: sas}}
      plain_text: true
      from: 2000-01-01
      poll_seconds: 1
outputs:
  - {{name: archive, kind: file, path: archive.jsonl, backfilled: true}}
""" + UNREACHABLE.format("unreachable")
WITH_ANOTHER_OUTPUT = SETTINGS + UNREACHABLE.format("removed")
KEPT_FILES = ["keyvigil.yaml", "sas", "tor.txt", "more.txt", "suspicious.txt", "archive.jsonl", "store.db",
              "store.db-wal", "store.db.events", "store.db.events-wal", "store.db.lists", "vaults.state"]


def fixtures():
    return sorted(path.parent for path in FIXTURES.glob("*/expected.json"))


def expected_of(fixture):
    return json.loads((fixture / "expected.json").read_text())


def log_of(fixture):
    return lzma.decompress((fixture / "log.jsonl.xz").read_bytes()).splitlines(keepends=True)


def unpack(fixture, folder):
    with tarfile.open(fixture / "files.tar.xz") as archive:
        archive.extractall(folder)


def formats_of(program_text):
    """{name: (oldest read, newest read, written)} of `keyvigil version`."""
    rows = [line.split() for line in program_text.splitlines()[2:]]
    if rows[0] != ["format", "reads", "writes"]:
        raise AssertionError(f"expected a table of formats, found {rows[0]}")
    found = {}
    for name, reads, writes in rows[1:]:
        oldest, _, newest = reads.partition("-")
        found[name] = (int(oldest), int(newest or oldest), int(writes))
    return found


class Story:
    """A service in `folder` that follows a container; the log comes in three parts."""

    def __init__(self, folder, lines, parts):
        self.folder = pathlib.Path(folder)
        self.lines = lines
        self.first, self.second = parts  # so many records in the first part, and in the first two
        self.blobs = {}
        self.container = BlobContainer(self.blobs, CONTAINER_ADDRESS)
        self.service = None

    def close(self):
        if self.service and self.service.process.poll() is None:
            self.service.kill()
        self.container.close()

    def start(self, settings):
        self.service = Service(self.folder, settings, moved=True)
        if self.service.port is None:
            raise AssertionError(self.service.log_lines())
        return self.service

    def show(self, records, bytes_of_next=0):
        """The container holds so many records, and the beginning of the next one."""
        self.blobs.clear()
        self.blobs.update(ServeCase.blobs_of(self.lines[:records]))
        if bytes_of_next:
            for name, begun in ServeCase.blobs_of([self.lines[records]]).items():
                self.blobs[name] = self.blobs.get(name, b"") + begun[:bytes_of_next]

    def ask(self, path, method="GET", body=None):
        status, _, text = self.service.ask(method, path, body and json.dumps(body).encode())
        if status not in (200, 204):
            raise AssertionError(f"{method} {path}: {status} {text}")
        return json.loads(text) if text else None

    def await_records(self, records):
        return ServeCase.follow_all(self.service, records)

    def put_rule(self):
        """What is suppressed from the start: one of the addresses of the Tor list."""
        scope = {"allOf": [{"field": "entities.ip.address", "in": [TOR_ADDRESS]}]}
        self.ask(RULES.format(SUBSCRIPTION, "Lab"), "PUT", {"properties": {
            "alertType": "KV_TORAccess", "reason": "Other", "state": "Enabled", "comment": "the exit of our lab",
            "expirationDateUtc": "9999-01-01T00:00:00Z", "suppressionAlertsScope": scope}})

    def take_first(self):
        self.put_rule()
        self.show(self.first)
        self.await_records(self.first)

    def await_alerts(self, after_seconds=0):
        """All that were raised: they are shown a moment after their events were counted."""
        time.sleep(after_seconds)
        figures = self.service.await_decided()
        raised = sum(figure for name, figure in figures.items() if name.startswith("alerts_raised_total"))
        return ServeCase.await_that("every alert that was raised", lambda: self.ask("/v1/alerts?limit=1000")["value"],
                                    lambda shown: 0 < raised <= len(shown))

    def dismiss_oldest(self):
        oldest = self.await_alerts()[-1]
        self.ask(f"/v1/alerts/{oldest['id']}/status", "PUT", {"status": "Dismissed"})

    def take_second(self):
        self.show(self.second, bytes_of_next=200)
        self.await_records(self.second)

    def send_one(self):
        """Acknowledged; who asks for nothing more may be killed at once."""
        self.send(record(time_of(self.lines[self.second - 1]), TOR_ADDRESS, vault="kv-contoso-lab"))

    def send(self, *records):
        status, text = self.service.send(json_lines(records))
        if status != 200:
            raise AssertionError(f"POST /v1/logs: {status} {text}")

    def take_rest(self):
        self.show(len(self.lines))
        self.await_records(len(self.lines) + 1)
        # What was sent holds others back at its time for five minutes, or until its sender is further on.
        later = days_later(time_of(self.lines[-1]), 5)
        self.send(*later)
        self.await_records(len(self.lines) + 1 + len(later))

    def alerts(self):
        """{id: what is said of it} once nothing more comes, of versions that may word alerts differently."""
        value = self.await_alerts()
        while value != (again := self.await_alerts(after_seconds=1)):
            value = again
        kept = ("alertType", "status", "revision", "backfilled", "subscriptionId")
        return {one["id"]: {name: one[name] for name in kept} for one in value}

    def dead(self, output):
        dead = self.ask(f"/v1/outputs/dead?output={output}&limit=1000")["value"]
        return sorted([letter["alertId"], letter["revision"]] for letter in dead)

    def facts(self):
        self.await_archived()
        figures = self.service.metrics()
        sources = {one["name"]: one["records"] for one in self.ask("/v1/sources")["value"]}
        return {"alerts": self.alerts(),
                "rules": self.ask(RULES.format(SUBSCRIPTION, "Lab"))["properties"],
                "dead": self.dead("removed"),
                "undelivered": int(figures["outbox"]) + len(self.dead("unreachable")),
                "records": sources,
                "seen": int(figures["events_decided_total"] + figures["events_held"])}

    def await_archived(self):
        """Once the file of the first output has the newest revision of each alert but the suppressed one: all of it."""
        newest = {(identity, alert["revision"]) for identity, alert in self.alerts().items()
                  if alert["subscriptionId"] != SUBSCRIPTION}
        return ServeCase.await_that("all is delivered", self.archived, newest.issubset)

    def archived(self):
        lines = (self.folder / "archive.jsonl").read_text().splitlines()
        alerts = [json.loads(line) for line in lines]
        return {(one["name"].partition("_")[2], one["properties"]["supportingEvidence"]["revision"]) for one in alerts}


def lists_of(folder):
    """What `detect` is told beside the log."""
    return ["--tor", folder / "tor.txt", "--tor", folder / "more.txt", "--suspicious", folder / "suspicious.txt",
            "--learning-days", LEARNING_DAYS]


def newest(printed):
    """{name: type and newest revision} of alerts that runs printed."""
    found = {}
    for alert in printed:
        found[alert["name"]] = [alert["properties"]["alertType"],
                                alert["properties"]["supportingEvidence"]["revision"]]
    return found


LIST_TYPES = ("KV_TORAccess", "KV_SuspiciousIPAccess", "KV_SuspiciousIPAccessDenied")


def by_lists(alerts):
    """Those of {name: alert or (type, revision)} that threat lists alone decide: every version raises the same."""
    return {name: alert for name, alert in alerts.items()
            if (alert["alertType"] if isinstance(alert, dict) else alert[0]) in LIST_TYPES}


def apart_from_status(alerts):
    """Whom a person dismissed is of one run."""
    return {name: {key: value for key, value in alert.items() if key != "status"} for name, alert in alerts.items()}


def nobody(entry):
    """An entry of an archive that does not tell who made it, nor when."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry
