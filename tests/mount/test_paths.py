# SPDX-License-Identifier: MIT
"""docs/configuration.md: what names of files are relative to, also later; two ways of writing one thing are one."""

import os
import signal

import pytest

from koodrive_sim import TOKEN, wait_until
from kootaskfs_mount import BINARY, environment, run


def reload(m):
    """SIGHUP, and it has been taken: the ttl tells."""
    before = m.settings.get("ttl")
    m.configure(ttl="7s" if before != "7s" else "8s")
    m.signal(signal.SIGHUP)
    wait_until(lambda: f"ttl = {m.settings['ttl']}\n" in m.control("config"), "the reload")
    assert m.control("last-error") == ""


def start_in(m, directory, *words):
    """In the background, from that directory."""
    m.background = True
    run(BINARY, *words, m.path, cwd=directory, env=environment(**m.env))


def test_relative_to_the_configuration(mount, sim, tmp_path):
    """"Relative ones are of the configuration file's directory", in the background and at SIGHUP too."""
    m = mount(sim, auto=False, token_file="secrets/../token", file="tasks")
    (m.directory / "secrets").mkdir()
    start_in(m, tmp_path, "-o", f"config={m.conf}")
    assert m.read("status") == "completed\n"
    config = m.control("config")
    assert f"token-file = {m.token_file}\n" in config and f"file = {m.list}\n" in config
    reload(m)
    m.write_list()
    wait_until(lambda: os.listdir(m / "tasks") == [], "the list to be read again")


def test_relative_options(mount, sim):
    """"After -o of the directory that the command was given in", also config= itself, and at SIGHUP, from `/`."""
    m = mount(sim, auto=False, token_file="/nowhere", file=None)
    start_in(m, m.directory, "-o", "config=conf,token-file=./token,file=tasks")
    assert m.read("status") == "completed\n"
    assert os.readlink(f"/proc/{m.pid()}/cwd") == "/"
    reload(m)
    config = m.control("config")
    assert f"token-file = {m.token_file}\n" in config and f"file = {m.list}\n" in config


def test_home(mount, sim):
    """"Names of files may begin with ~/": in the file, after -o and in config=."""
    m = mount(sim, auto=False, token_file="~/token", file=None)
    m.env = {"HOME": str(m.directory)}
    start_in(m, "/", "-o", "config=~/conf,file=~/tasks")
    assert m.read("status") == "completed\n"
    assert f"token-file = {m.token_file}\nt" in m.control("config")
    reload(m)


@pytest.mark.parametrize("words, text", [
    (["-o", "config=~nobody/x"], "-o config: '~nobody/x': only ~/ is a home"),
    (["-o", "config={conf},token-file=~nobody/x"], "-o: [service] token-file: '~nobody/x': only ~/ is a home"),
])
def test_home_of_others(mount, sim, words, text):
    m = mount(sim, auto=False)
    done = run(BINARY, *(word.format(conf=m.conf) for word in words), m.path, check=False, env=environment())
    assert done.returncode == 78 and text in done.stderr and done.stderr.count("\n") == 1


def test_another_way_to_write_the_endpoint(mount, sim):
    """It is no other endpoint: SIGHUP takes it."""
    m = mount(sim)
    m.configure(endpoint=f"HTTP://127.0.0.1:{sim.port:06}/ ")
    reload(m)
    assert f"endpoint = {sim.url}\n" in m.control("config") and m.read("status") == "completed\n"


def test_files_of_another_system(mount, sim):
    """A byte order mark, CR LF, and blanks at the end of lines, in all files."""
    m = mount(sim, auto=False)
    for path in (m.conf, m.list, m.token_file):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b" \t\r\n"))
    m.start()
    assert m.read("status") == "completed\n"
    m.token = TOKEN


def test_comments_behind_values(mount, sim):
    """The error names file, group and key, and says where comments stand."""
    m = mount(sim, auto=False, user_id="1505084218764547200 # me")
    code, error = m.start_failing()
    assert code == 78 and f"{m.conf}: [service] user-id: '1505084218764547200 # me': expected an id" in error
    assert error.endswith("; comments stand on lines of their own\n")
