import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from policies.agents import Replay, Shifted
from policies.evaluate import play
from policies.residual import REPEAT, ResidualEnv, command, see, seen_names
from sim.conditions import STILL, Spread
from sim.env import ToolEnv


@pytest.fixture(params=[("replay", "residual"), ("shifted", "residual"), ("shifted", "turning"), ("scratch", "free")])
def env(request, demonstration):
    base, action = request.param
    made = ResidualEnv(demonstration, base=base, action=action, spread=Spread(offset=0.05, yaw=0.1))
    yield made
    made.close()


def test_is_a_gymnasium_environment(env):
    check_env(env, skip_render_check=True)


def test_zero_residual_is_the_base(env, demonstration):
    plain = ToolEnv(demonstration, action=env.tool_env.action, spread=env.tool_env.spread)
    try:
        agent = {"replay": Replay, "shifted": Shifted, "scratch": Replay}[env.base]()
        known = play(plain, agent, [7], name=env.base)
    finally:
        plain.close()
    obs, _ = env.reset(seed=7)
    done, total, steps, seen = False, 0.0, 0, [obs]
    while not done:
        obs, reward, terminated, truncated, info = env.step(np.zeros(env.action_space.shape, np.float32))
        done, total, steps = terminated or truncated, total + reward, steps + info["steps"]
        seen.append(obs)
    assert steps == known.length[0]
    assert info["return"] == total
    assert total == known.reward.sum()
    assert info["success"] == known.success[0]
    phase = known.obs[::REPEAT, 0][: len(seen) - 1]
    assert np.allclose([row[0] for row in seen[:-1]], 2 * phase - 1, atol=1e-6)


def test_a_residual_is_bounded_and_added():
    assert np.allclose(command(np.array([0.2, 0, 0]), np.array([0.3, -5, 0.1])), [0.5, -1, 0.1])
    assert np.allclose(command(np.array([0.9, 0, 0]), np.array([0.9, 0, 0])), [1, 0, 0])


def test_what_is_seen_is_named_finite_and_of_the_order_of_one(demonstration):
    env = ToolEnv(demonstration, spread=Spread(0.05))
    try:
        rows = play(env, Replay(), [1, 3, 5], name="replay").obs
        env.reset(seed=1)
        seen = np.stack([see(env, row) for row in rows])
        assert seen.shape[1] == len(seen_names(env.task)) == len(set(seen_names(env.task)))
        assert np.isfinite(seen).all()
        assert np.abs(seen).max() < 12
    finally:
        env.close()


def test_what_is_seen_of_the_tool_is_a_share_of_its_reach(env):
    """Four, wherever actions have brought the tool as far as they can."""
    obs, _ = env.reset(seed=2, options={"object_offset": (0.0, 0.0), "object_yaw": 0.0})
    seen = {}
    for _ in range(3):
        obs, _, terminated, truncated, _ = env.step(np.ones(env.action_space.shape, np.float32))
        seen = dict(zip(seen_names(env.tool_env.task, env.tool_env.action), obs, strict=True))
        if terminated or truncated:
            break
    names = [name for name in seen if name.startswith(("residual_", "turned_"))]
    assert [seen[name] for name in names] == pytest.approx([4.0] * len(names))
    assert len(names) == len(env.tool_env.action_names)


def test_head_is_seen_from_its_target(demonstration):
    env = ToolEnv(demonstration, spread=STILL)
    try:
        obs, _ = env.reset(seed=0)
        seen = dict(zip(seen_names(env.task), see(env, obs), strict=True))
        # The face hangs 25 cm above the nail, the head's centre half its height higher; the unit is 20 cm.
        assert seen["head_from_target_z"] * 0.2 == pytest.approx(0.25 + env.tool.head_size[2] / 2, abs=2e-3)
        assert seen["phase"] == -1
        assert seen["offset_x"] == seen["residual_z"] == 0
    finally:
        env.close()
