"""The perceptual study: a page that is answered in a browser, and rates that are those of known participants."""

import json
import math
import random
import re
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import study
from cyclekit import Landmarks, NetworkSpec
from cyclekit.papers import c2gan
from measuring.judging import fleiss_kappa, read_answers, score_answers

FIGURES = ("mean", "low", "high")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two runs that have learned nothing yet, of a folder with fourteen test pairs."""
    folder = tmp_path_factory.mktemp("runs")
    for split, count in (("train", 1), ("test", 14)):
        (folder / "panels" / split).mkdir(parents=True)
        for number in range(count):
            pixels = np.random.default_rng(number).integers(0, 256, (64, 256, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "panels" / split / f"{number}.png")
    for seed, name in enumerate(("one", "two")):
        torch.manual_seed(seed)
        model = c2gan(Landmarks(3)).graph.build(
            generators=NetworkSpec("unet_64", base_channels=2),
            discriminators=NetworkSpec("patchgan_16", base_channels=2),
            size=(64, 64),
        )
        model.save_pretrained(folder / name / "model")
        options = {"task": "faces", "data": str(folder / "panels"), "panels": "x y Ly Lx", "size": [64, 64]}
        (folder / name / "options.yaml").write_text(yaml.safe_dump(options))
    return [str(folder / name) for name in ("one", "two")]


@pytest.fixture(scope="module")
def pages(runs: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages with two pictures of each kind after the practice, shown for a moment."""
    folder = tmp_path_factory.mktemp("pages")
    found = {kind: folder / f"{kind}.html" for kind in ("real_or_fake", "side_by_side")}
    for kind, page in found.items():
        arguments = ["--kind", kind, "--pictures", "2", "--milliseconds", "30", "--out", str(page)]
        study.main(["make", "--runs", *runs, *arguments])
    return found


def inside(page: Path) -> dict:
    """Return what a page is made of."""
    return json.loads(re.search(r'id="study">(.*)</script>', page.read_text())[1])


def test_the_page_on_the_site_is_made_of_the_template_as_it_is() -> None:
    shown = (study.PAGE.parents[2] / "docs" / "study" / "faces.html").read_text(encoding="utf-8")
    shown = re.sub(r'(?<=id="study">).*(?=</script>)', "STUDY", shown)
    assert re.sub(r"connect-src [^\"]*", "connect-src CONNECT", shown) == study.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["real_or_fake", "side_by_side"])
def test_a_page_shows_nobody_a_target_twice_and_half_of_it_real(pages: dict[str, Path], kind: str) -> None:
    made = inside(pages[kind])
    assert len(set(made["pictures"])) == len(made["pictures"])
    for arm in made["arms"]:
        trials = [*arm["practice"], *arm["trials"]]
        assert len(arm["practice"]) == 10
        assert len({one["trial"] for one in trials}) == len(trials)
        shown = Counter(tuple(one["shown"]) for one in arm["trials"])
        if kind == "real_or_fake":
            assert shown == {("real",): 2, (arm["between"][1],): 2}
            assert sum(one["shown"] == ["real"] for one in arm["practice"]) == 5
        else:
            assert shown == {("one", "two"): 2}
            assert all(one["shown"][0] == "real" for one in arm["practice"])
        numbers = [number for one in trials for number in one["pictures"]]
        assert len(set(numbers)) == len(numbers)


class Answering:
    """A page in a browser, and what it asks of the world."""

    def __init__(self, browser, page: Path, stands_still: bool = False, **options: object) -> None:
        self.context = browser.new_context(accept_downloads=True, **options)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.wrong: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url.partition(":")[0]))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda line: line.type == "error" and self.wrong.append(line.text))
        if stands_still:
            self.page.clock.install()
            self.page.clock.pause_at(time.time() + 60)
        self.page.goto(page.as_uri())
        self.count = 0

    def button(self, name: str):
        return self.page.get_by_role("button", name=name)

    def wait_for_question(self) -> None:
        self.count += 1
        part = "Practice" if self.count <= 10 else "Pictures"
        number = self.count if self.count <= 10 else self.count - 10
        self.page.wait_for_selector(f"#part:text('{part}, {number} of')")
        self.page.get_by_text("?", exact=True).first.wait_for()  # the pictures are gone
        self.page.wait_for_selector("button[data-side='0']:enabled")


def test_a_desk_answers_by_keys_and_saves_a_file(browser, pages: dict[str, Path], tmp_path: Path) -> None:
    there = Answering(browser, pages["real_or_fake"])
    keys = there.page.keyboard
    there.button("Begin").wait_for()
    keys.press("Enter")
    told = Counter()
    for _ in range(10):  # always "made": half of the practice is right
        there.wait_for_question()
        keys.press("ArrowRight")
        there.button("Next").wait_for()
        assert there.page.locator(".stage img").count() == 1  # it is shown again
        told[there.page.text_content(".told")] += 1
        keys.press("Enter")
    assert told == {"Right. It was made by a computer.": 5, "No. It is real.": 5}
    there.button("Go on").wait_for()
    assert "The next 4 pictures count" in there.page.text_content("#words")
    keys.press("Enter")
    said = ["ArrowLeft", "ArrowRight", "j", "f"]
    for number, key in enumerate(said):
        there.wait_for_question()
        assert there.page.text_content(".told") == "Real, or made by a computer?"
        keys.press(key)
        if number < len(said) - 1:
            there.page.wait_for_selector(f"#part:text('Pictures, {number + 2} of')")  # and nothing in between
    there.button("Save the answers").wait_for()
    with there.page.expect_download() as download:
        keys.press("Enter")
    there.page.get_by_text("You can close this page").wait_for()
    assert re.fullmatch(r"answers-[0-9a-f]{12}-[0-9a-z]+\.json", download.value.suggested_filename)
    download.value.save_as(tmp_path / "saved.json")
    there.context.close()
    assert set(there.requests) <= {"file", "data", "blob"}
    assert there.wrong == []

    kept = json.loads((tmp_path / "saved.json").read_text())
    made = inside(pages["real_or_fake"])
    assert kept.keys() == {"study", "kind", "between", "practice", "answers"}  # nothing of the participant
    assert kept["study"] == made["study"]
    arm = next(arm for arm in made["arms"] if arm["between"] == kept["between"])
    for part, of_page in (("practice", arm["practice"]), ("answers", arm["trials"])):
        shown = {one["trial"]: one["shown"] for one in of_page}
        assert {one["trial"]: one["shown"] for one in kept[part]} == shown
    assert [one["answer"] for one in kept["answers"]] == ["real", "fake", "fake", "real"]
    participant = read_answers(tmp_path / "saved.json")
    assert participant.right == 5
    model = score_answers([participant], right=0)["scores"][kept["between"][1]]
    taken = [one["answer"] == "real" for one in kept["answers"] if one["shown"] != ["real"]]
    assert model["G2R"]["mean"] == sum(taken) / 2
    assert model["G2R"]["low"] is None  # one participant says nothing of others


def test_a_picture_is_shown_for_its_second(browser, runs: list[str], tmp_path: Path) -> None:
    """The page's clock stands still but for what the test lets pass."""
    study.main(["make", "--runs", runs[0], "--pictures", "1", "--out", str(tmp_path / "study.html")])
    there = Answering(browser, tmp_path / "study.html", stands_still=True)
    there.button("Begin").click()
    there.page.clock.run_for(499)
    assert there.page.text_content(".stage") == "+"
    there.page.clock.run_for(1)
    there.page.locator(".stage img").wait_for()
    there.page.clock.run_for(100)  # the painting
    there.button("Real").wait_for()
    there.page.clock.run_for(880)
    assert there.page.locator(".stage img").count() == 1
    there.page.clock.run_for(120)
    assert there.page.text_content(".stage") == "?"
    there.context.close()


def test_a_phone_answers_by_touch_and_sends(browser, runs: list[str], tmp_path: Path) -> None:
    received: list[dict] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    page = tmp_path / "new" / "study.html"
    address = f"http://127.0.0.1:{server.server_port}/answers"
    options = ["--kind", "side_by_side", "--pictures", "1", "--milliseconds", "30", "--send", address]
    study.main(["make", "--runs", *runs, *options, "--out", str(page)])
    there = Answering(browser, page, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    there.button("Begin").tap()
    for _ in range(10):
        there.wait_for_question()
        assert there.page.evaluate("document.documentElement.scrollWidth") == 390
        there.button("Left").tap()
        there.button("Next").tap()
    assert "The next 1 pair counts" in there.page.text_content("#words")
    there.button("Go on").tap()
    there.wait_for_question()
    there.button("Right").tap()
    there.button("Send").tap()
    there.page.get_by_text("They have arrived").wait_for()
    server.shutdown()
    server.server_close()
    there.context.close()
    assert there.wrong == []
    (answers,) = received
    assert answers["between"] == ["one", "two"]
    assert answers["answers"][0]["answer"] in ("one", "two")
    assert len({one["answer"] for one in answers["practice"]}) > 1  # sides are drawn; a miss once in 500


def test_answers_that_cannot_be_sent_are_saved(browser, pages: dict[str, Path], tmp_path: Path) -> None:
    """The page reaches its maker's address alone: here nobody is there."""
    made = inside(pages["real_or_fake"])
    for arm in made["arms"]:
        arm |= {"practice": [], "trials": []}
    text = pages["real_or_fake"].read_text().replace("connect-src 'none'", "connect-src http://127.0.0.1:9")
    told = json.dumps({**made, "send": "http://127.0.0.1:9/"})
    (tmp_path / "page.html").write_text(re.sub(r'(id="study">).*(?=</script>)', lambda found: found[1] + told, text))
    there = Answering(browser, tmp_path / "page.html")
    for name in ("Begin", "Go on", "Send"):
        there.button(name).click()
    there.page.get_by_text("could not be sent").wait_for()
    with there.page.expect_download():
        there.page.get_by_role("link", name="Save the file").click()
    there.page.evaluate("fetch('http://127.0.0.1:8/').catch(() => {})")
    there.page.wait_for_function("true")
    there.context.close()
    assert any("Content Security Policy" in line for line in there.wrong)  # of the other address


def participants(folder: Path, rates: tuple[float, float], count: int, seed: int, model: str = "one") -> list[Path]:
    """Write the files of participants who take generated and real pictures for real at known rates, each his own."""
    dice = random.Random(seed)
    files = []
    for number in range(count):
        shift = dice.uniform(-0.1, 0.1)  # some are easier to fool
        trials = [(trial, "real" if trial % 2 else model) for trial in range(60)]
        dice.shuffle(trials)
        answers = [
            {
                "trial": trial,
                "shown": [who],
                "answer": "real" if dice.random() < rates[who == "real"] + shift else "fake",
            }
            for trial, who in trials
        ]
        practice = [
            {"trial": 100 + place, "shown": [who], "answer": "fake" if who == model else "real"}
            for place, who in enumerate([model, "real"] * 5)
        ]
        told = {"study": "s", "kind": "real_or_fake", "between": ["real", model], "practice": practice}
        files.append(folder / f"{model}-{seed}-{number}.json")
        files[-1].write_text(json.dumps({**told, "answers": answers}))
    return files


def test_known_rates_lie_in_their_intervals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = participants(tmp_path, (0.34, 0.8), 30, 0) + participants(tmp_path, (0.11, 0.9), 30, 1, "two")
    study.main(["score", *map(str, files), "--out", str(tmp_path / "scores.json")])
    scores = json.loads((tmp_path / "scores.json").read_text())["scores"]
    for model, fooled, doubted in (("one", 0.34, 0.2), ("two", 0.11, 0.1)):
        assert scores[model]["participants"] == 30
        assert scores[model]["answers"] == 1800
        for rate, known in (("G2R", fooled), ("R2G", doubted)):
            mean, low, high = (scores[model][rate][figure] for figure in FIGURES)
            assert low < known < high
            assert low < mean < high
            assert high - low < 0.1
        assert f"{100 * scores[model]['G2R']['mean']:.1f}" in capsys.readouterr().out or model == "two"


def test_intervals_hold_as_often_as_they_say(tmp_path: Path) -> None:
    """Of 40 studies some 38 have the true rate in their interval; fewer than 33 are one in thousands."""
    held = 0
    for seed in range(40):
        files = participants(tmp_path, (0.3, 0.8), 20, seed)
        rate = score_answers([read_answers(file) for file in files], right=6)["scores"]["one"]["G2R"]
        held += rate["low"] < 0.3 < rate["high"]
    assert held >= 33


def test_who_fails_the_practice_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = participants(tmp_path, (0.3, 0.8), 4, 0)
    told = json.loads(files[2].read_text())
    for one in told["practice"]:
        one["answer"] = "real"  # one button, ten times
    files[2].write_text(json.dumps(told))
    study.main(["score", *map(str, files), "--out", str(tmp_path / "scores.json")])
    scores = json.loads((tmp_path / "scores.json").read_text())["scores"]["one"]
    assert scores["participants"] == 3
    assert scores["left out"] == [files[2].name]
    assert files[2].name in capsys.readouterr().out
    study.main(["score", *map(str, files), "--right", "0", "--out", str(tmp_path / "scores.json")])
    assert json.loads((tmp_path / "scores.json").read_text())["scores"]["one"]["participants"] == 4
    with pytest.raises(SystemExit, match="none of the 1 participants"):
        study.main(["score", str(files[2])])


def test_side_by_side_the_preferred_share_is_counted(tmp_path: Path) -> None:
    files = []
    for number, answers in enumerate((["a", "a", "b"], ["b", "a", "a"])):
        trials = [{"trial": trial, "shown": ["a", "b"], "answer": one} for trial, one in enumerate(answers)]
        practice = [{"trial": 9 + place, "shown": ["real", "a"], "answer": "real"} for place in range(6)]
        told = {"study": "s", "kind": "side_by_side", "between": ["a", "b"], "practice": practice, "answers": trials}
        files.append(tmp_path / f"{number}.json")
        files[-1].write_text(json.dumps(told))
    scores = score_answers([read_answers(file) for file in files], right=6)["scores"]["a over b"]
    assert scores["preferred"]["mean"] == pytest.approx(4 / 6)
    # Two of three subjects are split 1:1, one is unanimous: P = 1/3, P_e = (4/6)^2 + (2/6)^2 = 5/9.
    assert scores["kappa"] == pytest.approx((1 / 3 - 5 / 9) / (4 / 9))


def test_kappa_is_that_of_the_literature() -> None:
    """Fleiss' kappa of fourteen raters, ten subjects and five categories, as textbooks work it out: 0.210."""
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    assert fleiss_kappa(torch.tensor(counts)) == pytest.approx(0.210, abs=5e-4)
    assert fleiss_kappa(torch.tensor([[3, 0], [0, 3]])) == 1
    assert fleiss_kappa(torch.tensor([[3, 0], [3, 0]])) is None
    assert fleiss_kappa(torch.tensor([[1, 0], [0, 1]])) is None


GOOD = {
    "study": "s",
    "kind": "real_or_fake",
    "between": ["real", "one"],
    "practice": [],
    "answers": [{"trial": 0, "shown": ["real"], "answer": "real"}, {"trial": 1, "shown": ["one"], "answer": "fake"}],
}
BAD = {
    "text": "not JSON",
    "list": "[]",
    "nothing": "{}",
    "deep": "[" * 100_000,
    "another kind": json.dumps({**GOOD, "kind": "guess"}),
    "no answers": json.dumps({**GOOD, "answers": []}),
    "one side": json.dumps({**GOOD, "between": ["real", "real"]}),
    "numbers": json.dumps({**GOOD, "between": ["real", 3], "answers": [{"trial": 0, "shown": [3], "answer": "real"}]}),
    "unknown picture": json.dumps({**GOOD, "answers": [{"trial": 0, "shown": ["two"], "answer": "real"}]}),
    "unknown answer": json.dumps({**GOOD, "answers": [{"trial": 0, "shown": ["one"], "answer": "maybe"}]}),
    "trial no number": json.dumps({**GOOD, "answers": [{"trial": "0", "shown": ["one"], "answer": "real"}]}),
    "one kind alone": json.dumps({**GOOD, "answers": GOOD["answers"][:1]}),
    "a word as an answer": json.dumps({**GOOD, "answers": ["real"]}),
    "answered twice": json.dumps({**GOOD, "answers": [GOOD["answers"][0]] * 2}),
    "list shown": json.dumps({**GOOD, "answers": [{"trial": 0, "shown": [["one"]], "answer": "real"}]}),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_files_of_something_else_are_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(SystemExit, match=r"bad\.json holds no answers") as error:
        study.main(["score", str(tmp_path / "bad.json"), "--out", str(tmp_path / "scores.json")])
    assert "\n" not in str(error.value)
    assert not (tmp_path / "scores.json").exists()


def test_files_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    def written(name: str, **changes: object) -> str:
        (tmp_path / name).write_text(json.dumps({**GOOD, **changes}))
        return str(tmp_path / name)

    more = [*GOOD["answers"], {"trial": 2, "shown": ["real"], "answer": "real"}]
    first = written("a.json", answers=more)
    for other, said in (
        (written("b.json", study="t"), "is of study t"),
        (written("c.json", answers=more), "are one participant's"),
        (written("d.json"), r"d\.json has answers to other pictures than a\.json: it is not whole"),
        (
            written("e.json", answers=[{**one, "shown": ["one" if one["trial"] else "real"]} for one in more]),
            "other pic",
        ),
        (str(tmp_path / "none.json"), "No such file"),
    ):
        with pytest.raises(SystemExit, match=said):
            study.main(["score", first, other])
        with pytest.raises(SystemExit, match=said.replace("of study t", "of study s")):
            study.main(["score", other, first])
    with pytest.raises(SystemExit, match="no files"):
        study.main(["score"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--pictures", "0"], "must be 1 or more"),
        (["--pictures", "3"], "14 different targets.* fewer --pictures, or other --data"),
        (["--send", "mailto:a@b.c"], "expected an address"),
        (["--send", "https://a.b/;script-src *"], "expected an address"),
        (["--data", "nowhere"], "nowhere"),
    ],
)
def test_a_page_that_cannot_be_made_is_refused_in_one_line(
    runs: list[str], options: list[str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match=said) as error:
        study.main(["make", "--runs", runs[0], *options, "--out", str(tmp_path / "study.html")])
    assert "\n" not in str(error.value)
    assert not (tmp_path / "study.html").exists()


def test_runs_that_do_not_go_together_are_refused(runs: list[str], tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "model").symlink_to(Path(runs[0]) / "model") if other.mkdir() is None else None
    options = yaml.safe_load((Path(runs[0]) / "options.yaml").read_text())
    (other / "options.yaml").write_text(yaml.safe_dump({**options, "size": [128, 128]}))
    for folders, said in (
        ([runs[0], str(other)], "was trained with size"),
        ([runs[0], runs[0]], "expected folders of different names"),
        ([str(tmp_path)], "holds no run"),
    ):
        with pytest.raises(SystemExit, match=said):
            study.main(["make", "--runs", *folders, "--out", str(tmp_path / "study.html")])


def test_one_run_side_by_side_stands_beside_real_pictures(runs: list[str], tmp_path: Path) -> None:
    out = tmp_path / "study.html"
    study.main(["make", "--runs", runs[0], "--kind", "side_by_side", "--pictures", "1", "--out", str(out)])
    (arm,) = inside(out)["arms"]
    assert arm["between"] == ["real", "one"]
    assert math.isclose(len(arm["trials"]), 1)
