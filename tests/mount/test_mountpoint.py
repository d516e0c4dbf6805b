# SPDX-License-Identifier: MIT
"""docs/semantics.md, "The process": what stands at the mount point is asked, not guessed, and not for ever."""

import contextlib
import os
import signal
import subprocess
import time

import pytest

from koodrive_sim import wait_until
from kootaskfs_mount import LIMIT, environment, errno_of, mounts_at, read_error, run

# A file system of another kind on argv[1], that never answers: the mount(8) of libfuse, without libfuse.
OTHER = """
import os, sys, time
fuse = os.open("/dev/fuse", os.O_RDWR)
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0"
done = libc.mount(b"other", sys.argv[1].encode(), b"fuse.other", 0, options.encode())
assert done == 0, os.strerror(ctypes.get_errno())
print("mounted", flush=True)
time.sleep(3600)
"""


def killed(m):
    """The mount, its daemon killed, and its root still remembered by the kernel."""
    os.stat(m.path)
    m.kill()
    m.process.wait(LIMIT)
    wait_until(lambda: errno_of(os.statvfs, m.path) == "ENOTCONN", "the mount to be dead")
    return m


def is_new(m):
    """A mount that answers, and only one; this is never cached."""
    wait_until(lambda: read_error(m / ".kootaskfs" / "version") is None, "the new mount")
    return len(mounts_at(m.path)) == 1 and m.read("status") == "completed\n"


@pytest.mark.parametrize("background", [False, True])
def test_dead_mount_that_the_kernel_remembers(mount, sim, background):
    """"A dead mount of an earlier kootaskfs is cleared before mounting, also while `stat` of it still succeeds from the
    cache of the kernel.\""""
    m = mount(sim)
    killed(m)
    assert errno_of(os.stat, m.path) is None, "the kernel still has the attributes"
    m.background = background
    m.start()
    assert is_new(m)


def spellings(m):
    """Ways of naming the mount point: (word, working directory)."""
    (m.directory / "link").symlink_to("m")
    (m.directory / "further").symlink_to(m.directory)
    return [(f"{m.path}/", "/"), ("m", m.directory), ("./m//", m.directory), ("../mount0/m", m.directory),
            (m.directory / "link", "/"), ("link/", m.directory), (m.directory / "further" / "m", "/"),
            (m.directory / "further" / "link", "/")]


@pytest.mark.parametrize("case", range(8))
def test_dead_mount_however_named(mount, sim, case):
    """"A dead mount is cleared however the mount point is named": a trailing slash, a relative name, a link to it or further
    up."""
    m = killed(mount(sim))
    name, directory = spellings(m)[case]
    m.background = True
    done = run(*m.command()[:-1], name, cwd=directory, env=environment())
    assert done.returncode == 0 and is_new(m)
    done = run(*m.command()[:-1], name, cwd=directory, env=environment(), check=False)
    assert done.returncode == 1 and "mounted there already" in done.stderr
    run("umount", m.path)


def test_dead_mounts_over_each_other(mount, sim):
    """All of them are cleared."""
    first = killed(mount(sim))
    for _ in range(2):
        process = subprocess.Popen(["python3", "-c", OTHER.replace("fuse.other", "fuse.kootaskfs"), first.path],
                                   stdout=subprocess.PIPE)
        with process:
            process.stdout.readline()
            process.kill()
    assert len(mounts_at(first.path)) == 3
    first.start()
    assert is_new(first)


def test_living_mount_over_another(mount, sim):
    """The topmost mount counts: one over a file system of another kind is seen."""
    m = mount(sim, auto=False)
    run("mount", "-t", "tmpfs", "none", m.path)
    try:
        m.start()
        wait_until(lambda: read_error(m / ".kootaskfs/version") is None, "the mount")
        done = run(*m.command(), check=False, env=environment())
        assert done.returncode == 1 and "mounted there already" in done.stderr
        run("fusermount3", "-u", m.path)
        assert m.wait_ended() == 0
    finally:
        run("umount", "-l", m.path)


@contextlib.contextmanager
def other(m):
    """A process that has mounted something else, and never answers."""
    process = subprocess.Popen(["python3", "-c", OTHER, m.path], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"mounted\n"
        yield process
    finally:
        process.kill()
        process.communicate()
        run("umount", "-l", m.path)


def test_dead_mount_of_another_kind(mount, sim):
    """It is not ours to clear."""
    m = mount(sim, auto=False)
    with other(m) as process:
        process.kill()
        process.wait(LIMIT)
        code, error = refused(m)
        assert code == 1 and "a dead mount of another file system is there" in error
        assert mounts_at(m.path)[0][0] == "fuse.other"


def refused(m):
    done = run(*m.command(), check=False, env=environment())
    assert done.stderr.count("\n") == 1
    return done.returncode, done.stderr


def test_mount_of_another_kind_that_hangs(mount, sim):
    """No answer is not waited for."""
    m = mount(sim, auto=False)
    with other(m):
        code, error = refused(m)
        assert code == 1 and f"{m.path}: the file system there does not answer" in error


@pytest.mark.parametrize("background", [False, True])
def test_living_mount_that_hangs(mount, sim, background):
    """"A mount that does not answer for 5 s is left alone, and mounting over it is an error", which says what to do."""
    m = mount(sim)
    wait_until(lambda: read_error(m / ".kootaskfs/version") is None, "the mount")
    m.signal(signal.SIGSTOP)
    frozen, m.background = m.process, background
    began = time.monotonic()
    try:
        code, error = refused(m)
        assert time.monotonic() - began >= 5
        assert code == 1 and "kootaskfs is mounted there and does not answer" in error and "fusermount3 -u -z" in error
    finally:
        m.background = False
        frozen.send_signal(signal.SIGCONT)
    assert m.read("status") == "completed\n"
