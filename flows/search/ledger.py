"""The record of a sweep: an Optuna study, in a file journal or a database, that no cut of the line can spoil.

Only the driver writes it.  A trial is asked for with everything that it follows
from (its plan), and told once; what was asked for and not told is run again.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, TypeVar

from bitsmith.flows.rundir import say
from bitsmith.flows.search.space import Parameter, Value
from bitsmith.flows.search.storage import cut_off, full, out_of_room
from bitsmith.models.ir.errors import InputError, ToolError

T = TypeVar("T")

PATIENCE_S = 300.0
"""How long a storage may be away before the sweep gives up."""
OPENING_S = 15.0
"""The same at the beginning: mostly the address, or the password, is wrong."""


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
    plan: Plan | None  # None only if somebody else put it there
    violations: tuple[float, ...]  # of a complete one: above 0 where a limit is broken
    record: dict[str, Any]  # what became of it: measures, hashes, figures, reason, seconds
    repeats: int  # times that it was begun once more, as its worker died, or the sweep was stopped under it
    starts: int = 0  # times that it was begun

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
        try:
            import optuna
        except ImportError as error:
            raise ToolError(f"sweeps need {error.name}; install them with: pip install 'bitsmith[sweep]'") from error

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        self.optuna, self.patience_s = optuna, patience_s
        self.parameters = {p.name: p for p in parameters}
        self.distributions = {p.name: _distribution(p) for p in parameters}
        opening = min(OPENING_S, patience_s)
        self.study: Any = self.patiently(
            lambda: optuna.create_study(storage=storage(), study_name=name, directions=directions, load_if_exists=True),
            opening,
        )

    def patiently(self, call: Callable[[], T], patience_s: float | None = None) -> T:
        """``call``, again and again while the storage cannot be reached; ToolError when patience is at its end."""
        patience_s = self.patience_s if patience_s is None else patience_s
        began, wait = time.monotonic(), 0.2
        while True:
            try:
                return call()
            except Exception as error:
                if full(error):
                    raise out_of_room(error) from error
                if not cut_off(error):
                    raise
                if time.monotonic() - began > patience_s:
                    raise ToolError(
                        f"the storage has been away for {patience_s:.0f} s ({_first_line(error)}); "
                        "when it is back, the same command goes on"
                    ) from error
                say(f"the storage is away ({_first_line(error)}), trying again in {wait:.1f} s")
                time.sleep(wait)
                wait = min(5.0, wait * 2)

    def settle(self, settings: dict[str, Any]) -> None:
        """Notes what the sweep is, or completes what a stop left half; InputError if it was begun otherwise."""
        attributes = self.patiently(lambda: self.study.user_attrs)
        known = attributes.get("settings")
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
        self._finish(attributes.get(BATCH))
        self._refuse_foreign()

    def trials(self) -> list[Trial]:
        """All trials in order."""
        return [self._trial(t) for t in self.patiently(lambda: self.study.get_trials(deepcopy=False))]

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is asked for within is decided at once: after a stop all of it is there, or none.

        A strategy that is stopped half-way would otherwise go on from a ledger that
        it never sees in a sweep that is not stopped.  Within, the ledger is a copy in
        memory; only ``ask``, ``add`` and ``end`` are meant for it.
        """
        stored, before = self.study, self.patiently(lambda: self.study.get_trials(deepcopy=False))
        self.study = self.optuna.create_study(directions=stored.directions)
        self.study.add_trials(before)
        try:
            yield
            new = self.study.get_trials(deepcopy=False)[len(before) :]
        finally:
            self.study = stored
        if new:
            batch = {"first": len(before), "trials": [_plain(t) for t in new]}
            self.patiently(lambda: self.study.set_user_attr(BATCH, batch))
            self._finish(batch)

    def ask(self, sampler: Any, plan: Plan) -> Trial:
        """A candidate of an Optuna sampler; only ``together``, since Optuna asks in many steps."""
        self.study.sampler = sampler
        trial = self.study.ask(self.distributions)
        trial.set_user_attr(PLAN, asdict(plan))
        return self.trial(trial.number)

    def add(self, choices: Mapping[str, Value], plan: Plan) -> Trial:
        """A candidate that is given."""
        params = {name: _coded(p, choices[name]) for name, p in self.parameters.items()}
        number = len(self.patiently(lambda: self.study.get_trials(deepcopy=False)))
        self._create(number, {"state": "RUNNING", "params": params, "user": {PLAN: asdict(plan)}, "system": {}})
        return self.trial(number)

    def _create(self, number: int, plain: Mapping[str, Any]) -> None:
        """Makes trial ``number``, whole, unless it is there: a line may be cut after the storage has written it."""
        made = self.optuna.trial.create_trial(
            state=self.optuna.trial.TrialState[plain["state"]],
            params=plain["params"],
            distributions=self.distributions,
            user_attrs=plain["user"],
            system_attrs=plain["system"],
        )

        def create() -> None:
            if len(self.study.get_trials(deepcopy=False)) <= number:
                self.study.add_trial(made)

        self.patiently(create)

    def _finish(self, batch: Mapping[str, Any] | None) -> None:
        """Makes those trials of a batch that are not there yet."""
        if batch:
            for place, plain in enumerate(batch["trials"]):
                self._create(batch["first"] + place, plain)

    def _refuse_foreign(self) -> None:
        """Ends trials that no driver has asked for: somebody else's, by the tools of Optuna."""
        for t in self.trials():
            if t.state == "pending" and (t.plan is None or len(t.choices) < len(self.parameters)):
                self.end(t.number, "refused", {"reason": "it was not asked for by this sweep"})

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
        self.note(number, **{RECORD: record})
        self._tell(number, list(values), self.optuna.trial.TrialState.COMPLETE, list(violations))

    def end(self, number: int, state: str, record: dict[str, Any]) -> None:
        """A candidate without figures: ``failed``, ``stopped`` or ``refused``."""
        self.note(number, **{RECORD: {**record, "state": state}})
        states = self.optuna.trial.TrialState
        self._tell(number, None, states.FAIL if state == "failed" else states.PRUNED, [1.0])

    def _tell(self, number: int, values: list[float] | None, state: Any, violations: list[float]) -> None:
        """Past ``study.tell``: what that adds depends on the sampler that was used last, which a stop forgets."""

        def tell() -> None:
            found, storage = self.study.get_trials(deepcopy=False)[number], self.study._storage
            if not found.state.is_finished():  # a line may be cut after the storage has written it
                storage.set_trial_system_attr(found._trial_id, VIOLATIONS, violations)
                if found.state == self.optuna.trial.TrialState.WAITING:  # somebody else's: one that never began
                    storage.set_trial_state_values(found._trial_id, state=self.optuna.trial.TrialState.RUNNING)
                storage.set_trial_state_values(found._trial_id, state=state, values=values)

        self.patiently(tell)

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
            choices={n: _decoded(p, frozen.params[n]) for n, p in self.parameters.items() if n in frozen.params},
            plan=Plan(**attributes[PLAN]) if PLAN in attributes else None,
            violations=tuple(frozen.system_attrs.get(VIOLATIONS, ())),
            record=record,
            repeats=max(0, int(attributes.get(STARTS, 0)) - 1),
            starts=int(attributes.get(STARTS, 0)),
        )


PLAN, RECORD, STARTS = "plan", "record", "starts"
"""Names of attributes of a trial in the study."""
VIOLATIONS = "constraints"
"""The name by which Optuna's samplers know it (optuna.study._constrained_optimization)."""
BATCH = "batch"
"""Attribute of the study: what was decided upon last."""


def _plain(frozen: Any) -> dict[str, Any]:
    """What makes a trial, as JSON."""
    return {
        "state": frozen.state.name,
        "params": frozen.params,
        "user": frozen.user_attrs,
        "system": frozen.system_attrs,
    }


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error.__cause__ or error).strip()}".splitlines()[0]


def _distribution(p: Parameter) -> Any:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    return IntDistribution(0, len(p.values) - 1) if p.ordered else CategoricalDistribution(p.values)


def _coded(p: Parameter, value: Value) -> Value:
    """Ordered values by their place: steps between neighbours count alike."""
    return p.values.index(value) if p.ordered else value


def _decoded(p: Parameter, code: Any) -> Value:
    return p.values[int(code)] if p.ordered else code
