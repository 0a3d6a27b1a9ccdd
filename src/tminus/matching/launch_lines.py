"""How people put the lines of the launch: rollback, backups, countdown, signatures, success criteria."""

from tminus.matching.saying import PASSED, Saying

_SIGNED = "date approve"
_SIGNING = "approve +date"

ROLLBACK = {
    "rb.images": Saying(
        ("previous image available|keep|verify|store|prepare", "previous version available|keep"),
        may="version container available rollback image keep",
    ),
    "rb.dbscripts": Saying(
        (
            "rollback script prepare|available|test|create|verify|pass",
            "rollback migration prepare|available|create|script",
        ),
        may="database migration script test prepare",
        only="database migration",
        order=False,
    ),
    "rb.procedure": Saying(
        ("rollback procedure document|define|prepare|create|available|clear",),
        may="document playbook",
        order=False,
    ),
    "rb.tested": Saying(
        ("rollback test staging", "rollback test", "rollback verify staging"),
        may="procedure pass done staging verify",
        never="after post",
    ),
    "rb.criteria": Saying(
        ("rollback criteria define|document|clear|set|review",), may="document define", order=False
    ),
    "rb.authority": Saying(
        ("rollback authority clear|define|document|assign|verify",), may="procedure", order=False
    ),
}

BACKUPS = {
    "bk.db": Saying(
        (
            "backup database done|create",
            "~backup data done|create",
            "~backup pre done|create",
            "^backup database",
        ),
        may="pre done create data pass version store migration",
        near="backup t-24 before",
        never="t-2 t-1 t-0 after post staging restore schedule set",
    ),
    "t2.backup": Saying(
        ("backup database done|create", "^backup database"),
        may="pre done create data pass store",
        only="t-2",
        never="restore staging schedule set",
    ),
    "bk.restore": Saying(
        (
            "backup restore test|verify|done|pass",
            "restore procedure test|verify",
            "~backup verify|validation",
            "restore test done|pass|verify",
            "restore test backup",
        ),
        may="database data pass test restore done staging",
        never="after post document pod",
    ),
    "bk.redis": Saying(("redis backup done|create",), may="pre done create", never="after staging"),
    "bk.config": Saying(
        ("config backup done|create",), may="app done create", never="after staging database"
    ),
    "bk.vault": Saying(("vault backup done|create",), may="secret done create", never="after staging"),
}

COUNTDOWN = {
    "t24.freeze": Saying(("codefreeze enable|done|notify|apply|verify", "~codefreeze"), may="enable"),
    "t24.brief": Saying(
        ("team brief",), may="done procedure", never="after supportteam customersuccess post"
    ),
    "t4.meeting": Saying(
        ("meeting pre", "meeting pre done|apply"), may="team schedule", never="after schedule"
    ),
    "t4.review": Saying(("checklist review",), may="done team", never="after post development"),
    "t4.available": Saying(("team available verify", "~team available"), may="verify", never="after"),
    "t4.warroom": Saying(
        ("warroom open", "warroom enable|runs", "warroom define|set|available"),
        only="t-4 t-2 t-1 +open +enable",
        may="team",
    ),
    "t2.maint": Saying(("maintmode enable",), never="after"),
    "t2.baseline": Saying(
        ("baseline capture|define|document|done", "metric capture"),
        may="metric performance pre capture",
        never="after load test development post canary",
    ),
    "t0.bg": Saying(("bluegreen enable|apply",), may="deploy"),
    "t0.migrate": Saying(
        ("migration apply", "migration done|pass|deploy"),
        may="apply database done script",
        only="t-0 +apply",
        never="after post staging success before",
    ),
    "t0.green": Saying(
        ("newversion deploy", "greenside deploy", "newversion deploy greenside"),
        may="greenside newversion version",
        never="staging",
    ),
    "t0.smoke": Saying(
        ("smoke greenside", f"smoke {PASSED}"), may="test pass apply done", only="greenside", never="after"
    ),
    "t0.shift": Saying(
        ("traffic shift greenside", "traffic shift gradual"),
        may="gradual greenside newversion version",
        never="rollback every hundred",
    ),
    "t1.all": Saying(
        ("traffic greenside every|hundred", "traffic newversion|version shift every|hundred"),
        may="shift runs greenside",
        never="rollback",
    ),
    "t1.blue": Saying(("blue keep|available",), may="rollback available version previous"),
    "t1.dash": Saying(("dashboard review",), may="monitor", near="after", never="before"),
    "t1.alerts": Saying(
        ("alert work", "~alert verify", "~alert test"),
        may="verify monitor test set",
        only="+work after t+1",
        never="before",
    ),
    "t4p.err": Saying(
        ("errorrate normal",), may="verify", never="success load canary alert before rollback approve"
    ),
    "t4p.perf": Saying(
        ("performance normal",), may="metric", never="success load test canary alert before rollback approve"
    ),
    "t4p.feedback": Saying(("feedback positive",), may="audience", never="before"),
    "t4p.blueoff": Saying(("blue stop",), may="version previous", never="rollback"),
    "t24p.review": Saying(
        ("post review schedule|rotation", "retrospective schedule|rotation"),
        may="meeting post review team",
        never="before incident",
    ),
    "t24p.docs": Saying(
        ("document update",), only="after t+24 +deploy", never="before development api staging"
    ),
    "t24p.lessons": Saying(
        ("lessons capture|document|share",), may="document capture deploy", never="before"
    ),
}

SIGNATURES = {
    f"sign.{role}": Saying((concept,), may=_SIGNED, only=_SIGNING)
    for role, concept in (
        ("devops", "devopslead"),
        ("eng", "englead"),
        ("sec", "seclead"),
        ("qa", "qalead"),
        ("cto", "cto"),
    )
}

_NOT_SUCCESS = "load test alert rollback canary staging before performance"
_CRITERION = "success after health post"

CRITERIA = {
    "ok.health": Saying(
        (
            "health respond|pass http200",
            "health http200",
            "api health respond|pass|work|runs",
            "?health respond",
            "?health pass",
        ),
        may="api app pass respond service work",
        near=_CRITERION,
        never="staging canary",
        order=False,
    ),
    "ok.err": Saying(
        ("errorrate",), may="api", near=_CRITERION, never=_NOT_SUCCESS, limit="<1%", needs_limit=True
    ),
    "ok.p95": Saying(
        ("percentile latency", "percentile"),
        may="api latency",
        near=_CRITERION,
        never=_NOT_SUCCESS,
        limit="<500ms",
        needs_limit=True,
    ),
    "ok.services": Saying(
        ("service runs every", "service runs critical", "?pod runs every"),
        may="critical production runs",
        near=_CRITERION,
        never="staging canary before",
    ),
    "ok.migrations": Saying(
        ("migration pass|done|apply", "~migration verify"),
        may="pass done apply database",
        only="+pass success after #validation",
        never="staging t-0 t-2 t-4 t-24 before",
    ),
    "ok.auth": Saying(("auth work",), may="audience api", near=_CRITERION, never="staging development"),
    "ok.search": Saying(("search work",), near=_CRITERION, never="staging development"),
    "ok.upload": Saying(("upload work",), near=_CRITERION, never="staging development"),
    "ok.integrations": Saying(
        ("integration work",), may="thirdparty", near=_CRITERION, never="staging development alert"
    ),
    "ok.noalerts": Saying(
        ("not alert critical", "not alert alertfire|enable"),
        may="critical alertfire enable not",
        near=_CRITERION,
        never="before",
    ),
    "ok.dash": Saying(("dashboard show data",), may="monitor data", near=_CRITERION, never="development"),
    "ok.logs": Saying(
        ("log flow logstore", "~log flow", "~logstore flow", "~logstore work"), may="app log", near=_CRITERION
    ),
}
