# SPDX-License-Identifier: GPL-2.0-or-later
"""A strict reader of OpenMetrics text, as far as it is used here: counters, gauges and histograms (the standard's sections 3 and 4).

    families = parse(text)          {"name": Family}; raises ValueError with the line where the text is otherwise
"""

import dataclasses
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
META = re.compile(rf"# (TYPE|UNIT|HELP) ({NAME}) (.*)")
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
ENDINGS = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}


@dataclasses.dataclass
class Family:
    type: str
    unit: str = ""
    help: str = ""
    samples: dict = dataclasses.field(default_factory=dict)  # (name's ending, its labels as a sorted tuple): value

    def value(self, ending, **labels):
        return self.samples[ending, tuple(sorted(labels.items()))]


def labels_of(text):
    labels, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match or match[1] in labels:
            raise ValueError(f"labels: {text!r}")
        labels[match[1]] = match[2]
        at = match.end()
    return tuple(sorted(labels.items()))


def check_histogram(name, family):
    buckets = [(float(dict(labels)["le"]), value) for (ending, labels), value in family.samples.items() if ending == "_bucket"]
    bounds, counts = [bound for bound, _ in buckets], [count for _, count in buckets]
    if bounds != sorted(set(bounds)) or bounds[-1:] != [float("inf")] or counts != sorted(counts):
        raise ValueError(f"{name}: its buckets do not go up to +Inf")
    if counts[-1] != family.value("_count"):
        raise ValueError(f"{name}: its count is not its last bucket's")


def add_meta(families, match, open_name):
    what, name, text = match.groups()
    if what == "TYPE":
        if name in families or text not in ENDINGS:
            raise ValueError("a family twice, or of no known type")
        families[name] = Family(text)
        return name
    if name != open_name or families[name].samples or getattr(families[name], what.lower()):
        raise ValueError("it does not belong here")
    if what == "UNIT" and not name.endswith("_" + text):
        raise ValueError("the name does not end in its unit")
    setattr(families[name], what.lower(), text)
    return name


def add_sample(families, match, open_name):
    name, labels, value = match[1], labels_of(match[2] or ""), float(match[3])
    if not open_name or not name.startswith(open_name):
        raise ValueError("it is none of its family")
    family, ending = families[open_name], name[len(open_name):]
    if ending not in ENDINGS[family.type] or (ending, labels) in family.samples:
        raise ValueError("its ending is none of its type's, or it is there twice")
    if family.type != "gauge" and not value >= 0:
        raise ValueError("it is negative")
    family.samples[ending, labels] = value


def parse(text):
    families, open_name = {}, None
    if not text.endswith("\n# EOF\n"):
        raise ValueError("the last line is not # EOF")
    for number, line in enumerate(text.splitlines()[:-1], 1):
        meta, sample = META.fullmatch(line), SAMPLE.fullmatch(line)
        try:
            if meta:
                open_name = add_meta(families, meta, open_name)
            elif sample and not line.startswith("#"):
                add_sample(families, sample, open_name)
            else:
                raise ValueError("it is neither a sample nor about one")
        except ValueError as error:
            raise ValueError(f"line {number}, `{line}': {error}") from None
    for name, family in families.items():
        if family.type == "histogram":
            check_histogram(name, family)
    return families
