"""Readable names: parameters yes, return types, conventions and access no; one table for each language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.native.demangle import MAX_LENGTH, Demangler, demangle

DIGEST = "0123456789abcdef0123456789abcdef"
ITANIUM = {
    "_ZN3foo3getEv": "foo::get()",
    "_ZN3FooC1ERKS_": "Foo::Foo(Foo const&)",
    "_ZNK3foo3barEv": "foo::bar() const",
    "_ZNO1A1fEv": "A::f() &&",
    "_ZN3foo3barIiEEvi": "foo::bar<int>(int)",
    "_Z1fIiEDcT_": "f<int>(int)",
    "_Z1fIiEDTcl3getfp_EET_": "f<int>(int)",
    "_ZSt4moveIRiEONSt16remove_referenceIT_E4typeEOS2_": "std::move<int&>(int&)",
    "_Z3fooIiEPFivET_": "foo<int>(int)",
    "_ZNK1A3getIiEEPFivEv": "A::get<int>()",
    "_Z1fIiERA3_iT_": "f<int>(int)",
    "_Z3fooPFvvE": "foo(void (*)())",
    "_Z1fPA3_i": "f(int (*) [3])",
    "_ZNK3foo3barcviEv": "foo::bar::operator int() const",
    "_ZN1AcvmEv": "A::operator unsigned long()",
    "_ZN1AcvT_IiEEv": "A::operator int<int>()",
    "_ZN1AcvPFvvEEv": "A::operator void (*)()()",
    "_ZN3fooclEv": "foo::operator()()",
    "_ZN3FooptEv": "Foo::operator->()",
    "_ZN1AptIcEEbT_": "A::operator-><char>(char)",
    "_ZN3fooIiEeqERKS0_": "foo<int>::operator==(foo<int> const&)",
    "_ZlsIcESoRSoT_": "operator<<<char>(std::ostream&, char)",
    "_ZN1AltIcEEbT_": "A::operator<<char>(char)",
    "_ZN1ArsIcEEbT_": "A::operator>><char>(char)",
    "_ZN1AssIiEEDaT_": "A::operator<=><int>(int)",
    "_ZN1AnwIiEEPvm": "A::operator new<int>(unsigned long)",
    "_ZN1AdaEPv": "A::operator delete[](void*)",
    "_Zli2_xIiEvy": 'operator"" _x<int>(unsigned long long)',
    "_ZZ4mainENKUlvE_clEv": "main::'lambda'()::operator()() const",
    "_ZZ4mainENKUlT_E_clIiEEDaS_": "main::'lambda'(auto)::operator()<int>(auto) const",
    "_ZZNK1A3getIiEEvvENKUlvE_clEv": "A::get<int>() const::'lambda'()::operator()() const",
    "_ZN12_GLOBAL__N_11fEv": "(anonymous namespace)::f()",
    "_ZN12_GLOBAL__N_11fIiEEvv": "(anonymous namespace)::f<int>()",
    "_ZN1A3fooB5cxx11Ev": "A::foo[abi:cxx11]()",
    "_ZZN1A3getEvE1x": "A::get()::x",
    "_ZTV3Foo": "vtable for Foo",
    "_ZTIN3FooE": "typeinfo for Foo",
    "_ZThn8_N3Foo3barEv": "non-virtual thunk to Foo::bar()",
    "_ZGVZ3fooIiEvT_E1x": "guard variable for foo<int>(int)::x",
    "_Z3foov.isra.0": "foo() [clone .isra.0]",
    "_Z3fooIiEvT_.cold": "foo<int>(int) [clone .cold]",
    "__ZN3foo3barEv": "foo::bar()",
    "___ZN3foo3barEv": "foo::bar()",
    "____ZN3foo3barEv": "foo::bar()",
    "___ZN3foo3barEv_block_invoke": "invocation function for block in foo::bar()",
    f"_ZN3foo3barEv${DIGEST}": "foo::bar()",
}
MSVC = {
    "?foo@@YAHH@Z": "foo(int)",
    "@?foo@@YAHH@Z": "foo(int)",
    "?bar@Foo@@UEAAXXZ": "Foo::bar(void)",
    "?sbar@Foo@@SAHXZ": "Foo::sbar(void)",
    "??0Foo@@QEAA@XZ": "Foo::Foo(void)",
    "??1Foo@@UEAA@XZ": "Foo::~Foo(void)",
    "??BFoo@@QEAAHXZ": "Foo::operator int(void)",
    "??RFoo@@QEBAHH@Z": "Foo::operator()(int) const",
    "??$f@H@@YAHH@Z": "f<int>(int)",
    "??$?6H@@YAHH@Z": "operator<<<int>(int)",
    "??$?MH@Foo@@QEAA_NH@Z": "Foo::operator<<int>(int)",
    "?fp@@YAP6AHH@ZXZ": "fp(void)",
    "?cb@@YAXP6AHH@Z@Z": "cb(int (*)(int))",
    "?f@?A0x12345678@@YAXXZ": "`anonymous namespace'::f(void)",
    "??__Ex@@YAXXZ": "`dynamic initializer for 'x''(void)",
    "??_GFoo@@UEAAPEAXI@Z": "Foo::`scalar deleting dtor'(unsigned int)",
    f"??@{DIGEST}@": None,
}
RUST = {
    "_ZN4core3ptr13drop_in_place17h0123456789abcdefE": "core::ptr::drop_in_place",
    "__ZN4core3ptr13drop_in_place17h0123456789abcdefE": "core::ptr::drop_in_place",
    "_ZN4core3ptr13drop_in_place17h0123456789abcdefE.llvm.123": "core::ptr::drop_in_place",
    "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE": (
        "<Test + 'static as foo::Bar<Test>>::bar"
    ),
    "_RNvCs1234_7mycrate3foo": "mycrate::foo",
    "__RNvCs1234_7mycrate3foo": "mycrate::foo",
    "_RNvCs1234_7mycrate3foo.llvm.123": "mycrate::foo",
    "_RINvNtC3std3mem8align_ofjEC3foo": "std::mem::align_of::<usize>",
}
SWIFT = {
    "$s3foo3barSiyF": "foo.bar()",
    "_$s3foo3barSiyF": "foo.bar()",
    "$sSS7cStringSSSPys4Int8VG_tcfC": "Swift.String.init(cString: Swift.UnsafePointer<Swift.Int8>)",
    "$s4main3fooSiyYaKF": "main.foo() async throws",
    "$s4main3fooyyFyycfU_": "closure #1 () in main.foo()",
    "$s4main3FooVAA1PA2aDP3baryyFTW": "protocol witness for main.P.bar() in conformance main.Foo : main.P in main",
    "$s8mangling12GenericUnionO3FooyACyxGSicAEmlF": "mangling.GenericUnion.Foo<A>(mangling.GenericUnion<A>.Type)",
    "_T03foo3barSiyF": "foo.bar()",
    "_TtC3foo3bar": "foo.bar",
}
TABLE = [
    (language, *row)
    for language, rows in (("cpp", ITANIUM | MSVC), ("rust", RUST), ("swift", SWIFT))
    for row in rows.items()
]
PLAIN = [
    "main",
    "foo",
    "-[Foo bar:]",
    "+[Foo(Bar) baz]",
    "_start",
    "Z",
    "_Z",
    "",
    "?",
    "operator new",
    "_ZTest",
    "_D4test3fooAa",
]


@pytest.mark.parametrize(("language", "name", "expected"), TABLE)
def test_names_are_readable_in_their_language(language, name, expected):
    assert demangle(name, language) == expected


@pytest.mark.parametrize(("language", "name", "expected"), TABLE)
def test_names_tell_their_scheme(language, name, expected):
    assert demangle(name) == expected


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("language", [None, "unknown", "cpp", "objc", "objcpp", "rust", "swift", "c", "d"])
def test_plain_names_stay(name, language):
    assert demangle(name, language) is None
    assert Demangler().readable(name, language) == name


def test_the_given_language_wins():
    rust = "_ZN4core3ptr13drop_in_place17h0123456789abcdefE"
    assert demangle(rust, "cpp") == "core::ptr::drop_in_place::h0123456789abcdef"
    assert demangle("_ZN3foo3getEv", "rust") is None
    assert demangle("_ZN3foo3getEv", "swift") is None
    assert demangle("_ZN3foo3getEv", "c") is None
    assert demangle("_ZN3foo3getEv", "objcpp") == "foo::get()"


def test_what_would_be_too_long_stays():
    long = "_Z1f" + f"{2000}{'a' * 2000}" * 3
    assert len(long) > MAX_LENGTH
    assert demangle(long, "cpp") is None


mangled = st.one_of(
    st.text(),
    st.sampled_from([name for _, name, _ in TABLE]).flatmap(
        lambda name: st.tuples(st.integers(0, len(name)), st.text(max_size=4)).map(
            lambda t: name[: t[0]] + t[1] + name[t[0] :]
        )
    ),
    st.text(alphabet="_ZN123abcIEvSLT0Kprx?@$QYAHs", max_size=60).map(lambda text: "_Z" + text),
    st.text(alphabet="?@$QYAHXZ0123abVU_", max_size=60).map(lambda text: "?" + text),
)


@given(mangled, st.sampled_from([None, "cpp", "rust", "swift", "objcpp"]))
def test_no_name_raises(name, language):
    found = demangle(name, language)
    assert found is None or 0 < len(found) <= MAX_LENGTH


@given(st.text(alphabet=st.characters(blacklist_characters="_?@$", blacklist_categories=["Cs"])))
def test_a_readable_name_is_its_own_readable_name(name):
    demangler = Demangler()
    assert demangler.readable(demangler.readable(name)) == name


@pytest.mark.parametrize("expected", [expected for _, _, expected in TABLE if expected])
def test_readable_names_are_not_read_again(expected):
    assert demangle(expected) is None
