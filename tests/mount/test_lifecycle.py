# SPDX-License-Identifier: MIT
"""From start to end: without -f the command returns when the mount answers, 0, or non-zero with one clear line on
stderr; bad usage is 2, bad configuration 78, cannot mount 1. SIGTERM and fusermount3 -u end it cleanly."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from koodrive_sim import SHARE, wait_until
from kootaskfs_mount import (
    BINARY, DATA, IMPORT_TASK, NOWHERE, SHARE_TASK, TYPE, environment, errno_of, mounts_at, read_error, run, shell,
)


def one_line(text):
    """Exactly one line that says who speaks."""
    assert text.startswith("kootaskfs: ") and text.endswith("\n") and text.count("\n") == 1, text
    return text


@contextlib.contextmanager
def on_path():
    """The type by which mount(8), which resets PATH, finds the program; by a name of our own, as kootaskfs may be
    installed."""
    link = Path(f"/usr/local/bin/kootaskfs-{os.getpid()}")
    link.symlink_to(BINARY)
    try:
        yield f"fuse.{link.name}"
    finally:
        link.unlink()


@pytest.mark.parametrize("unmount", ["fusermount3 -u", "umount", "umount -l", "fusermount3 -u -z"])
def test_background(mount, sim, unmount):
    """Without -f: returns 0 when the mount answers; unmounting ends the daemon."""
    m = mount(sim, background=True)
    assert mounts_at(m.path)[0] == (TYPE, sim.url)
    assert m.read("status") == "completed\n"
    pid = m.pid()
    assert pid != m.process.pid and os.getsid(pid) == pid and os.readlink(f"/proc/{pid}/cwd") == "/"
    assert {os.readlink(f"/proc/{pid}/fd/{n}") for n in range(3)} == {"/dev/null"}
    assert m.log() == "", "nothing on the terminal"
    run(*unmount.split(), m.path)
    wait_until(lambda: not os.path.exists(f"/proc/{pid}") or m.pid() is None, "the daemon's end")
    assert not mounts_at(m.path) and os.listdir(m.path) == []


def test_background_does_not_hold_the_terminal(mount, sim):
    """$(kootaskfs ...) returns: the daemon lets go of stdout and stderr."""
    m = mount(sim, background=True, auto=False)
    done = run(*m.command(), env=environment(), timeout=30)
    assert (done.stdout, done.stderr) == ("", "")
    assert m.read("status") == "completed\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("background", [False, True])
def test_signals(mount, sim, number, background):
    """SIGTERM and SIGINT end it cleanly, mounted or in use."""
    m = mount(sim, background=background)
    m.read("status")
    with open(m.task() / "status"):
        m.signal(number)
        assert m.wait_ended() in (0, None)
    assert not mounts_at(m.path)


def test_fusermount_in_the_foreground(mount, sim):
    """With -f: fusermount3 -u ends it with 0."""
    m = mount(sim)
    run("fusermount3", "-u", m.path)
    assert m.wait_ended() == 0
    assert m.log() == ""


@pytest.mark.parametrize("background", [False, True])
def test_dead_mount_is_cleared(mount, sim, background):
    """A mount whose daemon was killed says ENOTCONN, and the next start clears it."""
    m = mount(sim, background=background)
    m.read("status")
    m.kill()
    wait_until(lambda: errno_of(os.stat, m.path) == "ENOTCONN", "the mount to be dead")
    if not background:
        m.process.wait(30)
    m.start()
    # what the kernel had cached of the dead mount it still shows; this it never caches
    wait_until(lambda: read_error(m / ".kootaskfs" / "version") is None, "the new mount")
    assert len(mounts_at(m.path)) == 1 and m.read("status") == "completed\n"


def test_mounted_already(mount, sim):
    """"A living kootaskfs is left alone, and mounting over it is an error": 1, one line."""
    m = mount(sim)
    done = run(*m.command(), check=False, env=environment())
    assert done.returncode == 1 and "mounted there already" in one_line(done.stderr)
    assert m.read("status") == "completed\n" and len(mounts_at(m.path)) == 1


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("what", ["missing", "file", "dangling"])
def test_bad_mountpoint(mount, sim, what, background):
    """Cannot mount: 1 and one clear line that names the mount point."""
    m = mount(sim, auto=False, background=background)
    path = m.directory / what
    if what == "file":
        path.touch()
    elif what == "dangling":
        path.symlink_to("/nowhere")
    done = run(*m.command()[:-1], path, check=False, env=environment())
    assert done.returncode == 1 and str(path) in one_line(done.stderr) and "expected" in done.stderr


@pytest.mark.parametrize("name", ["", " "])
def test_mountpoint_without_a_name(mount, sim, name):
    """`kootaskfs "$NOT_SET"` mounts nowhere, and not on the working directory."""
    m = mount(sim, auto=False, background=True)
    done = run(*m.command()[:-1], name, check=False, cwd=m.path, env=environment())
    assert not mounts_at(m.path) and done.returncode == 1
    assert "No such file or directory: expected a directory to mount on" in one_line(done.stderr)


def test_mountpoint_by_link_and_relative(mount, sim):
    """A link to a directory and a relative path are mount points too."""
    m = mount(sim, auto=False)
    (m.directory / "link").symlink_to(m.path)
    run(*m.command()[:1], *m.command()[2:-1], "link", cwd=m.directory, env=environment())
    assert mounts_at(m.path) and m.read("status") == "completed\n"
    m.background = True  # so that its end finds it
    run("umount", m.directory / "link")
    m.wait_ended()


@pytest.mark.parametrize("arguments", [[], ["a", "b", "c"], ["--nonsense", "m"], ["-x", "m"], ["-o"]])
def test_bad_usage(arguments):
    """Bad usage is 2, one line."""
    done = run(BINARY, *arguments, check=False, env=environment())
    assert done.returncode == 2 and one_line(done.stderr) and done.stdout == ""


def test_help_and_version():
    """-h and -V; help lists all keys, none of which takes a secret."""
    done = run(BINARY, "-V")
    assert done.stdout.startswith("kootaskfs ") and done.stdout.count("\n") == 1 and done.stderr == ""
    done = run(BINARY, "-h")
    assert run(BINARY, "--help").stdout == done.stdout and done.stderr == ""
    for key in ("ttl", "token-file", "max-stale", "deadline", "--foreground", "[watch]"):
        assert key in done.stdout


def test_mount_8(mount, sim):
    """`mount -t fuse.kootaskfs ENDPOINT MOUNTPOINT -o config=FILE,...` works, and umount(8)."""
    assert shutil.which("mount.fuse3")
    m = mount(sim, auto=False, background=True, endpoint=None)
    with on_path() as fstype:
        run("mount", "-t", fstype, sim.url, m.path, "-o", f"config={m.conf},ttl=2s,ro,nosuid", env=environment())
        assert mounts_at(m.path) == [(TYPE, sim.url)]
        assert m.read("status") == "completed\n"
        assert "ttl = 2s\n" in m.control("config")
        run("umount", m.path)
        m.wait_ended()


def test_mount_8_with_none(mount, sim):
    """"none" stands for the configured endpoint; a failure is mount's failure, with our line."""
    m = mount(sim, auto=False, background=True)
    with on_path() as fstype:
        run("mount", "-t", fstype, "none", m.path, "-o", f"config={m.conf}", env=environment())
        assert mounts_at(m.path) == [(TYPE, sim.url)]
        run("umount", m.path)
        m.wait_ended()
        m.configure(ttl="soon")
        done = run("mount", "-t", fstype, "none", m.path, "-o", f"config={m.conf}", env=environment(), check=False)
        assert done.returncode != 0 and "ttl: 'soon' is not a time" in done.stderr


@pytest.mark.parametrize("end", ["nsenter -m -t {holder} umount {path}", "kill {daemon}", "kill {holder}"])
def test_held_by_another_mount_namespace(mount, sim, end):
    """docs/troubleshooting.md: "the daemon goes on after `fusermount3 -u`", who holds it, and each way to end it."""
    m = mount(sim)
    holder = m.popen("unshare", "--mount", "sh", "-c", "echo holds; exec sleep 1000")
    assert holder.stdout.readline() == "holds\n"
    run("fusermount3", "-u", m.path)
    assert not mounts_at(m.path)
    found = shell(f"grep -ls ' {m.path} .* - fuse.kootaskfs ' /proc/[0-9]*/mountinfo || true").stdout.split()
    assert f"/proc/{holder.pid}/mountinfo" in found and m.process.poll() is None
    again = mount(sim)
    run(*end.format(holder=holder.pid, daemon=m.pid(), path=m.path).split())
    assert m.wait_ended() == 0 and again.read("status") == "completed\n"


# SIGHUP and the watch list

def test_sighup(mount, sim):
    """"SIGHUP reads configuration, secrets and watch list again\""""
    m = mount(sim, ttl="1h", token="wrong-token", watch=[f"basic {IMPORT_TASK}"], negative_ttl="50ms")
    assert read_error(m.task(IMPORT_TASK) / "status") == "EACCES"
    m.token_file.write_text("koodrive-sim-token\n")
    m.configure(ttl="7s", deadline="9s")
    m.signal(signal.SIGHUP)
    wait_until(lambda: "ttl = 7s\n" in m.control("config") and "deadline = 9s\n" in m.control("config"), "the reload")
    wait_until(lambda: read_error(m.task(IMPORT_TASK) / "status") is None, "the new token to be used")
    m.token = "wrong-token"


def test_sighup_gives_memory_back(mount, start, tmp_path):
    """A lower cache.memory lets answers go, and with them what the kernel holds of them, while readers go on."""
    sim = start("--duration=0", "--tasks=100", "--imports=0", "--shape=url-absent", f"--watch-list={tmp_path}/all")
    watch = [line for line in (tmp_path / "all").read_text().splitlines() if line.startswith("share")]
    m = mount(sim, watch=watch)

    def gauge(name):
        return m.metric("kootaskfs_" + name)

    run("grep", "-r", "completed", m / "tasks")
    assert gauge("cache_entries") == 101 and gauge("inodes") > 101 * 20
    assert m.requests() == 101
    oldest = sorted(path.name for path in (m / "tasks").iterdir())[0]
    reader = m.popen("sh", "-c", 'while cat "$0"/tasks/*/status; do :; done', m.path, stdout=subprocess.DEVNULL)
    m.configure(memory="64K")
    m.signal(signal.SIGHUP)
    wait_until(lambda: gauge("inodes") < 101 * 20, "the kernel to forget")
    assert reader.poll() is None, "readers go on"
    m.end_children()
    wait_until(lambda: gauge("inodes") < 101 * 4 + 1000 and gauge("cache_bytes") <= 65_536, "memory to be given back")
    assert m.read("status", oldest) in ("completed\n", "canceled\n")


def test_sighup_with_a_broken_configuration(mount, sim):
    """A broken one is told and the old one goes on."""
    m = mount(sim, ttl="7s")
    m.configure(ttl="soon")
    m.signal(signal.SIGHUP)
    wait_until(lambda: "configuration not re-read" in m.control("last-error"), "the failure")
    assert "ttl: 'soon' is not a time" in m.control("last-error")
    m.token_file.chmod(0o644)
    m.configure(ttl="8s")
    m.signal(signal.SIGHUP)
    wait_until(lambda: "chmod 600" in m.control("last-error"), "the second failure")
    assert "ttl = 7s\n" in m.control("config") and m.read("status") == "completed\n"
    assert len(m.log_lines("configuration not re-read")) == 2


def test_sighup_again_and_again(mount, sim):
    """Reloads while readers read: nothing breaks."""
    m = mount(sim, ttl="10ms")
    reader = m.popen("sh", "-c", 'while cat "$1/status" > /dev/null; do :; done', "sh", m.task())
    for _ in range(50):
        m.signal(signal.SIGHUP)
        assert m.read("status") == "completed\n"
    wait_until(lambda: m.log_lines("configuration read again"), "a reload")
    assert reader.poll() is None


BOTH = sorted([SHARE_TASK, IMPORT_TASK])


def listed(m):
    return sorted(os.listdir(m / "tasks"))


@pytest.mark.parametrize("how", ["write", "rename", "sighup"])
def test_watch_list_is_re_read(mount, sim, how):
    """"It is read again when it is written or replaced"; a task that is no longer in it
    disappears although the kernel had its name."""
    m = mount(sim)
    assert listed(m) == BOTH
    assert m.read("status") == "completed\n"
    with open(m.task() / "status") as opened:
        lines = f"share 5 77\n\n  # a comment\nbasic\t{IMPORT_TASK} # as before\n"
        if how == "rename":
            (m.directory / "new").write_text(lines)
            os.rename(m.directory / "new", m.list)
        else:
            m.list.write_text(lines)
        if how == "sighup":
            m.signal(signal.SIGHUP)
        wait_until(lambda: listed(m) == sorted(["77", IMPORT_TASK]), "the new list")
        wait_until(lambda: errno_of(os.stat, m.task()) == "ENOENT", "the old name to go")
        wait_until(lambda: errno_of(os.stat, m.task() / "job.json") == "ENOENT", "what is below it to go")
        assert opened.read() == "completed\n"
    assert os.listdir(m / "shares") == ["5"]
    assert m.read("status", IMPORT_TASK) == "completed\n"


def test_task_changes_its_kind(mount, sim):
    """An id that was listed as an import and then as a share's task shows its files at once, though the kernel was told that
    an import has none, and though somebody stands in the directory."""
    m = mount(sim, watch=[f"basic {SHARE_TASK}"])
    file = m.task() / "files" / json.loads((DATA / "share-taskDetail.json").read_text())["taskInfos"][0]["fileId"]
    assert os.listdir(m.task() / "files") == [] and errno_of(os.stat, file) == "ENOENT"
    m.popen("sleep", "1000", cwd=m.task() / "files")
    assert read_error(m.task() / "status") == "ENOENT"
    m.write_list(f"share {SHARE} {SHARE_TASK}")
    wait_until(lambda: os.path.exists(file), "the new kind")
    assert m.read("kind") == "share\n" and len(os.listdir(m.task() / "files")) == 2


def test_broken_watch_list_keeps_the_old(mount, sim):
    """A broken new list keeps the old one and shows in last-error; an empty one is fine."""
    m = mount(sim)
    m.write_list("share 5 77", "nonsense")
    wait_until(lambda: f"{m.list}:2: unknown kind of task" in m.control("last-error"), "the failure")
    assert len(m.log_lines("watch list not re-read")) == 1
    assert listed(m) == BOTH
    m.list.unlink()
    assert listed(m) == BOTH
    m.write_list()
    wait_until(lambda: listed(m) == [], "the empty list")
    assert os.listdir(m / "shares") == []


def test_two_mounts(mount, sim):
    """Two mounts of one service, one user: each its own, and one's end does not harm the other."""
    first, second = mount(sim), mount(sim, background=True)
    assert first.read("status") == second.read("status") == "completed\n"
    assert sim.counters()["total"] == 2
    first.unmount()
    assert second.read("result") == "succeeded\n"


def test_no_service_at_all(mount, sim):
    """The mount answers though the service does not; nothing is asked at the start."""
    m = mount(sim, endpoint=NOWHERE, background=True)
    assert listed(m) == BOTH and {".kootaskfs", "events", "overview", "shares", "tasks"} < set(os.listdir(m.path))
    assert "service: not asked yet\n" in m.control("health")
