# SPDX-License-Identifier: MIT
"""docs/semantics.md, "Answers of the service": what comes in place of an answer is told for what it is, and what cannot
get better is not asked for again."""

import pytest

from kootaskfs_mount import BINARY, detail, environment, read_error, run
from raw_service import JSON, RawService, http

GOOD = detail(taskStatus=2)


@pytest.fixture
def raw():
    services = []

    def make(answer, **options):
        services.append(RawService(answer, **options))
        return services[-1]

    yield make
    for service in services:
        service.close()


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "203 Non-Authoritative Information", "206 Partial"])
def test_good_statuses(mount, raw, status):
    """"Any 2xx with a body of the documented kind is a good response.\""""
    m = mount(endpoint=raw(http(status, JSON, body=GOOD)).url)
    assert m.read("status") == "completed\n"


PAGE = "<!DOCTYPE HTML>\r\n<HTML><HEAD><TITLE>Sign in\n to the portal</TITLE></HEAD><BODY>…</BODY></HTML>"
WORDS = [
    ("no content", http("204 No Content"), "EBADMSG", 1, "HTTP 204 without a body"),
    ("accepted", http("202 Accepted", JSON), "EBADMSG", 1, "HTTP 202 without a body"),
    ("empty", http("200 OK", JSON), "EBADMSG", 1, "HTTP 200 without a body"),
    ("portal", http("200 OK", JSON, body=PAGE), "EBADMSG", 1, 'HTTP 200 with the HTML page "Sign in to the portal"'),
    ("gateway", http("502 Bad Gateway", "Content-Type: text/plain", body="\ufeff" + PAGE), "EIO", 4,
     'HTTP 502 with the HTML page "Sign in to the portal"'),
    ("text", http("503 Unavailable", "Content-Type: text/plain", body="no healthy upstream\n"), "EIO", 4,
     'HTTP 503 with the text "no healthy upstream"'),
    ("not implemented", http("501 Not Implemented", body="no"), "EIO", 1, 'HTTP 501 with the text "no"'),
    ("version", http("505 HTTP Version Not Supported"), "EIO", 1, "HTTP 505 without a body"),
    ("too large", http("413 Payload Too Large"), "EIO", 1, "HTTP 413 without a body"),
    ("headers too large", http("431 Request Header Fields Too Large"), "EIO", 1, "HTTP 431 without a body"),
    ("moved", http("301 Moved", "Location: https://u:p@login.example:8443/oauth;s=1?token=x#f"), "EIO", 1,
     "HTTP 301, a redirect to https://login.example:8443/oauth, which is not followed: the endpoint is probably wrong"),
    ("found", http("302 Found", "Location: /login?next=/", JSON, body=GOOD), "EIO", 1,
     "HTTP 302, a redirect to http://127.0.0.1:"),
    ("temporary", http("307 Temporary Redirect", "Location: http://127.0.0.1:1/x"), "EIO", 1,
     "HTTP 307, a redirect to http://127.0.0.1:1/x, which"),
    ("not modified", http("304 Not Modified"), "EIO", 1, "HTTP 304, a redirect to no place that can be read"),
    ("encoding", http("200 OK", JSON, "Content-Encoding: rot13", body=GOOD), "EBADMSG", 1, "ncoding"),
    ("broken gzip", http("200 OK", JSON, "Content-Encoding: gzip", body=GOOD), "EBADMSG", 1, "ncoding"),
    ("one long header", http("200 OK", JSON, "X: " + "x" * 500_000, body=GOOD), "EBADMSG", 1, "headers are too large"),
    ("a header of 90 K", http("200 OK", JSON, "X: " + "x" * 90_000, body=GOOD), "EBADMSG", 1, "headers are too large"),
    ("many headers", http("200 OK", JSON, *[f"X-{i}: {'x' * 1000}" for i in range(200)], body=GOOD), "EBADMSG", 1,
     "headers are too large (more than 65536 bytes)"),
    ("HTTP/0.9", b"hello, this is no HTTP\r\n", "EBADMSG", 1, "HTTP/0.9"),
    ("no status", b"HTTP/1.1 abc\r\n\r\n", "EBADMSG", 1, ""),
    ("nothing", b"", "EIO", 4, "Empty reply"),
    ("short", http("200 OK", JSON, body=GOOD)[:-9], "EIO", 4, ""),
    ("throttled, and failed", http("429 Too Many", JSON, body='{"code":13000201}'), "EBUSY EAGAIN", 4,
     "HTTP 429, code 13000201"),
    ("throttled, and gone", http("429 Too Many", JSON, body='{"code":"13000309"}'), "EBUSY EAGAIN", 4,
     "HTTP 429, code 13000309"),
    ("failed", http("500 Internal Server Error", JSON, body='{"code":13000201}'), "EIO", 4, "HTTP 500, code 13000201"),
    ("failed, and gone", http("500 Internal Server Error", JSON, body='{"code":13000309.0}'), "ENOENT", 1,
     "HTTP 500, code 13000309"),
    ("failed, and denied", http("503 Unavailable", JSON, body='{"error_code":"13000410"}'), "EACCES", 1,
     "HTTP 503, code 13000410"),
    ("proxy", http("407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="x"'), "EIO", 1,
     "wants proxy authentication (HTTP 407)"),
]


@pytest.mark.parametrize("answer, names, attempts, words", [row[1:] for row in WORDS], ids=[row[0] for row in WORDS])
def test_no_answers(mount, raw, answer, names, attempts, words):
    """Each is one errno, after so many attempts, and said in words.

    "HTTP 200, 202, 204 and 205 without a body are errors that say so." "An HTML page is named by its title, whatever its type
    and status." "Of any other text of an error the beginning is shown."

    "For HTML and other text the errno is that of the status, and EBADMSG for 2xx." "HTTP 429 is throttling, whatever code its
    body has."

    "A redirect of a service call is not followed (EIO). The error names its target by scheme, host and path."

    "A response with an unknown Content-Encoding is EBADMSG." "A response with more than 64 KiB of headers is EBADMSG." "A
    response by HTTP/0.9 is EBADMSG.\""""
    service = raw(answer)
    m = mount(endpoint=service.url)
    assert read_error(m.task() / "status") in names.split()
    assert words in m.control("last-error")
    assert service.asked() == attempts
    for secret in ("token=x", "u:p@", "next="):
        assert secret not in m.control("last-error") + m.log()
    assert "memory" not in m.control("last-error")


CONNECTS = [
    ("407 Proxy Authentication Required", "EIO", 1, "wants proxy authentication (HTTP 407)"),
    ("403 Forbidden", "EIO", 1, "refuses to connect: HTTP 403"),
    ("503 Service Unavailable", "EIO", 4, "refuses to connect: HTTP 503"),
]


@pytest.mark.parametrize("by", ["configuration", "environment"])
@pytest.mark.parametrize("status, name, attempts, words", CONNECTS)
def test_proxy_refuses(mount, raw, by, status, name, attempts, words):
    """"A proxy that refuses (EIO) is named by host and port", never by its user and password. "The error says whether
    it wants proxy authentication (407) or does not connect.\""""
    proxy = raw(http(status, 'Proxy-Authenticate: Basic realm="x"'))
    url = f"http://someone:pa55word@127.0.0.1:{proxy.port}"
    settings = {"proxy": url} if by == "configuration" else {"env": {"https_proxy": url}}
    m = mount(endpoint="https://koodrive.example", **settings)
    assert read_error(m.task() / "status") == name
    assert f"the proxy 127.0.0.1:{proxy.port} {words}" in m.control("last-error")
    assert "pa55word" not in m.control("last-error") + m.log() and "someone" not in m.control("last-error") + m.log()
    assert proxy.asked() == attempts and proxy.heads[0].startswith("CONNECT koodrive.example:443 ")


def test_socks_proxy_refuses(mount, raw):
    """The same of a SOCKS proxy, which here takes no way of signing in."""
    proxy = raw(b"\x05\xff", end=b"\x05")
    m = mount(endpoint="https://koodrive.example", proxy=f"socks5h://someone:pa55word@127.0.0.1:{proxy.port}")
    assert read_error(m.task() / "status") == "EIO"
    assert f"the proxy 127.0.0.1:{proxy.port} refuses to connect: " in m.control("last-error")
    assert "pa55word" not in m.control("last-error") + m.log()
    assert proxy.asked() == 1


@pytest.mark.parametrize("by", ["configuration", "environment"])
@pytest.mark.parametrize("url", ["ftp://someone:pa55word@127.0.0.1:1", "http://someone:pa55word@[::1",
                                 "http://someone:pa55word@127.0.0.1:99999", "socks9://someone:pa55word@h:1"])
def test_proxy_that_is_none(mount, by, url):
    """curl quotes it, and we do not: it holds a password. In the configuration it is an error at once."""
    if by == "configuration":
        code, error = mount(endpoint="https://koodrive.example", proxy=url, auto=False).start_failing()
        assert code == 78 and "[service] proxy: expected" in error and "pa55word" not in error
        return
    m = mount(endpoint="https://koodrive.example", env={"https_proxy": url})
    assert read_error(m.task() / "status") == "EIO"
    assert "the proxy's URL is none that can be used" in m.control("last-error")
    assert "pa55word" not in m.control("last-error") + m.log() and "someone" not in m.log()


@pytest.mark.parametrize("answer, code, advice", [
    (http("302 Found", "Location: https://login.example/"), 76, "correct [service] endpoint"),
    (http("407 Proxy Authentication Required"), 69, "correct [service] proxy"),
    (http("200 OK", body=PAGE), 76, "is it KooDrive that answers?"),
], ids=["redirect", "proxy", "page"])
def test_check(mount, raw, answer, code, advice):
    """--check says what to do about it, and does not call it a sign-in or a failure of the service."""
    m = mount(endpoint=raw(answer).url, auto=False)
    done = run(BINARY, "--check", "-o", f"config={m.conf}", check=False, env=environment())
    assert done.returncode == code and advice in done.stdout
    assert "failure of its own" not in done.stdout
