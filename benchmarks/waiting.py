# SPDX-License-Identifier: MIT
"""Waiting for tasks to end: `cat wait` beside the loop of curl and jq that one would write instead."""

import resource
import statistics
import subprocess
import time

from common import Service, cpu_seconds

TTL = 5  # seconds; also the pause of the loop
STEPS = 40  # of a task's progress
LOOP = """
until [ "$(curl {arguments} -d '{{"taskId":"{task}","shareId":"{share}"}}' | jq -r .jobInfo.taskStatus)" -ge 2 ]; do sleep {ttl}; done
"""


def answer(task, progress):
    return (f'{{"code":0,"jobInfo":{{"userId":"u","taskId":"{task}","taskType":1,"taskStatus":{2 if progress >= 100 else 1},'
            f'"progress":{progress}}},"taskInfos":[]}}').encode()


def run(service, commands, seconds):
    """Starts the waiting commands, moves all tasks on until they end; how long after that each command took to end."""
    waiting, late = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands], []
    begun = time.monotonic()
    for step in range(1, STEPS + 1):
        time.sleep(max(0, begun + step * seconds / STEPS - time.monotonic()))
        for _, task in service.tasks:
            service.admin("PUT", f"answers/{task}", answer(task, 100 * step // STEPS))
    ended = time.monotonic()
    while waiting:
        for process in [process for process in waiting if process.poll() is not None]:
            waiting.remove(process)
            late.append(time.monotonic() - ended)
        time.sleep(0.01)
    return late


def waiting(work, tasks, scripts, seconds):
    """Rows (name, requests, CPU seconds of all processes, median and longest seconds too late): SCRIPTS wait for TASKS."""
    rows = []
    with Service(work, tasks) as service:
        for share, task in service.tasks:
            service.admin("PUT", f"answers/{task}", answer(task, 0))
        chosen = [service.tasks[i % tasks] for i in range(scripts)]

        def measure(name, commands, process=None):
            requests, daemon = service.requests(), cpu_seconds(process.pid) if process else 0
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            late = run(service, commands, seconds)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            cpu += cpu_seconds(process.pid) - daemon if process else 0
            rows.append((name, service.requests() - requests, cpu, statistics.median(late), max(late)))

        with service.mount(work / "waiting", f"ttl={TTL}s") as process:
            measure("cat wait", [["cat", work / "waiting/tasks" / task / "wait"] for _, task in chosen], process)
        for share, task in service.tasks:
            service.admin("PUT", f"answers/{task}", answer(task, 0))
        arguments = service.curl_arguments()
        measure(f"curl, jq, sleep {TTL}", [["bash", "-c", LOOP.format(arguments=arguments, task=task, share=share, ttl=TTL)]
                                          for share, task in chosen])
    return rows
