"""The record of a sweep: an Optuna study, in a file journal or a database, that no cut of the line can spoil.

Only the driver writes it.  A trial is asked for with everything that it follows
from (its plan), and told once; what was asked for and not told is run again.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, TypeVar

from bitsmith.flows.rundir import digest, say
from bitsmith.flows.search.space import Parameter, Value
from bitsmith.flows.search.storage import cut_off, full
from bitsmith.models.ir.errors import InputError, ToolError

T = TypeVar("T")

PATIENCE_S = 300.0
"""How long a storage may be away before the sweep gives up."""


@dataclass(frozen=True)
class Plan:
    """How a candidate is trained."""

    float_epochs: int  # 0 where it starts from other weights
    epochs: int
    start: str | None = None  # file of weights, relative to the sweep's folder
    floor: float | None = None  # validation accuracy below which training ends at half-time
    relaxed_epochs: int = 0  # of a training with real bit widths, between the float baseline and the net's own


@dataclass(frozen=True)
class Trial:
    """A trial as it stands in the ledger."""

    number: int
    state: str  # "pending" | "complete" | "failed" | "stopped" | "refused"
    choices: dict[str, Value]
    plan: Plan | None  # None only if the driver was killed while it asked
    violations: tuple[float, ...]  # of a complete one: above 0 where a limit is broken
    record: dict[str, Any]  # what became of it: measures, hashes, figures, reason, seconds
    repeats: int  # times that its worker died, or the sweep was stopped under it

    @property
    def measures(self) -> dict[str, float]:
        """Figures of a complete one."""
        return dict(self.record.get("measures", {}))

    @property
    def feasible(self) -> bool:
        """Whether it is complete and holds all limits."""
        return self.state == "complete" and all(v <= 0 for v in self.violations)

    @property
    def trained(self) -> bool:
        """Whether training was spent on it: refused ones and pending ones do not count."""
        return self.state in ("complete", "failed", "stopped")


class Ledger:
    """Trials of one sweep; every call goes on trying while a storage is away."""

    def __init__(
        self,
        storage: Callable[[], Any],
        name: str,
        parameters: Sequence[Parameter],
        directions: Sequence[Any],
        patience_s: float = PATIENCE_S,
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        self.optuna, self.patience_s = optuna, patience_s
        self.parameters = {p.name: p for p in parameters}
        self.distributions = {p.name: _distribution(p) for p in parameters}
        self.study: Any = self.patiently(
            lambda: optuna.create_study(storage=storage(), study_name=name, directions=directions, load_if_exists=True)
        )

    def patiently(self, call: Callable[[], T]) -> T:
        """``call``, again and again while the storage cannot be reached; ToolError after ``patience_s``."""
        began, wait = time.monotonic(), 0.2
        while True:
            try:
                return call()
            except Exception as error:
                if full(error):
                    raise ToolError(f"the disk is full ({error}); make room and give the same command again") from error
                if not cut_off(error):
                    raise
                if time.monotonic() - began > self.patience_s:
                    raise ToolError(f"the storage has been away for {self.patience_s:.0f} s: {error}") from error
                say(f"the storage is away ({type(error).__name__}), trying again in {wait:.1f} s")
                time.sleep(wait)
                wait = min(5.0, wait * 2)

    def settle(self, settings: dict[str, Any]) -> None:
        """Notes what the sweep is; InputError if it was begun with other settings."""
        known = self.patiently(lambda: self.study.user_attrs).get("settings")
        if known is None:
            self.patiently(lambda: self.study.set_user_attr("settings", settings))
            return
        plain = json.loads(json.dumps(settings))
        other = sorted(key for key in {*known, *plain} if known.get(key) != plain.get(key))
        if other:
            raise InputError(
                f"a sweep with other settings lies there already ({', '.join(other)} differ); "
                "give another --out, or the options that it was begun with"
            )

    def trials(self) -> list[Trial]:
        """All trials in order."""
        return [self._trial(t) for t in self.patiently(lambda: self.study.get_trials(deepcopy=False))]

    def ask(self, sampler: Any, plan: Plan) -> Trial:
        """A candidate of an Optuna sampler."""
        self.study.sampler = sampler
        trial = self.patiently(lambda: self.study.ask(self.distributions))
        self.patiently(lambda: trial.set_user_attr(PLAN, asdict(plan)))
        return self.trial(trial.number)

    def add(self, choices: Mapping[str, Value], plan: Plan) -> Trial:
        """A candidate that is given."""
        uid = digest({"choices": dict(choices), "plan": asdict(plan), "after": len(self.trials())})
        running = self.optuna.trial.create_trial(
            state=self.optuna.trial.TrialState.RUNNING,
            params={name: _coded(p, choices[name]) for name, p in self.parameters.items()},
            distributions=self.distributions,
            user_attrs={PLAN: asdict(plan), UID: uid},
        )

        def found() -> int | None:
            return next((t.number for t in self.study.get_trials(deepcopy=False) if t.user_attrs.get(UID) == uid), None)

        def create() -> int:
            number = found()  # a line cut after the storage had written it must not make a second one
            if number is None:
                self.study.add_trial(running)
                number = found()
            assert number is not None, "a trial that was added is there"
            return number

        return self.trial(self.patiently(create))

    def trial(self, number: int) -> Trial:
        """One of them."""
        return self._trial(self.patiently(lambda: self.study.get_trials(deepcopy=False))[number])

    def note(self, number: int, **attributes: Any) -> None:
        """Facts about a trial."""
        for name, value in attributes.items():
            self.patiently(partial(self._set, number, name, value))

    def complete(
        self, number: int, values: Sequence[float], violations: Sequence[float], record: dict[str, Any]
    ) -> None:
        """A trained candidate: objectives as they are, constraints as Optuna reads them (above 0: broken)."""
        self.note(number, **{RECORD: record, VIOLATIONS: list(violations)})
        self._tell(number, list(values), self.optuna.trial.TrialState.COMPLETE)

    def end(self, number: int, state: str, record: dict[str, Any]) -> None:
        """A candidate without figures: ``failed``, ``stopped`` or ``refused``."""
        self.note(number, **{RECORD: {**record, "state": state}})
        states = self.optuna.trial.TrialState
        self._tell(number, None, states.FAIL if state == "failed" else states.PRUNED)

    def _tell(self, number: int, values: list[float] | None, state: Any) -> None:
        self.patiently(lambda: self.study.tell(number, values, state=state, skip_if_finished=True))

    def _set(self, number: int, name: str, value: Any) -> None:
        found = self.study.get_trials(deepcopy=False)[number]
        self.study._storage.set_trial_user_attr(found._trial_id, name, value)

    def _trial(self, frozen: Any) -> Trial:
        attributes = frozen.user_attrs
        record = dict(attributes.get(RECORD, {}))
        states = {"COMPLETE": "complete", "FAIL": "failed", "PRUNED": record.get("state", "stopped")}
        return Trial(
            number=frozen.number,
            state=states.get(frozen.state.name, "pending"),
            choices={name: _decoded(p, frozen.params[name]) for name, p in self.parameters.items()},
            plan=Plan(**attributes[PLAN]) if PLAN in attributes else None,
            violations=tuple(attributes.get(VIOLATIONS, ())),
            record=record,
            repeats=int(attributes.get(REPEATS, 0)),
        )


PLAN, RECORD, UID, REPEATS, VIOLATIONS = "plan", "record", "uid", "repeats", "violations"
"""Names of attributes of a trial in the study."""


def violations_of(frozen: Any) -> tuple[float, ...]:
    """For Optuna's samplers: the constraints of a finished trial; one without any figures breaks them."""
    return tuple(frozen.user_attrs.get(VIOLATIONS, (1.0,)))


def _distribution(p: Parameter) -> Any:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    return IntDistribution(0, len(p.values) - 1) if p.ordered else CategoricalDistribution(p.values)


def _coded(p: Parameter, value: Value) -> Value:
    """Ordered values by their place: steps between neighbours count alike."""
    return p.values.index(value) if p.ordered else value


def _decoded(p: Parameter, code: Any) -> Value:
    return p.values[int(code)] if p.ordered else code
