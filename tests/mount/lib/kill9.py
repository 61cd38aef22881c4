# SPDX-License-Identifier: GPL-3.0-or-later
"""kill9.py: the parts of the crash test.

read MOUNT SEED              reads files in random order until an error ends it
record ARCHIVE MOUNT FILE    notes which files are online and right
check ARCHIVE MOUNT FILE     those are online and right (the archive gives nothing now), and
                             what is not online gives no byte
evict-some MOUNT THAW SEED   evicts half of the files
"""

import json
import os
import random
import subprocess
import sys

from files import contents, die, explain, regular, thaw_state


def open_now(path):
    """None: it is not on flash. A large file may open before it is there."""
    try:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except BlockingIOError:
        return None


def read_online(path):
    fd = open_now(path)
    if fd is None:
        return None
    with open(fd, "rb") as file:
        return file.read()


def read(mount, seed):
    paths = regular(mount)
    random.Random(int(seed)).shuffle(paths)
    for path in paths:
        contents(os.path.join(os.fsencode(mount), path))


def record(archive, mount, file):
    online = []
    for path in regular(archive):
        at = os.path.join(os.fsencode(mount), path)
        if thaw_state(at) != "online":
            continue
        got, want = read_online(at), contents(os.path.join(os.fsencode(archive), path))
        if got != want:
            die(f"online and wrong: {explain(path, got or b'', want)}")
        online.append(path.hex())
    with open(file, "w", encoding="ascii") as out:
        json.dump(online, out)


def check(archive, mount, file):
    with open(file, encoding="ascii") as source:
        online = {bytes.fromhex(path) for path in json.load(source)}
    more = 0
    for path in regular(archive):
        at = os.path.join(os.fsencode(mount), path)
        state = thaw_state(at)
        if state != "online":
            if path in online:
                die(f"{path!r} was online before the kill and is {state}")
            continue
        got, want = read_online(at), contents(os.path.join(os.fsencode(archive), path))
        if got is None:
            die(f"{path!r} is online and does not open")
        if got != want:
            die(f"half of it is served: {explain(path, got, want)}")
        more += path not in online
    print(f"kill9: {len(online)} are online still, and {more} that came later")


def evict_some(mount, thaw, seed):
    paths = regular(mount)
    random.Random(int(seed)).shuffle(paths)
    chosen = [os.path.join(os.fsencode(mount), p) for p in paths[: len(paths) // 2]]
    subprocess.run([thaw, "evict", *chosen], check=False, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


{"read": read, "record": record, "check": check, "evict-some": evict_some}[sys.argv[1]](
    *sys.argv[2:])
