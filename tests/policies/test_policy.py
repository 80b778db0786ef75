import dataclasses
import itertools
import json

import numpy as np
import pytest

from policies.agents import PolicyAgent, Shifted
from policies.evaluate import play
from policies.policy import SETTINGS, WEIGHTS, Policy, PolicySettings, load_policy, save_policy
from policies.residual import ResidualEnv, seen_names
from policies.weights import PolicyError, load_weights, save_weights
from sim.conditions import Spread
from sim.sensing import Sensing


def settings(demonstration, **changed):
    env = ResidualEnv(demonstration)
    sees = seen_names(env.tool_env.task)
    env.close()
    made = {
        "task": "hammer",
        "tool": "hammer",
        "robot": None,
        "demonstration": demonstration.fingerprint(),
        "base": "shifted",
        "action": "residual",
        "repeat": 8,
        "averaged": False,
        "sees": sees,
        "hidden": (5, 4),
        "steps": 100,
        "spread": Spread(offset=0.05)._asdict(),
        "sensing": Sensing()._asdict(),
        "squashed": False,
        "learner": "ppo",
        "seed": 0,
    }
    return PolicySettings(**(made | changed))


@pytest.fixture
def policy(demonstration):
    rng = np.random.default_rng(0)
    made = settings(demonstration)
    sizes = (len(made.sees), 5, 4, 3)
    layers = [
        (rng.standard_normal((o, i)).astype(np.float32), rng.standard_normal(o).astype(np.float32))
        for i, o in itertools.pairwise(sizes)
    ]
    return Policy(made, tuple(layers))


def test_decides_as_its_network_in_torch(policy):
    torch = pytest.importorskip("torch")
    modules = []
    for weight, bias in policy.layers:
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        linear.weight.data, linear.bias.data = torch.from_numpy(weight.copy()), torch.from_numpy(bias.copy())
        modules += [linear, torch.nn.Tanh()]
    network = torch.nn.Sequential(*modules[:-1])
    for seen in np.random.default_rng(1).standard_normal((5, len(policy.settings.sees))):
        expected = network(torch.from_numpy(seen.astype(np.float32))).detach().numpy().clip(-1, 1)
        assert np.allclose(policy.decide(seen), expected, atol=1e-5)


def test_round_trip(policy, demonstration, tmp_path):
    save_policy(policy, tmp_path)
    again = load_policy(tmp_path, demonstration)
    assert again.settings == policy.settings
    seen = np.linspace(-1, 1, len(policy.settings.sees))
    assert np.array_equal(again.decide(seen), policy.decide(seen))
    assert sorted(path.name for path in tmp_path.iterdir()) == [SETTINGS, WEIGHTS]


def test_a_policy_that_outputs_zero_acts_as_its_base(policy, demonstration):
    still = Policy(policy.settings, tuple((w * 0, b * 0) for w, b in policy.layers))
    env = ResidualEnv(demonstration)
    try:
        ours = play(env.tool_env, PolicyAgent(still), [1, 3], name="policy")
        base = play(env.tool_env, Shifted(), [1, 3], name="shifted")
    finally:
        env.close()
    assert np.array_equal(ours.obs, base.obs)


def test_a_decision_is_held_for_as_long_as_it_was_trained(policy, demonstration):
    env = ResidualEnv(demonstration)
    try:
        actions = play(env.tool_env, PolicyAgent(policy), [1], name="policy").action
    finally:
        env.close()
    changes = np.flatnonzero(np.abs(np.diff(actions, axis=0)).max(axis=1) > 0) + 1
    assert len(changes)
    assert (changes % policy.settings.repeat == 0).all()


def broken(name):
    def decorate(function):
        return pytest.param(function, id=name)

    return decorate


def _edit(folder, **changed):
    path = folder / SETTINGS
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


@broken("no settings")
def _no_settings(folder):
    (folder / SETTINGS).unlink()
    return "no policy here .*apprentice train"


@broken("settings cut off")
def _cut_settings(folder):
    text = (folder / SETTINGS).read_text()
    (folder / SETTINGS).write_text(text[: len(text) // 2])
    return "damaged.*train it again"


@broken("settings of another kind")
def _list(folder):
    (folder / SETTINGS).write_text("[1, 2]")
    return "damaged"


@broken("a setting is missing")
def _lacking(folder):
    value = json.loads((folder / SETTINGS).read_text())
    del value["repeat"]
    (folder / SETTINGS).write_text(json.dumps(value))
    return "lacks repeat"


@broken("newer")
def _newer(folder):
    _edit(folder, version=99)
    return "version 99.*update"


@broken("unknown base")
def _base(folder):
    _edit(folder, base="magic")
    return "unknown base 'magic'.*shifted, replay, scratch"


@broken("unknown action")
def _action(folder):
    _edit(folder, action="dance")
    return "unknown action 'dance'.*residual, turning, free"


@broken("no weights")
def _no_weights(folder):
    (folder / WEIGHTS).unlink()
    return "no such file"


@broken("weights cut off")
def _cut_weights(folder):
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) - 7])
    return "damaged"


@broken("weights are noise")
def _noise(folder):
    (folder / WEIGHTS).write_bytes(np.random.default_rng(0).bytes(500))
    return "damaged"


@broken("weights of another network")
def _other(folder):
    _edit(folder, hidden=[7, 4])
    return "layer 0 of the weights"


@broken("weights with a layer too many")
def _many(folder):
    tensors, _ = load_weights(folder / WEIGHTS)
    save_weights(folder / WEIGHTS, tensors | {"layer9.bias": np.zeros(3, np.float32)})
    return "layer9.bias"


@broken("weights not finite")
def _nan(folder):
    from safetensors.numpy import save_file

    tensors, _ = load_weights(folder / WEIGHTS)
    tensors["layer0.bias"] = np.full_like(tensors["layer0.bias"], np.nan)
    save_file(tensors, folder / WEIGHTS)
    return "not finite"


@pytest.mark.parametrize(
    "damage",
    [
        _no_settings,
        _cut_settings,
        _list,
        _lacking,
        _newer,
        _base,
        _action,
        _no_weights,
        _cut_weights,
        _noise,
        _other,
        _many,
        _nan,
    ],
)
def test_a_damaged_folder_is_answered_in_one_line(policy, demonstration, tmp_path, damage):
    save_policy(policy, tmp_path)
    message = damage(tmp_path)
    with pytest.raises(PolicyError, match=message) as caught:
        load_policy(tmp_path, demonstration)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"task": "spade"}, "task 'spade', not 'hammer'"),
        ({"tool": "scythe"}, "tool 'scythe', not 'hammer'"),
        ({"robot": "panda"}, "robot 'panda', not None"),
        ({"demonstration": "0" * 64}, "another demonstration"),
    ],
)
def test_a_policy_of_something_else_is_refused(policy, demonstration, tmp_path, changed, message):
    save_policy(Policy(dataclasses.replace(policy.settings, **changed), policy.layers), tmp_path)
    with pytest.raises(PolicyError, match=message):
        load_policy(tmp_path, demonstration)


def test_a_policy_that_sees_something_else_is_refused_with_both_lists(policy, demonstration):
    old = dataclasses.replace(policy.settings, sees=("phase", "face_up"))
    env = ResidualEnv(demonstration)
    try:
        with pytest.raises(PolicyError, match=r"trained to see \(phase, face_up\), .*shows \(phase, offset_x, .*again"):
            play(env.tool_env, PolicyAgent(Policy(old, policy.layers)), [1], name="policy")
    finally:
        env.close()


def test_weights_that_are_not_finite_are_not_written(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, {"a": np.zeros(2)})
    with pytest.raises(PolicyError, match="'a' is not finite"):
        save_weights(path, {"a": np.array([0.0, np.nan])})
    assert np.array_equal(load_weights(path)[0]["a"], np.zeros(2))
