"""The plugin's objective keeps the promises of every objective."""

from tunesmith.study import Study
from tunesmith.testing import ObjectiveContract
from tunesmith_sklearn import Bundled, Estimator, Step


def a_study(goal: str, parameter: str) -> Study:
    depth = {"type": "int", "low": 1, "high": 8, "default": 3}
    space = {"parameters": {parameter: depth}}
    return Study(name="a", goals={goal: "maximize"}, space=space, objective="sklearn")


class TestEstimatorKeepsThePromises(ObjectiveContract):
    def make(self):
        return Estimator(
            estimator="sklearn.ensemble.ExtraTreesClassifier", params={"n_estimators": 5}
        )

    def study(self, folder):
        return a_study("accuracy", "max_depth")

    def dataset(self):
        return Bundled(loader="iris")


class TestFidelityKeepsThePromises(TestEstimatorKeepsThePromises):
    def make(self):
        return Estimator(
            estimator="sklearn.ensemble.ExtraTreesClassifier",
            params={"n_estimators": 9},
            fidelity="n_estimators",
        )


class TestPipelineKeepsThePromises(TestEstimatorKeepsThePromises):
    def make(self):
        return Estimator(
            pipeline=(
                Step(name="scale", use="sklearn.preprocessing.StandardScaler"),
                Step(name="clf", use="sklearn.tree.DecisionTreeRegressor"),
            ),
            scoring=("r2", "neg_mean_squared_error"),
        )

    def study(self, folder):
        return a_study("r2", "clf.max_depth")

    def dataset(self):
        return Bundled(loader="diabetes")
