"""What `tunesmith init` writes. `$name` is filled in; each section says what it is for."""

STUDY = """\
# One question, and what answers it. To run it, and to go on after an interruption:
#
#     tunesmith run $file
#
# 'tunesmith plugins list' shows what can stand after 'use', 'tunesmith plugins show NAME' the
# options of one, 'tunesmith schema' what an editor needs to complete and check this file.
name: $name

# What is better? A metric and its direction. With several, the best trials are a Pareto front.
goals:
  $metric: $direction

$objective

# When does the round end? Whatever is reached first; failed trials count too.
budget:
  trials: $trials
  # seconds: 3600 # wall time
  # patience: 20 # trials without a better one

# Who chooses what to try next?
sampler: $sampler

# How many trials run at the same time, each in a process of its own?
executor:
  use: processes
  workers: 1

# Where is every trial shown, and what is drawn in the end? The record is kept in any case.
trackers: [$trackers]
reporters: [$reporters]

# Equal seeds give equal trials, however many run at the same time.
seed: 0
"""

SKLEARN = """\
# Where does the data come from?
dataset:
$dataset

# What does a trial do? Fit this estimator and score it, by cross-validation.
objective:
  use: sklearn
  estimator: $estimator
  params: {early_stopping: false} # parameters that are not tuned
  cv: 5
  test_share: 0.2 # rows that the search never sees; they judge the best model in the end

# Where to look? The defaults are the first trial. On a log scale every factor of ten counts alike.
space:
  parameters:
    learning_rate:
      type: float
      low: 0.005
      high: 0.5
      log: true
      default: 0.1
    max_iter: # how many trees
      type: int
      low: 20
      high: 200
      default: 100
    min_samples_leaf:
      type: int
      low: 2
      high: 60
      default: 20
      hard_low: 1 # whatever anybody proposes later, less than 1 is nonsense
    l2_regularization:
      type: float
      low: 0.0001
      high: 10
      log: true
      default: 0.0001"""

_SPACE = """\
# Where to look? The defaults are the first trial. On a log scale every factor of ten counts alike.
# A parameter with 'when' exists only where that holds.
space:
  parameters:
    learning_rate:
      type: float
      low: 0.0001
      high: 1
      log: true
      default: 0.1
    layers:
      type: int
      low: 1
      high: 8
      default: 2
    optimizer:
      type: categorical
      choices: [adam, sgd]
    momentum:
      type: float
      low: 0
      high: 0.99
      when: {optimizer: sgd}"""

PYTHON = f"""\
# What does a trial do? Call this Python function, module:function, in a file beside this one.
objective:
  use: python
  function: $module:train

{_SPACE}"""

COMMAND = f"""\
# What does a trial do? Run this program in this folder. Parameters are appended as '--name value',
# or filled in where '{{name}}' stands. The last line of its output is the metric: a number, or JSON
# such as {{$shown: 0.5}}
objective:
  use: command
  command: $command

{_SPACE}"""

FUNCTION = '''\
"""What a trial does: train with some params, and say how good the result is."""

import math


def train(params, trial):
    """Return the metric, or a dict of several. An exception makes it a failed trial.

    `trial.seed` is for everything random, `trial.report(epoch, value)` records a value on the way.
    """
    # put your training here; this stand-in is best at a learning rate of 0.01 and four layers
    error = abs(math.log10(params["learning_rate"]) + 2) + abs(params["layers"] - 4) / 4
    if params["optimizer"] == "sgd":
        error += 0.5 * abs(params["momentum"] - 0.9)
    return {$metric: $value}
'''
