"""Ways in which pods fail, and what release 1.36 of upstream shows of each to a watcher.

tests/testdata/observed/pods.jsonl has what was seen of a real kubelet. These here stand in no
record: each names the place in upstream's source that says so, and pods_failing_test.py compares
them.

A state is a line as watched_pods.pod_text writes it. "…" stands for what differs from run to run or
is the runtime's and the registry's own; NS, UID, ADDRESS and IMAGE for the namespace, the pod's uid
and address, and the image. A line that begins with "? " may be missing: on a busy machine a state
is told together with the next. States that are not listed must not come before the last one.

What upstream knows and is not here:
  RegistryUnavailable, SignatureValidationFailed  CRI-O alone tells them; containerd, and podium,
                                                  say ErrImagePull
  ContainerCannotRun                              Docker's; containerd's word is StartError
  ImageInspectError                               of a store of images that cannot be read
  NetworkNotReady                                 of a network plugin that has not come yet; podium's
                                                  is in the program
  InvalidEnvironmentVariableNames                 since 1.30 every key is a name
  Evicted, what is refused, DisruptionTarget      of nodes short of something, and of admission
"""

IMAGE = "IMAGE"
PULLED = "Normal Pulled: Container image \"IMAGE\" already present on machine and can be accessed by the pod"
CREATED = "Normal Created: Container created"
STARTED = "Normal Started: Container started"
CREATING = "? Pending | c waiting ContainerCreating"
BACK_OFF = "Back-off restarting failed container {0} in pod {1}_NS(UID)"

UNREADY = "False ContainersNotReady: containers with unready status: [c]"


def conditions(ready="True", containers_ready=None, initialized="True", sandbox="True"):
    return {"PodReadyToStartContainers": sandbox, "Initialized": initialized, "Ready": ready,
            "ContainersReady": containers_ready or ready, "PodScheduled": "True"}


READY = conditions()
WAITING = conditions(UNREADY)
NO_SANDBOX = conditions(UNREADY, sandbox="False")
# The sandbox is stopped when nothing runs any more.
FAILED = conditions("False PodFailed", sandbox="False")
COMPLETED = conditions("False PodCompleted", initialized="True PodCompleted", sandbox="False")


def container(script=None, name="c", **fields):
    command = {"command": ["sh", "-c", script]} if script else {}
    return {"name": name, "image": IMAGE, "imagePullPolicy": "IfNotPresent", **command, **fields}


def spec(*containers, **fields):
    return {"terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False,
            "dnsPolicy": "Default", "containers": list(containers), **fields}


def started(*names):
    """The events of containers that are there in this order and start."""
    return [f"{name} {what}" for name in names for what in (PULLED, CREATED, STARTED)]


CASES = {}


def case(name, source, spec, shows, conditions, events, **more):
    """`source`: where upstream says so. `conditions`: with the last state. `events`: all of the
    kubelet's, in the order in which they are told first; `unordered`: in any; `more`: those that may
    come when it goes on. `then`: what the test does when the pod is ready (a method's name)."""
    assert name not in CASES
    CASES[name] = {"name": name, "source": source, "spec": spec, "shows": shows,
                   "conditions": conditions, "events": events, **more}


# What a container is made of is missing.

def config_error(name, source, message, fields=None, pod=None):
    fields = fields or {}
    case(name, source, spec(container("sleep 1000", **fields), **(pod or {})),
         [CREATING, f"Pending | c waiting CreateContainerConfigError: {message}"], WAITING,
         [f"c {PULLED}".replace("IMAGE", fields.get("image", IMAGE)),
          f"c Warning Failed: Error: {message}"])


def from_key(kind, name, key):
    return {"env": [{"name": "A", "valueFrom": {kind: {"name": name, "key": key}}}]}


ENVIRONMENT = "pkg/kubelet/kubelet_pods.go makeEnvironmentVariables"
config_error("env-config-map-key", ENVIRONMENT, "couldn't find key none in ConfigMap NS/there",
             from_key("configMapKeyRef", "there", "none"))
config_error("env-secret", ENVIRONMENT, "secret \"none\" not found",
             from_key("secretKeyRef", "none", "k"))
config_error("env-secret-key", ENVIRONMENT, "couldn't find key none in Secret NS/there",
             from_key("secretKeyRef", "there", "none"))
config_error("env-from-config-map", ENVIRONMENT, "configmap \"none\" not found",
             {"envFrom": [{"configMapRef": {"name": "none"}}]})
config_error("env-from-secret", ENVIRONMENT, "secret \"none\" not found",
             {"envFrom": [{"secretRef": {"name": "none"}}]})
config_error("env-resource-of-no-container", "pkg/api/v1/resource/helpers.go findContainerInPod",
             "container nobody not found",
             {"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {
                 "containerName": "nobody", "resource": "limits.cpu"}}}]})
# Keys that are no names of C are taken as they are since 1.30, without a word.
case("env-from-any-key", ENVIRONMENT,
     # What the shell got, and leaves out where it goes on.
     spec(container("tr '\\0' '\\n' < /proc/1/environ | grep -q '^1.b-d=x$'",
                    envFrom=[{"configMapRef": {"name": "keys"}}]), restartPolicy="Never"),
     [CREATING, "? Running | c running ready started", "? Pending | c terminated 0 Completed",
      "? Running | c terminated 0 Completed", "Succeeded | c terminated 0 Completed"], COMPLETED,
     started("c"))
NON_ROOT = "pkg/kubelet/kuberuntime/security_context_others.go verifyRunAsNonRoot"
WHERE = "(pod: \"{}_NS(UID)\", container: c)"
config_error("non-root-user-0", NON_ROOT,
             "container's runAsUser breaks non-root policy " + WHERE.format("non-root-user-0"),
             {"securityContext": {"runAsNonRoot": True, "runAsUser": 0}})
config_error("non-root-named", NON_ROOT,
             "container has runAsNonRoot and image has non-numeric user (nobody), cannot verify "
             "user is non-root " + WHERE.format("non-root-named"),
             {"image": "IMAGE/named", "securityContext": {"runAsNonRoot": True}})
MOUNTS = "pkg/kubelet/kubelet_pods.go makeMounts"


def mounts(**fields):
    return {"volumeMounts": [{"name": "v", "mountPath": "/v", **fields}]}


EMPTY = {"volumes": [{"name": "v", "emptyDir": {}}]}
config_error("sub-path-expr-unset", "pkg/kubelet/container/helpers.go ExpandContainerVolumeMounts",
             "missing value for A, NONE",
             {"env": [{"name": "A", "value": ""}], **mounts(subPathExpr="$(NONE)/$(A)")}, EMPTY)
config_error("sub-path-expr-absolute", MOUNTS, "error SubPath `/etc` must not be an absolute path",
             {"env": [{"name": "A", "value": "/etc"}], **mounts(subPathExpr="$(A)")}, EMPTY)
config_error("sub-path-expr-up", MOUNTS,
             "unable to provision SubPath `../x`: must not contain '..'",
             {"env": [{"name": "A", "value": ".."}], **mounts(subPathExpr="$(A)/x")}, EMPTY)
# What is wrong there is not told: it would say what the machine has. Upstream has another message
# where nothing is at the link's end, and so says whether something is.
config_error("sub-path-through-a-file", MOUNTS,
             "failed to prepare subPath for volumeMount \"v\" of container \"c\"",
             mounts(subPath="passwd/x"), {"volumes": [{"name": "v", "hostPath": {"path": "/etc"}}]})
config_error("sub-path-out-of-the-volume", MOUNTS,
             "failed to prepare subPath for volumeMount \"v\" of container \"c\"",
             mounts(subPath="out"), {"volumes": [{"name": "v", "hostPath": {"path": "LINKS"}}]})
config_error("sub-path-made-out-of-the-volume", MOUNTS,
             "failed to prepare subPath for volumeMount \"v\" of container \"c\"",
             mounts(subPath="out/new"), {"volumes": [{"name": "v", "hostPath": {"path": "LINKS"}}]})

# The runtime cannot make it, or not start it.

START = "pkg/kubelet/kuberuntime/kuberuntime_container.go startContainer"
for name, fields in {"create-user-absent": {"image": "IMAGE/nosuch"},
                     "create-no-command": {"image": "IMAGE/nocommand", "command": None}}.items():
    case(name, START, spec({key: value for key, value in container("true", **fields).items()
                            if value is not None}),
         [CREATING, "Pending | c waiting CreateContainerError: …"], WAITING,
         [f"c {PULLED}".replace("IMAGE", fields["image"]), "c Warning Failed: Error: …"])

CANNOT_START = "waiting RunContainerError: … after terminated 128 StartError: …"
for name, fields in {"start-absent": {"command": ["/nope"]},
                     "start-no-permission": {"command": ["/etc/passwd"]},
                     "start-folder": {"command": ["/etc"]},
                     "start-in-a-file": {"workingDir": "/etc/passwd"}}.items():
    case(name, START, spec(container("sleep 1000", **fields)),
         [CREATING, f"? Running | c {CANNOT_START}", f"? Running | c {CANNOT_START} #1",
          f"Running | c waiting CrashLoopBackOff: back-off 10s restarting failed container=c "
          f"pod={name}_NS(UID) after terminated 128 StartError: … #1"], WAITING,
         [f"c {PULLED}", f"c {CREATED}", "c Warning Failed: Error: …",
          "c Warning BackOff: " + BACK_OFF.format("c", name)])
case("start-in-no-folder", "runc makes it: libcontainer/rootfs_linux.go prepareRootfs",
     spec(container("sleep 1000", workingDir="/new/folder")),
     [CREATING, "Running | c running ready started"], READY, started("c"))

# Images.

ENSURE = "pkg/kubelet/images/image_manager.go EnsureImageExists"
NEVER = "Container image \"IMAGE/never\" is not present with pull policy of Never"
NEVER_EVENTS = [f"c Warning ErrImageNeverPull: {NEVER}", "c Warning Failed: Error: ErrImageNeverPull"]
case("image-never", ENSURE,
     spec(container("true", image="IMAGE/never", imagePullPolicy="Never")),
     [CREATING, f"Pending | c waiting ErrImageNeverPull: {NEVER}"], WAITING, NEVER_EVENTS)
for name, image in {"image-unknown": "IMAGE/unknown:1", "image-no-tag": "IMAGE:none",
                    "image-no-digest": "IMAGE@sha256:" + 64 * "0",
                    "image-other-platform": "IMAGE/s390x",
                    "image-unauthorized": "REFUSING/unauthorized:1",
                    "image-forbidden": "REFUSING/forbidden:1",
                    "image-registry-fails": "REFUSING/fails:1"}.items():
    case(name, ENSURE + ", pullImage", spec(container("true", image=image)),
         [CREATING, "Pending | c waiting ErrImagePull: …",
          f"Pending | c waiting ImagePullBackOff: Back-off pulling image \"{image}\": "
          "ErrImagePull: …"], WAITING,
         [f"c Normal Pulling: Pulling image \"{image}\"",
          f"c Warning Failed: Failed to pull image \"{image}\": …",
          "c Warning Failed: Error: ErrImagePull",
          f"c Normal BackOff: Back-off pulling image \"{image}\"",
          "c Warning Failed: Error: ImagePullBackOff"])
case("pull-secret-absent", "pkg/kubelet/kubelet_pods.go getPullSecretsForPod",
     spec(container("sleep 1000"), imagePullSecrets=[{"name": "none"}, {"name": "neither"}]),
     [CREATING, "Running | c running ready started"], READY,
     ["pod Warning FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets "
      "(none, neither); attempting to pull the image may not succeed.", *started("c")])

# How containers end.

TERMINATED = "containerd internal/cri/server/container_status.go toCRIContainerStatus"
RUNS = "? Running | c running ready started"


def ends(phase, containers):
    """The last states: a pod's phase follows when all that it holds is released."""
    return [f"? Pending | {containers}", f"? Running | {containers}", f"{phase} | {containers}"]


for signal, code in {"SEGV": 139, "TERM": 143, "KILL": 137}.items():
    # In the pod's process namespace, where it is not process 1 and signals end it.
    # "$$$$" is "$$" to the shell.
    case(f"signal-{signal.lower()}", TERMINATED,
         spec(container(f"kill -{signal} $$$$"), restartPolicy="Never", shareProcessNamespace=True),
         [CREATING, RUNS, *ends("Failed", f"c terminated {code} Error")], FAILED, started("c"))
case("oom-of-a-child", TERMINATED,
     spec(container("tail /dev/zero; exit 7", resources={"limits": {"memory": "16Mi"}}),
          restartPolicy="Never"),
     # With cgroups v2 all of the container ends (memory.oom.group).
     [CREATING, RUNS, *ends("Failed", "c terminated CHILD_OOM OOMKilled")], FAILED, started("c"))
case("oom-of-an-init-container", TERMINATED,
     spec(container("true"), initContainers=[container(
         "tail /dev/zero", name="i", resources={"limits": {"memory": "16Mi"}})],
          restartPolicy="Never"),
     ["? Pending | i waiting PodInitializing | c waiting PodInitializing",
      "? Pending | i running started | c waiting PodInitializing",
      *ends("Failed", "i terminated 137 OOMKilled | c waiting PodInitializing")],
     conditions("False PodFailed", sandbox="False",
                initialized="False ContainersNotInitialized: containers with incomplete status: [i]"),
     started("i"))
case("message-of-the-log", "pkg/kubelet/kuberuntime/kuberuntime_container.go getTerminationMessage",
     spec(container("echo why; echo not >&2; exit 1",
                    terminationMessagePolicy="FallbackToLogsOnError"), restartPolicy="Never"),
     [CREATING, RUNS, *ends("Failed", "c terminated 1 Error: why\nnot\n")], FAILED, started("c"))
case("message-of-the-log-unless-it-fails",
     "pkg/kubelet/kuberuntime/kuberuntime_container.go getTerminationMessage",
     spec(container("echo fine", terminationMessagePolicy="FallbackToLogsOnError"),
          restartPolicy="Never"),
     [CREATING, RUNS, *ends("Succeeded", "c terminated 0 Completed")], COMPLETED, started("c"))
case("one-of-two-fails", "pkg/kubelet/kubelet_pods.go getPhase",
     spec(container("exit 1"), container("sleep 10", name="d"), restartPolicy="Never"),
     ["? Pending | c waiting ContainerCreating | d waiting ContainerCreating",
      "? Running | c running ready started | d running ready started",
      "Running | c terminated 1 Error | d running ready started",
      *ends("Failed", "c terminated 1 Error | d terminated 0 Completed")], FAILED,
     started("c", "d"))
case("deadline-before-it-starts", "pkg/kubelet/status/status_manager.go TerminatePod",
     spec(container("true", image="IMAGE/never", imagePullPolicy="Never"), activeDeadlineSeconds=10),
     [CREATING, f"Pending | c waiting ErrImageNeverPull: {NEVER}",
      "Failed DeadlineExceeded: Pod was active on the node longer than the specified deadline | "
      "c terminated 137 ContainerStatusUnknown: The container could not be located when the pod "
      "was terminated"], FAILED,
     [*NEVER_EVENTS,
      "pod Normal DeadlineExceeded: Pod was active on the node longer than the specified deadline"])

KILLED = "terminated 137 Error"

# Restarts.

RULES = "pkg/kubelet/container/helpers.go ShouldContainerBeRestarted"
AGAIN = "waiting CrashLoopBackOff: back-off 10s restarting failed container={0} pod={1}_NS(UID)"


def rules(code):
    return {"restartPolicy": "Never", "restartPolicyRules": [
        {"action": "Restart", "exitCodes": {"operator": "In", "values": [code]}}]}


case("rule-restarts", RULES, spec(container("exit 42", **rules(42)), restartPolicy="Never"),
     [CREATING, RUNS, "? Running | c terminated 42 Error",
      "? Running | c running ready started after terminated 42 Error #1",
      "? Running | c terminated 42 Error after terminated 42 Error #1",
      "Running | c " + AGAIN.format("c", "rule-restarts") + " after terminated 42 Error #1"],
     WAITING, [*started("c"), "c Warning BackOff: " + BACK_OFF.format("c", "rule-restarts")])
case("rule-of-another-code", RULES, spec(container("exit 1", **rules(42))),
     [CREATING, RUNS, *ends("Failed", "c terminated 1 Error")], FAILED, started("c"))
for policy in "Always", "OnFailure":
    name = "init-fails-" + policy.lower()
    last = "Pending | i {} | c waiting PodInitializing"
    case(name, "pkg/kubelet/kuberuntime/kuberuntime_manager.go computeInitContainerActions",
         spec(container("true"), initContainers=[container("exit 1", name="i")],
              restartPolicy=policy),
         ["? " + last.format("waiting PodInitializing"), "? " + last.format("running started"),
          "? " + last.format("terminated 1 Error"),
          "? " + last.format("running started after terminated 1 Error #1"),
          "? " + last.format("terminated 1 Error after terminated 1 Error #1"),
          last.format(AGAIN.format("i", name) + " after terminated 1 Error #1")],
         conditions(UNREADY, initialized="False ContainersNotInitialized: containers with "
                                         "incomplete status: [i]"),
         [*started("i"), "i Warning BackOff: " + BACK_OFF.format("i", name)])
case("init-image-never", ENSURE,
     spec(container("true"), initContainers=[
         container("true", name="i", image="IMAGE/never", imagePullPolicy="Never")]),
     ["? Pending | i waiting PodInitializing | c waiting PodInitializing",
      f"Pending | i waiting ErrImageNeverPull: {NEVER} | c waiting PodInitializing"],
     conditions(UNREADY, initialized="False ContainersNotInitialized: containers with incomplete "
                                     "status: [i]"),
     [each.replace("c ", "i ", 1) for each in NEVER_EVENTS])

# Sidecars.

SIDECARS = "pkg/kubelet/kuberuntime/kuberuntime_manager.go computeInitContainerActions"
INITIALIZING = "? Pending | s waiting PodInitializing | c waiting PodInitializing"
case("sidecar-first", SIDECARS,
     spec(container("sleep 1000"), initContainers=[container(
         "sleep 2; touch /tmp/up; sleep 1000", name="s", restartPolicy="Always",
         startupProbe={"exec": {"command": ["test", "-e", "/tmp/up"]}, "periodSeconds": 1,
                       "timeoutSeconds": 60, "failureThreshold": 30})]),
     [INITIALIZING, "Pending | s running | c waiting PodInitializing",
      "? Pending | s running ready started | c waiting PodInitializing",
      "Running | s running ready started | c running ready started"], READY,
     [*started("s"), "s Warning Unhealthy: Startup probe failed: ", *started("c")])
case("sidecar-crashes", SIDECARS,
     spec(container("sleep 1000"), initContainers=[
         container("sleep 2; exit 3", name="s", restartPolicy="Always")], restartPolicy="Never"),
     [INITIALIZING, "? Pending | s running ready started | c waiting PodInitializing",
      "Running | s running ready started | c running ready started",
      "? Running | s terminated 3 Error | c running ready started",
      "Running | s running ready started after terminated 3 Error #1 | c running ready started",
      "? Running | s terminated 3 Error after terminated 3 Error #1 | c running ready started",
      "Running | s " + AGAIN.format("s", "sidecar-crashes") + " after terminated 3 Error #1 | "
      "c running ready started"],
     conditions("False ContainersNotReady: containers with unready status: [s]"),
     [*started("s", "c"), "s Warning BackOff: " + BACK_OFF.format("s", "sidecar-crashes")])

# Probes.

# Of probes whose answer is not to be late, on a busy machine either.
PATIENCE = 60
PROBER = "pkg/kubelet/prober/prober.go probe"


def probe(*command, **fields):
    handler = {"exec": {"command": list(command)}} if command else {}
    return {"periodSeconds": 1, "failureThreshold": 1, "timeoutSeconds": PATIENCE, **handler,
            **fields}


case("liveness-fails", "pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions",
     spec(container("sleep 1000", livenessProbe=probe("sh", "-c", "echo sick; exit 1"))),
     [CREATING, "Running | c running ready started", "? Running | c " + KILLED,
      f"Running | c running ready started after {KILLED} #1"], READY,
     [*started("c"), "c Warning Unhealthy: Liveness probe failed: sick\n",
      "c Normal Killing: Container c failed liveness probe, will be restarted"],
     more=["c Warning BackOff: " + BACK_OFF.format("c", "liveness-fails")])
case("liveness-fails-never", "pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions",
     spec(container("sleep 1000", livenessProbe=probe("false")), restartPolicy="Never"),
     [CREATING, "Running | c running ready started", *ends("Failed", "c " + KILLED)], FAILED,
     # Nothing is left to be kept: all of the pod is killed, and not for the probe.
     [*started("c"), "c Warning Unhealthy: Liveness probe failed: ",
      "c Normal Killing: Stopping container c"])
case("liveness-of-one-of-two-fails-never",
     "pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions",
     spec(container("sleep 1000", livenessProbe=probe("false", initialDelaySeconds=4)),
          container("sleep 1000", name="d"), restartPolicy="Never"),
     ["? Pending | c waiting ContainerCreating | d waiting ContainerCreating",
      "Running | c running ready started | d running ready started",
      f"Running | c {KILLED} | d running ready started"], WAITING,
     [*started("c", "d"), "c Warning Unhealthy: Liveness probe failed: ",
      "c Normal Killing: Container c failed liveness probe"])
case("liveness-of-a-sidecar-fails", SIDECARS,
     spec(container("sleep 1000"), initContainers=[container(
         "sleep 1000", name="s", restartPolicy="Always",
         livenessProbe=probe("false", initialDelaySeconds=4))]),
     [INITIALIZING, "? Pending | s running ready started | c waiting PodInitializing",
      "Running | s running ready started | c running ready started",
      f"? Running | s {KILLED} | c running ready started",
      f"Running | s running ready started after {KILLED} #1 | c running ready started"], READY,
     [*started("s", "c"), "s Warning Unhealthy: Liveness probe failed: ",
      "s Normal Killing: Init container s failed liveness probe"],
     more=["s Warning BackOff: " + BACK_OFF.format("s", "liveness-of-a-sidecar-fails")])


def unready(name, source, message, *, script="sleep 1000", reason="Readiness probe failed: ",
            kind="Unhealthy", shows=("Running | c running started",), end=WAITING, more=(),
            **handler):
    case(name, source, spec(container(script, readinessProbe=probe(**handler))),
         [CREATING, *shows], end, [*started("c"), f"c Warning {kind}: {reason}{message}"],
         more=more)


HTTP = "pkg/probe/http/http.go DoHTTPProbe"


def not_yet(path):
    """Before whoever is to answer listens, and where one answers after the other, between them."""
    return (f"c Warning Unhealthy: Readiness probe failed: Get \"http://ADDRESS:80{path}\": dial tcp "
            "ADDRESS:80: connect: connection refused")


unready("http-refused", HTTP,
        "Get \"http://ADDRESS:81/x\": dial tcp ADDRESS:81: connect: connection refused",
        httpGet={"port": 81, "path": "x"})
unready("http-404", HTTP, "HTTP probe failed with statuscode: 404",
        script="httpd -f -p 80 -h /tmp", httpGet={"port": 80, "path": "/none"},
        initialDelaySeconds=2, more=[not_yet("/none")])
unready("http-late", HTTP, "Get \"http://ADDRESS:80/\": context deadline exceeded "
        "(Client.Timeout exceeded while awaiting headers)",
        script="while true; do sleep 1000 | nc -l -p 80 > /dev/null; done", httpGet={"port": 80},
        initialDelaySeconds=2,
        timeoutSeconds=1, more=[not_yet("/")])
unready("http-redirects", HTTP + ", RedirectChecker", "Probe terminated redirects, Response body: hi",
        script="while true; do printf 'HTTP/1.1 302 Found\\r\\nLocation: http://192.0.2.1/\\r\\n"
               "Content-Length: 2\\r\\n\\r\\nhi' | nc -l -p 80 > /dev/null; done",
        reason="Readiness probe warning: ", kind="ProbeWarning", httpGet={"port": 80},
        initialDelaySeconds=2, end=READY, more=[not_yet("/")],
        shows=("Running | c running started", "Running | c running ready started"))
unready("tcp-refused", "pkg/probe/tcp/tcp.go DoTCPProbe",
        "dial tcp ADDRESS:81: connect: connection refused", tcpSocket={"port": 81})
unready("grpc-refused", "pkg/probe/grpc/grpc.go Probe",
        "timeout: failed to connect service \"ADDRESS:81\" within 1s: context deadline exceeded",
        grpc={"port": 81}, timeoutSeconds=1)
unready("exec-late", "staging/src/k8s.io/cri-client/pkg/remote_runtime.go execSync",
        "command timed out: \"sleep 5\" timed out after 1s",
        exec={"command": ["sleep", "5"]}, timeoutSeconds=1)
unready("port-unknown", "pkg/probe/util.go ResolveContainerPort",
        "strconv.Atoi: parsing \"nope\": invalid syntax",
        reason="Readiness probe errored and resulted in unknown state: ",
        tcpSocket={"port": "nope"})
case("readiness-flips", "pkg/kubelet/status/generate.go GenerateContainersReadyCondition",
     spec(container("touch /r; sleep 3; rm /r; sleep 1000",
                    readinessProbe=probe("cat", "/r"))),
     [CREATING, "? Running | c running started", "Running | c running ready started",
      "Running | c running started"], WAITING,
     [*started("c"), "c Warning Unhealthy: Readiness probe failed: cat: can't open '/r': No such "
      "file or directory\n"], unordered=True)

# Gates.

GATE = "example.com/fed"
for name, then, message in (
        ("gate-absent", None,
         f"corresponding condition of pod readiness gate \"{GATE}\" does not exist."),
        ("gate-false", "close_the_gate",
         f"the status of pod readiness gate \"{GATE}\" is not \"True\", but False")):
    gated = conditions("False ReadinessGatesNotReady: " + message, "True")
    if then:
        gated[GATE] = "False"
    case(name, "pkg/kubelet/status/generate.go GeneratePodReadyCondition",
         spec(container("sleep 1000"), readinessGates=[{"conditionType": GATE}]),
         [CREATING, "Running | c running ready started"], gated, started("c"), then=then)
opened = conditions()
opened[GATE] = "True"
case("gate-true", "pkg/kubelet/status/generate.go GeneratePodReadyCondition",
     spec(container("sleep 1000"), readinessGates=[{"conditionType": GATE}]),
     [CREATING, "Running | c running ready started"], opened, started("c"), then="open_the_gate")

# Hooks.

HOOKS = "pkg/kubelet/lifecycle/handlers.go Run"


def post_start(name, message, **handler):
    waits = f"c waiting PostStartHookError: {message} after {KILLED}"
    case(name, HOOKS, spec(container("sleep 1000", lifecycle={"postStart": handler})),
         [CREATING, f"Running | {waits}", f"? Running | {waits} #1",
          "Running | c " + AGAIN.format("c", name) + f" after {KILLED} #1"], WAITING,
         [*started("c"), "c Warning FailedPostStartHook: PostStartHook failed",
          "c Normal Killing: FailedPostStartHook",
          "c Warning BackOff: " + BACK_OFF.format("c", name)])


post_start("post-start-exec",
           "Exec lifecycle hook ([sh -c echo out; echo err >&2; exit 3]) for Container \"c\" in "
           "Pod \"post-start-exec_NS(UID)\" failed - error: command 'sh -c echo out; echo err >&2; "
           "exit 3' exited with 3: err\n, message: \"out\\nerr\\n\"",
           exec={"command": ["sh", "-c", "echo out; echo err >&2; exit 3"]})
post_start("post-start-http",
           "HTTP lifecycle hook (/x) for Container \"c\" in Pod \"post-start-http_NS(UID)\" failed "
           "- error: Get \"http://ADDRESS:81/x\": dial tcp ADDRESS:81: connect: connection refused",
           httpGet={"port": 81, "path": "/x"})
post_start("post-start-tcp",
           "Cannot run handler: invalid handler: &LifecycleHandler{Exec:nil,HTTPGet:nil,"
           "TCPSocket:&TCPSocketAction{Port:{0 80 },Host:,},Sleep:nil,}", tcpSocket={"port": 80})
case("pre-stop-fails", "pkg/kubelet/kuberuntime/kuberuntime_container.go executePreStopHook",
     spec(container("sleep 1000", lifecycle={"preStop": {"exec": {"command": ["false"]}}})),
     [CREATING, "Running | c running ready started"], READY,
     [*started("c"), "c Normal Killing: Stopping container c",
      "c Warning FailedPreStopHook: PreStopHook failed"], then="delete")

# Ephemeral containers.

for name, fields, shown, told in (
        ("debug-image-never", {"image": "IMAGE/never", "imagePullPolicy": "Never"},
         f"e waiting ErrImageNeverPull: {NEVER}",
         [each.replace("c ", "e ", 1) for each in NEVER_EVENTS]),
        ("debug-fails", {"command": ["sh", "-c", "exit 3"]}, "e terminated 3 Error",
         started("e"))):
    case(name, "pkg/kubelet/kuberuntime/kuberuntime_manager.go SyncPod",
         spec(container("sleep 1000")),
         [CREATING, "Running | c running ready started",
          "? Running | c running ready started | e waiting ContainerCreating",
          "? Running | c running ready started | e running",
          f"Running | c running ready started | {shown}"], READY, [*started("c"), *told],
         then="debug", ephemeral=container(None, name="e", **fields))

# Volumes.

VOLUME = "pkg/volume/util/operationexecutor/operation_generator.go GenerateMountVolumeFunc"


def failed_mount(name, message, volume, events=None):
    case(name, VOLUME, spec(container("sleep 1000", **mounts()), volumes=[{"name": "v", **volume}]),
         [CREATING], NO_SANDBOX, [f"pod Warning FailedMount: {message}"])


SET_UP = "MountVolume.SetUp failed for volume \"v\" : "
NO_KEY = [{"key": "none", "path": "p"}]
failed_mount("volume-config-map", SET_UP + "configmap \"none\" not found",
             {"configMap": {"name": "none"}})
failed_mount("volume-config-map-key",
             SET_UP + "configmap references non-existent config key: none",
             {"configMap": {"name": "there", "items": NO_KEY}})
failed_mount("volume-secret", SET_UP + "secret \"none\" not found",
             {"secret": {"secretName": "none"}})
failed_mount("volume-secret-key", SET_UP + "references non-existent secret key: none",
             {"secret": {"secretName": "there", "items": NO_KEY}})
failed_mount("volume-projected", SET_UP + "[configmap \"none\" not found, secret \"none\" not found]",
             {"projected": {"sources": [{"configMap": {"name": "none"}},
                                        {"secret": {"name": "none"}}]}})
for kind, told in {"Directory": "is not a directory", "Socket": "is not a socket file",
                   "CharDevice": "is not a character device",
                   "BlockDevice": "is not a block device", "File": "is not a file"}.items():
    failed_mount("volume-host-" + kind.lower(),
                 SET_UP + f"hostPath type check failed: /nowhere {told}",
                 {"hostPath": {"path": "/nowhere", "type": kind}})
PVC = "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to " \
    "process volumes=[v]: error processing PVC NS/{}: "
failed_mount("volume-claim", PVC.format("none") + "failed to fetch PVC from API server: "
             "persistentvolumeclaims \"none\" not found",
             {"persistentVolumeClaim": {"claimName": "none"}})
failed_mount("volume-claim-unbound", PVC.format("unbound") + "PVC is not bound",
             {"persistentVolumeClaim": {"claimName": "unbound"}})

case("volumes-two", VOLUME, spec(container("sleep 1000"), volumes=[
    {"name": "v", "configMap": {"name": "none"}}, {"name": "w", "secret": {"secretName": "none"}}]),
     [CREATING], NO_SANDBOX,
     [f"pod Warning FailedMount: {SET_UP}configmap \"none\" not found",
      f"pod Warning FailedMount: {SET_UP}secret \"none\" not found".replace('"v"', '"w"')])

# The sandbox.

case("sandbox-sysctl", "pkg/kubelet/kuberuntime/kuberuntime_manager.go SyncPod",
     spec(container("sleep 1000"), securityContext={
         "sysctls": [{"name": "net.ipv4.ip_local_port_range", "value": "none"}]}),
     [CREATING], NO_SANDBOX,
     ["pod Warning FailedCreatePodSandBox: Failed to create pod sandbox: …"])
# Its infra process is killed, and with it what is in the pod.
case("sandbox-killed", "pkg/kubelet/kuberuntime/kuberuntime_manager.go SyncPod",
     spec(container(None, command=["sleep", "998877"])),
     [CREATING, "Running | c running ready started", f"? Running | c {KILLED}",
      f"Running | c running ready started after {KILLED} #1"], READY,
     [*started("c"),
      "pod Normal SandboxChanged: Pod sandbox changed, it will be killed and re-created."],
     then="kill_the_sandbox")
DNS = "pkg/kubelet/network/dns/dns.go "
case("cluster-dns-absent", DNS + "GetPodDNS",
     spec(container("sleep 1000"), dnsPolicy="ClusterFirstWithHostNet", hostNetwork=True),
     [CREATING, "Running | c running ready started"], READY,
     ["pod Warning MissingClusterDNS: pod: \"cluster-dns-absent_NS(UID)\". kubelet does not have "
      "ClusterDNS IP configured and cannot create Pod using \"ClusterFirst\" policy. Falling back "
      "to \"Default\" policy.", *started("c")])
case("dns-nameservers", DNS + "formDNSNameserversFitsLimits",
     spec(container("sleep 1000"),
          dnsConfig={"nameservers": ["192.0.2.1", "192.0.2.2", "192.0.2.3"]}),
     [CREATING, "Running | c running ready started"], READY,
     ["pod Warning DNSConfigForming: Nameserver limits were exceeded, some nameservers have been "
      "omitted, the applied nameserver line is: 192.0.2.53 192.0.2.1 192.0.2.2", *started("c")])
