"""Faults of what stands around the pods: autoscalers, budgets, volumes, the way in, and events."""

from __future__ import annotations

from rehearsal.builders import stamp
from rehearsal.entry import fault
from rehearsal.faults_traffic import served
from rehearsal.kinds import Obj
from rehearsal.recount import set_condition
from rehearsal.scene import Scene
from rehearsal.wounds import never_started

AUTOSCALER = "infra.traffic.autoscaler"
DISRUPTION = "infra.traffic.disruption"
VOLUMES = "infra.traffic.volumes"
ENTRY = "infra.traffic.entry"
WARNINGS = "infra.events.warnings"


def pick(scene: Scene, kind: str) -> Obj:
    """One object of a kind."""
    found: Obj = scene.draw.choice(sorted(scene.world.all(kind), key=lambda each: str(each["metadata"]["name"])))
    return found


@fault(AUTOSCALER)
def hpa_no_metrics(scene: Scene) -> None:
    """The metrics adapter lost the autoscaler's metric: it can scale, and never will."""
    scaler = pick(scene, "HorizontalPodAutoscaler")
    said = "the HPA was unable to compute the replica count: no metrics returned from external metrics API"
    set_condition(scaler, "ScalingActive", "False", "FailedGetExternalMetric", said, scene.ago(200))
    scene.world.put(scaler)


@fault(AUTOSCALER)
def hpa_cannot_scale(scene: Scene) -> None:
    """The autoscaler may not read its target's scale."""
    scaler = pick(scene, "HorizontalPodAutoscaler")
    said = "the HPA controller was unable to get the target's current scale: deployments/scale is forbidden"
    set_condition(scaler, "AbleToScale", "False", "FailedGetScale", said, scene.ago(200))
    scene.world.put(scaler)


@fault(AUTOSCALER)
def hpa_of_an_old_name(scene: Scene) -> None:
    """The Deployment was renamed, and its autoscaler still has the old name as its target."""
    scaler = pick(scene, "HorizontalPodAutoscaler")
    scaler["spec"]["scaleTargetRef"]["name"] += "-v1"
    scene.world.put(scaler)


@fault(AUTOSCALER, "degraded")
def hpa_at_its_limit(scene: Scene) -> None:
    """The new release is so slow that its autoscaler wants more pods than it may have."""
    scaler = pick(scene, "HorizontalPodAutoscaler")
    scaler["spec"]["maxReplicas"] = scaler["status"]["currentReplicas"]
    said = "the desired replica count is more than the maximum replica count"
    set_condition(scaler, "ScalingLimited", "True", "TooManyReplicas", said, scene.ago(60))
    scene.world.put(scaler)


@fault(DISRUPTION)
def pdb_selects_nothing(scene: Scene) -> None:
    """A label was renamed: the disruption budget guards nobody, and a node upgrade may take all pods at once."""
    budget = pick(scene, "PodDisruptionBudget")
    budget["spec"]["selector"]["matchLabels"] = {"app": "renamed"}
    budget["status"] |= {"currentHealthy": 0, "expectedPods": 0, "disruptionsAllowed": 0}
    scene.world.put(budget)


@fault(DISRUPTION)
def pdb_sync_failed(scene: Scene) -> None:
    """The disruption budget's controller cannot count the pods it selects."""
    budget = pick(scene, "PodDisruptionBudget")
    said = "found no controller ref for pod"
    set_condition(budget, "DisruptionAllowed", "False", "SyncFailed", said, scene.ago(100))
    budget["status"]["disruptionsAllowed"] = 0
    scene.world.put(budget)


@fault(DISRUPTION, "degraded")
def pdb_blocks_drain(scene: Scene) -> None:
    """Every pod is well, and the budget allows none of them to be moved: node upgrades will hang."""
    budget = pick(scene, "PodDisruptionBudget")
    budget["status"] |= {"desiredHealthy": budget["status"]["expectedPods"], "disruptionsAllowed": 0}
    scene.world.put(budget)


@fault(VOLUMES)
def pvc_lost(scene: Scene) -> None:
    """The volume behind a database's claim was deleted."""
    claim = pick(scene, "PersistentVolumeClaim")
    claim["status"]["phase"] = "Lost"
    scene.world.put(claim)


@fault(VOLUMES)
def pvc_unbound(scene: Scene) -> None:
    """No volume can be made for a new claim: the class provisions at once, and does not."""
    claim = pick(scene, "PersistentVolumeClaim")
    claim["status"] = {"phase": "Pending"}
    claim["spec"].pop("volumeName", None)
    scene.world.put(claim)
    said = "failed to provision volume with StorageClass: googleapi: Error 403: Quota 'SSD_TOTAL_GB' exceeded"
    scene.world.note(claim, "ProvisioningFailed", said, warning=True, count=9, ago_s=15)


@fault(VOLUMES, "degraded")
def pvc_resize_pending(scene: Scene) -> None:
    """A volume has grown, and its file system waits for the pod to be restarted."""
    claim = pick(scene, "PersistentVolumeClaim")
    said = "Waiting for user to (re-)start a pod to finish file system resize of volume on node."
    set_condition(claim, "FileSystemResizePending", "True", "", said, scene.ago(500))
    scene.world.put(claim)


@fault(ENTRY)
def ingress_without_address(scene: Scene) -> None:
    """The Ingress was made anew and never got an address."""
    ingress = pick(scene, "Ingress")
    ingress["status"] = {"loadBalancer": {}}
    scene.world.put(ingress)


@fault(ENTRY)
def ingress_backend_missing(scene: Scene) -> None:
    """One path of the Ingress leads to a Service that this release no longer has."""
    ingress = pick(scene, "Ingress")
    paths = ingress["spec"]["rules"][0]["http"]["paths"]
    gone = {"service": {"name": "crm-reports-ui", "port": {"number": 8000}}}
    ingress["spec"]["rules"][0]["http"]["paths"] = [*paths, {"path": "/r", "pathType": "Prefix", "backend": gone}]
    scene.world.put(ingress)


@fault(ENTRY)
def ingress_port_missing(scene: Scene) -> None:
    """The Service's port was renumbered, and the Ingress still asks for the old one."""
    ingress = pick(scene, "Ingress")
    for rule in ingress["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            path["backend"] = {"service": path["backend"]["service"] | {"port": {"number": 8080}}}
    scene.world.put(ingress)


@fault(ENTRY)
def gateway_not_programmed(scene: Scene) -> None:
    """The Gateway is accepted, and the cloud never made what it describes."""
    gateway = pick(scene, "Gateway")
    said = "error ensuring load balancer: a certificate map entry does not exist"
    set_condition(gateway, "Programmed", "False", "Invalid", said, scene.ago(150))
    scene.world.put(gateway)


@fault(ENTRY)
def route_refused(scene: Scene) -> None:
    """The route was changed, and its Gateway refuses a reference in it."""
    route = pick(scene, "HTTPRoute")
    parent = route["status"]["parents"][0]
    said = 'Backend ref to Service "crm-shared/crm-api" not permitted by any ReferenceGrant'
    kept = [each for each in parent["conditions"] if each["type"] != "ResolvedRefs"]
    refused: Obj = {"type": "ResolvedRefs", "status": "False", "reason": "RefNotPermitted", "message": said}
    refused |= {"lastTransitionTime": stamp(scene.ago(130)), "observedGeneration": 1}
    parent["conditions"] = [*kept, refused]
    scene.world.put(route)


@fault(WARNINGS)
def failed_mount_persisting(scene: Scene) -> None:
    """A volume of the new pods cannot be mounted, and their containers never start."""
    component = scene.victim()
    for pod in scene.half_way(component):
        never_started(pod, component.name, "ContainerCreating", "", scene.ago(230))
        scene.world.put(pod)
        said = f'MountVolume.SetUp failed for volume "tls" : secret "{component.name}-tls" not found'
        scene.world.note(pod, "FailedMount", said, warning=True, count=10, ago_s=8)
    scene.recount(component)


@fault(WARNINGS, "degraded")
def liveness_now_and_then(scene: Scene) -> None:
    """Pods of the release fail their liveness probe again and again, and are ready at every look."""
    component = served(scene)
    for pod in scene.pods(component)[:2]:
        said = f"Liveness probe failed: Get http://{pod['status']['podIP']}:8000/live: context deadline exceeded"
        scene.world.note(pod, "Unhealthy", said, warning=True, count=11, ago_s=20)


@fault(WARNINGS, "degraded")
def warning_storm(scene: Scene) -> None:
    """A controller that nobody here knows complains of every pod of a component, many times a minute."""
    component = served(scene)
    for number, pod in enumerate(scene.pods(component)):
        said = f"policy engine could not evaluate pod 10.8.{number}.7: context deadline exceeded after 5.{number}s"
        scene.world.note(pod, "PolicyViolation", said, warning=True, count=40 + number, ago_s=5)


@fault(WARNINGS, "unverified")
def events_forbidden(scene: Scene) -> None:
    """The verifier may not list events: that there are none means nothing."""
    scene.world.settings.forbidden.add("events")
