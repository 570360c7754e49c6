# SPDX-License-Identifier: GPL-2.0
"""
Writes the reasons of nfto.yaml into a text that has them between two lines with
"reasons: written by netlink/generate" and "reasons: end" in them. What is in the
first of these lines says how:

  man                  the items of an mdoc list
  words KIND INDENT    the names of the reasons of this kind, in lines of shell

generate-reasons.py YAML <TEXT >TEXT
"""
import re
import sys
import textwrap

import yaml

BEGIN = "reasons: written by netlink/generate, "
END = "reasons: end"


def as_man(reasons):
    """A sentence begins a line, as mdoc wants it."""
    for reason in reasons:
        yield f".It {reason['name']}"
        for sentence in re.split(r"(?<=\.) (?=[A-Z])",
                                 " ".join(reason["doc"].split())):
            yield from textwrap.wrap(sentence, 79, break_on_hyphens=False)


def as_words(reasons, kind, indent):
    names = " ".join(reason["name"] for reason in reasons
                     if kind in reason["kinds"])
    tabs = "\t" * int(indent)
    return [tabs + line for line in textwrap.wrap(
        names, 80 - 8 * int(indent), break_on_hyphens=False)]


def written(how, reasons):
    form, *words = how.split()
    return {"man": as_man, "words": as_words}[form](reasons, *words)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        reasons = next(enum for enum in yaml.safe_load(file)["definitions"]
                       if enum["name"] == "reason")["entries"]
    skipping = False
    for line in sys.stdin.read().splitlines():
        if END in line:
            skipping = False
        if not skipping:
            print(line)
        if BEGIN in line:
            skipping = True
            for text in written(line.partition(BEGIN)[2], reasons):
                print(text)
    if skipping:
        sys.exit("generate-reasons: a text has no end of its reasons")


main()
