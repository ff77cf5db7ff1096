"""The YAML front matter of the model card, which the Hugging Face Hub reads."""

import re
from pathlib import Path

from huggingface_hub import EvalResult, ModelCardData

from albedo_pipeline.params import ExportParams
from albedo_pipeline.reporting.formatting import MODEL, finite, label
from albedo_pipeline.reporting.model_card.markdown import one_paragraph

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_TAGS = [
    "albedo",
    "intrinsic-image-decomposition",
    "intrinsics-estimation",
    "marigold",
    "inverse-rendering",
]


def card_data(
    metrics: dict, split: str, train_settings: dict, params: ExportParams
) -> ModelCardData:
    """Metadata that the Hub shows and searches; scores that are not finite are left out."""
    results = _results(metrics, split, params)
    base = base_model(train_settings)
    return ModelCardData(
        license=params.license,
        license_name=_licence_name(params),
        license_link=params.license_link,
        library_name="diffusers",
        pipeline_tag="image-to-image",
        tags=_TAGS,
        base_model=base,
        base_model_relation="finetune" if base else None,
        datasets=list(params.datasets) or None,
        metrics=list(dict.fromkeys(result.metric_type for result in results)) or None,
        model_name=one_paragraph(params.title),
        eval_results=results or None,
    )


def base_model(train_settings: dict) -> str | None:
    """Hub id of the pretrained model; None if training was from scratch or from a local folder."""
    model = (train_settings.get("pretrained") or {}).get("model", "")
    if train_settings.get("source") != "pretrained" or Path(model).exists():
        return None
    return model if _HUB_ID.fullmatch(model) else None


def _licence_name(params: ExportParams) -> str | None:
    """Name of the licence; the Hub requires one if the licence is `other`."""
    if params.license_name is None and params.license == "other":
        return "not-stated"
    return params.license_name


def _results(metrics: dict, split: str, params: ExportParams) -> list[EvalResult]:
    protocol = metrics["protocol"]
    return [
        EvalResult(
            task_type="image-to-image",
            task_name="Albedo estimation",
            dataset_type=params.datasets[0] if params.datasets else "custom",
            dataset_name=one_paragraph(params.dataset_name),
            dataset_split=split,
            metric_type=name,
            metric_name=f"{label(name)} ({protocol.get('name')})",
            metric_value=score["mean"],
            metric_config=f"protocol {protocol.get('fingerprint')}",
        )
        for name, score in metrics[split].get(MODEL, {}).items()
        if finite(score.get("mean"))
    ]
