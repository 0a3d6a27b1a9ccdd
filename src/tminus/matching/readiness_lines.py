"""How people put the lines of readiness: configuration, monitoring, tests, people, notifications."""

from tminus.matching.saying import PASSED, Saying

_STATE = "set|enable|apply|create|prepare|define|update"
_MADE = "import|create|set|prepare|enable|deploy|available"
_TOLD = "notify|notice|brief"
_ALERT_HEADS = "alert"
_NOT_ALERT = "rollback success load canary"

CONFIGURATION = {
    "cfg.configmaps": Saying((f"configmap {_STATE}|verify",), may="set config apply update", never="staging"),
    "cfg.secrets": Saying(
        (
            "secret create|set|prepare",
            "secret vault store",
            "~secret vault",
        ),
        may="store set vault externalsecrets config create",
        never="staging",
    ),
    "cfg.env": Saying(
        ("envvar verify|set|prepare|review|define|update",),
        may="set verify config enable review",
        never="staging development",
    ),
    "cfg.flags": Saying(
        ("featureflag set|verify|prepare|review|enable",),
        may="config verify newversion",
        near="config",
        never="staging",
    ),
    "cfg.ratelimit": Saying(
        ("ratelimit set|enable|apply", "~ratelimit verify"),
        may="api config app set verify enable define",
        near="config security",
        never="staging",
    ),
    "cfg.cors": Saying(
        ("cors set|enable|limit|verify", "~cors prepare"),
        may="config set enable api security limit verify",
        near="config security",
        never="staging",
    ),
}

MONITORING = {
    "dash.app": Saying((f"dashboard app {_MADE}",), may="monitor performance metric import set"),
    "dash.infra": Saying((f"dashboard infrastructure {_MADE}",), may="monitor import set"),
    "dash.sec": Saying((f"dashboard security {_MADE}",), may="monitor import set"),
    "dash.biz": Saying((f"dashboard business {_MADE}",), may="monitor metric import set"),
    "alert.crit": Saying(
        ("alert critical set|enable|prepare|create|define",), may="monitor set enable criteria"
    ),
    "alert.crit.down": Saying(
        ("down api|service|app",),
        may="alert set critical",
        only=_ALERT_HEADS,
        never=_NOT_ALERT,
        limit=">1min",
    ),
    "alert.crit.err": Saying(
        ("errorrate",),
        may="alert set critical api",
        only=_ALERT_HEADS,
        never=_NOT_ALERT,
        limit=">1%",
        word="critical",
    ),
    "alert.crit.p95": Saying(
        ("percentile", "latency percentile"),
        may="alert set critical api latency",
        only=_ALERT_HEADS,
        never=_NOT_ALERT,
        limit=">500ms",
        word="critical",
    ),
    "alert.crit.dbconn": Saying(
        ("database connection", "database pool"),
        may="alert set critical pool connection apply",
        only=_ALERT_HEADS,
        never=_NOT_ALERT,
        limit=">80%",
        needs_limit=True,
    ),
    "alert.crit.mem": Saying(
        ("memory",),
        may="alert set critical",
        only=_ALERT_HEADS,
        never=_NOT_ALERT,
        limit=">85%",
        needs_limit=True,
    ),
    "alert.crit.disk": Saying(
        ("diskspace",),
        may="alert set critical",
        only=_ALERT_HEADS,
        never=_NOT_ALERT,
        limit=">80%",
        needs_limit=True,
    ),
    "alert.warn": Saying(
        ("alert warning set|enable|prepare|create|define",), may="monitor set enable criteria"
    ),
    "alert.warn.err": Saying(
        ("errorrate",),
        may="alert set warning api",
        only=_ALERT_HEADS,
        never=_NOT_ALERT,
        limit=">0.5%",
        word="warning",
    ),
    "alert.warn.p95": Saying(
        ("percentile", "latency percentile"),
        may="alert set warning api latency",
        only=_ALERT_HEADS,
        never=_NOT_ALERT,
        limit=">300ms",
        word="warning",
    ),
    "alert.warn.cache": Saying(
        ("cachehit",),
        may="alert set warning cache",
        only=_ALERT_HEADS,
        never=_NOT_ALERT,
        limit="<90%",
        needs_limit=True,
    ),
    "alert.warn.queue": Saying(
        ("queuedepth",),
        may="alert set warning queue",
        only=_ALERT_HEADS,
        never=_NOT_ALERT,
        limit=">1000",
        needs_limit=True,
    ),
    "route.all": Saying(("alert routing set|define|prepare|verify",), may="set"),
    "route.pd": Saying(
        (
            "pagerduty integration set|enable|verify|test|work|prepare",
            "pagerduty alert set|enable|verify|work",
            "pagerduty integration",
            "pagerduty set|enable",
        ),
        may="alert set integration notice oncall test verify work",
        only="alert monitor oncall",
    ),
    "route.slack": Saying(
        (
            "slack integration",
            "slack alert set|enable|verify|work",
            "slack integration set|enable|verify|test|work",
            "slack set|enable",
        ),
        may="alert set integration notice test verify work",
        only="alert monitor",
        never="communication",
    ),
    "route.email": Saying(
        ("email notice", "email alert set|enable|verify|work", "email notice set|enable|verify|test|work"),
        may="alert set test verify work",
        only="#alert #monitor",
        never="audience template",
    ),
    "route.sms": Saying(
        ("sms critical|oncall", "sms alert set|enable|verify|work", "sms notice|set"),
        may="alert notice critical oncall set integration enable verify work",
        only="#alert #monitor #oncall +oncall",
        never="audience",
    ),
}

TESTS = {
    "test.drift": Saying(
        ("staging match production", "staging production config match"),
        may="config infrastructure data version",
    ),
    "test.smoke": Saying(
        (f"smoke {PASSED} staging", f"~smoke {PASSED}"),
        may="test pass",
        near="before",
        never="after t-0 greenside post canary +production",
    ),
    "test.load": Saying(
        (f"load {PASSED} staging", f"load {PASSED}"),
        may="test performance pass done",
        near="before test",
        never="after post canary +production",
    ),
    "test.integration": Saying(
        (f"integration test {PASSED}",),
        may="staging pass suite",
        near="test before",
        never="after post thirdparty",
    ),
    "test.e2e": Saying(
        (f"e2e {PASSED}",), may="test staging pass suite", near="test before", never="after post"
    ),
    "test.security": Saying(
        (f"security test {PASSED}", f"security scan {PASSED}", f"vulnerability scan {PASSED}"),
        may="test pass not critical vulnerability staging",
        near="test before",
        never="after post container",
    ),
    "t24.tests": Saying(
        ("test pass every", "suite pass"),
        may="pass test staging ",
        near="t-24 before",
        never="after post canary approve development build",
    ),
}

PEOPLE = {
    "comm.warroom": Saying(
        ("warroom schedule|prepare|set|create|available",),
        may="rotation videocall set",
        never="t-4 t-2 t-1 t-0 slackchannel",
    ),
    "comm.slack": Saying(
        ("slackchannel create|set|prepare|available|open",), may="communication", never="t-0"
    ),
    "comm.videolink": Saying(
        ("videocall link share|notify|prepare|available", "meeting link share|notify"),
        may="team meeting stakeholder warroom",
    ),
    "comm.bridge": Saying(("phonebridge available|prepare|set|test|open|verify",), may="test"),
    "comm.statuspage": Saying(("statuspage prepare|set|available",), may="set update", never="after"),
    "oncall.schedule": Saying(
        ("oncall rotation create|set|schedule|define|prepare|verify|assign|available", "oncall schedule"),
        may="set schedule rotation team window pagerduty define post",
    ),
    "oncall.primary": Saying(
        ("oncall primary assign|verify|available|schedule|prepare", "oncall person assign", "~oncall assign"),
        may="person brief assign available",
        never="secondary",
    ),
    "oncall.secondary": Saying(
        ("secondary oncall assign|verify|available|schedule|prepare", "secondary assign|verify|available"),
        may="person brief assign oncall available",
        only="oncall",
    ),
    "oncall.escalation": Saying(
        ("escalation document|define|prepare|clear|verify|set|share|notify|create",),
        may="procedure oncall define document set",
    ),
    "oncall.playbook": Saying(
        ("incident playbook review", "playbook review"), may="incident team oncall respond", only="incident"
    ),
}

NOTIFICATIONS = {
    "notify.exec": Saying((f"executive {_TOLD}",), may="window team stakeholder", never="after post alert"),
    "notify.cs": Saying((f"customersuccess {_TOLD}",), may="window team", never="after post"),
    "notify.support": Saying((f"supportteam {_TOLD}",), may="newversion", never="alert"),
    "notify.marketing": Saying((f"marketing {_TOLD}",), may="window", never="after post"),
    "notify.maint": Saying(
        ("notice maintenance prepare|create", "notice window prepare|create"),
        may="audience template schedule",
    ),
    "notify.window": Saying(
        ("window notify",),
        may="audience schedule notice partner",
        never="after post stakeholder executive marketing",
    ),
    "notify.statuspage": Saying(("statuspage update|notify",), may="window notice", never="condition"),
    "notify.email": Saying(("email template prepare|available",), may="notice audience window"),
    "notify.apipartners": Saying((f"api partner {_TOLD}", f"partner {_TOLD} breaking"), may="breaking"),
    "notify.integrations": Saying((f"integration partner {_TOLD}",), may="window thirdparty"),
    "notify.thirdparty": Saying(("thirdparty service verify|runs|available",), may="verify available"),
    "t24.notify": Saying(
        ("stakeholder notify",), may="notice internal window", never="after post t+1 rollback canary"
    ),
}
