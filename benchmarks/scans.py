# SPDX-License-Identifier: MIT
"""Many tasks: scans, readers at once, listings, TLS."""

import contextlib
import functools
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import common
from common import Service, cpu_seconds, mounted, operations_of, resident_kb, shell


def scan(work, tasks, latency):
    """Rows (name, seconds, requests, CPU seconds of the daemon): every task's status, cold, one shell command each."""
    rows = []
    calls = "while read -r share task; do printf '{\"taskId\":\"%s\",\"shareId\":\"%s\"}\\n' $task $share; done < list"

    def run(name, service, command, process=None, **options):
        before = service.requests()
        cpu = cpu_seconds(process.pid) if process else None
        seconds = shell(command, **options)
        rows.append((name, seconds, service.requests() - before, cpu_seconds(process.pid) - cpu if process else None))

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
            ("tar c tasks | cat", "tar c tasks | cat"),  # to /dev/null tar reads nothing
        ):
            with service.mount(work / "scan") as process:
                run(name, service, command, process, cwd=work / "scan")
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
    mnt = work / "many-mnt"
    rows = []
    start = time.monotonic()
    with mounted(mnt, [common.BUILD / "src/kootaskfs", "-f", "-o", f"config={work}/kootaskfs.conf,file={watch}",
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
        rows.append((f"{tasks:,} tasks: resident, MB", resident_kb(process.pid) / 1024, None))
        shutil.rmtree(shm)
    mnt.rmdir()
    return rows


def readers(work, count):
    """Rows (what, seconds, requests, most in flight): COUNT cold readers at once, at 50 ms a call."""
    rows = []
    with Service(work, 2 * count, 50) as service:
        names = sorted(task for _, task in service.tasks)
        for what, tasks in ((f"{count} readers of one task", names[:1] * count),
                            (f"{count} readers of {count} tasks", names[:count])):
            service.admin("POST", "reset")
            with service.mount(work / "readers"):
                seconds = shell("for t; do cat tasks/$t/status & done; wait", *tasks, cwd=work / "readers")
            (work / "readers").rmdir()
            counters = service.counters()
            rows.append((what, seconds, counters["total"], counters["maxInFlight"]))
    return rows


def rereads(work, tasks=20):
    """What it costs to read a task's status again when the answer has run out and is the same: a row of means."""
    with Service(work, tasks) as service, service.mount(work / "again", "ttl=300ms", "ended-ttl=300ms"):
        mnt = work / "again"
        read = functools.partial(shell, 'for t; do read -r s < "tasks/$t/status"; done',
                                 *(task for _, task in service.tasks), cwd=mnt)
        read()
        time.sleep(0.4)
        before = service.requests()
        cost = operations_of(mnt, read)
        count = len(service.tasks)
        row = [(service.requests() - before) / count]
        row += [cost.get(name, 0) / count for name in ("lookup", "getattr", "read")]
    mnt.rmdir()
    return row


NGINX = """
daemon off; pid {work}/nginx.pid; error_log {work}/nginx.log; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000; http2_max_requests 1000000;
  client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3; uwsgi_temp_path {work}/t4;
  scgi_temp_path {work}/t5;
  upstream sim {{ server {sim}; keepalive 128; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} ssl {http2}; ssl_certificate {work}/cert.pem; ssl_certificate_key {work}/key.pem;
    location /connections {{ stub_status; }}
    location / {{ proxy_pass http://sim; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


@contextlib.contextmanager
def nginx(work, service, http2):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    conf = work / "nginx.conf"
    conf.write_text(NGINX.format(work=work, sim=service.url.removeprefix("http://"), port=port,
                                 http2="http2" if http2 else ""))
    process = subprocess.Popen(["nginx", "-c", conf, "-p", work], stderr=subprocess.DEVNULL)
    url = f"https://127.0.0.1:{port}"
    trust = ssl.create_default_context(cafile=work / "cert.pem")

    def accepted():
        with urllib.request.urlopen(url + "/connections", context=trust) as answer:
            return int(answer.read().split()[7])

    try:
        for _ in range(200):
            with contextlib.suppress(urllib.error.URLError):
                accepted()
                break
            time.sleep(0.05)
        yield url, accepted
    finally:
        process.terminate()
        process.wait()


def tls(work, tasks):
    """Rows (what, seconds, requests, connections) of a cold scan through a local nginx."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
                    "-keyout", work / "key.pem", "-out", work / "cert.pem"], check=True, stderr=subprocess.DEVNULL)
    rows = []
    with Service(work, tasks) as service:
        for what, http2 in (("HTTP/1.1 over TLS", False), ("HTTP/2 over TLS", True)):
            with nginx(work, service, http2) as (url, accepted):
                before, connections = service.requests(), accepted()
                with service.mount(work / "tls", f"ca-file={work}/cert.pem", url=url):
                    seconds = shell("cat tasks/*/status", cwd=work / "tls")
                (work / "tls").rmdir()
                # each asking is a connection of its own
                rows.append((what, seconds, service.requests() - before, accepted() - connections - 1))
    return rows
