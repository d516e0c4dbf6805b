# SPDX-License-Identifier: MIT
"""Compressed answers: `max-response` counts what an answer is when decompressed, so that a few kilobytes cannot become
gigabytes in memory."""

import ctypes
import gzip
import os
import re
import zlib

import pytest

from kootaskfs_mount import detail, errno_of, read_error
from raw_service import JSON, RawService, http

LIMIT = 1 << 20  # bytes: max-response
BOMB = 64 << 20  # bytes, decompressed
GROWTH = 16 << 10  # kilobytes: far more than decompressing takes, far less than the bomb


def brotli(data):
    """Python has no brotli; libcurl brings the library that it takes to read it, and this is the other half of that."""
    library = ctypes.CDLL("libbrotlienc.so.1")
    library.BrotliEncoderCompress.argtypes = [ctypes.c_int] * 3 + [
        ctypes.c_size_t, ctypes.c_char_p, ctypes.POINTER(ctypes.c_size_t), ctypes.c_char_p]
    size = ctypes.c_size_t(len(data) + 1024)
    out = ctypes.create_string_buffer(size.value)
    assert library.BrotliEncoderCompress(5, 22, 0, len(data), data, ctypes.byref(size), out) == 1
    return out.raw[:size.value]


def zstd(data):
    library = ctypes.CDLL("libzstd.so.1")
    library.ZSTD_compress.restype = ctypes.c_size_t
    library.ZSTD_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
    out = ctypes.create_string_buffer(len(data) + 1024)
    size = library.ZSTD_compress(out, len(out), data, len(data), 3)
    assert size <= len(out), "its codes of errors are huge numbers"
    return out.raw[:size]


CODINGS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli,
    "zstd": zstd,
    "gzip, gzip": lambda data: gzip.compress(gzip.compress(data)),
}


def answer(size):
    """Of so many bytes."""
    return detail(padding="x" * (size - len(detail(padding="")))).encode()


@pytest.fixture(params=CODINGS)
def coded(request):
    """(what gives answers of so many bytes in one coding; a service that gives `.answer`, and has been asked for it)"""
    service = RawService(b"")
    yield (lambda size: http("200 OK", JSON, f"Content-Encoding: {request.param}", body=CODINGS[request.param](answer(size))),
           service)
    accepted = re.search(r"(?mi)^accept-encoding: (.*?)\r$", service.heads[0])[1].split(", ")
    service.close()
    assert set(request.param.split(", ")) <= set(accepted), "It was asked for in this coding."


def test_limit_of_a_compressed_answer(mount, coded):
    """"largest answer accepted": to the byte, of what comes out."""
    coded_answer, service = coded
    service.answer = coded_answer(LIMIT)
    m = mount(endpoint=service.url, max_response=str(LIMIT), negative_ttl="0")
    assert (m.task() / "response.json").read_bytes() == answer(LIMIT)
    service.answer = coded_answer(LIMIT + 1)
    assert errno_of(os.utime, m.task()) == "EIO"
    assert f"larger than max-response ({LIMIT} bytes)" in m.control("last-error")


def test_compressed_bomb(mount, coded):
    """A small body that grows beyond max-response: EIO, asked for once, and only so much of it is ever in memory."""
    coded_answer, service = coded
    service.answer = coded_answer(LIMIT)
    m = mount(endpoint=service.url, max_response=str(LIMIT), negative_ttl="0", ttl="0", max_stale="0s")
    assert m.read("status") == "running\n"
    before, asked = m.largest_memory(), service.asked()
    service.answer = coded_answer(BOMB)
    assert len(service.answer) < LIMIT / 10, "What is sent would be accepted."
    for i in range(3):
        assert errno_of(os.utime, m.task()) == "EIO"
        assert service.asked() == asked + i + 1
    assert f"larger than max-response ({LIMIT} bytes)" in m.control("last-error")
    assert read_error(m.task() / "status") == "EIO"
    assert m.largest_memory() - before < GROWTH
    service.answer = coded_answer(LIMIT)
    assert m.read("status") == "running\n"
