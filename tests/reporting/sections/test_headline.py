"""The headline: better, worse, and no number."""

from albedo_pipeline.reporting.sections.headline import headline, score_sentence
from tests.support.report_tables import psnr_metrics, score


def test_the_headline_says_whether_the_model_is_better_or_worse() -> None:
    better = headline(psnr_metrics(24), "test", 95)
    assert better.startswith(
        "On 9 test samples the model reaches PSNR 24.00 dB (95 % interval 23.50 to 24.50): "
        "4.00 dB better than the best baseline, “Beauty as albedo” (20.00 dB, 19.50 to 20.50)"
    )
    assert "6.00 dB worse than the autoencoder’s ceiling" in better
    assert "overlap" not in better
    assert "2.00 dB worse than the best baseline" in headline(psnr_metrics(18), "test", 95)
    same = headline(psnr_metrics(20), "test", 95)
    assert "the same as the best baseline" in same
    assert "though the two intervals overlap" in same


def test_the_headline_names_a_metric_by_which_the_model_is_worse() -> None:
    scores = psnr_metrics(24)
    scores["test"]["model"]["ssim"] = score(0.4, 0.01)
    scores["test"]["beauty_as_albedo"]["ssim"] = score(0.8, 0.01)
    assert "By SSIM (0.400) it is 0.400 worse than the best baseline" in headline(
        scores, "test", 95
    )


def test_a_model_to_compare_with_is_no_baseline() -> None:
    scores = psnr_metrics(24)
    scores["test"]["bundled"] = {"psnr": score(23)}
    assert "the best baseline, “Beauty as albedo”" in headline(scores, "test", 95)


def test_the_headline_of_a_model_without_a_score() -> None:
    assert headline(psnr_metrics(None), "test", 95).endswith("there is nothing to compare.")


def test_the_score_sentence_is_one_sentence() -> None:
    assert score_sentence(psnr_metrics(24), "test") == (
        "On 9 test samples the model reaches PSNR 24.00 dB: 4.00 dB better than the best baseline, "
        "“Beauty as albedo”; it is 6.00 dB worse than the autoencoder’s ceiling."
    )
    assert (
        "the same as the best baseline, “Beauty as albedo”, though the two intervals overlap;"
        in (score_sentence(psnr_metrics(20), "test"))
    )
    assert score_sentence(psnr_metrics(None), "test") == (
        "On 9 test samples the model has no finite PSNR."
    )
