"""Scenarios by name, the rows that they give, and the table."""

import statistics
from dataclasses import dataclass, field

SCENARIOS = {}  # name -> (function, what it measures, about how many seconds it takes)


def scenario(name, seconds):
    def register(function):
        SCENARIOS[name] = (function, function.__doc__.strip().splitlines()[0], seconds)
        return function
    return register


@dataclass
class Row:
    what: str
    unit: str
    values: list
    target: str = ""
    at_least: float = None
    at_most: float = None
    note: str = ""
    scenario: str = field(default="")

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def met(self):
        """None: there is nothing to be met."""
        if self.at_least is None and self.at_most is None:
            return None
        return ((self.at_least is None or self.median >= self.at_least) and
                (self.at_most is None or self.median <= self.at_most))

    def as_json(self):
        return {"scenario": self.scenario, "what": self.what, "unit": self.unit,
                "target": self.target, "median": self.median, "min": min(self.values),
                "max": max(self.values), "values": self.values, "met": self.met,
                "note": self.note}


def at_least(what, unit, values, bound, note=""):
    return Row(what, unit, values, f"≥ {figure(bound)}", at_least=bound, note=note)


def at_most(what, unit, values, bound, note=""):
    return Row(what, unit, values, f"≤ {figure(bound)}", at_most=bound, note=note)


def printed(what, unit, values, note=""):
    return Row(what, unit, values, note=note)


def figure(value):
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def lines(rows):
    """As Markdown, so that it can stand in a README as it is."""
    out = ["| what | target | median | min – max | met | |", "|---|---|---|---|---|---|"]
    for row in rows:
        met = {None: "", True: "yes", False: "**no**"}[row.met]
        spread = "" if len(row.values) == 1 else \
            f"{figure(min(row.values))} – {figure(max(row.values))}"
        out.append(f"| {row.what} | {row.target} | {figure(row.median)} {row.unit} | {spread} | "
                   f"{met} | {row.note} |")
    return out
