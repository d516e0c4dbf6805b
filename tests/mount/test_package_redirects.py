# SPDX-License-Identifier: MIT
"""Redirects of download links: how many of them, and to what; test_package.py has those from https to http."""

import pytest

from kootaskfs_mount import read_error
from test_nginx import nginx  # noqa: F401
from test_package import host, package  # noqa: F401


@pytest.mark.parametrize("redirects, result", [(5, None), (6, "EBADMSG")])
def test_five_times(mount, sim, host, redirects, result):  # noqa: F811
    """After so many redirects there is the package; the sixth is not followed any more."""
    m, path = package(mount, sim, host)
    left = list(range(redirects))

    def place(sign, name):
        left.pop()
        host.redirect = name if left else None
        return f"http://127.0.0.1:{host.port}/package.zip?sign={sign}"

    host.link, host.redirect = place, "elsewhere"
    assert read_error(path) == result
    assert left == []
    if result is None:
        assert path.read_bytes() == host.content
    else:
        assert len(host.requests) == 6


def test_from_http_to_https(mount, sim, host, nginx):  # noqa: F811
    server = nginx(f"http://127.0.0.1:{host.port}")
    m, path = package(mount, sim, host, ca_file=server.ca)
    host.link, host.redirect = lambda sign, name: f"{server.url}/package.zip?sign={sign}", "localhost"
    assert read_error(path) is None, m.control("last-error")
    assert path.read_bytes() == host.content
    assert {request["host"] for request in host.requests} == {"127.0.0.1", "localhost"}


@pytest.mark.parametrize("place", ["ftp://127.0.0.1/package.zip", "file:///etc/passwd", "gopher://127.0.0.1/"])
def test_other_schemes(mount, sim, host, place):  # noqa: F811
    m, path = package(mount, sim, host)
    host.link, host.redirect = lambda sign, name: place, "elsewhere"
    assert read_error(path) == "EBADMSG"
    assert place not in m.log() + m.control("last-error")
