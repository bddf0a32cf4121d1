"""CycleGAN's and CUT's terms, against plain loops and known cases."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from synth.render.training.contrastive import draw_places, patch_nce
from synth.render.training.make_objective import make_objective
from synth.render.training.networks import draw_weights
from synth.render.training.settings import ContrastiveSettings, CycleSettings, GeneratorSettings

GENERATOR = GeneratorSettings(width=4, blocks=2)
CUT = ContrastiveSettings(patches=16, width=8)
FASTCUT = ContrastiveSettings(patches=16, width=8, nce=10.0, identity=False, flip=True)


def made(settings, generator=GENERATOR):
    objective = make_objective(settings, generator)
    draw_weights(objective, torch.Generator().manual_seed(0), spread=0.1)
    return objective


def pair(seed=0):
    chance = torch.Generator().manual_seed(seed)
    return [torch.rand(2, 3, 32, 32, generator=chance) * 2 - 1 for _ in range(2)]


def generator_loss(domain, rgb):
    return {"target": 2.0, "source": 3.0}[domain] * rgb.square().mean()


def terms_of(settings, seed=0, source=None):
    one, two = pair()
    source = one if source is None else source
    return made(settings)(source, two, generator_loss, np.random.default_rng(seed))


def unit(*shape):
    chance = torch.Generator().manual_seed(1)
    return F.normalize(torch.randn(*shape, generator=chance), dim=-1)


def test_patch_nce_against_a_loop_over_patches():
    queries, keys = unit(2, 5, 4), unit(3, 5, 4)[1:]
    losses = []
    for query, key in zip(queries, keys, strict=True):
        for place in range(5):
            scores = [math.exp(float(query[place] @ key[other]) / 0.07) for other in range(5)]
            losses.append(-math.log(scores[place] / sum(scores)))
    assert patch_nce(queries, keys, 0.07).item() == pytest.approx(np.mean(losses), rel=1e-5)


def test_patches_that_cannot_be_told_apart_cost_the_logarithm_of_their_number():
    same = unit(1, 1, 4).expand(2, 7, 4)
    assert patch_nce(same, same, 0.07).item() == pytest.approx(math.log(7))


def test_negatives_come_from_the_same_picture_only():
    keys, queries = unit(2, 5, 4), unit(2, 5, 4)
    alone = patch_nce(queries[:1], keys[:1], 0.07)
    beside = [patch_nce(queries, torch.stack((keys[0], other)), 0.07) for other in (keys[1],) * 2]
    assert beside[0].item() == pytest.approx(
        (alone + patch_nce(queries[1:], keys[1:], 0.07)).item() / 2
    )


def test_keys_get_no_gradient():
    queries, keys = unit(1, 5, 4).requires_grad_(), unit(2, 5, 4)[1:].requires_grad_()
    patch_nce(queries, keys, 0.07).backward()
    assert queries.grad.abs().sum() > 0
    assert keys.grad is None


def test_places_are_drawn_once_each_and_all_of_a_small_map():
    maps = torch.zeros(1, 2, 6, 7)
    assert sorted(draw_places(maps, 50, np.random.default_rng(0)).tolist()) == list(range(42))
    few = draw_places(maps, 10, np.random.default_rng(0)).tolist()
    assert len(set(few)) == 10


def test_cyclegan_is_the_papers_sum():
    source, target = pair()
    model = made(CycleSettings())
    terms, translations = model(source, target, generator_loss, np.random.default_rng(0))
    there, back = model.translator, model.back
    expected = {
        "generator": 2 * there(source).square().mean() + 3 * back(target).square().mean(),
        "cycle": 10
        * (
            (back(there(source)) - source).abs().mean()
            + (there(back(target)) - target).abs().mean()
        ),
        "identity": 5
        * ((there(target) - target).abs().mean() + (back(source) - source).abs().mean()),
    }
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(
        {name: term.item() for name, term in expected.items()}
    )
    assert list(translations) == ["target", "source"]
    assert not any(t.requires_grad for t in translations.values())


def test_a_squared_cycle_weighs_as_the_published_one():
    source, target = pair()
    model = made(CycleSettings(distance="squared"))
    terms, _ = model(source, target, generator_loss, np.random.default_rng(0))
    there, back = model.translator, model.back
    cycle = (back(there(source)) - source).square().mean()
    cycle += (there(back(target)) - target).square().mean()
    same = (there(target) - target).square().mean() + (back(source) - source).square().mean()
    assert terms["cycle"].item() == pytest.approx(10 * cycle.item())
    assert terms["identity"].item() == pytest.approx(5 * same.item())


def test_cut_halves_both_contrasts_and_fastcut_has_one():
    cut, half = terms_of(CUT)[0], terms_of(ContrastiveSettings(patches=16, width=8, nce=0.5))[0]
    assert set(cut) == {"generator", "nce", "identity"}
    assert cut["nce"].item() == pytest.approx(2 * half["nce"].item())
    assert cut["identity"].item() == pytest.approx(2 * half["identity"].item())
    fast = terms_of(FASTCUT)[0]
    assert set(fast) == {"generator", "nce"}


def test_fastcut_translates_half_of_its_batches_mirrored_and_compares_them_upright():
    source, target = pair()
    model = made(FASTCUT)
    made_upright = model.translator(source)
    made_mirrored = model.translator(source.flip(3))
    kinds = []
    for seed in range(40):
        _, translations = model(source, target, generator_loss, np.random.default_rng(seed))
        kinds.append(torch.equal(translations["target"], made_mirrored))
        assert kinds[-1] or torch.equal(translations["target"], made_upright)
    assert 10 < sum(kinds) < 30


class Unchanging(nn.Module):
    """A translator without weights, whose only map is the picture itself."""

    def translate(self, rgb):
        return rgb, self.encode(rgb)

    def forward(self, rgb):
        return rgb

    def encode(self, rgb):
        return [rgb]


def test_patches_of_a_mirrored_translation_find_themselves_upright():
    model = made(FASTCUT)
    model.translator, model.heads = Unchanging(), nn.ModuleList([nn.Identity()])
    source, costs = pair()[0], []
    for mirrored, compared_mirrored in ((False, False), (True, True), (True, False)):
        shown, keys = model._translate(source, mirrored)
        assert torch.equal(shown, source.flip(3) if mirrored else source)
        chance = np.random.default_rng(0)
        costs.append(model._contrast(shown, keys, compared_mirrored, chance).item())
    assert costs[0] == pytest.approx(costs[1])
    assert costs[2] > costs[1] + 1


def test_photos_that_must_stay_the_same_cost_their_squared_change():
    source, target = pair()
    model = made(replace(CUT, same=2.0))
    terms, _ = model(source, target, generator_loss, np.random.default_rng(0))
    change = (model.translator(target) - target).square().mean().item()
    assert terms["same"].item() == pytest.approx(2 * change)


def test_where_tint_is_free_another_light_costs_the_contrast_nothing():
    model = made(replace(FASTCUT, free_tint=True))
    model.translator, model.heads = Unchanging(), nn.ModuleList([nn.Identity()])
    source = pair()[0]
    tinted = 0.5 * source + torch.tensor([0.3, 0.0, -0.2]).view(1, 3, 1, 1)
    recoloured = source.flip(1)  # red for blue: not a matter of light
    costs = [
        model._contrast(rgb, [source], False, np.random.default_rng(0)).item()
        for rgb in (source, tinted, recoloured)
    ]
    assert costs[1] == pytest.approx(costs[0], rel=1e-3)
    assert costs[2] > costs[0] + 0.5


@pytest.mark.parametrize("settings", [CycleSettings(), CUT, FASTCUT])
def test_content_weighs_what_it_is_told_to_and_nothing_as_published(settings):
    assert "content" not in terms_of(settings)[0]
    once, thrice = (terms_of(replace(settings, content=w))[0]["content"] for w in (1.0, 3.0))
    assert thrice.item() == pytest.approx(3 * once.item())
    assert once > 0


@pytest.mark.parametrize("settings", [CycleSettings(content=1.0), CUT, FASTCUT])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_all_weights_learn_in_bfloat16_too(settings, seed):
    # Copies of weights that autocast made without gradients would leave some of them without any.
    source, target = pair()
    model = made(settings)
    with torch.autocast("cpu", torch.bfloat16):
        terms, _ = model(source, target, generator_loss, np.random.default_rng(seed))
    sum(terms.values()).backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters() if p.dim() > 1)
