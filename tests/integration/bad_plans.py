"""Plans that are made to hurt whoever reads them."""

from tminus.planfile import MAX_BYTES

BAD = {
    "empty": b"",
    "binary": bytes(range(256)) * 4000,
    "50 MB": b"- a\n" * 12_500_000,
    "a bomb": b"a0: &a0 [boom, boom]\n"
    + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 40)),
    "lists in lists": b"a: " + b"[" * 10_000,
    "blocks in blocks": b"".join(b" " * depth + b"a:\n" for depth in range(2000)),
    "a tab": b"plan: x\nroles:\n\t- id: a\n",
    "too many lists": b"a: [" + b"[]," * (MAX_BYTES // 3 - 10),
    "too many numbers": b"a: [" + b"1," * (MAX_BYTES // 2 - 10),
    "many unknown keys": b"".join(b"k%d: 1\n" % n for n in range(100_000)),
    "many wrong lines": b"checks:\n  A:\n" + b"    - {id: 5, lin: x}\n" * 30_000,
    "one long word": b"plan: " + b"x" * (MAX_BYTES - 100),
}
