"""The rehearsal's own certificate authority, and the kubeconfig that leads to it."""

from __future__ import annotations

import json
import os
import ssl
from pathlib import Path

import trustme

from rehearsal.kinds import Obj


class Authority:
    """A certificate authority that lives as long as one rehearsal."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="postdeploy rehearsal")
        self.pem = self._ca.cert_pem.bytes().decode()

    def intermediate(self) -> trustme.CA:
        """An authority that this one has signed, as public certificates come from."""
        return self._ca.create_child_ca()

    def server(self, *names: str) -> ssl.SSLContext:
        """A server's TLS context with a certificate for these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*names).configure_cert(context)
        return context


def kubeconfig(context: str, server: str, ca_pem: str, token: str, extension: Obj) -> Obj:
    """A kubeconfig that says of itself that it leads to a rehearsal."""
    import base64

    cluster: Obj = {"server": server, "certificate-authority-data": base64.b64encode(ca_pem.encode()).decode()}
    cluster["extensions"] = [{"name": "postdeploy-rehearsal", "extension": extension}]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": "rehearsal", "user": {"token": token}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": "rehearsal"}}],
    }


def write_private(path: Path, value: Obj) -> None:
    """Write JSON (which is YAML too) that only its owner can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
