"""Too few files, too little memory, no room on the disk: less is done, and nothing acknowledged is lost."""
import http.client
import resource
import signal
import socket
import subprocess
import time

from rounds import BEGIN, KEPT, Broken, Round, json_lines, serve_test

RECORDS_A_BODY = 200
REFUSED = (429, 500, 503)  # 500: of one body that memory does not hold
RECOVERS_WITHIN_SECONDS = 60


class Shortage(Round):
    name = "shortage"
    what = "few files, little address space, a disk or a limit of file sizes that is met, while bodies are sent"
    holds = "input refused with a status, or a start with a sentence; what was acknowledged is decided once later"

    def attack(self):
        self.numbers = set()
        self.number = 0
        self.chance.choice((self.few_files, self.little_memory, self.small_files, self.full_disk))()

    def send_bodies(self, service, count):
        """How many bodies were taken; a refusal is no failure, and is told when to come again."""
        taken = 0
        for _ in range(count):
            numbers = range(self.number, self.number + RECORDS_A_BODY)
            body = json_lines(serve_test.record(BEGIN + number, number=number) for number in numbers)
            self.number += RECORDS_A_BODY
            try:
                status, headers, text = service.ask("POST", "/v1/logs", body)
            except (OSError, http.client.HTTPException):
                self.expect_no_crash()
                continue  # closed for want of files: nothing was acknowledged
            if status == 200:
                taken += 1
                self.numbers.update(numbers)
                self.counts["acknowledged"] += RECORDS_A_BODY
            elif status not in REFUSED:
                raise Broken("others", f"answered with {status} for want of room: {text[:300]}")
            elif status == 503 and "retry-after" not in {name.lower() for name in headers}:
                raise Broken("others", f"refused without Retry-After: {text[:300]}")
        return taken

    def limited(self, limits):
        """Started so; nothing where it says that this is too little."""
        service = serve_test.Service(self.folder / "service", self.settings + KEPT, limits=limits)
        self.services.append(service)
        if service.port is not None:
            return service
        self.expect_refusal(service, "it was given too little")
        return None

    def expect_kept(self, service):
        """Without the limit, all that was acknowledged is there."""
        if service.process.poll() is None:
            if self.chance.random() < 0.5:
                self.kill(service)
            else:
                self.stop(service, codes=(0, 3))  # the limit holds also while it ends
        service = self.restart(service, self.settings + KEPT)
        if self.send_bodies(service, 3) != 3:
            raise Broken("others", "without the limit it does not take good records")
        self.expect_decided_once(service, self.numbers)

    def few_files(self):
        files = self.chance.choice((16, 24, 32, 40, 48, 64, 96))
        strangers = self.chance.choice((0, 20, 150))
        self.step(f"{files} files, {strangers} connections of strangers")
        service = self.limited(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)))
        if service is None:
            return
        held = []
        for _ in range(strangers):
            stream = socket.create_connection(("127.0.0.1", service.port), timeout=5)
            held.append(stream)
        self.send_bodies(service, 5)
        for stream in held:
            stream.close()
        self.await_taken(service, f"with {files} files it takes nothing after the strangers have gone")
        self.expect_kept(service)

    def little_memory(self):
        if serve_test.is_sanitized():
            self.skipTest("little memory: an instrumented program needs much address space")
        mebibytes = self.chance.choice((60, 120, 180, 250, 400, 800))
        self.step(f"{mebibytes} MiB of address space")
        service = self.limited(lambda: resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20)))
        if service is None:
            return
        for _ in range(10):
            self.send_bodies(service, 2)
            filling = self.chance.choice((b" ", b'{"a":1}\n', b"x"))
            body = serve_test.gzip.compress(filling * ((100 << 20) // len(filling)), 1, mtime=0)
            self.step(f"100 MiB of {filling!r}, compressed")
            try:
                service.ask("POST", "/v1/logs", body)
            except (OSError, http.client.HTTPException):
                pass  # whether it lives is asked next
            if service.process.poll() is not None:
                break
        # For want of memory it may end, with a sentence; not by a signal.
        self.expect_no_crash()
        self.expect_kept(service)

    def small_files(self):
        kibibytes = self.chance.choice((400, 700, 1500))
        self.step(f"no file of more than {kibibytes} KiB")

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (kibibytes << 10, resource.RLIM_INFINITY))
        service = self.limited(limit)
        if service is None:
            return
        with self.watched(service):
            self.send_bodies(service, 60)
        if self.chance.random() < 0.5:
            self.kill(service)
        self.expect_kept(service)

    def full_disk(self):
        disk = self.folder / "disk"
        disk.mkdir()
        mebibytes = self.chance.choice((10, 16, 24))
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "keyvigil-attack", str(disk)],
                                 stderr=subprocess.PIPE, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"full disk: needs to mount a small file system: {mounted.stderr.decode().strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=True)
        inside = disk / "service"
        inside.mkdir()
        (self.folder / "service").symlink_to(inside)
        (inside / "log.jsonl").symlink_to(self.folder / "log.jsonl")
        self.settings = self.settings.replace("../", str(self.folder) + "/")
        self.step(f"a disk of {mebibytes} MiB")
        service = self.start(settings=self.settings + KEPT)
        ballast = disk / "ballast"
        for _ in range(3):
            self.send_bodies(service, 5)
            left = self.chance.choice((0, 20, 80, 300)) << 10
            self.step(f"fill the disk up to {left} bytes")
            self.count_harm()
            fill(ballast, left)
            with self.watched(service):
                self.send_bodies(service, 20)
            if self.chance.random() < 0.4:
                self.step("kill it on the full disk")
                self.kill(service)
                service = self.limited(None)
            ballast.unlink()
            service = service or self.restart(self.services[-1], self.settings + KEPT)
            self.await_taken(service, "there is room again, and it takes nothing")
        self.expect_kept(service)

    def await_taken(self, service, otherwise):
        deadline = time.monotonic() + RECOVERS_WITHIN_SECONDS
        while not self.send_bodies(service, 1):
            if time.monotonic() > deadline:
                raise Broken("hangs", otherwise)
            time.sleep(0.2)


def fill(ballast, left):
    """Until only so many bytes are free."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(0, file.tell() - left))
