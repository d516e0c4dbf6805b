# SPDX-License-Identifier: MIT
"""What kootaskfs says when it has no certificates to trust: the machine's are missing, or those of ca-file."""

import os
import socket

import pytest

from kootaskfs_mount import BINARY, environment, read_error, run

BUNDLE = "/etc/ssl/certs"


@pytest.fixture
def endpoint():
    """An https address where somebody listens; with nothing to trust it does not come to a handshake."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield "https://127.0.0.1:%d" % server.getsockname()[1]


def check(m, *before):
    """(exit code, what --check says)."""
    done = run(*before, BINARY, "--check", "-o", f"config={m.conf}", check=False, env=environment())
    return done.returncode, done.stdout


@pytest.mark.parametrize("bundle", ["missing", "empty", "a directory"])
def test_no_certificates_on_the_machine(mount, endpoint, tmp_path, bundle):
    """"no CA certificates": the package is missing; ca-file is not to be set."""
    m = mount(endpoint=endpoint, auto=False)
    certs = tmp_path / "certs"
    certs.mkdir()
    if bundle == "empty":
        (certs / "ca-certificates.crt").touch()
    elif bundle == "a directory":
        (certs / "ca-certificates.crt").mkdir()
    code, said = check(m, "unshare", "--mount", "sh", "-c", f'mount --bind "$0" {BUNDLE} && exec "$@"', certs)
    assert code == 76 and "FAIL  TLS" in said, said
    assert f"no CA certificates in {BUNDLE}/ca-certificates.crt: install the package ca-certificates" in said
    assert "set " not in said


BAD = {
    "missing": (None, "No such file or directory"),
    "empty": ("", "no certificate"),
    "text": ("not PEM\n", "no certificate"),
    "der": ("\x30\x03\x02\x01\x01", "no certificate"),
    "broken": ("-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n", "no certificate"),
    "key": ("-----BEGIN PRIVATE KEY-----\nbm9uZQ==\n-----END PRIVATE KEY-----\n", "no certificate"),
    "directory": (os.mkdir, "Is a directory"),
}


@pytest.mark.parametrize("kind", BAD)
def test_ca_file(mount, endpoint, tmp_path, kind):
    """A ca-file that cannot be used is named, with the reason; in the mount the error is EPROTO."""
    content, reason = BAD[kind]
    path = tmp_path / "ca.pem"
    if callable(content):
        content(path)
    elif content is not None:
        path.write_text(content)
    m = mount(endpoint=endpoint, ca_file=path)
    assert read_error(m.task() / "status") == "EPROTO"
    assert f"ca-file {path}: " in m.control("last-error") and reason in m.control("last-error")
    code, said = check(m)
    assert code == 76 and f"ca-file {path}: " in said and reason in said, said
