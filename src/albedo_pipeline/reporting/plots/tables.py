"""Curves as plain tables, for `dvc plots`."""

import pandas as pd

_VALIDATION = "validation_"


def loss_points(training_log: pd.DataFrame) -> pd.DataFrame:
    """Columns step, loss and learning_rate of the log's rows that have a loss."""
    return training_log[["step", "loss", "learning_rate"]].dropna(subset="loss")


def validation_points(training_log: pd.DataFrame) -> pd.DataFrame:
    """Column step and all validation scores, for the log's rows that have one.

    The columns are renamed: `validation_psnr` becomes `psnr`.
    """
    names = [name for name in map(str, training_log) if name.startswith(_VALIDATION)]
    table = training_log[["step", *names]].dropna(how="all", subset=names)
    return table.rename(columns=lambda name: name.removeprefix(_VALIDATION))


def risk_points(risk_coverage: pd.DataFrame) -> pd.DataFrame:
    """Columns coverage and risk of the first split that was evaluated."""
    split = risk_coverage["split"].iloc[:1]
    return risk_coverage.loc[risk_coverage["split"].isin(split), ["coverage", "risk"]]
