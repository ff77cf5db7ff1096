"""An S3 server on this machine, and buckets in it."""

import logging
import os
import uuid
from collections.abc import Iterator

import pytest

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "tests",
    "AWS_SECRET_ACCESS_KEY": "tests",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Address of the server; the environment leads this process and its children to it."""
    pytest.importorskip("s3fs")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # otherwise a line for every request
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    os.environ |= CREDENTIALS | {"AWS_ENDPOINT_URL": address}
    yield address
    for name in (*CREDENTIALS, "AWS_ENDPOINT_URL"):
        del os.environ[name]
    server.stop()


@pytest.fixture(scope="module")
def bucket(s3_server: str) -> str:
    """URL of an empty bucket."""
    import fsspec

    name = f"bucket-{uuid.uuid4().hex}"
    fsspec.filesystem("s3").mkdir(name)
    return f"s3://{name}"


@pytest.fixture
def folder_url(bucket: str) -> str:
    """URL of a folder of the bucket that no other test uses."""
    return f"{bucket}/{uuid.uuid4().hex}"
