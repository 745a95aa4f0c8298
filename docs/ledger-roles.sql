-- Who may do what in a ledger on PostgreSQL. Run it as the owner, once the tables are there:
--
--     LEDGER_URL=postgresql://OWNER@HOST/DATABASE postdeploy ledger rebuild
--     psql postgresql://OWNER@HOST/DATABASE -f docs/ledger-roles.sql
--     psql … -c 'grant ledger_writer to "verify-stage"' -c 'grant ledger_auditor to "ann"'
--
-- The owner can switch the triggers off, so nobody's job runs as the owner. Running the script again changes nothing.

do $$ begin
    if not exists (select 1 from pg_roles where rolname = 'ledger_writer') then create role ledger_writer nologin; end if;
    if not exists (select 1 from pg_roles where rolname = 'ledger_auditor') then create role ledger_auditor nologin; end if;
end $$;

revoke all on ledger_event, ledger_deployment, ledger_verification, ledger_finding, ledger_note, ledger_anchor,
    ledger_actor, ledger_about, audit_trail from public, ledger_writer, ledger_auditor;

-- The Verify stage: adds, and reads what it adds to. It can neither change nor remove, nor erase a name.
grant select, insert on ledger_event, ledger_deployment, ledger_verification, ledger_finding, ledger_note,
    ledger_anchor, ledger_actor to ledger_writer;
grant select on ledger_about, audit_trail to ledger_writer;

-- The auditor: reads everything, so that the chain can be checked without anybody's help.
grant select on ledger_event, ledger_deployment, ledger_verification, ledger_finding, ledger_note, ledger_anchor,
    ledger_actor, ledger_about, audit_trail to ledger_auditor;
