# SPDX-License-Identifier: GPL-3.0-or-later
"""stream.py arriving|passthrough|nonblock|crowd|broken ...: a file read while it comes."""

import errno
import mmap
import os
import random
import signal
import sys
import threading
import time

from files import SLOWER, await_true, contents, die, explain, thaw_state

PAGE = 4096


class Timer:
    def __init__(self):
        self.began = time.monotonic()

    def within(self, what, seconds):
        took = time.monotonic() - self.began
        if took > seconds * SLOWER:
            die(f"{what} took {took:.2f} s, should be below {seconds * SLOWER}")
        return took


def right(fd, off, length, want, what):
    got = os.pread(fd, length, off)
    if got != want[off:off + length]:
        die(f"{what} at {off}: " + explain(b"", got, want[off:off + length]))


def arriving(archive, path):
    want, rng = contents(archive), random.Random(3)
    timer = Timer()
    fd = os.open(path, os.O_RDONLY)
    opened = timer.within("the open of a large offline file", 1)
    right(fd, 0, 100, want, "the beginning")
    first = timer.within("the first bytes", 2)
    if os.fstat(fd).st_size != len(want):
        die(f"its size is {os.fstat(fd).st_size} while it comes")
    early = 0
    for off in (len(want) - 100, *(rng.randrange(len(want) - 100000) for _ in range(12))):
        timer = Timer()
        right(fd, off, rng.randrange(1, 100000), want, "a wanted range")
        timer.within(f"a range at {off}", 3)
        early += thaw_state(path) == "fetching"
    if early < 5:
        die(f"only {early} ranges came before the end: was it not streamed?")
    mapping = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
    for off in [rng.randrange(len(want)) for _ in range(10)]:
        if mapping[off:off + 10] != want[off:off + 10]:
            die(f"a mapping is wrong at {off}")
    if mapping[:] != want:
        die("the whole mapping is wrong: " + explain(path, mapping[:], want))
    if contents(path) != want:
        die("another reader of the file got it wrong")
    os.close(fd)
    mapping.close()
    print(f"stream: open {opened * 1000:.0f} ms, first bytes {first * 1000:.0f} ms, "
          f"{early} ranges before the end")


def passthrough(archive, path, daemon):
    """What the kernel reads by itself can be read while the daemon is stopped."""
    want = contents(archive)
    fd = os.open(path, os.O_RDONLY)
    mapping = mmap.mmap(fd, 0, prot=mmap.PROT_READ)  # it asks for the size: before the stop
    done = []

    def read_it():
        done.append(os.pread(fd, len(want), 0) == want)
        done.append(mapping[:] == want)

    os.kill(int(daemon), signal.SIGSTOP)
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("1\n")
    thread = threading.Thread(target=read_it, daemon=True)
    thread.start()
    thread.join(10 * SLOWER)
    seen = list(done)
    os.kill(int(daemon), signal.SIGCONT)
    thread.join()
    if seen != [True, True]:
        die(f"reads with a stopped daemon: {seen or 'they waited'}")
    os.close(fd)


def nonblock(path, may_stream=""):
    """EAGAIN at once, each time; a large file may be open as soon as it has begun to come."""
    timer = Timer()
    for turn in range(3):
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
            if turn == 0 or not may_stream:
                die("O_NONBLOCK opened an offline file")
        except BlockingIOError:
            pass
    timer.within("three opens with O_NONBLOCK", 1)
    await_true("the recall to begin", lambda: thaw_state(path) != "offline", 2)


def crowd(archive, path):
    want, failures = contents(archive), []

    def by_read(seed):
        rng = random.Random(seed)
        fd = os.open(path, os.O_RDONLY)
        for _ in range(150):
            off = rng.randrange(len(want))
            right(fd, off, rng.randrange(1, 3 << 17), want, f"reader {seed}")
        os.close(fd)

    def by_map(seed):
        rng = random.Random(seed)
        fd = os.open(path, os.O_RDONLY)
        with mmap.mmap(fd, 0, prot=mmap.PROT_READ) as mapping:
            os.close(fd)
            for _ in range(400):
                off = rng.randrange(len(want) // PAGE) * PAGE
                if mapping[off:off + PAGE] != want[off:off + PAGE]:
                    die(f"mapper {seed} at {off}")

    def whole(_):
        got = contents(path)
        if got != want:
            die(explain(path, got, want))

    def guarded(action, seed):
        try:
            action(seed)
        except (OSError, SystemExit) as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(action, seed))
               for seed in range(8) for action in (by_read, by_map, whole)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        die(f"{failures[0]}")


def broken(archive, path, control):
    """Every chunk stalls, then the archive fails: readers end with an error."""
    want = contents(archive)
    fd = os.open(path, os.O_RDONLY)
    right(fd, 0, 1000, want, "what has come")
    with open(control + ".new", "w", encoding="ascii") as file:
        file.write("error_rate = 100\n")
    os.rename(control + ".new", control)
    off = 0
    while off < len(want):  # a read may end where the bytes do, the next one is an error
        try:
            got = os.pread(fd, 1 << 18, off)
        except OSError as error:
            if error.errno != errno.EIO:
                die(f"reading at {off}: {error}")
            break
        if not got or got != want[off:off + len(got)]:
            die(f"before the end, at {off}: " + explain(path, got, want[off:off + (1 << 18)]))
        off += len(got)
    else:
        die("an archive that gives nothing gave all of it")
    try:
        contents(path)
        die("a file that failed reads whole")
    except OSError as error:
        if error.errno not in (errno.EIO, errno.EAGAIN):
            die(f"a file that failed: {error}")
    with open(control + ".new", "w", encoding="ascii") as file:
        file.write("\n")
    os.rename(control + ".new", control)
    # It comes anew while a handle of the failure is open: an error or the bytes.
    end = time.monotonic() + 1
    while time.monotonic() < end and not reads_right(path, want):
        time.sleep(0.05)
    os.close(fd)
    await_true("it to be read again", lambda: reads_right(path, want), 30)


def reads_right(path, want):
    try:
        got = contents(path)
    except OSError:
        return False
    if got != want:
        die(explain(path, got, want))
    return True


{"arriving": arriving, "passthrough": passthrough, "nonblock": nonblock, "crowd": crowd,
 "broken": broken}[sys.argv[1]](*sys.argv[2:])
