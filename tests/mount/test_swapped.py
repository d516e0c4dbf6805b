# SPDX-License-Identifier: MIT
"""docs/configuration.md: a file is read again "also when that happens to a link or a directory on the way to it
(Kubernetes swaps `..data`)"."""

import os
import shutil

from koodrive_sim import SHARE_TASK, wait_until
from kootaskfs_mount import IMPORT_TASK, read_error
from test_auth import join, private, service, touch  # noqa: F401
from test_nginx import make_certificates, nginx  # noqa: F401


class Volume:
    """A directory as Kubernetes makes it of a secret or a configuration map: NAME -> ..data/NAME, ..data -> ..vN."""

    def __init__(self, directory, **files):
        self.directory, self.version = directory, 0
        directory.mkdir()
        self.swap(**files)
        for name in files:
            (directory / name).symlink_to(f"..data/{name}")

    def __truediv__(self, name):
        return str(self.directory / name)

    def swap(self, **files):
        """All files at once, and the old ones are gone."""
        old, self.version = self.directory / f"..v{self.version}", self.version + 1
        new = self.directory / f"..v{self.version}"
        new.mkdir()
        for name, text in files.items():
            private(new / name, text)
        (self.directory / "..data_tmp").symlink_to(new.name)
        os.rename(self.directory / "..data_tmp", self.directory / "..data")
        shutil.rmtree(old, ignore_errors=True)


def test_watch_list(mount, sim, tmp_path):
    """The watch list, swapped twice."""
    volume = Volume(tmp_path / "volume", tasks=f"basic {IMPORT_TASK}")
    m = mount(sim, file=volume / "tasks", watch=None)
    assert os.listdir(m / "tasks") == [IMPORT_TASK]
    volume.swap(tasks=f"share 1 {SHARE_TASK}")
    wait_until(lambda: os.listdir(m / "tasks") == [SHARE_TASK], "the second list")
    volume.swap(tasks=f"basic {IMPORT_TASK}")
    wait_until(lambda: os.listdir(m / "tasks") == [IMPORT_TASK], "the third list")


def test_token(join, tmp_path):  # noqa: F811
    """The token: the next request has the new one, none was refused."""
    volume = Volume(tmp_path / "volume", token="TOKEN-ONE")
    script, m = join(token=None, token_file=volume / "token")
    for token in ("TOKEN-TWO", "TOKEN-THREE"):
        volume.swap(token=token)

        def sent():
            touch(m)
            return script.calls[-1].headers["Authorization"] == "Bearer " + token
        wait_until(sent, token)
    assert set(script.statuses()) == {200}


def test_token_of_a_share(join, tmp_path):  # noqa: F811
    """A share's token."""
    volume = Volume(tmp_path / "volume", kds="KDS-ONE")
    script, m = join(watch=[f"share 5 {SHARE_TASK}"], negative_ttl="0",
                     extra=f"[share 5]\nkdstoken-file = {volume / 'kds'}\n")

    def sent(token):
        read_error(m.task() / "status")
        return token in script.calls[-1].body
    assert sent(b"KDS-ONE")
    volume.swap(kds="KDS-TWO")
    wait_until(lambda: sent(b"KDS-TWO"), "the new token")
    volume.swap(kds="")
    wait_until(lambda: "kdstoken not re-read" in m.control("last-error"), "the error")
    assert sent(b"KDS-TWO")
    assert "KDS-" not in m.log() + m.control("last-error")


def test_certificates(mount, sim, nginx, tmp_path):  # noqa: F811
    """ca-file: the next connection is judged by the new one."""
    server = nginx(sim.url)
    (tmp_path / "other").mkdir()
    make_certificates(tmp_path / "other")
    volume = Volume(tmp_path / "volume", ca=(tmp_path / "other" / "ca.pem").read_text())
    m = mount(sim, endpoint=server.url, ca_file=volume / "ca", negative_ttl="0")
    assert read_error(m.task() / "status") == "EPROTO"
    volume.swap(ca=server.ca.read_text())
    wait_until(lambda: read_error(m.task() / "status") is None, "the new certificates")
    assert m.read("status") == "completed\n"
