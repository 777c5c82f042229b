"""The plugin as an application meets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from jobcore.app.facade import JobApp
from jobcore_handlers.files import DirectoryFileStore, FileStore
from jobcore_handlers.printing import InvoiceRenderer
from jobcore_handlers.printing.pdf import PdfInvoiceRenderer


def test_an_application_has_the_handlers_and_their_services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBCORE_BUILTIN__FILES", str(tmp_path / "kept-here"))
    app = JobApp(store="memory", runner="memory")
    assert {"generate-invoice", "invoice_zip"} <= set(app.registry.get_registered_names())
    store = app.services.get(FileStore)
    assert isinstance(store, DirectoryFileStore)
    assert store.path_of(f"{uuid4()}/{uuid4()}/a").is_relative_to(tmp_path / "kept-here")
    assert isinstance(app.services.get(InvoiceRenderer), PdfInvoiceRenderer)


def test_an_applications_own_file_store_is_kept(tmp_path: Path) -> None:
    own = DirectoryFileStore(tmp_path)
    app = JobApp(store="memory", runner="memory", services={FileStore: own})
    assert app.services.get(FileStore) is own


def test_the_entry_module_loads_no_driver_and_no_renderer() -> None:
    code = (
        "import sys, jobcore_handlers.plugin; "
        "print([name for name in ('psycopg', 'reportlab', 'httpx', 'cryptography') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert loaded.stdout.strip() == "[]"
