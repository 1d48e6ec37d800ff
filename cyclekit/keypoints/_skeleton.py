"""What a set of keypoints is: names, limbs, left and right."""

import colorsys
from dataclasses import dataclass

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Skeleton:
    """The joints of a keypoint format, as data.

    Args:
        name: What the format is called.
        joints: Names of the joints, in the order of their channels.
        limbs: Pairs of joint indices that are drawn connected.
        pairs: Pairs of joint indices that trade places in a mirror image. Joints in no pair stay.
        colours: One (red, green, blue) in [0, 1] for each limb; a walk around the colour wheel when left out.

    Raises:
        ValueError: A name occurs twice, an index is no joint's, a joint is in two pairs, or the colours are
            not as many as the limbs.

    Example:
        ```python
        from cyclekit.keypoints import Skeleton

        glasses = Skeleton("glasses", ("bridge", "right lens", "left lens"), ((0, 1), (0, 2)), ((1, 2),))
        assert glasses.mirror == (0, 2, 1)
        ```
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    pairs: tuple[tuple[int, int], ...] = ()
    colours: tuple[Colour, ...] = ()

    def __post_init__(self) -> None:
        """Check the indices and fill in the colours."""
        count = len(self.joints)
        if len(set(self.joints)) < count:
            raise ValueError(f"skeleton {self.name!r}: each joint needs a name of its own")
        for kind, indices in (("limb", self.limbs), ("left-right pair", self.pairs)):
            for pair in indices:
                if pair[0] == pair[1] or not all(0 <= joint < count for joint in pair):
                    raise ValueError(
                        f"skeleton {self.name!r}: {kind} {pair} must be two of its joints, 0 to {count - 1}"
                    )
        paired = [joint for pair in self.pairs for joint in pair]
        if len(set(paired)) < len(paired):
            raise ValueError(f"skeleton {self.name!r}: a joint is in more than one left-right pair")
        if not self.colours:
            wheel = (colorsys.hsv_to_rgb(limb / len(self.limbs), 1, 1) for limb in range(len(self.limbs)))
            object.__setattr__(self, "colours", tuple(wheel))
        if len(self.colours) != len(self.limbs):
            raise ValueError(f"skeleton {self.name!r} has {len(self.limbs)} limbs but {len(self.colours)} colours")

    def __len__(self) -> int:
        """Return the number of joints."""
        return len(self.joints)

    @property
    def mirror(self) -> tuple[int, ...]:
        """For each joint, the index of the joint that takes its place in a mirror image."""
        order = list(range(len(self)))
        for left, right in self.pairs:
            order[left], order[right] = right, left
        return tuple(order)

    def check_joints(self, count: int) -> None:
        """Raise unless there are as many points as joints.

        Args:
            count: The number of points of one sample.

        Raises:
            ValueError: `count` is another number.
        """
        if count != len(self):
            raise ValueError(f"skeleton {self.name!r} has {len(self)} joints; got {count} points a sample")
