# SPDX-License-Identifier: GPL-3.0-or-later
"""model.py make MODEL ARCHIVE SEED | play MODEL ARCHIVE MOUNT THAW CONTROL SEED
            | check MODEL ARCHIVE MOUNT THAW

The model knows, of every file, its bytes (by the number they are made of), whether it is still
in the archive, and the pins. What it does not know is what is on flash: that is asked, and
must agree with the pins, with the sums of directories, and with what was just done.
"""

import json
import mmap
import os
import random
import subprocess
import sys

from files import await_true, contents, explain, thaw_state

DIRS = ("", "a", "a/b", "c")
SIZES = (0, 1, 4096, 30000, 130000, 400000, 700000, 1500000)


def data_of(number, size):
    return random.Random(number).randbytes(size)


class Wrong(Exception):
    pass


class Model:
    def __init__(self, path):
        self.path = path
        with open(path, encoding="ascii") as file:
            state = json.load(file)
        self.files = state["files"]  # name: {number, size, lost}
        self.pins = set(state["pins"])  # names of files and directories
        self.next = state["next"]

    def save(self):
        state = {"files": self.files, "pins": sorted(self.pins), "next": self.next}
        with open(self.path, "w", encoding="ascii") as file:
            json.dump(state, file)

    def data(self, name):
        return data_of(self.files[name]["number"], self.files[name]["size"])

    def present(self):
        return sorted(name for name, file in self.files.items() if not file["lost"])

    def pinned(self, name):
        while name:
            if name in self.pins:
                return True
            name = os.path.dirname(name)
        return "" in self.pins

    def write(self, archive, name, rng):
        """A new version, put in place at once or written over the old one."""
        size = rng.choice(SIZES)
        at = os.path.join(archive, name)
        self.files[name] = {"number": self.next, "size": size, "lost": False}
        self.next += 1
        temporary = at if rng.randrange(3) == 0 else os.path.join(archive, ".new")
        with open(temporary, "wb") as file:
            file.write(self.data(name))
        if temporary != at:
            os.rename(temporary, at)


class Play:
    def __init__(self, model, archive, mount, thaw, control=None, seed="0"):
        self.model, self.archive, self.mount, self.thaw = model, archive, mount, thaw
        self.control, self.rng = control, random.Random(seed)
        self.held = []  # (name, fd, mapping, bytes)
        self.log = []

    def at(self, name):
        return os.path.join(self.mount, name)

    def run(self, *words, codes=(0,)):
        done = subprocess.run([self.thaw, *words], capture_output=True, text=True, check=False)
        if done.returncode not in codes:
            raise Wrong(f"thaw {' '.join(words)}: exit {done.returncode}: {done.stderr}")

    def a_file(self):
        return self.rng.choice(self.model.present())

    def a_place(self):
        return self.rng.choice([*DIRS, self.a_file(), self.a_file()])

    def faults(self, text):
        with open(self.control + ".new", "w", encoding="ascii") as file:
            file.write(text + "\n")
        os.rename(self.control + ".new", self.control)

    def same(self, name, got, what):
        want = self.model.data(name)
        if got != want:
            raise Wrong(f"{what} of " + explain(name, got, want))

    # --- moves ---

    def read(self):
        name = self.a_file()
        self.same(name, contents(self.at(name)), "read")

    def read_all_of_a_directory(self):
        directory = self.rng.choice(DIRS)
        for name in self.model.present():
            if os.path.dirname(name) == directory:
                self.same(name, contents(self.at(name)), "read")

    def hold(self):
        name = self.a_file()
        fd = os.open(self.at(name), os.O_RDONLY)
        mapping = None
        if self.model.files[name]["size"]:
            mapping = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
        self.held.append((name, fd, mapping, self.model.data(name)))

    def look_at_held(self):
        for name, fd, mapping, want in self.held:
            got = os.pread(fd, len(want) + 1, 0)
            if len(got) < len(want):
                got += os.pread(fd, len(want), len(got))
            if got != want or (mapping and mapping[:] != want):
                raise Wrong("held " + explain(name, got, want))

    def let_go(self):
        while self.held:
            _, fd, mapping, _ = self.held.pop()
            os.close(fd)
            if mapping:
                mapping.close()

    def stage(self):
        place = self.a_place()
        self.run("stage", "--wait", self.at(place), codes=(0, 3))
        for name in self.model.present():
            if (name + "/").startswith(place + "/" if place else ""):
                self.expect_state(name, "online")

    def pin(self):
        place = self.a_place()
        self.run("pin", "--wait", self.at(place), codes=(0, 3))
        self.model.pins.add(place)

    def unpin(self):
        if self.model.pins:
            place = self.rng.choice(sorted(self.model.pins))
            self.run("unpin", self.at(place))
            self.model.pins.remove(place)

    def evict(self):
        self.let_go()
        # What an import brought under a pin is kept once it is there.
        kept = [n for n in self.model.present()
                if self.model.pinned(n) and thaw_state(self.at(n)) == "online"]
        self.run("evict", self.mount, codes=(0, 1, 3))
        for name in kept:
            self.expect_state(name, "online")
        # RELEASE comes a little after close.
        free = [n for n in self.model.present() if not self.model.pinned(n)]
        if self.rng.randrange(2) and free:
            name = self.rng.choice(free)
            await_true(f"{name} to leave", lambda: self.gone(name), 10)

    def gone(self, name):
        self.run("evict", self.at(name), codes=(0, 1))
        return thaw_state(self.at(name)) == "offline"

    def change(self):
        imported = set(self.model.files)
        for _ in range(self.rng.randrange(1, 4)):
            kind = self.rng.randrange(4)
            if kind == 0:
                directory = self.rng.choice(DIRS)
                name = os.path.join(directory, f"n{self.rng.randrange(20)}")
                self.model.write(self.archive, name, self.rng)
            elif kind == 1 and len(self.model.present()) > 10:
                name = self.a_file()
                os.unlink(os.path.join(self.archive, name))
                self.model.files[name]["lost"] = True
                if name not in imported:  # nobody ever saw it
                    del self.model.files[name]
            else:
                self.model.write(self.archive, self.a_file(), self.rng)
        self.run("import", self.mount)

    def faulty(self):
        """Errors are allowed while the archive errs; wrong bytes never are."""
        self.faults(self.rng.choice((
            "error_rate = 50", "eagain_rate = 60", "short_rate = 50", "stale_rate = 50",
            "delay = 10", "rate = 2M", "down = yes")))
        for _ in range(3):
            name = self.a_file()
            if self.control and open(self.control, encoding="ascii").read() == "down = yes\n" \
                    and thaw_state(self.at(name)) != "online":
                continue  # it would wait
            try:
                self.same(name, contents(self.at(name)), "read in trouble")
            except OSError:
                pass
        self.faults("")
        self.run("stage", "--wait", self.mount, codes=(0, 3))

    # --- rules ---

    def expect_state(self, name, state):
        got = thaw_state(self.at(name))
        if got != state:
            raise Wrong(f"{name} is {got}, should be {state}")

    def check(self):
        online = {}
        for name, file in self.model.files.items():
            path = self.at(name)
            if file["lost"]:
                self.expect_state(name, "lost")
                online[name] = int(os.getxattr(path, "user.thaw.cached_bytes"))
                continue
            st = os.stat(path)
            if st.st_size != file["size"]:
                raise Wrong(f"{name} has {st.st_size} bytes, should have {file['size']}")
            pin = os.getxattr(path, "user.thaw.pin").decode()
            if (pin != "none") != self.model.pinned(name):
                raise Wrong(f"{name}: pin is {pin}; pins are {self.model.pins}")
            if thaw_state(path) == "online":
                online[name] = file["size"]
            size = int(os.getxattr(path, "user.thaw.cached_bytes"))
            if size != online.get(name, 0):
                raise Wrong(f"{name} is {thaw_state(path)} with {size} bytes")
        self.check_sums(online)
        self.check_listings()

    def check_sums(self, online):
        for directory in DIRS:
            want = sum(size for name, size in online.items()
                       if (name + "/").startswith(directory + "/" if directory else ""))
            got = int(os.getxattr(self.at(directory), "user.thaw.cached_bytes"))
            if got != want:
                raise Wrong(f"cached_bytes of {directory!r} is {got}, should be {want}")

    def check_listings(self):
        for directory in DIRS:
            want = {os.path.basename(n) for n in self.model.files
                    if os.path.dirname(n) == directory}
            want |= {os.path.basename(d) for d in DIRS if d and os.path.dirname(d) == directory}
            got = set(os.listdir(self.at(directory)))
            if got != want:
                raise Wrong(f"{directory!r} lists {sorted(got ^ want)} too many or too few")

    def play(self):
        moves = (self.read, self.read, self.read_all_of_a_directory, self.hold, self.hold,
                 self.look_at_held, self.let_go, self.stage, self.pin, self.unpin, self.evict,
                 self.evict, self.change, self.change, self.faulty)
        for _ in range(25):
            move = self.rng.choice(moves)
            self.log.append(move.__name__)
            move()
        self.look_at_held()
        self.let_go()


def make(path, archive, seed):
    with open(path, "w", encoding="ascii") as file:
        json.dump({"files": {}, "pins": [], "next": int(seed) * 1000}, file)
    model, rng = Model(path), random.Random(seed)
    for directory in DIRS:
        os.makedirs(os.path.join(archive, directory), exist_ok=True)
    for i in range(30):
        model.write(archive, os.path.join(rng.choice(DIRS), f"f{i}"), rng)
    model.save()


def guarded(action, play):
    try:
        action()
        play.model.save()
    except (Wrong, OSError) as error:
        print(f"model: {error}\n\tafter {' '.join(play.log[-12:])}", file=sys.stderr)
        sys.exit(1)


def main():
    if sys.argv[1] == "make":
        make(*sys.argv[2:])
        return
    play = Play(Model(sys.argv[2]), *sys.argv[3:])
    guarded(play.play if sys.argv[1] == "play" else play.check, play)


main()
