# SPDX-License-Identifier: GPL-3.0-or-later
"""modes.py ARCHIVE MOUNT THAW SEED: many opens of one inode, of every kind, for some seconds.

Each thread keeps a few handles and mappings of the same files open, drops them at random
moments, and reads through them; another evicts. Any error, and any wrong byte, is a failure.
"""

import mmap
import os
import random
import subprocess
import sys
import threading
import time

from files import contents, die, explain, regular

archive, mount, thaw, seed = sys.argv[1:]
WANT = {path: contents(os.path.join(os.fsencode(archive), path)) for path in regular(archive)}
NAMES = sorted(WANT)
end = time.monotonic() + 4
failures = []
done = [0]


def fail(path, what):
    failures.append(f"{path!r}: {what}")


def check(path, off, got):
    want = WANT[path][off:off + len(got)]
    if got != want or not got:
        fail(path, f"at {off}: " + explain(path, got, want))


class Handle:
    def __init__(self, path, rng):
        self.path = path
        self.fd = os.open(os.path.join(os.fsencode(mount), path), os.O_RDONLY)
        self.map = None
        if rng.randrange(3) == 0:
            self.map = mmap.mmap(self.fd, 0, prot=mmap.PROT_READ,
                                 flags=rng.choice((mmap.MAP_SHARED, mmap.MAP_PRIVATE)))
            if rng.randrange(2):
                os.close(self.fd)
                self.fd = -1

    def use(self, rng):
        off = rng.randrange(len(WANT[self.path]))
        if self.map:
            check(self.path, off, self.map[off:off + 5000])
        if self.fd >= 0:
            check(self.path, off, os.pread(self.fd, rng.choice((10, 5000, 200000)), off))

    def close(self):
        if self.map:
            self.map.close()
        if self.fd >= 0:
            os.close(self.fd)


def reader(number):
    rng = random.Random(f"{seed}-{number}")
    handles = []
    try:
        while time.monotonic() < end and not failures:
            if len(handles) < 4 and rng.randrange(2):
                handles.append(Handle(rng.choice(NAMES), rng))
            for handle in handles:
                handle.use(rng)
            if handles and rng.randrange(2):
                handles.pop(rng.randrange(len(handles))).close()
            if rng.randrange(20) == 0:  # let go of all, so that something can be evicted
                while handles:
                    handles.pop().close()
            done[0] += 1
    except OSError as error:
        fail(getattr(error, "filename", None) or "?", error)
    while handles:
        handles.pop().close()


def evictor():
    while time.monotonic() < end and not failures:
        subprocess.run([thaw, "evict", mount], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)


threads = [threading.Thread(target=reader, args=(i,)) for i in range(16)]
threads += [threading.Thread(target=evictor)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if failures:
    die("\n\t".join(failures[:5]) + f"\n(seed {seed})")
print(f"modes: {done[0]} rounds of 16 readers")
