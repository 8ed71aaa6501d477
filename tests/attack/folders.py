"""A followed folder in every state: what is wrong with one file keeps no record of another one from being decided."""
import os
import time

from rounds import BEGIN, KEPT, Broken, Round, json_lines, serve_test

UNCERTAIN = 500_000  # numbers of records in files that come to harm
NOBODY = 65534
LOOKS_SECONDS = 2.5  # two looks at the folder


class Folders(Round):
    name = "folders"
    what = "files deleted, made unreadable, replaced, cut, renamed, pipes, links in a circle, huge lines, growing"
    holds = "all records of good files decided once, each record of the others once at most; the service ends in time"

    def attack(self):
        self.followed = self.folder / "followed"
        self.followed.mkdir()
        self.good = self.followed / "good"
        self.good.mkdir()
        self.number, self.uncertain, self.names = 0, UNCERTAIN, 0
        self.good_numbers = set()
        self.waiting = {}  # by path: the second half of a line whose first is written
        for _ in range(3):
            self.grow()
        self.harmed = [self.new_file() for _ in range(4)]
        settings = self.settings + KEPT + "  inputs: [{folder: ../followed, poll_seconds: 1}]\n"
        service = self.start(settings=settings, limits=self.become_nobody())
        states = (self.delete, self.unreadable, self.replace, self.cut, self.rename, self.pipe, self.circle, self.huge,
                  self.folder_instead, self.socket_or_device, self.garbage, self.compressed, self.sparse, self.odd_name)
        with self.watched(service):
            for _ in range(30):
                self.chance.choice(states)()
                self.grow()
                time.sleep(0.05)
            self.end_lines()
            time.sleep(LOOKS_SECONDS)
            found = self.expect_decided_once(service, self.good_numbers)
        self.counts["acknowledged"] += len(self.good_numbers)
        self.expect_once(found)
        strange = sorted(number for number in found if UNCERTAIN > number and number not in self.good_numbers)
        if strange:
            raise Broken("others", f"records were decided that nobody wrote: {strange[:20]}")
        self.stop(service)

    def become_nobody(self):
        """Root may read everything: as somebody else, files can be unreadable."""
        if os.geteuid() != 0:
            return None
        (self.folder / "service").mkdir()
        for path in (self.folder / "service", self.followed, *self.followed.rglob("*")):
            os.chown(path, NOBODY, NOBODY)

        def become():
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        return become

    # Good files: they only grow, by whole and by half lines.

    def grow(self):
        path = self.good / f"{self.chance.randrange(6)}.json"
        count = self.chance.randrange(1, 30)
        body = json_lines(serve_test.record(BEGIN + number, number=number)
                          for number in range(self.number, self.number + count))
        self.good_numbers.update(range(self.number, self.number + count))
        self.number += count
        cut = self.chance.randrange(len(body)) if self.chance.random() < 0.5 else len(body)
        self.step(f"{path.name} grows by {count} records, {cut} of {len(body)} bytes now")
        with path.open("ab", buffering=0) as file:
            file.write(self.waiting.pop(path, b"") + body[:cut])
        if body[cut:]:
            self.waiting[path] = body[cut:]

    def end_lines(self):
        for path, rest in self.waiting.items():
            with path.open("ab", buffering=0) as file:
                file.write(rest)

    # Files that come to harm.

    def some_lines(self, most=20):
        count = self.chance.randrange(1, most)
        self.uncertain += count
        return json_lines(serve_test.record(BEGIN + number - UNCERTAIN, number=number)
                          for number in range(self.uncertain - count, self.uncertain))

    def new_name(self):
        self.names += 1
        return self.followed / f"{self.names}-{self.chance.choice('abcdefgh')}.json"

    def new_file(self, content=None):
        path = self.new_name()
        path.write_bytes(self.some_lines() if content is None else content)
        return path

    def pick(self):
        """One of the files that come to harm, which is there as a file; a new one where there is none."""
        self.harmed = [path for path in self.harmed if path.is_file() and not path.is_symlink()]
        if not self.harmed:
            self.harmed.append(self.new_file())
        return self.chance.choice(self.harmed)

    def delete(self):
        path = self.pick()
        self.step(f"delete {path.name}")
        path.unlink()
        self.harmed.append(self.new_file())

    def unreadable(self):
        path = self.pick()
        self.step(f"nobody may read {path.name}")
        path.chmod(0 if self.chance.random() < 0.7 else 0o644)

    def replace(self):
        path = self.pick()
        self.step(f"replace {path.name}")
        self.new_file().replace(path)

    def cut(self):
        path = self.pick()
        size = self.chance.randrange(path.stat().st_size + 1)
        self.step(f"cut {path.name} to {size}")
        os.truncate(path, size)

    def rename(self):
        path, other = self.pick(), self.new_name()
        self.step(f"rename {path.name} to {other.name}")
        path.rename(other)
        self.harmed.append(other)

    def pipe(self):
        path = self.pick()
        self.step(f"{path.name} becomes a pipe")
        path.unlink()
        os.mkfifo(path)

    def circle(self):
        path, other = self.pick(), self.new_name()
        self.step(f"{path.name} and {other.name} become links in a circle")
        path.unlink()
        path.symlink_to(other)
        other.symlink_to(path)
        (self.followed / f"up-{self.names}").symlink_to(self.followed)

    def huge(self):
        path, length = self.pick(), self.chance.choice((2 << 20, 40 << 20))
        self.step(f"{path.name} gets a line of {length}")
        with path.open("ab") as file:
            file.write(b"x" * length + self.chance.choice((b"", b"\n")) + self.some_lines())

    def folder_instead(self):
        path = self.pick()
        self.step(f"{path.name} becomes a folder")
        path.unlink()
        path.mkdir(mode=self.chance.choice((0, 0o755)))

    def socket_or_device(self):
        path, target = self.pick(), self.chance.choice(("/dev/zero", "/dev/full", "/dev/stdin", "/proc/self/mem"))
        self.step(f"{path.name} becomes a link to {target}")
        path.unlink()
        path.symlink_to(target)

    def garbage(self):
        path = self.pick()
        self.step(f"{path.name} is overwritten by garbage in place")
        with path.open("r+b") as file:
            file.write(self.chance.randbytes(self.chance.choice((10, 5000))))

    def compressed(self):
        path, kind = self.new_name(), self.chance.choice(("bomb", "cut", "grows"))
        self.step(f"{path.name} is compressed, {kind}")
        whole = serve_test.gzip.compress(b" " * (300 << 20) if kind == "bomb" else self.some_lines(200), 1, mtime=0)
        path.write_bytes(whole if kind == "bomb" else whole[:len(whole) // 2])
        if kind == "grows":
            with path.open("ab") as file:
                file.write(whole[len(whole) // 2:])

    def sparse(self):
        path, size = self.new_name(), self.chance.choice((300 << 20, 1 << 40))
        self.step(f"{path.name} is a hole of {size}")
        with path.open("wb") as file:
            file.truncate(size)

    def odd_name(self):
        name = self.chance.choice((b"new\nline.json", b"\x1b[31m.json", b"\xff\xfe.json", b"x" * 250, b"...", b"a%2fb",
                                   "\u202e.json".encode()))
        self.step(f"a file named {name!r}")
        with open(os.path.join(os.fsencode(self.followed), name), "ab") as file:
            file.write(self.some_lines())
