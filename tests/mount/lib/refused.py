# SPDX-License-Identifier: GPL-3.0-or-later
"""refused.py MOUNT [--any-error]: tries every write there is; each must answer EROFS.

Expects MOUNT to hold online, dir/file, dir/never-read, link and hard. --any-error: a refusal
for another reason (permissions) will do.
"""

import ctypes
import errno
import os
import stat
import sys

from files import die

mount = sys.argv[1]
any_error = "--any-error" in sys.argv
libc = ctypes.CDLL(None, use_errno=True)


def at(name):
    return os.path.join(mount, name)


def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


def opened(flags, name="online"):
    return lambda: os.close(os.open(at(name), flags, 0o644))


def through_descriptor(action):
    """What a descriptor for reading lets nobody do."""

    def attempt():
        fd = os.open(at("online"), os.O_RDONLY)
        try:
            action(fd)
        finally:
            os.close(fd)

    return attempt


AT_FDCWD = -100
RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT = 1, 2, 4


def rename2(flags):
    return lambda: call(
        "renameat2", AT_FDCWD, os.fsencode(at("online")), AT_FDCWD,
        os.fsencode(at("dir/file" if flags == RENAME_EXCHANGE else "moved")), flags)


ATTEMPTS = {
    "open O_WRONLY": opened(os.O_WRONLY),
    "open O_RDWR": opened(os.O_RDWR),
    "open O_WRONLY of an offline file": opened(os.O_WRONLY, "dir/never-read"),
    "open O_RDONLY|O_TRUNC": opened(os.O_RDONLY | os.O_TRUNC),
    "open O_WRONLY|O_APPEND": opened(os.O_WRONLY | os.O_APPEND),
    "open O_RDWR|O_TRUNC offline": opened(os.O_RDWR | os.O_TRUNC, "dir/never-read"),
    "open O_CREAT": opened(os.O_CREAT | os.O_WRONLY, "new"),
    "open O_CREAT|O_EXCL": opened(os.O_CREAT | os.O_EXCL | os.O_RDWR, "new"),
    "open O_CREAT O_RDONLY": opened(os.O_CREAT | os.O_RDONLY, "new"),
    "open O_TMPFILE": opened(os.O_TMPFILE | os.O_RDWR, "dir"),
    "mkdir": lambda: os.mkdir(at("new")),
    "mknod file": lambda: os.mknod(at("new"), stat.S_IFREG | 0o644),
    "mknod device": lambda: os.mknod(at("new"), stat.S_IFCHR | 0o666, os.makedev(1, 3)),
    "mkfifo": lambda: os.mkfifo(at("new")),
    "symlink": lambda: os.symlink("online", at("new")),
    "link": lambda: os.link(at("online"), at("new")),
    "unlink": lambda: os.unlink(at("online")),
    "unlink link": lambda: os.unlink(at("link")),
    "unlink offline": lambda: os.unlink(at("dir/never-read")),
    "rmdir": lambda: os.rmdir(at("dir")),
    "rename": lambda: os.rename(at("online"), at("moved")),
    "rename over": lambda: os.rename(at("online"), at("dir/file")),
    "rename directory": lambda: os.rename(at("dir"), at("moved")),
    "renameat2 NOREPLACE": rename2(RENAME_NOREPLACE),
    "renameat2 EXCHANGE": rename2(RENAME_EXCHANGE),
    "chmod": lambda: os.chmod(at("online"), 0o777),
    "chmod directory": lambda: os.chmod(at("dir"), 0o777),
    "fchmod": through_descriptor(lambda fd: os.fchmod(fd, 0o777)),
    "chown": lambda: os.chown(at("online"), 1, 1),
    "lchown": lambda: os.lchown(at("link"), 1, 1),
    "fchown": through_descriptor(lambda fd: os.fchown(fd, 1, 1)),
    "utimensat": lambda: os.utime(at("online"), (1, 1)),
    "utimensat now": lambda: os.utime(at("online")),
    "utimensat link": lambda: os.utime(at("link"), (1, 1), follow_symlinks=False),
    "futimens": through_descriptor(lambda fd: os.utime(fd, (1, 1))),
    "truncate": lambda: os.truncate(at("online"), 0),
    "truncate longer": lambda: os.truncate(at("online"), 1 << 20),
    "truncate offline": lambda: os.truncate(at("dir/never-read"), 0),
    "setxattr user.foreign": lambda: os.setxattr(at("online"), "user.foreign", b"1"),
    "setxattr user.thawed": lambda: os.setxattr(at("online"), "user.thawed", b"1"),
    "setxattr trusted.x": lambda: os.setxattr(at("online"), "trusted.x", b"1"),
    "setxattr on a directory": lambda: os.setxattr(at("dir"), "user.foreign", b"1"),
    "removexattr user.foreign": lambda: os.removexattr(at("online"), "user.foreign"),
    "setxattr security.capability": lambda: os.setxattr(
        at("online"), "security.capability", bytes([0, 0, 0, 2, 1] + [0] * 15)),
}
# The kernel refuses these itself, each in its own way.
OTHER = {
    "open O_TMPFILE": {errno.EROFS, errno.EOPNOTSUPP},
    "renameat2 EXCHANGE": {errno.EROFS, errno.EINVAL},
    "renameat2 NOREPLACE": {errno.EROFS, errno.EINVAL},
    "setxattr trusted.x": {errno.EROFS, errno.EOPNOTSUPP, errno.EPERM},
    "setxattr security.capability": {errno.EROFS, errno.EOPNOTSUPP, errno.EPERM},
    "removexattr user.foreign": {errno.EROFS, errno.ENODATA},
}


def attempt(what, action):
    try:
        action()
    except OSError as error:
        if error.errno in OTHER.get(what, {errno.EROFS}) or any_error:
            return None
        return f"{what}: {errno.errorcode.get(error.errno, error.errno)}, should be EROFS"
    return f"{what}: was allowed"


wrong = list(filter(None, (attempt(*item) for item in ATTEMPTS.items())))
if wrong:
    die("\n".join(wrong))
print(f"refused: {len(ATTEMPTS)} kinds of writes")
