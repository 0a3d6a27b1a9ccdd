"""The shape of a metric of the team's own, as a plan's file defines it."""

from pydantic import Field

from tminus.planfile.basis import Entry, Said, Text


class MetricEntry(Entry):
    """A metric of the team's own: a query, what it must give, how often it is asked while the release meets users."""

    id: Text
    """Its name, once in the plan: `checkout-errors`. A rollback by it has the rule `metric.ID`."""
    system: Said = ""
    """The system of kind `prometheus` that is asked; the only one when left out."""
    query: Text
    """PromQL that gives one number. `${side}` stands for `green`, and for `blue` in a baseline."""
    passes: Said = Field(default="", alias="pass")
    """What the value must be: `< 1%`, `<= 500 ms`. Without `fail`, all else fails."""
    fail: Said = ""
    """What shows harm: `> 5%`. Without `pass`, all else passes; with it, what is neither is inconclusive."""
    warn: Said = ""
    """A narrower limit than `pass`: outside of it a value that passes is warned about."""
    relative: Said = ""
    """A limit beside the baseline: `<= baseline x 1.2 + 0.1pt` (points), `<= baseline + 10%` (of the baseline)."""
    baseline: Said = ""
    """What that is: `blue` (the same query about blue), `before` (the same before the shift), or PromQL of its own."""
    count: int | None = Field(default=None, strict=True)
    """After how many answers it is complete; left out, it is measured until its stages are over."""
    interval: Said = ""
    """From the end of one measurement to the next, `1s` at least. Left out, one measurement is all."""
    delay: Said = ""
    """From the beginning of its first stage to the first measurement."""
    failures: int = Field(default=0, strict=True)
    """How many failed measurements are borne, in all; one more rolls the release back."""
    inconclusive: int = Field(default=0, strict=True)
    """How many measurements without a verdict are borne, in all; one more holds and pages."""
    errors: int = Field(default=4, strict=True)
    """How many measurements without an answer are borne, in a row; one more holds and pages."""
    begins: Said = Field(default="shift", alias="from")
    """The part of the rollout in which it is measured first: `shift` or `soak`."""
    until: Said = "soak"
    """The part by whose end it must have passed: `shift` (before green is promoted) or `soak` (before blue ends)."""
