import pytest
from untrained import Frontend, Proxy
from untrained.proxies import DegenerateError
from untrained.proxies.counts import NFeatures
from untrained.registry import PROXIES


def test_a_proxy_without_compute_says_what_to_define():
    with pytest.raises(TypeError, match=r"Empty has no compute\(subject\); define it"):
        type("Empty", (Proxy,), {})().compute(None)


def test_the_error_of_a_proxy_has_a_value_and_a_reason():
    error = DegenerateError("two clips have equal codes", -1.0)
    assert (str(error), error.value) == ("two clips have equal codes", -1.0)


def test_registry_is_guarded_like_the_others():
    assert {"naswot", "zico", "synflow", "flop"} <= set(PROXIES.names())
    with pytest.raises(Exception, match="unknown proxy 'nasswot'; did you mean 'naswot'"):
        PROXIES.get("nasswot")
    with pytest.raises(Exception, match=r"is class Frontend, expected a subclass of .*Proxy.*lacks compute, needs"):
        PROXIES.register("mine")(Frontend)
    mine = PROXIES.register("mine")(type("Mine", (NFeatures,), {}))
    assert PROXIES.get("mine") is mine
    assert PROXIES.room == "proxies"
