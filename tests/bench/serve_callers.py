#!/usr/bin/env python3
"""What many callers cost `keyvigil serve`: memory, checkpoints, and how long an alert and a question wait meanwhile.

Usage: serve_callers.py KEYVIGIL [--callers N] [--vaults N] [--days N] [--seconds N] [--rate N]

Every caller reads one secret on each of some days, sent as fast as it is taken. Then some records a second come from
any of them, and one a second from an address of the Tor list: printed is how long it takes until its alert is in the
list of alerts. At last the service is stopped and killed, and started again. Runs on the cores of the service.
"""
import argparse
import gzip
import json
import random
import statistics
import sys
import time

import serve_load

TOR_ADDRESS = "203.0.113.66"
RECORDS_A_BODY = 10_000
RECORD = json.dumps({
    "time": "%(time)s", "category": "AuditEvent", "operationName": "SecretGet", "operationVersion": "7.4",
    "resultType": "Success", "resultSignature": "OK", "callerIpAddress": "%(address)s",
    "correlationId": "%(correlation)s",
    "identity": {"claim": {
        "appid": "bbbbbbbb-0000-4000-8000-000000000002",
        "http://schemas.microsoft.com/identity/claims/objectidentifier": "aaaaaaaa-0000-4000-8000-%(caller)012x",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "u%(caller)d@contoso.example"}},
    "resourceId": f"/SUBSCRIPTIONS/{serve_load.SUBSCRIPTION}/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/"
                  "KV-%(vault)d",
    "properties": {"id": "https://kv-%(vault)d.vault.azure.net/secrets/db",
                   "requestUri": "https://kv-%(vault)d.vault.azure.net/secrets/db?api-version=7.4",
                   "httpStatusCode": 200}}) + "\n"


def record(options, at_seconds, caller, number, address=None):
    clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_seconds)) + f".{int(at_seconds % 1 * 1000):03}Z"
    return RECORD % {"time": clock, "caller": caller, "vault": caller * 7919 % options.vaults,
                     "correlation": f"c-{number:x}",
                     "address": address or f"198.51.{caller // 200 % 250}.{caller % 200 + 1}"}


class Sender:
    def __init__(self, place):
        self.place, self.connection = place, place.connection()

    def send(self, records):
        body = gzip.compress("".join(records).encode(), 1)
        while True:
            status, text, _ = self.place.ask(self.connection, "POST", "/v1/logs", body,
                                             {"Content-Encoding": "gzip", "Content-Type": "application/x-ndjson"})
            if status == 200:
                return
            if status not in (429, 503):
                sys.exit(f"{status} {text[:300]}")
            time.sleep(0.5)

    def overview(self):
        begun = time.perf_counter()
        status, text, _ = self.place.ask(self.connection, "GET", "/v1/overview")
        assert status == 200, text
        return json.loads(text)["service"], (time.perf_counter() - begun) * 1000

    def await_decided(self):
        while serve_load.figures(self.place, self.connection)["journal_waiting_bytes"] > 0:
            time.sleep(0.5)


def start(bench):
    """Where it listens, and after how many seconds it did."""
    tor = bench.folder / "tor.txt"
    tor.write_text(TOR_ADDRESS + "\n")
    begun = time.perf_counter()
    place = bench.start(f"lateness_minutes: 0\nlists:\n  tor: [{tor}]\n")
    return place, time.perf_counter() - begun


def teach(options, sender):
    begun = time.perf_counter()
    first = time.time() - (options.days + 1) * 86400
    for day in range(options.days):
        for at in range(0, options.callers, RECORDS_A_BODY):
            callers = range(at, min(options.callers, at + RECORDS_A_BODY))
            sender.send([record(options, first + day * 86400 + caller * 80_000 / options.callers, caller,
                                day * options.callers + caller) for caller in callers])
    sender.await_decided()
    events = options.callers * options.days
    print(f"{events:,} events of {options.callers:,} callers decided after {time.perf_counter() - begun:.0f} s")


def await_alert(place, sender, alerts):
    """How long until there is one alert more, in seconds."""
    def shown():
        return len(json.loads(place.ask(sender.connection, "GET", "/v1/alerts?limit=1000")[1])["value"])

    begun = time.perf_counter()
    while shown() <= alerts:
        if time.perf_counter() - begun > 10:
            return float("inf")
        time.sleep(0.01)
    return time.perf_counter() - begun


def go_on(options, place, sender):
    """Some records a second, and an alert each second."""
    chance = random.Random(1)
    waits, questions, checkpoints = [], [], set()
    begun = time.perf_counter()
    first = sender.overview()[0]["checkpoints"]
    number = 1 << 40
    for step in range(options.seconds):
        time.sleep(max(0.0, begun + step - time.perf_counter()))
        now = time.time()
        # A caller of its own each time, as alerts about one caller join; the newest event waits for a newer one.
        records = [record(options, now - 0.6, step, number, TOR_ADDRESS)]
        for at in range(options.rate):
            caller = chance.randrange(options.callers)
            records.append(record(options, now - 0.5 + at / options.rate / 2, caller, number + at + 1))
        number += options.rate + 1
        sender.send(records)
        waits.append(await_alert(place, sender, step))
        service, milliseconds = sender.overview()
        questions.append(milliseconds)
        checkpoints.add((service["checkpoints"], service["checkpointSeconds"]))
    made = [seconds for number, seconds in sorted(checkpoints) if number > first]
    print(f"alerts visible: {serve_load.percentiles([wait * 1000 for wait in waits])}")
    print(f"overview: {serve_load.percentiles(questions)}")
    if made:
        print(f"{len(made)} checkpoints seen, median {statistics.median(made):.2f} s, longest {max(made):.2f} s")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("keyvigil")
    arguments.add_argument("--callers", type=int, default=1_000_000)
    arguments.add_argument("--vaults", type=int, default=100_000)
    arguments.add_argument("--days", type=int, default=3)
    arguments.add_argument("--seconds", type=int, default=300)
    arguments.add_argument("--rate", type=int, default=100)
    options = arguments.parse_args()
    with serve_load.Bench(options.keyvigil) as bench:
        place, _ = start(bench)
        sender = Sender(place)
        teach(options, sender)
        print(f"resident memory: {serve_load.resident_mebibytes(bench.process):.0f} MiB")
        before = after = sender.overview()[0]
        while after["checkpoints"] == before["checkpoints"]:  # with everything that was taught
            time.sleep(1)
            after = sender.overview()[0]
        print(f"a checkpoint of everything: {after['checkpointSeconds']:.1f} s")
        go_on(options, place, sender)
        print(f"resident memory: {serve_load.resident_mebibytes(bench.process):.0f} MiB")
        begun = time.perf_counter()
        print(f"stopped with {bench.stop()} after {time.perf_counter() - begun:.1f} s")
        print(f"started again within {start(bench)[1]:.1f} s")
        bench.kill()
        print(f"started within {start(bench)[1]:.1f} s after a kill; resident memory "
              f"{serve_load.resident_mebibytes(bench.process):.0f} MiB")


if __name__ == "__main__":
    main()
