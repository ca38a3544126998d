"""The advisor with a language model that always wants the worst: an endpoint on loopback.

It doubts every edit, and has ideas that widen as far as it may, away from the best trial.
"""

from __future__ import annotations

import json
import re
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import log10

from tunesmith_agent.llm import Llm

_RANGE = re.compile(r"^(\S+): (float|int) from (\S+) to ([^\s,]+)( on a log scale)?", re.MULTILINE)
_IDEAS = 2


def worst() -> Llm:
    """The advisor, with the rest of its options as they are."""
    return Llm(model="worst", base_url=_address())


def answer(told: str) -> dict[str, object]:
    """What it says to a briefing."""
    best = dict(re.findall(r"(\S+) ([^\s,]+)", _section(told, "Best trials").partition("\n")[0]))
    away = []
    for name, _, *bounds, log in _RANGE.findall(_section(told, "Space now")):
        low, high = map(float, bounds)
        # long spaces leave no room for the best trials in the briefing
        unit = _unit(float(best.get(name, high)), low, high, bool(log))
        far = {"high": high * 10 if log else 2 * high - low}
        if unit > 0.5:
            far = {"low": low / 10 if log else 2 * low - high}
        away.append((abs(unit - 0.5), {"parameter": name, "low": None, "high": None} | far))
    away.sort(key=lambda each: -each[0])
    ideas = [idea | {"why": "from experience"} for _, idea in away[:_IDEAS]]
    edits = re.findall(r"^(e\d+) \[", told, re.MULTILINE)
    comments = [{"edit": id, "agree": False, "why": "it would harm"} for id in edits[:6]]
    return {
        "summary": "Nothing here is worth a change.",
        "comments": comments,
        "ideas": ideas,
        "left_alone": [],
        "question": "",
    }


def _unit(value: float, low: float, high: float, log: bool) -> float:
    if log:
        value, low, high = log10(value), log10(low), log10(high)
    return (value - low) / (high - low)


def _section(told: str, title: str) -> str:
    return told.partition(f"{title}\n")[2].partition("\n\n")[0]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        content = json.dumps(answer(request["messages"][1]["content"]))
        message = {"role": "assistant", "content": content}
        body = json.dumps(
            {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": "worst",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@cache
def _address() -> str:
    """Of a server in this process, which ends with it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1"
