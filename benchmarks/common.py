# SPDX-License-Identifier: MIT
"""What all measurements need: a simulator, mounts of it, and what they cost."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import threading
import time
import urllib.request

BUILD = pathlib.Path("build-bench")  # bench.py sets it
TOKEN = "koodrive-sim-token"


def shell(command, *arguments, **options):
    """Runs a shell command; returns the seconds it took."""
    start = time.monotonic()
    subprocess.run(["bash", "-c", command, "bash", *arguments], check=True, stdout=subprocess.DEVNULL, **options)
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

    def __init__(self, work, tasks, latency=0):
        self.work = work
        self.watch = work / "watch"
        self.sim = subprocess.Popen(
            [BUILD / "sim/koodrive-sim", "--port=0", f"--tasks={tasks}", "--imports=0", "--jobs=0", "--shape=url-absent",
             "--duration=0", f"--latency={latency}", f"--watch-list={self.watch}"], stdout=subprocess.PIPE, text=True)
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
        return self.counters()["total"]

    def counters(self):
        with urllib.request.urlopen(self.url + "/_sim/counters") as answer:
            return json.load(answer)

    def admin(self, method, path, body=b""):
        request = urllib.request.Request(f"{self.url}/_sim/{path}", data=body, method=method)
        urllib.request.urlopen(request).close()

    def mount(self, path, *options, url=None):
        token = self.work / "token"
        token.touch(mode=0o600)
        token.write_text(TOKEN + "\n")
        conf = self.work / "kootaskfs.conf"
        conf.write_text(f"[service]\nendpoint = {url or self.url}\nuser-id = 1\ntoken-file = {token}\n"
                        f"families = share\nverify = no\n[watch]\nfile = {self.watch}\n")
        return mounted(path, [BUILD / "src/kootaskfs", "-f", "-o", ",".join((f"config={conf}", *options)), path])

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


def metrics(mnt):
    """Name (with its labels, but for those that all have) to number."""
    text = (mnt / ".kootaskfs/metrics").read_text()
    found = re.findall(r'^kootaskfs_(\w+)\{endpoint="[^"]*",mountpoint="[^"]*",?(.*)\} (\d+)$', text, re.M)
    return {name + ("{%s}" % labels if labels else ""): int(number) for name, labels, number in found}


def operations(mnt):
    found = {re.match('operations_total{operation="(\\w+)"', name): number for name, number in metrics(mnt).items()}
    return {match[1]: number for match, number in found.items() if match}


def operations_of(mnt, action):
    """File operations that an action costs the daemon, without those of counting them."""
    operations(mnt)
    first, second = operations(mnt), operations(mnt)
    action()
    third = operations(mnt)
    return {name: third[name] - second[name] - (second[name] - first[name]) for name in third}


def resident_kb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def cpu_seconds(pid):
    """Of all its threads."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


class Probe:
    """Looks something up that always reaches the daemon, again and again; WORST is the longest it took, in ms."""

    def __init__(self, path):
        self.path, self.worst, self.running = path, 0.0, True
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while self.running:
            start = time.monotonic()
            os.stat(self.path)
            self.worst = max(self.worst, (time.monotonic() - start) * 1000)
            time.sleep(0.001)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.running = False
        self.thread.join()
