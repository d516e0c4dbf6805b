# SPDX-License-Identifier: MIT
"""Runs the real kootaskfs on a real mount point, with the standard library only."""

import contextlib
import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from koodrive_sim import IMPORT_TASK, REPO, SHARE, SHARE_TASK, TOKEN, wait_until

BINARY = os.environ.get("KOOTASKFS", str(REPO / "build" / "src" / "kootaskfs"))
DATA = REPO / "tests" / "data"
TYPE = "fuse.kootaskfs"
SAMPLES = (f"share {SHARE} {SHARE_TASK}", f"basic {IMPORT_TASK}")
LIMIT = 60  # seconds for a command that should take none; only a bug ever gets there

GROUPS = {
    "service": "endpoint user-id token-file token-command token-scheme app-id app-secret-file session-id keep-alive "
               "agent-name language time-zone ca-file proxy families allow-cancel verify",
    "cache": "ttl ended-ttl negative-ttl list-ttl max-stale memory",
    "fetch": "deadline concurrency rate max-response",
    "watch": "file inotify events-memory",
}
GROUP_OF = {key: group for group, keys in GROUPS.items() for key in keys.split()}
NOBODY_LISTENS = socket.socket()  # on a port that nobody else gets, either
NOBODY_LISTENS.bind(("127.0.0.1", 0))
NOWHERE = "http://%s:%d" % NOBODY_LISTENS.getsockname()
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)  # a line of .kootaskfs/metrics
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
SUSPICIOUS = re.compile(r"CRITICAL|ERROR:|Sanitizer|runtime error|[Aa]ssertion", re.ASCII)


def environment(**changes):
    """The environment daemons run in, of which tests/conftest.py leaves little: every failed assertion of GLib is the end."""
    return {
        **os.environ,
        "G_DEBUG": "fatal-criticals",
        "ASAN_OPTIONS": "quarantine_size_mb=8:detect_leaks=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        **changes,
    }


def run(*command, check=True, timeout=LIMIT, **options):
    """Runs a command to its end; text in and out."""
    options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
    if "input" in options:
        del options["stdin"]
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, encoding="utf-8", errors="surrogateescape",
        timeout=timeout, **options,
    )
    assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def shell(script, *arguments, **options):
    return run("sh", "-euc", script, "sh", *arguments, **options)


def mounts_at(path):
    """(type, source) of the mounts at a path, from /proc/self/mountinfo."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ")
        if before.split()[4] == str(path):
            found.append(tuple(after.split()[:2]))
    return found


def errno_of(function, *arguments):
    """The name of the errno a call fails with, None when it succeeds."""
    try:
        function(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return None


def read_error(path):
    return errno_of(Path(path).read_bytes)


def detail(task=SHARE_TASK, files=(), **info):
    """An answer of share/taskDetail; a value may hold @N@ (as text)."""
    job = {"userId": "u", "taskId": task, "taskType": 1, "taskStatus": 1, "createTime": "20240930091932",
           "startTime": "20240930091932", "progress": 50, **info}
    infos = [f if isinstance(f, dict) else {"fileId": f, "status": "1", "newFileId": "n", "srcContainerId": "c"}
             for f in files]
    return json.dumps({"jobInfo": job, "taskInfos": infos, "code": 0, "msg": "Success."})


def imported(*failures, succeeded=1):
    """An answer with these (userName, desc), for both calls about a basic task."""
    rows = [{"userName": name, "desc": desc} for name, desc in failures]
    data = {"successCount": succeeded, "failCount": len(rows), "failInfoList": rows}
    return json.dumps({"data": data, "code": 0, "taskType": 1, "status": 2})


def store(sim, answer, task=SHARE_TASK, query=""):
    """From now on the simulator gives this answer for the task."""
    sim.admin("PUT", f"answers/{task}{query}", answer)


def is_group_alive(group):
    """Whether a process of this group still runs, and so may have files open."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, _, of = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(of) == group and state not in "ZX":
            return True
    return False


class Mount:
    """One kootaskfs with its files in a directory of its own: conf, token, tasks (the watch list), log, m (the mount
    point). Keywords are keys of the configuration with _ for -; None leaves a key out. Beside them: watch (lines of
    the watch list, None for no list), token, token_mode, options (-o), arguments (before the mount point), env, auto
    (False: the test calls start()), background (no -f). Share tasks are the only family unless a test says otherwise, so
    that `ls tasks` asks for nothing; who watches a basic task has it all the same. Nothing is asked at the start either, so
    that tests can count what they ask (verify="yes" does)."""

    def __init__(self, directory, sim, *, watch=SAMPLES, token=TOKEN, token_mode=0o600, options=(), arguments=(),
                 env=None, auto=True, background=False, extra="", **settings):
        self.directory, self.sim, self.auto, self.background = directory, sim, auto, background
        self.token, self.options, self.arguments, self.env = token, list(options), list(arguments), env or {}
        self.conf, self.list, self.log_file = directory / "conf", directory / "tasks", directory / "log"
        self.token_file, self.path = directory / "token", directory / "m"
        self.process, self.children, self.ended, self.extra = None, [], False, extra
        self.path.mkdir()
        self.log_file.touch()
        if token is not None:
            self.token_file.write_text(token + "\n")
            self.token_file.chmod(token_mode)
        self.settings = {
            "endpoint": sim.url if sim else NOWHERE,
            "user-id": "1505084218764547200",
            "token-file": str(self.token_file) if token is not None else None,
            "families": "share",
            "verify": "no",
        }
        if watch is not None:
            self.write_list(*watch)
            self.settings["file"] = str(self.list)
        self.configure(**settings)

    # ---- files

    def configure(self, **settings):
        """Changes keys of the configuration file."""
        self.settings.update({name.replace("_", "-"): value for name, value in settings.items()})
        lines = []
        for group in GROUPS:
            lines.append(f"[{group}]")
            lines += [f"{k} = {v}" for k, v in self.settings.items() if v is not None and GROUP_OF[k] == group]
        self.conf.write_text("\n".join(lines) + "\n" + self.extra)

    def write_list(self, *lines):
        self.list.write_text("".join(line + "\n" for line in lines))

    def __truediv__(self, name):
        return self.path / name

    def task(self, task=SHARE_TASK):
        return self.path / "tasks" / task

    def read(self, name, task=SHARE_TASK):
        return (self.task(task) / name).read_text()

    def control(self, name):
        return (self.path / ".kootaskfs" / name).read_text()

    def log(self):
        return self.log_file.read_text(errors="replace")

    def log_lines(self, word=""):
        return [line for line in self.log().splitlines() if word in line]

    # ---- process

    def command(self):
        words = [BINARY] + ([] if self.background else ["-f"])
        words += ["-o", ",".join([f"config={self.conf}", *self.options])]
        return words + self.arguments + [str(self.path)]

    def start(self):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(**self.env)
            )
        self.ended = False
        if self.background:
            code = self.process.wait(LIMIT)
            assert code == 0, f"the start failed with {code}: {self.log()}"
            assert mounts_at(self.path), "not mounted when the command returned"
        else:
            wait_until(self._is_ready, "the mount")
        return self

    def _is_ready(self):
        assert self.process.poll() is None, f"ended with {self.process.returncode} before it was ready: {self.log()}"
        return mounts_at(self.path) != []

    def start_failing(self):
        """Starts what must not start: (exit code, stderr)."""
        done = run(*self.command(), check=False, env=environment(**self.env))
        assert not mounts_at(self.path)
        return done.returncode, done.stderr

    def pid(self):
        """Of the daemon, also one in the background; None when there is none."""
        if self.process is not None and not self.background:
            return self.process.pid if self.process.poll() is None else None
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if os.fsencode(str(self.path)) in words and b"kootaskfs" in words[0] and state != "Z":
                return int(entry.name)
        return None

    def signal(self, number):
        os.kill(self.pid(), number)

    def popen(self, *command, **options):
        """A process that uses the mount; it is killed at the end at the latest."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        child = subprocess.Popen([str(word) for word in command], encoding="utf-8", start_new_session=True, **options)
        self.children.append(child)
        return child

    def python(self, script, *arguments, **options):
        """A Python process that uses the mount."""
        return self.popen(sys.executable, "-c", script, *arguments, **options)

    # ---- the end

    def kill(self):
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def wait_ended(self):
        """Waits until no daemon is left; the exit code where it is known."""
        if self.process is not None and not self.background:
            code = self.process.wait(LIMIT)
        else:
            code = None
            wait_until(lambda: self.pid() is None, "the daemon's end")
        self.ended = True
        return code

    def unmount(self):
        run("fusermount3", "-u", self.path)
        assert self.wait_ended() in (0, None), self.log()
        assert not mounts_at(self.path)

    def end_children(self):
        """Kills what popen() started, with what that started, and waits for it."""
        for child in self.children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        for child in self.children:
            child.communicate(timeout=LIMIT)
            wait_until(lambda group=child.pid: not is_group_alive(group), "the end of what a child started")
        self.children.clear()

    def finish(self):
        problems = []
        try:
            self.end_children()
        except subprocess.TimeoutExpired:
            problems.append("a process in the mount cannot be killed")
        if self.pid() is not None and not self.ended:
            try:
                self.unmount()
            except (AssertionError, subprocess.TimeoutExpired) as problem:
                problems.append(f"cannot be unmounted: {problem}")
        self.kill()
        if self.children:
            self.end_children()
        if self.process is not None:
            self.process.wait(LIMIT)
        while mounts_at(self.path):
            problems.append("a mount is left")
            run("umount", "-l", self.path)
        problems += self.suspicious()
        assert not problems, "\n".join(problems) + "\nlog:\n" + self.log()

    def suspicious(self):
        log = self.log()
        found = [f"suspicious: {line}" for line in log.splitlines() if SUSPICIOUS.search(line)]
        if self.token is not None and self.token in log:
            found.append("the token is in the log")
        return found

    # ---- what it costs

    def requests(self, task=None):
        """How many requests of the service were made (for a task)."""
        return len(self.sim.log(f"?taskId={task}")) if task else self.sim.counters()["total"]

    def asked(self, call, task):
        """How many requests of that call were made for a task: a basic task takes two calls."""
        return sum(request["call"] == call for request in self.sim.log(f"?taskId={task}"))

    def largest_memory(self):
        """Kilobytes in use when they were most, since the start."""
        return int(re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{self.pid()}/status").read_text(), re.M)[1])

    def series(self, name, text=None):
        """(labels, value) of all series of a metric, without the labels that all have; of now, or in a text read before."""
        text = self.control("metrics") if text is None else text
        found = [(dict(LABEL.findall(labels)), float(value)) for other, labels, value in SAMPLE.findall(text) if other == name]
        for labels, _ in found:
            del labels["endpoint"], labels["mountpoint"]
        return found

    def metric(self, name, **labels):
        """The sum of a metric's series with these labels; one there must be."""
        found = [value for others, value in self.series(name) if labels.items() <= others.items()]
        assert found, f"no series {name} {labels}"
        return sum(found)

    def operations(self):
        """File operations that reached the daemon so far. Reading this costs some itself: see operations_of()."""
        found = {labels["operation"]: int(value) for labels, value in self.series("kootaskfs_operations_total")}
        del found["forget"]
        return found

    def operations_of(self, action):
        """File operations that an action costs, without those of counting them; kinds with none are left out."""
        self.operations()
        first, second = self.operations(), self.operations()
        action()
        third = self.operations()
        cost = {name: third[name] - second[name] - (second[name] - first[name]) for name in third}
        return {name: number for name, number in cost.items() if number}
