# SPDX-License-Identifier: MIT
"""Memory of many tasks, one task of many files, and doing nothing."""

import json
import signal
import subprocess
import time

from common import Probe, Service, metrics, resident_kb, shell


def memory(work, tasks):
    """Rows (what, MB resident, bytes of answers, inodes)."""
    rows = []
    mnt = work / "memory"
    with Service(work, tasks) as service, service.mount(mnt) as process:
        def note(what):
            now = metrics(mnt)
            rows.append((what, resident_kb(process.pid) / 1024, now["cache_bytes"] / 2**20, now["inodes"]))
            return rows[-1][1]

        shell("ls -f tasks", cwd=mnt)
        listed = note(f"{tasks:,} tasks listed")
        shell("cat tasks/*/status", cwd=mnt)
        read = note("status of all read")
        shell("find tasks -type f", cwd=mnt)
        note("all their files listed")
        conf = work / "kootaskfs.conf"
        conf.write_text(conf.read_text() + "[cache]\nmemory = 1M\n")
        process.send_signal(signal.SIGHUP)
        before = None
        while before != (before := metrics(mnt)["inodes"]):
            time.sleep(2)
        time.sleep(2)
        note("after SIGHUP with memory = 1M")
    mnt.rmdir()
    return rows, (read - listed) * 1024 / tasks


def answer_of(task, files, mark):
    infos = [{"fileId": f"F{n:032}", "status": "2" if n % 10 == 0 else "1", "newFileId": f"N{n:032}",
              "srcContainerId": "C" * 33} for n in range(files)]
    return json.dumps({"jobInfo": {"taskId": task, "taskType": 1, "taskStatus": 2, "progress": 100, "mark": mark},
                       "taskInfos": infos, "code": 0}).encode()


def large(work, sizes):
    """Rows (what, seconds for each size, worst lookup meanwhile for each, ms)."""
    commands = (
        ("ls files \\| wc -l, cold", "ls files | wc -l"),
        ("cat files.csv, expired", "cat files.csv"),
        ("one lookup by name", "cat files/F{middle:032}/status"),
        ("find files -name status \\| wc -l", "find files -name status | wc -l"),
        ("touch, the answer has changed", "touch status"),
    )
    results = {}
    mnt = work / "large"
    for size in sizes:
        with Service(work, 8) as service, service.mount(mnt, "ttl=2s", "ended-ttl=2s"):
            task = service.tasks[0][1]
            for mark, (what, command) in enumerate(commands):
                if "cold" in what or "expired" in what or "changed" in what:
                    service.admin("PUT", f"answers/{task}", answer_of(task, size, mark))
                    time.sleep(2.1)
                with Probe(mnt / ".kootaskfs/version") as probe:
                    seconds = shell(command.format(middle=size // 2), cwd=mnt / "tasks" / task)
                results.setdefault(what, []).append((seconds, probe.worst))
        mnt.rmdir()
    return [(what, [s for s, _ in pairs], [w for _, w in pairs]) for what, pairs in results.items()]


def idle(work, seconds):
    """System calls of the daemon in SECONDS with a mount that nobody uses."""
    (work / "idle-log").mkdir()  # not beside the files that the daemon watches
    log = work / "idle-log" / "strace"
    mnt = work / "idle"
    with Service(work, 100) as service, service.mount(mnt) as process:
        shell("cat tasks/*/status", cwd=mnt)
        time.sleep(1)
        subprocess.run(["timeout", "--signal=INT", str(seconds), "strace", "-f", "-c", "-o", log, "-p", str(process.pid)],
                       check=False, stderr=subprocess.DEVNULL)
    mnt.rmdir()
    # "100.00 SECONDS USECS-A-CALL CALLS [ERRORS] total"; nothing at all when there was no call
    return next((int(line.split()[3]) for line in log.read_text().splitlines() if line.endswith(" total")), 0)
