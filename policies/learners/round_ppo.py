"""PPO of stable-baselines3 whose experience is gathered in rounds, each environment's in one piece."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from policies.learners.algorithm import linear_layers
from policies.rollouts import Experience, Explorer


class RoundPPO(PPO):
    """The same algorithm; the environments' method `explore` takes the place of steps one by one."""

    def explorer(self) -> Explorer:
        """The policy as it is now."""
        sigma = torch.as_tensor(self.policy.log_std).exp().detach().numpy()
        return Explorer(linear_layers([*self.policy.mlp_extractor.policy_net, self.policy.action_net]), sigma)

    def collect_rollouts(
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: RolloutBuffer, n_rollout_steps: int
    ) -> bool:
        """Fill the buffer with a round."""
        self.policy.set_training_mode(False)
        rollout_buffer.reset()
        callback.on_rollout_start()
        found: list[Experience] = env.env_method("explore", self.explorer(), n_rollout_steps)
        self.num_timesteps += n_rollout_steps * env.num_envs
        for infos in zip(*(experience.infos for experience in found), strict=True):
            callback.update_locals({"infos": infos})
            callback.on_step()
        self._enter(rollout_buffer, found)
        callback.update_locals(locals())
        callback.on_rollout_end()
        return True

    def _enter(self, buffer: RolloutBuffer, found: list[Experience]) -> None:
        """Experience of N environments as arrays (T, N, ...), with values, probabilities and advantages."""
        columns: dict[str, Any] = {
            name: np.stack([getattr(experience, name) for experience in found], axis=1)
            for name in ("seen", "action", "reward", "starts")
        }
        seen, action = (torch.from_numpy(columns[name]).flatten(0, 1) for name in ("seen", "action"))
        with torch.no_grad():
            values, log_prob, _ = self.policy.evaluate_actions(seen, action)
            last = self.policy.predict_values(torch.from_numpy(np.stack([one.after for one in found])))
        buffer.observations[:], buffer.actions[:] = columns["seen"], columns["action"]
        buffer.rewards[:], buffer.episode_starts[:] = columns["reward"], columns["starts"]
        buffer.values[:] = values.view(buffer.values.shape).numpy()
        buffer.log_probs[:] = log_prob.view(buffer.log_probs.shape).numpy()
        buffer.pos, buffer.full = buffer.buffer_size, True
        buffer.compute_returns_and_advantage(last, np.array([one.ended for one in found]))
