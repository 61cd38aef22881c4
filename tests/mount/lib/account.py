# SPDX-License-Identifier: GPL-3.0-or-later
"""account.py CACHE CATALOG THAW SOCKET: bytes on disk, in the catalog and by the daemon agree.

Of one that is at rest. Waits a moment for that: evictions end a little after the reads.
"""

import json
import os
import sqlite3
import subprocess
import sys
import time

from files import SLOWER, die

cache, catalog, thaw, sock = sys.argv[1:5]


def on_disk():
    files = size = 0
    for directory, _, names in os.walk(os.path.join(cache, "objects")):
        for name in names:
            files += 1
            size += os.lstat(os.path.join(directory, name)).st_blocks * 512
    return files, size


def in_catalog():
    db = sqlite3.connect(f"file:{catalog}?mode=ro", uri=True)
    try:
        files, size = db.execute(
            "SELECT count(*), coalesce(sum(bytes), 0) FROM residency WHERE state = 1").fetchone()
        kept = dict(db.execute("SELECT name, value FROM counters WHERE name LIKE 'resident%'"))
        others = db.execute("SELECT count(*) FROM residency WHERE state = 2").fetchone()[0]
    finally:
        db.close()
    if (kept["resident_files"], kept["resident_bytes"]) != (files, size):
        return f"counters {kept} beside rows for {files, size}"
    return f"{others} rows LEAVING" if others else (files, size)


def in_daemon():
    status = json.loads(
        subprocess.run([thaw, "status", "--json", "--socket", sock], check=True,
                       stdout=subprocess.PIPE).stdout)
    if status["reserved_bytes"]:
        return f"{status['reserved_bytes']} bytes reserved"
    if status["used"] != status["resident_bytes"] + status["overhead_bytes"]:
        return f"used is not the sum of its parts: {status}"
    return status["resident_files"], status["resident_bytes"]


def look():
    incoming = os.listdir(os.path.join(cache, "incoming"))
    return {"disk": on_disk(), "catalog": in_catalog(), "daemon": in_daemon(),
            "incoming": incoming}


def agree(seen):
    return seen["disk"] == seen["catalog"] == seen["daemon"] and not seen["incoming"]


end = time.monotonic() + 5 * SLOWER
while not agree(seen := look()):
    if time.monotonic() > end:
        die(f"they do not agree: {seen}")
    time.sleep(0.05)
print(f"account: {seen['disk'][0]} files, {seen['disk'][1]} bytes")
