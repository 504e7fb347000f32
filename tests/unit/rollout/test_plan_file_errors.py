"""What cannot be used in release.toml is named with its remedy; which environment a command works on."""

from __future__ import annotations

from pathlib import Path

import pytest
from plan_files import HEAD, Read, problems, reader

from rollout.errors import BadInput
from rollout.plan_file import BadFile, read_release_file
from rollout.toml_reader import BYTES_MAX


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return reader(tmp_path)


class TestOtherMistakes:
    """Names, texts, tables, and whole files that cannot be used."""

    @pytest.mark.parametrize(
        ("text", "key", "words"),
        [
            (HEAD + "[plam]\n", "plam", "Did you mean plan?"),
            (HEAD + '"a b" = 1\n', "environments.sandbox.'a b'", "Remove it."),
            (HEAD + "[plan]\nsettle_second = 1\n", "plan.settle_second", "Did you mean settle_seconds?"),
            (HEAD + "[plan.gates]\np95_ms = 1\n", "plan.gates.p95_ms", "Did you mean p95_milliseconds_max?"),
            (HEAD + "[plan.gates]\nzzz = 1\n", "plan.gates.zzz", "Remove it."),
            ("schema = 2\n" + HEAD, "schema", "allowed: 1"),
            (HEAD.replace("shop-api", "Shop API"), "release.service", "'Shop API' is not allowed"),
            (HEAD.replace('service = "shop-api"', ""), "release.service", "is missing"),
            (HEAD.replace('"1.1.0"', "1.1"), "release.version", "1.1 is not allowed"),
            (HEAD + '[release.image]\ntag = "x"', "release.image", "by digest, never by tag"),
            (HEAD.replace('"1.1.0"', '"1"\nimage = "repo:latest"'), "release.image", "never by tag"),
            (HEAD.replace("outputs.json", "${OUTPUTS}"), "environments.sandbox.outputs", "are not replaced"),
            (HEAD + "[environments.sandbox]\ndrills = true", "file", "not valid TOML"),
            (HEAD + "[environments]\nstaging = 1", "environments.staging", "[environments.staging]"),
            (HEAD + '[environments."St aging"]\noutputs = "x"', "environments.'St aging'", "is no name"),
            (HEAD + "[environments.staging]\n", "environments.staging.outputs", "is missing"),
            (HEAD + 'drills = "yes"', "environments.sandbox.drills", "allowed: true or false"),
            ("environments = 3\n[release]\nservice='a'\nversion='1'", "environments", "[environments]"),
            ('[release]\nservice="a"\nversion="1"', "environments.sandbox", "no environment is declared"),
            (HEAD + '[plan]\nshared_incident = "ignore"', "plan.shared_incident", '"rollback" or "hold"'),
            (HEAD + "[plan]\nstability_minutes = 0", "plan.stability_minutes", "1 to 1440"),
            (HEAD + "[[waivers]]\n", "waivers[0].until", "is missing"),
            (HEAD + "[[waivers]]\nuntil = 'soon'", "waivers[0].until", "'soon' is not allowed"),
            (HEAD + "[waivers]\n", "waivers", "[[waivers]]"),
        ],
    )
    def test_it_is_named_with_a_remedy(self, read: Read, text: str, key: str, words: str) -> None:
        assert words in problems(read, text)[key]

    def test_several_are_told_at_once(self, read: Read) -> None:
        """Nobody should have to run a command five times to hear of five mistakes."""
        text = HEAD.replace("shop-api", "-") + "[plan]\nsettle_seconds = 1\nhold = 3\n[plan.dns]\nttl_seconds = 0"

        found = problems(read, text)

        expected = ["release.service", "plan.dns.name", "plan.dns.type", "plan.dns.ttl_seconds"]
        assert set(found) >= {*expected, "plan.settle_seconds", "plan.hold", "plan.dns.values.blue"}

    def test_the_slots_of_a_record_differ(self, read: Read) -> None:
        text = 'name = "a.example"\ntype = "CNAME"\nvalues = { blue = "b.example", green = "b.example", red = "c" }'

        found = problems(read, f"{HEAD}[plan.dns]\n{text}")

        assert set(found) == {"plan.dns.values.green", "plan.dns.values.red"}

    def test_one_waiver_a_control(self, read: Read) -> None:
        one = '[[waivers]]\ncontrol = "PRE-01"\nby = "A"\nreason = "r"\nuntil = 2027-01-01\n'

        assert "a second waiver for PRE-01" in problems(read, HEAD + one + one)["waivers[1].control"]

    def test_a_syntax_error_has_line_and_column(self, read: Read) -> None:
        assert "at line 8, column" in problems(read, HEAD + "[plan]\nsettle_seconds 120\n")["file"]

    @pytest.mark.parametrize(
        ("raw", "words"),
        [
            (b"#" * (BYTES_MAX + 1), "larger than 256 KiB"),
            (b"a = '\xff'", "not UTF-8 at byte 5"),
            (b"a = " + b"[" * 5000 + b"]" * 5000, "nested"),
            (b"a = " + b"[" * 9 + b"]" * 9, "nested more than 8 levels"),
        ],
        ids=["size", "encoding", "recursion", "depth"],
    )
    def test_a_file_out_of_bounds_is_refused(self, tmp_path: Path, raw: bytes, words: str) -> None:
        path = tmp_path / "release.toml"
        path.write_bytes(raw)

        with pytest.raises(BadFile, match=words):
            read_release_file(path)

    def test_the_largest_file_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "release.toml"
        path.write_bytes(HEAD.encode().ljust(BYTES_MAX, b"#"))

        assert read_release_file(path).release.version == "1.1.0"

    def test_no_file_is_an_error_with_a_remedy(self, tmp_path: Path) -> None:
        with pytest.raises(BadFile, match=r"does not exist.*--release-file"):
            read_release_file(tmp_path / "release.toml")
        with pytest.raises(BadFile, match="is not a file"):
            read_release_file(tmp_path)

    def test_an_unreadable_file_is_an_error_with_a_remedy(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Permissions do not stop root, so the operating system's answer is given by hand."""

        def refused(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        (tmp_path / "release.toml").write_text(HEAD)
        monkeypatch.setattr(Path, "open", refused)

        with pytest.raises(BadFile, match="Permission denied"):
            read_release_file(tmp_path / "release.toml")


class TestEnvironments:
    """Which environment a command works on."""

    PRODUCTION = HEAD + '[environments.production]\noutputs = "p.json"'

    def test_the_sandbox_is_the_default_where_nothing_else_is_declared(self, read: Read) -> None:
        assert read(HEAD).environment(None, {}).name == "sandbox"
        assert read(HEAD).environment(None, {"CI": "0"}).name == "sandbox"

    def test_a_real_environment_or_ci_makes_the_name_compulsory(self, read: Read) -> None:
        with pytest.raises(BadInput, match=r"compulsory because .* more than the sandbox.*sandbox, production"):
            read(self.PRODUCTION).environment(None, {})
        with pytest.raises(BadInput, match="compulsory because CI is set"):
            read(HEAD).environment(None, {"CI": "true"})

    def test_a_name_is_found_or_refused_with_the_list(self, read: Read) -> None:
        assert read(self.PRODUCTION).environment("production", {"CI": "1"}).name == "production"
        with pytest.raises(BadInput, match=r"'prod' is not declared.*Declared are: sandbox, production"):
            read(self.PRODUCTION).environment("prod", {})
