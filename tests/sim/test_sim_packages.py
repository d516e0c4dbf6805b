# SPDX-License-Identifier: MIT
"""koodrive-sim: links to packages, and the packages behind them."""

import http.client
import io
import re
import zipfile

import pytest

from koodrive_sim import IMPORT_TASK, service_headers, wait_until

GIB = 1 << 30


class RangeFile(io.RawIOBase):
    """A package as a file, each read a request for a range."""

    def __init__(self, sim, url):
        self.sim, self.url, self.position = sim, url, 0
        self.size = int(sim.download(url, method="HEAD").headers["Content-Length"])

    def seekable(self):
        return True

    def readable(self):
        return True

    def tell(self):
        return self.position

    def seek(self, offset, whence=io.SEEK_SET):
        self.position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.size}[whence]
        return self.position

    def read(self, n=-1):
        end = self.size if n < 0 else min(self.position + n, self.size)
        if self.position >= end:
            return b""
        answer = self.sim.download(self.url, Range=f"bytes={self.position}-{end - 1}")
        assert answer.status == 206 and len(answer.body) == end - self.position
        self.position = end
        return answer.body


@pytest.mark.parametrize("kind", ["share", "job"])
@pytest.mark.parametrize("size", [0, 1, 4095, 16384, 3_000_017])
def test_package_is_a_good_zip(start, kind, size):
    sim = start("--duration=0", f"--package-size={size}")
    url = sim.package_url(kind)
    answer = sim.download(url)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/zip")
    assert answer.headers["Accept-Ranges"] == "bytes"
    archive = zipfile.ZipFile(io.BytesIO(answer.body))
    assert archive.testzip() is None
    assert sum(info.file_size for info in archive.infolist()) == size
    assert all(info.compress_type == zipfile.ZIP_STORED and "文件" in info.filename for info in archive.infolist())
    assert sim.download(url).body == answer.body
    contents = [archive.read(info) for info in archive.infolist()]
    assert len(set(contents)) == len(contents) or size <= 4, "each file has its own content"


def test_package_has_the_files_that_went_well(sim):
    for task in sim.generated("share", taskType=1):
        detail = sim.detail(task["taskId"], task["shareId"]).json()
        good = [f for f in detail["taskInfos"] if f["status"] == "1"]
        url = detail["jobInfo"].get("downloadUrl")
        assert (url is not None) == (detail["jobInfo"].get("taskResultCode") in (1, 2))
        if url is not None:
            assert len(zipfile.ZipFile(io.BytesIO(sim.download(url).body)).namelist()) == len(good)


def test_package_is_the_same_in_every_simulator(start):
    one, two = start("--duration=0"), start("--duration=0")
    bodies = [zipfile.ZipFile(io.BytesIO(s.download(s.package_url()).body)) for s in (one, two)]
    assert [bodies[0].read(n) for n in bodies[0].namelist()] == [bodies[1].read(n) for n in bodies[1].namelist()]


def test_large_package_takes_no_memory(start):
    sim = start("--duration=0", f"--package-size={GIB}")
    file = RangeFile(sim, sim.package_url())
    assert file.size > GIB
    assert sum(info.file_size for info in zipfile.ZipFile(file).infolist()) == GIB
    for position in (0, 123456, GIB // 2 + 1, GIB - 5_000_000):
        file.seek(position)
        piece = file.read(5_000_000)
        file.seek(position + 1_000_001)
        assert file.read(1000) == piece[1_000_001:1_001_001]
    with open(f"/proc/{sim.process.pid}/status") as status:
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1])
    assert peak < 200_000, "kB"


def test_ranges_agree_with_the_whole(start):
    sim = start("--duration=0", "--package-size=20000")
    url = sim.package_url()
    whole = sim.download(url)
    size = len(whole.body)
    assert int(whole.headers["Content-Length"]) == size
    for text, first, last in (
        ("0-0", 0, 0), ("0-99", 0, 99), ("4095-4097", 4095, 4097), (f"{size - 1}-", size - 1, size - 1),
        ("100-", 100, size - 1), (f"5-{size + 100}", 5, size - 1), ("-1", size - 1, size - 1), ("-5000", size - 5000, size - 1),
        (f"-{size * 2}", 0, size - 1),
    ):
        part = sim.download(url, Range="bytes=" + text)
        assert (part.status, part.body) == (206, whole.body[first:last + 1]), text
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert int(part.headers["Content-Length"]) == last - first + 1
        for name in ("ETag", "Last-Modified"):
            assert part.headers[name] == whole.headers[name]
    for text in (f"{size}-", f"{size + 5}-{size + 9}", "-0"):
        part = sim.download(url, Range="bytes=" + text)
        assert (part.status, part.headers["Content-Range"]) == (416, f"bytes */{size}")
    for text in ("bytes=5-4", "bytes=a-b", "bytes=-", "bytes=0-1,4-5", "lines=0-1", "bytes"):
        assert (sim.download(url, Range=text).status, sim.download(url, Range=text).body) == (200, whole.body), text


def test_conditions(sim):
    url = sim.package_url()
    head = sim.download(url, method="HEAD").headers
    assert re.fullmatch(r'"[0-9a-f]+"', head["ETag"])
    for value, status in ((head["ETag"], 206), (head["Last-Modified"], 206), ('"other"', 200)):
        assert sim.download(url, Range="bytes=1-2", If_Range=value).status == status
    for value, status in ((head["ETag"], 206), ("*", 206), ('"other"', 412)):
        assert sim.download(url, Range="bytes=1-2", If_Match=value).status == status


def test_head(sim):
    url = sim.package_url()
    head, whole = sim.download(url, method="HEAD"), sim.download(url)
    assert (head.status, head.body) == (200, b"")
    for answer in (head, whole):
        del answer.headers["Date"]
    assert head.headers.items() == whole.headers.items()
    assert sim.download(url, method="HEAD", Range="bytes=0-9").headers["Content-Length"] == "10"
    answer = sim.download(url, method="POST")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


# Links


def test_link_has_the_servers_host_or_another(start):
    sim = start("--duration=0")
    for kind in ("share", "job"):
        assert sim.package_url(kind).startswith(sim.url + "/packages/")
    sim = start("--duration=0", "--package-host=localhost")
    assert sim.package_url().startswith(f"http://localhost:{sim.port}/packages/")
    sim = start("--duration=0", "--package-host=[::1]:99")
    assert sim.package_url().startswith("http://[::1]:99/packages/")


def test_link_for_ever_stays_the_same(sim):
    assert sim.package_url() == sim.package_url()


def test_wrong_links(sim):
    url, other = sim.package_url(), sim.package_url("job")
    for wrong, status in (
        (url[:-1] + "0123456789abcdef"[int(url[-1], 16) ^ 1], 403), (url.split("?")[0], 403),
        (url.replace("expires=0", "expires=1"), 403),
        (url.split("?")[0] + "?" + other.split("?")[1], 403), (re.sub(r"packages/\d+", "packages/1", url), 404),
        (url.replace(".zip", ""), 404), (re.sub(r"packages/\d+", "packages/" + IMPORT_TASK, url), 404),
    ):
        answer = sim.download(wrong)
        assert (answer.status, answer.headers["Content-Type"]) == (status, "application/xml")
        assert b"<Error><Code>" in answer.body
    refused = {name: n for name, n in sim.counters()["refused"].items() if n}
    assert refused == {"link": 4, "notFound": 3}


def test_link_expires_and_the_next_detail_has_a_new_one(start):
    sim = start("--duration=0", "--link-life=1000")
    assert sim.download(sim.package_url()).status == 200
    sim = start("--duration=0", "--link-life=0.2")
    old = sim.package_url()
    wait_until(lambda: sim.download(old).status == 403, "the link to expire")
    assert b"expired" in sim.download(old).body
    assert sim.package_url() != old


def test_shape_url_expired(sim):
    good = sim.package_url()
    sim.shapes("url-expired")
    assert b"expired" in sim.download(sim.package_url()).body and sim.download(sim.package_url("job")).status == 403
    assert sim.download(good).status == 200


# Shapes, faults, counters


def test_shape_package_no_range(sim):
    url = sim.package_url()
    whole = sim.download(url).body
    sim.shapes("package-no-range")
    answer = sim.download(url, Range="bytes=5-9")
    assert (answer.status, answer.body, int(answer.headers["Content-Length"])) == (200, whole, len(whole))
    assert "Accept-Ranges" not in answer.headers and "Content-Range" not in answer.headers


def test_shape_package_no_length(sim):
    url = sim.package_url()
    whole = sim.download(url).body
    sim.shapes("package-no-length")
    answer = sim.download(url, Range="bytes=5-9")
    assert (answer.status, answer.body, answer.headers["Transfer-Encoding"]) == (200, whole, "chunked")
    assert "Content-Length" not in answer.headers and "Accept-Ranges" not in answer.headers


@pytest.mark.parametrize("host, other", [("127.0.0.1", "localhost"), ("localhost", "127.0.0.1")])
def test_shape_package_redirect(start, host, other):
    sim = start("--duration=0", f"--package-host={host}", "--shape=package-redirect")
    url = sim.package_url()
    answer = sim.download(url, Host=f"{host}:{sim.port}")
    assert (answer.status, answer.body) == (302, b"")
    location = answer.headers["Location"]
    assert location.startswith(f"http://{other}:{sim.port}/packages/")
    assert sim.download(location, Host=f"{other}:{sim.port}", Range="bytes=0-3").body == b"PK\3\4"


def test_faults_strike_packages(sim):
    url = sim.package_url()
    whole = sim.download(url).body
    sim.fault(kind="status", status=503, call="package", retryAfter="1")
    sim.fault(kind="truncate", call="package")
    assert sim.download(url + "0").status == 403, "not struck"
    assert (sim.download(url).status, sim.result().status) == (503, 200)
    with pytest.raises(http.client.IncompleteRead) as caught:
        sim.download(url)
    assert caught.value.partial == whole[: len(whole) // 2]
    task = re.search(r"packages/(\d+)", url)[1]
    faults = [e["fault"] for e in sim.log(f"?taskId={task}") if e["call"] == "package"]
    assert faults == [None, None, "status", "truncate"]


def test_leaks_are_counted(sim):
    url = sim.package_url()
    sim.download(url, Range="bytes=0-1", User_Agent="x")
    assert sim.counters()["leaks"] == 0
    for name, value in (service_headers() | {"X-Traceid": "f" * 58, "x-session-id": "s"}).items():
        before = sim.counters()["leaks"]
        assert sim.download(url, {name: value}).status == 200
        assert sim.counters()["leaks"] == before + (name != "Content-Type")
    sim.download(url + "0", service_headers())
    assert sim.counters()["leaks"] == 6
    sim.detail(), sim.get("jobs")
    assert sim.counters()["leaks"] == 6, "the service may have them"
    assert [e["call"] for e in sim.log()].count("package") == sim.counters()["calls"]["package"] == 8
    sim.admin("POST", "reset")
    assert sim.counters()["leaks"] == 0
