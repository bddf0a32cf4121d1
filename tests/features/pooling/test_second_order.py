import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from rpc.features.pooling.second_order import (
    TensorSketch,
    bilinear,
    covariance,
    normalised,
    root_of,
    signed_root,
    upper_triangle,
)

seeds = st.integers(0, 10_000)


def maps(seed, channels=6, side=4, batch=2):
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(batch, channels, side, side, generator=chance, dtype=torch.float64)


@given(seeds)
def test_the_product_of_two_bilinear_vectors_is_the_sum_of_squared_products_of_cells(seed):
    x, y = maps(seed), maps(seed + 1)
    left = (bilinear(x, x) * bilinear(y, y)).sum(dim=(1, 2))
    cells = x.flatten(2).transpose(1, 2) @ y.flatten(2)  # (B, N, N)
    assert torch.allclose(left, cells.square().sum(dim=(1, 2)) / 16**2, rtol=1e-12)


@given(seeds)
def test_shuffling_cells_changes_nothing(seed):
    x, y = maps(seed), maps(seed + 1, channels=3)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(seed))

    def shuffled(m):
        return m.flatten(2)[:, :, order].reshape(m.shape)

    sketch = TensorSketch(6, 3, 64)
    sketch.signs = sketch.signs.double()
    for function in (bilinear, sketch, lambda a, b: root_of(covariance(a))):
        assert torch.allclose(function(shuffled(x), shuffled(y)), function(x, y), atol=1e-12)


def test_bilinear_by_hand():
    left = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])
    right = torch.tensor([[[[5.0, 6.0]]]])
    assert bilinear(left, right).tolist() == [[[(5 + 12) / 2], [(15 + 24) / 2]]]


def test_maps_that_do_not_fit_are_told():
    with pytest.raises(ValueError, match="expected maps"):
        bilinear(torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 3, 4))


def test_the_sketch_of_an_outer_product_is_its_count_sketch():
    """Of u u^T, with places h1 + h2 (mod d) and signs s1 s2: Pham and Pagh's identity."""
    u = torch.randn(7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    sketch = TensorSketch(7, 7, 32, seed=3)
    found = sketch(u.view(1, 7, 1, 1), u.view(1, 7, 1, 1))[0]
    wanted = torch.zeros(32, dtype=torch.float64)
    h, s = sketch.places.view(2, 7), sketch.signs.double().view(2, 7)
    for i in range(7):
        for j in range(7):
            wanted[(h[0, i] + h[1, j]) % 32] += s[0, i] * s[1, j] * u[i] * u[j]
    assert torch.allclose(found, wanted, atol=1e-14)


def test_the_sketch_estimates_squared_products_without_bias():
    chance = torch.Generator().manual_seed(1)
    u, v = torch.randn(2, 6, 1, 1, 1, generator=chance, dtype=torch.float64).transpose(1, 2)
    found = []
    for seed in range(3000):
        sketch = TensorSketch(6, 6, 16, seed=seed)
        found.append(float((sketch(u, u) * sketch(v, v)).sum()))
    truth = float((u * v).sum() ** 2)
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found) - truth) < 4 * error
    assert error < 0.2 * (1 + truth)


def test_places_and_signs_are_saved_with_the_weights():
    sketch, other = TensorSketch(4, 4, 16, seed=1), TensorSketch(4, 4, 16, seed=2)
    x = maps(0, 4).float()
    assert not torch.allclose(sketch(x, x), other(x, x))
    other.load_state_dict(sketch.state_dict())
    assert torch.equal(sketch(x, x), other(x, x))


def recursion(value, iterations):
    """One eigenvalue's way through Newton and Schulz's coupled iteration."""
    y, z = value, 1.0
    for _ in range(iterations):
        t = (3 - z * y) / 2
        y, z = y * t, z * t
    return y


@pytest.mark.parametrize("iterations", [1, 5, 15])
def test_the_root_takes_each_eigenvalue_through_the_recursion(iterations):
    matrix = covariance(maps(5, 8, 6))
    values, vectors = torch.linalg.eigh(matrix)
    trace = values.sum(dim=1, keepdim=True)
    taken = (values / trace).apply_(lambda v: recursion(v, iterations)) * trace.sqrt()
    wanted = vectors @ torch.diag_embed(taken) @ vectors.transpose(1, 2)
    assert torch.allclose(root_of(matrix, iterations), wanted, atol=1e-13)


def test_many_iterations_give_the_square_root_and_five_do_not():
    matrix = covariance(torch.relu(maps(6, 16, 8)))
    many, few = root_of(matrix, 25), root_of(matrix, 5)
    assert torch.allclose(many @ many, matrix, rtol=1e-6, atol=1e-10)
    off = (few @ few - matrix).norm() / matrix.norm()
    assert off > 0.01


def test_a_constant_map_has_no_covariance_and_a_finite_gradient():
    x = torch.full((1, 3, 4, 4), 2.0, requires_grad=True)
    vector = normalised(upper_triangle(root_of(covariance(x))))
    assert vector.tolist() == [[0.0] * 6]
    vector.sum().backward()
    assert torch.isfinite(x.grad).all()


def test_an_empty_batch_stays_empty():
    x = torch.zeros(0, 4, 3, 3)
    assert bilinear(x, x).shape == (0, 4, 4)
    assert TensorSketch(4, 4, 8)(x, x).shape == (0, 8)
    assert upper_triangle(root_of(covariance(x))).shape == (0, 10)


@pytest.mark.parametrize("kind", ["bilinear", "sketch", "root"])
def test_gradients_are_those_of_differences(kind):
    x = maps(7, 4, 3, 1).requires_grad_()
    sketch = TensorSketch(4, 4, 8).double()
    functions = {
        "bilinear": lambda m: normalised(bilinear(m, m).flatten(1)),
        "sketch": lambda m: normalised(sketch(m, m)),
        "root": lambda m: upper_triangle(root_of(covariance(m))),
    }
    assert torch.autograd.gradcheck(functions[kind], (x,))


@settings(max_examples=20)
@given(st.floats(-100, 100))
def test_the_signed_root_is_odd_and_nearly_a_root(value):
    x = torch.tensor([value], dtype=torch.float64)
    assert torch.equal(signed_root(-x), -signed_root(x))
    assert float(signed_root(x).abs()) == pytest.approx(abs(value) ** 0.5, abs=2e-5)


def test_classes_that_differ_in_covariance_alone_need_the_second_order():
    """Equal means, channels that vary together or against each other."""
    chance = torch.Generator().manual_seed(0)
    labels = torch.arange(200) % 2
    common = torch.randn(200, 1, 6, 6, generator=chance)
    other = torch.randn(200, 1, 6, 6, generator=chance)
    sign = 1.0 - 2 * labels.view(-1, 1, 1, 1)
    x = torch.cat([common, sign * 0.8 * common + 0.6 * other], dim=1)
    vectors = {
        "mean": x.mean(dim=(2, 3)),
        "bilinear": normalised(bilinear(x, x).flatten(1)),
        "sketch": normalised(TensorSketch(2, 2, 16)(x, x)),
        "root": upper_triangle(root_of(covariance(x))),
    }
    rates = {}
    for name, v in vectors.items():
        model = LogisticRegression(C=100.0).fit(v[:100].numpy(), labels[:100].numpy())
        rates[name] = model.score(v[100:].numpy(), labels[100:].numpy())
    assert rates["mean"] < 0.65
    assert min(rates["bilinear"], rates["sketch"], rates["root"]) > 0.97
