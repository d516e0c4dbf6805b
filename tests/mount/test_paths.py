# SPDX-License-Identifier: MIT
"""docs/configuration.md: what names of files are relative to, also later; two ways of writing one thing are one."""

import os
import pwd
import signal

import pytest

from koodrive_sim import TOKEN, wait_until
from kootaskfs_mount import BINARY, environment, mounts_at, run


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
    """"relative ones are of the configuration file's directory", in the background and at SIGHUP too."""
    m = mount(sim, auto=False, token_file="secrets/../token", file="tasks")
    (m.directory / "secrets").mkdir()
    start_in(m, tmp_path, "-o", f"config={m.conf}")
    assert m.read("status") == "completed\n"
    config = m.control("config")
    assert f"token-file = {m.directory}/secrets/../token\n" in config and f"file = {m.list}\n" in config
    reload(m)
    m.write_list()
    wait_until(lambda: os.listdir(m / "tasks") == [], "the list to be read again")


def test_relative_options(mount, sim):
    """"after `-o` of the directory that the command was given in", also config= itself, and at SIGHUP, from `/`."""
    m = mount(sim, auto=False, token_file="/nowhere", file=None)
    start_in(m, m.directory, "-o", "config=conf,token-file=./token,file=tasks")
    assert m.read("status") == "completed\n"
    assert os.readlink(f"/proc/{m.pid()}/cwd") == "/"
    reload(m)
    config = m.control("config")
    assert f"token-file = {m.token_file}\n" in config and f"file = {m.list}\n" in config


def behind_a_link(m):
    """Moves the files to a/b; `link` leads to a/b/c, so link/.. is a/b, and without the link it would be their old place."""
    (m.directory / "a/b/c").mkdir(parents=True)
    for name in ("conf", "token", "tasks"):
        (m.directory / name).rename(m.directory / "a/b" / name)
    (m.directory / "link").symlink_to("a/b/c")


@pytest.mark.parametrize("how", ["working directory", "whole", "in the file"])
def test_up_from_a_link(mount, sim, how):
    """".." leads to where the kernel has it, as for cat and ls, and not to where the link stands."""
    m = mount(sim, auto=False, token_file="token", file="tasks")
    behind_a_link(m)
    up = {"working directory": "..", "whole": f"{m.directory}/link/.."}.get(how, f"{m.directory}/a/b")
    if how == "in the file":
        text = (m.directory / "a/b/conf").read_text()
        text = text.replace("= token", "= ../../link/../token").replace("= tasks", "= ../../link/../tasks")
        (m.directory / "a/b/conf").write_text(text)
    m.env = {"PWD": str(m.directory / "link")}
    start_in(m, m.directory / "link", "-o", f"config={up}/conf")
    assert m.read("status") == "completed\n"
    m.signal(signal.SIGHUP)
    (m.directory / "a/b/tasks").write_text("")
    wait_until(lambda: os.listdir(m / "tasks") == [], "the list to be read again")
    assert m.control("last-error") == ""


def test_mount_point_up_from_a_link(mount, sim):
    """The same for the mount point: where `ls ../m` looks is the mount."""
    m = mount(sim, auto=False, background=True)
    link = m.directory / "m" / "link"
    (m.directory / "sub").mkdir()
    link.symlink_to("../sub")
    run(*m.command()[:-1], "../m", cwd=link, env=environment(PWD=str(link)))
    assert mounts_at(m.path) and m.read("status") == "completed\n"
    run("umount", m.path)


def test_home(mount, sim):
    """"Names of files may begin with ~/": in the file, after -o and in config=."""
    m = mount(sim, auto=False, token_file="~/token", file=None)
    m.env = {"HOME": str(m.directory)}
    start_in(m, "/", "-o", "config=~/conf,file=~/tasks")
    assert m.read("status") == "completed\n"
    assert f"token-file = {m.token_file}\nt" in m.control("config")
    reload(m)


@pytest.mark.parametrize("home", ["", "relative", None])
def test_home_that_is_none(home, tmp_path):
    """"`$HOME` when it is absolute, or else that of the user database": also where HOME is empty, or no whole path."""
    home_of_user = pwd.getpwuid(os.getuid()).pw_dir
    env = environment()
    env.pop("HOME", None)
    if home is not None:
        env["HOME"] = home
    done = run(BINARY, "--check", "-o", "config=~/no-such-file", cwd=tmp_path, env=env, check=False)
    assert done.returncode == 78 and f"{home_of_user}/no-such-file" in done.stderr


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
