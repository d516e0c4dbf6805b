#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How fast package.zip is: cp from a mount beside curl, both from the same nginx, cold, in turn; what unzip -l transfers; and
the daemon's memory meanwhile. Prints a table as markdown and appends it to a file: package.py BUILD [OUTPUT.md]. nginx, curl
and unzip must be installed; scripts/bench does that."""

import contextlib
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile

TOKEN = "koodrive-sim-token"
SHARE, TASK = "1537770199275722241", "1521827471237047552"
ROUNDS = 5
MIB = 1024
MEMBER = 16 << 20

NGINX = """daemon off; master_process off; pid {work}/nginx.pid; error_log {work}/nginx.log;
events {{ }}
http {{ access_log off; sendfile on; tcp_nopush on;
{temporary}
server {{ listen 127.0.0.1:{port}; root {root}; }} }}
"""


def wait_for(condition, what):
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"still waiting for {what}")
        time.sleep(0.01)


def answers(url):
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD")).close()
        return True
    except OSError:
        return False


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def nginx(work, root):
    port = 18000 + time.monotonic_ns() % 10000
    temporary = " ".join(f"{name}_temp_path {work}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf = work / "nginx.conf"
    conf.write_text(NGINX.format(work=work, root=root, port=port, temporary=temporary))
    url = f"http://127.0.0.1:{port}/package.zip"
    with running(["nginx", "-p", work, "-e", work / "nginx.log", "-c", conf]):
        wait_for(lambda: answers(url), "nginx")
        yield url


@contextlib.contextmanager
def service(build, work, link):
    """A koodrive-sim whose task has the link; the configuration to mount it."""
    answer = {"code": 0, "jobInfo": {"userId": "u", "taskId": TASK, "taskType": 1, "taskStatus": 2, "progress": 100,
                                     "downloadUrl": link}, "taskInfos": []}
    with running([build / "sim/koodrive-sim", "--port=0"], stdout=subprocess.PIPE, text=True) as sim:
        endpoint = sim.stdout.readline().split(" on ")[1].strip()
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/_sim/answers/{TASK}", method="PUT",
                                                      data=json.dumps(answer).encode())).close()
        token, watch, conf = work / "token", work / "watch", work / "kootaskfs.conf"
        token.touch(mode=0o600)
        token.write_text(TOKEN + "\n")
        watch.write_text(f"share {SHARE} {TASK}\n")
        conf.write_text(f"[service]\nendpoint = {endpoint}\nuser-id = 1\ntoken-file = {token}\nverify = no\n"
                        f"[watch]\nfile = {watch}\n")
        yield conf


class Mounted:
    def __init__(self, build, work, conf):
        self.path = work / "mnt"
        self.path.mkdir(exist_ok=True)
        self.process = subprocess.Popen([build / "src/kootaskfs", "-f", "-o", f"config={conf}", self.path])
        wait_for(self.path.is_mount, "the mount")
        self.package = self.path / "tasks" / TASK / "package.zip"
        self.package.stat()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["fusermount3", "-u", self.path], check=True)
        self.process.wait()

    def metric(self, name):
        return int(re.search(rf"^{name}\{{.*\}} (\d+)$", (self.path / ".kootaskfs/metrics").read_text(), re.M).group(1))

    def most_resident(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100


def make_package(path):
    """A zip of incompressible members, not compressed."""
    with open("/dev/urandom", "rb") as random, zipfile.ZipFile(path, "w") as package:
        for number in range(0, MIB << 20, MEMBER):
            package.writestr(f"file-{number // MEMBER}", random.read(MEMBER))


def timed(*command):
    start = time.monotonic()
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    shm = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm"))  # so that no disk takes part
    work = pathlib.Path(tempfile.mkdtemp(prefix="kootaskfs-bench."))
    try:
        shm.chmod(0o755)
        make_package(shm / "package.zip")
        ours, curls, resident, cpu = [], [], [], []
        with nginx(work, shm) as link, service(build, work, link) as conf:
            copy = shm / "copy"
            for _ in range(ROUNDS):
                curls.append(timed("curl", "-s", "-o", copy, link))
                copy.unlink()
                with Mounted(build, work, conf) as mounted:
                    ours.append(timed("cp", mounted.package, copy))
                    resident.append(mounted.most_resident())
                    cpu.append(mounted.cpu())
                    requests = mounted.metric("kootaskfs_package_requests_total")
                subprocess.run(["cmp", copy, shm / "package.zip"], check=True)
                copy.unlink()
            with Mounted(build, work, conf) as mounted:
                timed("unzip", "-l", mounted.package)
                listed = mounted.metric("kootaskfs_package_bytes_total")
        ratio = statistics.median(curl / own for curl, own in zip(curls, ours))
        text = f"""
## package.zip of {MIB} MiB from a local nginx

cp and curl write to memory. nginx, kootaskfs and cp share the cores: on two of them their work, not their waiting, decides.

| | |
| --- | --- |
| cp, MiB/s | {MIB / statistics.median(ours):.0f} |
| curl, MiB/s | {MIB / statistics.median(curls):.0f} |
| cp's speed / curl's | {ratio:.2f} |
| requests of a cp | {requests} |
| daemon's CPU of a cp, s | {statistics.median(cpu):.2f} |
| daemon's largest resident memory, MiB | {max(resident):.0f} |
| transferred for unzip -l, KiB | {listed / 1024:.0f} |
"""
        print(text)
        if len(sys.argv) > 2:
            with open(sys.argv[2], "a", encoding="utf-8") as output:
                output.write(text)
    finally:
        shutil.rmtree(shm)
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
