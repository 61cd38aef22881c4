# SPDX-License-Identifier: GPL-3.0-or-later
"""readers.py ARCHIVE MOUNT [--threads N] [--passes N] [--seconds S] [--seed N] [--how HOW]

Many readers at once, each taking the files in its own random order, every byte compared
with the archive's. An error or a wrong byte ends it at once. --how mixed: each file in
another way. --seconds: passes go on until then. --deadline: no single file takes longer.
"""

import argparse
import os
import random
import sys
import threading
import time

from files import READERS, SLOWER, contents, explain, regular


class Storm:
    def __init__(self, args):
        self.args = args
        self.paths = regular(args.archive)
        self.failure = None
        self.files = self.bytes = 0
        self.lock = threading.Lock()
        self.since = {}  # thread number: (when, path) of what it reads now
        self.end = time.monotonic() + args.seconds if args.seconds else None

    def fail(self, text):
        with self.lock:
            self.failure = self.failure or text

    def over(self):
        return self.failure or (self.end and time.monotonic() > self.end)

    def read(self, number, path, rng):
        how = self.args.how
        if how == "mixed":
            how = rng.choice(sorted(READERS))
        self.since[number] = (time.monotonic(), path)
        got = READERS[how](os.path.join(os.fsencode(self.args.mount), path))
        self.since.pop(number)
        want = contents(os.path.join(os.fsencode(self.args.archive), path))
        if got != want:
            self.fail(f"{how}: " + explain(path, got, want))
        with self.lock:
            self.files += 1
            self.bytes += len(got)

    def one_pass(self, number, rng):
        order = list(self.paths)
        rng.shuffle(order)
        if self.args.share:  # each file once, by one of them
            order = [p for i, p in enumerate(sorted(order)) if i % self.args.threads == number]
            rng.shuffle(order)
        for path in order:
            if self.over():
                return
            try:
                self.read(number, path, rng)
            except OSError as error:
                self.fail(f"{path!r}: {error}")

    def run_one(self, number):
        rng = random.Random(self.args.seed * 1000 + number)
        passes = 0
        while not self.over() and (self.end or passes < self.args.passes):
            self.one_pass(number, rng)
            passes += 1

    def stuck(self):
        limit = self.args.deadline * SLOWER
        for when, path in list(self.since.values()):
            if time.monotonic() - when > limit:
                return path
        return None

    def run(self):
        threads = [
            threading.Thread(target=self.run_one, args=(i,), daemon=True)
            for i in range(self.args.threads)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            if path := self.stuck():
                print(f"readers: stuck in {path!r}", file=sys.stderr)
                os._exit(1)  # threads in the kernel cannot be joined
            time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("archive")
    parser.add_argument("mount")
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--passes", type=int, default=1)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--deadline", type=float, default=20)
    parser.add_argument("--share", action="store_true")
    parser.add_argument("--how", choices=[*READERS, "mixed"], default="mixed")
    args = parser.parse_args()
    storm = Storm(args)
    storm.run()
    if storm.failure:
        print(f"readers: {storm.failure} (seed {args.seed})", file=sys.stderr)
        sys.exit(1)
    print(f"readers: {args.threads} read {storm.files} files, {storm.bytes} bytes: all right")


main()
