"""A first plan for a team without a checklist of its own: the built-in one, with the few things only they know."""

from dataclasses import dataclass

from tminus.importing.yamltext import emitted

_COMMENTS = {
    "plan": (
        "The built-in production plan, all of it; what stands here overrides it by id.",
        "`tminus plan show` lists every line, `tminus plan check` says what is wrong and what is to fill.",
    ),
    "release": ("What is launched: the names of the components.",),
    "systems": ("Where to look. Write an address or a reference to one: env:NAME or file:PATH.",),
    "roles": ("Who answers, signs and decides. One person signs one role. Empty is to fill.",),
}


@dataclass(frozen=True, slots=True)
class Answers:
    """What `tminus init` asks, at most five things; empty is to fill later."""

    name: str = "production"
    components: tuple[str, ...] = ()
    website: str = ""
    lead: str = ""
    on_call: str = ""


def text(answers: Answers) -> str:
    """The plan as YAML."""
    data: dict[str, object] = {"plan": answers.name, "extends": "production"}
    if answers.components:
        data["release"] = {"components": list(answers.components)}
    if answers.website:
        data["systems"] = {"website": {"address": answers.website}}
    roles = [
        {"id": role, "person": person}
        for role, person in (("lead", answers.lead), ("devops", answers.on_call))
        if person
    ]
    if roles:
        data["roles"] = roles
    return emitted(data, _COMMENTS)
