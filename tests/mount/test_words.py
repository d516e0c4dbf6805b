# SPDX-License-Identifier: MIT
"""What somebody sees who has made a mistake: one line that says what it is, whether or not with -f, whose text is in
docs/troubleshooting.md."""

import os
import pwd
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from koodrive_sim import REPO
from kootaskfs_mount import BINARY, TYPE, environment, mounts_at, run
from test_lifecycle import on_path, one_line

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def documented(line):
    """docs/troubleshooting.md has a row for this line, by its text."""
    rows = re.findall(r"^\| (.*?) \| ", (REPO / "docs/troubleshooting.md").read_text(), re.M)
    texts = [re.findall(r"`([^`]+)`", row) for row in rows]
    return any(text in line for row in texts for text in row if len(text) > 12)


def told(*arguments, code, **env):
    """The one line that kootaskfs ends with CODE for."""
    done = run(BINARY, *arguments, check=False, env=environment(**env))
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    return one_line(done.stderr)


# the configuration file

@pytest.mark.parametrize("check", [False, True])
def test_no_configuration(tmp_path, check):
    """It says where it was looked for, in order, and what to do. A relative XDG_CONFIG_HOME is none."""
    last, home = "--check" if check else tmp_path, pwd.getpwuid(os.getuid()).pw_dir
    places = [({"XDG_CONFIG_HOME": str(tmp_path), "HOME": "/nowhere"}, tmp_path),
              ({"XDG_CONFIG_HOME": "relative", "HOME": str(tmp_path)}, tmp_path / ".config"),
              ({"XDG_CONFIG_HOME": "", "HOME": str(tmp_path)}, tmp_path / ".config"),
              ({"XDG_CONFIG_HOME": "", "HOME": ""}, f"{home}/.config"),
              ({"XDG_CONFIG_HOME": "", "HOME": "relative"}, f"{home}/.config")]
    for env, place in places:
        line = told(last, code=78, **env)
        assert f"looked for {place}/kootaskfs/kootaskfs.conf, then /etc/kootaskfs.conf" in line
        assert "-o config=FILE" in line and "endpoint: missing" in line and documented(line)


def test_no_home(tmp_path):
    """Without $HOME it is the user database's."""
    env = environment()
    for name in ("HOME", "XDG_CONFIG_HOME"):
        env.pop(name, None)
    done = run(BINARY, tmp_path, check=False, env=env)
    assert done.returncode == 78
    assert "/.config/kootaskfs/kootaskfs.conf, then /etc/kootaskfs.conf" in one_line(done.stderr)


def test_no_token(tmp_path):
    """Neither file nor token: where both were looked for."""
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    line = told("-f", "-o", "user-id=5", "https://localhost", tmp_path, code=78, **env)
    assert "looked for" in line and "no token: expected token-file" in line


@pytest.mark.parametrize("what, words", [
    ("directory", ""), ("dangling", "No such file"), ("empty", "endpoint: missing"),
    ("unreadable", "Permission denied"), ("behind", "Permission denied"),
])
def test_configuration_that_is_none(what, words):
    """What is there but is no configuration is named, and not passed over for the next place."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name) / "kootaskfs"
        place.mkdir()
        file = place / "kootaskfs.conf"
        if what == "directory":
            file.mkdir()
        elif what == "dangling":
            file.symlink_to("/nowhere")
        else:
            file.touch(0o600)
        Path(name).chmod(0o755)
        place.chmod(0o700 if what == "behind" else 0o755)
        program = shutil.copy(BINARY, Path(name) / "program")
        done = run(*(NOBODY if words == "Permission denied" else ()), program, name, check=False,
                   env=environment(XDG_CONFIG_HOME=name))
        assert done.returncode == 78
        assert str(file) in one_line(done.stderr) and words in done.stderr and "/etc" not in done.stderr


def test_named_configuration_that_is_not_there(tmp_path):
    """-o config=FILE looks nowhere else."""
    for arguments in ([tmp_path], ["--check"]):
        line = told("-o", f"config={tmp_path}/none", *arguments, code=78)
        assert f"{tmp_path}/none" in line and "No such file" in line and "/etc" not in line
        assert "-o config: expected a value" in told("-o", "config=", *arguments, code=2)


# options

UNKNOWN = [("tll=2s", "ttl"), ("Ttl=2s", "ttl"), ("max_stael=1s", "max-stale"), ("allow-other", "allow_other"),
           ("noverfiy", "noverify"), ("token=hunter2", "token-file"), ("watch-file=x", "file"),
           ("cache.ttl=2s", "ttl"), ("stale=2s", "max-stale"), ("nonsense=hunter2", None), ("uid=0", None)]


@pytest.mark.parametrize("option, nearest", UNKNOWN, ids=[option for option, _ in UNKNOWN])
def test_unknown_option(mount, sim, option, nearest):
    """An unknown or misspelt -o is named, with the nearest key, at mount and at --check; its value may be a secret."""
    m = mount(sim, auto=False, options=[option])
    for background in (False, True):
        m.background = background
        code, error = m.start_failing()
        assert code == 2 and f"-o {option.partition('=')[0]}: unknown option" in one_line(error)
        assert nearest is None or documented(error)
        assert (f"did you mean {nearest}?" in error) == (nearest is not None) and "hunter2" not in error
    line = told("--check", "-o", f"config={m.conf},{option}", code=2)
    assert line == error


def test_one_line_whatever_was_written(mount, sim):
    """Control characters are not repeated as they are."""
    m = mount(sim, auto=False, user_id=r"5\n6\t")
    code, error = m.start_failing()
    assert code == 78 and r"user-id: '5\x0a6': expected an id" in one_line(error)


@pytest.mark.parametrize("option, words", [
    ("ttl", "-o ttl: expected a value"), ("fsname", "-o fsname: expected a value"), ("max_read=", "expected a value"),
    ("allow_other=yes", "-o allow_other: takes no value"), ("noverify=no", "-o noverify: takes no value"),
    ("max_read=many", "max_read=many"),
])
def test_option_with_a_wrong_value(mount, sim, option, words):
    m = mount(sim, auto=False, options=[option], background=True)
    code, error = m.start_failing()
    assert code == 2 and words in one_line(error) and (documented(error) or option == "max_read=many")


FSTAB = ("defaults,noauto,nofail,_netdev,user,users,owner,group,x-systemd.automount,x-systemd.requires=a.mount,"
         "X-mount.mkdir")


@pytest.mark.parametrize("options, expected", [
    (FSTAB, "rw"), ("rw,nosuid,nodev,noexec,relatime,user=root", "rw"), ("ro,dev,exec,suid", "ro"),
    ("nodiratime,strictatime,lazytime,nonempty,comment=x", "rw"),
    ("default_permissions,max_read=65536", "default_permissions"),
    ("allow_other", "allow_other"), ("auto_unmount", "rw"), (",,ro,,", "ro"), ("ttl=1s,ttl=2s,rw,ro", "ro"),
])
def test_options_of_others(mount, sim, options, expected):
    """FUSE's own options, and what mount(8), fstab and systemd have in the list, are taken."""
    m = mount(sim, background=True, options=[options])
    line, = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f" {m.path} " in line]
    assert expected in ",".join((line.split()[5], line.split()[-1])).split(",")
    assert m.read("status") == "completed\n"


def test_fstab_options_by_mount(mount, sim):
    """The same, as mount(8) passes them on."""
    m = mount(sim, auto=False, background=True)
    with on_path() as fstype:
        run("mount", "-t", fstype, "none", m.path, "-o", f"config={m.conf},{FSTAB},relatime,nosuid", env=environment())
        assert m.read("status") == "completed\n"
        run("umount", m.path)
        m.wait_ended()


@pytest.mark.parametrize("written, name", [(r"a\,b", "a,b"), (r"a\\b", r"a\134b"), ("x,fsname=y", "y")])
def test_commas_in_a_value(mount, sim, written, name):
    r"""A comma in a value is written "\,", and a backslash "\\", as in libfuse; the last of two counts."""
    m = mount(sim, options=[f"fsname={written}"])
    assert mounts_at(m.path) == [(TYPE, name)]


# mounting

def device():
    """A /dev/fuse that everybody may use, as distributions have it."""
    return 'mount -t tmpfs none "$1/dev"; mknod -m 666 "$1/dev/fuse" c 10 229; mount --bind "$1/dev/fuse" /dev/fuse; '


@pytest.fixture
def user_files(sim):
    """A directory of nobody's with all that a mount takes."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        shutil.copy(BINARY, place / "kootaskfs")
        (place / "token").write_text("koodrive-sim-token\n")
        (place / "conf").write_text(f"[service]\nendpoint = {sim.url}\nuser-id = 5\ntoken-file = {name}/token\n")
        for made in ("m", "dev"):
            (place / made).mkdir()
        for owned in ("token", "conf", "m"):
            os.chown(place / owned, 65534, 65534)
        (place / "token").chmod(0o600)
        yield place


REASONS = [
    ("no device", 'rm "$1/dev/fuse"; mknod -m 666 "$1/dev/null" c 1 3; mount --bind "$1/dev" /dev', (), "{}/m", "",
     "device not found"),
    ("device of root", "chmod 600 /dev/fuse", NOBODY, "{}/m", "", "/dev/fuse: Permission denied"),
    ("no fusermount3", "mount --bind /dev/null /usr/bin/fusermount3", NOBODY, "{}/m", "", "fusermount3"),
    ("somebody else's directory", "", NOBODY, "/usr", "", "user has no write access to mountpoint /usr"),
    ("allow_other", "", NOBODY, "{}/m", ",allow_other", "user_allow_other"),
    ("refused by the kernel", "", (), "{}/m", ",context=x", "Invalid argument"),
    ("not a directory", "", NOBODY, "{}/conf", "", "is not a directory"),
    ("not there", "", NOBODY, "{}/none", "", "No such file or directory"),
    ("nobody may look", 'chmod 700 "$1/dev"', NOBODY, "{}/dev/x", "", "Permission denied"),
]


@pytest.mark.parametrize("foreground", [(), ("-f",)], ids=["background", "foreground"])
@pytest.mark.parametrize("prepare, user, mountpoint, option, words", [row[1:] for row in REASONS],
                         ids=[row[0] for row in REASONS])
def test_why_not(user_files, prepare, user, mountpoint, option, words, foreground):
    """""cannot mount on DIR" gives the reason", in one line, also without -f and as an ordinary user."""
    mountpoint = mountpoint.format(user_files)
    script = f"mount --make-rprivate /; {device()}{prepare}\nshift; exec \"$@\""
    done = run("unshare", "-m", "sh", "-euc", script, "sh", user_files, *user, user_files / "kootaskfs", *foreground, "-o",
               f"config={user_files}/conf{option}", mountpoint, check=False, env=environment())
    assert done.returncode == 1, done.stderr
    line = one_line(done.stderr)
    assert mountpoint in line and words in line, line
    parts = line.rstrip("\n").split("; ")
    assert len(set(parts)) == len(parts) and line.count("Permission denied") <= len(parts), line
    assert documented(line) or words in ("Invalid argument", "Permission denied")


def test_an_ordinary_user_mounts(user_files):
    """By fusermount3, which says nothing when all is well; on a directory that need not be empty."""
    (user_files / "m" / "x").touch()
    script = f"""mount --make-rprivate /; {device()}
        {' '.join(NOBODY)} "$1/kootaskfs" -o "config=$1/conf" "$1/m"
        {' '.join(NOBODY)} cat "$1/m/tasks/1215215/status"
        {' '.join(NOBODY)} fusermount3 -u "$1/m"; ls "$1/m" """
    done = run("unshare", "-m", "sh", "-euc", script, "sh", user_files, env=environment())
    assert (done.stdout, done.stderr) == ("completed\nx\n", "")


@pytest.mark.parametrize("first, second", [(NOBODY, ()), ((), NOBODY)], ids=["root-second", "root-first"])
def test_mount_of_another_user(user_files, first, second):
    """It is said what it is: "Permission denied" would be of the directory."""
    script = f"""mount --make-rprivate /; {device()}
        {' '.join(first)} "$1/kootaskfs" -o "config=$1/conf" "$1/m"
        {' '.join(second)} "$1/kootaskfs" -o "config=$1/conf" "$1/m" && exit 3 || code=$?
        umount "$1/m"; exit $code"""
    done = run("unshare", "-m", "sh", "-euc", script, "sh", user_files, check=False, env=environment())
    assert done.returncode == 1 and documented(one_line(done.stderr))
    assert f"{user_files}/m: kootaskfs is mounted there by another user" in done.stderr
