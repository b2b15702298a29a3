"""Which files are asked for, by the kind of module and the purpose."""

from __future__ import annotations

import pytest

from engine.lookup import Store, find_sources
from engine.lookup.file_types import DEBUG_FILES
from engine.modules import ModuleType, Wanted
from engine.outgoing import Deadline


class Listener:
    """A source that offers nothing and notes down what it is asked for."""

    id, cache_key, shared, asks_first = "listener", "00", False, False

    def __init__(self):
        self.asked = []

    def locate(self, wanted, file_types, deadline=None):
        self.asked.append([str(file_type) for file_type in file_types])
        return []


@pytest.mark.parametrize(
    ("module_type", "expected"),
    [
        ("macho", "mach_code breakpad mach_debug pdb elf_debug"),
        ("pe", "pe breakpad mach_debug pdb elf_debug"),
        ("elf", "elf_code breakpad mach_debug pdb elf_debug"),
        ("wasm", "wasm_code wasm_debug"),
        ("pe_dotnet", "portablepdb pdb"),
    ],
)
def test_files_with_names_are_asked_for_in_this_order(module_type, expected):
    assert [str(file_type) for file_type in DEBUG_FILES[ModuleType(module_type)]] == expected.split()


def test_of_an_unknown_module_everything_but_mappings_is_asked_for():
    asked = {str(file_type) for file_type in DEBUG_FILES[ModuleType.UNKNOWN]}

    assert len(asked) == 14
    assert "il2cpp" not in asked


@pytest.mark.parametrize("module_type", list(ModuleType))
def test_files_with_sources_are_asked_for_whatever_the_module_is(tmp_path, module_type):
    listener = Listener()

    answer = find_sources(
        Wanted(module_type), [listener], scope="p1", store=Store(tmp_path), deadline=Deadline.after(5)
    )

    assert listener.asked == [["sourcebundle", "portablepdb", "elf_debug", "wasm_debug"]]
    assert (answer.object, len(answer.candidates)) == (None, 1)
