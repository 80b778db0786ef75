"""Adversarial rewards learned in turns with a policy: the discriminator and the policy improve against each other.

GAIL (Ho and Ermon, NeurIPS 2016): D(s, a) tells demonstrations from the policy's own steps, and -log (1 - D) is paid.
AIRL (Fu et al., ICLR 2018): the logit of D is f(s, a, s') - log pi(a | s), f = g(s) + discount h(s') - h(s), and f is
paid. Where the policy has become the demonstrator, f is its advantage, which shaping by h explains away: under
deterministic dynamics g is the reward that it acts for, up to a constant, and holds under other dynamics, too.

Episodes shall be of one length: the end of one is no state of its own here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from policies.learners import Layers
from policies.rewards.adversarial import Adversarial, AdversarialSettings
from policies.rewards.describers import Observed, observed_names
from policies.rewards.learned import Scale
from policies.rewards.logit import forward, initial
from policies.rewards.reward import RewardError, Watched
from policies.rewards.trainable import learned, parameters, through, trainable
from records.progress import tell_progress

if TYPE_CHECKING:
    import torch

Pays = Callable[["Moves"], np.ndarray]
"""Reward of moves (N,)."""


class Moves(NamedTuple):
    """Steps of a policy or of a demonstrator; s and s_next are all that is observed."""

    s: Float[np.ndarray, "N D"]
    a: Float[np.ndarray, "N A"]
    s_next: Float[np.ndarray, "N D"]

    @classmethod
    def joined(cls, some: Sequence[Moves]) -> Moves:
        """One after the other."""
        return cls(*(np.concatenate(parts) for parts in zip(*some, strict=True)))


@runtime_checkable
class Acting(Protocol):
    """A policy that learns from any reward, and tells how likely its actions are."""

    def improve(self, pays: Pays) -> Moves:
        """Learn from a reward for one turn, entropy counted as this policy counts it; its own steps are returned."""

    def log_probability(self, s: Float[np.ndarray, "N D"], a: Float[np.ndarray, "N A"]) -> Float[np.ndarray, "N"]:
        """Of actions, as the policy is now."""


class InTurnsSettings(NamedTuple):
    """How the two learn."""

    form: str = "airl"
    """`airl` or `gail`."""
    rounds: int = 50
    """Turns of each."""
    memory: int = 1
    """Rounds whose steps the discriminator sees. AIRL's pi is that of the last one: older steps are not its own."""
    hidden: tuple[int, ...] = (32,)
    """Widths of the tanh layers of g and h, or of D's logit."""
    discount: float = 0.99
    """Of `airl`'s shaping."""
    updates: int = 20
    """Of the discriminator, in a round. Few, and small ones: where it runs ahead of the policy, the two chase each
    other instead of meeting."""
    batch: int = 256
    """Of demonstrated steps, and as many of the policy's."""
    rate: float = 5e-3
    """Of Adam."""
    decay: float = 1e-4
    """Of weights."""


class InTurns(NamedTuple):
    """What came of it."""

    reward: Adversarial
    """Can be saved: pays g(s), the reward without shaping; or GAIL's -log (1 - D)."""
    told: tuple[float, ...]
    """Share of the steps that the discriminator told right at the end of each round: 0.5 where it cannot any more."""


def learn_in_turns(
    expert: Sequence[Watched],
    policy: Acting,
    *,
    names: Sequence[str] = (),
    settings: InTurnsSettings | None = None,
    seed: int = 0,
) -> InTurns:
    """Learn a reward from demonstrations, and make the policy act as they do.

    Args:
        expert: demonstrations, observed as the policy observes.
        policy: learns along.
        names: of the observations that the reward looks at; all but the clock by default.
        settings: how.
        seed: of the discriminator.

    Raises:
        RewardError: no demonstrations, an unknown form, or nothing changes in what is looked at.
    """
    settings = settings or InTurnsSettings()
    if settings.form not in ("airl", "gail") or not expert or settings.rounds < 1:
        raise RewardError(
            f"form {settings.form!r}, {len(expert)} demonstrations, {settings.rounds} rounds:"
            " expected airl or gail, and at least one of both"
        )
    describer = Observed(tuple(names) or observed_names(expert[0]))
    columns = [expert[0].obs_names.index(name) for name in describer.names]
    shown = Moves.joined([Moves(e.obs[:-1], e.action, e.obs[1:]) for e in expert])
    met = [policy.improve(lambda moves: np.zeros(len(moves.s)))]
    sees = "before" if settings.form == "airl" else "action"
    scale = Scale.of([_inputs(moves, columns, sees) for moves in (shown, met[0])])
    judge = _Discriminator(scale, columns, settings, seed)
    told = []
    for number in range(settings.rounds):
        told.append(judge.learn(shown, Moves.joined(met[-settings.memory :]), policy))
        met.append(policy.improve(judge.pays))
        tell_progress("learning in turns", number + 1, settings.rounds)
    plain = AdversarialSettings(
        sees=sees,
        form="logit" if settings.form == "airl" else "gail",
        hidden=settings.hidden,
        decay=settings.decay,
        discount=settings.discount,
    )
    return InTurns(Adversarial(describer, plain, seed, scale, judge.layers()), tuple(told))


class _Discriminator:
    """D's logit: f(s, a, s') - log pi(a | s), or a network of s and a."""

    def __init__(self, scale: Scale, columns: Sequence[int], settings: InTurnsSettings, seed: int) -> None:
        import torch

        self._scale, self._columns, self._settings = scale, list(columns), settings
        self._rng = np.random.default_rng([seed, 23])
        sizes = (len(scale.mean), *settings.hidden, 1)
        self._nets = [trainable(initial(sizes, self._rng)) for _ in range(2 if settings.form == "airl" else 1)]
        every = [parameter for net in self._nets for parameter in parameters(net)]
        self._optimiser = torch.optim.AdamW(every, lr=settings.rate, weight_decay=settings.decay)

    def learn(self, shown: Moves, met: Moves, policy: Acting) -> float:
        """Some updates on as many steps of each; the share that is told right afterwards."""
        import torch

        from policies.train import one_thread

        both = [self._prepared(moves, policy) for moves in (shown, met)]
        label = torch.cat([torch.ones(self._settings.batch), torch.zeros(self._settings.batch)]).double()
        with one_thread():
            for _ in range(self._settings.updates):
                drawn = [self._rng.integers(len(parts[0]), size=self._settings.batch) for parts in both]
                parts = [
                    torch.cat(pair)
                    for pair in zip(*([p[k] for p in x] for x, k in zip(both, drawn, strict=True)), strict=True)
                ]
                loss = torch.nn.functional.binary_cross_entropy_with_logits(self._logit(*parts), label)
                self._optimiser.zero_grad()
                loss.backward()
                self._optimiser.step()
            with torch.no_grad():
                right = [float((self._logit(*parts) > 0).double().mean()) for parts in both]
        return (right[0] + 1 - right[1]) / 2

    def pays(self, moves: Moves) -> np.ndarray:
        """What the policy is paid: f, or -log (1 - D)."""
        parts = [self._scale(_inputs(moves, self._columns, self._sees)), self._scale(self._after(moves))]
        nets = [learned(net) for net in self._nets]
        if self._settings.form == "gail":
            return np.asarray(np.logaddexp(0, forward(nets[0], parts[0])[:, 0]))
        g, h = nets
        shaping = self._settings.discount * forward(h, parts[1]) - forward(h, parts[0])
        return np.asarray((forward(g, parts[0]) + shaping)[:, 0])

    def layers(self) -> Layers:
        """Of g, or of D's logit."""
        return learned(self._nets[0])

    @property
    def _sees(self) -> str:
        return "before" if self._settings.form == "airl" else "action"

    def _after(self, moves: Moves) -> np.ndarray:
        """What stands in for the moment after; of no account for GAIL."""
        return (
            moves.s_next[:, self._columns] if self._settings.form == "airl" else _inputs(moves, self._columns, "action")
        )

    def _prepared(self, moves: Moves, policy: Acting) -> list[torch.Tensor]:
        import torch

        airl = self._settings.form == "airl"
        likely = policy.log_probability(moves.s, moves.a) if airl else np.zeros(len(moves.s))
        found = self._scale(_inputs(moves, self._columns, self._sees)), self._scale(self._after(moves)), likely
        return [torch.from_numpy(np.ascontiguousarray(value, float)) for value in found]

    def _logit(self, before: torch.Tensor, after: torch.Tensor, likely: torch.Tensor) -> torch.Tensor:
        if self._settings.form == "gail":
            return through(self._nets[0], before)[:, 0]
        g, h = self._nets
        shaping = self._settings.discount * through(h, after) - through(h, before)
        return (through(g, before) + shaping)[:, 0] - likely


def _inputs(moves: Moves, columns: Sequence[int], sees: str) -> np.ndarray:
    s = moves.s[:, list(columns)]
    return s if sees == "before" else np.concatenate([s, moves.a], axis=1)
