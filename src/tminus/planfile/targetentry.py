"""The shape of a plan's target, and of what a launch changes there beside the release."""

from pydantic import Field

from tminus.planfile.basis import Entry, Flag, Said, Text


class CountedEntry(Entry):
    """Who counts the service's requests: a Prometheus that scrapes both sides, or the gateway before them."""

    system: Said = ""
    """The system of kind `prometheus` that is asked; the only one when left out."""
    requests: Text
    """The counter of finished requests: a selector in which `${side}` stands for a side's Service."""
    status: Text = "code"
    """Its label that holds the HTTP status."""
    seconds: Text
    """The buckets of how long they took, in seconds: a selector with `${side}` in it."""


class OtherEntry(Entry):
    """Another component of the service: one Deployment, brought to its new image where it is."""

    component: Text
    """Its name under `release`."""
    deployment: Text
    image: Text
    """The repository of its images, without tag and digest."""
    container: Said = ""
    """Which container of a pod runs it; its only one when left out."""
    when: Text = "promoted"
    """`green`: before the first user meets green; `promoted`: once green has all requests."""


class TargetEntry(Entry):
    """Where the release is rolled out. Without it a launch counts down to T-0 and no further."""

    kind: Text = "kubernetes"
    """What it is; this version knows `kubernetes`."""
    address: Text
    """The path of a kubeconfig, mostly by reference (`env:KUBECONFIG`); `in-cluster` for the pod's own account."""
    context: Said = ""
    """The context of the kubeconfig; its current one when left out."""
    namespace: Text
    image: Text
    """The repository of the service's images, without tag and digest: `registry.example/shop/api`."""
    blue: Text
    """The name of the Deployment that serves now, and of the Service in front of it."""
    green: Text
    """The same of the release, which a launch makes from blue; its Service is there before."""
    route: Said = ""
    """The HTTPRoute whose weights divide the traffic."""
    switch: Said = ""
    """Where there is no route: the Service that users come through, whose selector is switched, all or nothing."""
    container: Said = ""
    """Which container of a pod runs the release; its only one when left out."""
    port: int = Field(default=80, strict=True, ge=1, le=65535)
    """The port of both Services."""
    replicas: int = Field(default=0, strict=True, ge=0)
    """How many pods green gets; as many as blue when left out."""
    ready: Text = "10min"
    """How long a side may take until all its pods are ready."""
    job: Text = "1h"
    """How long the Job of a backup or a migration may run."""
    take: Flag = False
    """Whether fields that another manager holds may be taken from it."""
    public: Said = ""
    """The system of kind `website` that users come to; the only one when left out."""
    path: Text = "/health"
    """What is asked for there to see whether users get an answer."""
    images: Said = ""
    """For a plan that scans: the system of kind `registry` that holds the SBOMs; the only one when left out."""
    migrate: list[Text] = Field(min_length=1)
    """What a Job of the new image runs to bring the schema to it; its last line says the revision."""
    back_up: list[Text] = Field(default_factory=list)
    """What a Job of blue's image runs to dump the database; its last line is JSON with `file`, `sha256`, …"""
    smoke: list[Text] = Field(min_length=1)
    """What a Job of a side's own image runs to smoke-test it at `TMINUS_URL`; it ends with 0 when all is well."""
    others: list[OtherEntry] = Field(default_factory=list)
    """The components of the release beyond the first, in the order in which they are brought to their images."""
    traffic: CountedEntry
    """Who counts requests: the guard judges what it counts."""


class ChangeEntry(Entry):
    """A feature flag or a setting that the launch changes, and that a rollback changes back."""

    id: Text
    """Its name, once in the plan: `flag.checkout`."""
    when: Text = "promoted"
    """`green`: before the first user meets green; `promoted`: once green has all requests."""
    apply: list[Text] = Field(min_length=1)
    """What the release's image runs to change it."""
    revert: list[Text] = Field(min_length=1)
    """What it runs to change it back."""
    read: list[Text] = Field(min_length=1)
    """What prints how it stands, as its last line."""
    after: Text
    """What that is once it is changed."""
    before: Text
    """What it is before. Anything else is somebody else's change, and the launch goes back."""
