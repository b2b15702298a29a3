"""Multipart bodies as forms: what is kept where, and that nothing is left behind."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
import textwrap

import pytest

from core.wire.multipart import BadMultipart, MultipartLimits, PartTooLarge
from core.wire.multipart_form import Keep, NoRoom, named, read_multipart
from tests.core.multipart import encoded, wire_request
from tests.service import ROOT

LIMITS = MultipartLimits(body=1_000_000, field=100, memory=250)
KEEP = named(fields=["small", "other"], files=["dump"])


def read(parts, tmp_path, keep=KEEP, limits=LIMITS):
    return read_multipart(wire_request(encoded(parts)), limits=limits, keep=keep, spool=tmp_path / "spool")


def test_parts_are_known_by_their_names_whether_they_have_file_names_or_not(tmp_path):
    named_file = 'Content-Disposition: form-data; name="small"; filename="x.bin"'
    parts = [("dump", b"MDMP"), (named_file, b"{}"), ("unknown", b"?" * 5000), ("unknown", b"!")]
    with read(parts, tmp_path) as form:
        assert [(one.head.name, one.head.filename, one.data) for one in form.fields] == [("small", "x.bin", b"{}")]
        assert [(one.head.name, one.size, one.file.read()) for one in form.files] == [("dump", 4, b"MDMP")]


def test_what_is_kept_may_depend_on_more_than_the_name(tmp_path):
    head = 'Content-Disposition: form-data; name="any"; filename="x"'
    with read([(head, b"1"), ("any", b"2")], tmp_path, lambda head: Keep.FILE if head.filename else Keep.FIELD) as form:
        assert (form.files[0].file.read(), form.fields[0].data) == (b"1", b"2")


def test_a_field_over_its_limit_is_refused_by_name(tmp_path):
    with read([("small", b"x" * 100)], tmp_path) as form:
        assert form.memory == 100
    with pytest.raises(PartTooLarge, match="small: larger than 100 bytes") as caught:
        read([("dump", b"x"), ("small", b"x" * 101)], tmp_path)
    assert caught.value.status == 413


def test_many_small_fields_have_a_limit_together(tmp_path):
    with pytest.raises(PartTooLarge, match="all fields together: larger than 250 bytes"):
        read([("small", b"x" * 90), ("other", b"x" * 90), ("small", b"x" * 90)], tmp_path)


def test_repeated_parts_are_all_kept_and_can_be_told(tmp_path):
    with read([("dump", b"1"), ("dump", b"2")], tmp_path) as form:
        assert [one.file.read() for one in form.files] == [b"1", b"2"]
        assert form.repeated() == "dump"
    with read([("dump", b"1"), ("small", b"2")], tmp_path) as form:
        assert form.repeated() is None


def test_the_content_of_a_file_is_mapped_and_outlives_the_form(tmp_path):
    with read([("dump", b"MDMP" * 1000)], tmp_path) as form:
        content = form.files[0].content()
    assert bytes(content[:4]) == b"MDMP"
    assert len(content) == 4000
    with read([("dump", b"")], tmp_path) as form:
        assert form.files[0].content() == b""


def test_nothing_lies_in_the_spool_directory_and_nothing_stays_open(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    with read([("dump", b"x" * 100_000)], tmp_path):
        assert os.listdir(tmp_path / "spool") == []
        assert len(os.listdir("/proc/self/fd")) == before + 1
    with pytest.raises(BadMultipart):
        read_multipart(
            wire_request(encoded([("dump", b"x" * 10_000)])[:-20], length=None),
            limits=LIMITS,
            keep=KEEP,
            spool=tmp_path / "spool",
        )
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_full_disk_is_no_fault_of_the_request(tmp_path, monkeypatch):
    made = tempfile.TemporaryFile

    class Full:
        def __init__(self, **options):
            self._real = made(**options)

        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self):
            self._real.close()

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    with pytest.raises(NoRoom) as caught:
        read([("dump", b"x" * 100)], tmp_path)
    assert caught.value.status == 503


@pytest.mark.parametrize(("spare", "fits"), [(0, True), (1, True), (1 << 62, False)])
def test_files_leave_room_on_the_disk(tmp_path, spare, fits):
    limits = MultipartLimits(body=1_000_000, spare=spare)
    before = len(os.listdir("/proc/self/fd"))
    if fits:
        read([("dump", b"x" * 100_000)], tmp_path, limits=limits).close()
    else:
        with pytest.raises(NoRoom):
            read([("dump", b"x" * 100_000)], tmp_path, limits=limits)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_killed_process_leaves_no_file(tmp_path):
    script = textwrap.dedent(
        """
        import sys
        import django
        django.setup()
        from pathlib import Path
        from core.wire.multipart import MultipartLimits
        from core.wire.multipart_form import named, read_multipart
        from tests.core.multipart import encoded, wire_request
        form = read_multipart(wire_request(encoded([("dump", bytes(500_000))])), limits=MultipartLimits(body=1_000_000),
                              keep=named(files=["dump"]), spool=Path(sys.argv[1]))
        print(form.files[0].size, flush=True)
        sys.stdin.read()
        """
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "symbolsvc.settings", "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "spool")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        cwd=ROOT,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"500000\n"
    child.send_signal(signal.SIGKILL)
    child.communicate()

    assert os.listdir(tmp_path / "spool") == []
