"""The controls that checks are evidence for, by the labels that checks carry."""

from __future__ import annotations

CONTROLS = {
    "DORA-9.4c": ("EU DORA Art. 9(4)(c)", "access is limited to what is needed"),
    "DORA-9.4d": ("EU DORA Art. 9(4)(d)", "strong authentication, and keys that are protected"),
    "DORA-9.4e": ("EU DORA Art. 9(4)(e)", "changes are recorded, tested, assessed, approved, implemented and verified"),
    "RTS-17.1": ("RTS 2024/1774 Art. 17(1)", "ICT change management: requirements met, scope, fall-back"),
    "RTS-17.1b": ("RTS 2024/1774 Art. 17(1)(b)", "who approves is independent of who requests and implements"),
    "RTS-17.1d": ("RTS 2024/1774 Art. 17(1)(d)", "purpose, scope, timeline and expected outcome are documented"),
    "SOX-ITGC-CM": ("SOX ITGC", "change management: authorised, tested, approved before the deployment"),
    "SOX-ITGC-AC": ("SOX ITGC", "logical access"),
    "MAS-TRM-7.5": ("MAS TRM 7.5", "change management"),
    "MAS-TRM-7.6": ("MAS TRM 7.6", "software release management, segregation of duties"),
    "FCA-SYSC-15A.6": ("FCA SYSC 15A.6", "written self-assessment, including testing, kept for six years"),
    "SEC-17a-4": ("SEC 17a-4(f)", "records with a complete time-stamped trail"),
    "MIFID-565-72.1": ("Del. Reg. 2017/565 Art. 72(1)", "each key stage can be reconstituted, corrections are seen"),
    "COBS-22.5": ("FCA COBS 22.5", "risk warnings to retail clients"),
}
"""Label to where it is written, and what it asks for in a few words; the texts themselves are the regulators'."""


def named(label: str) -> tuple[str, str]:
    """Where a control is written and what it asks for; a label nobody has explained stands for itself."""
    return CONTROLS.get(label, (label, ""))
