"""An OpenAI-compatible endpoint on loopback that plays a script, with every way to go wrong."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE = {"prompt_tokens": 900, "completion_tokens": 120, "total_tokens": 1020}


class Script:
    """What the endpoint says, in turn; the last entry again and again. `asked` are the requests.

    An entry is a dict (an answer as JSON), a text, `Fault`, or a function of the request that
    gives one of these.
    """

    def __init__(self, *entries, refuses=()):
        self.entries = list(entries)
        self.refuses = set(refuses)
        self.asked = []
        self.headers = []
        self._lock = threading.Lock()

    def play(self, request, headers):
        with self._lock:
            self.asked.append(request)
            self.headers.append(headers)
            if form_of(request) in self.refuses:
                return Fault(400, {"error": {"message": f"{form_of(request)} is not supported"}})
            entry = self.entries[0]
            if len(self.entries) > 1:
                self.entries.pop(0)
        return entry(request) if callable(entry) else entry

    @property
    def prompts(self):
        """All that the model was told, in one text."""
        return "\n".join(message["content"] for each in self.asked for message in each["messages"])


class Fault:
    """An answer that is none: a status and a body, a connection that is dropped, or a slow one."""

    def __init__(self, status=200, body=None, headers=(), drop=False, drip=0.0):
        self.status, self.body, self.headers = status, body, dict(headers)
        self.drop, self.drip = drop, drip


class Said:
    """A completion with other fields than usual."""

    def __init__(self, content="", usage=USAGE, finish_reason="stop", **message):
        self.content, self.usage, self.finish_reason = content, usage, finish_reason
        self.message = message


class Calls:
    """A model that wants functions called: a name and arguments for each."""

    def __init__(self, *calls):
        self.calls = calls

    def __call__(self, request):
        return Said(
            None,
            finish_reason="tool_calls",
            tool_calls=[
                {
                    "id": f"call_{index}",
                    "type": "function",
                    "function": {"name": name, "arguments": json.dumps(arguments)},
                }
                for index, (name, arguments) in enumerate(self.calls)
            ],
        )


def form_of(request):
    """In which form a request asks for JSON."""
    if "tools" in request:
        return "tools"
    return request.get("response_format", {}).get("type", "text")


def completion(entry, request):
    """A chat completion as the API has it."""
    said = entry if isinstance(entry, Said) else None
    content = said.content if said else entry if isinstance(entry, str) else json.dumps(entry)
    message = {"role": "assistant", "content": content}
    if form_of(request) == "tools" and not said and not request.get("stream"):
        name = request["tools"][0]["function"]["name"]
        function = {"name": name, "arguments": content}
        message |= {
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        }
    message |= said.message if said else {}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": request["model"],
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": said.finish_reason if said else "stop",
            }
        ],
        "usage": said.usage if said else USAGE,
    }


def streamed(entry, request):
    """The same as a stream of events, a few letters in each."""
    whole = completion(entry, request)
    (choice,) = whole.pop("choices")
    usage, message = whole.pop("usage"), choice["message"]
    text = message.get("content") or ""
    deltas = [{"content": text[start : start + 5]} for start in range(0, len(text), 5)]
    for index, call in enumerate(message.get("tool_calls", ())):
        deltas.append({"tool_calls": [{"index": index, **call}]})
    events = [
        whole | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in ({"role": "assistant"}, *deltas)
    ]
    last = {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}
    events += [whole | {"choices": [last]}, whole | {"choices": [], "usage": usage}]
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"


EVENTS = {"Content-Type": "text/event-stream"}


def cut_off(entry, share=0.5):
    """A stream that ends in the middle."""

    def play(request):
        text = streamed(entry, request)
        return Fault(body=text[: int(len(text) * share)], headers=EVENTS)

    return play


@contextmanager
def serving(script):
    """The address of an endpoint that plays the script."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            entry = script.play(request, dict(self.headers))
            if isinstance(entry, Fault):
                fault = entry
            elif request.get("stream"):
                fault = Fault(body=streamed(entry, request), headers=EVENTS)
            else:
                fault = Fault(body=completion(entry, request))
            if fault.drop:
                self.connection.close()
                return
            body = fault.body
            text = body if isinstance(body, str) else json.dumps(body)
            self.send_response(fault.status)
            kind = "text/html" if isinstance(body, str) else "application/json"
            self.send_header("Content-Type", fault.headers.get("Content-Type", kind))
            for name, value in fault.headers.items():
                if name != "Content-Type":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            for sign in text if fault.drip else [text]:
                try:
                    self.wfile.write(sign.encode())
                    self.wfile.flush()
                except OSError:
                    return
                time.sleep(fault.drip)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
