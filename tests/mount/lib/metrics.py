# SPDX-License-Identifier: GPL-3.0-or-later
"""metrics.py URL STATUS TEXT: what URL/metrics serves agrees with the files: the JSON of
thaw status and the text of thaw metrics, of a daemon at rest."""

import json
import sys
import urllib.error
import urllib.request

SAME = {
    "thawfs_start_time_seconds": "started",
    "thawfs_bytes_staged_total": "staged_bytes",
    'thawfs_stage_files_total{result="done"}': "staged_files",
    'thawfs_stage_files_total{result="failed"}': "failures",
    "thawfs_queue_depth": "queue",
    "thawfs_flights": "flights",
    "thawfs_waiters": "waiters",
    "thawfs_requests_active": "requests_open",
    "thawfs_cache_size_bytes": "size",
    "thawfs_cache_used_bytes": "used",
    "thawfs_cache_bytes": "resident_bytes",
    "thawfs_cache_reserved_bytes": "reserved_bytes",
    "thawfs_cache_pinned_bytes": "pinned_bytes",
    "thawfs_cache_files": "resident_files",
    "thawfs_evictions_total": "evicted_files",
    "thawfs_evicted_bytes_total": "evicted_bytes",
}


def samples(text):
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def ask(url, method="GET"):
    # No proxy of the environment between us.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, method=method), timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, None, None


url, status_file, text_file = sys.argv[1:]
with open(status_file, encoding="utf-8") as file:
    status = json.load(file)
with open(text_file, encoding="utf-8") as file:
    printed = samples(file.read())
code, kind, text = ask(url + "/metrics")
assert (code, kind) == (200, "text/plain; version=0.0.4"), (code, kind)
served = samples(text)
assert served.keys() == printed.keys(), served.keys() ^ printed.keys()
for name, key in SAME.items():
    assert served[name] == printed[name] == status[key], \
        f"{name}: {served[name]}, thaw metrics {printed[name]}, thaw status {status[key]}"
assert "/metrics" in ask(url + "/")[2]
assert ask(url + "/none")[0] == 404
assert ask(url + "/metrics", "POST")[0] == 405
