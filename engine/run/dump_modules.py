"""The modules of a minidump: as lookups know them, and as the answer lists them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from engine.minidump import DumpModule
from engine.native.images import ImageIdentities, ImageIdentity
from engine.native.wire import Module
from engine.run.rewriting import RewriteRule, rewrite
from engine.run.unwound import Unwound


@dataclass(frozen=True, slots=True)
class DumpImages:
    """All modules of a dump, by address."""

    modules: Sequence[Module]
    identities: Sequence[ImageIdentity]

    @classmethod
    def of(cls, modules: Sequence[DumpModule], rules: Sequence[RewriteRule], identities: ImageIdentities) -> DumpImages:
        """`rules` rewrite what the lowest module's debug file is looked for as."""
        listed = [_module(module) for module in modules]
        known = [identities.get(module) for module in listed]
        if rules and listed and listed[0].debug_file is not None:
            sought = rewrite(listed[0].debug_file, rules)
            known[0] = known[0] if sought == listed[0].debug_file else ImageIdentity(listed[0], sought=sought)
        return cls(listed, known)

    def shown(
        self, touched: Collection[int], unwound: Mapping[int, Unwound], identities: ImageIdentities
    ) -> ShownImages:
        """The modules for the answer: those with an id, and those that the walks touched."""
        numbers = [
            number
            for number, module in enumerate(self.modules)
            if module.debug_id or module.code_id or number in touched
        ]
        places = {number: place for place, number in enumerate(numbers)}
        completed = {number: self._completed(number, unwound, identities) for number in numbers}
        return ShownImages(
            [module for module, _ in completed.values()],
            [identity for _, identity in completed.values()],
            {places[number]: found for number, found in unwound.items()},
            places,
        )

    def _completed(
        self, number: int, unwound: Mapping[int, Unwound], identities: ImageIdentities
    ) -> tuple[Module, ImageIdentity]:
        """A module with the debug file and debug id that its unwind rules tell, where the dump does not."""
        module, identity = self.modules[number], self.identities[number]
        record = unwound[number].answer.module_record if number in unwound else None
        if record is None or (module.debug_id and module.debug_file):
            return module, identity
        module.debug_id = module.debug_id or str(record.debug_id)
        module.debug_file = module.debug_file or record.debug_file
        return module, identities.get(module)


@dataclass(frozen=True, slots=True)
class ShownImages:
    """The modules of the answer; `places` are their indexes there by those in the dump."""

    modules: list[Module]
    identities: list[ImageIdentity]
    unwound: dict[int, Unwound]
    places: dict[int, int]


def _module(module: DumpModule) -> Module:
    return Module(
        type=module.type.value,
        code_id=module.code_id,
        code_file=module.code_file or None,
        debug_id=str(module.debug_id) if module.debug_id else None,
        debug_file=module.debug_file,
        image_addr=module.base,
        image_size=module.size or None,
    )
