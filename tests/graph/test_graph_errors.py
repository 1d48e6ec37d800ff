"""Every error in the notation, as it is shown."""

import pickle

import pytest

from cyclekit.graph import CycleGraph, GraphError, Heatmap, Image, Label, Noise, NotationError, Vector

SIGNALS = {"x": Image(3), "y": Image(3), "Lx": Heatmap(18), "Ly": Heatmap(18), "c": Label(5)}
EXTRA = {"v": Vector(3), "c2": Label(7)}
G = "[x, Ly] -G-> y*"

SHOWN = {
    "unknown character": (
        {"maps": "x -G-> y! "},
        "maps, line 1: '!' means nothing here: signals and networks are names, arrows are -G->\n"
        "    x -G-> y! \n"
        "            ^",
    ),
    "unknown character in a name": (
        {"maps": "x² -G-> y*"},
        "maps, line 1: '²' means nothing here: signals and networks are names, arrows are -G->\n    x² -G-> y*\n     ^",
    ),
    "star apart": (
        {"losses": "y * ~ y"},
        "losses, line 1: '*' means nothing here: signals and networks are names, arrows are -G->; "
        "a star stands right behind its signal's name, y*\n"
        "    y * ~ y\n"
        "      ^",
    ),
    "misspelt stop": (
        {"losses": "stopp(y*) ~ y"},
        "losses, line 1: 'stopp' is no signal modifier: there are stop(s) and reverse(s); did you mean stop(...)?\n"
        "    stopp(y*) ~ y\n"
        "    ^",
    ),
    "detach": (
        {"losses": "detach(y*) ~ y"},
        "losses, line 1: 'detach' is no signal modifier: there are stop(s) and reverse(s); did you mean stop(...)?\n"
        "    detach(y*) ~ y\n"
        "    ^",
    ),
    "detach of a target": (
        {"losses": "y* ~ detach(y)"},
        "losses, line 1: 'detach' is no signal modifier: there are stop(s) and reverse(s); did you mean stop(...)?\n"
        "    y* ~ detach(y)\n"
        "         ^",
    ),
    "misspelt stop before an arrow": (
        {"losses": "stopp(x) -G-> y* ~ y"},
        "losses, line 1: 'stopp' is no signal modifier: there are stop(s) and reverse(s); did you mean stop(...)?\n"
        "    stopp(x) -G-> y* ~ y\n"
        "    ^",
    ),
    "misspelt reverse in maps": (
        {"maps": "revers(x) -G-> y*"},
        "maps, line 1: 'revers' is no signal modifier: there are stop(s) and reverse(s); did you mean reverse(...)?\n"
        "    revers(x) -G-> y*\n"
        "    ^",
    ),
    "misspelt stop in a list": (
        {"maps": "[x, Stop(Ly)] -G-> y*"},
        "maps, line 1: 'Stop' is no signal modifier: there are stop(s) and reverse(s); did you mean stop(...)?\n"
        "    [x, Stop(Ly)] -G-> y*\n"
        "        ^",
    ),
    "detach judged": (
        {"adversaries": "D: detach(y*) vs y"},
        "adversaries, line 1: 'detach' is no signal modifier: there are stop(s) and reverse(s); "
        "did you mean stop(...)?\n"
        "    D: detach(y*) vs y\n"
        "       ^",
    ),
    "detach in a criterion": (
        {"losses": "masked(y* ~ y, detach(Lx))"},
        "losses, line 1: 'detach' is no signal modifier: there are stop(s) and reverse(s); did you mean stop(...)?\n"
        "    masked(y* ~ y, detach(Lx))\n"
        "                   ^",
    ),
    "detach at the head of a list": (
        {"losses": "detach(x), y ~ x"},
        "losses, line 1: 'detach' is no signal modifier: there are stop(s) and reverse(s); did you mean stop(...)?\n"
        "    detach(x), y ~ x\n"
        "    ^",
    ),
    "criterion before a comparison": (
        {"losses": "ssim(y*) ~ y"},
        "losses, line 1: 'ssim' is no signal modifier: there are stop(s) and reverse(s); "
        "a criterion stands in losses= or cycles= in front of all that it measures, l1(y* ~ y)\n"
        "    ssim(y*) ~ y\n"
        "    ^",
    ),
    "misspelt stop of a network": (
        {"maps": "x -detach(G)-> y*"},
        "maps, line 1: 'detach' is no modifier of a network: -stop(G)-> uses one as it is\n"
        "    x -detach(G)-> y*\n"
        "       ^",
    ),
    "nul": (
        {"maps": "x -G\x00-> y*"},
        "maps, line 1: '\\x00' means nothing here: signals and networks are names, arrows are -G->\n"
        "    x -G\ufffd-> y*\n"
        "        ^",
    ),
    "lone surrogate": (
        {"maps": "x -G-> \ud800"},
        "maps, line 1: '\\ud800' means nothing here: signals and networks are names, arrows are -G->\n"
        "    x -G-> \ufffd\n"
        "           ^",
    ),
    "missing bracket": (
        {"maps": "[x, Ly -G-> y*"},
        "maps, line 1: expected ',' or ']', found '-'\n    [x, Ly -G-> y*\n           ^",
    ),
    "bracket at end": (
        {"maps": "x -G-> [y*, z"},
        "maps, line 1: expected ',' or ']', found the end of the text\n    x -G-> [y*, z\n                 ^",
    ),
    "no comma": (
        {"maps": "[x Ly] -G-> y*"},
        "maps, line 1: expected ',' or ']', found 'Ly'\n    [x Ly] -G-> y*\n       ^",
    ),
    "empty bracket": (
        {"maps": "[] -G-> y*"},
        "maps, line 1: expected a signal's name, found ']'\n    [] -G-> y*\n     ^",
    ),
    "arrow without a name": (
        {"maps": "x -> y*"},
        "maps, line 1: an arrow carries a network's name: a -G-> b\n    x -> y*\n      ^",
    ),
    "second arrow without a name": (
        {"maps": "x -G-> y* -> z"},
        "maps, line 1: an arrow carries a network's name: a -G-> b\n    x -G-> y* -> z\n              ^",
    ),
    "arrow without tip": (
        {"maps": "x -G y*"},
        "maps, line 1: expected '->' after 'G', found 'y*'\n    x -G y*\n         ^",
    ),
    "arrow with head without tip": (
        {"losses": "y* -D.cls y*"},
        "losses, line 1: expected '->' after 'cls', found 'y*'\n    y* -D.cls y*\n              ^",
    ),
    "arrow to nowhere": (
        {"maps": "x -G->"},
        "maps, line 1: expected a signal's name or '[', found the end of the text\n    x -G->\n          ^",
    ),
    "network number": (
        {"maps": "x --> y*"},
        "maps, line 1: expected a network's name, found '->'\n    x --> y*\n       ^",
    ),
    "starred network": (
        {"maps": "x -G*-> y*"},
        "maps, line 1: expected a network's name, found 'G*': only signals carry a star\n    x -G*-> y*\n       ^",
    ),
    "nameless network": (
        {"maps": "x -_-> y*"},
        "maps, line 1: expected a network's name, found '_': only a signal can go without a name\n"
        "    x -_-> y*\n"
        "       ^",
    ),
    "head without name": (
        {"losses": "x -D.-> _ ~ c"},
        "losses, line 1: expected the name of a discriminator's head, found '->'\n    x -D.-> _ ~ c\n         ^",
    ),
    "starred nothing": (
        {"maps": "x -G-> _*"},
        "maps, line 1: '_' is a result nobody needs by name; it carries no star\n    x -G-> _*\n           ^",
    ),
    "signal alone": (
        {"maps": "x"},
        "maps, line 1: expected '-' and a network's name, found the end of the text\n    x\n     ^",
    ),
    "signal alone in losses": (
        {"losses": "y*"},
        "losses, line 1: expected '-' and a network's name, or '~' and a signal, found the end of "
        "the text\n"
        "    y*\n"
        "      ^",
    ),
    "two flows on a line": (
        {"maps": "x -G-> y* y -F-> x*"},
        "maps, line 1: expected ';' or a new line, found 'y'\n    x -G-> y* y -F-> x*\n              ^",
    ),
    "label missing": (
        {"cycles": "x -G-> y* -F-> x* ~ x"},
        "cycles, line 1: a cycle has a name: write it before the flow, with a colon\n    x -G-> y* -F-> x* ~ x\n    ^",
    ),
    "label in maps": (
        {"maps": "first: x -G-> y*"},
        "maps, line 1: maps carry no name\n    first: x -G-> y*\n    ^",
    ),
    "comparison in maps": (
        {"maps": "x -G-> y* ~ y"},
        "maps, line 1: maps compare nothing: say the comparison in losses=, or the cycle in cycles=\n"
        "    x -G-> y* ~ y\n"
        "                ^",
    ),
    "no comparison in cycles": (
        {"cycles": "a: x -G-> y*\nb: y* -F-> x* ~ x"},
        "cycles, line 1: this flow compares nothing: end it with '~' and a signal, or move it to "
        "maps=\n"
        "    a: x -G-> y*\n"
        "    ^",
    ),
    "no comparison at the end": (
        {"losses": "a: x -G-> y*"},
        "losses, line 1: this flow compares nothing: end it with '~' and a signal, or move it to "
        "maps=\n"
        "    a: x -G-> y*\n"
        "    ^",
    ),
    "compare many": (
        {"losses": "[x, y] ~ y"},
        "losses, line 1: one signal is compared with one: a single name stands before '~'\n    [x, y] ~ y\n    ^",
    ),
    "compare with nothing": (
        {"losses": "y* ~"},
        "losses, line 1: expected the signal to compare with, found the end of the text\n    y* ~\n        ^",
    ),
    "compare with _": (
        {"maps": G, "losses": "y* ~ _"},
        "losses, line 1: a signal with a name is needed here; '_' has none\n    y* ~ _\n         ^",
    ),
    "_ compared": (
        {"losses": "_ ~ y"},
        "losses, line 1: a signal with a name is needed here; '_' has none\n    _ ~ y\n    ^",
    ),
    "after comparison": (
        {"losses": "y* ~ y -G-> x*"},
        "losses, line 1: a flow ends where it compares: nothing follows the signal after '~'\n"
        "    y* ~ y -G-> x*\n"
        "           ^",
    ),
    "vs in losses": (
        {"losses": "y* vs y"},
        "losses, line 1: 'vs' belongs in adversaries=; signals are compared with '~'\n    y* vs y\n       ^",
    ),
    "criterion of a bracket": (
        {"losses": "kl([x, y])"},
        "losses, line 1: a criterion takes signals one by one: kl(mu, logvar)\n    kl([x, y])\n       ^",
    ),
    "criterion that goes on": (
        {"losses": "masked(y* ~ y ; x -G-> _, Lx)"},
        "losses, line 1: the last statement inside a criterion is what it measures\n"
        "    masked(y* ~ y ; x -G-> _, Lx)\n"
        "                  ^",
    ),
    "cycle without comparison": (
        {"cycles": "a: kl(x -G-> _)"},
        "cycles, line 1: a cycle is compared with what it came from: end it with '~' and a signal\n"
        "    a: kl(x -G-> _)\n"
        "    ^",
    ),
    "stop of two": (
        {"maps": "stop(x, y) -G-> y*"},
        "maps, line 1: expected ')' after 'x', since stop takes one signal, found ','\n"
        "    stop(x, y) -G-> y*\n"
        "          ^",
    ),
    "stop of nothing known": (
        {"maps": "stop(z) -G-> y*"},
        "maps, line 1: unknown signal 'z': it is neither in signals= nor made by a map; "
        "known names: Lx, Ly, c, x, y, y*\n"
        "    stop(z) -G-> y*\n    ^",
    ),
    "stop of a result": (
        {"maps": "x -G-> stop(y*)"},
        "maps, line 1: an arrow makes a signal, and stop reads one: give it its name here\n"
        "    x -G-> stop(y*)\n"
        "           ^",
    ),
    "stop as a network": (
        {"maps": "x -stop-> y*"},
        "maps, line 1: expected a network's name, found 'stop': stop(s) reads a signal without its gradient, "
        "-stop(G)-> uses a network as it is\n    x -stop-> y*\n       ^",
    ),
    "reverse of a network": (
        {"maps": "x -reverse(G)-> y*"},
        "maps, line 1: reverse turns the gradient of a signal: reverse(s) -G->\n    x -reverse(G)-> y*\n       ^",
    ),
    "stop of a head": (
        {"maps": G, "adversaries": "D: y* vs y", "losses": "y* -stop(D.cls)-> _ ~ c"},
        "losses, line 1: a head never trains its network on generated signals: write it without stop\n"
        "    y* -stop(D.cls)-> _ ~ c\n"
        "        ^",
    ),
    "confusion compared": (
        {"losses": "x <> y"},
        "losses, line 1: '<>' belongs in adversaries=; signals are compared with '~'\n    x <> y\n      ^",
    ),
    "softmax of two": (
        {"maps": "[x, y] -softmax-> y*"},
        "maps, line 1: softmax takes 1 signal, not 2\n    [x, y] -softmax-> y*\n            ^",
    ),
    "criterion not closed": (
        {"losses": "masked(y* ~ y, Lx"},
        "losses, line 1: expected ',' or ')', found the end of the text\n    masked(y* ~ y, Lx\n                     ^",
    ),
    "criterion extra _": (
        {"losses": "masked(y* ~ y, _)"},
        "losses, line 1: a signal with a name is needed here; '_' has none\n"
        "    masked(y* ~ y, _)\n"
        "                   ^",
    ),
    "no discriminator": (
        {"adversaries": "[x, y*] vs [x, y]"},
        "adversaries, line 1: an adversary begins with its discriminator's name and a colon\n"
        "    [x, y*] vs [x, y]\n"
        "    ^",
    ),
    "no vs": (
        {"adversaries": "D: [x, y*] ~ [x, y]"},
        "adversaries, line 1: expected 'vs' and what is real, found '~'\n    D: [x, y*] ~ [x, y]\n               ^",
    ),
    "vs nothing": (
        {"adversaries": "D: y* vs"},
        "adversaries, line 1: expected a signal's name or '[', found the end of the text\n    D: y* vs\n            ^",
    ),
    "_ judged": (
        {"adversaries": "D: _ vs y"},
        "adversaries, line 1: a signal with a name is needed here; '_' has none\n    D: _ vs y\n       ^",
    ),
    "unknown signal": (
        {"maps": "[x, Lz] -G-> y*", "losses": "y* ~ y"},
        "maps, line 1: unknown signal 'Lz': it is neither in signals= nor made by a map; did you mean 'Ly' or 'Lx'?\n"
        "    [x, Lz] -G-> y*\n"
        "        ^",
    ),
    "unknown starred signal": (
        {"maps": G, "losses": "x* ~ x"},
        "losses, line 1: unknown signal 'x*': no map makes it; did you mean 'x' or 'y*' or 'Lx'?\n    x* ~ x\n    ^",
    ),
    "unknown judged": (
        {"maps": G, "losses": "y* ~ y", "adversaries": "D: [x, Lyy, y*] vs [x, Ly, y]"},
        "adversaries, line 1: unknown signal 'Lyy': it is neither in signals= nor made by a map; "
        "did you mean 'Ly'?\n"
        "    D: [x, Lyy, y*] vs [x, Ly, y]\n"
        "           ^",
    ),
    "made twice": (
        {"maps": "x -G-> y* ; y -F-> y*"},
        "maps, line 1: 'y*' is made twice, by G(x) and by F(y): give one of them another name\n"
        "    x -G-> y* ; y -F-> y*\n"
        "                       ^",
    ),
    "one use two names": (
        {"maps": "x -G-> y* ; x -G-> x*"},
        "maps, line 1: G(x) is called 'y*' elsewhere and 'x*' here: one use has one name\n"
        "    x -G-> y* ; x -G-> x*\n"
        "                       ^",
    ),
    "two counts": (
        {"maps": "x -G-> y* ; x -G-> [y*, m]"},
        "maps, line 1: G(x) makes 1 signal elsewhere and 2 signals here\n"
        "    x -G-> y* ; x -G-> [y*, m]\n"
        "                        ^",
    ),
    "one signal twice": (
        {"maps": "x -G-> [y*, y*]"},
        "maps, line 1: G(x) makes one signal twice\n    x -G-> [y*, y*]\n            ^",
    ),
    "late _": (
        {"maps": "x -G-> _ ; y -F-> x* ; _ -G-> y*"},
        "maps, line 1: '_' can be read only by the arrow right after it; give the signal a name\n"
        "    x -G-> _ ; y -F-> x* ; _ -G-> y*\n"
        "                           ^",
    ),
    "loop": (
        {"maps": "y* -G-> x* ; x* -F-> y*", "losses": "y* ~ y"},
        "maps, line 1: a loop: x* -> y* -> x*: none of these can be made first\n"
        "    y* -G-> x* ; x* -F-> y*\n"
        "                     ^",
    ),
    "self loop": (
        {"maps": "y* -G-> y*", "losses": "y* ~ y"},
        "maps, line 1: a loop: y* -> y*: none of these can be made first\n    y* -G-> y*\n        ^",
    ),
    "domain unknown": (
        {"maps": "x -G-> z -F-> y*", "losses": "y* ~ y"},
        "maps, line 1: the domain of 'z' is not known: give it a domain in signals=, compare it "
        "with a signal, or call it after a signal with a star\n"
        "    x -G-> z -F-> y*\n"
        "           ^",
    ),
    "domain unknown _": (
        {"maps": "x -G-> _ -F-> y*", "losses": "y* ~ y"},
        "maps, line 1: the domain of '_' is not known: give it a name, and that name a domain in "
        "signals=, compare it with a signal, or call it after a signal with a star\n"
        "    x -G-> _ -F-> y*\n"
        "           ^",
    ),
    "takes mismatch": (
        {"maps": "[x, Ly] -G-> y* ; y* -G-> x*"},
        "maps, line 1: G takes Image(3) + Heatmap(18) in G(x, Ly) and Image(3) in G(y*): one "
        "network has one set of channels, in one order\n"
        "    [x, Ly] -G-> y* ; y* -G-> x*\n"
        "                          ^",
    ),
    "takes mismatch order": (
        {"maps": "[x, Ly] -G-> y* ; [Lx, y*] -G-> x*"},
        "maps, line 1: G takes Image(3) + Heatmap(18) in G(x, Ly) and Heatmap(18) + Image(3) in "
        "G(Lx, y*): one network has one set of channels, in one order\n"
        "    [x, Ly] -G-> y* ; [Lx, y*] -G-> x*\n"
        "                                ^",
    ),
    "takes mismatch layout": (
        {"signals": SIGNALS | EXTRA, "maps": "x -G-> y* ; v -G-> x*"},
        "maps, line 1: G takes Image(3) in G(x) and Vector(3) in G(v): one network has one set of "
        "channels, in one order\n"
        "    x -G-> y* ; v -G-> x*\n"
        "                   ^",
    ),
    "makes mismatch": (
        {"maps": "x -G-> y* ; y -G-> Lx*"},
        "maps, line 1: G makes Image(3) in G(x) and Heatmap(18) in G(y): one network has one set "
        "of channels, in one order\n"
        "    x -G-> y* ; y -G-> Lx*\n"
        "                   ^",
    ),
    "head mismatch": (
        {
            "signals": SIGNALS | EXTRA,
            "maps": G,
            "adversaries": "D: y* vs y",
            "losses": "x -D.cls-> _ ~ c ; y* -D.cls-> _ ~ c2",
        },
        "losses, line 1: D.cls makes Label(5) in D.cls(x) and Label(7) in D.cls(y*): one network "
        "has one set of channels, in one order\n"
        "    x -D.cls-> _ ~ c ; y* -D.cls-> _ ~ c2\n"
        "                           ^",
    ),
    "discriminator mismatch": (
        {"maps": G, "adversaries": "D: [x, y*] vs [x, y] ; D: y* vs y"},
        "adversaries, line 1: D takes Image(3) + Image(3) in D(x, y*) and Image(3) in D(y*): one "
        "network has one set of channels, in one order\n"
        "    D: [x, y*] vs [x, y] ; D: y* vs y\n"
        "                              ^",
    ),
    "add mismatch": (
        {"maps": "[x, Ly] -add-> y*"},
        "maps, line 1: add sums signals of equal channels: Image(3) is no sum of Image(3) + "
        "Heatmap(18)\n"
        "    [x, Ly] -add-> y*\n"
        "             ^",
    ),
    "add two": (
        {"maps": "[x, y] -add-> [y*, x*]"},
        "maps, line 1: add makes one signal, not 2\n    [x, y] -add-> [y*, x*]\n                   ^",
    ),
    "compare mismatch": (
        {"maps": G, "losses": "y* ~ Ly"},
        "losses, line 1: y* is Image(3) and Ly is Heatmap(18): they cannot be compared\n    y* ~ Ly\n         ^",
    ),
    "compare itself": (
        {"maps": G, "losses": "y* ~ y*"},
        "losses, line 1: 'y*' is compared with itself\n    y* ~ y*\n         ^",
    ),
    "cycle without network": (
        {"maps": G, "cycles": "a: y* ~ y"},
        "cycles, line 1: a cycle passes through at least one network\n    a: y* ~ y\n       ^",
    ),
    "cycle does not return": (
        {"cycles": "a: x -G-> y* ~ y"},
        "cycles, line 1: the cycle a does not return: it compares with 'y', but 'y*' is made from "
        "x; a flow that is no cycle belongs in maps=, its comparison in losses=\n"
        "    a: x -G-> y* ~ y\n"
        "                   ^",
    ),
    "cycle does not return, twice": (
        {"cycles": "K: [x, Ly] -G-> y* -F-> Lx* ~ Lx"},
        "cycles, line 1: the cycle K does not return: it compares with 'Lx', but 'Lx*' is made "
        "from x, Ly, y*; a flow that is no cycle belongs in maps=, its comparison in losses=\n"
        "    K: [x, Ly] -G-> y* -F-> Lx* ~ Lx\n"
        "                                  ^",
    ),
    "discriminator in a flow": (
        {"maps": G, "adversaries": "D: y* vs y", "losses": "y* -D-> _ ~ c"},
        "losses, line 1: D is a discriminator: its judgement is said with 'vs'; a flow may use "
        "one of its heads, -D.cls->\n"
        "    y* -D-> _ ~ c\n"
        "        ^",
    ),
    "head of a generator": (
        {"maps": G, "adversaries": "D_I: y* vs y", "losses": "x -G.cls-> _ ~ c"},
        "losses, line 1: 'G' has no head 'cls': only discriminators have heads, and no "
        "adversary is called 'G'; known names: D_I\n"
        "    x -G.cls-> _ ~ c\n"
        "       ^",
    ),
    "head makes two": (
        {"maps": G, "adversaries": "D: y* vs y", "losses": "y* -D.cls-> [a, b] -F-> _ ~ c"},
        "losses, line 1: D.cls makes one signal, not 2\n    y* -D.cls-> [a, b] -F-> _ ~ c\n                 ^",
    ),
    "judges unequal counts": (
        {"maps": G, "adversaries": "D: [x, y*] vs y"},
        "adversaries, line 1: D judges 2 against 1: both sides hold as many signals, of the same "
        "kinds in the same order\n"
        "    D: [x, y*] vs y\n"
        "                  ^",
    ),
    "judges itself": (
        {"maps": G, "adversaries": "D: [x, y*] vs [x, y*]"},
        "adversaries, line 1: D judges [x, y*] against itself\n    D: [x, y*] vs [x, y*]\n                   ^",
    ),
    "never generated": (
        {"maps": G, "losses": "y* ~ y", "adversaries": "D: x vs y"},
        "adversaries, line 1: D never meets a generated signal: what stands before 'vs' is made "
        "by no generator\n"
        "    D: x vs y\n"
        "       ^",
    ),
    "swapped": (
        {"maps": G, "adversaries": "D: y vs y*"},
        "adversaries, line 1: D never meets a generated signal: what stands before 'vs' is made "
        "by no generator; the generated side stands before 'vs', not after it\n"
        "    D: y vs y*\n"
        "       ^",
    ),
    "one adversary twice": (
        {"maps": G, "adversaries": "D: y* vs y ; D: y* vs y"},
        "adversaries, line 1: two terms are called 'D: y* vs y'\n    D: y* vs y ; D: y* vs y\n                    ^",
    ),
    "two names": (
        {"maps": G, "losses": "a: y* ~ y ; a: y* ~ x"},
        "losses, line 1: two terms are called 'a': write a name and a colon before one of them\n"
        "    a: y* ~ y ; a: y* ~ x\n"
        "                ^",
    ),
    "two unnamed": (
        {"maps": G, "losses": "y* ~ y ; y* ~ y"},
        "losses, line 1: two terms are called 'y* ~ y': write a name and a colon before one of them\n"
        "    y* ~ y ; y* ~ y\n"
        "             ^",
    ),
    "term like a network": (
        {"maps": G, "losses": "G: y* ~ y"},
        "losses, line 1: 'G' names a network already; call the term otherwise\n    G: y* ~ y\n    ^",
    ),
}


@pytest.mark.parametrize("kind", SHOWN)
def test_an_error_shows_its_place_and_the_mend(kind):
    fields, shown = SHOWN[kind]
    with pytest.raises(NotationError) as caught:
        CycleGraph(**{"signals": SIGNALS, **fields})
    assert str(caught.value) == shown


def test_line_and_column_count_from_one_without_common_indentation():
    with pytest.raises(NotationError) as caught:
        CycleGraph(
            SIGNALS,
            cycles="""
                # the first line of the text itself
                a: [x, Ly] -G-> y*
                   [y*, Lz] -G-> x* ~ x
            """,
        )
    error = caught.value
    assert (error.field, error.line, error.column) == ("cycles", 3, 9)
    assert str(error).splitlines() == [
        "cycles, line 3: unknown signal 'Lz': it is neither in signals= nor made by a map; did you mean 'Ly' or 'Lx'?",
        "       [y*, Lz] -G-> x* ~ x",
        "            ^",
    ]
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.line, again.column, again.message) == (str(error), 3, 9, error.message)


def test_the_caret_stands_under_its_place_behind_tabs():
    error = NotationError("no", field="maps", text="\tx\t-> y", at=3)
    assert str(error) == "maps, line 1: no\n    \tx\t-> y\n    \t \t^"


X = {"x": Image(3), "y": Image(3)}
PIX = {"signals": X, "maps": "x -G-> y*", "adversaries": "D: y* vs y", "losses": "y* ~ y"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"weights": {"y* ~ x": 1}},
            "weights names 'y* ~ x', which is no term of this graph; did you mean 'y* ~ y'?",
        ),
        (
            {"weights": {"D": -1}},
            "the term 'D(y*)' weighs -1.0: an adversary is no comparison that is maximised; exchange what stands on "
            "both sides of 'vs', or weigh it by a positive number",
        ),
        ({"weights": {"z*": 1}}, "weights names 'z*', which is no term of this graph; known names: D, D(y*), y* ~ y"),
        (
            {"weights": {"*y": 1, "y*~*": 2}},
            "weights names the term 'y* ~ y' by '*y' and by 'y*~*': say one of them",
        ),
        (
            {"optional": {"D": "x"}},
            "optional says 'x' of the term 'D(y*)': a comparison can be computed for some samples of a batch, an "
            "adversary for all or none",
        ),
        (
            {"optional": {"y* ~ y": "x"}},
            "optional says 'x' of the term 'y* ~ y': declare it in signals= as a Vector(1), 1 for the samples of a "
            "batch that have what the term needs and 0 for the others",
        ),
        (
            {"signals": {"x": Image(3), "e": Noise(3), "y": Vector(3)}, "maps": "x -G-> e ; e -F-> y*"},
            "signals['e'] is Noise(3), which is drawn, and a map makes it: it is a Vector",
        ),
        ({"weights": {"D": float("nan")}}, "weights['D'] = nan: a weight is a finite number, or a Ramp"),
        ({"weights": {"D": float("inf")}}, "weights['D'] = inf: a weight is a finite number, or a Ramp"),
        ({"weights": {"D": True}}, "weights['D'] = True: a weight is a finite number, or a Ramp"),
        ({"weights": {"D": "1"}}, "weights['D'] = '1': a weight is a finite number, or a Ramp"),
        ({"weights": {1: 1}}, "weights is keyed by names of terms, got 1"),
        ({"weights": [1]}, "weights must be a dict by names of terms, got list"),
        (
            {"criteria": {"E": "l2"}},
            "criteria names 'E', which is no term of this graph; known names: D, D(y*), y* ~ y",
        ),
        ({"criteria": {"D": 2}}, "criteria['D'] must be a name, got int"),
        (
            {"optional": ["D_I"]},
            "optional names 'D_I', which is no term of this graph; known names: D, D(y*), y* ~ y",
        ),
        ({"optional": "D"}, "optional must be a list of names, got the text 'D': write ['D']"),
        ({"frozen": [1]}, "frozen must be a name, got int"),
        ({"frozen": 1}, "frozen must be a list of names, got int"),
        ({"frozen": ["D"]}, "frozen names 'D', which is no generator of this graph; known names: G"),
        ({"functions": ["F"]}, "functions names 'F', which no flow uses; known names: G, add, argmax, sample, softmax"),
        ({"functions": ["D"]}, "'D' is a function and a discriminator: call one of them otherwise"),
        ({"maps": None}, "maps must be text, got None"),
        ({"adversarial": 1}, "adversarial must be a name, got int"),
        ({"schedule": "sequential"}, "schedule must be a Schedule, got str"),
        ({"signals": ["x"]}, "signals must be a dict by names of signals, got list"),
        (
            {"signals": X | {"z": Image}},
            "signals['z'] must be a domain such as Image(3), got "
            "<class 'cyclekit.graph.domains.Image'>; did you mean Image(...)?",
        ),
        ({"signals": X | {"z": 3}}, "signals['z'] must be a domain such as Image(3), got 3"),
        (
            {"signals": X | {"a b": Image(3)}},
            "signals names 'a b': a signal's name is a word, maybe with stars, not '_', 'vs', 'stop' or 'reverse'",
        ),
        (
            {"signals": X | {"vs*": Image(3)}},
            "signals names 'vs*': a signal's name is a word, maybe with stars, not '_', 'vs', 'stop' or 'reverse'",
        ),
    ],
)
def test_an_argument_that_does_not_fit_is_named(fields, message):
    with pytest.raises(GraphError) as caught:
        CycleGraph(**{**PIX, **fields})
    assert str(caught.value) == message
