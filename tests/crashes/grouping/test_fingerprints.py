"""Which crashes are the same fault."""

from __future__ import annotations

import msgspec
import pytest

from crashes.grouping.fingerprints import grouping_of, without_varying
from crashes.grouping.stacks import MOST_FRAMES, plain_file
from crashes.results import Failure, Frame, Module, Result, Thread
from tests.crashes.grouping.making import script, stack

CHOSEN = "AB" * 32


def fingerprint(result: Result, **sent) -> str:
    return grouping_of(result, **sent).fingerprint


def values(result: Result, **sent) -> list[str]:
    return [part.value for part in grouping_of(result, **sent).parts]


def frame(name: str | None = None, **fields) -> Frame:
    return Frame(**({"function": name, "instruction_addr": "0x1000", "in_app": True, "trust": "cfi"} | fields))


def test_a_fingerprint_is_64_hex_characters_and_always_the_same():
    found = fingerprint(stack("post", "main"))
    # As stored: another value makes every group of every project a new one.
    assert found == "642935374b6eb3d8bdd3c169077f31d0586547b07e602527eceac3fa9baad878"


def test_other_functions_and_another_order_are_another_fault():
    kinds = [stack("post", "main"), stack("main", "post"), stack("post"), stack("post", "run"), stack("postmain")]
    assert len({fingerprint(one) for one in kinds}) == len(kinds)


def test_lines_addresses_and_paths_do_not_count():
    one = stack(frame("post", lineno=3, filename="/a/ledger.cpp", instruction_addr="0x5566"))
    other = stack(frame("post", lineno=9, filename="C:\\b\\ledger.cpp", instruction_addr="0x77"))
    assert fingerprint(one) == fingerprint(other)


def test_an_inlined_function_counts_as_if_it_were_called():
    """A build with optimization groups with one without."""
    inlined = stack(frame("choose", inline=True), frame("round", inline=True), frame("post"), frame("main"))
    assert fingerprint(inlined) == fingerprint(stack("choose", "round", "post", "main"))


def test_a_frame_that_names_its_template_groups_with_one_that_does_not():
    assert fingerprint(stack("void each<int>(int)", "main")) == fingerprint(stack("each", "main"))


def test_what_aborts_asserts_throws_or_allocates_does_not_count():
    plain = fingerprint(stack("post", "main"))
    for machinery in (
        ("__pthread_kill_implementation", "raise", "abort"),
        ("raise", "abort", "__assert_fail_base", "__assert_fail"),
        ("raise", "abort", "__libc_message", "malloc_printerr", "_int_free", "free"),
        ("__cxa_throw",),
    ):
        assert fingerprint(stack(*machinery, "post", "main", "__libc_start_main", "_start")) == plain


def test_only_the_applications_frames_count_where_there_are_some():
    mixed = stack(frame("memcpy", in_app=False), frame("post"), frame("g_main_loop_run", in_app=False), frame("main"))
    assert values(mixed) == ["SIGSEGV", "post", "main"]


def test_without_a_frame_of_the_application_all_of_them_count():
    assert values(stack("memcpy", "g_main_loop_run", in_app=False)) == ["SIGSEGV", "memcpy", "g_main_loop_run"]
    assert values(stack("memcpy", "g_main_loop_run", in_app=None)) == ["SIGSEGV", "memcpy", "g_main_loop_run"]


def test_frames_from_the_first_guess_on_do_not_count():
    guessed = stack(frame("post", trust="context"), frame("stale", trust="scan"), frame("older", trust="fp"))
    assert fingerprint(guessed) == fingerprint(stack(frame("post", trust="context"), frame("else", trust="scan")))
    assert values(guessed) == ["SIGSEGV", "post"]


def test_a_frame_by_the_frame_pointer_counts_while_nothing_was_guessed():
    assert values(stack(frame("post", trust="context"), frame("main", trust="fp"))) == ["SIGSEGV", "post", "main"]


def test_where_only_the_systems_frames_are_certain_the_applications_guessed_ones_count():
    """Else all that aborts in a library that nobody has the rules of would be one group."""
    system = frame(None, in_app=False, package="/usr/lib/libc.so.6", trust="context")
    assert values(stack(system, frame("post", trust="scan"), frame("main"))) == ["SIGSEGV", "post", "main"]
    assert values(stack(system, frame("g_free", in_app=False, trust="scan"))) == ["SIGSEGV", "libc.so"]


def test_guesses_are_better_than_nothing_and_so_is_machinery():
    nowhere = Frame(instruction_addr="0x0", trust="context")
    assert values(stack(nowhere, frame("post", trust="scan"))) == ["SIGSEGV", "post"]
    assert values(stack("raise", "abort")) == ["SIGSEGV", "raise", "abort"]


def test_how_deep_a_recursion_went_does_not_count():
    assert fingerprint(stack("walk", "main")) == fingerprint(stack(*["walk"] * 200, "main"))
    assert fingerprint(stack("a", "b", "main")) == fingerprint(stack(*["a", "b"] * 90, "main"))


def test_frames_far_from_the_fault_do_not_count():
    near = [f"step_{number}" for number in range(MOST_FRAMES)]
    assert fingerprint(stack(*near, "one_way")) == fingerprint(stack(*near, "another", "way"))
    assert fingerprint(stack(*near)) != fingerprint(stack(*near[1:], "one_way"))


def test_nameless_frames_count_by_module_and_address_within_it():
    """Equal for one build wherever it is loaded, so that crashes without symbols group."""

    def at(base: int, offset: int, name: str = "/opt/app/libledger.so.1.2") -> Result:
        result = stack(frame(None, instruction_addr=hex(base + offset)))
        module = Module(code_file=name, image_addr=hex(base), image_size=0x10000)
        return msgspec.structs.replace(result, modules=[module])

    assert values(at(0x7F0000, 0x42)) == ["SIGSEGV", "libledger.so+0x42"]
    assert fingerprint(at(0x7F0000, 0x42)) == fingerprint(at(0x550000, 0x42, "/home/me/libledger.so.1.2"))
    assert fingerprint(at(0x7F0000, 0x42)) != fingerprint(at(0x7F0000, 0x43))


def test_addresses_that_are_relative_already_stay():
    result = stack(frame(None, instruction_addr="0x42", addr_mode="rel:0"))
    result = msgspec.structs.replace(result, modules=[Module(debug_file="app.pdb", image_addr="0x400000")])
    assert values(result) == ["SIGSEGV", "app.pdb+0x42"]


def test_nameless_frames_of_the_system_count_by_module_alone():
    """The system's libraries differ from host to host."""
    result = stack(frame(None, in_app=False, package="C:\\Windows\\System32\\user32.dll"))
    assert values(result) == ["SIGSEGV", "user32.dll"]


def test_frames_that_are_nowhere_do_not_count():
    assert values(stack(frame(None), frame("post"))) == ["SIGSEGV", "post"]
    assert values(stack(frame(None, addr_mode="rel:7", instruction_addr="zz"), frame("post"))) == ["SIGSEGV", "post"]


def test_the_exception_that_caused_the_others_has_the_stack_that_counts():
    chain = Result(
        platform="python",
        failures=[Failure("ConfigError", "bad", stack=0), Failure("KeyError", "'x'", stack=1), Failure("OSError")],
        threads=[Thread(frames=[Frame(function="load")]), Thread(frames=[Frame(function="get")])],
    )
    assert values(chain) == ["ConfigError", "KeyError", "OSError", "get"]


def test_the_type_of_an_exception_counts_and_its_message_does_not():
    one = script(Frame(function="post"), value="entry 7 is bad")
    assert fingerprint(one) == fingerprint(script(Frame(function="post"), value="entry 8 is worse"))
    assert fingerprint(one) != fingerprint(script(Frame(function="post"), type_="RangeError"))


def test_without_a_stack_the_message_counts_but_for_what_varies():
    def said(text: str) -> Result:
        return Result(platform="python", failures=[Failure("KeyError", text)])

    assert fingerprint(said("order 17 at 0x7ffe00")) == fingerprint(said("order 9221 at 0x55aa"))
    assert fingerprint(said("order 17")) != fingerprint(said("customer 17"))


def test_a_crash_without_anything_groups_with_its_like():
    assert fingerprint(Result(platform="native")) == fingerprint(Result(platform="native"))
    assert fingerprint(Result(platform="native")) != fingerprint(Result(platform="jvm"))
    assert grouping_of(Result()).title == "Crash without a stack"


VARYING = [
    ("number", "took 1,204.5 s", "took <n> s"),
    ("address", "at 0x7FFE12", "at <hex>"),
    ("digest", "blob 9f86d081884c is gone", "blob <hex> is gone"),
    ("uuid", "user 6F9619FF-8B86-D011-B42D-00CF4FC964FF", "user <uuid>"),
    ("email", "no such user jo.do+x@example.co.uk", "no such user <email>"),
    ("word", "decade faced", "decade faced"),
    ("space", "a\n  b", "a b"),
]


@pytest.mark.parametrize(("text", "bare"), [row[1:] for row in VARYING], ids=[row[0] for row in VARYING])
def test_what_varies_in_a_message(text, bare):
    assert without_varying(text) == bare


def test_a_fingerprint_that_the_client_chose_wins():
    for sent in ({"chosen": CHOSEN}, {"modifiers": {"_mod_fingerprint": CHOSEN}}):
        assert fingerprint(stack("post"), **sent) == fingerprint(stack("other"), **sent) == CHOSEN.lower()
    both = {"chosen": CHOSEN, "modifiers": {"_mod_fingerprint": "cd" * 32, "fingerprint": ["x"]}}
    assert fingerprint(stack("post"), **both) == CHOSEN.lower()


def test_a_chosen_fingerprint_of_another_form_counts_as_a_name():
    named = {"modifiers": {"_mod_fingerprint": "payment"}}
    assert fingerprint(stack("post"), **named) == fingerprint(stack("other"), **named)
    assert fingerprint(stack("post"), **named) == fingerprint(stack("post"), modifiers={"fingerprint": ["payment"]})


def test_a_clients_list_refines_or_replaces_what_would_have_been():
    def sent(*texts: object) -> dict:
        return {"modifiers": {"fingerprint": list(texts)}}

    post, other = stack("post"), stack("other")
    assert fingerprint(post, **sent("payment")) == fingerprint(other, **sent("payment"))
    assert fingerprint(post, **sent("{{ default }}")) == fingerprint(post)
    assert fingerprint(post, **sent("{{default}}", "db-1")) != fingerprint(post, **sent("{{default}}", "db-2"))
    assert fingerprint(post, **sent("{{ default }}", "db-1")) != fingerprint(other, **sent("{{ default }}", "db-1"))
    assert fingerprint(post, **sent("a", "b")) != fingerprint(post, **sent("ab"))


@pytest.mark.parametrize(
    "modifiers",
    [{}, {"fingerprint": []}, {"fingerprint": None}, {"fingerprint": [""]}, {"_mod_fingerprint": ""}],
    ids=["none", "empty", "null", "blank", "blank-text"],
)
def test_an_empty_choice_is_none(modifiers):
    assert fingerprint(stack("post"), modifiers=modifiers) == fingerprint(stack("post"))


@pytest.mark.parametrize(
    "choice", [7, 1.5, True, {"a": [1]}, [None, 3, {"b": "\ud800"}], "\ud800\x00", ["x" * 100_000]],
    ids=["int", "float", "bool", "object", "list", "unstorable", "long"],
)  # fmt: skip
def test_a_choice_of_any_shape_gives_a_fingerprint(choice):
    assert len(fingerprint(stack("post"), modifiers={"fingerprint": choice})) == 64


def test_scripts_are_compared_by_function_and_file_without_the_digests_of_bundlers():
    one = script(Frame(function="Object.post", filename="https://a.example/static/js/main.3f2a9c1b.js?v=2", lineno=1))
    other = script(Frame(function="post", filename="https://b.example/static/js/main.99ab12cd.js", lineno=7))
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint(script(Frame(function="post", filename="app:///static/js/vendor.js")))


FILES = [
    ("webpack", "webpack:///./src/ledger.ts?a1b2", "src/ledger.ts"),
    ("webpack-named", "webpack://app/./src/ledger.ts", "src/ledger.ts"),
    ("url", "https://a.example/js/main.js", "js/main.js"),
    ("hash", "app:///main.3f2a9c1b.js", "main.*.js"),
    ("vite", "https://a.example/assets/index-BxQ1aZ_9.js", "assets/index-*.js"),
    ("words", "src/user-settings.js", "src/user-settings.js"),
    ("chunk-of-words", "src/default.handler.js", "src/default.handler.js"),
]


@pytest.mark.parametrize(("path", "plain"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_scripts_path_is_compared_without_what_deployments_change(path, plain):
    assert plain_file(path) == plain


def test_a_function_without_a_name_is_known_by_its_line():
    one = script(Frame(function="<anonymous>", filename="src/a.ts", lineno=3, context_line="  items.map(x => x.id)"))
    moved = script(Frame(function="?", filename="src/a.ts", lineno=9, context_line="items.map(x => x.id)"))
    assert fingerprint(one) == fingerprint(moved)
    assert values(script(Frame(filename="a.js", lineno=1, colno=2))) == ["TypeError", "a.js:1:2"]


def test_of_the_jvm_class_and_method_count():
    one = script(Frame(function="lambda$post$0", module="app.Ledger$1"), platform="jvm")
    other = script(Frame(function="lambda$post$4", module="app.Ledger$2"), platform="java")
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint(
        script(Frame(function="lambda$post$0", module="app.Journal$1"), platform="jvm")
    )


def test_title_and_culprit_are_for_people():
    native = stack("raise", frame("void ledger::post<int>(int)", filename="/src/ledger.cpp", lineno=12))
    assert grouping_of(native).title == "SIGSEGV"
    assert grouping_of(native).culprit == "void ledger::post<int>(int) (ledger.cpp:12)"
    told = script(Frame(function="post", filename="src/a.ts", lineno=3), value="x is not a function\n  at y")
    assert grouping_of(told).title == "TypeError: x is not a function"
    assert grouping_of(told).culprit == "post (a.ts:3)"


def test_titles_where_no_exception_is_known():
    bare = msgspec.structs.replace(stack("post"), failures=[], reason="SIGBUS / BUS_ADRALN")
    assert grouping_of(bare).title == "SIGBUS / BUS_ADRALN"
    asserted = msgspec.structs.replace(bare, assertion="x > 0")
    assert grouping_of(asserted).title == "x > 0"
    assert grouping_of(msgspec.structs.replace(bare, reason=None)).title == "Crash in post"


def test_texts_that_no_database_can_store_are_made_storable():
    result = script(Frame(function="a\x00b\ud800", filename="x\x00.js"), value="v\x00\udfff")
    found = grouping_of(result)
    assert "\x00" not in found.title + found.culprit
    assert (found.title + found.culprit).encode()


def test_a_stack_that_no_thread_has_is_not_looked_for():
    result = Result(platform="python", failures=[Failure("E", "v", stack=9), Failure("F", "w", stack=-1)])
    assert values(result) == ["E", "F", "v", "w"]
