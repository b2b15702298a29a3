"""Multipart bodies as streams: what real clients send, what is malformed, and what is too much."""

from __future__ import annotations

import contextlib
import gzip
import json
import tracemalloc
import zlib

import pytest
from django.test import RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from core.wire.coding import UnknownCoding, unpacked
from core.wire.errors import BodyBroken, BodyTooLarge
from core.wire.multipart import (
    BadMultipart,
    MissingBoundary,
    MultipartLimits,
    PartTooLarge,
    boundary_of,
    stream_parts,
)
from tests.core.multipart import Trickle, encoded, wire_request
from tests.engine.shared_fixtures import shared
from tests.service import ROOT

FIXTURES = ROOT / "tests" / "fixtures" / "multipart"
CRASHPAD = "multipart/form-data; boundary=---MultipartBoundary-9kxQj9skwBx65ZczGooiJ3Pd2YQRbYvS---"
LIMITS = MultipartLimits(body=1_000_000)
CAPTURED = (
    "breakpad-minidump_upload",
    "breakpad-sym_upload-v1",
    "browser-hosted-attach",
    "browser-post-token-breadcrumbs",
    "crashpad-gzip",
    "crashpad-nogzip",
    "curl-json-attachment",
    "curl-json-attachment-dot",
    "curl-minidump-multipart",
    "curl-sourcemap",
    "node-cause-breadcrumbs",
    "node-hosted-attach",
    "python-hosted-attach",
    "python-uncaught",
)


def contents(request, limits=LIMITS):
    return [(part.head.name, b"".join(part)) for part in stream_parts(request, limits=limits)]


class TestRealClients:
    @pytest.mark.parametrize("name", CAPTURED)
    @pytest.mark.parametrize("chunked", [True, False])
    def test_every_part_of_a_captured_request_arrives(self, name, chunked):
        place = shared(f"fixtures/captures/requests/{name}")
        recorded = json.loads((place / "request.json").read_text())
        headers = {key.lower(): value for key, value in recorded["headers"]}
        coding = {"HTTP_CONTENT_ENCODING": headers["content-encoding"]} if "content-encoding" in headers else {}

        found = contents(
            wire_request((place / "body.bin").read_bytes(), headers["content-type"], chunked=chunked, **coding)
        )

        expected = [
            (next(line for line in part["headers"] if "name=" in line).split('name="')[1].split('"')[0], part["length"])
            for part in recorded["parts"]
        ]
        assert [(name, len(content)) for name, content in found] == expected

    def test_crashpad_packs_the_whole_body(self):
        body = (FIXTURES / "crashpad-gzip.bin").read_bytes()

        found = dict(contents(wire_request(body, CRASHPAD, chunked=True, HTTP_CONTENT_ENCODING="gzip")))

        assert found["session.log"] == b"crashpad attachment\n"
        assert found["upload_file_minidump"][:4] == b"MDMP"
        assert len(found["upload_file_minidump"]) == 60984

    @pytest.mark.parametrize("tail", [b"", b"\r\n"])
    @pytest.mark.parametrize("most", [1, 7, 100_000])
    def test_the_odd_end_of_an_apple_client_is_an_end(self, tail, most):
        body = (FIXTURES / "cocoa.bin").read_bytes() + tail
        request = wire_request(Trickle(body, most, 1), "multipart/form-data; boundary=Boundary-1234")

        assert contents(request) == [("a.b", b"v1"), ("upload_file", b"plcrash\x01abc")]

    def test_the_odd_end_within_a_part_is_content(self):
        content = b"x\r\n--\r\n--b0undar\r\n--"
        assert contents(wire_request(encoded([("a", content)]))) == [("a", content)]


class TestHeads:
    def test_names_are_utf_8_and_anything_else_keeps_its_readable_part(self):
        body = encoded([("größe", b"1")]) + b""
        latin = b'--b0undary\r\nContent-Disposition: form-data; name="gr\xf6\xdfe"\r\n\r\n1\r\n' + encoded([])

        assert contents(wire_request(body)) == [("größe", b"1")]
        assert contents(wire_request(latin)) == [("gr\ufffd\ufffde", b"1")]

    def test_a_file_name_and_a_type_are_told_as_they_came(self):
        head = (
            'Content-Disposition: form-data; name=a; filename="/home/me/a \\"b\\".log"\r\nContent-Type: Text/Plain; x=y'
        )
        (part,) = stream_parts(wire_request(encoded([(head, b"1")])), limits=LIMITS)

        assert (part.head.name, part.head.filename, part.head.content_type) == ("a", '/home/me/a "b".log', "text/plain")

    def test_a_part_without_a_name_has_an_empty_one(self):
        assert contents(wire_request(encoded([("Content-Disposition: form-data", b"1")]))) == [("", b"1")]

    @pytest.mark.parametrize(
        ("content_type", "boundary"),
        [
            ("multipart/form-data; boundary=abc", b"abc"),
            ('multipart/form-data; boundary="a b;c=d"', b"a b;c=d"),
            ("multipart/form-data; boundary=----=_Part_1_23.45", b"----=_Part_1_23.45"),
            ("Multipart/Form-Data;charset=utf-8;  BOUNDARY=abc ; x=y", b"abc"),
            ("multipart/form-data; boundary=--boundary", b"--boundary"),
        ],
    )
    def test_boundaries_are_quoted_or_bare(self, content_type, boundary):
        assert boundary_of(content_type) == boundary

    @pytest.mark.parametrize(
        "content_type",
        [
            "",
            "application/json",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            'multipart/form-data; boundary=""',
            "multipart/mixed; boundary=abc",
            "multipart/form-data; boundary=a; boundary=b",
            "multipart/form-data; boundary=" + "a" * 201,
            "multipart/form-data; boundary=\xe4",
            "multipart/form-data; boundary*=utf-8''abc",
            "multipart/form-data; boundary*0=a; boundary*",
            "text/plain; boundary=abc",
        ],
    )
    def test_without_one_boundary_there_is_no_form(self, content_type):
        with pytest.raises(MissingBoundary):
            stream_parts(wire_request(b"", content_type), limits=LIMITS)


HEAD = b'--b0undary\r\nContent-Disposition: form-data; name="a"\r\n'


class TestDamage:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"no boundary at all",
            b"--b0undary",
            b"--b0undary\r\n",
            b"--other\r\n\r\n--other--",
            HEAD + b"\r\ncontent",
            HEAD + b"\r\ncontent\r\n--b0undary",
            HEAD + b"\r\ncontent\r\n--b0undary-",
            HEAD + b"\r\ncontent\r\n--b0undaryx\r\n\r\n--b0undary--",
            HEAD + b"no colon\r\n\r\ncontent\r\n--b0undary--",
            HEAD + b"Bad Name: x\r\n\r\ncontent\r\n--b0undary--",
            HEAD + b"Content-Length: 3\r\n\r\ncontent\r\n--b0undary--",
            HEAD + b"Content-Length: 30\r\n\r\ncontent\r\n--b0undary--",
            HEAD + b"Content-Length: -1\r\n\r\ncontent\r\n--b0undary--",
            HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n1\r\n--x--\r\n--b0undary--",
            b"--b0undary\r\n\r\nno headers\r\n--b0undary--",
            b"--b0undary\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--b0undary--",
            b"--b0undary\nContent-Disposition: form-data; name=a\n\n1\n--b0undary--",
            HEAD.replace(b"\r\n", b"\n") + b"\n1\n--b0undary--",
            b"x" + HEAD + b"\r\n1\r\n--b0undary--",
        ],
    )
    @pytest.mark.parametrize("chunked", [True, False])
    def test_a_malformed_body_is_told_in_words(self, body, chunked):
        with pytest.raises(BadMultipart) as caught:
            contents(wire_request(body, chunked=chunked))
        assert caught.value.status == 400

    @pytest.mark.parametrize("preamble", [b"x\n", b"x", b"\n", b"\r\nx"])
    @pytest.mark.parametrize("most", [1, 7, 20, 1000])
    def test_what_stands_right_before_the_first_delimiter_is_refused_however_it_arrives(self, preamble, most):
        with pytest.raises(BadMultipart):
            contents(wire_request(Trickle(preamble + encoded([("a", b"1")]), most, 1)))

    @pytest.mark.parametrize("most", [1, 7, 100, 1000])
    def test_a_bare_line_feed_in_a_header_is_refused_however_it_arrives(self, most):
        body = HEAD + b"X-A: 1\n2\r\n\r\n1\r\n--b0undary--"
        with pytest.raises(BadMultipart):
            contents(wire_request(Trickle(body, most, 1)))

    @pytest.mark.parametrize("preamble", [b"", b"\r\n", b"--b0und\r\n", b"text\r--\r\n" * 50])
    @pytest.mark.parametrize("most", [1, 7, 20, 1000])
    def test_lines_before_the_first_delimiter_are_passed_over_however_they_arrive(self, preamble, most):
        body = preamble + encoded([("a", b"1")])
        assert contents(wire_request(Trickle(body, most, 1))) == [("a", b"1")]

    def test_a_length_that_promises_more_than_comes_is_a_broken_body(self):
        body = encoded([("a", b"1")])
        with pytest.raises(BodyBroken):
            contents(wire_request(body, length=len(body) + 10))

    def test_a_length_that_promises_less_cuts_the_body(self):
        body = encoded([("a", b"1")])
        with pytest.raises(BadMultipart):
            contents(wire_request(body, length=len(body) - 20))

    def test_what_follows_the_end_is_ignored_within_the_limit(self):
        body = encoded([("a", b"1")])

        assert contents(wire_request(body + b"x" * 1000)) == [("a", b"1")]
        with pytest.raises(BodyTooLarge):
            contents(wire_request(body + b"x" * 1000, chunked=True), MultipartLimits(body=500))

    @given(st.binary(max_size=300), st.integers(0, 400), st.integers(1, 50))
    @settings(max_examples=150)
    def test_whatever_comes_ends_in_parts_or_a_clean_refusal(self, noise, at, most):
        body = bytearray(encoded([("a", b"one"), ("b", b"\r\n--b0undar")]))
        body[at : at + len(noise) // 2] = noise
        with contextlib.suppress(BodyBroken, BadMultipart):
            contents(wire_request(Trickle(bytes(body), most, at)))


class TestLimits:
    def test_a_declared_length_over_the_limit_is_refused_before_anything_is_read(self):
        body = Trickle(encoded([("a", b"1" * 1000)]), 100, 1)
        with pytest.raises(BodyTooLarge):
            contents(wire_request(body), MultipartLimits(body=1000))
        assert body.tell() == 0

    def test_a_chunked_body_is_refused_at_the_limit(self):
        with pytest.raises(BodyTooLarge):
            contents(wire_request(encoded([("a", b"1" * 1000)]), chunked=True), MultipartLimits(body=1000))

    def test_the_limit_holds_for_requests_of_other_servers(self):
        body = encoded([("a", b"1" * 1000)])
        request = RequestFactory().post("/", body, content_type="multipart/form-data; boundary=b0undary")
        with pytest.raises(BodyTooLarge):
            contents(request, MultipartLimits(body=1000))

    def test_the_number_of_parts_and_of_headers_and_the_length_of_a_header_end(self):
        limits = MultipartLimits(body=1_000_000, parts=3, headers=2, header=100)
        three = [("a", b"1")] * 3

        assert len(contents(wire_request(encoded(three)), limits)) == 3
        for head in ("a", "Content-Disposition: form-data; name=a\r\nX-A: 1\r\nX-B: 2", "a" * 100):
            parts = [*three, (head, b"1")] if head == "a" else [(head, b"1")]
            with pytest.raises(BadMultipart):
                contents(wire_request(encoded(parts)), limits)

    def test_a_header_without_an_end_is_refused_before_it_is_collected(self):
        body = Trickle(b"--b0undary\r\nX: " + b"a" * 900_000, 10_000, 1)
        with pytest.raises(BadMultipart):
            contents(wire_request(body))
        assert body.tell() < 100_000

    def test_a_part_is_copied_up_to_its_limit(self):
        part = next(stream_parts(wire_request(encoded([("dump", b"12345")])), limits=LIMITS))
        copied = bytearray()
        with pytest.raises(PartTooLarge, match="dump: larger than 4 bytes"):
            part.copy_to(copied.extend, limit=4)

    def test_parts_stream_through_in_bounded_memory(self):
        size = 64 * 1024 * 1024
        packed = gzip.compress(encoded([("a", bytes(size))]), 1)
        request = wire_request(packed, HTTP_CONTENT_ENCODING="gzip")
        seen = 0
        tracemalloc.start()
        try:
            for part in stream_parts(request, limits=MultipartLimits(body=2 * size)):
                seen = part.copy_to(lambda piece: None)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert seen == size
        assert peak < 8 * 1024 * 1024


class TestCoding:
    @pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "deflate", "identity", ""])
    @pytest.mark.parametrize("most", [1, 1000])
    def test_a_packed_body_is_read_as_it_was(self, coding, most):
        plain = encoded([("a", b"1" * 5000)])
        packers = {"deflate": zlib.compress, "identity": bytes, "": bytes}
        packed = packers.get(coding, gzip.compress)(plain)

        assert contents(wire_request(Trickle(packed, most, 1), HTTP_CONTENT_ENCODING=coding))[0][1] == b"1" * 5000

    def test_bare_deflate_and_members_of_gzip_with_zeros_behind_them(self):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        bare = packer.compress(b"abc") + packer.flush()
        members = gzip.compress(b"abc") + gzip.compress(b"def") + bytes(20)

        assert b"".join(unpacked([bare], "deflate")) == b"abc"
        for step in (1, 5, 1000):
            pieces = [members[at : at + step] for at in range(0, len(members), step)]
            assert b"".join(unpacked(pieces, "gzip")) == b"abcdef"

    def test_more_than_a_step_that_ends_with_the_input_is_not_lost(self):
        plain = bytes(3_000_000)
        pieces = list(unpacked([gzip.compress(plain)], "gzip"))

        assert b"".join(pieces) == plain
        assert max(len(piece) for piece in pieces) <= 256 * 1024

    @pytest.mark.parametrize("coding", ["gzip", "deflate"])
    def test_damage_is_a_broken_body(self, coding):
        packed = (gzip.compress if coding == "gzip" else zlib.compress)(encoded([("a", b"1" * 5000)]))
        for body in (
            b"",
            b"x",
            packed[:-6],
            packed[:20],
            packed[:10] + b"\xff\xff" + packed[12:],
            packed[:-4] + b"abcd",
        ):
            with pytest.raises(BodyBroken):
                contents(wire_request(body, HTTP_CONTENT_ENCODING=coding))

    @pytest.mark.parametrize("coding", ["compress", "xz", "gzip, gzip", "chunked"])
    def test_another_coding_is_refused(self, coding):
        with pytest.raises(UnknownCoding):
            contents(wire_request(encoded([("a", b"1")]), HTTP_CONTENT_ENCODING=coding))

    def test_a_bomb_ends_at_the_limit(self):
        packed = gzip.compress(encoded([("a", bytes(20_000_000))]))
        assert len(packed) < 100_000
        with pytest.raises(BodyTooLarge):
            contents(wire_request(packed, HTTP_CONTENT_ENCODING="gzip"))
