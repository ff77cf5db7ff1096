"""Upload of an exported folder to the Hugging Face Hub."""

import logging
import re
from pathlib import Path

from huggingface_hub import HfApi, snapshot_download

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.models.albedo_model import model_folder

logger = logging.getLogger(__name__)
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def upload(folder: Path, repository: str, private: bool) -> None:
    """Create the repository if it is missing, and upload the folder as one commit.

    The account is that of `hf auth login` or of the environment variable HF_TOKEN.

    Raises:
        ProjectError: if the upload fails; the folder is not changed.
    """
    hub = HfApi()
    try:
        hub.create_repo(repository, private=private, exist_ok=True)
        commit = hub.upload_folder(
            folder_path=folder, repo_id=repository, commit_message="Export of albedo_pipeline"
        )
    except Exception as error:  # the network and the Hub raise errors of many types
        raise ProjectError(
            f"export.push_to_hub {repository}: not uploaded ({one_line(error)}); the model is in "
            f"{folder}"
        ) from error
    logger.info("publish: uploaded, %s", commit.commit_url)


def model_on_disk(model: str, revision: str | None = None) -> Path:
    """The folder of a model; one of the Hub is downloaded, or taken from the Hub's cache.

    Args:
        model: a folder, or a Hub id `owner/name`.
        revision: commit of the Hub repository; None: the newest one.

    Raises:
        ProjectError: if there is no such folder, and the Hub does not give it.
    """
    folder = model_folder(model)
    if folder.is_dir() or not _HUB_ID.fullmatch(model):
        return folder
    try:
        return Path(snapshot_download(model, revision=revision))
    except Exception as error:  # the network and the Hub raise errors of many types
        raise ProjectError(
            f"{model}: no such folder, and not to be had from the Hub ({one_line(error)})"
        ) from error
