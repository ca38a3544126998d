"""What a model is, as far as it says so itself."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier


def classifies(model: Any, y: Any) -> bool:
    """Whether the model chooses among classes, by what it says of itself, or by its target."""
    try:
        return bool(is_classifier(model)) or hasattr(model, "classes_")
    except (AttributeError, TypeError):  # not scikit-learn's kind of model
        return not pd.api.types.is_float_dtype(np.asarray(y))


def obstacle(model: Any, y: Any) -> str | None:
    """Why the model's health cannot be told; None where it can."""
    if not callable(getattr(model, "predict", None)):
        return f"a model of type '{type(model).__name__}' has no method 'predict'"
    if np.ndim(y) != 1:
        return "the target has more than one column"
    return None
