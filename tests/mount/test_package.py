# SPDX-License-Identifier: MIT
"""package.zip: what docs/semantics.md promises under 'Packages'."""

import contextlib
import io
import json
import mmap
import io
import os
import signal
import subprocess
import threading
import zipfile

import pytest

from koodrive_sim import IMPORT_TASK, TOKEN, wait_until
from kootaskfs_mount import detail, errno_of, read_error, run, store
from packages_host import MODIFIED, MODIFIED_SECONDS, Host, make_zip
from test_nginx import nginx  # noqa: F401

BLOCK = 131072


@pytest.fixture
def host():
    host = Host()
    yield host
    host.close()


def package(mount, sim, host, link=None, **settings):
    """A mount whose sample task, ended, has a package; the package's path."""
    store(sim, detail(taskStatus=2, downloadUrl=host.link() if link is None else link))
    m = mount(sim, **settings)
    return m, m.task() / "package.zip"


def test_stat_is_one_byte(mount, sim, host):
    """"Looking up `package.zip` asks the link's host for one byte, which gives size and time." "The size of `package.zip` is
    exact, and known before the package is read." "Its mtime is the host's Last-Modified, or else the task's end.\""""
    m, path = package(mount, sim, host)
    stat = os.stat(path)
    assert (stat.st_size, stat.st_mtime, stat.st_mode & 0o777) == (len(host.content), MODIFIED_SECONDS, 0o444)
    assert os.stat(path).st_ino == stat.st_ino
    assert [r["headers"]["Range"] for r in host.requests] == ["bytes=0-0"]
    assert m.metric("kootaskfs_package_bytes_total") == 1
    assert m.requests() == 1
    assert os.getxattr(path, "user.mime_type") == b"application/zip"
    assert os.getxattr(path, "user.kootaskfs.stale") == b"0"
    assert m.metric("kootaskfs_package_requests_total") == 1


@pytest.mark.parametrize("end, seconds", [("20240930091933", 1727687973), ("", None)])
def test_time_without_last_modified(mount, sim, host, end, seconds):
    """"Its mtime is the host's Last-Modified, or else the task's end.\""""
    host.validators = False
    store(sim, detail(taskStatus=2, downloadUrl=host.link(), endTime=end))
    path = mount(sim).task() / "package.zip"
    assert seconds is None or os.stat(path).st_mtime == seconds
    assert os.stat(path).st_size == len(host.content) and path.read_bytes() == host.content


@pytest.mark.parametrize("command", ["cp {} {}", "cat {} > {}", "dd if={} of={} bs=1000", "rsync -a {} {}"])
def test_copies(mount, sim, host, tmp_path, command):
    """What is copied is what the host has, byte for byte; none of it is asked for twice."""
    m, path = package(mount, sim, host)
    run("sh", "-euc", command.format(f'"{path}"', f'"{tmp_path}/copy"'))
    assert (tmp_path / "copy").read_bytes() == host.content
    ranges = sorted(host.ranged())
    assert ranges[0][0] == 0 and ranges[-1][1] == len(host.content) - 1
    assert all(second[0] == first[1] + 1 for first, second in zip(ranges, ranges[1:]))


def test_sequential_reads_ask_for_more_at_once(mount, sim, host):
    """"A reader from one end to the other has ever more fetched ahead of it." "All packages together keep at most 32 MiB in
    memory.\""""
    host.content = make_zip(48 << 20)
    m, path = package(mount, sim, host)
    assert path.read_bytes() == host.content
    sizes = [last - first + 1 for first, last in host.ranged()]
    assert len(sizes) < 80 and max(sizes) >= 1 << 20 and min(sizes[:3]) <= 2 * BLOCK
    assert m.metric("kootaskfs_package_memory_bytes") <= 32 << 20


def test_unzip_list_and_test(mount, sim, host):
    """"A package is read by range: reading a part never fetches all of it": `unzip -l` reads the end only; `unzip -t` finds all
    members whole."""
    host.content = make_zip(24 << 20)
    m, path = package(mount, sim, host)
    assert "dir/file-7" in run("unzip", "-l", path).stdout
    assert host.sent < 1 << 20
    assert "No errors detected" in run("unzip", "-t", path).stdout


class Sparse(io.FileIO):
    """A file that takes no room for its zeros."""

    zeros = bytes(1 << 20)

    def write(self, data):
        if data == self.zeros:
            self.seek(len(data), os.SEEK_CUR)
            return len(data)
        return super().write(data)


def test_unzip_list_of_a_gigabyte(mount, sim, host, tmp_path):
    """"`unzip -l` of a gigabyte takes some kilobytes.\""""
    with Sparse(tmp_path / "large.zip", "w+") as sparse, zipfile.ZipFile(sparse, "w") as large:
        large.writestr("first", b"x" * 1000)
        with large.open("zeros", "w") as member:
            for _ in range(1024):
                member.write(sparse.zeros)
    with open(tmp_path / "large.zip", "rb") as opened, mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as content:
        host.content, host.tag = content, "large"
        m, path = package(mount, sim, host)
        assert os.stat(path).st_size > 1 << 30
        assert run("unzip", "-l", path).stdout.count(" zeros\n") == 1
        assert host.sent < 600_000
        m.unmount()
        host.content = b""


def test_zipfile_backwards(mount, sim, host):
    """"A read here and there fetches 128 KiB at a time": members in any order are requested by blocks of that."""
    m, path = package(mount, sim, host)
    with zipfile.ZipFile(path) as opened, zipfile.ZipFile(io.BytesIO(host.content)) as original:
        assert len(opened.namelist()) == 8
        for name in reversed(opened.namelist()):
            assert opened.read(name) == original.read(name)
    assert {first % BLOCK for first, _ in host.ranged()} == {0}


def test_many_readers(mount, sim, host):
    """"No byte is under way twice, however many processes read.\""""
    host.content = make_zip(8 << 20)
    m, path = package(mount, sim, host)
    readers = [m.popen("md5sum", path) for _ in range(8)]
    sums = {reader.communicate(timeout=60)[0].split()[0] for reader in readers}
    assert len(sums) == 1
    asked = [block for first, last in host.ranged() for block in range(first // BLOCK, last // BLOCK + 1)]
    assert len(asked) == len(set(asked)), "no block was asked for twice"
    assert len([r for r in host.requests if r["headers"].get("Range") == "bytes=0-0"]) == 1


def test_no_link_no_file(mount, sim, host):
    """"`package.zip` exists, and is listed, while the task's snapshot has a download link", and only then."""
    m, path = package(mount, sim, host, link="")
    assert errno_of(os.stat, path) == "ENOENT"
    assert "package.zip" not in os.listdir(m.task())
    assert errno_of(os.stat, m.task(IMPORT_TASK) / "package.zip") == "ENOENT"
    store(sim, detail(taskStatus=2, downloadUrl=host.link()))
    os.utime(m.task())
    wait_until(lambda: errno_of(os.stat, path) is None, "the package")
    assert "package.zip" in os.listdir(m.task())
    assert path.read_bytes() == host.content


def test_other_files_leave_it_alone(mount, sim, host):
    """"Only reading `package.zip` itself, or its attributes, asks its host.\""""
    m, _ = package(mount, sim, host)
    run("sh", "-c", 'cat "$1"/tasks/*/status; cat "$1"/tasks/*/*.json; ls "$1"/tasks/*; find "$1" -name "*.csv"', "sh", m.path)
    assert host.requests == []


@pytest.mark.parametrize("status, error", [(404, "ENOENT"), (410, "ENOENT"), (401, "EACCES"), (418, "EIO")])
def test_the_link_leads_nowhere(mount, sim, host, status, error):
    """An errno and a clear text, never an empty file; and the text is without the link."""
    m, path = package(mount, sim, host)
    host.gone = status
    assert read_error(path) == error
    assert f"package.zip of {m.task().name}: {error}: the download link is answered with HTTP {status}" in m.control("last-error")
    assert read_error(path) == error
    assert m.read("status") == "completed\n"


def test_empty_package(mount, sim, host):
    m, path = package(mount, sim, host)
    host.content, host.ranges = b"", False
    assert read_error(path) == "EBADMSG"


def test_refused_link_at_lookup(mount, sim, host):
    """"When the host answers 403, the service is asked for a new link, once a read": here at the lookup."""
    m, path = package(mount, sim, host)
    m.read("status")
    store(sim, detail(taskStatus=2, downloadUrl=host.link(2)))
    host.refuse = {1}
    assert path.read_bytes() == host.content
    assert m.requests() == 2
    assert [r["sign"] for r in host.requests][:2] == [1, 2]
    host.refuse = {1, 2}
    os.utime(path)
    assert read_error(path) == "EACCES"
    assert m.requests() == 4


def test_refused_link_while_reading(mount, sim, host):
    """"When the host answers 403, the service is asked for a new link, once a read"; many readers make one request of the
    service."""
    m, path = package(mount, sim, host)
    os.stat(path)
    store(sim, detail(taskStatus=2, downloadUrl=host.link(2)))
    host.refuse = {1}
    readers = [m.popen("md5sum", path) for _ in range(4)]
    assert len({reader.communicate(timeout=60)[0].split()[0] for reader in readers}) == 1
    assert all(reader.returncode == 0 for reader in readers)
    assert m.requests() == 2


def test_secrets_stay(mount, sim, host):
    """"The link's host, and the hosts that it redirects to, get nothing that is meant for the service: no token, no user id." "The
    link is in `job.json` and `response.json`, as the service sends it, and nowhere else: neither in log nor error nor
    attribute.\""""
    host.redirect = "localhost"
    m, path = package(mount, sim, host, options=["language=de-DE"])
    assert path.read_bytes() == host.content
    assert {r["host"] for r in host.requests} == {"127.0.0.1", "localhost"}
    for request in host.requests:
        assert set(request["headers"]) <= {"Host", "User-Agent", "Accept", "Range"}
        assert TOKEN not in str(request)
    assert host.link() in m.read("response.json") and json.loads(m.read("job.json"))["downloadUrl"] == host.link()
    host.gone = 500
    os.utime(path)
    assert read_error(path) == "EIO"
    for text in (m.log(), m.control("last-error"), m.control("metrics"), m.control("health"), m.read("summary")):
        assert "sign=" not in text and str(host.port) not in text
    for name in os.listxattr(m.task()):
        assert b"sign=" not in os.getxattr(m.task(), name)


@pytest.mark.parametrize("link", ["ftp://127.0.0.1/package.zip", "file:///etc/passwd", "http://["])
def test_bad_links(mount, sim, host, link):
    """A link that cannot be followed, be it of another scheme than http and https, is EBADMSG."""
    m, path = package(mount, sim, host, link=link)
    assert read_error(path) == "EBADMSG"
    assert link not in m.log() + m.control("last-error")


def test_redirects_end(mount, sim, host):
    """"At most five redirects are followed, over http and https, and never from https to http": that of five."""
    host.redirect = "nowhere"
    host.link = lambda sign=1, name="127.0.0.1": f"http://127.0.0.1:{host.port}/package.zip?sign={sign}"
    m, path = package(mount, sim, host)
    assert read_error(path) == "EBADMSG"
    assert len(host.requests) == 6


@pytest.mark.parametrize("length", [True, False])
def test_no_ranges(mount, sim, host, tmp_path, length):
    """"The package of a host that serves no ranges is read once, into a file without a name in `$TMPDIR` or `/var/tmp`." "Where the
    host does not even send the length, the lookup waits for the whole package.\""""
    host.ranges, host.length = False, length
    host.content = make_zip(16 << 20)
    m, path = package(mount, sim, host, env={"TMPDIR": str(tmp_path)})
    assert os.stat(path).st_size == len(host.content)
    with open(path, "rb") as opened:
        opened.seek(12 << 20)
        assert opened.read(1000) == host.content[12 << 20:(12 << 20) + 1000]
    assert "No errors detected" in run("unzip", "-t", path).stdout
    assert path.read_bytes() == host.content
    whole = [r for r in host.requests if "Range" not in r["headers"]]
    assert len(whole) == 1
    assert list(tmp_path.glob("kootaskfs*")) == []


def test_reads_of_a_whole_wait_for_their_bytes(mount, sim, host, tmp_path):
    """"A read of such a package waits until its bytes have come", and no longer."""
    host.ranges, host.pause = False, (1 << 20, threading.Event())
    m, path = package(mount, sim, host, env={"TMPDIR": str(tmp_path)}, deadline="1h")
    assert os.stat(path).st_size == len(host.content)
    with open(path, "rb", buffering=0) as opened:
        assert opened.read(1000) == host.content[:1000]
        later = m.popen("dd", f"if={path}", "bs=1M", "skip=2", "count=1", f"of={tmp_path}/later", "status=none")
        wait_until(lambda: m.metric("kootaskfs_parked_operations") == 1, "the reader to wait")
        assert later.poll() is None and os.path.getsize(tmp_path / "later") == 0
        host.pause[1].set()
        assert later.wait(60) == 0 and (tmp_path / "later").read_bytes() == host.content[2 << 20:3 << 20]


def test_no_more_ranges(mount, sim, host):
    """A host that stops to serve ranges is read as one without."""
    m, path = package(mount, sim, host)
    os.stat(path)
    host.ranges = False
    assert path.read_bytes() == host.content


def test_broken_connections(mount, sim, host):
    """What has come before a connection breaks is not asked for again."""
    m, path = package(mount, sim, host)
    os.stat(path)
    host.cut = 50_000
    assert path.read_bytes() == host.content
    assert host.ranged()[1][0] == 50_000 or (50_000, host.ranged()[0][1]) in host.ranged()


@pytest.mark.parametrize("ranges", [True, False])
def test_broken_whole(mount, sim, host, ranges):
    host.ranges = ranges
    m, path = package(mount, sim, host)
    os.stat(path)
    host.cut = 200_000
    assert path.read_bytes() == host.content


def test_another_package(mount, sim, host):
    """"When a package changes while it is read, readers of the old one get EIO, never bytes of both." "Another package is
    another file under the same name.\""""
    host.content = make_zip(8 << 20)
    m, path = package(mount, sim, host)
    with open(path, "rb", buffering=0) as opened:
        inode = os.fstat(opened.fileno()).st_ino
        assert opened.read(1000) == host.content[:1000]
        host.content = make_zip(8 << 20, seed=2)
        opened.seek(7 << 20)
        assert errno_of(opened.read, 1000) == "EIO"
        wait_until(lambda: os.stat(path).st_ino != inode, "the new package")
        opened.seek(6 << 20)
        assert errno_of(opened.read, 1000) == "EIO"
    assert path.read_bytes() == host.content
    assert "the package changed while it was read" in m.log()


def test_what_identifies_a_package(mount, sim, host):
    """"A package is identified by the host's ETag, else its Last-Modified, and its size.\""""
    host.tag = "one"
    m, path = package(mount, sim, host)

    with contextlib.ExitStack() as held:  # as long as a package is open it is the same one

        def inode():
            run("touch", path)
            return os.fstat(held.enter_context(open(path, "rb")).fileno()).st_ino

        first = inode()
        host.modified, host.content = "Tue, 01 Oct 2024 09:30:00 GMT", make_zip(seed=2)
        assert inode() == first, "the ETag alone counts"
        host.content += b"x"
        second = inode()
        assert second != first, "another size"
        host.tag = "two"
        third = inode()
        assert third != second, "another ETag"
        host.tag = ""
        fourth = inode()
        assert fourth != third and inode() == fourth
        host.modified = MODIFIED
        assert inode() != fourth, "another Last-Modified"


def test_package_without_etag_and_last_modified(mount, sim, host):
    """"A host that sends neither ETag nor Last-Modified is trusted as long as the size is the same.\""""
    host.validators, host.content = False, make_zip(8 << 20)
    m, path = package(mount, sim, host)
    with open(path, "rb", buffering=0) as opened:
        assert opened.read(1000) == host.content[:1000]
        host.content = make_zip(8 << 20, seed=2)
        opened.seek(7 << 20)
        assert opened.read(1000) == host.content[7 << 20:(7 << 20) + 1000]
        host.content += b"x"
        opened.seek(5 << 20)
        assert errno_of(opened.read, 1000) == "EIO"


def test_no_redirect_from_https_to_http(mount, sim, host, nginx):  # noqa: F811
    """"At most five redirects are followed, over http and https, and never from https to http.\""""
    other = Host()
    server = nginx(host.link().rpartition("/")[0])
    m, path = package(mount, sim, host, link=f"{server.url}/package.zip?sign=1", ca_file=server.ca, negative_ttl="0")
    assert path.read_bytes() == host.content
    host.redirect, host.link = "elsewhere", other.link
    run("touch", path, check=False)
    assert read_error(path) == "EBADMSG" and other.requests == []
    other.close()


def test_touch(mount, sim, host):
    """"After that, and after `touch`, the service is asked for the link again, and the host for the package": the same package
    is the same file. "Another package is another file under the same name.\""""
    m, path = package(mount, sim, host)
    with open(path, "rb"):
        inode = os.stat(path).st_ino
        run("touch", path)
        assert os.stat(path).st_ino == inode and m.requests() == 2 and len(host.requests) == 2
        host.content = make_zip(seed=2)
        run("touch", path)
        assert os.stat(path).st_ino != inode
    assert path.read_bytes() == host.content


def test_silent_host(mount, sim, host):
    """"The deadline of a package is that of each read": a host that hangs ends the read, and nothing else waits."""
    m, path = package(mount, sim, host, deadline="1s")
    os.stat(path)
    host.hold = threading.Event()
    reader = m.popen("cat", path)
    wait_until(lambda: len(host.requests) == 2, "the request")
    assert m.read("status") == "completed\n" and m.read("summary")
    assert "timed out" in reader.communicate(timeout=60)[1].lower()
    host.hold.set()
    wait_until(lambda: read_error(path) is None, "the host")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_interrupts(mount, sim, host, number):
    m, path = package(mount, sim, host, deadline="1h")
    os.stat(path)
    host.hold = threading.Event()
    reader = m.popen("cat", path)
    wait_until(lambda: len(host.requests) == 2, "the request")
    os.kill(reader.pid, number)
    assert reader.wait(60) == -number
    host.hold.set()
    assert path.read_bytes() == host.content, "what was asked for is of use to the next"


def test_unmount_while_reading(mount, sim, host):
    m, path = package(mount, sim, host, deadline="1h")
    os.stat(path)
    host.hold = threading.Event()
    reader = m.popen("cat", path)
    wait_until(lambda: len(host.requests) == 2, "the request")
    m.signal(signal.SIGTERM)
    assert m.wait_ended() == 0
    assert reader.wait(60) == 1


def test_tools_that_read_all(mount, sim, host, tmp_path):
    """"`grep -r`, `tar` and `rsync` of a task's directory read the package too (`grep -r --exclude=package.zip` leaves it
    out).\""""
    m, path = package(mount, sim, host)
    m.read("status")
    run("grep", "-r", "--exclude=package.zip", ".", m.task())
    assert host.ranged() == []
    assert f"{path}:0\n" in run("grep", "-rc", "no such text", m.task(), check=False).stdout
    assert host.ranged() != []
    run("rsync", "-a", f"{m.task()}/", tmp_path / "copy")
    assert (tmp_path / "copy" / "package.zip").read_bytes() == host.content
    tar = subprocess.run(["tar", "c", "-C", m.task(), "."], capture_output=True, check=True, timeout=60).stdout
    assert host.content[:100_000] in tar


def test_package_that_cannot_be_had_is_there(mount, sim, host):
    """"The files of a known task's directory are always there": a package too. "In that time the host of a package is not asked
    again either, unless the task has a new response.\""""
    m, path = package(mount, sim, host, negative_ttl="1h")
    host.gone = 500
    asked = len(host.requests)
    assert os.stat(path).st_size == 1
    first = len(host.requests)
    assert first > asked
    for script in ('cat "$1"', 'cp "$1" /dev/null', 'unzip -l "$1"', 'tar c "$1" | cat >/dev/null; exec cat "$1"'):
        assert run("sh", "-c", script, "sh", path, check=False).returncode != 0
    assert read_error(path) == "EIO"
    assert run("ls", "-l", m.task()).stderr == ""
    assert len(host.requests) == first, "the host is not asked again"
    host.gone = None
    run("touch", m.task())
    assert path.read_bytes() == host.content, "the task has a new response"
