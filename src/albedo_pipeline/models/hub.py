"""Upload of an exported folder to the Hugging Face Hub."""

import logging
from pathlib import Path

from huggingface_hub import HfApi

from albedo_pipeline.errors import ProjectError, one_line

logger = logging.getLogger(__name__)


def upload(folder: Path, repository: str, private: bool) -> None:
    """Create the repository if it is missing, and upload the folder as one commit.

    The account is that of `hf auth login` or of the environment variable HF_TOKEN.

    Raises:
        ProjectError: if the upload fails; the folder stays.
    """
    hub = HfApi()
    try:
        hub.create_repo(repository, private=private, exist_ok=True)
        commit = hub.upload_folder(
            folder_path=folder, repo_id=repository, commit_message="Export of albedo_pipeline"
        )
    except Exception as error:  # the network and the Hub fail in many ways
        raise ProjectError(
            f"export.push_to_hub {repository}: not uploaded ({one_line(error)}); the model is in "
            f"{folder}"
        ) from error
    logger.info("publish: uploaded, %s", commit.commit_url)
