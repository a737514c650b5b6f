"""The ledger of claims, its table in the README, and the numbers of the article."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typst
import yaml

from paper import readme, typeset, verdicts

ROOT = Path(__file__).parents[2]
SECTIONS = ROOT / "paper" / "sections"
CLAIMS = verdicts.load()


def claim(**entries: Any) -> dict[str, Any]:
    known = {"kind": "claim", "statement": "Errors fall.", "source": "Section 1", "found": "quoted"}
    return {**known, **entries}


RATE = claim(reproduced="0.8 <= fit.slope <= 1.2 and fit.r_squared > 0.9", in_part="fit.slope > 0")


@pytest.mark.parametrize(
    ("slope", "r_squared", "expected"),
    [
        (1.0, 0.99, "reproduced"),
        (1.0, 0.5, "in part"),
        (1.3, 0.99, "in part"),
        (-1.0, 0.99, "not reproduced"),
    ],
)
def test_the_first_rule_that_holds_decides(slope: float, r_squared: float, expected: str) -> None:
    numbers = {"fit": {"slope": slope, "r_squared": r_squared}}
    assert verdicts.decide(RATE, numbers) == expected


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("bound", 2.0, "respected and sharp"),
        ("bound", 1.0, "respected"),
        ("bound", 0.0, "violated"),
        ("question", 2.0, "supported"),
        ("question", 1.0, "contradicted"),
        ("question", 0.0, "undecided"),
        ("observation", 2.0, "holds"),
        ("observation", 1.0, "holds in part"),
        ("observation", 0.0, "does not hold"),
    ],
)
def test_every_kind_has_its_verdicts(kind: str, value: float, expected: str) -> None:
    first, second = verdicts.KINDS[kind].verdicts
    entry = {"kind": kind, first: "fit.value > 1.5", second: "fit.value > 0.5"}
    assert verdicts.decide(entry, {"fit": {"value": value}}) == expected


def test_a_further_reading_leaves_the_first_verdict() -> None:
    """It has a verdict and numbers of its own."""
    refined = {"why": "Logarithms were left out.", "reproduced": "fit.bare <= 1"}
    entry = claim(reproduced="fit.slope <= 1", refined=refined)
    numbers = {"fit": {"slope": 1.4, "bare": 0.9}}
    (record,) = verdicts.ledger({"rate": entry}, numbers)
    assert record["verdict"] == "not reproduced"
    assert record["evidence"] == {"fit.slope": 1.4}
    assert record["readings"]["refined"]["verdict"] == "reproduced"
    assert record["readings"]["refined"]["evidence"] == {"fit.bare": 0.9}
    assert verdicts.evidence([record]) == numbers
    assert verdicts.number_files({"rate": entry}) == {"fit"}


def test_a_claim_without_rules_is_not_testable() -> None:
    assert verdicts.decide(claim(not_testable="No data."), {}) == "not testable here"


def test_a_missing_number_stops() -> None:
    with pytest.raises(KeyError, match="no number 'r_squared' in the numbers of 'fit'"):
        verdicts.decide(RATE, {"fit": {"slope": 1.0}})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (claim(reproduced="a.b > 0", verdict="reproduced"), "key.*verdict.*computed"),
        (claim(supported="a.b > 0"), "key.*supported"),
        (claim(), "either rules or not_testable"),
        (claim(reproduced="a.b > 0", not_testable="why"), "either rules"),
        (claim(reproduced="a.b > 0", source=""), "lacks source"),
        (claim(reproduced="a.b > 0", found="heard"), "found as 'heard': expected one of quoted"),
        (claim(reproduced="a.b > 0", kind="rumour"), "kind 'rumour': expected one of claim"),
        (claim(supported="a.b > 0", kind="question"), "lacks where"),
        (claim(reproduced="a.b > 0", refined={"reproduced": "a.c > 0"}), "needs why"),
        (claim(reproduced="a.b > 0", sharper={"why": "It can fail."}), "needs why: and rules"),
    ],
)
def test_malformed_claims_are_refused(tmp_path: Path, entry: dict[str, Any], message: str) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump({"errors-fall": entry}), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        verdicts.load(path)


def check(records: list[dict[str, Any]]) -> None:
    """Check that the ledger follows from the rules of claims and the numbers that it records."""
    assert records == verdicts.ledger(CLAIMS, verdicts.evidence(records))


def test_no_verdict_is_typed_by_hand() -> None:
    records = json.loads(readme.LEDGER.read_text(encoding="utf-8"))
    check(records)
    text = readme.README.read_text(encoding="utf-8")
    assert text == readme.embed(text, readme.table(records))


@pytest.mark.parametrize("verdict", ["reproduced", "in part", "not reproduced"])
def test_a_typed_verdict_is_refused(verdict: str) -> None:
    records = json.loads(readme.LEDGER.read_text(encoding="utf-8"))
    typed = next(record for record in records if record["verdict"] != verdict)
    typed["verdict"] = verdict
    with pytest.raises(AssertionError):
        check(records)


def test_a_typed_readme_is_refused() -> None:
    records = json.loads(readme.LEDGER.read_text(encoding="utf-8"))
    text = readme.README.read_text(encoding="utf-8")
    typed = text.replace("**reproduced**", "**in part**", 1)
    assert typed != text
    assert typed != readme.embed(typed, readme.table(records))


def test_only_claims_of_the_paper_are_counted() -> None:
    records = json.loads(readme.LEDGER.read_text(encoding="utf-8"))
    claims = [record["verdict"] for record in records if record["kind"] == "claim"]
    said = readme.tally(records)
    assert said.startswith(f"Of {len(claims)} claims: {claims.count('reproduced')} reproduced,")
    assert sum(int(number) for number in re.findall(r"\d+", said)[1:]) == len(claims)


def test_every_claim_is_discussed_once() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SECTIONS.glob("*.typ"))
    assert sorted(re.findall(r'#claim\("([^"]+)"\)', text)) == sorted(CLAIMS)


def test_every_section_is_part_of_the_article() -> None:
    main = (ROOT / "paper" / "main.typ").read_text(encoding="utf-8")
    assert {f"sections/{path.name}" for path in SECTIONS.glob("*.typ")} == set(
        re.findall(r'#include "([^"]+)"', main)
    )


def test_no_measured_number_is_typed() -> None:
    """All decimals in the prose are one of these settings. Results come through num()."""
    settings = {"0.007", "0.01", "0.1", "0.3", "0.4", "0.5", "0.05", "0.001", "1.1"}
    settings |= {"0.03", "0.8", "1.25", "2.5"}  # of the comparison and of the calibration
    for path in SECTIONS.glob("*.typ"):
        prose = re.sub(
            r"//.*|#?(?:num|rate|percent)\([^)]*\)|\d+(?:\.\d+)?(?:pt|em|%)",
            "",
            path.read_text(encoding="utf-8"),
        )
        prose = re.sub(r"^#guard\(.*$", "", prose, flags=re.MULTILINE)
        prose = re.sub(r"[A-Za-z_-]+: *[\d.]+", "", prose)
        assert set(re.findall(r"\d+\.\d+", prose)) <= settings, path.name


def test_no_semicolon_is_eaten() -> None:
    """Typst reads a semicolon after a call as the end of the call, and does not print it."""
    for path in SECTIONS.glob("*.typ"):
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r"#(?:num|rate|percent)\([^)]*\);", text), path.name


@pytest.fixture
def article(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An article that quotes one number with the real library of the article."""
    monkeypatch.setattr(typeset, "ROOT", tmp_path)
    (tmp_path / "lib.typ").write_text(
        (ROOT / "paper" / "lib.typ").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (tmp_path / "results" / "numbers").mkdir(parents=True)
    (tmp_path / "results" / "verdicts.json").write_text("[]", encoding="utf-8")
    source = tmp_path / "main.typ"
    source.write_text('#import "lib.typ": *\n#num("fit", "slope")', encoding="utf-8")
    return source


def test_an_article_is_typeset(article: Path, tmp_path: Path) -> None:
    (tmp_path / "results" / "numbers" / "fit.json").write_text('{"slope": -1.0}', encoding="utf-8")
    typeset.typeset(article, tmp_path / "paper.pdf", "results")
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF-")


def test_a_missing_number_or_file_stops_the_article(article: Path, tmp_path: Path) -> None:
    with pytest.raises(typst.TypstError, match="not found"):
        typeset.typeset(article, tmp_path / "paper.pdf", "results")
    (tmp_path / "results" / "numbers" / "fit.json").write_text(
        '{"intercept": -1.0}', encoding="utf-8"
    )
    with pytest.raises(typst.TypstError, match="no number slope in the numbers of fit"):
        typeset.typeset(article, tmp_path / "paper.pdf", "results")
    assert not (tmp_path / "paper.pdf").exists()


def test_a_sentence_that_is_no_longer_true_stops_the_article(article: Path, tmp_path: Path) -> None:
    """At default scale; the sentences were not written for other scales."""
    article.write_text(
        '#import "lib.typ": *\n#guard("fit", "errors fall", n => n.slope < 0)', encoding="utf-8"
    )
    (tmp_path / "results" / "smoke" / "numbers").mkdir(parents=True)
    (tmp_path / "results" / "smoke" / "verdicts.json").write_text("[]", encoding="utf-8")
    for slope, folder in ((-1.0, "results"), (1.0, "results/smoke")):
        (tmp_path / folder / "numbers" / "fit.json").write_text(
            f'{{"slope": {slope}}}', encoding="utf-8"
        )
        typeset.typeset(article, tmp_path / "paper.pdf", folder)
    (tmp_path / "results" / "numbers" / "fit.json").write_text('{"slope": 1.0}', encoding="utf-8")
    with pytest.raises(typst.TypstError, match="no longer true by the numbers of fit: errors fall"):
        typeset.typeset(article, tmp_path / "paper.pdf", "results")


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (0.0, 3, ["0", 0]),
        (-0.8012, 2, ["\u22120.80", 0]),
        (1234.0, 2, ["1234", 0]),
        (1234.5, 3, ["1235", 0]),
        (3.14159, 3, ["3.14", 0]),
        (2.0e-4, 2, ["2.0", -4]),
        (-4.44e-16, 3, ["\u22124.44", -16]),
        (0.00123, 2, ["0.0012", 0]),
    ],
)
def test_how_numbers_are_shown(
    article: Path, value: float, digits: int, expected: list[object]
) -> None:
    assert shown(article, f"rounded({value!r}, digits: {digits})") == expected


def shown(article: Path, code: str) -> Any:
    """The value of an expression in the library of the article, read back from the compiler."""
    article.write_text(f'#import "lib.typ": *\n#metadata({code}) <shown>', encoding="utf-8")
    answer = typst.query(
        *(article, "<shown>"),
        field="value",
        one=True,
        root=article.parent,
        sys_inputs={"results": "/results"},
    )
    return json.loads(answer)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rtk_power_high", "RTK exponent, upper end"),
        ("mala_above_uld_at_most", "MALA above ULD at the largest NFE"),
        ("girsanov_bound_ratio_max", "largest Girsanov bound ratio"),
        ("smallest_at_eta_star", "smallest at η*"),
    ],
)
def test_names_of_numbers_are_words(article: Path, name: str, expected: str) -> None:
    assert shown(article, f'words("{name}")') == expected


def test_a_rule_is_printed_in_words(article: Path) -> None:
    rule = "a.uld_power_low >= 1 - 1e-6 and a.uld_power == 0.5 * b.cells"
    expected = "ULD exponent, lower end ≥ 1 − 0.000001 and ULD exponent = 0.5 × cases"
    assert shown(article, f'rule-in-words("{rule}")') == expected
