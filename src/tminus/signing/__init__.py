"""Keys, envelopes and the trust root: everything about signatures that touches files or cryptography.

What is signed, and whose signature is needed, is decided in `tminus.domain`.
"""

from tminus.signing.envelope import checkpoint_entry, open_envelope, sign_statement, verify_envelope
from tminus.signing.keys import Signer, check_public_key
from tminus.signing.people import People, PublicKey, read_public
from tminus.signing.trust import enrol, load_trust, retire, save_trust, trust_path
from tminus.signing.verification import verify_file, verify_with

__all__ = [
    "People",
    "PublicKey",
    "Signer",
    "check_public_key",
    "checkpoint_entry",
    "enrol",
    "load_trust",
    "open_envelope",
    "read_public",
    "retire",
    "save_trust",
    "sign_statement",
    "trust_path",
    "verify_envelope",
    "verify_file",
    "verify_with",
]
