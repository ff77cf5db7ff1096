"""Who may use the app: this machine alone, or browsers that gave the token."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient, WebSocketDenialResponse

from albedo_pipeline.app.server import address_of, listening, protected, token_of
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params import AppParams

OPEN = AppParams(host="0.0.0.0", token="a secret ä token")


def client(params: AppParams) -> TestClient:
    app = FastAPI()
    app.get("/page")(lambda: "inside")
    return TestClient(protected(app, params, token_of(params)), base_url="http://testserver")


def test_an_open_app_needs_the_token_once_and_takes_it_out_of_the_address() -> None:
    with client(OPEN) as browser:
        assert browser.get("/page").status_code == 403
        assert browser.get("/page", params={"token": "wrong"}).status_code == 403
        browser.cookies.set("albedo_token", "wrong")
        assert browser.get("/page").status_code == 403
        browser.cookies.clear()
        given = {"token": OPEN.token, "view": "dark"}
        answer = browser.get("/page", params=given, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/page?view=dark"
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert browser.get("/page").json() == "inside"


def test_the_redirect_never_leads_to_another_host() -> None:
    with client(OPEN) as browser:
        answer = browser.get(
            "http://testserver//evil.example/", params={"token": OPEN.token}, follow_redirects=False
        )
        assert answer.headers["location"] == "/evil.example/"


def test_a_web_socket_needs_the_token_too() -> None:
    with client(OPEN) as browser, pytest.raises(WebSocketDenialResponse) as refused:
        browser.websocket_connect("/page").__enter__()
    assert refused.value.status_code == 403


def test_on_this_machine_alone_only_its_own_names_are_answered() -> None:
    with client(AppParams()) as browser:
        assert browser.get("/page").status_code == 400  # the name testserver leads here, too
        assert browser.get("/page", headers={"host": "127.0.0.1:7860"}).json() == "inside"
        assert browser.get("/page", headers={"host": "localhost:7860"}).json() == "inside"


def test_on_this_machine_alone_a_page_of_another_address_is_refused() -> None:
    with client(AppParams()) as browser:
        for origin, status in (
            ("http://127.0.0.1:7860", 200),
            ("http://127.0.0.1:8000", 403),
            ("https://evil.example", 403),
            ("null", 403),
        ):
            headers = {"host": "127.0.0.1:7860", "origin": origin}
            assert browser.get("/page", headers=headers).status_code == status


def test_a_random_token_protects_every_open_app_without_one() -> None:
    one, other = (token_of(AppParams(host="0.0.0.0")) for _ in range(2))
    assert one
    assert other
    assert one != other
    assert len(one) >= 24
    assert token_of(AppParams(host="0.0.0.0", public=True)) is None
    assert token_of(AppParams()) is None


def test_the_address_has_the_token() -> None:
    assert address_of(AppParams(), 7860, None) == "http://127.0.0.1:7860/"
    assert address_of(AppParams(host="::1"), 80, None) == "http://[::1]:80/"
    assert address_of(AppParams(host="10.0.0.1"), 80, "a b") == "http://10.0.0.1:80/?token=a+b"


def test_a_port_in_use_is_named() -> None:
    with listening(AppParams(port=0)) as place:
        port = place.getsockname()[1]
        with pytest.raises(ProjectError, match=rf"app\.port: 127\.0\.0\.1:{port} cannot be used"):
            listening(AppParams(port=port))
