"""Training on two devices and in two processes equals training on one."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest

import lic
from lic.training.strategies import make_strategy
from lic.weights import get_tensors
from tests.conftest import slow_but

ROOT = pathlib.Path(__file__).parents[2]


def start(*arguments, **environment):
    command = [sys.executable, "-m", "tests.training.worker", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(*processes):
    for process in processes:
        text, _ = process.communicate(timeout=300)
        assert process.returncode == 0, text


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def losses(out):
    return [json.loads(line)["loss"] for line in (out / "metrics.jsonl").read_text().splitlines()]


def assert_same(out, alone):
    assert losses(out) == pytest.approx(losses(alone), rel=1e-5)
    wanted, weights = (get_tensors(lic.load(each / "final.codec").model) for each in (alone, out))
    differences = np.concatenate([np.abs(weights[name] - wanted[name]).ravel() for name in wanted])
    # If a gradient is nearly zero, its sign, and with it Adam's step of 1e-3, depends on rounding.
    assert np.mean(differences > 1e-5) < 0.01
    assert differences.max() < 3e-3


@pytest.mark.parametrize("entropy", slow_but(["factorized", "hyperprior"], "factorized"))
def test_two_devices_equal_one(entropy, photographs, tmp_path):
    out, alone = tmp_path / "run", tmp_path / "alone"
    finish(start("mirrored", entropy, photographs, out, alone))
    assert_same(out, alone)
    with np.load(tmp_path / "run.npz") as gradients:
        assert (gradients["differences"] <= 1e-4 * gradients["largest"].max()).all()
        assert gradients["largest"].max() > 0
        np.testing.assert_allclose(*gradients["measured"], rtol=1e-5)


@pytest.mark.slow
def test_two_workers_equal_one(photographs, tmp_path):
    alone = tmp_path / "alone"
    finish(start("none", "hyperprior", photographs, alone))
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    tasks = [{"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}} for index in range(2)]
    outs = [tmp_path / f"worker-{index}" for index in range(2)]
    finish(
        *(
            start("multi-worker", "hyperprior", photographs, out, TF_CONFIG=json.dumps(task))
            for out, task in zip(outs, tasks, strict=True)
        )
    )
    for out in outs:
        assert_same(out, alone)


def test_an_unknown_strategy_is_an_error():
    with pytest.raises(ValueError, match="expected name to be one of .*'mirrored'.* Received: name='tpu'"):
        make_strategy("tpu")
