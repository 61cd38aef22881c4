# SPDX-License-Identifier: GPL-3.0-or-later
"""tree.py real|odd|big|many DIR [...]: fills an archive.

real DIR [COUNT]        copies of up to COUNT real files (documents and headers), times and all
odd DIR                 names and kinds of files that programs stumble over
big FILE MIB [SEED]     a large file that does not compress
many DIR COUNT          COUNT tiny files in directories of 100
some DIR COUNT BYTES SEED   COUNT files of about BYTES each, each with its own bytes
"""

import os
import random
import shutil
import socket
import stat
import sys

from files import walk

REAL = ("/usr/share/doc", "/usr/include")


def write(path, data=b"", mode=0o644):
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)


def real_files(root, count):
    """The first files of a place with their directories, links as they are."""
    for path, st in walk(root):
        if stat.S_ISDIR(st.st_mode) or stat.S_ISLNK(st.st_mode):
            yield path, st
        elif stat.S_ISREG(st.st_mode) and count > 0:
            count -= 1
            yield path, st


def make_real(into, count=1500):
    for root in REAL:
        base = os.path.join(os.fsencode(into), os.fsencode(root[1:].replace("/", "-")))
        for path, st in real_files(root, count // len(REAL)):
            old, new = os.path.join(os.fsencode(root), path), os.path.join(base, path)
            if stat.S_ISDIR(st.st_mode):
                os.makedirs(new, exist_ok=True)
            else:
                shutil.copy2(old, new, follow_symlinks=False)
        for path, st in walk(base):
            old = os.path.join(os.fsencode(root), path)
            if stat.S_ISDIR(st.st_mode):
                shutil.copystat(old, os.path.join(base, path))


ODD_NAMES = (
    b" leading and trailing ",
    b"-rf",
    b"--",
    b"new\nline",
    b"tab\there",
    b"quote'\"`$(x)",
    b"back\\slash",
    b"*?[a-z]{b}",
    b"#comment;",
    b"comma,equals=x",
    b"\xff\xfe not utf-8 \x80",
    "smørbrød".encode(),
    "日本語のファイル".encode(),
    "e\u0301 and \u00e9".encode(),
    b"\x01\x1b[31mred\x7f",
    b".hidden",
    b"...",
    b"..x",
    b"~",
    b"%s%n%d",
    b"Case",
    b"case",
    b"l" * 255,
    ("ø" * 127).encode(),
)

SIZES = (0, 1, 511, 512, 513, 4095, 4096, 4097, 65535, 131072, 131073, 1048576, 1048577)


def make_names(into):
    os.makedirs(into)
    for i, name in enumerate(ODD_NAMES):
        write(os.path.join(into, name), b"file %d\n" % i)
    for name in ODD_NAMES[:8] + ODD_NAMES[-2:]:
        directory = os.path.join(into, b"dir", name)
        os.makedirs(directory)
        write(os.path.join(directory, name), name)


def make_kinds(into):
    rng = random.Random(7)
    os.makedirs(into)
    for size in SIZES:
        write(os.path.join(into, b"size-%d" % size), rng.randbytes(size))
    for mode in (0o000, 0o400, 0o444, 0o600, 0o640, 0o755, 0o777, 0o4755, 0o2755, 0o1644):
        write(os.path.join(into, b"mode-%04o" % mode), b"%o" % mode, mode)
    write(os.path.join(into, b"owned"), b"someone's")
    os.chown(os.path.join(into, b"owned"), 12345, 54321)
    for name, when in ((b"old", -86400 * 365 * 20), (b"new", 4102444800), (b"exact", 1234567890)):
        write(os.path.join(into, name), name)
        os.utime(os.path.join(into, name), ns=(when * 10**9 + 1, when * 10**9 + 123456789))
    with open(os.path.join(into, b"holes"), "wb") as file:
        file.seek(3 << 20)
        file.write(b"island")
        file.truncate(8 << 20)
    with open(os.path.join(into, b"all-hole"), "wb") as file:
        file.truncate(5 << 20)


def make_links(into):
    os.makedirs(os.path.join(into, b"inner"))
    write(os.path.join(into, b"target"), b"the target\n")
    for name, text in (
        (b"relative", b"target"),
        (b"inner/up", b"../target"),
        (b"dangling", b"nowhere/at/all"),
        (b"escaping", b"../../../../../../etc/hostname"),
        (b"absolute", b"/etc/hostname"),
        (b"loop", b"loop"),
        (b"to-dir", b"inner"),
        (b"odd-text", b"\xff//a/./b "),
        (b"long", b"x/" * 2000),
    ):
        os.symlink(text, os.path.join(into, name))
    os.link(os.path.join(into, b"target"), os.path.join(into, b"hard"))
    os.link(os.path.join(into, b"target"), os.path.join(into, b"inner", b"hard-too"))


def make_odd(into):
    into = os.fsencode(into)
    make_names(os.path.join(into, b"names"))
    make_kinds(os.path.join(into, b"kinds"))
    make_links(os.path.join(into, b"links"))
    os.makedirs(os.path.join(into, b"empty", b"inside"))
    deep = os.path.join(into, b"deep", *[b"d%d" % i for i in range(40)])
    os.makedirs(deep)
    write(os.path.join(deep, b"bottom"), b"found\n")
    wide = os.path.join(into, b"wide")
    os.makedirs(wide)
    for i in range(1500):
        write(os.path.join(wide, b"%05d" % i), b"%d\n" % i)
    os.chmod(os.path.join(into, b"empty"), 0o1777)
    # An archive may hold these; a mount shows none of them.
    others = os.path.join(into, b"not-shown")
    os.makedirs(others)
    os.mkfifo(os.path.join(others, b"pipe"))
    os.mknod(os.path.join(others, b"null"), stat.S_IFCHR | 0o666, os.makedev(1, 3))
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(os.path.join(others, b"socket"))


def make_big(path, mib, seed="1"):
    rng = random.Random(int(seed))
    with open(path, "wb") as file:
        for _ in range(int(mib)):
            file.write(rng.randbytes(1 << 20))
        file.write(b"the end")


def make_many(into, count):
    for i in range(int(count)):
        directory = os.path.join(into, f"d{i // 100:04}")
        if i % 100 == 0:
            os.makedirs(directory)
        write(os.path.join(directory, f"f{i:06}"), f"{i}\n".encode())


def make_some(into, count, size, seed):
    rng = random.Random(int(seed))
    os.makedirs(into, exist_ok=True)
    for i in range(int(count)):
        length = int(int(size) * rng.uniform(0.5, 1.5))
        write(os.path.join(into, f"f{i:04}"), rng.randbytes(length))


if __name__ == "__main__":
    makers = {"real": make_real, "odd": make_odd, "big": make_big, "many": make_many,
              "some": make_some}
    arguments = sys.argv[2:]
    if sys.argv[1] == "real" and len(arguments) > 1:
        arguments[1] = int(arguments[1])
    makers[sys.argv[1]](*arguments)
