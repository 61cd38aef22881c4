# SPDX-License-Identifier: GPL-3.0-or-later
"""compare.py ARCHIVE MOUNT [--names] [--how whole|odd|random|mmap] [--copy]

Everything under both: the same names, kinds, modes, owners, times, link texts and hard
links, and (without --names) the same bytes. --copy: MOUNT is a copy on another filesystem,
whose blocks are its own. Prints how much it looked at.
"""

import argparse
import os
import stat
import sys

from files import READERS, contents, explain, walk

# What an archive may hold and a mount leaves out.
HIDDEN = (stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK)


class Comparison:
    def __init__(self, archive, mount, copy):
        self.archive, self.mount = os.fsencode(archive), os.fsencode(mount)
        self.copy = copy
        self.wrong = 0

    def complain(self, text):
        self.wrong += 1
        if self.wrong <= 20:
            print(f"compare: {text}", file=sys.stderr)

    def names(self):
        want = {p: st for p, st in walk(self.archive) if stat.S_IFMT(st.st_mode) not in HIDDEN}
        got = dict(walk(self.mount))
        for path in sorted(want.keys() - got.keys()):
            self.complain(f"{path!r} is not in the mount")
        for path in sorted(got.keys() - want.keys()):
            self.complain(f"{path!r} is not in the archive")
        return {path: (want[path], got[path]) for path in want if path in got}

    def attributes(self, path, want, got):
        fields = ["st_mode", "st_uid", "st_gid", "st_mtime_ns"]
        if stat.S_ISREG(want.st_mode):
            fields += ["st_size", "st_nlink"]
            blocks = -(-got.st_size // 512)
            if got.st_blocks != blocks and not self.copy:
                self.complain(f"{path!r}: {got.st_blocks} blocks, should be {blocks}")
        if path == b"":  # the mountpoint's own times need not be the archive's
            fields = ["st_mode"]
        for field in fields:
            a, b = getattr(want, field), getattr(got, field)
            if a != b:
                self.complain(f"{path!r}: {field} is {b}, should be {a}")

    def link_text(self, path):
        want = os.readlink(os.path.join(self.archive, path))
        got = os.readlink(os.path.join(self.mount, path))
        if want != got:
            self.complain(f"{path!r}: leads to {got!r}, should be {want!r}")

    def hard_links(self, both):
        """Names that share an inode there share one here, and no others do."""
        groups = [{}, {}]
        for path, pair in both.items():
            if stat.S_ISREG(pair[0].st_mode):
                for group, st in zip(groups, pair):
                    group.setdefault((st.st_dev, st.st_ino), set()).add(path)
        want, got = (set(map(frozenset, group.values())) for group in groups)
        for names in want ^ got:
            if len(names) > 1:
                self.complain(f"hard links differ: {sorted(names)!r}")

    def bytes(self, path, how):
        want = contents(os.path.join(self.archive, path))
        try:
            got = READERS[how](os.path.join(self.mount, path))
        except OSError as error:
            self.complain(f"{path!r}: {error}")
            return 0
        if got != want:
            self.complain(explain(path, got, want))
        return len(got)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("archive")
    parser.add_argument("mount")
    parser.add_argument("--names", action="store_true")
    parser.add_argument("--copy", action="store_true")
    parser.add_argument("--how", choices=READERS, default="whole")
    args = parser.parse_args()

    comparison = Comparison(args.archive, args.mount, args.copy)
    both = comparison.names()
    total = 0
    for path, (want, got) in both.items():
        comparison.attributes(path, want, got)
        if stat.S_ISLNK(want.st_mode) and stat.S_ISLNK(got.st_mode):
            comparison.link_text(path)
        if stat.S_ISREG(want.st_mode) and stat.S_ISREG(got.st_mode) and not args.names:
            total += comparison.bytes(path, args.how)
    comparison.hard_links(both)
    if comparison.wrong:
        print(f"compare: {comparison.wrong} differences", file=sys.stderr)
        sys.exit(1)
    print(f"compare: {len(both)} names, {total} bytes, {args.how}: the same")


main()
