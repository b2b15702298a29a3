"""The allow-list for reserved addresses."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from engine.outgoing import BadTrust, Trust


def test_a_network_is_allowed_and_its_neighbour_is_not():
    trust = Trust.parse(["10.1.0.0/16"])

    assert trust.allows("any.example", ip_address("10.1.2.3"))
    assert not trust.allows("any.example", ip_address("10.2.0.1"))


def test_an_allowed_ipv4_network_covers_the_forms_that_embed_it():
    trust = Trust.parse(["10.1.0.0/16"])

    assert trust.allows("x", ip_address("::ffff:10.1.0.1"))
    assert not trust.allows("x", ip_address("::ffff:10.2.0.1"))


def test_a_single_address_and_ipv6_networks_are_words_too():
    trust = Trust.parse(["192.168.1.5", "fd00::/8"])

    assert trust.allows("x", ip_address("192.168.1.5"))
    assert not trust.allows("x", ip_address("192.168.1.6"))
    assert trust.allows("x", ip_address("fd00::1"))


def test_a_host_name_is_allowed_in_any_case_and_with_a_dot_at_its_end():
    trust = Trust.parse(["Symbols.Corp"])

    assert trust.allows("symbols.corp.", ip_address("10.0.0.1"))
    assert not trust.allows("evil.symbols.corp", ip_address("10.0.0.1"))
    assert not trust.allows("corp", ip_address("10.0.0.1"))


def test_a_word_for_one_organization_counts_for_it_alone():
    words = ["acme=10.1.0.0/16", "acme=build.corp"]

    assert Trust.parse(words, "acme").allows("x", ip_address("10.1.0.1"))
    assert Trust.parse(words, "acme").allows("build.corp", ip_address("10.9.0.1"))
    assert Trust.parse(words, "umbrella") == Trust.NONE
    assert Trust.parse(words) == Trust.NONE


@pytest.mark.parametrize(
    "word", ["10.0.0.0/33", "10.0.0", "", "http://symbols.corp", "acme=", "a b", "10.0.0.0-10.0.0.9"]
)
def test_a_word_that_is_neither_network_nor_name_is_reported(word):
    with pytest.raises(BadTrust):
        Trust.parse([word], "umbrella")


def test_the_operators_trust_allows_everything():
    assert Trust.ALL.allows("x", ip_address("127.0.0.1"))
