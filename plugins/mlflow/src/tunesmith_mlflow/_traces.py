"""The calls to a language model behind a proposal, as an MLflow trace with a span for each."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from mlflow.entities import Span, SpanType, TraceInfo, TraceLocation, TraceState
from mlflow.tracing.client import TracingClient
from mlflow.tracing.constant import SpanAttributeKey, TraceMetadataKey, TraceTagKey

from tunesmith.model_use import Call
from tunesmith.proposals import Proposal


def keep_trace(uri: str, experiment: str, run_id: str, proposal: Proposal) -> None:
    """Write the trace of a proposal with a language model behind it; again changes nothing."""
    if proposal.model is None or not proposal.model.calls:
        return
    key = f"{proposal.study} {proposal.number} {proposal.made}"
    id = f"tr-{sha256(key.encode()).hexdigest()[:32]}"
    calls = proposal.model.calls
    begin = min(call.started for call in calls)
    end = max(call.started + call.seconds for call in calls)
    failed = bool(proposal.model.failure)
    spans = [_span(id, 0, _name(proposal), begin, end, SpanType.AGENT, failed)]
    spans += [_call_span(id, number, call) for number, call in enumerate(calls, 1)]
    client = TracingClient(uri)
    client.log_spans(experiment, spans)
    client.start_trace(
        TraceInfo(
            trace_id=id,
            trace_location=TraceLocation.from_experiment_id(experiment),
            request_time=int(begin * 1000),
            execution_duration=int((end - begin) * 1000),
            state=TraceState.ERROR if failed else TraceState.OK,
            trace_metadata={
                TraceMetadataKey.SOURCE_RUN: run_id,
                TraceMetadataKey.TOKEN_USAGE: json.dumps(_usage(*calls)),
            },
            tags={
                TraceTagKey.TRACE_NAME: _name(proposal),
                "tunesmith.study": proposal.study,
                "tunesmith.proposal": str(proposal.number),
                "tunesmith.model": proposal.model.model,
            },
        )
    )


def _name(proposal: Proposal) -> str:
    return f"proposal {proposal.number}"


def _call_span(id: str, number: int, call: Call) -> Span:
    attributes: dict[str, Any] = {SpanAttributeKey.CHAT_USAGE: _usage(call)}
    if call.prompt is not None:
        attributes[SpanAttributeKey.INPUTS] = json.loads(call.prompt)
        attributes[SpanAttributeKey.OUTPUTS] = call.answer
    end, failed = call.started + call.seconds, call.outcome != "ok"
    attributes["tunesmith.outcome"] = call.outcome
    kind = SpanType.CHAT_MODEL
    return _span(id, number, f"call {number}", call.started, end, kind, failed, **attributes)


def _span(
    id: str, number: int, name: str, begin: float, end: float, kind: str, failed: bool, **more: Any
) -> Span:
    attributes = {SpanAttributeKey.REQUEST_ID: id, SpanAttributeKey.SPAN_TYPE: kind, **more}
    return Span.from_dict(
        {
            "trace_id": id,
            "span_id": f"{number + 1:016x}",
            "parent_span_id": f"{1:016x}" if number else None,
            "name": name,
            "start_time_unix_nano": int(begin * 1e9),
            "end_time_unix_nano": int(end * 1e9),
            "status": {"code": f"STATUS_CODE_{'ERROR' if failed else 'OK'}", "message": ""},
            "attributes": {key: json.dumps(value) for key, value in attributes.items()},
            "events": [],
        }
    )


def _usage(*calls: Call) -> dict[str, int]:
    asked = sum(call.input_tokens for call in calls)
    written = sum(call.output_tokens + call.thinking_tokens for call in calls)
    return {"input_tokens": asked, "output_tokens": written, "total_tokens": asked + written}
