"""Names of functions as they are compared: the same source gives the same name, whatever built it."""

from __future__ import annotations

import pytest

from crashes.grouping.machinery import is_machinery, is_machinery_module
from crashes.grouping.names import family, plain_name

NATIVE_NAMES = [
    ("plain", "main", "main"),
    ("parameters", "ledger::post(ledger::Entry const&, int)", "ledger::post"),
    ("const-method", "Foo::bar(int) const", "Foo::bar"),
    ("ref-qualified", "Foo::bar() const &&", "Foo::bar"),
    ("template", "std::vector<int, std::allocator<int> >::push_back(int&&)", "std::vector::push_back"),
    ("template-with-return-type", "void ledger::each<int, (char)60>(int)", "ledger::each"),
    ("deduced-return-type", "decltype(auto) ledger::visit<int>(int)", "ledger::visit"),
    ("function-type-argument", "std::function<void (int)>::operator()(int) const", "std::function::operator()"),
    ("shift", "std::ostream& operator<< <char>(std::ostream&, char)", "operator<<"),
    ("less", "bool ledger::operator<(ledger::A const&, ledger::A const&)", "ledger::operator<"),
    ("arrow", "Ptr<T>::operator->() const", "Ptr::operator->"),
    ("index", "Map<K, V>::operator[](K const&)", "Map::operator[]"),
    ("conversion", "Money::operator long() const", "Money::operator long"),
    ("new", "operator new(unsigned long)", "operator new"),
    ("delete-array", "operator delete[](void*, unsigned long)", "operator delete[]"),
    ("named-like-operator", "machine::operator_panel(int)", "machine::operator_panel"),
    ("cold", "ledger::post(int) [clone .cold]", "ledger::post"),
    ("cold-symbol", "leaf_post.cold", "leaf_post"),
    ("part", "leaf_post.part.0", "leaf_post"),
    ("constprop", "leaf_post.constprop.3.isra.0", "leaf_post"),
    ("llvm-cold", "ledger::post(int) (.cold)", "ledger::post"),
    ("thin-lto", "ledger::post(int) (.llvm.8231459)", "ledger::post"),
    ("abi-tag", "ledger::name[abi:cxx11]()", "ledger::name"),
    ("inline-namespace", "std::__cxx11::basic_string<char>::append(char const*)", "std::basic_string::append"),
    ("libcxx", "std::__1::vector<int>::at(unsigned long)", "std::vector::at"),
    ("anonymous-gcc", "(anonymous namespace)::leaf(int)", "leaf"),
    ("anonymous-inside", "ledger::(anonymous namespace)::leaf(int)", "ledger::leaf"),
    ("anonymous-msvc", "ledger::`anonymous namespace'::leaf", "ledger::leaf"),
    ("anonymous-mangled", "ledger::_GLOBAL__N_1::leaf", "ledger::leaf"),
    ("lambda-gcc", "main::{lambda(int, char)#2}::operator()(int, char) const", "main::{lambda}::operator()"),
    ("lambda-in-function", "run(int)::{lambda()#1}::operator()() const", "run::{lambda}::operator()"),
    ("lambda-clang", "main::$_3::operator()(int) const", "main::{lambda}::operator()"),
    ("lambda-clang-named", "run(int)::'lambda0'(int)::operator()(int) const", "run::{lambda}::operator()"),
    ("lambda-msvc", "main::<lambda_1f3a9c0b22>::operator()", "main::{lambda}::operator()"),
    ("msvc-return-type", "public: virtual void __cdecl Foo::bar(int)", "Foo::bar"),
    ("thunk", "non-virtual thunk to Foo::bar(int)", "Foo::bar"),
    ("plt", "memcpy@plt", "memcpy"),
    ("symbol-version", "memcpy@@GLIBC_2.14", "memcpy"),
    ("stdcall", "_callback@12", "_callback"),
    ("glibc-internal", "__GI_raise", "raise"),
    ("rust-legacy-hash", "app::ledger::post::h0123456789abcdef", "app::ledger::post"),
    ("rust-hash-and-lto", "app::post::h0123456789abcdef.llvm.42", "app::post"),
    ("rust-turbofish", "app::each::<u32>", "app::each"),
    ("rust-type-arguments", "alloc::vec::Vec<T,A>::push", "alloc::vec::Vec::push"),
    ("rust-trait", "<app::Money as core::fmt::Display>::fmt", "<app::Money as core::fmt::Display>::fmt"),
    ("rust-trait-arguments", "<app::Box<u8> as app::Op<i32>>::run", "<app::Box as app::Op>::run"),
    (
        "rust-impl",
        "core::fmt::impls::<impl core::fmt::Debug for i32>::fmt",
        "core::fmt::impls::<impl core::fmt::Debug for i32>::fmt",
    ),
    ("rust-closure", "app::run::{closure#3}", "app::run::{closure}"),
    ("rust-closure-legacy", "app::run::{{closure}}::h0123456789abcdef", "app::run::{closure}"),
    ("go-method", "main.(*Ledger).Post", "main.(*Ledger).Post"),
    ("go-closure", "main.run.func2.1", "main.run.func"),
    ("go-generic", "main.Map[...]", "main.Map"),
    ("objc", "-[Ledger post:with:]", "-[Ledger post:with:]"),
    ("objc-block", "__37-[Ledger post:with:]_block_invoke_2", "-[Ledger post:with:]_block_invoke"),
    ("swift", "Ledger.post(_: Swift.Int) -> Swift.String", "Ledger.post"),
    ("swift-closure", "closure #2 (Swift.Int) -> () in Ledger.run()", "closure in Ledger.run"),
    ("swift-specialized", "specialized Ledger.post(x:)", "Ledger.post"),
    ("unclosed", "broken<int", "broken"),
    ("only-brackets", "(int)", "(int)"),
    ("arrow-in-arguments", "app::call::<fn(i32) -> i32>", "app::call"),
]


@pytest.mark.parametrize(("name", "plain"), [row[1:] for row in NATIVE_NAMES], ids=[row[0] for row in NATIVE_NAMES])
def test_a_native_function_is_compared_by_its_bare_name(name, plain):
    assert plain_name(name, "native") == plain


SCRIPTS = [
    ("anonymous", "<anonymous>", ""),
    ("anonymous-object", "Object.<anonymous>", ""),
    ("question", "?", ""),
    ("v8-receiver", "Object.post", "post"),
    ("alias", "Ledger.post [as onClick]", "Ledger.post"),
    ("async", "async Ledger.post", "Ledger.post"),
    ("constructor", "new Ledger", "Ledger"),
    ("firefox", "post/<", "post"),
    ("bundler-suffix", "post$1", "post"),
]


@pytest.mark.parametrize(("name", "plain"), [row[1:] for row in SCRIPTS], ids=[row[0] for row in SCRIPTS])
def test_engines_of_javascript_call_a_function_alike(name, plain):
    assert plain_name(name, "javascript") == plain


JVM_NAMES = [
    ("lambda", "app.Ledger$$Lambda$14/0x0000000800c03000.run", "app.Ledger$$Lambda.run"),
    ("lambda-method", "lambda$post$3", "lambda$post"),
    ("anonymous-class", "app.Ledger$1.run", "app.Ledger$.run"),
    ("inner-class", "app.Ledger$Entry.run", "app.Ledger$Entry.run"),
    ("cglib", "app.Ledger$$EnhancerBySpringCGLIB$$ab12cd.post", "app.Ledger$$EnhancerBySpringCGLIB$$.post"),
    ("access", "access$100", "access"),
]


@pytest.mark.parametrize(("name", "plain"), [row[1:] for row in JVM_NAMES], ids=[row[0] for row in JVM_NAMES])
def test_numbers_that_the_jvm_gives_do_not_count(name, plain):
    assert plain_name(name, "jvm") == plain


@pytest.mark.parametrize(
    "name",
    ["abort", "raise", "gsignal", "__pthread_kill_implementation", "__assert_fail", "__assert_fail_base",
     "std::terminate", "__cxa_throw", "_Unwind_Resume", "malloc", "_int_free", "malloc_printerr", "__libc_message",
     "operator new", "RaiseException", "_CxxThrowException", "objc_exception_throw", "rust_panic",
     "core::panicking::panic_fmt", "core::option::Option::unwrap", "runtime.gopanic", "runtime.sigpanic",
     "<signal handler called>", "__libc_start_main", "start_thread", "BaseThreadInitThunk",
     "std::sys::pal::unix::abort_internal", "__stack_chk_fail", "__asan_report_load8"],
)  # fmt: skip
def test_what_stops_any_program_tells_no_fault_from_another(name):
    assert is_machinery(plain_name(name, "native"), "native")


@pytest.mark.parametrize(
    "name", ["Ledger::abort", "post", "free_ledger", "app::panic", "abort_transfer", "raise_limit"]
)
def test_the_applications_own_functions_count_whatever_they_are_called(name):
    assert not is_machinery(name, "native")


def test_names_of_one_platform_mean_nothing_on_another():
    assert not is_machinery("raise", "other")
    assert not is_machinery("abort", "javascript")
    assert is_machinery("java.lang.Throwable.fillInStackTrace", "jvm")
    assert is_machinery("processTicksAndRejections", "javascript")


def test_nameless_frames_of_windows_throwing_module_do_not_count():
    assert is_machinery_module("KERNELBASE.dll")
    assert is_machinery_module("VCRUNTIME140_1.dll")
    assert not is_machinery_module("app.exe")


@pytest.mark.parametrize(
    ("platform", "kind"),
    [("", "native"), ("Rust", "native"), ("node", "javascript"), ("kotlin", "jvm"), ("python", "other")],
    ids=["unknown", "rust", "node", "kotlin", "python"],
)
def test_each_platform_has_its_rules(platform, kind):
    assert family(platform) == kind


@pytest.mark.parametrize("hostile", ["<" * 5000, "(" * 5000, "operator" * 600, "{" * 5000 + "}" * 5000, "a<b>(" * 1000],
                         ids=["angles", "parens", "operators", "braces", "mixed"])  # fmt: skip
@pytest.mark.parametrize("kind", ["native", "javascript", "jvm", "other"])
def test_no_name_costs_more_than_its_length_allows(hostile, kind):
    assert len(plain_name(hostile, kind)) <= 4_096
