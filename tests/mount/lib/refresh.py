# SPDX-License-Identifier: GPL-3.0-or-later
"""refresh.py make|changes|random|during|same ...: an archive that changes under its mount.

Every file is one line over and over, which names the file's version: a mixture of two
versions shows by itself.
"""

import errno
import mmap
import os
import random
import shutil
import stat
import subprocess
import sys
import threading
import time

from files import await_true, contents, die, thaw_state, walk

counter = 0


def text(tag, lines=3000):
    """About 60 KB of one line."""
    return b"".join([b"%-16s-" % tag.encode()[:16]] * lines + [b"."])


def write(path, tag, lines=3000):
    with open(path, "wb") as file:
        file.write(text(tag, lines))


def replace(path, tag, lines=3000):
    write(path + ".new", tag, lines)
    os.rename(path + ".new", path)


def is_whole(data):
    """One version, and all of it."""
    if not data:
        return True
    if data[-1:] != b"." or (len(data) - 1) % 17:
        return False
    return data[:-1] == data[:17] * ((len(data) - 1) // 17)


def make(root):
    for name in ("changes", "grows", "shrinks", "vanishes", "vanishes-staged", "renamed",
                 "becomes-dir", "becomes-link", "touched", "mode", "swap-a", "swap-b",
                 "rewritten", "stays", "emptied", "restored"):
        write(f"{root}/{name}", name)
    os.makedirs(f"{root}/becomes-file/inside")
    write(f"{root}/becomes-file/inside/file", "inner")
    os.makedirs(f"{root}/dir-vanishes/below")
    write(f"{root}/dir-vanishes/below/file", "below")
    os.makedirs(f"{root}/dir-renamed")
    write(f"{root}/dir-renamed/file", "moved")
    os.symlink("changes", f"{root}/link-changes")
    os.symlink("changes", f"{root}/link-becomes-file")
    write(f"{root}/hard-a", "hard")
    os.link(f"{root}/hard-a", f"{root}/hard-b")
    for i in range(40):
        os.makedirs(f"{root}/random/d{i % 5}", exist_ok=True)
        write(f"{root}/random/d{i % 5}/f{i}", f"f{i}-0", 500)


def run_import(thaw, path):
    done = subprocess.run([thaw, "import", path], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False)
    if done.returncode:
        die(f"import: exit {done.returncode}: {done.stderr}")


# --- comparing ---------------------------------------------------------------------------


def is_lost(path):
    """Listed, and an error to open, everything below it too."""
    st = os.lstat(path)
    if stat.S_ISLNK(st.st_mode):
        return True
    if thaw_state(path) != "lost":
        return False
    if stat.S_ISREG(st.st_mode):
        try:
            os.close(os.open(path, os.O_RDONLY))
            die(f"{path} is lost and opens")
        except OSError as error:
            if error.errno != errno.EIO:
                die(f"{path} is lost: {error}")
    return True


def differences(archive, mount):
    want, got = dict(walk(archive)), dict(walk(mount))
    want.pop(b""), got.pop(b"")
    for path in want.keys() - got.keys():
        yield f"{path!r} is not shown"
    for path in got.keys() - want.keys():
        at = os.path.join(mount, os.fsdecode(path))
        if not is_lost(at):
            yield f"{path!r} vanished and is {thaw_state(at)}"
    for path in want.keys() & got.keys():
        a, b = want[path], got[path]
        for field in ("st_mode", "st_mtime_ns", "st_uid", "st_nlink", "st_size"):
            if stat.S_ISDIR(a.st_mode) and field in ("st_nlink", "st_size"):
                continue
            if getattr(a, field) != getattr(b, field):
                yield f"{path!r}: {field} is {getattr(b, field)}, should be {getattr(a, field)}"
        old, new = os.path.join(archive, os.fsdecode(path)), os.path.join(mount, os.fsdecode(path))
        if stat.S_ISLNK(a.st_mode):
            if os.readlink(old) != os.readlink(new):
                yield f"{path!r} leads to {os.readlink(new)!r}"
        elif stat.S_ISREG(a.st_mode) and stat.S_ISREG(b.st_mode):
            if contents(new) != contents(old):
                yield f"{path!r} holds {contents(new)[:17]!r}, should be {contents(old)[:17]!r}"


def same(archive, mount):
    found = list(differences(archive, mount))
    if found:
        die("after an import:\n\t" + "\n\t".join(found[:20]))


# --- one of each -------------------------------------------------------------------------


def absent(path):
    try:
        os.lstat(path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return True
        raise
    return False


APPEAR = ("appears", "becomes-dir/below", "new-dir/new-file", "renamed-to", "dir-renamed-to/file",
          "new-link", "hard-c")


def fill_caches(mount):
    for path, st in walk(mount):
        at = os.path.join(mount, os.fsdecode(path))
        if stat.S_ISREG(st.st_mode) and not at.endswith("/vanishes"):
            contents(at)
        elif stat.S_ISLNK(st.st_mode):
            os.readlink(at)
    for name in APPEAR:
        if not absent(f"{mount}/{name}"):
            die(f"{name} is there already")


def change(root):
    replace(f"{root}/changes", "changed")  # as long as before
    replace(f"{root}/grows", "grown", 9000)
    replace(f"{root}/shrinks", "shrunk", 10)
    write(f"{root}/rewritten", "rewritten2")  # the same inode
    open(f"{root}/emptied", "wb").close()
    for name in ("vanishes", "vanishes-staged", "becomes-dir", "becomes-link",
                 "link-changes", "link-becomes-file", "hard-b"):
        os.unlink(f"{root}/{name}")
    shutil.rmtree(f"{root}/becomes-file")
    shutil.rmtree(f"{root}/dir-vanishes")
    os.mkdir(f"{root}/becomes-dir")
    write(f"{root}/becomes-dir/below", "below")
    write(f"{root}/becomes-file", "a file")
    os.symlink("stays", f"{root}/becomes-link")
    os.symlink("stays", f"{root}/link-changes")
    write(f"{root}/link-becomes-file", "was a link")
    os.rename(f"{root}/renamed", f"{root}/renamed-to")
    os.rename(f"{root}/dir-renamed", f"{root}/dir-renamed-to")
    os.rename(f"{root}/swap-a", f"{root}/swap-c")
    os.rename(f"{root}/swap-b", f"{root}/swap-a")
    os.rename(f"{root}/swap-c", f"{root}/swap-b")
    os.utime(f"{root}/touched", (1000000000, 1000000000))
    os.chmod(f"{root}/mode", 0o600)
    write(f"{root}/appears", "appears")
    os.mkdir(f"{root}/new-dir")
    write(f"{root}/new-dir/new-file", "new")
    os.symlink("appears", f"{root}/new-link")
    os.link(f"{root}/hard-a", f"{root}/hard-c")


class Held:
    """An open file and a mapping of it, from before a change."""

    def __init__(self, path):
        self.path = path
        self.fd = os.open(path, os.O_RDONLY)
        self.map = mmap.mmap(self.fd, 0, prot=mmap.PROT_READ)
        self.before = contents(path)
        self.cold = os.open(path, os.O_RDONLY)  # not read before the change

    def check(self):
        size = os.fstat(self.fd).st_size
        for what, got in (("open file", os.pread(self.fd, 1 << 20, 0)), ("mapping", self.map[:]),
                          ("unread open file", os.pread(self.cold, 1 << 20, 0))):
            if got != self.before:
                die(f"{what} of {self.path} changed: {len(got)} bytes, {got[:17]!r}")
        if size != len(self.before):
            die(f"fstat of an open {self.path} says {size}, should be {len(self.before)}")

    def close(self):
        self.map.close()
        os.close(self.fd)
        os.close(self.cold)


def changes(archive, mount, thaw):
    fill_caches(mount)
    before = sorted(path for path, _ in walk(mount))
    held = [Held(f"{mount}/{name}") for name in
            ("changes", "grows", "shrinks", "rewritten", "vanishes-staged", "becomes-dir",
             "renamed", "emptied", "becomes-file/inside/file", "dir-vanishes/below/file")]
    change(archive)
    if sorted(path for path, _ in walk(mount)) != before:
        die("names changed before the import")
    if contents(f"{mount}/changes") != text("changes"):
        die("a staged file changed before the import")
    for each in held:
        each.check()
    run_import(thaw, mount)
    same(archive, mount)
    for each in held:
        each.check()
        each.close()
    for name in ("vanishes", "vanishes-staged", "dir-vanishes", "dir-vanishes/below/file",
                 "renamed", "dir-renamed"):
        if not is_lost(f"{mount}/{name}"):
            die(f"{name} vanished and is {thaw_state(f'{mount}/{name}')}")
    if os.getxattr(f"{mount}/changes", "user.thaw.version") != b"2":
        die(f"version of a changed file: {os.getxattr(f'{mount}/changes', 'user.thaw.version')}")
    comes_back(archive, mount, thaw)


def comes_back(archive, mount, thaw):
    write(f"{archive}/vanishes", "is back")
    os.makedirs(f"{archive}/dir-vanishes/below")
    write(f"{archive}/dir-vanishes/below/file", "back too")
    run_import(thaw, mount)
    same(archive, mount)
    if contents(f"{mount}/vanishes") != text("is back"):
        die("what came back is not what it is")


# --- random ------------------------------------------------------------------------------


def mutate(root, rng, generation):
    names = [os.fsdecode(p) for p, st in walk(root) if stat.S_ISREG(st.st_mode)]
    for _ in range(rng.randrange(1, 12)):
        at = f"{root}/{rng.choice(names)}"
        new = f"{root}/d{rng.randrange(7)}/f{rng.randrange(60)}"
        os.makedirs(os.path.dirname(new), exist_ok=True)
        kind = rng.choice(("replace", "replace", "remove", "move", "new"))
        tag = f"{os.path.basename(new)}-{generation}"
        if kind == "new":
            replace(new, tag, rng.randrange(1, 4000))
        elif os.path.exists(at):
            if kind == "replace":
                replace(at, tag, rng.randrange(1, 4000))
            elif kind == "move" and at != new:
                os.rename(at, new)
            elif kind == "remove":
                os.unlink(at)


# What a reader may meet while names come and go.
FAIR = (errno.ENOENT, errno.ESTALE, errno.EIO, errno.ENOTDIR)


class Readers:
    def __init__(self, mount, count):
        self.mount, self.over, self.failure, self.reads = mount, False, None, 0
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        rng = random.Random(number)
        while not self.over and not self.failure:
            path = f"{self.mount}/d{rng.randrange(7)}/f{rng.randrange(60)}"
            try:
                data = contents(path)
            except OSError as error:
                if error.errno not in FAIR:
                    self.failure = f"{path}: {error}"
                continue
            self.reads += 1
            if not is_whole(data):
                self.failure = f"{path}: a mixture, {len(data)} bytes: {set(data[:-1].split(b'-'))}"

    def stop(self):
        self.over = True
        for thread in self.threads:
            thread.join()
        if self.failure:
            die(f"reading during changes: {self.failure}")


def random_changes(archive, mount, thaw, seed):
    rng = random.Random(int(seed))
    readers = Readers(f"{mount}/random", 6)
    end = time.monotonic() + 10
    generation = 0
    while time.monotonic() < end and not readers.failure:
        generation += 1
        mutate(f"{archive}/random", rng, generation)
        run_import(thaw, rng.choice((mount, f"{mount}/random")))
        same(f"{archive}/random", f"{mount}/random")
        if rng.randrange(3) == 0:
            subprocess.run([thaw, "evict", mount], check=False, capture_output=True)
    readers.stop()
    print(f"refresh: {generation} imports, {readers.reads} reads beside them, seed {seed}")


# --- during a transfer -------------------------------------------------------------------


def faults(control, line):
    with open(control + ".new", "w", encoding="ascii") as file:
        file.write(line + "\n")
    os.rename(control + ".new", control)


def read_into(path, result):
    try:
        result.append(contents(path))
    except OSError as error:
        result.append(error)


def change_in_flight(archive, mount, control, rewrite):
    """An offline file is read slowly, and written anew when some of it has come."""
    name = "in-flight"
    path, result = f"{mount}/{name}", []
    faults(control, "rate = 100K")
    reader = threading.Thread(target=read_into, args=(path, result))
    reader.start()
    await_true("the transfer to begin", lambda: thaw_state(path) == "fetching", 10)
    time.sleep(0.1)
    rewrite(f"{archive}/{name}", "the new one")
    faults(control, "")
    reader.join(20)
    if reader.is_alive():
        die("a reader hangs after its file changed")
    if isinstance(result[0], OSError):
        if result[0].errno not in (errno.EIO, errno.ESTALE, errno.EAGAIN):
            die(f"a file that changed: {result[0]}")
    elif result[0] != text("the new one"):
        die(f"a file that changed while it came: {len(result[0])} bytes, {result[0][:17]!r}, "
            f"whole: {is_whole(result[0])}")
    return type(result[0]).__name__


def during(archive, mount, thaw, control):
    for rewrite in (replace, write):
        write(f"{archive}/in-flight", "the old one")
        run_import(thaw, mount)
        seen = change_in_flight(archive, mount, control, rewrite)
        print(f"refresh: {rewrite.__name__} during a transfer: {seen}")
        run_import(thaw, mount)
        same(archive, mount)
    not_listed(archive, mount, thaw)


def not_listed(archive, mount, thaw):
    """Offline, changed in the archive, not imported: the new bytes or an error."""
    write(f"{archive}/unseen", "as listed")
    run_import(thaw, mount)
    replace(f"{archive}/unseen", "never listed", 5000)
    for _ in range(3):
        result = []
        read_into(f"{mount}/unseen", result)
        if isinstance(result[0], bytes) and result[0] != text("never listed", 5000):
            die(f"a changed file reads as {len(result[0])} bytes, {result[0][:17]!r}")
    print(f"refresh: changed and not imported: {type(result[0]).__name__}")
    os.unlink(f"{archive}/unseen")
    result = []
    subprocess.run([thaw, "evict", mount], check=False, capture_output=True)
    read_into(f"{mount}/unseen", result)
    if not isinstance(result[0], OSError) or result[0].errno == errno.ENOENT:
        die(f"a vanished file that no import missed: {result[0]!r}")
    run_import(thaw, mount)
    same(archive, mount)


{"make": make, "changes": changes, "random": random_changes, "during": during, "same": same}[
    sys.argv[1]](*sys.argv[2:])
