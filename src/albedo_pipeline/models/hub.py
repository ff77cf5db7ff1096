"""Upload of an exported folder to the Hugging Face Hub."""

import logging
from pathlib import Path

from huggingface_hub import HfApi

from albedo_pipeline.errors import ProjectError, one_line

logger = logging.getLogger(__name__)


def upload(folder: Path, repository: str, private: bool) -> None:
    """Make the repository where there is none, and upload the whole folder as one commit.

    The account is the one of `hf auth login` or of the variable HF_TOKEN.

    Raises:
        ProjectError: where that fails; the folder stays.
    """
    hub = HfApi()
    try:
        hub.create_repo(repository, private=private, exist_ok=True)
        commit = hub.upload_folder(
            folder_path=folder, repo_id=repository, commit_message="Export of albedo_pipeline"
        )
    except Exception as error:  # the network and the Hub fail in many ways
        raise ProjectError(
            f"export.push_to_hub {repository}: not uploaded ({one_line(error)}); the model lies in "
            f"{folder}"
        ) from error
    logger.info("publish: uploaded, %s", commit.commit_url)
