"""The one query: every deployment with the verification that counts for it, or NOT VERIFIED. Plain SQL, both databases.

What counts: a run that ended, over the full scope, no replay, of the same kind (rehearsal or not), not retracted.
"""

from __future__ import annotations

NAME = "audit_trail"
COLUMNS = (
    *("deployment_id", "source", "environment", "release", "digest", "deployed_by", "deployed_at", "ticket"),
    *("approved_by", "approved_at", "commit_sha", "status", "verdict", "planned", "executed", "passed", "failed"),
    *("unverified", "verified_at", "minutes_to_verify", "run_id", "seq", "manifest_sha256", "entry_hash", "bundle"),
    *("pipeline_url", "iid", "gap", "rehearsal", "corrected", "retracted"),
)

BODY = """select d.deployment_id, d.source, d.environment, d.release, d.digest,
       coalesce(nullif(da.login, ''), d.deployed_by) as deployed_by, d.deployed_at, d.ticket,
       coalesce(nullif(aa.login, ''), d.approved_by) as approved_by, d.approved_at, d.commit_sha, d.status,
       coalesce(v.verdict, 'NOT VERIFIED') as verdict,
       v.planned, v.executed, v.passed, v.failed, v.unverified, v.finished as verified_at,
       (v.finished_s - d.deployed_s) / 60.0 as minutes_to_verify,
       v.run_id, d.seq, v.manifest_sha256, e.entry_hash, v.bundle, d.pipeline_url, d.iid, d.gap, d.rehearsal,
       d.remark as corrected,
       (select count(*) from ledger_note r join ledger_verification w on w.run_id = r.run_id
         where r.kind = 'retraction' and w.deployment_id = d.deployment_id) as retracted
from ledger_deployment d
join ledger_event e on e.seq = d.seq
left join ledger_actor da on da.actor = d.deployed_by
left join ledger_actor aa on aa.actor = d.approved_by
left join ledger_verification v on v.seq = (
    select x.seq from ledger_verification x
     where x.deployment_id = d.deployment_id and x.counts = 1 and x.rehearsal = d.rehearsal
       and not exists (select 1 from ledger_note r where r.kind = 'retraction' and r.run_id = x.run_id)
     order by x.finished desc, x.seq desc limit 1)
where d.seq = (select max(y.seq) from ledger_deployment y where y.deployment_id = d.deployment_id)
"""
AUDIT_TRAIL = f"create view {NAME} as\n{BODY}"
"""`entry_hash` is that of the entry that says the deployment; a run's own is in its receipt.json."""
