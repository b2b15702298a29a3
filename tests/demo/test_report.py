from __future__ import annotations

from symbolsvc.demo import report

PLAIN = report.Palette(colours=False)

REQUEST = {
    "signal": 11,
    "stacktraces": [
        {
            "thread_id": 7,
            "thread_name": "crasher",
            "frames": [{"instruction_addr": "0x1010"}, {"instruction_addr": "0x9000"}],
        }
    ],
}
ANSWER = {
    "stacktraces": [
        {
            "frames": [
                {"status": "symbolicated", "original_index": 0, "function": "f()", "filename": "a.c", "lineno": 3},
                {
                    "status": "symbolicated",
                    "original_index": 0,
                    "function": "g()",
                    "filename": "a.c",
                    "lineno": 9,
                    "sym_addr": "0x1000",
                },
                {"status": "missing", "original_index": 1, "package": "/usr/lib/libc.so.6"},
            ]
        }
    ],
    "modules": [
        {"debug_status": "unused", "code_file": "/usr/lib/libm.so.6"},
        {
            "debug_status": "missing",
            "code_file": "/usr/lib/libc.so.6",
            "diagnosis": {"cause": "No source has it.", "remedy": "Upload it."},
            "candidates": [
                {"source": "demo", "location": "http://127.0.0.1/x", "download": {"status": "notfound"}},
            ],
        },
    ],
}


def text() -> str:
    return "\n".join(report.lines(REQUEST, ANSWER, PLAIN))


def test_each_frame_shows_what_was_sent_and_what_came_back() -> None:
    assert "0x1010           f() (inlined)  a.c:3" in text()
    assert "0x1010           g()  a.c:9" in text()


def test_a_frame_without_a_name_says_where_it_lies_and_why() -> None:
    assert "0x9000           ? in libc.so.6 (missing)" in text()


def test_used_modules_show_where_they_were_looked_for() -> None:
    assert "notfound  demo  http://127.0.0.1/x" in text()
    assert "libm" not in text()


def test_a_module_that_was_not_found_says_why_and_what_to_do() -> None:
    assert "why: No source has it." in text()
    assert "what to do: Upload it." in text()


def test_without_a_terminal_there_are_no_escape_sequences() -> None:
    assert "\033" not in text()
    assert "\033[32m" in "\n".join(report.lines(REQUEST, ANSWER, report.Palette(colours=True)))
