"""Which frames are the application's own."""

from __future__ import annotations

import pytest

from crashes.reports.in_app import InApp

LINUX = ["/opt/shop/bin/shop", "/opt/shop/lib/libcart.so", "/usr/lib/x86_64-linux-gnu/libc.so.6", "linux-gate.so"]


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("/opt/shop/bin/shop", True),
        ("/opt/shop/lib/libcart.so", True),
        ("/opt/shop/lib/libstdc++.so.6", False),
        ("/usr/lib/x86_64-linux-gnu/libc.so.6", False),
        ("/usr/lib/x86_64-linux-gnu/libX11.so.6.4.0", False),
        ("/lib64/ld-linux-x86-64.so.2", False),
        ("/usr/local/lib/libfoo.so", False),
        ("linux-gate.so", False),
        ("[vdso]", False),
        ("libcart.so", True),
        ("/usr/bin/python3.11", True),
        ("/snap/core22/1380/usr/lib/libz.so", False),
        ("/system/lib64/libart.so", False),
        ("/apex/com.android.runtime/lib64/bionic/libc.so", False),
        ("/data/app/~~x==/com.shop-y==/lib/arm64/libcart.so", True),
        ("/system/bin/app_process64", False),
        ("C:\\Windows\\System32\\ntdll.dll", False),
        ("c:\\windows\\SysWOW64\\kernel32.dll", False),
        ("D:\\Games\\Shop\\Shop.exe", True),
        ("D:\\Games\\Shop\\engine.dll", True),
        ("D:\\Games\\Shop\\vcruntime140.dll", False),
        ("C:\\Windows\\System32\\rundll32.exe", False),
        ("ntdll.dll", False),
        ("shop.pdb", True),
        ("/usr/lib/system/libsystem_kernel.dylib", False),
        ("/System/Library/Frameworks/UIKit.framework/UIKit", False),
        ("/private/preboot/Cryptexes/OS/usr/lib/libc++.1.dylib", False),
        ("/private/var/containers/Bundle/Application/X/Shop.app/Shop", True),
        ("/private/var/containers/Bundle/Application/X/Shop.app/Frameworks/Cart.framework/Cart", True),
        ("/private/var/containers/Bundle/Application/X/Shop.app/Frameworks/libswiftCore.dylib", False),
        ("/Applications/Shop.app/Contents/MacOS/Shop", True),
        ("", None),
        (None, None),
    ],
)
def test_native_modules_by_where_they_lie(module, expected):
    assert InApp.of(modules=LINUX).native(module) is expected


def test_what_lies_beside_a_program_is_the_applications_even_among_libraries():
    modules = ["/usr/lib/chromium/chromium", "/usr/lib/chromium/libEGL.so", "/usr/lib/libz.so"]
    assert [InApp.of(modules=modules).native(module) for module in modules] == [True, True, False]
    assert InApp.of(modules=["/usr/bin/shop", "/usr/bin/x.so"]).native("/usr/bin/x.so") is False


def test_a_projects_patterns_come_first():
    deciding = InApp.of(["/usr/lib/acme/*", "LIBOURS.*"], ["*/third_party/*", "libcart.so", "lib[x]"], LINUX)
    assert deciding.native("/usr/lib/acme/libx.so") is True
    assert deciding.native("/usr/lib/libours.so.1") is True
    assert deciding.native("/opt/shop/third_party/libz.so") is False
    assert deciding.native("/opt/shop/lib/libcart.so") is False
    assert deciding.native("/opt/shop/lib/libx") is True
    assert deciding.native("D:\\third_party\\a.dll") is False


def test_patterns_of_windows_paths():
    deciding = InApp.of([], ["C:\\Shop\\plugins\\*"])
    assert deciding.native("c:\\shop\\Plugins\\a.dll") is False
    assert deciding.native("C:\\Shop\\a.dll") is True


def test_own_patterns_win_over_others():
    assert InApp.of(["liba.so"], ["*"]).native("/x/liba.so") is True
    assert InApp.of(["liba.so"], ["*"]).native("/x/libb.so") is False


@pytest.mark.parametrize(
    ("language", "file", "package", "expected"),
    [
        ("python", "/srv/shop/cart.py", None, True),
        ("python", "/srv/venv/lib/python3.11/site-packages/django/x.py", None, False),
        ("python", "/usr/lib/python3.11/threading.py", None, False),
        ("python", "<frozen importlib._bootstrap>", None, False),
        ("javascript", "https://shop.example.com/app.js", None, True),
        ("javascript", "webpack:///./src/cart.ts", None, True),
        ("javascript", "webpack:///./node_modules/react/index.js", None, False),
        ("javascript", "node:internal/modules/run_main", None, False),
        ("javascript", "chrome-extension://abc/x.js", None, False),
        ("jvm", "Cart.java", "com.shop.Cart", True),
        ("jvm", None, "java.util.ArrayList", False),
        ("jvm", None, "androidx.fragment.app.Fragment", False),
        ("jvm", None, "kotlin.collections.X", False),
        ("csharp", None, "System.Linq", False),
        ("csharp", None, "Shop.Cart", True),
        ("go", "/usr/local/go/src/runtime/panic.go", None, False),
        ("go", "/srv/shop/main.go", None, True),
        ("ruby", "/usr/lib/ruby/gems/3.1/rack.rb", None, False),
        ("python", None, None, None),
    ],
)
def test_frames_of_other_languages(language, file, package, expected):
    assert InApp.of().written(language, file, package) is expected


def test_patterns_hold_for_other_languages_too():
    deciding = InApp.of(["*/site-packages/acme/*"], ["com.shop.vendored.*"])
    assert deciding.written("python", "/venv/lib/python3.11/site-packages/acme/x.py") is True
    assert deciding.written("jvm", "X.java", "com.shop.vendored.X") is False
