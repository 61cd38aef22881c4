# SPDX-License-Identifier: GPL-3.0-or-later
"""Trees of files, as bytes: walking them and reading their bytes in several ways."""

import mmap
import os
import random
import stat
import sys
import time

PIECE = 1 << 20
SLOWER = int(os.environ.get("CK_TIMEOUT_MULTIPLIER", "1"))


def die(text):
    print(f"{os.path.basename(sys.argv[0])}: {text}", file=sys.stderr)
    sys.exit(1)


def walk(root):
    """(path below root, lstat) of everything, parents first, in order of names."""
    root = os.fsencode(root)

    def below(rel):
        for name in sorted(os.listdir(os.path.join(root, rel))):
            path = os.path.join(rel, name)
            st = os.lstat(os.path.join(root, path))
            yield path, st
            if stat.S_ISDIR(st.st_mode):
                yield from below(path)

    yield b"", os.lstat(root)
    yield from below(b"")


def regular(root):
    """Paths below root of all regular files."""
    return [path for path, st in walk(root) if stat.S_ISREG(st.st_mode)]


def contents(path):
    with open(path, "rb") as file:
        return file.read()


# --- ways of reading; each returns all bytes ---------------------------------------------


def read_whole(path):
    return contents(path)


def read_odd(path):
    """In pieces of odd sizes, so that pieces end inside pages."""
    out = []
    fd = os.open(path, os.O_RDONLY)
    try:
        size = 1
        while piece := os.read(fd, size):
            out.append(piece)
            size = size * 3 % 300007 + 1
    finally:
        os.close(fd)
    return b"".join(out)


def read_random(path, rng=random):
    """All pages, in random order, by pread."""
    fd = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(fd).st_size
        step = max(4096, -(-size // 256 // 4096) * 4096)
        offsets = list(range(0, size, step))
        rng.shuffle(offsets)
        pieces = {off: os.pread(fd, step, off) for off in offsets}
        if os.pread(fd, 10, size) != b"":
            die(f"{path!r}: bytes past its end")
    finally:
        os.close(fd)
    return b"".join(pieces[off] for off in sorted(pieces))


def read_mmap(path):
    """Through a mapping whose file is closed already, as Arrow does it."""
    fd = os.open(path, os.O_RDONLY)
    try:
        if os.fstat(fd).st_size == 0:
            return b""
        mapping = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
    finally:
        os.close(fd)
    with mapping:
        return mapping[:]


READERS = {"whole": read_whole, "odd": read_odd, "random": read_random, "mmap": read_mmap}


def first_difference(a, b):
    n = min(len(a), len(b))
    low, high = 0, n
    while low < high:  # the longest common beginning
        middle = (low + high + 1) // 2
        if a[:middle] == b[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def explain(path, got, want):
    at = first_difference(got, want)
    return (
        f"{path!r}: {len(got)} bytes, should be {len(want)}; they differ from {at}: "
        f"{got[at:at + 16]!r} should be {want[at:at + 16]!r}"
    )


# --- waiting -----------------------------------------------------------------------------


def await_true(what, condition, seconds):
    end = time.monotonic() + seconds * SLOWER
    while not condition():
        if time.monotonic() > end:
            die(f"waited in vain for {what}")
        time.sleep(0.01)


def thaw_state(path):
    return os.getxattr(path, "user.thaw.state", follow_symlinks=False).decode()
