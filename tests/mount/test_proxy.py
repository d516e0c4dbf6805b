# SPDX-License-Identifier: MIT
"""docs/configuration.md, "Proxies": "Clear text goes through no proxy, whatever names one"."""

import pytest

from koodrive_sim import SHARE_TASK, TOKEN
from kootaskfs_mount import BINARY, detail, environment, read_error, run, store
from packages_host import Host
from proxy_host import Proxy
from test_nginx import nginx  # noqa: F401

VARIABLES = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
SCHEMES = ["http://", "", "socks5://", "socks5h://", "socks4a://"]


@pytest.fixture
def proxy():
    made = Proxy()
    yield made
    made.close()


def everywhere(address):
    return {name: address for name in VARIABLES}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2", "[::1]"])
@pytest.mark.parametrize("scheme", SCHEMES, ids=[s.rstrip(":/") or "none" for s in SCHEMES])
def test_clear_text_stays_here(mount, sim, start, proxy, host, scheme):
    """A service on this machine is asked directly, with a proxy in every variable there is."""
    if host == "[::1]":
        sim = start("--duration=0", "--bind=::1")
    m = mount(sim, endpoint=f"http://{host}:{sim.port}", env=everywhere(scheme + proxy.address), auto=False)
    if host == "127.0.0.2":  # nobody listens there; what counts is who was not asked
        m.configure(deadline="500ms")
    m.start()
    assert read_error(m.task() / "status") in (None, "EHOSTUNREACH", "ETIMEDOUT")
    assert host == "127.0.0.2" or m.read("status") == "completed\n"
    assert proxy.lines == [] and proxy.text == b""


@pytest.mark.parametrize("how", ["file", "option"])
def test_configured_proxy_for_clear_text(mount, sim, proxy, how):
    """A proxy that is asked for by name is an error then: 78, file, group, key, what was expected."""
    m = mount(sim, auto=False, proxy=f"http://{proxy.address}" if how == "file" else None,
              options=[f"proxy={proxy.address}"] if how == "option" else [])
    code, error = m.start_failing()
    assert code == 78 and f"{m.conf}: [service] proxy: " in error and "expected no proxy" in error
    assert proxy.lines == []


@pytest.mark.parametrize("how", ["https_proxy", "ALL_PROXY", "configured", "option"])
def test_tls_goes_through_it(mount, sim, nginx, proxy, how):  # noqa: F811
    """https:// goes through it by CONNECT, and it sees no token; of the configuration and of the environment."""
    server = nginx(sim.url)
    address = f"http://{proxy.address}"
    m = mount(sim, endpoint=server.url, ca_file=server.ca, auto=False,
              proxy=address if how == "configured" else None, options=[f"proxy={address}"] if how == "option" else [],
              env={how: address} if how.lower().endswith("_proxy") else {})
    m.start()
    assert m.read("status") == "completed\n"
    assert proxy.lines == [f"CONNECT localhost:{server.port} HTTP/1.1"]
    assert TOKEN.encode() not in proxy.text
    m.unmount()
    done = run(*m.command()[:1], "--check", *m.command()[2:-1], env=environment(**m.env))
    assert "left to the proxy" in done.stdout


def test_no_proxy(mount, sim, nginx, proxy):  # noqa: F811
    """NO_PROXY keeps a host from the proxy of the environment."""
    server = nginx(sim.url)
    m = mount(sim, endpoint=server.url, ca_file=server.ca, env={**everywhere(proxy.address), "NO_PROXY": "localhost"})
    assert m.read("status") == "completed\n" and proxy.lines == []


def test_links_in_clear_text(mount, sim, nginx, proxy):  # noqa: F811
    """A download link with http:// is a secret in clear text: it goes to its host, and no proxy sees it."""
    server, host = nginx(sim.url), Host()
    try:
        store(sim, detail(taskStatus=2, downloadUrl=host.link()))
        m = mount(sim, endpoint=server.url, ca_file=server.ca, proxy=f"http://{proxy.address}",
                  env=everywhere(proxy.address))
        assert (m.task() / "package.zip").read_bytes() == host.content
        assert {line.split()[0] for line in proxy.lines} == {"CONNECT"}
        assert f":{host.port}".encode() not in proxy.text and b"sign=" not in proxy.text
    finally:
        host.close()


@pytest.mark.parametrize("value", ["gopher://me:hunter2@{0}", "http://me:hunter2@{0}",
                                   "http://me:hunter2@no-such-host.invalid", "http://me:hunter2@127.0.0.1:1"])
def test_password_is_nowhere(mount, sim, nginx, proxy, value):  # noqa: F811
    """A password of a proxy is in no error and no file, wherever the proxy comes from."""
    server = nginx(sim.url)
    proxy.refuse = True
    value = value.format(proxy.address)
    m = mount(sim, endpoint=server.url, ca_file=server.ca, env={"https_proxy": value}, negative_ttl="0", deadline="2s")
    assert read_error(m.task() / "status") is not None
    everything = "".join(m.control(name) for name in ("config", "last-error", "health", "metrics")) + m.log()
    assert "hunter2" not in everything
    done = run(BINARY, "--check", "-o", f"config={m.conf}", env=environment(https_proxy=value), check=False)
    assert "hunter2" not in done.stdout + done.stderr
    m.unmount()
    m.configure(proxy=value)
    m.env = {}
    if value.startswith("gopher"):
        code, error = m.start_failing()
        assert code == 78 and "hunter2" not in error and "[service] proxy: expected" in error
        return
    m.start()
    assert read_error(m.task() / "status") is not None
    assert "proxy = http://***@" in m.control("config")
    assert "hunter2" not in "".join(m.control(name) for name in ("config", "last-error", "health")) + m.log()
    assert SHARE_TASK in m.control("last-error")
