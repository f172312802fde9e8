"""The optimisers in PyTorch, where torch is installed."""

import numpy as np
import pytest

from tests.models import soap_reference
from tests.training.gpu.make_fixtures import ROOT

torch = pytest.importorskip("torch")
KERNELS = {"one": (4, 6, 3, 3), "alike": (4, 6, 3, 3), "long inputs": (5, 12, 1, 1), "long outputs": (12, 5, 2, 2)}
OTHERS = {"gain": (8, 5), "bias": (7,), "analysis.linear.weight": (6, 5, 2, 2), "depthwise": (6, 1, 3, 3)}


@pytest.fixture
def soap(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "training/gpu")
    import soap

    return soap


@pytest.fixture
def drawn():
    random = np.random.default_rng(7)
    shapes = KERNELS | OTHERS
    gradients = {
        name: random.normal(0, 1, (20, *shape)) * np.exp(random.normal(0, 1, shape)) for name, shape in shapes.items()
    }
    return {name: random.normal(0, 1, shape) for name, shape in shapes.items()}, gradients


def weights_of(starts):
    return {name: torch.nn.Parameter(torch.tensor(start, dtype=torch.float32)) for name, start in starts.items()}


def take_steps(optimizer, weights, gradients, steps=range(20)):
    for step in steps:
        for name, weight in weights.items():
            weight.grad = torch.tensor(gradients[name][step], dtype=torch.float32)
        optimizer.step()


def test_twenty_steps_are_those_of_the_reference(soap, drawn):
    starts, gradients = drawn
    weights = weights_of(starts)
    take_steps(soap.SOAP(weights.items(), 0.03, largest_side=8, warm_up=4, renewal=3), weights, gradients)
    for name in KERNELS:
        start, given = (np.moveaxis(each, (-4, -3), (-2, -1)) for each in (starts[name], gradients[name]))
        expected = np.moveaxis(soap_reference.steps(start, given, 0.03, 8, 4, 3), (-2, -1), (-4, -3))
        np.testing.assert_allclose(weights[name].detach(), expected, atol=1e-5, err_msg=name)
    for name in OTHERS:
        expected = soap_reference.adam(starts[name], gradients[name], 0.03)
        np.testing.assert_allclose(weights[name].detach(), expected, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", ["SOAP", "Adam"])
def test_it_resumes_from_its_state(soap, drawn, name):
    starts, gradients = drawn

    def made(weights):
        return getattr(soap, name)(weights.items() if name == "SOAP" else weights.values(), 0.03)

    first, second = weights_of(starts), weights_of(starts)
    take_steps(made(first), first, gradients)
    before = made(second)
    take_steps(before, second, gradients, range(8))
    after = made(second)
    for new, old in zip(after.kept(), before.kept(), strict=True):
        new.copy_(old)
    after.start_at(8)
    take_steps(after, second, gradients, range(8, 20))
    for each in starts:
        assert torch.equal(first[each], second[each])


def test_factors_are_orthonormal_and_none_is_lost(soap):
    random = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(3, 16, 16, generator=random))[0]
    parallel = torch.ones(16, 16) + 1e-5 * torch.randn(16, 16, generator=random)
    matrices = torch.stack([torch.randn(16, 16, generator=random), parallel, torch.zeros(16, 16)])
    factors = soap.orthonormal(matrices, basis)
    torch.testing.assert_close(factors.mT @ factors, torch.eye(16).repeat(3, 1, 1), atol=1e-5, rtol=0)
    expected = torch.linalg.qr(matrices[0])
    torch.testing.assert_close(factors[0], expected[0] * expected[1].diagonal().sign(), atol=1e-5, rtol=0)
    torch.testing.assert_close(factors[2], basis[2])


def test_gradients_of_zero_leave_everything_as_it_is(soap):
    weight = torch.nn.Parameter(torch.ones(3, 4, 1, 1))
    optimizer = soap.SOAP([("kernel", weight)], 0.1, decay=0.0)
    for _ in range(3):
        weight.grad = torch.zeros_like(weight)
        optimizer.step()
    torch.testing.assert_close(weight.detach(), torch.ones(3, 4, 1, 1))
    torch.testing.assert_close(optimizer.stacks[0].bases[0][0], torch.eye(3))
