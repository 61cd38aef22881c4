# SPDX-License-Identifier: GPL-3.0-or-later
"""value.py KEY[.KEY...]: one value of the JSON on stdin. A number picks from an array."""

import json
import sys


def pick(value, key):
    return value[int(key)] if isinstance(value, list) else value[key]


value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = pick(value, key)
print(value if isinstance(value, str) else json.dumps(value))
