"""The same from Python: no study file, and the trials run right here."""

from train import train

from tunesmith import Categorical, Float, Int, SearchSpace, tune

space = SearchSpace(
    {
        "learning_rate": Float(1e-4, 1e-1, log=True, default=1e-3),
        "layers": Int(1, 3, default=1),
        "units": Int(8, 128, log=True, default=32),
        "activation": Categorical(["relu", "tanh"], default="relu"),
    }
)

if __name__ == "__main__":
    result = tune(train, space, trials=15, sampler="tpe", goals={"accuracy": "maximize"})
    for trial in result.trials:
        print(f"trial {trial.number:2} {trial.state}: {trial.metrics} {trial.params}")
    print(f"best: trial {result.best.number} with {result.best.params}")
