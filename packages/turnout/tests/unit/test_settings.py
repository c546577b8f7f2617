"""Settings: who wins, and what is said of each that can't be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from turnout.errors import SettingsInvalid
from turnout.settings import Settings, load


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    assert load({"data": tmp_path}, {}) == Settings(data=tmp_path)


def test_options_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "turnout.toml").write_text('port = 1\nhost = "file"\nlog_level = "debug"\n')
    found = load({"data": tmp_path, "port": 3}, {"TURNOUT_PORT": "2", "TURNOUT_HOST": "environment"})
    assert (found.port, found.host, found.log_level) == (3, "environment", "debug")


def test_every_problem_is_told_at_once_with_its_source_and_what_was_expected(tmp_path: Path) -> None:
    file = tmp_path / "turnout.toml"
    file.write_text('prt = 1\nlog_format = "xml"\n')
    environment = {"TURNOUT_QUERY_THREADS": "many", "TURNOUT_PUBLIC_URL": "stats.example"}
    with pytest.raises(SettingsInvalid) as error:
        load({"data": tmp_path, "port": 70_000}, environment)
    said = str(error.value).splitlines()
    assert len(said) == 5
    assert f"{file}: there is no setting prt; did you mean port?" in said
    assert f"{file}: log_format is 'xml', but one of text, json was expected" in said
    assert "$TURNOUT_QUERY_THREADS: query_threads is 'many', but a whole number from 1 to 64 was expected" in said
    assert "--port: port is 70000, but a whole number from 0 to 65535 was expected" in said
    assert any(line.startswith("$TURNOUT_PUBLIC_URL: ") for line in said)


@pytest.mark.parametrize(
    "url", ["https://x.example/?a=1", "https://x.example/#a", "https://x.example:99999", "ftp://x.example"]
)
def test_a_public_url_that_is_more_or_less_than_an_origin_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsInvalid, match="public_url"):
        load({"data": tmp_path}, {"TURNOUT_PUBLIC_URL": url})


def test_the_scheme_of_the_public_url_may_be_written_in_capitals(tmp_path: Path) -> None:
    assert load({"data": tmp_path}, {"TURNOUT_PUBLIC_URL": "HTTPS://x.example/"}).public_url == "https://x.example"


def test_a_number_without_end_is_told_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "turnout.toml").write_text("port = inf")
    with pytest.raises(SettingsInvalid, match="port is inf"):
        load({"data": tmp_path}, {})


def test_a_variable_that_is_no_setting_is_a_warning_since_orchestrators_add_their_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert load({"data": tmp_path}, {"TURNOUT_SERVICE_HOST": "10.0.0.1"}) == Settings(data=tmp_path)
    assert "$TURNOUT_SERVICE_HOST: there is no setting service_host" in caplog.text


def test_a_file_that_is_no_toml_is_told(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("port == 1")
    with pytest.raises(SettingsInvalid, match=r"mine\.toml: can't be read as TOML"):
        load({"data": tmp_path}, {}, file=file)
    with pytest.raises(SettingsInvalid, match="can't be read"):
        load({"data": tmp_path}, {}, file=tmp_path / "missing.toml")


def test_paths_and_numbers_come_from_text(tmp_path: Path) -> None:
    environment = {"TURNOUT_CITY_DATABASE": "/x.mmdb", "TURNOUT_DRAIN_S": "1.5"}
    found = load({"data": tmp_path}, environment)
    assert found.city_database == Path("/x.mmdb")
    assert found.drain_s == 1.5


def test_the_reference_page_names_every_setting_with_its_default() -> None:
    page = (Path(__file__).parents[4] / "docs" / "reference" / "settings.md").read_text()
    for name in Settings.__struct_fields__:
        default = getattr(Settings(), name)
        shown = "" if default in ("", (), None) else f"`{default}`"
        assert f"| `{name}` | `TURNOUT_{name.upper()}` | {shown} |" in page


def test_a_variable_that_is_not_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="TURNOUT_HOST: host is"):
        load({"data": tmp_path}, {"TURNOUT_HOST": "\udcff"})
