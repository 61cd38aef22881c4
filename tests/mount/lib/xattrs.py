# SPDX-License-Identifier: GPL-3.0-or-later
"""xattrs.py MOUNT ARCHIVE SOCKET CONTROL: the attributes of every kind of file, by a root.
xattrs.py --as-reader MOUNT: by a user who may not write."""

import calendar
import ctypes
import errno
import hashlib
import os
import re
import sys
import time

from files import await_true, contents, die, thaw_state

ALWAYS = {"state", "pin", "stage", "cached_bytes", "socket"}
ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
libc = ctypes.CDLL(None, use_errno=True)


def get(path, name):
    return os.getxattr(path, "user.thaw." + name).decode()


def put(path, name, value, flags=0):
    os.setxattr(path, "user.thaw." + name, value.encode(), flags)


def refused(what, codes, action, *arguments):
    codes = codes if isinstance(codes, set) else {codes}
    try:
        result = action(*arguments)
    except OSError as error:
        if error.errno not in codes:
            die(f"{what}: {errno.errorcode[error.errno]}, should be "
                f"{'|'.join(errno.errorcode[c] for c in codes)}")
        return
    die(f"{what}: was allowed ({result!r})")


def expect(what, got, want):
    if got != want:
        die(f"{what} is {got!r}, should be {want!r}")


def await_state(path, state):
    await_true(f"{path} to be {state}", lambda: thaw_state(path) == state, 10)


def check_names(mount):
    for name in ("", "f0000", "dir", "dir/empty", "dir/nothing", "hard"):
        path = os.path.join(mount, name)
        listed = os.listxattr(path)
        short = {n.removeprefix("user.thaw.") for n in listed if n.startswith("user.thaw.")}
        if len(short) != len(listed) or not ALWAYS <= short:
            die(f"{path} lists {sorted(listed)}")
        for attribute in listed:
            try:
                os.getxattr(path, attribute)
            except OSError as error:
                die(f"{path} lists {attribute}, and reading it says {error}")


def check_unknown(mount):
    path = os.path.join(mount, "f0000")
    for name in ("user.thaw.", "user.thaw.nonsense", "user.thaw.stat", "user.thaw.statex",
                 "user.other", "user.thaw", "user.thaw.STATE", "user.thaw." + "x" * 200,
                 "user." + "y" * 250, "trusted.x"):
        refused(name, errno.ENODATA, os.getxattr, path, name)
    for name in ("security.selinux", "security.capability", "system.posix_acl_access"):
        refused(name, {errno.ENODATA, errno.EOPNOTSUPP}, os.getxattr, path, name)
    expect("state after unknown names", thaw_state(path), "offline")


def check_whole_name(mount):
    """A library that cuts names short would take the longer ones for pin."""
    path = os.path.join(mount, "f0000")
    for extra in range(1, 12):
        name = "user.thaw.pin" + "x" * extra
        refused(f"setting {name}", errno.ENODATA, os.setxattr, path, name, b"forever")
    for cut in range(1, 4):
        name = "user.thaw.pin"[:-cut]
        refused(f"setting {name}", {errno.ENODATA, errno.EROFS}, os.setxattr, path, name, b"1")
    expect("pin", get(path, "pin"), "none")
    put(path, "pin", "1h")
    if not ISO.match(get(path, "pin")):
        die(f"pin is {get(path, 'pin')!r}")
    os.removexattr(path, "user.thaw.pin")


def probe(path, name, room):
    buffer = ctypes.create_string_buffer(room or 1)
    n = libc.getxattr(os.fsencode(path), name.encode(), buffer if room else None, room)
    return n if n >= 0 else -ctypes.get_errno()


def check_sizes(mount):
    path = os.path.join(mount, "f0000")
    value = thaw_state(path)
    expect("the size of state", probe(path, "user.thaw.state", 0), len(value))
    expect("state into too little", probe(path, "user.thaw.state", len(value) - 1), -errno.ERANGE)
    expect("state into just enough", probe(path, "user.thaw.state", len(value)), len(value))
    expect("size of an unknown name", probe(path, "user.thaw.x", 0), -errno.ENODATA)
    whole = libc.listxattr(os.fsencode(path), None, 0)
    buffer = ctypes.create_string_buffer(whole)
    expect("list into just enough", libc.listxattr(os.fsencode(path), buffer, whole), whole)
    if libc.listxattr(os.fsencode(path), buffer, whole - 1) >= 0 or \
            ctypes.get_errno() != errno.ERANGE:
        die("list into too little is not ERANGE")


def check_online(mount, archive, sock):
    path, original = os.path.join(mount, "f0000"), os.path.join(archive, "f0000")
    size = os.path.getsize(original)
    expect("cached_bytes", get(path, "cached_bytes"), "0")
    refused("sha256 before staging", errno.ENODATA, get, os.path.join(mount, "dir/f0003"), "sha256")
    contents(path)
    expect("state", thaw_state(path), "online")
    expect("cached_bytes", get(path, "cached_bytes"), str(size))
    expect("sha256", get(path, "sha256"), hashlib.sha256(contents(original)).hexdigest())
    expect("digest.source", get(path, "digest.source"), "staged")
    expect("version", get(path, "version"), "1")
    expect("socket", get(path, "socket"), sock)
    expect("location", get(path, "location"), "copy=1 archive=source")
    if not re.match(r"^\d+$", get(path, "hits")):
        die(f"hits is {get(path, 'hits')}")
    if not re.match(r"^(never|\S+Z (ok|FAILED))$", get(path, "verified")):
        die(f"verified is {get(path, 'verified')}")
    refused("error of a good file", errno.ENODATA, get, path, "error")
    refused("sha256 of a directory", errno.ENODATA, get, mount, "sha256")
    for name in ("state", "sha256", "cached_bytes", "socket", "version"):
        refused(f"setting {name}", errno.EPERM, put, path, name, "x")
        refused(f"removing {name}", errno.EPERM, os.removexattr, path, "user.thaw." + name)


def check_hard_links(mount):
    contents(os.path.join(mount, "hard"))
    expect("state by the other name", thaw_state(os.path.join(mount, "f0001")), "online")


def check_pin(mount):
    path = os.path.join(mount, "dir/f0001")
    for text, seconds in (("7d", 7 * 86400), ("12h", 43200), ("90s", 90), ("15m", 900)):
        put(path, "pin", text)
        value = get(path, "pin")
        if not ISO.match(value):
            die(f"pin {text} reads {value!r}")
        off = calendar.timegm(time.strptime(value, "%Y-%m-%dT%H:%M:%SZ")) - time.time() - seconds
        if abs(off) > 5:
            die(f"pin {text} ends {off:.0f} s off")
    await_state(path, "online")
    for text in ("forever", "2099-12-01T00:00:00Z"):
        put(path, "pin", text)
        expect("pin", get(path, "pin"), text)
        put(path, "pin", text)  # the same again
    for text in ("", "soon", "7x", "-1d", "2001-01-01T00:00:00Z", "2099-13-01T00:00:00Z",
                 "forever and a day", "x" * 300):
        refused(f"pin {text[:20]!r}", errno.EINVAL, put, path, "pin", text)
    expect("pin after bad ones", get(path, "pin"), "2099-12-01T00:00:00Z")
    put(path, "pin", "0")
    expect("pin after 0", get(path, "pin"), "none")
    put(path, "pin", "0")
    refused("removing no pin", errno.ENODATA, os.removexattr, path, "user.thaw.pin")
    expect("state after unpinning", thaw_state(path), "online")


def check_directory(mount, archive):
    path = os.path.join(mount, "dir")
    expect("state of an empty directory", thaw_state(os.path.join(mount, "empty")), "online")
    expect("state", thaw_state(path), "partial")  # one was pinned above
    expect("cached_bytes", get(path, "cached_bytes"),
           str(os.path.getsize(os.path.join(archive, "dir/f0001"))))
    put(path, "pin", "1h")
    await_state(path, "online")
    for name in os.listdir(path):
        if not os.path.isdir(os.path.join(path, name)):
            expect(f"{name} below a pin", thaw_state(os.path.join(path, name)), "online")
            expect(f"pin of {name}", get(os.path.join(path, name), "pin"), get(path, "pin"))
    refused("removing an inherited pin", errno.ENODATA, os.removexattr,
            os.path.join(path, "f0000"), "user.thaw.pin")
    total = sum(os.path.getsize(os.path.join(archive, "dir", name))
                for name in os.listdir(path) if name != "empty")
    expect("cached_bytes", get(path, "cached_bytes"), str(total))
    os.removexattr(path, "user.thaw.pin")
    expect("pin below", get(os.path.join(path, "f0000"), "pin"), "none")


def check_stage(mount, control):
    path = os.path.join(mount, "f0002")
    with open(control, "w", encoding="ascii") as file:
        file.write("endless = yes\n")
    expect("stage", get(path, "stage"), "none")
    put(path, "stage", "1")
    first = get(path, "stage")
    if len(first) < 8 or first == "none":
        die(f"stage is {first!r}")
    put(path, "stage", "1")
    expect("stage asked twice", get(path, "stage"), first)
    under_way = ("queued", "recalling", "fetching")
    await_true("the state to move", lambda: thaw_state(path) in under_way, 5)
    put(path, "stage", "cancel")
    expect("stage after cancel", get(path, "stage"), "none")
    refused("stage maybe", errno.EINVAL, put, path, "stage", "maybe")
    put(path, "stage", "1")
    with open(control, "w", encoding="ascii") as file:
        file.write("\n")
    await_state(path, "online")
    await_true("the request to end", lambda: get(path, "stage") == "none", 5)


def as_reader(mount):
    path = os.path.join(mount, "f0000")
    before = get(path, "pin")
    denied = {errno.EACCES, errno.EPERM}
    refused("pin by a reader", denied, put, path, "pin", "1h")
    refused("stage by a reader", denied, put, path, "stage", "1")
    refused("pin of a directory by a reader", denied, put, os.path.join(mount, "dir"), "pin", "1h")
    refused("unpin by a reader", denied, os.removexattr, path, "user.thaw.pin")
    refused("state of a closed file", denied, get, os.path.join(mount, "f0002"), "state")
    expect("pin", get(path, "pin"), before)


if sys.argv[1] == "--as-reader":
    as_reader(sys.argv[2])
else:
    the_mount, the_archive, the_socket, the_control = sys.argv[1:]
    check_names(the_mount)
    check_unknown(the_mount)
    check_whole_name(the_mount)
    await_state(os.path.join(the_mount, "f0000"), "online")  # it was pinned for a moment
    os.system(f"{os.environ['THAW_TEST_BIN']}/thaw evict {the_mount} >/dev/null")
    check_sizes(the_mount)
    check_online(the_mount, the_archive, the_socket)
    check_names(the_mount)
    check_hard_links(the_mount)
    check_pin(the_mount)
    check_directory(the_mount, the_archive)
    check_stage(the_mount, the_control)
    print("xattrs: all as written")
