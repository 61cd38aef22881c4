# SPDX-License-Identifier: GPL-3.0-or-later
"""survivors.py ARCHIVE MOUNT DAEMON FLAG: holds files and mappings open; says so with FLAG.ready,
and when FLAG is there (the daemon is dead then) reads them all."""

import mmap
import os
import sys

from files import await_true, contents, die, regular

archive, mount, daemon, flag = sys.argv[1:]
held = []
for path in regular(archive):
    fd = os.open(os.path.join(os.fsencode(mount), path), os.O_RDONLY)
    mapping = mmap.mmap(os.open(os.path.join(os.fsencode(mount), path), os.O_RDONLY), 0,
                        prot=mmap.PROT_READ)
    held.append((path, fd, mapping))
with open(flag + ".ready", "w", encoding="ascii"):
    pass
await_true("the daemon's end", lambda: os.path.exists(flag), 20)
with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
    file.write("1\n")
for path, fd, mapping in held:
    want = contents(os.path.join(os.fsencode(archive), path))
    if os.pread(fd, len(want) + 1, 0) != want:
        die(f"{path!r}: an open file is wrong")
    if mapping[:] != want:
        die(f"{path!r}: a mapping is wrong")
print(f"survivors: {len(held)} files and mappings without the daemon {daemon}")
