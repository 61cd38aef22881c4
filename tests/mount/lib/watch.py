# SPDX-License-Identifier: GPL-3.0-or-later
"""watch.py CACHE LIMIT [--disk BASELINE]: how large the cache directory ever is.

Looks until it gets SIGTERM, then prints the most it saw; fails when that is above LIMIT.

Files come and go while the directory is walked, so a sum over one walk may count what was
never there together. What is in two walks that follow each other was there between them,
all of it at once: that sum is a lower bound, and the one that is compared. With --disk the
cache has a filesystem of its own, whose count of used bytes (less BASELINE, from when it was
empty) has no such gap, and counts files that have no name any more.
"""

import argparse
import os
import signal
import sys


def scan(root):
    """Blocks by (name, inode): a name is an object's number, and is never given again."""
    found = {}
    pending = [root]
    while pending:
        directory = pending.pop()
        try:
            st = os.lstat(directory)
            found[(directory, st.st_ino)] = st.st_blocks
            with os.scandir(directory) as entries:
                for entry in entries:
                    st = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        found[(entry.name, st.st_ino)] = st.st_blocks
        except FileNotFoundError:
            continue
    return found


def together(before, after):
    return 512 * sum(min(blocks, after[key]) for key, blocks in before.items() if key in after)


def disk_used(path, baseline):
    st = os.statvfs(path)
    return (st.f_blocks - st.f_bfree) * st.f_frsize - baseline


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cache")
    parser.add_argument("limit", type=int)
    parser.add_argument("--disk", type=int)
    args = parser.parse_args()

    over = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(True))
    most = most_disk = looks = 0
    last = scan(args.cache)
    while not over:
        now = scan(args.cache)
        most = max(most, together(last, now))
        if args.disk is not None:
            most_disk = max(most_disk, disk_used(args.cache, args.disk))
        last = now
        looks += 1
    text = f"watch: {looks} looks, at most {most} of {args.limit} bytes"
    if args.disk is not None:
        text += f", {most_disk} by the filesystem's count"
    print(text)
    if looks < 5 or max(most, most_disk) > args.limit:
        sys.exit(1)


main()
