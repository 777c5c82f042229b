"""What users write is checked by their type checker: the right is accepted, and each mistake is found."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

SAMPLE = Path(__file__).with_name("typing_sample.py")


def test_the_type_checker_finds_exactly_the_mistakes(tmp_path: Path):
    shutil.copy(SAMPLE, tmp_path)
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict", "pythonVersion": "3.11"}')
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    found = {problem["range"]["start"]["line"] + 1 for problem in json.loads(answer.stdout)["generalDiagnostics"]}
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    expected = {number for number, line in enumerate(lines, 1) if line.endswith("# expect: error")}
    assert found == expected
    assert len(expected) == 18
