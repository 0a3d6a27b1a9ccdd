"""A small plan that reads, and what is said of it when it is changed."""

from tminus.planfile import parse

SMALL = """\
plan: a small one
production: false
release:
  components: [depot]
systems:
  website: {kind: website, real: true, address: "env:SITE"}
  depot: {kind: depot, real: true, address: "env:SITE"}
roles:
  - {id: lead, title: Deployment Lead, person: Lena Ortiz, simulated: true, decides: true}
  - {id: devops, title: DevOps Lead, person: Dario Voss, simulated: true, signs: true}
  - {id: qa, title: QA Lead, person: Quentin Mbeki, simulated: true, signs: true}
milestones: [T-2h, T-0, T+1h]
checks:
  Readiness:
    - id: site.up
      line: The site is up
      due: T-2h
      owner: devops
      probe: website.health
      with: {path: /health, digest: "${release}"}
      expect: empty
      fresh: live 15min
      control: {path: /no-such-page}
      hint: look at its log
    - {id: team.ready, line: Team is ready, due: T-2h, owner: lead, attest: everybody answered}
    - {id: all.ready, line: All is ready, due: T-2h, owner: lead, of: [site.up, team.ready]}
  Launch:
    - {id: t0.smoke, line: Smoke tests, due: T-0, owner: qa, severity: blocker, step: smoke}
    - {id: sign.devops, line: DevOps Lead, due: T-0, owner: devops, sign: devops}
omitted:
  - reason: there is no Vault here
    lines: [bk.vault]
rollout:
  ladder:
    - {weight: 10, watch: 20s, requests: 100}
    - {weight: 100, watch: 12s, requests: 600}
  drain: 20s
triggers:
  - {id: trig.errors, text: "Error rate >5%", above: 5%, hold: 5min, source: requests, action: roll back}
"""

REAL = SMALL.replace(", simulated: true", "")
"""The same with people of flesh and blood."""


def problems(text: str) -> list[str]:
    plan, found = parse(text)
    assert (plan is None) == bool(found)
    return [f"{problem.line}: {problem.sentence}" for problem in found]


def changed(old: str, new: str) -> str:
    assert SMALL.count(old) == 1, old
    return SMALL.replace(old, new)


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


SHORT_FORM = """expedited:
  omitted:
    - {reason: nobody is asked, lines: [team.ready, all.ready]}
  milestones: {T-2h: T-30min}
"""
"""What a plan adds to have a shorter form for a hotfix."""
