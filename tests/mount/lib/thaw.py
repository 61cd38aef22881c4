# SPDX-License-Identifier: GPL-3.0-or-later
"""thaw.py WHAT ...: looks at what `thaw --json` printed (stdin), or at how thaw behaves.

keys KEY...               the object has them
files_are PREFIX COUNT    of state: so many, all paths begin so
tree ARCHIVE              of state -r: every file and directory of the archive, with its size
errors PATH               a path is named under errors, with a code
request COUNT STATE [FAILED-PATH]   the WLCG shape; all other files are in this state
requests ID               of requests: one is this
pins PATH LABEL           of pins
imported COUNT            of import: so many were added
terminal COMMAND...       what a terminal is sent has no control characters of names
interrupted THAW PATH     Ctrl-C of `stage --wait`: ends by the signal, the request goes on
"""

import base64
import json
import os
import pty
import re
import signal
import stat
import subprocess
import sys
import time

from files import die, walk

STATES = {"SUBMITTED", "STARTED", "CANCELLED", "FAILED", "COMPLETED"}
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def path_of(item):
    if "path_b64" in item:
        return base64.b64decode(item["path_b64"])
    return os.fsencode(item["path"])


def keys(answer, *names):
    missing = [name for name in names if name not in answer]
    if missing:
        die(f"no {missing} in {answer}")


def files_are(answer, prefix, count):
    paths = [path_of(item) for item in answer["files"]]
    if len(paths) != int(count) or not all(p.startswith(os.fsencode(prefix)) for p in paths):
        die(f"{len(paths)} paths: {paths}")


def tree(answer, archive):
    hidden = (stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR)
    want = {path: st for path, st in walk(archive) if stat.S_IFMT(st.st_mode) not in hidden}
    root = min((path_of(item) for item in answer["files"]), key=len)
    got = {path_of(item)[len(root):].strip(b"/"): item for item in answer["files"]}
    if want.keys() != got.keys() or answer["errors"]:
        die(f"missing {sorted(want.keys() - got.keys())[:5]}, "
            f"too many {sorted(got.keys() - want.keys())[:5]}, errors {answer['errors'][:2]}")
    for path, item in got.items():
        st = want[path]
        kind = {stat.S_IFDIR: "dir", stat.S_IFLNK: "symlink"}.get(stat.S_IFMT(st.st_mode), "file")
        if item["type"] != kind or (kind == "file" and item["size"] != st.st_size):
            die(f"{path!r}: {item}, should be {kind} of {st.st_size}")


def errors(answer, path):
    for error in answer["errors"]:
        if error.get("path") == path and error["error"] and error["code"].startswith("E"):
            return
    die(f"no error of {path} in {answer['errors']}")


def request(answer, count, state, failed=None):
    if not UUID.match(answer["requestId"]):
        die(f"requestId: {answer}")
    if len(answer["files"]) != int(count):
        die(f"{len(answer['files'])} files, should be {count}: {answer}")
    for item in answer["files"]:
        if item["state"] not in STATES:
            die(f"state of {item}")
        expected = "FAILED" if item["path"] == failed else state
        if item["state"] != expected:
            die(f"{item}: should be {expected}")
        if (item["state"] == "FAILED") != ("error" in item):
            die(f"error of {item}")
    if not isinstance(answer["createdAt"], int) or answer["createdAt"] < 10**12:
        die(f"createdAt: {answer['createdAt']}")


def requests(answer, wanted):
    if wanted not in [item["requestId"] for item in answer["requests"]]:
        die(f"{wanted} is not in {answer}")


def pins(answer, path, label):
    for pin in answer["pins"]:
        if pin["path"] == path and pin["label"] == label and pin["owner"] == 0:
            return
    die(f"no pin of {path}: {answer}")


def imported(answer, count):
    if answer["errors"] or sum(item["added"] for item in answer["imports"]) != int(count):
        die(f"{answer}")


def interrupted(thaw, path):
    process = subprocess.Popen(
        [thaw, "stage", "--wait", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    wanted = process.stdout.readline().decode().strip()
    time.sleep(0.2)  # until it waits; earlier would be as good a moment
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        die("stage --wait goes on after Ctrl-C")
    if process.returncode != -signal.SIGINT:
        die(f"stage --wait after Ctrl-C: status {process.returncode}: {err.decode()}")
    if not UUID.match(wanted) or wanted not in err.decode():
        die(f"after Ctrl-C it does not name the request: {err.decode()}")


def terminal(*command):
    child, fd = pty.fork()
    if child == 0:
        os.execv(command[0], command)
    out = b""
    try:
        while piece := os.read(fd, 65536):
            out += piece
    except OSError:  # a terminal's end, when the last one has closed it
        pass
    _, status = os.waitpid(child, 0)
    bad = set(out) & {*range(0, 9), 11, 12, *range(14, 32), 127}
    if status or bad or out.count(b"\n") < 30:
        die(f"status {status}, control characters {bad} in {out!r}")


if sys.argv[1] in ("interrupted", "terminal"):
    globals()[sys.argv[1]](*sys.argv[2:])
else:
    globals()[sys.argv[1]](json.load(sys.stdin), *sys.argv[2:])
