# SPDX-License-Identifier: MIT
"""A real web server between us and the service: nginx with TLS and HTTP/2, its certificate from a private CA."""
import socket
import subprocess
from pathlib import Path

import pytest

from koodrive_sim import SHARE_TASK, wait_until
from kootaskfs_mount import read_error, run

CONFIG = """
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 512; }}
http {{
  log_format calls '$server_protocol $connection $status $request_uri';
  access_log {dir}/access.log calls;
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  http2_max_concurrent_streams 128;
  keepalive_requests 100000;
  server {{
    listen 127.0.0.1:{port} ssl{http2};
    server_name localhost;
    ssl_certificate {dir}/server.pem;
    ssl_certificate_key {dir}/server.key;
    location / {{
      proxy_pass {upstream};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


def make_certificates(directory):
    """ca.pem, and server.pem and server.key for localhost, which it signed."""
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=A private CA",
        "-keyout", directory / "ca.key", "-out", directory / "ca.pem")
    run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
        "-keyout", directory / "server.key", "-out", directory / "server.csr")
    (directory / "extensions").write_text("subjectAltName=DNS:localhost\n")
    run("openssl", "x509", "-req", "-in", directory / "server.csr", "-CA", directory / "ca.pem",
        "-CAkey", directory / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", directory / "extensions",
        "-out", directory / "server.pem")


class Nginx:
    def __init__(self, directory, upstream, http2=True):
        self.directory = directory
        make_certificates(directory)
        self.process, self.port = None, None
        for _ in range(5):  # somebody else may take the port before nginx does
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
            self.start(upstream, http2)
            if self.process.poll() is None:
                return
        raise AssertionError((directory / "error.log").read_text())

    def start(self, upstream, http2):
        conf = self.directory / "nginx.conf"
        conf.write_text(CONFIG.format(dir=self.directory, port=self.port, upstream=upstream,
                                      http2=" http2" if http2 else ""))
        self.process = subprocess.Popen(["nginx", "-p", self.directory, "-c", conf], stdin=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_until(lambda: self.process.poll() is not None or self.listens(), "nginx")

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    @property
    def ca(self):
        return self.directory / "ca.pem"

    def calls(self):
        """(protocol, connection, status, target) of each request so far."""
        return [line.split() for line in (self.directory / "access.log").read_text().splitlines()]

    def stop(self):
        self.process.terminate()
        assert self.process.wait(30) == 0


@pytest.fixture
def nginx(tmp_path):
    servers = []

    def make(upstream, **options):
        directory = Path(tmp_path) / f"nginx{len(servers)}"
        directory.mkdir()
        servers.append(Nginx(directory, upstream, **options))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


def test_private_ca(sim, mount, nginx):
    server = nginx(sim.url)
    trusting = mount(sim, endpoint=server.url, ca_file=server.ca)
    assert trusting.read("status") == "completed\n"
    assert {call[0] for call in server.calls()} == {"HTTP/2.0"}
    wary = mount(sim, endpoint=server.url)
    assert read_error(wary.task() / "status") == "EPROTO"
    assert "certificate" in wary.control("last-error")


def test_another_name(sim, mount, nginx):
    """A certificate that is trusted, of another host."""
    server = nginx(sim.url)
    m = mount(sim, endpoint=f"https://127.0.0.1:{server.port}", ca_file=server.ca)
    assert read_error(m.task() / "status") == "EPROTO"


def test_one_connection(start, mount, nginx):
    """A scan with 64 requests at a time goes over one connection: HTTP/2 carries them side by side."""
    sim = start("--duration=0", "--tasks=300", "--imports=0", "--latency=20")
    server = nginx(sim.url)
    shares = [f"share {t['shareId']} {t['taskId']}" for t in sim.generated("share")]
    m = mount(sim, endpoint=server.url, ca_file=server.ca, watch=shares, families="share", deadline="60s")
    words = run("sh", "-euc", "cat tasks/*/status", cwd=m.path).stdout.split()
    assert len(words) == len(shares)
    calls = server.calls()
    assert len(calls) == len(shares), "one request a task"
    assert {call[0] for call in calls} == {"HTTP/2.0"}
    assert len({call[1] for call in calls}) == 1, "connections"
    assert sim.counters()["maxInFlight"] > 8


def test_kept_connections(start, mount, nginx):
    """Without HTTP/2: connections are used again, one after another."""
    sim = start("--duration=0", "--tasks=100", "--imports=0")
    server = nginx(sim.url, http2=False)
    shares = [f"share {t['shareId']} {t['taskId']}" for t in sim.generated("share")]
    m = mount(sim, endpoint=server.url, ca_file=server.ca, watch=shares, families="share", concurrency=4)
    assert len(run("sh", "-euc", "cat tasks/*/status", cwd=m.path).stdout.split()) == len(shares)
    calls = server.calls()
    assert {call[0] for call in calls} == {"HTTP/1.1"}
    assert len({call[1] for call in calls}) <= 4, "connections"


def test_server_restarts(sim, mount, nginx):
    """The kept connection is gone: a new one is made, and nobody is told."""
    server = nginx(sim.url)
    m = mount(sim, endpoint=server.url, ca_file=server.ca, ttl="0", ended_ttl="0", negative_ttl="0")
    assert m.read("status") == "completed\n"
    server.stop()
    assert read_error(m.task() / "status") is None, "the last good answer stands in"
    server.start(sim.url, True)
    requests = len(sim.log(f"?taskId={SHARE_TASK}"))
    assert m.read("status") == "completed\n"
    assert len(sim.log(f"?taskId={SHARE_TASK}")) == requests + 1
    assert run("getfattr", "-n", "user.kootaskfs.stale", "--only-values", m.task() / "status").stdout == "0"
