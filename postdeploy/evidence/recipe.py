"""How to check a run folder with coreutils and openssl alone: what auditor.html prints, and a test runs."""

from __future__ import annotations

from postdeploy.evidence.attestation import FILES, PAYLOAD_TYPE
from postdeploy.evidence.manifest import ATTESTATIONS, MANIFEST, SUMS

HASHES = f"""\
cd RUN_FOLDER
sha256sum --check --strict --quiet {SUMS} && echo "every file is as it was"
"""
EXTRA = f"""\
shopt -s globstar dotglob nullglob
for f in **; do [ -d "$f" ] || echo "$f"; done | sort > "$TMPDIR/there"
{{ cut -c67- {SUMS}; printf '%s\\n' {MANIFEST} {SUMS}__FILES__; }} | sort > "$TMPDIR/expected"
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
TOOLS = "In bash, with GNU coreutils and openssl 3; TMPDIR is an empty folder of yours"


def recipe(signed: bool) -> tuple[tuple[str, str], ...]:
    """Each step with what it proves; without a signature there is nothing to say of who made the folder."""
    files = " " + " ".join(FILES) if signed else ""
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
    return tuple(steps)
