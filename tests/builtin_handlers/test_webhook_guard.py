"""Requests to internal services (SSRF): every way in that is known to us, against real servers."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address
from time import monotonic
from typing import BinaryIO

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from builtin_handlers.endpoint import Endpoint, FixedResolver, local_deliverer
from jobcore.app.facade import JobApp
from jobcore.testing.apps import quiet_settings
from jobcore_handlers.webhooks.addresses import is_public
from jobcore_handlers.webhooks.delivery import DEADLINE, KEPT_RESPONSE_CHARS, MAX_RESPONSE_BYTES, Deliverer
from jobcore_handlers.webhooks.guard import UnsafeUrlError

NOT_PUBLIC = "that is not in the public internet"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[Endpoint]:
    """An endpoint with a certificate for hooks.example."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hooks.example").configure_cert(tls)
    with Endpoint.serving(tls) as server:
        yield server


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1",
        "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.1", "192.88.99.1", "168.63.129.16", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8",
        "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:101::", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2a00:1450::5efe:10.0.0.1", "2a00:1450::200:5efe:169.254.169.254",
        "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1", "100::1",
        "2001:db8::1", "3fff::1", "5f00::1", "4000::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_in_the_public_internet_is_known(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2a00:1450:4001:80b::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"],
)
def test_a_public_address_is_known(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_in_whichever_form_it_is_carried(address) -> None:
    number = int(address)
    mapped = ip_address((0xFFFF << 32) | number)
    nat64 = ip_address((0x64FF9B << 96) | number)
    assert is_public(mapped) == is_public(nat64) == is_public(address)
    if not is_public(address):
        assert not is_public(ip_address((0x2002 << 112) | (number << 80) | 1))
        assert not is_public(ip_address((0x2A001450 << 96) | (0x5EFE << 32) | number))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "0", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0x0.0.1", "[::1]",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "169.254.169.254",
        "0xA9FEA9FE", "2852039166", "0xa9.0xfe.0xa9.0xfe", "169.254.43518", "127\u30020\u30020\u30021", "0.0.0.0",
        "10.0.0.1",
    ],
)  # fmt: skip
async def test_no_spelling_of_an_internal_host_is_sent_to(endpoint: Endpoint, host: str) -> None:
    delivery = await Deliverer(allow_http=True, ports=[endpoint.server_port]).deliver(endpoint.url_of(host), b"{}", {})
    assert not delivery.is_delivered
    assert NOT_PUBLIC in (delivery.error or "")
    assert (endpoint.received, delivery.status_code, delivery.response) == ([], None, None)


async def test_without_the_guard_the_same_endpoint_is_reached(endpoint: Endpoint) -> None:
    assert (await local_deliverer().deliver(endpoint.url, b"{}", {})).is_delivered


async def test_a_name_with_one_address_that_is_not_public_is_refused(endpoint: Endpoint) -> None:
    resolver = FixedResolver(hooks=[["8.8.8.8", "127.0.0.1"]])
    deliverer = Deliverer(allow_http=True, ports=[endpoint.server_port], resolver=resolver)
    delivery = await deliverer.deliver(endpoint.url_of("hooks.example"), b"{}", {})
    assert NOT_PUBLIC in (delivery.error or "")
    assert endpoint.received == []


async def test_a_name_that_changes_its_mind_is_asked_once_and_its_first_answer_used(endpoint: Endpoint) -> None:
    resolver = FixedResolver(rebinding=[["127.0.0.1"], ["127.0.0.99"]])
    deliverer = local_deliverer(resolver=resolver)
    delivery = await deliverer.deliver(endpoint.url_of("rebinding.example"), b"{}", {})
    assert delivery.is_delivered
    assert resolver.asked == ["rebinding.example"]
    ((headers, _),) = endpoint.received
    assert headers["Host"] == f"rebinding.example:{endpoint.server_port}"


async def test_tls_checks_the_name_and_not_the_address(secure: Endpoint, trusting: ssl.SSLContext) -> None:
    resolver = FixedResolver(hooks=[["127.0.0.1"]], other=[["127.0.0.1"]])
    deliverer = local_deliverer(allow_http=False, resolver=resolver, ssl_context=trusting)
    assert (await deliverer.deliver(secure.url_of("hooks.example"), b"{}", {})).is_delivered
    refused = await deliverer.deliver(secure.url_of("other.example"), b"{}", {})
    assert "Hostname mismatch" in (refused.error or "")
    untrusted = await local_deliverer(resolver=resolver).deliver(secure.url_of("hooks.example"), b"{}", {})
    assert "unable to get local issuer certificate" in (untrusted.error or "")
    assert len(secure.received) == 1


async def test_a_host_without_an_address_is_a_failed_delivery() -> None:
    delivery = await local_deliverer(resolver=FixedResolver()).deliver("https://gone.example/", b"{}", {})
    assert "was not found" in (delivery.error or "")
    delivery = await Deliverer().deliver(f"https://{'a' * 70}.invalid/", b"{}", {})
    assert "was not found" in (delivery.error or "")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", "begins with https://"),
        ("ftp://example.com/", "begins with https://"),
        ("file:///etc/passwd", "begins with https://"),
        ("https://", "names a host"),
        ("https:///path", "names a host"),
        ("x", "begins with https://"),
        ("https://user:pass@example.com/", "must not hold a user"),
        ("https://127.0.0.1@example.com/", "must not hold a user"),
        ("https://example.com\\@127.0.0.1/", "must not hold a user"),
        ("https://[::1/", "is not a URL"),
        ("https://exam\r\nple.com/", "is not a URL"),
        ("https://example.com/\r\nX-Injected: 1", "is not a URL"),
        ("https://example.com/a\tb", "is not a URL"),
        ("https://0251.0376.0251.0376/", "is not a URL"),
        ("https://\u2460\u2461\u2466.0.0.1/", "is not a URL"),
        ("https://example.com:22/", "not sent to port 22"),
        ("https://example.com:99999/", "not sent to port 99999"),
        ("https://example.com/" + "a" * 2048, "at most 2048 characters"),
    ],
)
async def test_an_address_that_is_written_wrongly_is_refused(url: str, reason: str) -> None:
    with pytest.raises(UnsafeUrlError, match=reason):
        Deliverer().check(url)
    assert reason in ((await Deliverer().deliver(url, b"{}", {})).error or "")


def test_plain_http_needs_an_allowance_and_its_port_listed() -> None:
    with pytest.raises(UnsafeUrlError, match="not sent to port 80"):
        Deliverer(allow_http=True).check("http://example.com/")
    Deliverer(allow_http=True, ports=[80, 443]).check("http://example.com/")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(endpoint: Endpoint, status: int) -> None:
    with Endpoint.serving() as internal:
        endpoint.status, endpoint.headers = status, {"Location": internal.url}
        delivery = await local_deliverer().deliver(endpoint.url, b"{}", {})
        assert delivery.error == f"The endpoint answered {status}."
        assert (len(endpoint.received), internal.received) == (1, [])


async def test_a_proxy_of_the_environment_is_not_used(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    with Endpoint.serving() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert (await local_deliverer().deliver(endpoint.url, b"{}", {})).is_delivered
        assert proxy.received == []


async def test_an_answer_that_never_ends_is_read_to_64_kilobytes(endpoint: Endpoint) -> None:
    sent = 0
    gave_up = threading.Event()

    def pour(out: BinaryIO) -> None:
        nonlocal sent
        try:
            while True:
                sent += out.write(b"x" * 4096)
        except OSError:
            gave_up.set()

    endpoint.write = pour
    delivery = await local_deliverer().deliver(endpoint.url, b"{}", {})
    assert (delivery.is_delivered, len(delivery.response or "")) == (True, KEPT_RESPONSE_CHARS)
    assert gave_up.wait(10)
    assert MAX_RESPONSE_BYTES == 64 * 1024
    assert sent < 16 * 2**20  # what the kernel buffers, and no more


async def test_an_answer_that_drips_is_given_up_at_the_one_deadline(endpoint: Endpoint) -> None:
    done = threading.Event()

    def drip(out: BinaryIO) -> None:
        try:
            while not done.wait(0.05):
                out.write(b".")
        except OSError:
            pass  # the sender gave up, as it is to

    endpoint.write = drip
    began = monotonic()
    delivery = await local_deliverer(deadline=timedelta(seconds=0.5)).deliver(endpoint.url, b"{}", {})
    done.set()
    assert delivery.error == "The endpoint did not answer within 0.5 seconds."
    assert monotonic() - began < 3


def pour_lines(client: socket.socket) -> None:
    while True:
        client.sendall(b"X-A: " + b"a" * 4096 + b"\r\n")


def pour_one_line(client: socket.socket) -> None:
    client.sendall(b"X-A: ")
    while True:
        client.sendall(b"a" * 4096)


def pour_trailers(client: socket.socket) -> None:
    client.sendall(b"Transfer-Encoding: chunked\r\n\r\n0\r\n")
    pour_lines(client)


def drip_a_line(client: socket.socket) -> None:
    client.settimeout(0.05)
    while True:
        client.sendall(b"a")
        with suppress(TimeoutError):
            client.recv(1)


def promise_too_much(client: socket.socket) -> None:
    client.sendall(b"Content-Length: 99\r\n\r\nshort")


@pytest.mark.parametrize("answer", [pour_lines, pour_one_line, pour_trailers, drip_a_line, promise_too_much])
async def test_an_answer_that_is_none_is_a_failed_delivery(answer: Callable[[socket.socket], None]) -> None:
    def serve() -> None:
        client, _ = server.accept()
        with client, suppress(OSError):  # the sender gave up, as it is to
            client.recv(65536)
            client.sendall(b"HTTP/1.1 200 OK\r\n")
            answer(client)

    with socket.create_server(("127.0.0.1", 0)) as server:
        serving = asyncio.create_task(asyncio.to_thread(serve))
        deliverer = local_deliverer(deadline=timedelta(seconds=0.5))
        delivery = await deliverer.deliver(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {})
        await serving
    assert delivery.error is not None
    assert (delivery.status_code, delivery.response) == (None, None)
    assert delivery.duration < timedelta(seconds=3)


async def test_a_compressed_answer_is_not_inflated(endpoint: Endpoint) -> None:
    endpoint.headers, endpoint.body = {"Content-Encoding": "gzip"}, gzip.compress(b"x" * 2**24)
    delivery = await local_deliverer().deliver(endpoint.url, b"{}", {})
    assert delivery.is_delivered
    assert "xxx" not in (delivery.response or "")
    ((headers, _),) = endpoint.received
    assert "Accept-Encoding" not in headers


async def test_the_resolution_counts_towards_the_deadline() -> None:
    class NeverAnswers:
        async def resolve(self, host: str, port: int):
            await asyncio.Event().wait()

    deliverer = local_deliverer(resolver=NeverAnswers(), deadline=timedelta(seconds=0.2))
    delivery = await deliverer.deliver("https://slow.example/", b"{}", {})
    assert delivery.error == "The endpoint did not answer within 0.2 seconds."


async def test_a_handshake_that_never_ends_is_given_up_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        deliverer = local_deliverer(deadline=timedelta(seconds=0.3))
        delivery = await deliverer.deliver(f"https://127.0.0.1:{silent.getsockname()[1]}/", b"{}", {})
    assert delivery.error == "The endpoint did not answer within 0.3 seconds."


async def test_the_guard_is_on_unless_the_settings_take_it_away(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    own = {"webhook_allow_http": True, "webhook_ports": [endpoint.server_port]}
    guarded = JobApp(quiet_settings(builtin=own, storage="memory", runner="memory")).services.get(Deliverer)
    assert NOT_PUBLIC in ((await guarded.deliver(endpoint.url, b"{}", {})).error or "")
    assert "ALLOW_PRIVATE" not in caplog.text
    own["webhook_allow_private"] = True
    unguarded = JobApp(quiet_settings(builtin=own, storage="memory", runner="memory")).services.get(Deliverer)
    assert (await unguarded.deliver(endpoint.url, b"{}", {})).is_delivered
    assert "JOBCORE_BUILTIN__WEBHOOK_ALLOW_PRIVATE is set" in caplog.text


def test_the_deadline_is_five_seconds() -> None:
    assert timedelta(seconds=5) == DEADLINE == Deliverer()._deadline


async def test_an_endpoint_that_is_not_there_is_a_failed_delivery() -> None:
    closed = Endpoint()
    closed.server_close()
    delivery = await local_deliverer().deliver(closed.url, b"{}", {})
    assert delivery.error == "The endpoint could not be reached: ConnectError."


async def test_what_looks_like_a_secret_in_an_answer_is_not_kept(endpoint: Endpoint) -> None:
    endpoint.body = b'{"password": "hunter2hunter2", "seen": "\0"}'
    delivery = await local_deliverer().deliver(endpoint.url, b"{}", {})
    assert "hunter2" not in (delivery.response or "")
    assert "\0" not in (delivery.response or "")
