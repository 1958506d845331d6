"""Tests that write with TensorFlow: triton must come before it, or torch's import of it crashes."""

import contextlib
import importlib

with contextlib.suppress(ImportError):
    importlib.import_module("triton")
