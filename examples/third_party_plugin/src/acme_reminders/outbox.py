"""Where reminders go: here, to a file."""

from pathlib import Path


class Outbox:
    """Sends by appending a line to a file. An application may offer another one, with the same method."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, client: str, text: str) -> None:
        """Write one reminder. Blocks; raises `OSError`."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{client}: {text}\n")
