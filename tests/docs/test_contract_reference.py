"""The page about the contracts says what the contracts ask for."""

from jobcore.testing import runner_contract, storage_contract
from support.contract_reference import PAGE, render


def test_the_page_lists_every_behaviour_by_its_theme():
    assert PAGE.read_text(encoding="utf-8") == render(), "run: python tests/support/contract_reference.py"


def test_there_are_at_least_as_many_behaviours_as_were_promised():
    assert len(runner_contract.BEHAVIOURS) + len(storage_contract.BEHAVIOURS) >= 120
