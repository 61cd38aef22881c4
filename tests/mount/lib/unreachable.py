# SPDX-License-Identifier: GPL-3.0-or-later
"""unreachable.py FILE...: offline files whose archive is away. An open waits, or is an error
that says so; it does not find them absent, nor empty. Waiting readers can be interrupted."""

import errno
import signal
import subprocess
import sys

from files import SLOWER, die

READ = "import sys\nsys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"

for path in sys.argv[1:]:
    reader = subprocess.Popen([sys.executable, "-c", READ, path], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE,
                              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    try:
        out, err = reader.communicate(timeout=1)
        if reader.returncode == 0:
            die(f"{path} read as {len(out)} bytes")
        if not any(f"Errno {code}]" in err.decode() for code in
                   (errno.EIO, errno.EAGAIN, errno.ETIMEDOUT)):
            die(f"{path}: {err.decode().splitlines()[-1]}")
        print(f"unreachable: {err.decode().splitlines()[-1]}")
    except subprocess.TimeoutExpired:
        reader.send_signal(signal.SIGINT)
        try:
            reader.communicate(timeout=1 * SLOWER)
        except subprocess.TimeoutExpired:
            die(f"a reader that waits for {path} cannot be interrupted")
        print("unreachable: it waits")
