# SPDX-License-Identifier: GPL-3.0-or-later
"""readable.py ARCHIVE MOUNT: every file opens; a wrong byte is worse than an error."""

import os
import sys

from files import contents, explain, regular

for path in regular(sys.argv[1]):
    try:
        got = contents(os.path.join(os.fsencode(sys.argv[2]), path))
    except OSError:
        sys.exit(1)
    want = contents(os.path.join(os.fsencode(sys.argv[1]), path))
    if got != want:
        print(f"readable: {explain(path, got, want)}", file=sys.stderr)
        os.kill(os.getppid(), 15)
        sys.exit(2)
