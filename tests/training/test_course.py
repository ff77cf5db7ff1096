"""The course of a training in a report: which rows and columns of the log it has."""

import numpy as np
import pandas as pd

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.training.course import course, stored_course


def test_rows_have_what_is_logged_and_shows_the_course() -> None:
    log = pd.DataFrame(
        {
            "step": [10, 20],
            "loss": [0.5, 0.25],
            "epoch": [1.0, 2.0],
            "validation_albedo_psnr": [np.nan, 30.0],
        }
    )
    assert course(log) == [
        {"step": 10, "loss": 0.5},
        {"step": 20, "loss": 0.25, "validation_albedo_psnr": 30.0},
    ]


def test_a_long_training_keeps_every_validation_and_its_last_row() -> None:
    step = np.arange(1, 1202)
    scores = np.where(np.isin(step, (2, 600)), 20.0, np.nan)
    rows = course(pd.DataFrame({"step": step, "loss": 1.0, "validation_albedo_psnr": scores}))
    assert len(rows) == 400 + 2  # every third of 1,199
    assert rows[-1]["step"] == 1201
    assert [row["step"] for row in rows if "validation_albedo_psnr" in row] == [2, 600]


def test_there_is_no_course_without_a_checkpoint(tmp_path) -> None:
    assert stored_course(Checkpoints(tmp_path)) == []
