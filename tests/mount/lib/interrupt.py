# SPDX-License-Identifier: GPL-3.0-or-later
"""interrupt.py signals FILE | stream FILE | crowd MOUNT ARCHIVE | shutdown FILE PID

Readers that are stuck in a recall without end, and signals for them.
"""

import errno
import mmap
import os
import signal
import subprocess
import sys
import threading
import time

from files import SLOWER, await_true, contents, die, thaw_state

QUICK = 1.0 * SLOWER

OPEN = "import os, sys; fd = os.open(sys.argv[1], os.O_RDONLY); print('open', flush=True);"
PROGRAMS = {
    "cat": ["cat"],
    "python": [sys.executable, "-c", OPEN + "os.read(fd, 10)"],
    "read": [sys.executable, "-c", OPEN + "os.pread(fd, 10, 1 << 20)"],
    "mmap": [sys.executable, "-c",
             OPEN + "import mmap; print(mmap.mmap(fd, 0, prot=mmap.PROT_READ)[3 << 20])"],
    "threads": [sys.executable, "-c",
                "import os, sys, threading\n"
                "for _ in range(8):\n"
                "  threading.Thread(target=os.open, args=(sys.argv[1], 0), daemon=True).start()\n"
                "os.open(sys.argv[1], 0)"],
}


def start(kind, path):
    # Shells start what they put into the background with SIGINT ignored.
    return subprocess.Popen(
        [*PROGRAMS[kind], path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)
        and signal.signal(signal.SIGINT, signal.SIG_DFL))


def in_kernel(process):
    """All its threads sleep, and in a wait for FUSE or a page of it."""
    try:
        waits = []
        for task in os.listdir(f"/proc/{process.pid}/task"):
            with open(f"/proc/{process.pid}/task/{task}/wchan", encoding="ascii") as file:
                waits.append(file.read())
    except FileNotFoundError:
        return False
    return any("fuse" in w or "folio" in w or "page" in w or "request_wait" in w for w in waits)


def gone_soon(kind, process, sig, limit=QUICK):
    began = time.monotonic()
    process.send_signal(sig)
    try:
        process.wait(10 * QUICK)
    except subprocess.TimeoutExpired:
        die(f"{kind} is still there {10 * QUICK} s after {sig.name}")
    took = time.monotonic() - began
    if took > limit:
        die(f"{kind} took {took:.2f} s to end after {sig.name}")
    return took


def signals(path):
    for kind in ("cat", "python", "threads"):
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            process = start(kind, path)
            await_true(f"{kind} to block", lambda p=process: in_kernel(p), 10)
            if process.poll() is not None:
                die(f"{kind} was not blocked: {process.returncode}")
            print(f"interrupt: {kind} {sig.name}: {gone_soon(kind, process, sig) * 1000:.0f} ms")
    handled(path)


def handled(path):
    """A handler that returns and does not raise: the call is taken up again (PEP 475)."""
    seen = []
    signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))

    def kicker():
        for _ in range(3):
            time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(0.2)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR2)

    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    signal.signal(signal.SIGUSR2, stop)
    threading.Thread(target=kicker).start()
    try:
        os.open(path, os.O_RDONLY)
        die("the file opened")
    except Stop:
        pass
    if len(seen) != 3:
        die(f"{len(seen)} signals of 3 came through")


def stream(path):
    for kind in ("read", "mmap"):
        for sig in (signal.SIGINT, signal.SIGKILL):
            if kind == "mmap" and sig == signal.SIGINT:
                continue  # a page fault ends for SIGKILL only, by the kernel's rules
            process = start(kind, path)
            if process.stdout.readline() != b"open\n":
                die(f"{kind}: a large file did not open at once")
            await_true(f"{kind} to block", lambda p=process: in_kernel(p), 10)
            # The kernel tells of no signal here: the daemon looks for them now and then.
            took = gone_soon(kind, process, sig, 1.5 * QUICK)
            print(f"interrupt: {kind} {sig.name}: {took * 1000:.0f} ms")


def blocked_crowd(mount):
    """200 threads in 4 processes, each in an open of its own offline file."""
    program = (
        "import os, sys, threading\n"
        "for path in sys.argv[1:]: threading.Thread(target=os.open, args=(path, 0)).start()\n")
    names = sorted(os.listdir(os.path.join(mount, "many")))
    paths = [os.path.join(mount, "many", name) for name in names]
    return [subprocess.Popen([sys.executable, "-c", program, *paths[i::4]]) for i in range(4)]


def threads_blocked(processes):
    count = 0
    for process in processes:
        for task in os.listdir(f"/proc/{process.pid}/task"):
            with open(f"/proc/{process.pid}/task/{task}/wchan", encoding="ascii") as file:
                where = file.read()
            count += "fuse" in where or "request_wait" in where
    return count


def others_work(mount, archive):
    took = []
    for _ in range(20):
        began = time.monotonic()
        subprocess.run(["ls", "-lR", mount], check=True, stdout=subprocess.DEVNULL)
        if contents(f"{mount}/f0000") != contents(f"{archive}/f0000"):
            die("a staged file is wrong")
        for name in ("never-there", "f0002/x"):
            try:
                os.stat(f"{mount}/{name}")
                die(f"{name} is there")
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                    die(f"{name}: {error}")
        thaw_state(mount)
        took.append(time.monotonic() - began)
    if max(took) > 2 * QUICK:
        die(f"ls, stat and reads took {max(took):.2f} s beside 200 blocked readers")
    print(f"interrupt: ls, read, stat beside 200: {max(took) * 1000:.0f} ms at most")


def crowd(mount, archive):
    processes = blocked_crowd(mount)
    await_true("200 threads to block", lambda: threads_blocked(processes) >= 200, 20)
    others_work(mount, archive)
    began = time.monotonic()
    for process in processes:
        process.kill()
    for process in processes:
        try:
            process.wait(5 * SLOWER)
        except subprocess.TimeoutExpired:
            die("killed readers are still there after 5 s")
    print(f"interrupt: 200 killed in {(time.monotonic() - began) * 1000:.0f} ms")


def shutdown(path, pid):
    process = start("cat", path)
    await_true("cat to block", lambda: in_kernel(process), 10)
    os.kill(int(pid), signal.SIGTERM)
    try:
        process.wait(10 * SLOWER)
    except subprocess.TimeoutExpired:
        die("a reader hangs after the daemon was told to end")
    if process.returncode == 0:
        die("cat got the bytes of an archive that gives none")


{"signals": signals, "stream": stream, "crowd": crowd, "shutdown": shutdown}[sys.argv[1]](
    *sys.argv[2:])
