# SPDX-License-Identifier: MIT
"""Warm reads beside other file systems."""

import contextlib
import functools
import http.server
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import threading

import common
from common import Service, mounted


def loop(operation, paths, rounds=5):
    text = "".join(f"{path}\n" for path in paths)
    done = subprocess.run([common.BUILD / "benchmarks/bench-loop", operation, str(rounds)], input=text, text=True,
                          check=True, capture_output=True)
    return float(done.stdout)


def task_tree(path, names):
    """The shape of a mount, of plain files."""
    for name in names:
        (path / "tasks" / name).mkdir(parents=True)
        (path / "tasks" / name / "status").write_text("completed\n")
    return [path / "tasks" / name / "status" for name in names]


def flat_tree(path, names):
    path.mkdir()
    for name in names:
        (path / name).write_text("completed\n")


@contextlib.contextmanager
def web_server(root):
    handler = functools.partial(QuietHandler, directory=str(root))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """With ranges, which httpdirfs wants."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def end_headers(self):
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def do_GET(self):
        path = pathlib.Path(self.translate_path(self.path))
        if "Range" not in self.headers or not path.is_file():
            super().do_GET()
            return
        content = path.read_bytes()
        first, last = self.headers["Range"].removeprefix("bytes=").split("-")
        last = min(int(last or len(content)), len(content) - 1)
        part = content[int(first):last + 1]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)


def warm(work, tasks):
    """Rows (name, read µs, ratio, stat µs, ratio): tmpfs first, with the shape of a mount; the other file systems have flat
    ones. Each is measured in turn with tmpfs, pair by pair, and the medians count: the machine's speed drifts."""
    names = [str(n) for n in range(tasks)]
    shm = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm"))
    rows = []

    base = task_tree(shm, names)

    def measure(name, paths, rounds=5):
        row = [name]
        for operation in ("read", "stat"):
            pairs = [(loop(operation, base), loop(operation, paths, rounds)) for _ in range(7)]
            row += [statistics.median(own for _, own in pairs), statistics.median(own / tmpfs for tmpfs, own in pairs)]
        rows.append(row)

    try:
        measure("tmpfs", base)
        flat_tree(shm / "files", names)
        measure("/proc/uptime", ["/proc/uptime"], 5000)
        with Service(work, tasks, 0) as service, service.mount(work / "ours"):
            measure("kootaskfs", [work / "ours/tasks" / task / "status" for _, task in service.tasks])
        for name, options in (("libfuse, keep_cache", []), ("libfuse, direct_io", ["--direct"])):
            with mounted(work / "plain", [common.BUILD / "benchmarks/bench-plainfs", *options, "-f", work / "plain"]):
                measure(name, [work / "plain" / n for n in names], 1)
            (work / "plain").rmdir()
        if shutil.which("lxcfs"):
            with mounted(work / "lxcfs", ["lxcfs", "-f", work / "lxcfs"]):
                measure("lxcfs /proc/uptime", [work / "lxcfs/proc/uptime"], 500)
        with web_server(shm / "files") as url:
            if shutil.which("rclone"):
                with mounted(work / "rclone", ["rclone", "mount", "--http-url", url, ":http:", work / "rclone"]):
                    measure("rclone mount (http)", [work / "rclone" / n for n in names[:20]], 1)
            if shutil.which("httpdirfs"):
                with mounted(work / "httpdirfs", ["httpdirfs", "-f", url, work / "httpdirfs"]):
                    measure("httpdirfs", [work / "httpdirfs" / n for n in names[:20]], 1)
    finally:
        shutil.rmtree(shm)
    return rows
