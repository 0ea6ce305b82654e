"""The corpus holds no defect, and each kind of defect is refused with one clear line."""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import TOPIC

from server.corpus import Corpus, CorpusError, load_corpora, load_corpus
from server.corpus.check import MAX_GRADE, MAX_WORDS, check_claim, check_folder, unverified_numbers
from server.corpus.labels import DEMANDS, missing
from server.paths import CORPUS, PROMPTS, WEB
from server.reading_level import grade, split_sentences, words
from server.turn import ANSWERED, Claim
from server.verify.support import DOUBT, Asked, Held, Supports

Change = Callable[[Any], None]
CONTRACT_SOURCES = (
    "review abdallah2015 abdallah2021 ahuja2024 albott2018 ballard2014 belujon2014 burrows2023 dadabayev2020 du2022"
    " duek2021 feder2014 girgenti2017 liu2024"
).split()
POINTS = (
    "what it is called|who ran it|why it was done|where and when|who took part|what was given"
    "|what it was compared with|what was found|unwanted effects|follow-up and where to read more"
).split("|")
FEDER = "sources/feder2014.yaml"


# The real corpus


def test_the_real_corpus_has_no_defect() -> None:
    assert check_folder(CORPUS) == []


def test_the_sources_are_those_of_the_contract(corpus: Corpus) -> None:
    assert set(corpus.sources) == set(CONTRACT_SOURCES)


def test_the_review_s_passages_are_word_for_word(corpus: Corpus) -> None:
    passages = [p for p in corpus.passages.values() if p.words == "review"]
    assert len(passages) >= 10
    assert {p.source for p in passages} == {"review"}
    assert all(p.text in corpus.review for p in passages)


def test_read_works_have_three_claims_and_the_others_one(corpus: Corpus) -> None:
    counts = Counter(source for claim in corpus.claims.values() for source in claim.sources)
    for key, source in corpus.sources.items():
        least = 1 if source.read == "not_found" else 3
        assert counts[key] >= least, f"{key}: {counts[key]} claims"


def test_each_of_the_13_works_has_the_ten_study_points_in_order(corpus: Corpus) -> None:
    works = [source for key, source in corpus.sources.items() if key != "review"]
    assert len(works) == 13
    for source in works:
        assert [point.point for point in source.study] == POINTS, source.key
        unsaid = "Not known" if "not_identified" in source.labels else "not in the abstract"
        uncited = {point.value for point in source.study if point.passage is None and point.point != POINTS[-1]}
        assert uncited <= {unsaid}, source.key


def test_study_points_cite_passages_of_their_own_work(corpus: Corpus) -> None:
    cited = [(s.key, p.passage) for s in corpus.sources.values() for p in s.study if p.passage is not None]
    assert all(corpus.passages[passage].source == key for key, passage in cited)


def test_every_figure_of_our_summaries_says_where_it_was_read(corpus: Corpus) -> None:
    numbered = [
        (source.key, record)
        for source in corpus.sources.values()
        for record in source.passages
        if record.words == "our_summary" and re.search(r"(?<![\w.-])\d", record.text)
    ]
    assert [record.id for _, record in numbered if not record.figures] == []


def test_small_means_under_100_people(corpus: Corpus) -> None:
    for source in corpus.sources.values():
        if source.people is not None and source.people > 1:
            assert (source.people < 100) == ("small" in source.labels), source.key


def test_nobody_has_signed_what_nobody_signed(corpus: Corpus) -> None:
    assert all(claim.signed_by == () for claim in corpus.claims.values())


def test_every_kind_of_question_has_examples_and_every_answer_a_lead(corpus: Corpus) -> None:
    assert set(corpus.examples) == {brief.id for brief in corpus.briefs.values() if not brief.marked}
    for brief in corpus.briefs.values():
        if brief.outcome in ANSWERED:
            assert brief.lead or brief.premise or brief.aspect, brief.id
        assert (brief.reason is None) == (brief.outcome in ANSWERED), brief.id


def test_general_forms_name_briefs_that_exist(corpus: Corpus) -> None:
    named = [brief.without_study for brief in corpus.briefs.values() if brief.without_study]
    named += [corpus.topic.study_brief, *corpus.topic.screen_briefs.values()]
    assert [name for name in named if name not in corpus.briefs] == []
    claims = [corpus.topic.fallback_unknown, *corpus.topic.both_sides]
    assert [claim for claim in claims if claim not in corpus.claims] == []


def test_content_rooms_hold_no_code() -> None:
    assert [path.name for room in (CORPUS, PROMPTS, WEB) for path in room.rglob("*.py*")] == []


def test_the_hash_is_of_every_file(tree: Path) -> None:
    before = load_corpora(tree)[TOPIC].hash
    assert load_corpora(tree)[TOPIC].hash == before
    path = tree / TOPIC / "glossary.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\n# a note\n", encoding="utf-8")
    assert load_corpora(tree)[TOPIC].hash != before


def test_help_lines_never_checked_are_told() -> None:
    notes = unverified_numbers(date(2100, 1, 1))
    assert len(notes) >= 7
    assert [note for note in notes if not re.fullmatch(r"[A-Z]{2} .+: (?:never|last) checked [\w-]+", note)] == []


# Planted defects


class Unasked(Supports):
    """The verifier, asked of nothing: each claim has what it needs, with a doubt or without."""

    def __init__(self) -> None:
        pass

    def verdicts(self, wanted: Sequence[Asked]) -> list[Held]:
        return [Held(DOUBT) for _ in wanted]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of corpus/ to plant defects in; support is left to tests/test_support.py."""
    monkeypatch.setattr("server.corpus.check._supports", Unasked)
    return Path(shutil.copytree(CORPUS, tmp_path / "corpus"))


def edit(tree: Path, name: str, change: Change) -> None:
    """Change one file of the topic; `../common/…` reaches the shared ones."""
    path = tree / TOPIC / name
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    change(data)
    path.write_text(yaml.dump(data, Dumper=yaml.CSafeDumper, allow_unicode=True), encoding="utf-8")


def the_one_line(tree: Path, *named: str) -> str:
    """The only defect found; it is one short line that names each of `named`."""
    found = check_folder(tree)
    assert len(found) == 1, found
    assert "\n" not in found[0]
    assert len(found[0]) < 400
    for name in named:
        assert name in found[0]
    return found[0]


def with_claim(tree: Path, source: str = "feder2014", **fields: Any) -> str:
    """Plants a claim in a source and returns its id. It holds but for the given fields."""
    record = {
        "id": f"{source}.c.planted",
        "text": "In a small trial, PTSD scores were lower after ketamine than after midazolam.",
        "passages": ["feder2014.results.1"],
        "topics": ["works"],
        "direction": "benefit",
        "certainty": "low",
    }
    edit(tree, f"sources/{source}.yaml", lambda data: data["claims"].append(record | fields))
    return str(record["id"])


def first(items: list[Any], key: str, value: str) -> Any:
    """The item whose `key` is `value`."""
    return next(item for item in items if item[key] == value)


def test_the_copy_and_the_planted_claim_hold(tree: Path) -> None:
    with_claim(tree)
    assert check_folder(tree) == []


def test_a_claim_without_a_passage(tree: Path) -> None:
    name = with_claim(tree, passages=[], text="PTSD scores were lower after ketamine.")
    assert "cites no passage" in the_one_line(tree, name)


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("In a small trial of 42 adults, PTSD scores were lower after ketamine.", "42"),
        ("In a small trial, PTSD scores were lower 25 hours after ketamine.", "25"),
        ("In a small trial, PTSD scores were lower 24 days after ketamine.", "24 (day)"),
        ("In a small trial, 41% of adults had lower PTSD scores after ketamine.", "41 (percent)"),
        ("In a small trial of forty adults, PTSD scores were lower after ketamine.", "40"),
    ],
)
def test_a_figure_that_its_passages_lack(tree: Path, text: str, figure: str) -> None:
    assert f"the figure {figure}" in the_one_line(tree, with_claim(tree, text=text))


PER_CLAIM = {
    "animal": ("girgenti2017", "girgenti2017.results.1", "Ketamine sped up the unlearning of fear."),
    "depression_only": ("ballard2014", "ballard2014.methods.1", "The study took in people."),
    "no_comparison_group": ("albott2018", "albott2018.methods.1", "This small study gave ketamine to veterans."),
    "single_case": ("ahuja2024", "ahuja2024.background.1", "We read only its title: traits became worse."),
    "small": ("feder2014", "feder2014.results.1", "PTSD scores were lower after ketamine than after midazolam."),
    "narrative_review": ("abdallah2015", "abdallah2015.limits.1", "It is about depression, and not a full search."),
    "abstract_not_read": ("ahuja2024", "ahuja2024.background.1", "In one case, traits became worse with ketamine."),
    "not_identified": ("liu2024", "liu2024.background.1", "The review names a work by Liu."),
}


def test_every_label_that_demands_words_of_a_claim_is_tried() -> None:
    assert set(PER_CLAIM) == set(DEMANDS) - {"later_version"}


@pytest.mark.parametrize("label", PER_CLAIM)
def test_a_claim_without_the_words_of_a_label(tree: Path, label: str) -> None:
    source, passage, text = PER_CLAIM[label]
    name = with_claim(tree, source, text=text, passages=[passage], certainty="none", direction="none")
    assert f"label {label!r} of {source}" in the_one_line(tree, name)


def test_an_animal_study_is_called_one_even_beside_another_source(tree: Path) -> None:
    text = "Ketamine helped to unlearn a fear, and in a small trial PTSD scores were lower."
    name = with_claim(tree, text=text, passages=["feder2014.results.1", "girgenti2017.results.1"])
    assert "label 'animal' of girgenti2017" in the_one_line(tree, name)


def test_a_claim_of_several_sources_need_not_say_each_label(tree: Path) -> None:
    passages = ["feder2014.results.1", "dadabayev2020.results.1"]
    with_claim(tree, text="PTSD scores were lower after ketamine.", passages=passages)
    assert check_folder(tree) == []


def test_two_labels_are_not_asked_of_each_claim(corpus: Corpus) -> None:
    """`preprint` stands on the source; `later_version` is asked of the answer (tests/test_verify.py)."""
    assert corpus.sources["abdallah2021"].labels == ("preprint", "later_version")
    plain = [c for c in corpus.claims.values() if c.sources == ("abdallah2021",) and "version" not in c.text]
    assert plain
    assert [defect for claim in plain for defect in check_claim(claim, corpus)] == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (FEDER, lambda d: d.update(colour="blue")),
        (FEDER, lambda d: d["claims"][0].update(colour="blue")),
        (FEDER, lambda d: d["passages"][0].update(colour="blue")),
        (FEDER, lambda d: d["study"][0].update(colour="blue")),
        ("claims.yaml", lambda d: d["claims"][0].update(colour="blue")),
        ("briefs.yaml", lambda d: d["briefs"][0].update(colour="blue")),
        ("coverage.yaml", lambda d: d["subjects"][0].update(colour="blue")),
        ("context.yaml", lambda d: d["cards"][0].update(colour="blue")),
        ("glossary.yaml", lambda d: d["terms"][0].update(colour="blue")),
        ("audit.yaml", lambda d: d.update(colour="blue")),
        ("topic.yaml", lambda d: d.update(colour="blue")),
        ("../common/briefs.yaml", lambda d: d["briefs"][0].update(colour="blue")),
    ],
)
def test_an_unknown_key(tree: Path, name: str, change: Change) -> None:
    edit(tree, name, change)
    the_one_line(tree, Path(name).name, "colour")


@pytest.mark.parametrize("name", ["claims.yaml", "briefs.yaml", "coverage.yaml", "context.yaml", "glossary.yaml"])
def test_an_unknown_key_beside_a_list(tree: Path, name: str) -> None:
    edit(tree, name, lambda data: data.update(colour="blue"))
    the_one_line(tree, name)


@pytest.mark.parametrize(
    ("name", "change", "identifier"),
    [
        (FEDER, lambda d: d["claims"].append(d["claims"][0]), "feder2014.c.result"),
        (FEDER, lambda d: d["passages"].append(d["passages"][0]), "feder2014.background.1"),
        (FEDER, lambda d: d.update(key="du2022"), "du2022"),
        ("claims.yaml", lambda d: d["claims"].append(d["claims"][0]), "joint.c.mixed"),
        ("claims.yaml", lambda d: d["claims"][0].update(id="feder2014.c.result"), "feder2014.c.result"),
        ("briefs.yaml", lambda d: d["briefs"].append(d["briefs"][0]), "works.overall"),
        ("briefs.yaml", lambda d: d["briefs"][0].update(id="off_topic"), "off_topic"),
        ("coverage.yaml", lambda d: d["subjects"].append(d["subjects"][0]), "nightmares"),
        ("questions-other.yaml", lambda d: d["briefs"].update({"meta.identity": ["Who are you?"]}), "meta.identity"),
    ],
)
def test_a_duplicate_id(tree: Path, name: str, change: Change, identifier: str) -> None:
    edit(tree, name, change)
    assert "duplicate" in the_one_line(tree, repr(identifier))


def test_a_sentence_of_29_words(tree: Path) -> None:
    text = "In a small trial the PTSD scores of adults were lower 24 hours after 1 ketamine drip than after midazolam"
    longer = text + " and this is the main thing that it told"
    assert len(words(longer)) == MAX_WORDS + 1
    assert "a sentence of 29 words (at most 28)" in the_one_line(tree, with_claim(tree, text=longer + "."))


def test_a_sentence_of_28_words(tree: Path) -> None:
    text = "In a small trial the PTSD scores of adults were lower 24 hours after 1 ketamine drip than after midazolam"
    shorter = text + " and this is the main thing that told"
    assert len(words(shorter)) == MAX_WORDS
    with_claim(tree, text=shorter + ".")
    assert check_folder(tree) == []


def test_a_sentence_above_grade_10(tree: Path) -> None:
    text = (
        "Significantly lower symptom severity characterised randomized individuals, this small investigation reported."
    )
    assert "a sentence of grade" in the_one_line(tree, with_claim(tree, text=text), "at most 10")


@pytest.mark.parametrize(
    "text", ["It was 0.5 mg/kg in this small trial.", "This small trial gave 0.5 mg/kg of ketamine."]
)
def test_a_dose(tree: Path, text: str) -> None:
    assert "dose" in the_one_line(tree, with_claim(tree, text=text, passages=["feder2014.methods.2"]))


@pytest.mark.parametrize("word", ["leading", "breakthrough", "miracle", "proven", "best"])
def test_promotion(tree: Path, word: str) -> None:
    text = f"In a small trial, ketamine was a {word} treatment for PTSD symptoms after midazolam."
    assert "promotion" in the_one_line(tree, with_claim(tree, text=text), repr(word))


def test_a_claim_that_cites_an_unknown_passage(tree: Path) -> None:
    name = with_claim(tree, passages=["feder2014.results.99"])
    the_one_line(tree, name, "feder2014.results.99")


def test_a_claim_with_an_unknown_topic(tree: Path) -> None:
    assert "unknown topic 'gardening'" in the_one_line(tree, with_claim(tree, topics=["gardening"]))


@pytest.mark.parametrize("field", ["direction", "certainty"])
def test_a_claim_with_a_value_outside_the_closed_lists(tree: Path, field: str) -> None:
    with_claim(tree, **{field: "great"})
    the_one_line(tree, "feder2014.yaml", field)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda b: b.update(lead="joint.c.nowhere"), "unknown claim 'joint.c.nowhere'"),
        (lambda b: b.update(premise="joint.c.nowhere"), "unknown claim 'joint.c.nowhere'"),
        (lambda b: b["points"].append("joint.c.nowhere"), "unknown claim 'joint.c.nowhere'"),
        (lambda b: b["unknown"].append("joint.c.nowhere"), "unknown claim 'joint.c.nowhere'"),
        (lambda b: b.update(fixed=["nowhere"]), "unknown fixed sentence 'nowhere'"),
        (lambda b: b.update(coverage=["nowhere"]), "unknown subject 'nowhere'"),
        (lambda b: b.update(next_step="nowhere"), "unknown next step 'nowhere'"),
        (lambda b: b.update(card="nowhere"), "unknown card 'nowhere'"),
        (lambda b: b.update(conflict="nowhere"), "unknown conflict 'nowhere'"),
    ],
)
def test_a_brief_that_names_what_is_not_there(tree: Path, change: Change, told: str) -> None:
    edit(tree, "briefs.yaml", lambda data: change(first(data["briefs"], "id", "works.overall")))
    assert told in the_one_line(tree, "works.overall")


def test_a_brief_without_examples_and_examples_without_a_brief(tree: Path) -> None:
    edit(tree, "questions-evidence.yaml", lambda d: d["briefs"].update({"works.all": d["briefs"].pop("works.overall")}))
    found = check_folder(tree)
    assert found == [
        "works.overall: no example question",
        "works.all: examples of an unknown kind of question",
    ]


def test_a_silence_that_a_passage_contradicts(tree: Path) -> None:
    def speak(data: Any) -> None:
        first(data["passages"], "id", "feder2014.harms.1")["text"] += " Some told of nightmares."

    edit(tree, FEDER, speak)
    assert "coverage nightmares" in the_one_line(tree, "feder2014.harms.1")


def test_a_silence_about_a_source_that_reports_is_no_defect(tree: Path) -> None:
    def speak(data: Any) -> None:
        first(data["passages"], "id", "feder2014.harms.1")["text"] += " Some told of nightmares."

    edit(tree, FEDER, speak)
    edit(
        tree,
        "coverage.yaml",
        lambda d: first(d["subjects"], "id", "nightmares")["sources"].update(feder2014="reported"),
    )
    assert check_folder(tree) == []


def test_coverage_of_an_unknown_source(tree: Path) -> None:
    edit(tree, "coverage.yaml", lambda d: first(d["subjects"], "id", "sleep")["sources"].update(doe1999="reported"))
    the_one_line(tree, "coverage sleep", "doe1999")


def test_a_review_passage_that_is_not_word_for_word(tree: Path) -> None:
    def reword(data: Any) -> None:
        first(data["passages"], "id", "review.title.1")["text"] = "Ketamine is the leading treatment for PTSD"

    edit(tree, "sources/review.yaml", reword)
    the_one_line(tree, "review.title.1", "not word for word")


def test_a_passage_id_of_another_form(tree: Path) -> None:
    record = {"id": "feder.extra", "section": "limits", "words": "our_summary", "text": "One site."}
    edit(tree, FEDER, lambda data: data["passages"].append(record))
    the_one_line(tree, "feder.extra")


def test_a_study_card_that_cites_an_unknown_passage(tree: Path) -> None:
    edit(tree, FEDER, lambda data: data["study"][0].update(passage="feder2014.title.7"))
    the_one_line(tree, "feder2014", "feder2014.title.7")


def test_an_audit_that_cites_an_unknown_passage(tree: Path) -> None:
    edit(tree, "audit.yaml", lambda data: data["audit"][0].update(passages=["feder2014.title.7"]))
    the_one_line(tree, "audit ", "feder2014.title.7")


def test_a_conflict_that_cites_an_unknown_passage(tree: Path) -> None:
    edit(tree, "audit.yaml", lambda data: data["conflicts"][0]["sides"][0].update(passage="feder2014.title.7"))
    the_one_line(tree, "conflict ", "feder2014.title.7")


def test_a_work_that_no_claim_cites(tree: Path) -> None:
    def strip(data: Any) -> None:
        data.update(key="doe1999", study=[], claims=[])
        data["passages"] = [
            {"id": "doe1999.limits.1", "section": "limits", "words": "our_summary", "text": "One site."}
        ]

    shutil.copy(tree / TOPIC / FEDER, tree / TOPIC / "sources" / "doe1999.yaml")
    edit(tree, "sources/doe1999.yaml", strip)
    assert "no claim cites it" in the_one_line(tree, "doe1999")


FILES = (
    f"{FEDER} claims.yaml briefs.yaml coverage.yaml context.yaml glossary.yaml audit.yaml topic.yaml"
    " questions-other.yaml ../common/briefs.yaml ../common/questions.yaml"
).split()


@pytest.mark.parametrize("name", FILES)
def test_broken_yaml(tree: Path, name: str) -> None:
    path = tree / TOPIC / name
    path.write_text(path.read_text(encoding="utf-8") + "\n  - {[: broken\n", encoding="utf-8")
    assert "line" in the_one_line(tree, path.name)


@pytest.mark.parametrize("name", [*FILES, "review.md"])
def test_broken_utf_8(tree: Path, name: str) -> None:
    path = tree / TOPIC / name
    path.write_bytes(path.read_bytes() + b"\n# \xff\xfe\x80\n")
    the_one_line(tree, path.name)


@pytest.mark.parametrize("name", FILES)
def test_an_empty_file(tree: Path, name: str) -> None:
    path = tree / TOPIC / name
    path.write_text("", encoding="utf-8")
    found = check_folder(tree)
    assert found
    assert [line for line in found if path.name not in line] == []


@pytest.mark.parametrize("name", ["claims.yaml", "briefs.yaml", "glossary.yaml"])
def test_a_list_item_that_is_no_record(tree: Path, name: str) -> None:
    key = {"claims.yaml": "claims", "briefs.yaml": "briefs", "glossary.yaml": "terms"}[name]
    edit(tree, name, lambda data: data[key].append("just words"))
    the_one_line(tree, name)


@pytest.mark.parametrize("name", ["briefs.yaml", "audit.yaml", "coverage.yaml", "review.md", "../common/briefs.yaml"])
def test_a_missing_file(tree: Path, name: str) -> None:
    (tree / TOPIC / name).unlink()
    the_one_line(tree, Path(name).name)


def test_a_folder_without_a_topic(tmp_path: Path) -> None:
    assert check_folder(tmp_path) == [f"no topic found under {tmp_path.name}/"]
    with pytest.raises(CorpusError):
        load_corpora(tmp_path)
    with pytest.raises(CorpusError, match="yaml"):
        load_corpus(tmp_path)


# What the checks lean on


def test_missing_asks_only_for_labels_that_the_source_carries(corpus: Corpus) -> None:
    assert missing("nothing said", corpus.sources["du2022"], DEMANDS) == []
    assert missing("nothing said", corpus.sources["feder2014"], DEMANDS) == ["small"]
    assert missing("nothing said", corpus.sources["feder2014"], {"animal"}) == []
    assert missing("a small one", corpus.sources["duek2021"], DEMANDS) == ["later_version"]


def test_every_sentence_of_every_claim_is_short_and_plain(corpus: Corpus) -> None:
    names = (*corpus.topic.drug_names, *corpus.topic.study_names)

    def hard(claim: Claim) -> bool:
        levels = [grade(sentence, names, min_words=1) or 0.0 for sentence in split_sentences(claim.text)]
        return max(levels) > MAX_GRADE

    assert [claim.id for claim in corpus.claims.values() if hard(claim)] == []
