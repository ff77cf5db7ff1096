"""The page of the app: its tabs, its colours, and nothing from the web."""

import os
from collections.abc import Callable
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # gradio reads it when it is imported

import gradio as gr
from fastapi import FastAPI

from albedo_pipeline.app.predict_tab import PredictTab
from albedo_pipeline.app.sessions import Sessions
from albedo_pipeline.params import AppParams

TITLE = "Albedo estimator"
_BYTES_PER_PIXEL = 16
"""Of the largest files: four channels of float32."""
_CACHE = (3600, 12 * 3600)
"""Seconds between two clean-ups of uploaded files, and how old a file may become."""
_FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
_MONOSPACE = ("ui-monospace", "Consolas", "monospace")
_CSS = Path(__file__).with_name("page.css")
Tab = Callable[[], None]
"""Adds the parts of a tab to the page that is being built."""


def new_page(predict_tab: PredictTab, more_tabs: dict[str, Tab], sessions: Sessions) -> gr.Blocks:
    """The page, with the tab that predicts and others by name."""
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=_CACHE
    ) as page:
        gr.HTML(f"<h1>{TITLE}</h1>", elem_id="title")
        if more_tabs:
            with gr.Tab("Predict"):
                predict_tab.build()
            for name, build in more_tabs.items():
                with gr.Tab(name):
                    build()
        else:
            predict_tab.build()

        def end(request: gr.Request) -> None:
            sessions.end(str(request.session_hash))

        page.unload(end)
    return page


def mounted(page: gr.Blocks, params: AppParams) -> FastAPI:
    """The page as a web application."""
    page.queue(max_size=params.queue_size, api_open=False)
    return gr.mount_gradio_app(
        FastAPI(openapi_url=None),
        page,
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        show_error=True,
        max_file_size=int(params.max_megapixels * 1e6) * _BYTES_PER_PIXEL,
        theme=_theme(),
        css=_CSS.read_text(encoding="utf-8"),
    )


def _theme() -> gr.themes.Base:
    """The colours of the report, and fonts of the system: gradio's own are loaded from the web."""
    theme = gr.themes.Base(
        primary_hue="blue",
        neutral_hue="neutral",
        radius_size="sm",
        font=_FONT,
        font_mono=_MONOSPACE,
    )
    return theme.set(
        body_background_fill="#ffffff",
        body_background_fill_dark="#161616",
        body_text_color="#1b1b1b",
        body_text_color_dark="#e8e8e8",
        block_background_fill="#f4f4f4",
        block_background_fill_dark="#212121",
        input_background_fill="#ffffff",
        input_background_fill_dark="#161616",
        input_border_width="1px",
        border_color_primary="#d9d9d9",
        border_color_primary_dark="#3a3a3a",
        button_primary_background_fill="#0b62c4",
        button_primary_background_fill_dark="#6cb0ff",
        button_primary_background_fill_hover="#0a57ae",
        button_primary_background_fill_hover_dark="#8ac0ff",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#161616",
        slider_color="#0b62c4",
        slider_color_dark="#6cb0ff",
        block_shadow="none",
        block_shadow_dark="none",
    )
