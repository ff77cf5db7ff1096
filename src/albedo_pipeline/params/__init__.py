"""The settings: one pydantic model per pipeline, with the unit, range and default of each field."""

from albedo_pipeline.params.app import AppParams
from albedo_pipeline.params.autoencoder import AutoencoderParams, EncodeParams
from albedo_pipeline.params.compare import CompareParams
from albedo_pipeline.params.evaluate import EvaluateParams
from albedo_pipeline.params.export import ExportParams
from albedo_pipeline.params.ingest import IngestParams
from albedo_pipeline.params.plan import PlanParams
from albedo_pipeline.params.predict import PredictParams
from albedo_pipeline.params.report import ReportParams
from albedo_pipeline.params.sequence import SequenceParams
from albedo_pipeline.params.synthesize import SynthesizeParams
from albedo_pipeline.params.train import TrainParams
from albedo_pipeline.params.verify import VerifyParams

__all__ = [
    "AppParams",
    "AutoencoderParams",
    "CompareParams",
    "EncodeParams",
    "EvaluateParams",
    "ExportParams",
    "IngestParams",
    "PlanParams",
    "PredictParams",
    "ReportParams",
    "SequenceParams",
    "SynthesizeParams",
    "TrainParams",
    "VerifyParams",
]
