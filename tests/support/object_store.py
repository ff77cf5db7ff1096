"""An S3 server on this machine whose answers can fail or be slow, and buckets in it."""

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "tests",
    "AWS_SECRET_ACCESS_KEY": "tests",
    "AWS_DEFAULT_REGION": "us-east-1",
}
SLOW_DOWN = (
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)

FORBIDDEN = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@dataclass
class Faults:
    """WSGI application in front of the server, which fails or delays some of its answers."""

    app: Callable
    fail_every: int = 0
    """Each n-th request is refused, or its answer is lost after it was carried out, in turn; 0:
    none."""
    refuses: bool = False
    """Whether each request is forbidden, which is not tried again."""
    seconds: float = 0
    """Delay of each answer."""
    requests: int = 0
    """Number of requests so far."""
    failed: int = 0
    """Number of those that failed."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self, environment: dict[str, Any], start_response: Callable) -> Any:
        with self._lock:
            self.requests += 1
            fails = bool(self.fail_every) and self.requests % self.fail_every == 0
            self.failed += fails
            is_lost = self.failed % 2 == 0
        time.sleep(self.seconds)
        if self.refuses:
            environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
            body = b"" if environment["REQUEST_METHOD"] == "HEAD" else FORBIDDEN
            headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
            start_response("403 Forbidden", headers)
            return [body]
        if not fails:
            return self.app(environment, start_response)
        if is_lost:
            b"".join(self.app(environment, lambda *_: None))
        else:
            environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
        start_response("503 Slow Down", [("Content-Type", "application/xml")])
        return [SLOW_DOWN]


@contextmanager
def s3_on_this_machine() -> Iterator[Faults]:
    """Start a server; the environment leads this process and its children to it."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # otherwise a line for every request
    faults = Faults(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, faults, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ |= CREDENTIALS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}
    try:
        yield faults
    finally:
        for name in (*CREDENTIALS, "AWS_ENDPOINT_URL"):
            del os.environ[name]
        server.shutdown()


def new_bucket() -> str:
    """URL of an empty bucket."""
    import fsspec

    name = f"bucket-{uuid.uuid4().hex}"
    fsspec.filesystem("s3").mkdir(name)
    return f"s3://{name}"


@contextmanager
def refusing(server: Faults) -> Iterator[None]:
    """Have the server refuse every request."""
    server.refuses = True
    try:
        yield
    finally:
        server.refuses = False


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Faults]:
    """The server of all tests."""
    pytest.importorskip("s3fs")
    pytest.importorskip("moto.server")
    with s3_on_this_machine() as faults:
        yield faults


@pytest.fixture(scope="module")
def bucket(s3_server: Faults) -> str:
    """URL of a bucket that is empty at first."""
    return new_bucket()


@pytest.fixture
def folder_url(bucket: str) -> str:
    """URL of a folder of the bucket that no other test uses."""
    return f"{bucket}/{uuid.uuid4().hex}"


@pytest.fixture
def cache_folder(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """Folder of the copies that are read from object storage; empty at first."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "albedo_pipeline"
