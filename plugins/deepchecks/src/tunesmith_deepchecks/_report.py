"""The report on a finished round: what each check found, in words, on a page and as JSON."""

import json
import os
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any

from tunesmith import page as html
from tunesmith.errors import PluginError
from tunesmith.finished import Finished, Report
from tunesmith_deepchecks import Deepchecks
from tunesmith_deepchecks._environment import answered
from tunesmith_deepchecks._question import asked_of

_VERDICTS = {"FAIL": "failed", "ERROR": "failed", "WARN": "warned", "PASS": "passed"}
_TITLES = {
    "failed": "What failed",
    "warned": "What to look at",
    "passed": "What passed",
}


def write_report(options: Deepchecks, seed: int, finished: Finished, folder: Path) -> Report:
    """Write the page and `deepchecks.json`. Raises PluginError where nothing could be checked."""
    if finished.fitted is None:
        raise PluginError(
            "there is no fitted model to check; use an objective that keeps one, such as "
            "'sklearn' with 'final_fit: true', and see the notes on the round"
        )
    asked = asked_of(options, finished.fitted, seed)
    results = answered(asked.question)
    found = _conditions(results)
    if not found:
        told = "; ".join(sorted({result["obstacle"] for result in results if result["obstacle"]}))
        raise PluginError(f"Deepchecks could check nothing: {told}")
    about = [*_counts(found), *_broken(results), *asked.left_out]
    files = {
        "deepchecks.html": _page(about, found, results),
        "deepchecks.json": json.dumps(results, indent=1),
    }
    for name, text in files.items():
        part = folder / f"{name}.part"
        part.write_text(text, encoding="utf-8")
        os.replace(part, folder / name)
    metrics = {
        f"deepchecks_{verdict}": float(sum(each["verdict"] == verdict for each in found))
        for verdict in _TITLES
    }
    return Report([folder / name for name in files], [*about, *_reasons(found)], metrics)


def _conditions(results: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """Each condition that was decided, with its verdict."""
    return [
        {
            "check": result["check"],
            "verdict": _VERDICTS[each["verdict"]],
            "condition": each["condition"],
            "found": " ".join(unescape(each["found"]).split()),
        }
        for result in results
        for each in result["conditions"]
    ]


def _counts(found: Sequence[dict[str, str]]) -> list[str]:
    counts = {verdict: sum(each["verdict"] == verdict for each in found) for verdict in _TITLES}
    return [
        f"Of {len(found)} conditions {counts['passed']} passed, {counts['warned']} gave a warning "
        f"and {counts['failed']} failed."
    ]


def _broken(results: Sequence[dict[str, Any]]) -> list[str]:
    broken = [result["check"] for result in results if result.get("broken")]
    return [f"Broke on this data, and decided nothing: {', '.join(broken)}."] if broken else []


def _reasons(found: Sequence[dict[str, str]]) -> list[str]:
    """What failed, then what gave a warning, and why."""
    return [
        f"{each['check']} {each['verdict']}: {each['found']}"
        for verdict in ("failed", "warned")
        for each in found
        if each["verdict"] == verdict
    ]


def _page(
    about: Sequence[str], found: Sequence[dict[str, str]], results: Sequence[dict[str, Any]]
) -> str:
    parts = [html.paragraphs(about)]
    for verdict, title in _TITLES.items():
        rows = [
            [each["check"], each["condition"], each["found"]]
            for each in found
            if each["verdict"] == verdict
        ]
        if rows:
            parts += [html.heading(title), html.table(["check", "condition", "found"], rows)]
    obstacles = [[result["check"], result["obstacle"]] for result in results if result["obstacle"]]
    if obstacles:
        parts += [html.heading("What did not run"), html.table(["check", "why"], obstacles)]
    return html.page("Deepchecks: the split and the best model", *parts)
