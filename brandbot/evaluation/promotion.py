"""A version goes live: measured, through the gate, or by somebody who gives a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brandbot.adapters import AdapterStore, went_back
from brandbot.engines.base import EngineName
from brandbot.errors import BrandbotError, GateError, VersionError
from brandbot.evaluation import gate, words
from brandbot.evaluation.gate import GateRow
from brandbot.evaluation.report import BASE, FEWSHOT, Report
from brandbot.evaluation.run import Progress, evaluate, inputs
from brandbot.models import Say
from brandbot.persona import Persona
from brandbot.workspace import Workspace


@dataclass(frozen=True)
class Promoted:
    """A version that is live now. ``rows`` are the gate's conditions, none if it was forced."""

    version: str
    rows: list[GateRow]

    @property
    def unmeasured(self) -> list[str]:
        """Titles of the conditions that there was too little to measure with."""
        return [words.TITLES[row.name]["en"] for row in gate.unknown(self.rows)]


def report_of(workspace: Workspace, name: str, number: int) -> Report | None:
    """The stored report of a version, if it was measured with today's examples and questions."""
    store = AdapterStore(workspace.adapters(name))
    report = Report.load(store.folder / f"{number:04d}" / "report.json")
    if report is None:
        return None
    settings = store.get(number).persona.config.knowledge
    measured_with = inputs(Persona.load(workspace.persona(name)), settings)
    return report if report.inputs == measured_with else None


def promote(
    workspace: Workspace,
    name: str,
    number: int,
    *,
    force: bool = False,
    reason: str = "",
    engine: EngineName = "auto",
    progress: Progress = lambda _done, _total: None,
    say: Say = lambda _: None,
) -> Promoted:
    """Makes a version live if it passes the gate, measuring it first where need be.

    Raises GateError with the conditions that refuse it (``gate.refused``). ``force`` passes over
    the gate and needs a ``reason``, which the history keeps.
    """
    store = AdapterStore(workspace.adapters(name))
    if force:
        if not reason.strip():
            raise BrandbotError(
                "Forcing needs a reason that the history can keep: --force --reason '…'"
            )
        return Promoted(store.promote(number, reason=reason.strip(), forced=True).name, [])
    store.get(number)
    live = store.live_number()
    report = report_of(workspace, name, number)
    stored = Report.load(store.folder / f"{number:04d}" / "report.json")
    # What was compared with before is not lost, only measured again.
    against = (BASE, FEWSHOT) if stored and FEWSHOT in stored.speakers else (BASE,)
    if report is None or report.live != (None if live is None else f"{live:04d}"):
        report = evaluate(
            workspace, name, number, against=against, engine=engine, progress=progress, say=say
        )
    persona = Persona.load(workspace.persona(name))
    found = gate.rows(report, persona.config.gate)
    refused = gate.refused(found, first=live in (None, number))
    if refused:
        raise GateError(
            f"Version {number:04d} of {name} does not pass the gate and is not live. Failed:\n"
            + "\n".join(f"  {_told(row, words.side_of(persona.language))}" for row in refused),
            refused,
        )
    if store.live_number() != live:
        raise VersionError(
            f"Another version of {name} went live while {number:04d} was measured. Compare them "
            f"with: brandbot promote {name} {number}"
        )
    done = Promoted(f"{number:04d}", found)
    passed = ("first version; " if live is None else "") + "passed the gate"
    if done.unmeasured:
        passed += f"; not measurable yet: {', '.join(done.unmeasured)}"
    store.promote(number, reason=reason.strip() or passed)
    return done


def overview(workspace: Workspace, name: str) -> list[dict[str, Any]]:
    """Each version: when, from what, its figures, whether it is live, and whether it was forced.

    ``gate`` lists the failed conditions, and is None for a version that was not measured.
    """
    store = AdapterStore(workspace.adapters(name))
    limits = Persona.load(workspace.persona(name)).config.gate
    promoted = {e["version"]: e for e in store.history() if not went_back(e)}
    live = store.live_number()
    found = []
    for number in store.numbers():
        try:
            version = store.get(number)
        except VersionError as error:
            found.append(_damaged(number, live, str(error)))
            continue
        report = Report.load(version.folder / "report.json")
        style = report.measure("style", version.name) if report else None
        rules = report.measure("rules", version.name) if report else None
        last = promoted.get(version.name, {})
        found.append(
            {
                "version": version.name,
                "live": number == live,
                "created": version.meta["created"],
                "examples": version.meta["examples"],
                "loss": version.meta["loss"],
                "style": style.value if style else None,
                "rules": rules.value if rules else None,
                "gate": None
                if report is None
                else [
                    row.name
                    for row in gate.refused(gate.rows(report, limits), first=live in (None, number))
                ],
                "forced": bool(last.get("forced")),
                "reason": last.get("reason", ""),
                "who": last.get("who", ""),
                "damaged": "",
            }
        )
    return found


def _told(row: gate.GateRow, side: str) -> str:
    told = words.gate_row(row, side)
    return told if row.outcome == "unknown" else f"{words.TITLES[row.name][side]}: {told}"


def _damaged(number: int, live: int | None, why: str) -> dict[str, Any]:
    return {
        "version": f"{number:04d}", "live": number == live, "created": "", "examples": {"train": 0},
        "loss": {"base_test": None, "test": None, "best_valid": None}, "style": None,
        "rules": None, "gate": None, "forced": False, "reason": "", "who": "", "damaged": why,
    }  # fmt: skip
