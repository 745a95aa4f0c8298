from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from postdeploy.environment.files import EnvironmentFileError, UnknownEnvironment, load

BASE = """
regulator: FCA
legal_entity: Northgate Ltd
country: GB
currency: GBP
currencies: [EUR]
cluster: {context: c, server: "https://k8s.example"}
flux: {namespace: flux-system, source: crm, revision: "{tag}@sha1:{commit}"}
components:
  web: {kind: Deployment, namespace: crm, image: registry.example/crm, group: crm, owner: crm}
  job: {kind: CronJob, namespace: crm, image: registry.example/crm, schedule: "@daily", owner: crm}
  db: {kind: StatefulSet, namespace: crm, image: registry.example/pg, tag: "16.6", owner: db}
brands:
  north: {host: north.example}
  south: {host: south.example}
api:
  host: api.example
  accounts: {trader: {login: synthetic, id: A}, other: {login: second, id: B}, visitor: {login: third, id: C}}
  instruments: [GBPUSD]
deposits:
  card: {amount: "10.00"}
business:
  market: {floors: {fx: 1}}
  spending: {ceilings: {GBP: {call: "10.00", run: "20.00", day: "40.00"}}, beneficiaries: [us]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "base.yaml").write_text(BASE)
    return folder


@pytest.fixture
def findings(folder, monkeypatch):
    """What is wrong with an overlay, as lines that begin with the file's name."""
    monkeypatch.chdir(folder)

    def findings(overlay: str | bytes) -> tuple[str, ...]:
        path = folder / "test-env.yaml"
        path.write_bytes(overlay if isinstance(overlay, bytes) else textwrap.dedent(overlay).encode())
        with pytest.raises(EnvironmentFileError) as caught:
            load("test-env", folder)
        return caught.value.findings

    return findings


def loaded(folder: Path, overlay: str):
    (folder / "test-env.yaml").write_text(textwrap.dedent(overlay))
    return load("test-env", folder)


def test_an_empty_overlay_says_nothing_else(folder):
    assert loaded(folder, "").name == "test-env"
    assert loaded(folder, "# only a comment\n").country == "GB"


@pytest.mark.parametrize(
    ("overlay", "line"),
    [
        ("regulators: x", "regulators: unknown key; did you mean 'regulator'?"),
        ("zzz: x", "zzz: unknown key; known: api, brands, business, change, cluster, components, country"),
        ("components: {web: {replica: 3}}", "components.web.replica: unknown key; did you mean 'replicas'?"),
        ("settle: {every: 3}", "settle.every: unknown key; did you mean 'every_s'?"),
        ("components: {web: {kind: deployment}}", "did you mean 'Deployment'?"),
        ("components: {web: {group: crm-skript}}", "expected crm or crm-script, found 'crm-skript'; did you mean"),
        ("components: {web: {kind: 7}}", "components.web.kind: expected Deployment or StatefulSet or DaemonSet or"),
        ("components: {new: {kind: Job, image: r/x, owner: o}}", "components.new.namespace: missing: expected namesp"),
        (
            "components: {new: {namespace: x, image: r/x, owner: o}}",
            "components.new.kind: missing: expected Deployment",
        ),
        ("components: {web: {replicas: many}}", "components.web.replicas: expected a whole number, found 'many'"),
        ("components: {web: {replicas: '3'}}", "components.web.replicas: expected a whole number, found '3'"),
        ("components: {web: {replicas: -1}}", "expected a number greater than or equal to 0, found the number -1"),
        ("components: {web: {may_be_zero: yes}}", "may_be_zero: expected true or false, found 'yes'"),
        (
            "components: {db: {tag: 16.60}}",
            'components.db.tag: expected text, found the number 16.60: quote it, "16.60"',
        ),
        ("components: {db: {tag: 1e5}}", 'expected text, found the number 1e5: quote it, "1e5"'),
        ("components: {db: {tag: 0x1F}}", 'expected text, found the number 0x1F: quote it, "0x1F"'),
        ("country: true", 'country: expected text, found true: quote it, "true"'),
        ("country: gb", "country: expected an ISO 3166 code of two capitals, such as GB, found 'gb'"),
        ("components: {web: 7}", "components.web: expected a map, found the number 7"),
        ("components: [web]", "components: expected a map, found a list"),
        ("brands: none", "brands: expected a map, found 'none'"),
        ("currencies: EUR", "currencies: expected a list, found 'EUR'"),
        ("currencies: {EUR: x}", "currencies: expected a list, found a map"),
        ("currencies: [EUR, ]\nquiet_hours: [null]", "quiet_hours[0]: expected text, found nothing"),
        ("components: {Web_1: {kind: Job}}", "components.Web_1: expected a Kubernetes name"),
        ("brands: {north: {host: 'https://north.example'}}", "brands.north.host: expected a host name without scheme"),
        ("api: {instruments: []}", "api.instruments: expected a list that is not empty, found an empty list"),
        ("api: {accounts: {trader: {id: ''}}}", "api.accounts.trader.id: expected text that is not empty, found ''"),
        ("api: {accounts: {other: {id: A}}}", "other.id: expected an account of its own, 'A' is that of trader"),
        ('deposits: {card: {amount: "10.001"}}', "deposits.card.amount: expected at most 2 decimals in GBP"),
        ('deposits: {card: {amount: "1.00", fee: "0.001"}}', "deposits.card.fee: expected at most 2 decimals in GBP"),
        ("deposits: {card: {mode: penny}}", "deposits.card.mode: penny needs 'consent' in business.spending"),
        ("business: {spending: {mode: penny}}", "business.spending.mode: penny needs 'consent'"),
        (
            'business: {spending: {ceilings: {GBP: {call: "30.00"}}}}',
            "business.spending.ceilings.GBP: expected call <= run <= day",
        ),
        (
            "business: {spending: {in_flight_s: 90}}",
            "business.spending.reserve_s: expected at least in_flight_s (90), found 60",
        ),
        ("deposits: {card: {amount: 10.00}}", 'expected an amount in quotes, such as "10.00", found the number 10.00'),
        ("deposits: {card: {amount: '1,000'}}", "deposits.card.amount: expected an amount in quotes"),
        ("deposits: {card: {amount: '0.00'}}", "deposits.card.amount: expected a number greater than 0, found '0.00'"),
        ("hold_s: soon", "hold_s: expected a number, found 'soon'"),
        ("quiet_hours: [22:00-6:30]", "quiet_hours[0]: expected local times as HH:MM-HH:MM, found '22:00-6:30'"),
        ("name: other", "name: not written: it is the file's name"),
        ("brands: {north: {name: north}}", "brands.north.name: not written: it is the key, 'north'"),
        ("deposits: {card: {method: card}}", "deposits.card.method: not written: it is the key, 'card'"),
        ("cluster: {server: null}", "cluster: expected at least one of server, ca_sha256 and kube_system_uid"),
        ("components: {job: {schedule: null}}", "components.job.schedule: missing: a CronJob needs a schedule"),
        ("components: {web: {suspended: true}}", "web.suspended: only a CronJob has it, this is a Deployment"),
        (
            "components: {web: {kind: StatefulSet, progressive: canary}}",
            "web.progressive: only a Deployment is delivered progressively, this is a StatefulSet",
        ),
        (
            "components: {new: {kind: Job, namespace: x, image: r/x, owner: o, hook_of: crm}}",
            "new.hook_of: expected one of flux.helm_releases, found 'crm'",
        ),
        ("components: {web: {hook_of: crm}}", "web.hook_of: only a Job is a hook, this is a Deployment"),
        ("components: {job: {service: web}}", "job.service: only what runs all the time has it, this is a CronJob"),
        ("components: {web: {public: ingress}}", "web.public: needs 'service' beside it: an entry leads to a Service"),
        ("components: {web: {public: load-balancer}}", "components.web.public: expected ingress or gateway"),
        ("components: {web: {kind: DaemonSet, autoscaled: true}}", "web.autoscaled: expected a Deployment or a Statef"),
        (
            "components: {web: {update_strategy: OnDelete}}",
            "expected RollingUpdate or Recreate for a Deployment, found",
        ),
        (
            "components: {db: {update_strategy: Recreate}}",
            "expected RollingUpdate or OnDelete for a StatefulSet, found",
        ),
        ("components: {web: {replicas: 0}}", "components.web.replicas: 0 needs 'may_be_zero: true' beside it"),
        ("components: {db: {group: crm}}", "components.db.tag: pinned, although its group follows the release"),
        ("deposits: {card: {currency: USD}}", "expected a currency of this environment (GBP, EUR), found 'USD'"),
        ("brands: {east: {host: north.example}}", "'north.example' is that of brands.north.host"),
        ("api: {host: south.example}", "api.host: expected a host of its own, 'south.example' is that of brands.south"),
        ("settle: {budget_s: 1, every_s: 2}", "settle.every_s: expected at most budget_s (1), found 2"),
        (
            "components: {webb: null}",
            "webb: null removes an entry of base.yaml, which has none here; did you mean 'web'?",
        ),
        ("regulator: !secret x", "regulator: the tag !secret means nothing here"),
        ("regulator: !!python/name:os.system x", "means nothing here"),
        ("country: GB\ncountry: FR", "test-env.yaml:2: country: duplicate key, first in line 1"),
        ("? [a, b]\n: 1", "test-env.yaml:1: the file: a key must be text, found a list in line 1"),
        ("<<: 5", "test-env.yaml:1: the file: '<<' takes a map or a list of maps, found '5'"),
        ("timezone: London", "timezone: expected an IANA time zone, such as Europe/London, found 'London'"),
        ("regulator: [" + "x, " * 3 + "]", "regulator: expected text, found a list"),
        ("country: " + "X" * 200, "found '" + "X" * 60 + "…'"),
    ],
    ids=lambda each: each[:40],
)
def test_one_line_says_where_what_was_expected_and_what_was_found(findings, overlay, line):
    found = findings(overlay)
    assert any(line in each for each in found), found
    assert all(each.startswith(("test-env.yaml:", "base.yaml:")) for each in found)


TOLERANCE = "tolerances: [{check: infra.pods.ready, subject: web, owner: me, reason: T-1, expires: 2027-01-31}]"
SUPPRESSION = (
    "suppressions: [{event: Unhealthy, message: probe, component: web, owner: me, reason: T-1, expires: 2027-01-31}]"
)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "infra.pods.ready",
            "ready",
            "tolerances[0].check: expected a check id, such as infra.images.tag, found 'ready'",
        ),
        ("subject: web", "subject: webb", "or its name; found 'webb'; did you mean 'web'?"),
        ("owner: me, ", "", "tolerances[0].owner: missing: expected who accepted it"),
        ("2027-01-31", "2027-02-30", "tolerances[0].expires: expected a day of the calendar as YYYY-MM-DD, found"),
        (
            "2027-01-31",
            "1795377600",
            "tolerances[0].expires: expected a date as YYYY-MM-DD, found the number 1795377600",
        ),
    ],
)
def test_a_tolerance_refers_to_what_exists(findings, old, new, line):
    assert line in findings(TOLERANCE.replace(old, new))[0]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "component: web",
            "component: wep",
            "expected a component of this environment, found 'wep'; did you mean 'web'?",
        ),
        ("message: probe", "message: '('", "suppressions[0].message: expected a regular expression, found '('"),
    ],
)
def test_a_suppression_refers_to_what_exists(findings, old, new, line):
    assert line in findings(SUPPRESSION.replace(old, new))[0]


@pytest.mark.parametrize(
    "subject", ["web", "registry.example/crm", "north.example", "api.example", "synthetic", "test-env"]
)
def test_a_tolerance_may_name_any_subject(folder, subject):
    assert loaded(folder, TOLERANCE.replace("subject: web", f"subject: {subject}")).tolerances[0].subject == subject


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("component: web", "component: wbe", "restart_budgets[0].component: expected a component of this environment"),
        ("component: web", "component: job", "restart_budgets[0].component: expected a workload that keeps running"),
        ("allowed: 2", "allowed: 0", "restart_budgets[0].allowed"),
        ("expires: 2027-01-31", "expires: soon", "restart_budgets[0].expires"),
    ],
)
def test_a_restart_budget_is_for_a_workload_and_ends(findings, old, new, line):
    budget = "restart_budgets: [{component: web, allowed: 2, owner: me, reason: T-1, expires: 2027-01-31}]"
    assert any(line in each for each in findings(budget.replace(old, new)))


def test_a_suppression_may_mean_every_component(folder):
    assert loaded(folder, SUPPRESSION.replace("component: web, ", "")).suppressions[0].component is None


def test_all_errors_of_both_files_come_at_once_in_order(folder, findings):
    (folder / "base.yaml").write_text(
        BASE.replace("country: GB", "country: Britain").replace("kind: CronJob", "kind: Cron")
    )
    found = findings("""
        regulator: 7
        currency: pounds
        components:
          web: {replicas: 0, update_strategy: OnDelete}
          db: {tag: 2026.10}
    """)
    assert [each.split(": ")[0] for each in found] == [
        "base.yaml:4",
        "base.yaml:11",
        "test-env.yaml:2",
        "test-env.yaml:3",
        "test-env.yaml:5",
        "test-env.yaml:5",
        "test-env.yaml:6",
    ]


def test_the_message_counts_the_errors_one_line_each(folder):
    with pytest.raises(EnvironmentFileError) as caught:
        loaded(folder, "country: 1\nhold_s: x\n")
    assert str(caught.value).splitlines()[0] == "Environment 'test-env' has 2 errors:"
    assert len(str(caught.value).splitlines()) == 3


def test_a_value_inherited_from_a_wrong_one_is_not_a_second_error(findings):
    assert len(findings("legal_entity: 7")) == 1
    assert len(findings("currency: null")) == 1


def test_a_missing_part_is_looked_for_in_the_overlay(findings):
    assert findings("brands: null\nhold_s: 1") == ("test-env.yaml:1: brands: missing: expected white labels, by brand",)


@pytest.mark.parametrize(
    ("key", "where"),
    [
        ("api: {password: hunter2}", "api.password"),
        ("db_password: hunter2", "db_password"),
        ("api: {totp: hunter2}", "api.totp"),
        ("cluster: {bearerToken: hunter2}", "cluster.bearerToken"),
        ("components: {web: {client-secret: hunter2}}", "components.web.client-secret"),
        ("tolerances: [{api_key: hunter2}]", "tolerances[0].api_key"),
    ],
)
def test_a_secret_is_refused_by_name_and_never_shown(findings, key, where):
    found = findings(key)
    assert f"{where}: '{where.rpartition('.')[2]}' looks like a secret" in "\n".join(found)
    assert "hunter2" not in "\n".join(found)
    assert len([each for each in found if where in each]) == 1


def test_a_component_may_be_called_after_what_it_does(folder):
    part = "{kind: Job, namespace: crm, image: registry.example/crm, owner: o}"
    assert "token-cleanup" in loaded(folder, f"components: {{token-cleanup: {part}}}").components


def test_a_wrong_value_that_holds_a_secret_is_masked(findings):
    assert "p4ss" not in findings("cluster: {server: 'http://admin:p4ss@k8s.example'}")[0]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a: [1\nb: 2\n", "test-env.yaml:2:2: not YAML: while parsing a flow sequence, expected ',' or ']'"),
        ("a:\n\t- b\n", "test-env.yaml:2:1: not YAML: while scanning for the next token, found character '\\t'"),
        ("a: b: c", "test-env.yaml:1:5: not YAML: mapping values are not allowed here"),
        ("a: *b", "test-env.yaml:1:4: not YAML: found undefined alias 'b'"),
        ("a: 1\n---\nb: 1\n", "test-env.yaml:2:1: not YAML: expected a single document"),
        ("- a\n", "test-env.yaml:1: expected a map of keys, found a list"),
        ("just text", "test-env.yaml:1: expected a map of keys, found 'just text'"),
        ("a: &a [*a]", "test-env.yaml:1: too deep or too large, perhaps an alias of itself"),
        (b"a: \xff\n", "test-env.yaml: not UTF-8: byte 3 is 0xff"),
        (b"a: \x07\n", "test-env.yaml: not YAML: unacceptable character"),
    ],
)
def test_what_is_no_yaml_is_named_with_line_and_column(findings, content, line):
    (found,) = findings(content)
    assert found.startswith(line)


def test_a_bomb_of_aliases_is_refused_quickly(findings):
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert "too deep or too large" in findings("\n".join(["l0: &l0 [x]", *levels]))[0]


def test_both_files_are_named_when_neither_is_yaml(folder, findings):
    (folder / "base.yaml").unlink()
    base, overlay = findings("a: b: c")
    assert base == "base.yaml: cannot be read: No such file or directory"
    assert overlay.startswith("test-env.yaml:1:5")


def test_yaml_1_2_keeps_what_is_written(folder):
    text = """\
        %YAML 1.1
        ---
        country: NO
        legal_entity: 22:30
        regulator: 0123
        cluster: {context: no, server: "https://x.example"}
        flux: {source: on}
        api: {accounts: {trader: {login: 2027-01-31}}, instruments: [y, .inf, 1_000, "~", !!str 7, v1.10]}
    """
    environment = loaded(folder, text)
    assert (environment.country, environment.legal_entity, environment.regulator) == ("NO", "22:30", "0123")
    assert (environment.cluster.context, environment.flux.source, environment.api.account) == ("no", "on", "2027-01-31")
    assert environment.api.instruments == ("y", ".inf", "1_000", "~", "7", "v1.10")


def test_numbers_and_booleans_are_what_yaml_1_2_says(folder):
    environment = loaded(folder, "hold_s: 1.5e1\ncomponents: {web: {replicas: 0o10, may_be_zero: TRUE}}\n")
    assert environment.hold_s == 15
    assert (environment.components["web"].replicas, environment.components["web"].may_be_zero) == (8, True)


def test_anchors_and_merge_keys_work_inside_a_file(folder):
    environment = loaded(
        folder,
        """
        components:
          one: &one {kind: Job, namespace: crm, image: registry.example/one, owner: a}
          two: &two {<<: *one, owner: b}
          three:
            image: registry.example/three
            <<: [*two, *one]
        currencies: &more [USD, EUR]
        """,
    )
    three = environment.components["three"]
    assert (three.image, three.owner, three.kind) == ("registry.example/three", "b", "Job")


@pytest.mark.filterwarnings("error")
def test_an_anchor_may_be_set_again(folder):
    assert loaded(folder, "regulator: &a x\ncountry: &a FR\ncurrencies: []\nlegal_entity: *a\n").legal_entity == "FR"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("test_env", "No environment 'test_env'; did you mean 'test-env'? Known: test-env."),
        ("TEST-ENV", "No environment 'TEST-ENV'; did you mean 'test-env'? Known: test-env."),
        ("moon", "No environment 'moon'. Known: test-env."),
        ("base", "No environment 'base'. Known: test-env."),
        ("../environments/test-env", "No environment '../environments/test-env'"),
        ("", "No environment ''. Known: test-env."),
    ],
)
def test_an_unknown_environment_gets_the_nearest_spelling(folder, asked, said):
    (folder / "test-env.yaml").touch()
    with pytest.raises(UnknownEnvironment) as caught:
        load(asked, folder)
    assert str(caught.value).startswith(said)


def test_a_folder_without_environments_says_so(tmp_path):
    with pytest.raises(UnknownEnvironment, match=r"No environment 'uk-prod'. There is no NAME.yaml in .*nowhere"):
        load("uk-prod", tmp_path / "nowhere")
