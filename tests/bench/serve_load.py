#!/usr/bin/env python3
"""The load test of `keyvigil serve`, over HTTPS on loopback: senders, readers, idle and slow clients at once.

Usage: serve_load.py KEYVIGIL [--events N] [--alerts N] [--senders N] [--idle N] [--slow N]

It simulates the bench world, splits it by vault among the senders (each an input of its own, in order, gzip), fills the
store with sample alerts, and then sends everything as fast as it is taken. Meanwhile one client lists alerts and one
asks for a single alert, some times a second each, and idle and slowly dripping connections are open. Printed: events a
second until all were decided, waiting times of the readers without and with load, memory over the run.
The senders and readers run on the same cores as the service.
"""
import argparse
import gzip
import http.client
import json
import multiprocessing
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
ALERTS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/alerts?api-version=2022-01-01"
SIMULATE = (f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/locations/global/alerts/default/simulate"
            "?api-version=2021-11-01")
RECORDS_A_BODY = 4000
BODIES_AHEAD = 2


class Place:
    """Where the service listens, and who asks."""

    def __init__(self, port, authority, token):
        self.port, self.authority, self.token = port, authority, token

    def context(self):
        return ssl.create_default_context(cafile=self.authority)

    def connection(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=120, context=self.context())

    def ask(self, connection, method, path, body=None, headers=None):
        connection.request(method, path, body, {"Authorization": f"Bearer {self.token}", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers


def bodies_of(path, senders):
    """Compressed bodies for each sender: the records of its vaults, in order; each n-th body is of the same time."""
    vault = re.compile(rb'"resourceId":\s*"([^"]+)"')
    waiting = [[] for _ in range(senders)]
    bodies = [[] for _ in range(senders)]
    events = 0

    def close():
        for of, records in enumerate(waiting):
            bodies[of].append(gzip.compress(b"".join(records), 6) if records else b"")
            records.clear()

    with open(path, "rb") as lines:
        for line in lines:
            of = sum(vault.search(line).group(1).lower()) % senders
            waiting[of].append(line)
            events += 1
            if events % (RECORDS_A_BODY * senders) == 0:
                close()
    close()
    return bodies, events


def send(place, of, bodies, sent, results):
    """Sends as fast as bodies are taken, but not ahead of the other senders: all logs of an estate have one clock."""
    connection = place.connection()
    name = f"load-{of}"
    refused = 0
    for at, body in enumerate(bodies):
        while at > min(sent) + BODIES_AHEAD:
            time.sleep(0.001)
        while body:
            status, text, headers = place.ask(
                connection, "POST", f"/dataCollectionRules/{name}/streams/Custom-Vaults?api-version=2023-01-01", body,
                {"Content-Encoding": "gzip", "Content-Type": "application/json"})
            if status == 204:
                break
            if status not in (429, 503):
                sent[of] = len(bodies)  # nobody waits for who has given up
                results.put((name, f"{status} {text[:200]}", refused))
                return
            refused += 1
            time.sleep(min(1.0, float(headers.get("Retry-After", 1))))
        sent[of] = at + 1
    results.put((name, "", refused))


def read(place, path, pause_seconds, stop, results):
    """Waiting times of one reader, in milliseconds."""
    connection = place.connection()
    waits = []
    place.ask(connection, "GET", path)
    while not stop.is_set():
        begun = time.perf_counter()
        status, _, _ = place.ask(connection, "GET", path)
        waits.append((time.perf_counter() - begun) * 1000)
        if status != 200:
            waits[-1] = float("inf")
        time.sleep(pause_seconds)
    results.put((path, waits))


def hold_connections(place, idle, slow, ready, stop):
    """Clients that say nothing, and clients that send a header a byte a second."""
    context = place.context()
    connections = [context.wrap_socket(socket.create_connection(("127.0.0.1", place.port)), server_hostname="127.0.0.1")
                   for _ in range(idle + slow)]
    ready.set()
    drip = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 4096
    sent = 0
    while not stop.wait(1.0):
        for connection in connections[idle:]:
            try:
                connection.send(drip[sent:sent + 1])
            except OSError:
                pass  # the service closes who is too slow
        sent += 1
    for connection in connections:
        connection.close()


def percentiles(waits):
    if len(waits) < 100:
        return f"{len(waits)} requests only"
    cuts = statistics.quantiles(waits, n=100)
    return f"{len(waits)} requests, p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms, longest {max(waits):.1f} ms"


def figures(place, connection):
    status, text, _ = place.ask(connection, "GET", "/metrics")
    assert status == 200, text
    found = {}
    for line in text.decode().splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            found[name.removeprefix("keyvigil_")] = float(value)
    return found


def resident_mebibytes(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s*(\d+)", status).group(1)) / 1024


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(keyvigil, folder, settings=""):
    log = (folder / "log.jsonl").open("wb")
    (folder / "keyvigil.yaml").write_text(settings)
    process = subprocess.Popen(
        [keyvigil, "serve", "--dev", "--config", str(folder / "keyvigil.yaml"), "--store", str(folder / "store.db"),
         "--listen", "127.0.0.1:0"], stderr=log)
    while process.poll() is None:
        found = re.search(r'"url":"https://127\.0\.0\.1:(\d+)"', (folder / "log.jsonl").read_text())
        if found:
            dev = folder / "keyvigil-dev"
            return process, Place(int(found.group(1)), str(dev / "authority.pem"), (dev / "token").read_text().strip())
        time.sleep(0.05)
    sys.exit((folder / "log.jsonl").read_text())


class Bench:
    """A folder for one run of a bench, and the service that runs in it; both are gone at the end."""

    def __init__(self, keyvigil):
        self.keyvigil, self.process = keyvigil, None

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="keyvigil-bench-"))
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, settings=""):
        """Where it listens."""
        self.process, place = start(self.keyvigil, self.folder, settings)
        return place

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=600)

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def fill_with_alerts(place, alerts):
    connection = place.connection()
    body = json.dumps({"properties": {"kind": "Bundles", "bundles": ["KeyVaults"]}})
    for _ in range(-(-alerts // 14)):
        status, text, _ = place.ask(connection, "POST", SIMULATE, body, {"Content-Type": "application/json"})
        assert status == 204, (status, text)


class Readers:
    """One client that lists alerts and one that asks for a single one, beside everything else."""

    def __init__(self, place):
        connection = place.connection()
        page = json.loads(place.ask(connection, "GET", ALERTS)[1])
        single = page["value"][0]["id"] + "?api-version=2022-01-01"
        self.stop = multiprocessing.Event()
        self.results = multiprocessing.Queue()
        self.paths = {"list of alerts": ALERTS, "one alert": single}
        self.processes = [multiprocessing.Process(target=read, args=(place, path, 0.05, self.stop, self.results))
                          for path in self.paths.values()]
        for process in self.processes:
            process.start()

    def end(self, when):
        self.stop.set()
        found = dict(self.results.get() for _ in self.processes)
        for process in self.processes:
            process.join()
        for name, path in self.paths.items():
            print(f"{name}, {when}: {percentiles(found[path])}")


def run_load(process, place, bodies, events):
    results = multiprocessing.Queue()
    sent = multiprocessing.Array("i", len(bodies), lock=False)
    senders = [multiprocessing.Process(target=send, args=(place, of, own, sent, results))
               for of, own in enumerate(bodies)]
    connection = place.connection()
    memory = []
    cpu = cpu_seconds(process)
    begun = time.perf_counter()
    for sender in senders:
        sender.start()
    taken = None
    while True:
        time.sleep(0.25)
        memory.append(resident_mebibytes(process))
        if taken is None and not any(sender.is_alive() for sender in senders):
            taken = time.perf_counter() - begun
        if taken is not None and figures(place, connection)["journal_waiting_bytes"] == 0:
            break
    seconds = time.perf_counter() - begun
    for _ in senders:
        name, failure, refused = results.get()
        if failure:
            sys.exit(f"{name}: {failure}")
        if refused:
            print(f"{name}: told to wait {refused} times")
    print(f"ingest: {events} events in {seconds:.1f} s, {events / seconds:,.0f} events/s until decided "
          f"(taken in {taken:.1f} s); {(cpu_seconds(process) - cpu) / events * 1e6:.1f} us of processor time an event")
    tenth = max(1, len(memory) // 10)
    print("resident memory over the run, MiB: " +
          " ".join(f"{max(memory[at:at + tenth]):.0f}" for at in range(0, len(memory), tenth)))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("keyvigil")
    arguments.add_argument("--events", type=int, default=1_500_000)
    arguments.add_argument("--alerts", type=int, default=100_000)
    arguments.add_argument("--senders", type=int, default=2)
    arguments.add_argument("--idle", type=int, default=500)
    arguments.add_argument("--slow", type=int, default=50)
    options = arguments.parse_args()
    with Bench(options.keyvigil) as bench:
        log = bench.folder / "log.json"
        subprocess.run([options.keyvigil, "simulate", "--size", "bench", "--events", str(options.events), "--output",
                        str(log)], check=True, stderr=subprocess.DEVNULL)
        bodies, events = bodies_of(log, options.senders)
        log.unlink()
        compressed = sum(len(body) for own in bodies for body in own)
        print(f"{events} events in {sum(map(len, bodies))} bodies, {compressed / 2**20:.0f} MiB compressed")
        place = bench.start()
        begun = time.perf_counter()
        fill_with_alerts(place, options.alerts)
        print(f"{options.alerts} sample alerts stored in {time.perf_counter() - begun:.0f} s")

        readers = Readers(place)
        time.sleep(15)
        readers.end("nothing else going on")

        ready, stop = multiprocessing.Event(), multiprocessing.Event()
        holder = multiprocessing.Process(target=hold_connections, args=(place, options.idle, options.slow, ready, stop))
        holder.start()
        ready.wait()
        readers = Readers(place)
        time.sleep(15)
        readers.end(f"{options.idle} idle and {options.slow} slow connections")

        readers = Readers(place)
        run_load(bench.process, place, bodies, events)
        readers.end("all of that and ingest")
        stop.set()
        holder.join()
        print(f"stopped with {bench.stop()}")


if __name__ == "__main__":
    main()
