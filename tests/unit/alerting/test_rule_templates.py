"""Templates in alert rules: what Prometheus takes when it loads one, and what it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.alerting.templates import fault


@pytest.mark.parametrize(
    "text",
    [
        "no template }} at all",
        "{{ $labels.instance }} is down: {{ $value | humanize }}",
        '{{ printf "%.4g" $value }}% of {{ $.labels.service }}',
        "{{- if gt $value 0.5 -}} much {{- else if (eq $value 0.1) }} some {{ else }} little {{ end }}",
        '{{ range query "up" }}{{ .Labels.job }}{{ .Value }}{{ else }}none{{ end }}',
        '{{ with query "up" }}{{ . | first | value | humanizePercentage }}{{ end }}',
        '{{ $x := index $labels "a" }}{{ $x }}{{ $x = "b" }}',
        "{{ range $i, $one := $labels.SortedPairs }}{{ $i }}={{ $one.Name }}{{ end }}",
        "{{/* a remark with {{ braces }} */}}{{ $externalURL }}{{ `raw }}` }}",
        '{{ define "x" }}{{ .arg0 }}{{ end }}{{ template "x" (args 1 2) }}',
        '{{ $labels.job | toUpper | reReplaceAll "a(.*)" "$1" }}{{ \'c\' }}{{ 1.5e3 }}{{ not true }}',
        '{{ (index $labels "x").foo }}{{ len .Labels }}',
    ],
)
def test_what_prometheus_takes_is_taken(text: str) -> None:
    assert fault(text) == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ $label.foo }}", "there is no variable $label"),
        ("{{ range $x := $labels }}{{ end }}{{ $x }}", "there is no variable $x"),
        ("{{ humanise $value }}", "there is no function humanise"),
        ("{{ $value", "lacks its"),
        ("{{ $value }", "cannot stand"),
        ("{{ }}", "holds nothing"),
        ("{{ if $value }}", "lacks its `end`"),
        ("{{ end }}", "`end` ends nothing"),
        ("{{ else }}", "`else` ends nothing"),
        ("{{ (index $labels }}", "not closed"),
        ("{{ index $labels) }}", "closes nothing"),
        ('{{ "open }}', "cannot stand"),
        ("{{ $value % 2 }}", "cannot stand"),
        ("{{ $x = 1 }}", "there is no variable $x"),
    ],
)
def test_what_it_refuses_is_refused_with_the_reason(text: str, why: str) -> None:
    assert why in fault(text)


@given(st.text("{}$ .|()\"`'-/*=:,aif", max_size=30))
def test_any_text_is_taken_or_refused_and_nothing_else(text: str) -> None:
    assert isinstance(fault(text), str)
