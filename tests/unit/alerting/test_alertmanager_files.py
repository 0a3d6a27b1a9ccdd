"""Configurations of Alertmanager: what each is refused for, on which line, and what is only remarked upon."""

import textwrap

import pytest

from tminus.alerting import configuration
from tminus.alerting.configuration import read

GOOD = """\
global:
  slack_api_url_file: /secrets/chat
route:
  receiver: chat
  group_by: ['...']
  routes:
    - matchers: [severity="critical"]
      receiver: pager
      mute_time_intervals: [nights]
      active_time_intervals: [days]
receivers:
  - name: chat
    slack_configs: [{channel: '#a'}]
  - name: pager
    pagerduty_configs: [{routing_key: x}]
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [alertname]
time_intervals:
  - name: nights
    time_intervals:
      - times: [{start_time: '22:00', end_time: '24:00'}, {start_time: 00:00, end_time: '06:00'}]
        weekdays: ['monday:friday', Sunday]
        days_of_month: ['1:5', '-3:-1', 7]
        months: ['january:March', '12']
        years: ['2020:2030', 2031]
        location: Europe/Berlin
mute_time_intervals:
  - name: days
    time_intervals: []
"""


def faults(text: str) -> list[str]:
    return [str(one) for one in read(textwrap.dedent(text)).faults]


def changed(old: str, new: str) -> list[str]:
    assert old in GOOD
    return faults(GOOD.replace(old, new))


def test_a_sound_one_has_no_fault() -> None:
    found = read(GOOD)
    assert found.faults == ()
    assert found.remarks == ()
    assert found.inhibitions == 1
    assert found.intervals == ("days", "nights")
    assert found.tree is not None
    root = found.tree.root
    assert (root.receiver, root.group_by, root.line) == ("chat", ("...",), 4)
    (child,) = root.children
    assert (child.receiver, child.group_by, child.muted, child.active) == (
        "pager",
        ("...",),
        ("nights",),
        ("days",),
    )


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "null\n"])
def test_an_empty_one_is_refused(text: str) -> None:
    assert faults(text) == ["line 1: it is empty: there is no route"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("BAD\n", "line 1: an Alertmanager configuration is no mapping"),
        ("- a\n", "line 1: an Alertmanager configuration is no mapping"),
        ("receivers: []\n", "line 1: there is no route"),
        ("route:\nreceivers: [{name: a}]\n", "line 1: there is no route"),
        ("route: [a]\n", "line 1: route is no mapping"),
        ("route: {group_wait: 30s}\n", "line 1: the first route has no receiver"),
        ("route: {receiver: b}\nreceivers: [{name: a}]\n", "line 1: there is no receiver b"),
        ("route: {receiver: a}\nreceivers: [{name: a}, {name: a}]\n", "line 2: there are two receivers a"),
        ("route: {receiver: a}\nreceivers: [{name: a}, {name: ''}]\n", "line 2: a receiver has no name"),
        ("route: {receiver: a}\nreceivers: [{name: a}, null]\n", "line 2: a receiver is no mapping"),
        ("route: {receiver: a}\nreceivers: {a: b}\n", "line 2: receivers is no list"),
        (
            "x: 1\nroute: {receiver: a}\nroute: {receiver: a}\n",
            "line 3: route stands here twice, first on line 2",
        ),
    ],
)
def test_what_is_wrong_with_the_whole_is_told(text: str, told: str) -> None:
    assert told in faults(text)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("route:\n", "route:\n  matchers: [a=b]\n", "line 4: the first route has matchers, and everything"),
        ("route:\n", "route:\n  match: {a: b}\n", "line 4: the first route has matchers"),
        ("route:\n", "route:\n  continue: true\n", "line 4: the first route has `continue`"),
        ("route:\n", "route:\n  mute_time_intervals: [nights]\n", "line 4: the first route is muted"),
        ("route:\n", "route:\n  active_time_intervals: [days]\n", "line 4: the first route is active"),
        ("receiver: pager", "receiver: paper", "line 7: there is no receiver paper"),
        ("receiver: pager", "receivers: pager", "line 8: receivers is no field of a route"),
        ("receiver: pager", "receiver: [pager]", "line 8: receiver is no text"),
        (
            "receiver: pager",
            "receiver: pager\n      continue: 'yes'",
            "line 9: continue is neither true nor false",
        ),
        ('[severity="critical"]\n      rec', "severity=critical\n      rec", "line 7: matchers is no list"),
        ('[severity="critical"]\n      rec', "[severity]\n      rec", "line 7: 'severity' is no matcher"),
        ('[severity="critical"]\n      rec', "['a=~\"(\"']\n      rec", "line 7: 'a=~\"(\"' is no matcher"),
        ("    - matchers", "    - match: {a-b: c}\n      matchers", "line 7: 'a-b' is no label"),
        (
            "    - matchers",
            "    - match_re: {a: '('}\n      matchers",
            "line 7: the pattern '(' cannot be read",
        ),
        ("    - matchers", "    - match_re: {a: }\n      matchers", "line 7: the pattern for a is missing"),
        ("    - matchers", "    - match: {a: [b]}\n      matchers", "line 7: what a must be is no text"),
        ("    - matchers", "    - null\n    - matchers", "line 7: a route is no mapping"),
        ("['...']", "['...', a]", "line 5: group_by has `...` and other labels beside it"),
        ("['...']", "[a, b, a]", "line 5: group_by has a twice"),
        ("['...']", "['']", "line 5: group_by has a label without a name"),
        ("['...']", "alertname", "line 5: group_by is no list"),
        ("route:\n", "route:\n  group_wait: 1x\n", "line 4: group_wait: '1x' is no length of time"),
        ("route:\n", "route:\n  group_interval: 0s\n", "line 4: group_interval cannot be zero"),
        ("route:\n", "route:\n  repeat_interval: 0\n", "line 4: repeat_interval cannot be zero"),
        ("[nights]", "[evenings]", "line 7: there is no time interval evenings"),
        ("[days]", "[weekends]", "line 7: there is no time interval weekends"),
        ("- name: nights", "- name: days", "line 21: there are two time intervals days"),
        ("- name: nights", "- title: nights", "line 21: title is no field of a named time interval"),
        ("- name: nights", "- name:", "line 21: a time interval has no name"),
        ("'22:00'", "'24:30'", "line 23: '24:30' is no time of day"),
        ("'22:00'", "'9:00'", "line 23: '9:00' is no time of day"),
        ("'06:00'", "'00:00'", "line 23: 00:00 is not before 00:00"),
        ("start_time: '22:00', ", "", "line 23: a range of times lacks its start_time"),
        ("start_time: '22:00'", "begin: '22:00'", "line 23: begin is no field of a range of times"),
        ("monday:friday", "friday:monday", "line 24: friday:monday ends before it begins"),
        ("monday:friday", "mon:fri", "line 24: 'mon' is no day of the week"),
        ("'1:5'", "0", "line 25: 0 is no day of the month"),
        ("'1:5'", "'5:1'", "line 25: 5:1 ends before it begins"),
        ("'1:5'", "'-5:5'", "line 25: -5:5 begins at the month's end"),
        ("'1:5'", "'1:32'", "line 25: 32 is no day of the month"),
        ("'1:5'", "'first'", "line 25: 'first' is no day of the month"),
        ("january:March", "march:january", "line 26: march:january ends before it begins"),
        ("january:March", "jan", "line 26: 'jan' is no month"),
        ("'2020:2030'", "'2030:2020'", "line 27: 2030:2020 ends before it begins"),
        ("'2020:2030'", "'2020:2030:2040'", "line 27: '2030:2040' is no year"),
        ("Europe/Berlin", "Europe/Bärlin", "line 28: 'Europe/Bärlin' is no time zone"),
        ("location:", "timezone:", "line 28: timezone is no field of a time interval"),
        ("equal: [alertname]", "equals: [alertname]", "line 19: equals is no field of an inhibition"),
        ("equal: [alertname]", "equal: alertname", "line 19: equal is no list"),
        ("equal: [alertname]", "equal: ['']", "line 19: equal has a label without a name"),
        ("source_matchers: [", "source_match: {a-b: c}\n    x_matchers: [", "line 17: 'a-b' is no label"),
        (
            "target_matchers: [",
            "target_match_re: {a: }\n    target_matchers: [",
            "line 18: the pattern for a is missing",
        ),
        (
            "equal: [al",
            "sources: [{matchers: [a=b]}]\n    equal: [al",
            "line 19: an inhibition has sources and source_m",
        ),
        ("slack_configs: [{ch", "slack: [{ch", "line 13: slack is no field of a receiver"),
        (
            "slack_configs: [{",
            "slack_configs: [1, {",
            "line 13: an entry of slack_configs of chat is no mapping",
        ),
        (
            "slack_api_url_file: /secrets/chat",
            "http_config: {}",
            "line 13: an entry of slack_configs of chat has no api",
        ),
        (
            "slack_api_url_file: /s",
            "slack_api_url: x\n  slack_api_url_file: /s",
            "line 2: global has both slack_api_url",
        ),
        (
            "{routing_key: x}",
            "{}",
            "line 15: an entry of pagerduty_configs of pager has no routing_key and no serv",
        ),
        (
            "{routing_key: x}",
            "{routing_key: x, routing_key_file: y}",
            "line 15: pagerduty_configs of pager has both",
        ),
        ("global:\n", "glob: 1\nglobal:\n", "line 1: glob is no field of an Alertmanager configuration"),
    ],
)
def test_each_fault_is_told_with_its_line(old: str, new: str, told: str) -> None:
    assert any(one.startswith(told) for one in changed(old, new)), changed(old, new)


def test_an_inhibition_by_several_sources_is_held_to_their_rules() -> None:
    def told(sources: str) -> list[str]:
        return faults(
            f"""\
            route: {{receiver: a}}
            receivers: [{{name: a}}]
            inhibit_rules:
              - target_matchers: [a=b]
                sources: {sources}
            """
        )

    assert told("[{matchers: [a=b], equal: [c]}, {matchers: [d=e]}]") == []
    assert told("[{matchers: [a!=b]}]") == ["line 5: a source takes alerts without any label too"]
    assert told("[{}]") == ["line 5: a source takes alerts without any label too"]
    assert told("[{matchers: [a=b], other: 1}]") == ["line 5: other is no field of a source"]


def test_every_fault_is_told_and_not_the_first_alone() -> None:
    text = """\
        route: {receiver: a, group_by: [a, a], routes: [{receiver: b, x: 1}]}
        receivers: [{name: c}, {name: c}]
        time_intervals: [{}]
        """
    assert len(faults(text)) == 6


def test_what_it_would_load_and_warn_of_is_a_remark() -> None:
    found = read(
        textwrap.dedent(
            """\
            route:
              receiver: a
              group_by: [my.label]
              routes: [{matchers: ['a=~"x\\.y"']}, {matchers: [a-b=c]}]
            receivers: [{name: a}]
            """
        )
    )
    assert found.faults == ()
    assert [one.partition(":")[0] for one in found.remarks] == ["line 3", "line 4", "line 4"]
    assert "0.27 and newer only" in found.remarks[0]
    assert "classic parser only" in found.remarks[1]


def test_only_the_first_document_is_read() -> None:
    assert faults("route: {receiver: a}\nreceivers: [{name: a}]\n---\nnonsense: 1\n") == []


def test_a_loaded_tree_is_not_refused_for_what_is_newer_than_we_are() -> None:
    text = "route: {receiver: a, new_field: 1}\nreceivers: [{name: a, new_configs: [{}]}]\nnewer: {}\n"
    assert configuration.tree(text).integrations == {"a": ("new",)}
    assert len(read(text).faults) == 3


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ("pageduty_configs: [{routing_key: x}]", "pageduty_configs is no field of a receiver"),
        (
            "email_configs: [{to: a@b.c, from: d@e.f, smarthost: mail.example}]",
            "smarthost of email_configs of pager",
        ),
    ],
)
def test_a_receiver_that_would_not_be_loaded_is_refused(new: str, told: str) -> None:
    assert any(told in one for one in changed("pagerduty_configs: [{routing_key: x}]", new))


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ("smtp_smart_host: 'a:25'", "smtp_smart_host is no field of global"),
        ("smtp_smarthost: mail.example", "smtp_smarthost of global is no host:port"),
        ("smtp_smarthost: 'mail.example:'", "smtp_smarthost of global is no host:port"),
        ("resolve_timeout: soon", "resolve_timeout: 'soon' is no length of time"),
        ("smtp_require_tls: maybe", "smtp_require_tls is neither true nor false"),
        ("http_config: proxy", "http_config is no mapping"),
        ("pagerduty_url: hush.example/v2", "pagerduty_url of global is no http or https address"),
        ("slack_api_url: 'https://hush%zz.example'", "slack_api_url of global is no http or https address"),
        ("slack_api_url: 'ftp://hush.example'", "slack_api_url of global is no http or https address"),
        ("slack_api_url: https://", "slack_api_url of global is no http or https address"),
    ],
)
def test_what_is_wrong_with_the_global_block_is_told(new: str, told: str) -> None:
    found = changed("slack_api_url_file: /secrets/chat", f"slack_api_url_file: /secrets/chat\n  {new}")
    assert any(told in one for one in found), found
    assert not any("hush" in one for one in found)


def test_a_sound_global_block_has_no_fault() -> None:
    more = (
        "smtp_smarthost: '[::1]:25', smtp_require_tls: false, pagerduty_url: 'https://e.example/v2', "
        "resolve_timeout: 5m, http_config: {follow_redirects: true}, slack_app_token_file: /x"
    )
    assert changed("{channel: '#a'}", "{channel: '#a'}") == []
    lines = more.replace(", ", "\n  ").replace("resolve", "resolve")
    assert changed("slack_api_url_file: /secrets/chat", f"slack_api_url_file: /secrets/chat\n  {lines}") == []


def test_what_only_a_newer_alertmanager_reads_of_an_inhibition_is_a_remark() -> None:
    found = read(GOOD.replace("equal: [alertname]", "equal: [alertname]\n    name: quiet"))
    assert found.faults == ()
    assert found.remarks == ("line 20: an inhibition has name, which no Alertmanager before 0.29 reads",)
