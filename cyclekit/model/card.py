"""What a shared model says of itself: a model card, written from the graph."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cyclekit.graph import CycleGraph
from cyclekit.nets import NetworkSpec

_LIMITS = (
    "Not for pictures of people who did not agree: not to put a face or a body into a pose, an expression or a scene "
    "that its owner has not consented to, not to deceive about who did what, not to identify or judge people. What the "
    "data lacks the model does not know; it reproduces the biases of its data. Call generated pictures generated."
)
_LOADING = """\
```python
from cyclekit import CycleModel

model = CycleModel.from_pretrained("OWNER/NAME")
```"""


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What the graph cannot know of a trained model.

    Args:
        summary: One sentence: what the model does.
        data: What it was trained on.
        training: How: steps, batch, hardware, the command.
        scores: Metrics by name, with the protocol in it: ``{"SSIM (test pairs)": 0.72}``.
        license: The licence of the weights, as the hub names it: ``"apache-2.0"``.
        use: What the model is meant for.
        paper: The paper that declares it, a line.

    Example:
        ```python
        from cyclekit import papers
        from cyclekit.model import ModelCard

        card = ModelCard(summary="Turns horses into zebras.", data="horse2zebra", license="cc-by-4.0")
        print(card.text(papers.cyclegan().graph))
        ```
    """

    summary: str = ""
    data: str = ""
    training: str = ""
    scores: Mapping[str, float] = field(default_factory=dict[str, float])
    license: str = "other"
    use: str = "Research on image translation and keypoint-guided image generation."
    paper: str = ""

    def text(self, graph: CycleGraph, networks: Mapping[str, NetworkSpec | None] | None = None) -> str:
        """Return the card as Markdown, with the metadata that the hub reads.

        Args:
            graph: The model's: equations, and who learns from what.
            networks: Its networks' specs, ``None`` for modules of the user's own.

        Returns:
            The text of a ``README.md``.
        """
        made = [f"- `{name}`: {_said(spec)}" for name, spec in (networks or {}).items()]
        scored = [f"| {name} | {value:g} |" for name, value in self.scores.items()]
        sections = {
            "": self.summary,
            "Paper": self.paper,
            "Equations": f"```text\n{graph}\n```",
            "Networks": "\n".join(made),
            "Data": self.data or "Not said.",
            "Training": self.training,
            "Scores": "\n".join(["| metric | value |", "| --- | ---: |", *scored]) if scored else "",
            "Use": self.use,
            "Not to be used for": _LIMITS,
            "Loading": _LOADING,
        }
        body = "\n\n".join(f"## {title}\n\n{text}" if title else text for title, text in sections.items() if text)
        metadata = f"---\nlibrary_name: cyclekit\nlicense: {self.license}\ntags:\n- gan\n- image-to-image\n---"
        return f"{metadata}\n\n# A model of {', '.join(graph.generators)}\n\n{body}\n"


def _said(spec: NetworkSpec | None) -> str:
    return "a module of its own, which `from_pretrained` is to be given" if spec is None else f"`{spec}`"
