"""Every target of `make fuzz` for a few inputs: the same ones each time, so no finding makes it flaky."""

from __future__ import annotations

import itertools
import random

import pytest

from fuzz.mutation import inputs
from fuzz.target import run_one
from fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_inputs_are_read_or_refused(name):
    target = TARGETS[name]
    for data in itertools.islice(inputs(target, random.Random(name)), target.runs):
        run_one(target, data)
