"""MACs of a Keras model as PyTorch counts them: half of FlopCounterMode on Keras' torch backend.

A process has one Keras backend for its lifetime, so a second process answers. It gets the model's
configuration as JSON, builds it without weights, and calls it on PyTorch's meta device: every
layer's own code runs, nothing is computed.
"""

import atexit
import functools
import os
import pickle
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def flop_counter_macs(model, shapes):
    """Return FlopCounterMode's MACs of a model on inputs of these shapes, the batch first."""
    return _ask("macs", model.to_json(), shapes)


def torch_backend_table(model, shapes):
    """Return name, output, parameters, statistics and MACs of the rows on the torch backend."""
    return _ask("table", model.to_json(), shapes)


def rows_of(summary):
    """Return what must not depend on the backend."""
    return [(r.name, r.kind, r.output, r.params, r.statistics, r.macs) for r in summary.rows]


def _ask(*question):
    process = _process()
    pickle.dump(question, process.stdin)
    process.stdin.flush()
    answer = pickle.load(process.stdout)
    if isinstance(answer, Exception):
        raise answer
    return answer


@functools.cache
def _process():
    python_path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": python_path},
    )
    atexit.register(_stop, process)
    return process


def _stop(process):
    process.stdin.close()
    process.stdout.close()
    process.wait(timeout=60)


def _serve(questions, answers):
    import keras
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from cnnmem import summary
    from cnnmem.frameworks import keras as models

    assert keras.backend.backend() == "torch"
    while True:
        try:
            what, text, shapes = pickle.load(questions)
        except EOFError:
            return
        try:
            model = models.without_weights(keras.models.model_from_json, text)
            if what == "table":
                # The model is a torch.nn.Module too, but must not be read as one.
                assert isinstance(model, torch.nn.Module)
                sizes = [shape[1:] for shape in shapes]
                answer = rows_of(summary(model, sizes, batch=shapes[0][0]))
            else:
                counter = FlopCounterMode(display=False)
                with keras.device("meta"), torch.no_grad(), counter:
                    inputs = [torch.empty(shape, device="meta") for shape in shapes]
                    model(inputs if len(inputs) > 1 else inputs[0])
                answer, rest = divmod(counter.get_total_flops(), 2)
                assert rest == 0
        except Exception as error:  # sent to the process that asked, which raises it
            answer = RuntimeError(f"{type(error).__name__}: {error}")
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # anything printed goes to stderr: stdout carries the answers
    _serve(sys.stdin.buffer, answers)
