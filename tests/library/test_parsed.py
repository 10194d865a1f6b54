"""The copy of a parsed library file: equal to the file, never out of date, never needed."""

from pathlib import Path

import pytest
from ruamel.yaml.error import YAMLError

from tme.library import parsed
from tme.library.kinds import KINDS
from tme.library.load import load_library

ROOT = Path(parsed.__file__).parent


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_the_copy_says_what_the_file_says(kind, cache):
    text = (ROOT / f"{kind.name}.yaml").read_text(encoding="utf-8")
    first, second = parsed.plain_of(text), parsed.plain_of(text)
    assert len(list(parsed.folder().iterdir())) == 1
    assert first == second == parsed.plain(parsed.parse(text)) and list(first) == list(second)


def test_an_edited_file_is_read_anew(cache):
    assert parsed.plain_of("a: {value: 1}") == {"a": {"value": 1}}
    assert parsed.plain_of("a: {value: 2}") == {"a": {"value": 2}}


def test_a_broken_copy_and_a_folder_that_cannot_be_written_cost_time_only(cache, monkeypatch):
    parsed.plain_of("a: 1")
    (copy,) = parsed.folder().iterdir()
    copy.write_text('{"a": ')
    assert parsed.plain_of("a: 1") == {"a": 1}
    (cache / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache / "file"))
    assert parsed.plain_of("a: 1") == {"a": 1}


def test_a_file_that_is_no_yaml_leaves_no_copy(cache):
    with pytest.raises(YAMLError):
        parsed.plain_of("a: [1")
    assert not parsed.folder().exists()


def test_the_library_is_the_same_with_and_without_copies(cache):
    load_library.cache_clear()
    one = load_library()
    load_library.cache_clear()
    assert load_library() == one
