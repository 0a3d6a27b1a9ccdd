"""What a step came to, as an engine remembers it: also an error of an adapter's own kind."""

import pytest

from tminus.control.ports import Json
from tminus.control.remembered import given, kept
from tminus.errors import RolloutError
from tminus.kubernetes import ChangedError, HeldError


@pytest.mark.parametrize(
    "error",
    [
        RolloutError("it is refused", hint="see why"),
        HeldError("httproutes/shop", {"helm": [".spec.rules"]}),
        ChangedError("it was changed", hint="see who"),
    ],
)
async def test_an_error_is_raised_again_as_the_kind_that_every_process_knows(error: RolloutError) -> None:
    async def act() -> Json:
        raise error

    remembered = await kept(act)
    with pytest.raises(RolloutError) as caught:
        given(remembered)
    assert type(caught.value) is RolloutError
    assert (str(caught.value), caught.value.hint) == (str(error), error.hint)


async def test_a_result_is_given_again() -> None:
    async def act() -> Json:
        return {"weight": 10}

    assert given(await kept(act)) == {"weight": 10}
