#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares kootaskfs with what one would use instead, side by side in one run. Prints a table of ratios and writes it as
markdown: bench.py BUILD OUTPUT.md. Run it with scripts/bench."""

import contextlib
import functools
import http.server
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

BUILD = pathlib.Path(sys.argv[1]).resolve()
OUTPUT = pathlib.Path(sys.argv[2])
TOKEN = "koodrive-sim-token"
WARM_TASKS = 1000
SCAN_LATENCY_MS = 50


def shell(command, **options):
    """Runs a shell command; returns the seconds it took."""
    start = time.monotonic()
    subprocess.run(["bash", "-c", command], check=True, stdout=subprocess.DEVNULL, **options)
    return time.monotonic() - start


def wait_for_mount(path):
    deadline = time.monotonic() + 20
    while not os.path.ismount(path):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{path} is not mounted")
        time.sleep(0.01)


@contextlib.contextmanager
def mounted(path, command):
    """COMMAND, in the foreground, mounts PATH."""
    path.mkdir()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_mount(path)
        yield process
    finally:
        subprocess.run(["fusermount3", "-u", str(path)], check=False)
        process.terminate()
        process.wait()


class Service:
    """A koodrive-sim and what asks it: a mount, or curl."""

    def __init__(self, work, tasks, latency):
        self.work = work
        self.watch = work / "watch"
        self.sim = subprocess.Popen(
            [BUILD / "sim/koodrive-sim", "--port=0", f"--tasks={tasks}", "--imports=0", "--duration=0",
             f"--latency={latency}", f"--watch-list={self.watch}"], stdout=subprocess.PIPE, text=True)
        self.url = self.sim.stdout.readline().split(" on ")[1].strip()
        lines = [line.split() for line in self.watch.read_text().splitlines()]
        self.tasks = [(line[1], line[2]) for line in lines if line[0] == "share"]
        self.watch.write_text("".join(f"share {share} {task}\n" for share, task in self.tasks))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sim.terminate()
        self.sim.wait()

    def requests(self):
        with urllib.request.urlopen(self.url + "/_sim/counters") as answer:
            return json.load(answer)["total"]

    def mount(self, path, *options):
        token = self.work / "token"
        token.touch(mode=0o600)
        token.write_text(TOKEN + "\n")
        conf = self.work / "kootaskfs.conf"
        conf.write_text(f"[service]\nendpoint = {self.url}\nuser-id = 1\ntoken-file = {token}\n"
                        f"[watch]\nfile = {self.watch}\n")
        return mounted(path, [BUILD / "src/kootaskfs", "-f", "-o", f"config={conf}", *options, path])

    def curl_arguments(self):
        """What every call needs but its body, for the shell."""
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        return (f"-s -H 'Authorization: Bearer {TOKEN}' -H 'X-User-Id: 1' -H 'X-Date: {date}' "
                f"-H 'Content-Type: application/json' {self.url}/koodrive/ose/v1/share/taskDetail")

    def curl_config(self, path):
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        call = f'url = "{self.url}/koodrive/ose/v1/share/taskDetail"\noutput = "/dev/null"\n'
        for name, value in (("Authorization", f"Bearer {TOKEN}"), ("X-User-Id", "1"), ("X-Date", date),
                            ("Content-Type", "application/json")):
            call += f'header = "{name}: {value}"\n'
        bodies = (f'data = "{{\\"taskId\\":\\"{task}\\",\\"shareId\\":\\"{share}\\"}}"\n' for share, task in self.tasks)
        path.write_text("next\n".join(call + body for body in bodies))


def loop(operation, paths, rounds=5):
    text = "".join(f"{path}\n" for path in paths)
    done = subprocess.run([BUILD / "benchmarks/bench-loop", operation, str(rounds)], input=text, text=True,
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


def warm(work):
    """Rows (name, read µs, ratio, stat µs, ratio): tmpfs first, with the shape of a mount; the other file systems have flat
    ones. Each is measured in turn with tmpfs, pair by pair, and the medians count: the machine's speed drifts."""
    names = [str(n) for n in range(WARM_TASKS)]
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
        with Service(work, WARM_TASKS, 0) as service, service.mount(work / "ours"):
            measure("kootaskfs", [work / "ours/tasks" / task / "status" for _, task in service.tasks])
        for name, options in (("libfuse, keep_cache", []), ("libfuse, direct_io", ["--direct"])):
            with mounted(work / "plain", [BUILD / "benchmarks/bench-plainfs", *options, "-f", work / "plain"]):
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


def scan(work, tasks, latency):
    """Rows (name, seconds, requests): every task's status, cold, one shell command each."""
    rows = []
    calls = "while read -r share task; do printf '{\"taskId\":\"%s\",\"shareId\":\"%s\"}\\n' $task $share; done < list"

    def run(name, service, command, **options):
        before = service.requests()
        seconds = shell(command, **options)
        rows.append((name, seconds, service.requests() - before))

    with Service(work, tasks, latency) as service:
        directory = work / "curl"
        directory.mkdir()
        (directory / "list").write_text("".join(f"{share} {task}\n" for share, task in service.tasks))
        service.curl_config(directory / "config")
        for name, command in (
            ("cat tasks/*/status", "cat tasks/*/status"),
            ("for t in tasks/*; do read s < $t/status; done", "for t in tasks/*; do read s < $t/status; done"),
            ("grep -l running tasks/*/status", "grep -l running tasks/*/status || true"),
            ("find tasks -name status -exec cat {} +", "find tasks -name status -exec cat {} +"),
            ("tar c --exclude=package.zip tasks", "tar c --exclude=package.zip tasks"),
        ):
            with service.mount(work / "scan"):
                run(name, service, command, cwd=work / "scan")
            (work / "scan").rmdir()
        run("curl --parallel --parallel-max 64", service,
            "curl -s --parallel --parallel-max 64 -K config 2>/dev/null", cwd=directory)
        run("xargs -P64 curl", service,
            f"{calls} | xargs -d '\\n' -P64 -n1 curl {service.curl_arguments()} -o /dev/null -d", cwd=directory)
        if tasks <= 1000:
            run("shell loop: curl, jq", service,
                f"{calls} | while read -r body; do curl {service.curl_arguments()} -d \"$body\""
                " | jq -r .jobInfo.taskStatus; done", cwd=directory)
        shutil.rmtree(directory)
    return rows


def listing(work, tasks):
    """Rows (what, ours, tmpfs) of a list of tasks that nobody has asked for."""
    watch = work / "many"
    ids = [f"{1790000000000000000 + n * 4194304}" for n in range(tasks)]
    watch.write_text("".join(f"share 1780000000000000000 {task}\n" for task in ids))
    token = work / "token"
    mnt = work / "many-mnt"
    rows = []
    start = time.monotonic()
    with mounted(mnt, [BUILD / "src/kootaskfs", "-f", "-o", f"config={work}/kootaskfs.conf,file={watch}",
                       "http://127.0.0.1:1", mnt]) as process:
        os.listdir(mnt)
        rows.append((f"{tasks:,} tasks: ready, s", time.monotonic() - start, None))
        shm = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm"))
        for task in ids:
            (shm / task).mkdir()

        def compare(name, command):
            seconds = [min(shell(command, cwd=path) for _ in range(3)) for path in (mnt / "tasks", shm)]
            rows.append((f"{tasks:,} tasks: {name}, s", *seconds))

        compare("ls -f", "ls -f | wc -l")
        compare("find -maxdepth 1 -type d", "find . -maxdepth 1 -type d")
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        rows.append((f"{tasks:,} tasks: resident, MB", int(status.split("VmRSS:")[1].split()[0]) / 1024, None))
        shutil.rmtree(shm)
    assert token.exists()
    return rows


def cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def main():
    out = ["# Performance", "", "One run of `scripts/bench`; ratios, not seconds, carry over to other machines.", "",
           f"Machine: {cpu()}, {os.cpu_count()} cores, Linux {platform.release()}; {time.strftime('%Y-%m-%d')}.", ""]
    with tempfile.TemporaryDirectory(prefix="kootaskfs-bench.") as name:
        work = pathlib.Path(name)
        rows = warm(work)
        out += [f"## Warm, {WARM_TASKS:,} small files", "", "open+read+close and stat of one file, in memory.", "",
                "| | read µs | × tmpfs | stat µs | × tmpfs |", "| --- | --- | --- | --- | --- |"]
        out += [f"| {n} | {r:.2f} | {rr:.2f} | {s:.2f} | {sr:.2f} |" for n, r, rr, s, sr in rows]
        for tasks, latency in ((1000, SCAN_LATENCY_MS), (5000, 0)):
            rows = scan(work, tasks, latency)
            base = next(row[1] for row in rows if row[0].startswith("curl --parallel"))
            out += ["", f"## Scan of {tasks:,} cold tasks, {latency} ms a call", "",
                    "| | s | × curl --parallel | requests |", "| --- | --- | --- | --- |"]
            out += [f"| `{n}` | {s:.2f} | {s / base:.2f} | {r} |" for n, s, r in rows]
        out += ["", "## Listing tasks nobody has asked for", "", "| | kootaskfs | tmpfs | ratio |", "| --- | --- | --- | --- |"]
        for tasks in (100_000, 1_000_000):
            for row in listing(work, tasks):
                what, ours, tmpfs = row
                out.append(f"| {what} | {ours:.2f} | {f'{tmpfs:.2f} | {ours / tmpfs:.2f}' if tmpfs else ' | '} |")
            (work / "many-mnt").rmdir()
    text = "\n".join(out) + "\n"
    OUTPUT.write_text(text)
    print(text)


main()
