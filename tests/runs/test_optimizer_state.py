"""A state that the optimiser itself wrote is taken; one with anything wrong in it is told."""

import numpy as np
import pytest
import torch

from rpc.data import DataError
from rpc.runs.optimizer_state import require_optimizer_state
from tests.runs.mutations import changed, random_place


def stepped(kind):
    network = torch.nn.Linear(3, 2)
    made = kind(network.parameters(), lr=0.1)
    network(torch.ones(4, 3)).sum().backward()
    made.step()
    return made, network


KINDS = [
    torch.optim.AdamW,
    torch.optim.Adam,
    lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
    lambda p, lr: torch.optim.SGD(p, lr=lr),
]


@pytest.mark.parametrize("kind", KINDS)
def test_any_change_is_told_or_lets_the_next_step_be_taken(kind):
    made, network = stepped(kind)
    state = made.state_dict()
    require_optimizer_state(kind(network.parameters(), lr=0.2), state, "last.pth")
    refused = 0
    for number in range(60):
        rng = np.random.default_rng([43, number])
        wrong = changed(state, random_place(state, rng), rng)
        fresh = kind(network.parameters(), lr=0.2)
        try:
            require_optimizer_state(fresh, wrong, "last.pth")
        except DataError:
            refused += 1
            continue
        fresh.load_state_dict(wrong)
        fresh.step()
    assert refused > 20
