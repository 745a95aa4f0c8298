"""How to check a run folder with coreutils and openssl alone: what auditor.html prints, and a test runs."""

from __future__ import annotations

from postdeploy.evidence.attestation import FILES, PAYLOAD_TYPE
from postdeploy.evidence.manifest import ATTESTATIONS, MANIFEST, RECEIPT, SUMS
from postdeploy.evidence.timestamps import STAMPS, SUFFIX

HASHES = f"""\
cd RUN_FOLDER
sha256sum --check --strict --quiet {SUMS} && echo "every file is as it was"
"""
EXTRA = f"""\
shopt -s globstar dotglob nullglob
for f in **; do [ -d "$f" ] || echo "$f"; done | sort > "$TMPDIR/there"
{{ cut -c67- {SUMS}; ls {MANIFEST} {SUMS}__FILES__ 2>/dev/null; }} | sort > "$TMPDIR/expected"
comm -3 "$TMPDIR/there" "$TMPDIR/expected" | cat -A
cmp "$TMPDIR/there" "$TMPDIR/expected" && echo "nothing was added"
"""
SIGNATURE = f"""\
for f in {" ".join(FILES)}; do
  cut -d'"' -f4 "$f" | base64 -d > "$TMPDIR/payload"
  cut -d'"' -f18 "$f" | base64 -d > "$TMPDIR/signature"
  {{ printf 'DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} %d ' "$(stat -c %s "$TMPDIR/payload")"
    cat "$TMPDIR/payload"; }} > "$TMPDIR/signed"
  openssl pkeyutl -verify -rawin -pubin -inkey "$PUBLIC_KEY" -in "$TMPDIR/signed" -sigfile "$TMPDIR/signature"
  tr '"' '\\n' < "$TMPDIR/payload" | sort > "$TMPDIR/words"
  sha256sum {MANIFEST} {SUMS} | cut -c1-64 | sort > "$TMPDIR/bound"
  [ -z "$(comm -23 "$TMPDIR/bound" "$TMPDIR/words")" ] && echo "$f is about these hashes" || echo "$f: OTHER HASHES"
done
"""
STAMP = f"""\
for f in {" ".join(FILES)}; do
  openssl ts -verify -data "$f" -in "$f{SUFFIX}" -CAfile "$AUTHORITY"
  openssl ts -reply -in "$f{SUFFIX}" -text | grep "Time stamp"
done
"""
TOOLS = "In bash, with GNU coreutils and openssl 3; TMPDIR is an empty folder of yours"


def recipe(*, signed: bool, stamped: bool) -> tuple[tuple[str, str], ...]:
    """Each step with what it proves; without a signature there is nothing to say of who made the folder."""
    files = " ".join(["", *(FILES if signed else ()), *(STAMPS if signed else ()), RECEIPT])
    steps = [
        (f"{TOOLS}. No file was altered or removed:", HASHES),
        ("None was added (anything listed is not part of the record):", EXTRA.replace("__FILES__", files)),
    ]
    if signed:
        about = (
            f"The signatures in {ATTESTATIONS}/ are those of the key whose PEM file PUBLIC_KEY names, and are about "
            "these very hashes (prints “Signature Verified Successfully” for each):"
        )
        steps.append((about, SIGNATURE))
    if signed and stamped:
        seen = (
            "The authority whose root certificate AUTHORITY names saw these envelopes at the time that is printed "
            "(prints “Verification: OK” for each; a file that is not there means that it was not reached):"
        )
        steps.append((seen, STAMP))
    return tuple(steps)
