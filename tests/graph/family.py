"""Published models, as the library's papers declare them."""

from cyclekit import papers
from cyclekit.graph import CycleGraph

FAMILY: dict[str, CycleGraph] = {name: papers.create_paper(name).graph for name in papers.list_papers()} | {
    "c2gan_paper": papers.c2gan(preset="paper").graph,
    "pg2_first": papers.pg2(stage="first").graph,
    "pg2_second": papers.pg2(stage="second").graph,
    "dpig_second": papers.dpig(stage="second").graph,
    "munit_with_cycles": papers.munit(cycle=10).graph,
    "distancegan_with_cycles": papers.distancegan(cycles=True).graph,
}
C2GAN, PIX2PIX, CYCLEGAN, DUALGAN, DISCOGAN, COMBOGAN, STARGAN = (
    FAMILY[name] for name in ("c2gan", "pix2pix", "cyclegan", "dualgan", "discogan", "combogan", "stargan")
)
G2GAN, GESTUREGAN, PG2, PG2_FIRST, PG2_SECOND, POSEGAN = (
    FAMILY[name] for name in ("g2gan", "gesturegan", "pg2", "pg2_first", "pg2_second", "posegan")
)
