"""The models, loaded once for the tests that need no process of their own."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("OMP_THREAD_LIMIT", "1")  # as the worker has it; Tesseract's threads wait for one another

from ingam.adapters.card_reader import tesseract
from ingam.adapters.card_reader.judging import Judge


@pytest.fixture(scope="session")
def judge() -> Judge:
    """The judge, within this process."""
    models = tesseract.models()
    assert models is not None, "Debian's tesseract-ocr-kor and tesseract-ocr-eng are needed"
    return Judge(models)
