"""One picture a model: what it was given, what it made of that, and the truth."""

from collections.abc import Sequence
from pathlib import Path

from einops import repeat
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from cyclekit import CycleModel
from score import ask
from tasks import Question

ROWS = 3
SCALE, LINE, GAP, TITLE = 2, 2, 14, 24  # pixels


def columns(model: CycleModel, question: Question) -> dict[str, Tensor]:
    """Return what a strip shows of a question, by title, (scenes, channels, h, w) in [0, 1]."""
    made = ask(model, question)
    given = {name: value / 255 for name, value in question.shown.items()}
    return {**given, question.answer: made.pop(question.answer), "truth": question.truth / 255, **made}


def draw_strip(model: CycleModel, questions: Sequence[Question], path: Path) -> None:
    """Draw some scenes of each question, a row a scene, one question beside the other."""
    asked = [columns(model, question) for question in _spread(questions)]
    height, width = (SCALE * side for side in questions[0].truth.shape[2:])
    across = sum(map(len, asked)) * (width + LINE) + (len(asked) - 1) * GAP - LINE
    strip = Image.new("RGB", (across, TITLE + ROWS * (height + LINE) - LINE), "white")
    write = ImageDraw.Draw(strip)
    left = 0
    for question in asked:
        for title, values in question.items():
            write.text((left + width // 2, TITLE // 2), title, "black", ImageFont.load_default(16), anchor="mm")
            for row, picture in enumerate(values[:ROWS]):
                strip.paste(_pixels(picture), (left, TITLE + row * (height + LINE)))
            left += width + LINE
        left += GAP
    strip.save(path, optimize=True)


def _pixels(picture: Tensor) -> Image.Image:
    """Return a picture (1 or 3, h, w) in [0, 1], larger."""
    coloured = picture if len(picture) == 3 else repeat(picture, "1 h w -> c h w", c=3)
    larger = repeat(coloured, "c h w -> (h rows) (w columns) c", rows=SCALE, columns=SCALE)
    return Image.fromarray((larger * 255).round().byte().numpy())


def _spread(questions: Sequence[Question]) -> list[Question]:
    """Return a question for each thing that is wanted."""
    wanted = {question.label.rpartition(" to ")[2]: question for question in reversed(questions)}
    return list(reversed(wanted.values()))
