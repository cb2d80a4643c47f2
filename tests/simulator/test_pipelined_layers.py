"""The pipeline's interval against a discrete-event simulation of its stages and shared resources."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.hardware import table_of
from imcevo.simulator import Deployment
from imcevo.simulator.physical import PhysicalSimulator
from imcevo.simulator.pipelined_layers import initiation_interval_s
from imcevo.simulator.results import Metrics
from imcevo.workload import Precision, load_network


class Line:
    """Layers in a line: each needs its own arrays and shares of common resources for every inference.

    A layer starts an inference when the layer before has finished it, its own arrays are free and the layer behind has
    taken the outputs before (two places per boundary). Its requests to the shared resources go to their queues at that
    moment and are served in turn in small pieces, as the bits of many transfers are; it has finished when its own work
    and all of its requests have.
    """

    def __init__(self, own: np.ndarray, shared: np.ndarray, pieces: int = 40) -> None:
        self.own, self.shared, self.pieces = own, shared, pieces  # [n_layers], [n_layers, n_resources]

    def finishes(self, n_inferences: int) -> np.ndarray:
        n_layers, n_resources = self.shared.shape
        free = np.zeros(n_resources)
        queues: list[list[tuple[int, int]]] = [[] for _ in range(n_resources)]  # (layer, pieces left)
        waiting = [0] * n_layers  # inferences ready for a layer that it has not started
        waiting[0] = n_inferences
        busy, open_requests = [False] * n_layers, [0] * n_layers
        done: list[float] = []
        events: list[tuple[float, int, str, int]] = []
        tick = 0

        def at(time: float, what: str, index: int) -> None:
            nonlocal tick
            tick += 1
            heapq.heappush(events, (time, tick, what, index))

        def start(layer: int, now: float) -> None:
            blocked = layer + 1 < n_layers and waiting[layer + 1] > 0  # the place for its outputs is still taken
            if busy[layer] or waiting[layer] == 0 or blocked:
                return
            waiting[layer] -= 1
            busy[layer] = True
            needs = [r for r in range(n_resources) if self.shared[layer, r] > 0]
            open_requests[layer] = 1 + len(needs)
            at(now + self.own[layer], "worked", layer)
            for r in needs:
                queues[r].append((layer, self.pieces))
                serve(r, now)
            if layer > 0:
                start(layer - 1, now)

        def serve(r: int, now: float) -> None:
            if queues[r] and free[r] <= now:
                layer, _ = queues[r][0]
                free[r] = now + self.shared[layer, r] / self.pieces
                at(free[r], "served", r)

        start(0, 0.0)
        while events:
            now, _, what, index = heapq.heappop(events)
            layer = index
            if what == "served":
                layer, left = queues[index].pop(0)
                if left > 1:
                    queues[index].append((layer, left - 1))
                serve(index, now)
                if left > 1:
                    continue
            open_requests[layer] -= 1
            if open_requests[layer] == 0:
                busy[layer] = False
                if layer + 1 < n_layers:
                    waiting[layer + 1] += 1
                    start(layer + 1, now)
                else:
                    done.append(now)
                start(layer, now)
        return np.array(done)


def _line(seed: int, share: float) -> Line:
    rng = np.random.default_rng(seed)
    n_layers = int(rng.integers(2, 9))
    own = rng.lognormal(0.0, 1.0, n_layers)
    shared = rng.lognormal(0.0, 1.0, (n_layers, 3)) * share * (rng.random((n_layers, 3)) < 0.7)
    return Line(own, shared)


def _modelled(line: Line) -> float:
    """The model's interval: a layer takes its slowest resource; own arrays are busy while its own work lasts."""
    own = line.own.max()
    return float(initiation_interval_s(np.array([own, *line.shared.sum(axis=0)])))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 1.0, 3.0])
def test_interval_is_that_of_a_discrete_event_simulation(seed: int, share: float) -> None:
    line = _line(seed, share)
    done = line.finishes(120)
    steady = (done[89] - done[39]) / 50  # neither filling nor draining
    assert steady == pytest.approx(_modelled(line), rel=0.01)


@pytest.mark.parametrize("seed", range(6))
def test_first_inference_takes_the_sum_of_the_layers_slowest_resources(seed: int) -> None:
    line = _line(seed, 1.0)
    slowest = np.maximum(line.own, line.shared.max(axis=1))
    assert line.finishes(1)[0] == pytest.approx(slowest.sum())


DESIGN = {
    "cell": "rram_1t1r", "node_nm": 28, "voltage_V": 0.9, "bits_per_cell": 2, "rows": 128, "rows_active": 128,
    "cols": 128, "adc_type": "sar", "adc_bits": 6, "adc_range": "full_scale", "cols_per_adc": 8, "dac_bits": 1,
    "macros_per_tile": 16, "tiles_per_group": 64, "router_groups": 36,
    "input_buffer_B": 8192, "output_buffer_B": 8192, "glb_depth": 65536, "dram": "lpddr4", "digital_lanes": 256,
}  # fmt: skip


def _metrics(deployment: Deployment, network: str = "resnet18", **changed: object) -> Metrics:
    simulator = PhysicalSimulator([load_network(network)], Precision(), deployment)
    table = simulator.repair(table_of([{**DESIGN, **changed}]))
    metrics, parts = simulator.simulate(table), simulator.breakdown(table)
    np.testing.assert_allclose(parts.energy_J.sum(axis=2), metrics.energy_J, rtol=1e-9)
    return metrics


def test_a_pipeline_of_layers_finishes_more_often_with_the_energy_of_less_leakage() -> None:
    sequential, pipelined = (_metrics(Deployment("resident", execution=how)) for how in ("sequential", "pipelined"))
    np.testing.assert_array_equal(sequential.interval_s, sequential.latency_s)
    assert pipelined.throughput_per_s[0, 0] > 3 * sequential.throughput_per_s[0, 0]
    assert pipelined.interval_s[0, 0] < pipelined.latency_s[0, 0]
    assert pipelined.energy_J[0, 0] < sequential.energy_J[0, 0]


def test_a_pipeline_needs_room_for_what_is_in_flight() -> None:
    needed = _metrics(Deployment("resident", execution="pipelined")).shortfalls["pipeline_buffer_bits"]
    smaller = _metrics(Deployment("resident", execution="pipelined"), glb_depth=64).shortfalls["pipeline_buffer_bits"]
    assert smaller - needed == (65536 - 64) * 2048


def test_streamed_weights_run_layer_after_layer() -> None:
    metrics = _metrics(Deployment("by_volatility", execution="pipelined"), cell="sram_digital")
    np.testing.assert_array_equal(metrics.interval_s, metrics.latency_s)
    assert metrics.shortfalls["pipeline_buffer_bits"][0] == 0


@pytest.mark.parametrize("network", ["resnet18", "mobilebert", "lstm_lm"])
def test_a_batch_writes_streamed_weights_once(network: str) -> None:
    one, eight = (_metrics(Deployment("streamed", batch=n), network, cell="sram_digital") for n in (1, 8))
    assert one.energy_J[0, 0] / 8 < eight.energy_J[0, 0] < one.energy_J[0, 0]
    assert one.latency_s[0, 0] < eight.latency_s[0, 0] < 8 * one.latency_s[0, 0]
    np.testing.assert_allclose(eight.interval_s, eight.latency_s / 8, rtol=1e-12)


def test_where_nothing_is_shared_a_batch_changes_no_energy_per_inference() -> None:
    one, four = (_metrics(Deployment("resident", batch=n), glb_depth=2**20) for n in (1, 4))
    assert four.energy_J[0, 0] == pytest.approx(one.energy_J[0, 0], rel=0.02)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mode": "streamed", "execution": "pipelined"}, "stay in their arrays"),
        ({"mode": "resident", "batch": 0}, "1 to"),
    ],
)
def test_contradictions_are_told(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Deployment(**given)
