#!/usr/bin/env python3
"""podium's commands beside kubectl's, against one `podium server`: status, output and errors are
the same bytes. What differs on purpose is tested for what it is.

PODIUM_BUILD_DIR names the build, KUBECTL the kubectl (api_server.py). The words are those of
release 1.32: with an older kubectl the test is skipped.
"""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time

import api_server
import world as worlds

setUpModule = api_server.begin
tearDownModule = api_server.end

OBJECTS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: main, image: "nginx:1", ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec: {clusterIP: 10.43.0.77, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: p1, labels: {a: b, app.kubernetes.io/name: one}}
spec:
  automountServiceAccountToken: false
  containers: [{name: main, image: "nginx:1", resources: {requests: {cpu: 100m}}}]
---
apiVersion: v1
kind: Pod
metadata: {name: p2, labels: {a: c}}
spec:
  automountServiceAccountToken: false
  containers: [{name: main, image: "nginx:1", resources: {requests: {cpu: 1}}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: m, annotations: {why: "a\\nb"}}
data: {one: "1", text: "a\\nb\\n"}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
data: {a: AAEC}
---
apiVersion: v1
kind: Event
metadata: {name: p1.1}
involvedObject: {apiVersion: v1, kind: Pod, name: p1, namespace: reading}
reason: Noticed
message: "it is there\\nindeed"
type: Warning
count: 3
firstTimestamp: "2020-01-01T00:00:00Z"
lastTimestamp: "2020-01-01T00:00:00Z"
source: {component: a test}
"""
ONE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n"
WATCHED = ONE.replace("{name: m}", "{name: watched, labels: {of: watch}}")

# A command a line; both are told the namespace.
SAME = r"""
get pods
get pods -o wide
get po -A --no-headers
get pod p1
get pod p1 -o json
get pod p1 -o yaml
get pods -o=json
get pods -oyaml
get pods -o name
get pod p1 -o yaml --show-managed-fields
get deploy,cm,svc
get all
get cm,nosuch
get nosuch
get foo.bar
get pod/none
get pod none p1
get pod none --ignore-not-found
get pods -l a=b --show-labels
get pods -l 'a in (b,c),!x'
get pods -L a -L app.kubernetes.io/name
get pods -L a,app --no-headers
get pods --sort-by=.metadata.name
get pods --sort-by={.spec.containers[0].resources.requests.cpu}
get pods --sort-by=.metadata.creationTimestamp -o name
get pods --sort-by=.nosuch -o name
get ns
get nodes
get secrets
get pods --show-kind
get pod/p1 cm/m
get pod/p1 cm/m -o name
get pod/p1 x
get pod p1 -l a=b
get pod p1 -A
get pod/p1/x
get pods -o jsonpath='{.items[*].metadata.name}'
get pods -o jsonpath='{range .items[*]}{.metadata.name}{"\t"}{.metadata.labels.a}{"\n"}{end}'
get pods -o jsonpath='{.items[?(@.metadata.labels.a=="b")].metadata.name}'
get pods -o jsonpath='{..name}'
get pods -o jsonpath='{.items[-1].kind}'
get pod p1 -o jsonpath='{.metadata.labels.app\.kubernetes\.io/name}'
get pods -o jsonpath-as-json='{.items[*].metadata.name}'
get pods -o custom-columns=N:.metadata.name,A:.metadata.labels.a,X:.nosuch
get pods -o custom-columns=N:metadata.name --no-headers
get pods -o custom-columns=N
get pods -o custom-columns=
get pods -o jsonpath
get pods -o jsonpath='{.items[*'
get deployments.apps
get deployments.v1.apps web
get deploy.ap web -o wide
get Pods
get POD p1
get --raw /version
get --raw /api/v1/namespaces/default/services/none
get pods --chunk-size=1
get pods -n nowhere
get cm m --subresource=status
get deploy web --subresource=scale -o yaml
get pods --as nobody
get pods --field-selector=metadata.name=p1
get pods --field-selector=bad=1
get pods -l 'a=='
get -f /nope
get events
get events -o wide
get clusterroles view
events
events -A
events --for pod/p1
events --for pod/p2
events --types=Normal
events --types=warning --no-headers
events --for x
events -o yaml
events -n nowhere
api-versions
api-resources
api-resources --namespaced=false -o wide
api-resources --api-group=apps --no-headers
api-resources -o name
api-resources --sort-by=kind
api-resources --verbs=list,create --categories=all
describe deploy web
describe pod p1
describe pods -l a
describe svc web
describe cm m
describe secret s
describe node
describe pod none
describe pod/p1 cm/m
describe nosuch
wait --for=condition=Ready pod/p1 --timeout=1s
wait --for=condition=Ready pod/p1 --timeout=0
wait --for=condition=Ready=false pod/none
wait --for=delete pod/none
wait --for=jsonpath='{.status.phase}'=Pending pods --all
wait --for=jsonpath='{.status.phase}'=Running pod/p1 --timeout=1s
wait --for=jsonpath='{.status.phase}' pod/p1
wait --for=create pod/p1
wait --for=bad pod/p1
wait --for=delete
wait --for=delete pod p1 --all --timeout=1s
wait --for=condition=Ready pods -l no=such
auth can-i get pods
auth can-i get nosuch
auth can-i get nosuch.foo
auth can-i get nodes
auth can-i get nodes -A
auth can-i get pods --as nobody
auth can-i get pods/x --as nobody
auth can-i get /healthz --as nobody
auth can-i get pods --subresource=log --as nobody -q
auth can-i --list
auth can-i --list --as nobody
auth can-i --list --as system:serviceaccount:kube-system:generic-garbage-collector
auth can-i get
auth whoami
auth whoami --as jane --as-group a --as-group b
"""

# Commands that write, and what they read. Each is run by one program and then by the other, on
# the same objects in two namespaces of one name's length.
APPLIED = {
    "secret": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: YQ==}\n",
    "secret2": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: example.com/x\n",
    "secret3": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: kubernetes.io/tls\n",
    "map": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: m, labels: {a: b}}
data: {one: "1", two: "<2>"}
""",
    "map2": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: m, annotations: {why: so}}
data: {one: "1", three: "3"}
""",
    "deployment": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: main, image: "nginx:1", ports: [{containerPort: 80}], env: [{name: A, value: b}]}
      - {name: side, image: "busybox:1"}
""",
    "deployment2": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: main, image: "nginx:2", ports: [{containerPort: 81}]}
""",
    "map3": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {one: other, three: x}\n",
    "plain": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {a: b}\n",
    "going": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: going, finalizers: [a/b]}\n",
    "widget": """\
apiVersion: twin.example.com/v1
kind: Widget
metadata: {name: w}
spec: {list: [{name: a}, {name: b}], inner: {a: 1, b: 2.50}, empty: {}}
""",
    "widget2": """\
apiVersion: twin.example.com/v1
kind: Widget
metadata: {name: w}
spec: {list: [{name: b, x: 1}], inner: {b: 3}}
""",
    "two": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: m1}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: m2}
data: {n: null}
""",
    "some": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: m1}
data: {b: a}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: BAD}
---
apiVersion: example.com/v1
kind: Nope
metadata: {name: x}
---
apiVersion: v1
kind: ConfigMap
metadata: {generateName: x}
---
apiVersion: v1
kind: ConfigMap
metadata: {labels: {a: b}}
""",
    "unknown": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: u}\nnope: 1\n",
    "bad": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {selector: {matchLabels: {other: one}}, template: {metadata: {labels: {app: web}}}}
""",
    "elsewhere": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: u, namespace: other}\n",
    "empty": "# nothing\n",
    "one of two": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: m1, labels: {set: both}}
data: {one: "2"}
""",
    "both": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: m1, labels: {set: both}}
data: {one: "1"}
---
apiVersion: v1
kind: Secret
metadata: {name: s1, labels: {set: both}}
data: {a: AAEC, b: AAEC, c: AAEC}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
""",
    "both2": """\
apiVersion: v1
kind: Secret
metadata: {name: s1, labels: {set: both}}
data: {a: AAEC, b: AAED, d: AAEC}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: new, labels: {set: both}}
""",
    "nameless": "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x}\n",
    "misnamed": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: BAD}\n",
    "more": "data:\n  more: data\n",
}
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.twin.example.com}
spec:
  group: twin.example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
GADGETS = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.twin.example.com}
spec:
  group: twin.example.com
  scope: Namespaced
  names: {plural: gadgets, singular: gadget, kind: Gadget, listKind: GadgetList, shortNames: [gd]}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        description: A gadget is a thing of some use. It has a long description, so that it must
          be broken at the end of a line, somewhere.
        required: [spec]
        properties:
          spec:
            type: object
            description: What it should be.
            required: [size]
            properties:
              size: {type: integer, minimum: 1, description: How large.}
              color: {type: string, enum: ["", red, green, blue, white], default: red}
              shape: {type: string, enum: [flat, round]}
              parts:
                type: array
                description: What it is made of.
                items:
                  type: object
                  description: One part.
                  required: [name]
                  properties:
                    name: {type: string}
                    deep: {type: object, properties: {x: {type: boolean}}}
              labels: {type: object, additionalProperties: {type: string}}
              any: {x-kubernetes-preserve-unknown-fields: true}
              port: {x-kubernetes-int-or-string: true, description: A port.}
          status: {type: object, properties: {ready: {type: boolean}}}
  - name: v1beta1
    served: true
    storage: false
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: pods.twin.example.com}
spec:
  group: twin.example.com
  scope: Cluster
  names: {plural: pods, singular: pod, kind: Pod, listKind: PodList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {peas: {type: integer, description: How many.}}
"""
EXPLAINED = """\
gadget
gd
gd.spec
gadgets.spec.parts
gadgets.spec.color
gadgets.spec.labels
gadgets.spec.parts.deep.x
gadgets.twin.example.com
gadgets.twin.example.com.spec.size
gadget.spec --recursive
gadget --recursive
gadget --api-version=twin.example.com/v1beta1
gadget.spec.any
gadget.spec.port
gadget.metadata.name
gadget.metadata.labels
gadget.status
"""

APPLY = r"""
apply -f two
apply -f two
apply -f two -o name
apply -f two -o yaml
apply -f map --dry-run=client
apply -f map --dry-run=client -o yaml
apply -f map --dry-run=server
apply -f map --dry-run=bad
apply -f map
apply -f map2 --dry-run=server
apply -f map2 --dry-run=client
apply -f map2
get cm m -o json --show-managed-fields
apply -f map2 -o jsonpath={.data}
apply -f deployment
apply -f deployment --overwrite=false
apply -f deployment2
get deploy web -o json --show-managed-fields
apply -f deployment2
apply -f some
apply -f unknown
apply -f unknown --validate=warn
apply -f unknown --validate=false
apply -f bad
apply -f elsewhere
apply -f empty
apply
apply -f map --force-conflicts
apply -f map --server-side --dry-run=client
apply -f map2 --server-side --field-manager=another
apply -f map --server-side --field-manager=third
apply -f map3 --server-side
apply -f map3 --server-side --field-manager=fifth -o yaml
apply -f map3 --server-side --dry-run=server --force-conflicts
apply -f map --server-side --dry-run=server
apply -f map --server-side
get cm m -o json --show-managed-fields
apply -f map2 --server-side --field-manager=fourth --force-conflicts
get cm m -o json --show-managed-fields
apply -f deployment --server-side
apply -f deployment2 --server-side -o name
get deploy web -o json --show-managed-fields
apply -f some --server-side
apply -f bad --server-side
apply -f plain
apply -f plain
apply -f going
apply -f going --server-side
apply -f secret
apply -f secret2
apply -f secret2 --force
apply -f secret2 --force
apply -f secret3 --force
get secret s -o json
apply -f secret --force --grace-period=0 --cascade=orphan --timeout=5s -o name
get secret s -o json
apply -f secret --cascade=x
apply -f secret --force --dry-run=server
apply -f secret --force --server-side
apply -f widget
apply -f widget
apply -f widget2
get widget w -o json --show-managed-fields
apply -f widget --server-side
get widget w -o json --show-managed-fields
apply -f nosuch
"""

PRUNE = r"""
apply -f both
apply -f 'one of two' --prune
apply -f 'one of two' --prune --all -l set=both
apply -f 'one of two' --all -l set=both
apply -f 'one of two' --prune -l set=both --server-side
apply -f 'one of two' --prune -l set=other
apply -f 'one of two' --prune -l 'set in'
apply -f 'one of two' --prune -l set=both --prune-allowlist=x
apply -f 'one of two' --prune -l set=both --prune-allowlist=core/v1/Nope
apply -f 'one of two' --prune -l set=both --prune-allowlist=core/v1/Pod
apply -f 'one of two' --prune -l set=both --dry-run=client
apply -f 'one of two' --prune -l set=both --dry-run=server
apply -f 'one of two' -f some --prune -l set=both
apply -f 'one of two' --prune -l set=both -o yaml
get cm,secret -o name
apply -f both
apply -f both -l set=both -o name
apply -f some -o yaml
apply -f 'one of two' --prune --all -o name
get cm,secret -o name
delete -f both -l set=nope
delete -f both -l set --ignore-not-found
"""

DIFF = r"""
apply -f both -f widget
diff
diff -f nosuch
diff -f both
diff -f 'one of two'
diff -f 'one of two' --show-managed-fields
diff -f 'one of two' --prune -l set --prune-allowlist=core/v1/ConfigMap
diff -f 'one of two' --prune --prune-allowlist=x
diff -f 'one of two' --prune --prune-allowlist=core/v1/Nope
diff -f 'one of two' --prune-allowlist=x
diff -f both2
diff -f both2 -l set
diff -f both2 -l set=nope
diff -f both2 -l 'set in'
diff -f 'one of two' --server-side
diff -f 'one of two' --server-side --field-manager=x
diff -f 'one of two' --server-side --field-manager=x --force-conflicts
diff -f widget2 --server-side
diff -f both2 --force-conflicts
diff -f widget2
diff -f deployment
diff -f empty
diff -f nameless
diff -f nameless --server-side
diff -f misnamed
diff -f unknown
diff -f plain
diff -f going
diff -f elsewhere
diff -f 'one of two' --as nobody
"""

PATCH = r"""
patch cm plain -p '{"data":{"a":"c"}}'
patch cm plain -p '{"data":{"a":"c"}}'
patch cm/plain -p 'data: {a: d, e: f}' --dry-run=client
patch cm/plain -p 'data: {a: d, e: f}' --dry-run=client -o yaml
patch cm/plain -p 'data: {a: d, e: f}' --dry-run=server
patch cm/plain -p 'data: {a: d, e: f}' -o name
patch cm plain --type=merge -p '{"data":{"a":null}}' -o jsonpath={.data}
patch cm plain --type=json -p '[{"op":"add","path":"/data/x","value":"y"}]'
patch cm plain --type=json -p '[{"op":"test","path":"/data/x","value":"z"}]'
patch cm plain --type=json -p '[{"op":"remove","path":"/data/none"}]'
patch cm plain -p '{"data":{"a":1}}'
patch cm plain -p '{"metadata":{"name":"other"}}'
patch cm plain -p '{"metadata":{"resourceVersion":"1"}}'
patch cm plain --patch-file=more
patch cm plain --patch-file=none
patch cm none -p '{}'
patch cm plain none -p '{"data":{"g":"h"}}'
patch cm -p '{}'
patch nosuch x -p '{}'
patch -p '{}'
patch cm plain
patch cm plain -p '{}' --patch-file=more
patch cm plain -p '{}' --subresource=bad
patch -f plain -p '{}'
patch -f plain -p '{"data":{"i":"j"}}' --dry-run=client -o json
get cm plain -o json --show-managed-fields
apply -f deployment -f widget
patch deploy web -p '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"x:1"}]}}}}'
patch deploy web --subresource=scale --type=merge -p '{"spec":{"replicas":3}}'
patch deploy web --subresource=status --type=merge -p '{"status":{"replicas":3}}' -o name
patch deploy web -p '{"spec":{"replicas":-1}}'
get deploy web -o json --show-managed-fields
patch widget w -p '{"spec":{"a":"b"}}'
patch widget w --type=merge -p '{"spec":{"a":"b"}}'
patch widget w --type=merge -p '{"spec":{"a":"c"}}' --dry-run=client -o jsonpath={.spec.a}
patch widget w --dry-run=client -p '{"spec":{"a":"c"}}'
"""

LAST_APPLIED = r"""
apply -f map -f deployment
apply view-last-applied cm m
apply view-last-applied cm/m -o json
apply view-last-applied -f map -f deployment
apply view-last-applied -f map -o x
apply view-last-applied cm none
apply view-last-applied
apply view-last-applied deploy -o json
apply view-last-applied cm -l a=b
apply set-last-applied
apply set-last-applied -f map
apply set-last-applied -f map2 --dry-run=client
apply set-last-applied -f map2 --dry-run=server
apply set-last-applied -f map2 -o name
apply view-last-applied cm m
get cm m -o json --show-managed-fields
apply set-last-applied -f plain
apply set-last-applied -f plain --create-annotation
apply view-last-applied cm plain
apply set-last-applied -f misnamed
apply set-last-applied -f nosuch
apply edit-last-applied
apply edit-last-applied cm none
apply edit-last-applied cm kube-root-ca.crt
"""

CONFIG = r"""
config get-contexts
config current-context
config set-cluster one --server=https://127.0.0.1:1
config set-cluster two --server=https://127.0.0.1:2 --insecure-skip-tls-verify
config set-cluster two --tls-server-name=x
config set-credentials jane --token=secret
config set-credentials joe --username=joe --password=word
config set-credentials run --exec-command=get --exec-arg=a,b --exec-arg='"c,d"' --exec-arg=--e
config set-credentials run --exec-env=A=b --exec-api-version=client.authentication.k8s.io/v1
config set-credentials run --exec-env=A=c=d --exec-env=B=e
config set-credentials run --exec-env=A- --exec-env=C=f,g
config set-credentials run --exec-env=B-
config set-credentials run --exec-env=C-
config set-credentials run --exec-arg=x
config set-credentials run --exec-arg= --exec-env=
config set-credentials run --exec-interactive-mode=Never --exec-provide-cluster-info
config set-credentials run --exec-interactive-mode=Always --exec-provide-cluster-info=false
config set-credentials run --exec-interactive-mode=Sometimes
config set-credentials run --exec-interactive-mode=
config set-credentials run --exec-command=other
config set-credentials run --exec-command=
config set-credentials sign --auth-provider=oidc
config set-credentials sign --auth-provider-arg=a=b,c=d
config set-credentials sign --auth-provider=oidc --auth-provider-arg=a- --auth-provider-arg=e=f=g
config set-credentials sign --auth-provider=other
config set-credentials sign --auth-provider=other --token=t --exec-command=get
config delete-user run
config delete-user sign
config view --merge=false
config view --merge=false --minify
config set-context a --cluster=one --user=jane
config set-context b --cluster=two --user=joe --namespace=ns
config set-context a --namespace=other
config use-context nope
config use-context a
config current-context
config get-contexts
config get-contexts -o name
config get-contexts b --no-headers
config get-contexts nope
config set-context --current --namespace=third
config set contexts.a.user joe
config set clusters.one.server https://127.0.0.1:3
config set current-context b
config unset contexts.b.namespace
config rename-context a c
config rename-context a d
config rename-context b c
config delete-context b
config delete-context nope
config delete-cluster two
config delete-cluster nope
config delete-user joe
config delete-user nope
config unset current-context
config current-context
config get-contexts
"""


# Each pair of namespaces has the objects of OBJECTS; a command a line, in each once.
DELETES = r"""
delete
delete pod
delete pods
delete pod none
delete pod none --ignore-not-found
delete pod none --ignore-not-found=false --wait=false
delete nosuch x
delete nosuch
delete pod/none cm/none
delete pods --all -l a=b
delete pods --all --field-selector=metadata.name=p1
delete pods p1 -l a=b
delete pods p1 -A
delete pod p1 --all
delete pod/p1 --all
delete pod/p1 -l a=b
delete pods -A
delete pod p1 -o yaml
delete pod p1 --now --grace-period=3
delete pod p1 --force --grace-period=3
delete pod p1 --cascade=sideways
delete pod p1 --dry-run=perhaps
delete --raw /api/v1/namespaces/none
delete --raw /api/v1/namespaces/none -o name
delete --raw /api/v1/namespaces/none -f x -f y
delete --raw /api/v1/namespaces/none -f x -R
delete --raw none
delete pod p1 -i --dry-run=client
delete pod none -i
delete pod p1 --dry-run=client
delete pod p1 --dry-run=server
delete pod p1 --dry-run=server --force
delete pod,cm p1 m --dry-run=client -o name
delete deploy,svc --all --dry-run=server
delete pods --all --dry-run=client -o name
delete pods -l no=such
delete pods --field-selector=bad=1
delete pods -l 'a=='
delete ns nowhere
delete ns nowhere --dry-run=client
delete ns,clusterroles nowhere nohow
delete pods --as nobody p1
delete pods --as nobody --all
delete -f /nope
delete -f x y
delete pod p1 --force
delete pod p1 --wait=false
delete pod p2 --cascade=true --dry-run=client
delete pods -l a=c
delete pods --all
delete cm/m secret/s
delete deploy web --cascade=orphan
delete svc web --cascade=foreground -o name
delete pods,svc --all --now
delete cm kept --timeout=1s
delete cm kept --wait=false
"""

MARKS = r"""
label
label pods
label pods p1
label pods a=z
label pod none x=y
label pod p1 x=y z
label pod p1 x=y=z
label pod p1 'x=y z'
label pod p1 a=b a-
label pod p1 --list -o name
label pods --all -l a=b x=y
label pods --all --field-selector=metadata.name=p1 x=y
label pod p1 =x
label pod p1 x=y
label pod p1 x=y
label pod p1 x=z
label pod p1 x=z --overwrite
label pod p1 x-
label pod p1 x-
label pod p1 x- --overwrite
label pod/p1 cm/m 'of=two words'
label pod/p1 cm/m of=two
label cm m of-
label cm m of-
label pod p1 on=dry --dry-run=client
label pod p1 on=dry --dry-run=server
label pod p1 on=dry --dry-run=client -o yaml
label pod p1 on=dry --dry-run=perhaps
label pod p1 bad/key/name=x
label cm m one=1 -o name
label cm m one=2 --overwrite -o yaml
label cm m one=3 --overwrite -o jsonpath={.metadata.labels}
label cm m --list
label cm,pod m --list
label secret s two=1 --list
label pods -l a=c --list
label pods --all all=1
label pods -l a=b sel=1
label pods -l no=such sel=1
label pods p1 p2 both=1
label pod p1 v=1 --resource-version=1
label pods --all v=1 --resource-version=1
label pod p1 v=1 --as nobody
label ns nowhere v=1
label -f /nope v=1
annotate
annotate pods p1
annotate pod none x=y
annotate pod p1 x=y z
annotate pod p1 a=b a- c=d c-
annotate pod p1 --list -o name
annotate pod p1 x=y=z
annotate pod p1 x=y=z
annotate pod p1 'x=two words'
annotate pod p1 'x=two words' --overwrite
annotate pod p1 kubernetes.io/change-cause=one
annotate pod p1 kubernetes.io/change-cause=two
annotate pod p1 x-
annotate pod p1 x-
annotate pod/p1 cm/m of=both
annotate pod p1 on=dry --dry-run=client
annotate pod p1 on=dry --dry-run=server
annotate pod p1 on=dry --dry-run=client -o yaml
annotate cm m one=1 -o name
annotate cm m one=2 --overwrite -o yaml
annotate cm m why- of-
annotate cm m --list
annotate pods --all all=1
annotate pods -l a=b sel=1 --overwrite
annotate pods p1 p2 both=1
annotate pod p1 v=1 --resource-version=1
annotate pods --all v=1 --resource-version=1
"""

# By a finalizer, which no controller takes away.
KEPT = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: kept, finalizers: [example.com/kept]}
"""
# What kubectl's library logs.
LOGGED = re.compile(r"^[WE]\d{4} \d\d:\d\d:\d\d\.\d+ .*\n", re.MULTILINE)


def words(line):
    """As a shell takes the line apart; no more than these tests need."""
    parts = re.findall(r"(?:[^\s']|'[^']*')+", line)
    return [part.replace("'", "") for part in parts]


def lines(text):
    return [words(line) for line in text.splitlines() if line]


class TwinCase(api_server.ServerCase):
    def both(self, arguments, environment=None, stdin=""):
        """What kubectl and podium make of it: statuses, outputs, errors."""
        def one(place):
            run = subprocess.run(
                [(api_server.KUBECTL, worlds.PODIUM)[place], *arguments], input=stdin, text=True,
                timeout=60, cwd=self.server.folder, capture_output=True, check=False,
                env={**self.server.environment, **(environment or {})})
            return run.returncode, run.stdout, run.stderr

        return api_server.side_by_side(one)

    def assert_same(self, arguments, stdin=""):
        # Ages may pass a second between the two.
        for attempt in range(4):
            kubectl, podium = self.both(["-n", self.namespace, *arguments], stdin=stdin)
            kubectl = (*kubectl[:2], kubectl[2].replace("kubectl", "podium"))
            if kubectl == podium:
                return
        self.assertEqual(podium, kubectl)


class ReadingTest(TwinCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        status, _, err = cls.server.kubectl("-n", cls.namespace, "create", "-f", "-",
                                            stdin=OBJECTS)
        if status != 0:
            raise AssertionError(err)

    def test_the_same_bytes(self):
        for arguments in lines(SAME):
            with self.subTest(" ".join(arguments)):
                self.assert_same(arguments)

    def test_the_documents_of_reviews_are_the_same(self):
        for arguments in (["auth", "whoami", "-o", "json"], ["config", "view", "-o", "json"]):
            kubectl, podium = self.both(arguments)
            expected = json.loads(kubectl[1])
            expected.pop("preferences", None)
            shown = json.loads(podium[1])
            for each in (expected, shown):
                each.get("metadata", {}).pop("creationTimestamp", None)
            self.assertEqual(shown, expected)

    def test_what_differs_says_what_to_do(self):
        for arguments, says in (
                (["get", "pods", "-o", "go-template={{.kind}}"],
                 "error: go templates are not supported; -o jsonpath=... and -o custom-columns=... "
                 "are, and -o json for other tools\n"),
                (["get", "pods", "--context=nope"], 'error: context "nope" does not exist; there '
                                                    'are kubernetes-admin@kubernetes\n'),
                (["get", "pods", "-s", "https://127.0.0.1:1"],
                 "The connection to the server 127.0.0.1:1 was refused - did you specify the right "
                 "host or port?\n"),
                (["get", "-k", "."], "error: podium builds no kustomizations; build it with kubectl "
                                     "kustomize and pass the result on: kubectl kustomize FOLDER | "
                                     "podium ... -f -\n"),
                (["get", "-f", "https://127.0.0.1:1/x.yaml"],
                 "error: files at URLs are not read; fetch it and look at it first: curl -fsSL "
                 "https://127.0.0.1:1/x.yaml | podium ... -f -\n")):
            with self.subTest(arguments):
                self.assertEqual(self.both(arguments)[1], (1, "", says))

    def test_a_template_that_finds_nothing(self):
        status, out, err = self.both(["-n", self.namespace, "get", "cm", "m", "-o", "jsonpath={.nosuch}",
                                      "--allow-missing-template-keys=false"])[1]
        self.assertEqual((status, out), (1, ""))
        self.assertTrue(err.startswith(
            'error: error executing jsonpath "{.nosuch}": Error executing template: nosuch is not '
            'found.'), err)
        kubectl, podium = self.both(["-n", self.namespace, "get", "cm", "m", "-o",
                                     "jsonpath={.nosuch}{.kind}", "--allow-missing-template-keys"])
        self.assertEqual(podium, kubectl)

    def test_version(self):
        kubectl, podium = self.both(["version"])
        self.assertEqual(podium[0], 0)
        self.assertRegex(podium[1], r"\Apodium \S+, Kubernetes 1\.36\n")
        self.assertEqual(podium[1].splitlines()[1:], kubectl[1].splitlines()[2:])
        # Its own release is the server's.
        self.assertEqual(podium[2], "")
        # All that the server says, where kubectl shows what it knows itself.
        kubectl, podium = (json.loads(answer[1]) for answer in self.both(["version", "-o", "json"]))
        self.assertLessEqual(kubectl["serverVersion"].items(), podium["serverVersion"].items())
        self.assertEqual(podium["clientVersion"]["minor"], "36")
        self.assertIn("serverVersion:\n  buildDate: ", self.both(["version", "-o", "yaml"])[1][1])
        self.assertEqual(*(answer[1:] for answer in self.both(["version", "-o", "x"])))
        kubectl, podium = self.both(["version", "-s", "https://127.0.0.1:1"])
        self.assertEqual((podium[0], podium[2]), (kubectl[0], kubectl[2]))
        self.assertRegex(podium[1], r"\Apodium [^\n]*\n\Z")
        for arguments in (["version", "--client", "-s", "https://127.0.0.1:1"], ["--version"]):
            status, out, err = self.both(arguments)[1]
            self.assertEqual((status, out.count("\n"), err), (0, 1, ""))

    def test_a_bare_dry_run_is_told_of(self):
        kubectl, podium = self.both(["-n", self.namespace, "delete", "pod", "p1", "--dry-run"])
        self.assertEqual(podium[:2], kubectl[:2])
        self.assertEqual(podium[2], re.sub(r"^W.*\] ", "Warning: ", kubectl[2]))
        self.assertTrue(podium[2])
        podium = self.both(["-n", self.namespace, "delete", "pod", "p1", "--dry-run=client"])[1]
        self.assertEqual(podium[2], "")

    def test_without_a_kubeconfig_the_server_of_this_machine_is_found(self):
        _, podium = self.both(["get", "ns", "default", "-o", "name"], {"KUBECONFIG": ""})
        self.assertEqual(podium, (0, "namespace/default\n", ""))

    def test_a_file_says_which_objects(self):
        for arguments in (["get", "-f", "-"], ["get", "-f", "-", "-o", "name"],
                          ["wait", "--for=jsonpath={.metadata.name}=m", "-f", "-"]):
            self.assert_same(arguments, stdin=ONE)

    def test_wait_looks_into_folders_of_a_folder(self):
        folder = self.server.folder / "waited"
        (folder / "in").mkdir(parents=True)
        (folder / "one.yaml").write_text(ONE, encoding="utf-8")
        (folder / "in/none.yaml").write_text(ONE.replace("m}", "none}"), encoding="utf-8")
        for options, status in (([], 1), (["-R"], 1), (["--recursive=false"], 0)):
            kubectl, podium = self.both(["-n", self.namespace, "wait", "-f", str(folder),
                                         "--for=jsonpath={.metadata.name}=m", *options])
            self.assertEqual(podium, kubectl, options)
            self.assertEqual(podium[0], status)

    def test_watches(self):
        forms = ([], ["-o", "name"], ["--output-watch-events"], ["--watch-only", "-o", "json"])
        before = self.watches_of_maps()
        watches = [[subprocess.Popen(
            [program, "-n", self.namespace, "get", "cm", "-w", "-l", "of=watch", *form,
             "--request-timeout=10s"],
            env=self.server.environment, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            for program in (api_server.KUBECTL, worlds.PODIUM)] for form in forms]
        worlds.wait_for("all watch", lambda: self.watches_of_maps() >= before + 2 * len(forms), 8)
        self.kubectl("create", "-f", "-", stdin=WATCHED)
        self.kubectl("annotate", "cm", "watched", "a=b")
        self.kubectl("delete", "cm", "watched")
        for form, pair in zip(forms, watches):
            outs = [re.sub(r"\b\d+s\b", "1s", watch.communicate(timeout=30)[0])
                    for watch in pair]
            self.assertEqual(outs[1], outs[0], form)
            self.assertIn("watched", outs[1])

    def watches_of_maps(self):
        return sum(int(count) for count in re.findall(
            r'^apiserver_longrunning_requests\{[^}]*resource="configmaps"[^}]*\} (\d+)$',
            self.server.ask("GET", "/metrics")[1], re.MULTILINE))

    def test_a_wait_ends_when_it_is_so(self):
        waits = [subprocess.Popen(
            [worlds.PODIUM, "-n", self.namespace, "wait", *arguments, "--timeout=30s"],
            env=self.server.environment, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for arguments in (("--for=create", "cm/awaited"),
                              ("--for=jsonpath={.data.one}=2", "cm/m"))]
        time.sleep(1)
        self.kubectl("create", "cm", "awaited")
        self.kubectl("patch", "cm", "m", "-p", '{"data":{"one":"2"}}')
        self.assertEqual([wait.communicate(timeout=30)[0] for wait in waits],
                         ["configmap/awaited condition met\n", "configmap/m condition met\n"])
        gone = subprocess.Popen(
            [worlds.PODIUM, "-n", self.namespace, "wait", "--for=delete", "cm/awaited"],
            env=self.server.environment, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        time.sleep(1)
        self.kubectl("delete", "cm", "awaited")
        self.assertEqual(gone.communicate(timeout=30)[0], "configmap/awaited condition met\n")


class ExplainingTest(TwinCase):
    """In the form of podium explain, which is kubectl's but for blanks, empty lines and defaults."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        status, _, err = cls.server.kubectl("create", "-f", "-", stdin=GADGETS)
        if status != 0:
            raise AssertionError(err)
        worlds.wait_for("its description", lambda: cls.server.kubectl(
            "explain", "gadget.spec")[0] == 0)

    def words_of(self, text):
        text = re.sub(r"^DEFAULT:\n.*\n|^ *default: .*\n", "", text, flags=re.MULTILINE)
        text = re.sub(r"^(FIELD: .*>) -required-$", r"\1", text, flags=re.MULTILINE)
        return [line.rstrip() for line in text.splitlines() if line.strip()]

    def test_custom_resources(self):
        for arguments in lines(EXPLAINED):
            with self.subTest(" ".join(arguments)):
                kubectl, podium = self.both(["explain", *arguments])
                self.assertEqual((podium[0], podium[2]), (0, ""))
                self.assertEqual(self.words_of(podium[1]), self.words_of(kubectl[1]))

    def test_defaults(self):
        self.assertIn("DEFAULT:\n    red\n", self.both(["explain", "gadget.spec.color"])[1][1])
        self.assertIn("  default: red\n", self.both(["explain", "gadget.spec"])[1][1])

    def test_a_name_that_a_kind_of_the_release_has_too(self):
        """kubectl does not find it."""
        self.assertEqual(self.both(["explain", "pods.twin.example.com.peas"])[1], (
            0, "GROUP:      twin.example.com\nKIND:       Pod\nVERSION:    v1\n\n"
            "FIELD: peas <integer>\n\nDESCRIPTION:\n    How many.\n", ""))
        self.assertIn("spec\t<PodSpec>", self.both(["explain", "pods"])[1][1])

    def test_what_is_not_there(self):
        for arguments, says in (
                (["gadget.spec.nope"], 'error: field "nope" does not exist\n'),
                (["pod.spec.nope"], 'podium explain: field "nope" does not exist in pod.spec'),
                (["nosuch"], 'podium explain: there is no resource type "nosuch"'),
                (["gadget", "--api-version=x/v1"],
                 'podium explain: there is no resource type "gadget" in x/v1')):
            with self.subTest(arguments):
                status, out, err = self.both(["explain", *arguments])[1]
                self.assertEqual((status, out, err[:len(says)]), (1, "", says))
        status, _, err = self.both(["explain", "gadget", "-s", "https://127.0.0.1:1"])[1]
        self.assertEqual((status, err), (1, "The connection to the server 127.0.0.1:1 was refused - "
                                            "did you specify the right host or port?\n"))


class WritingTest(TwinCase):
    """Two namespaces, in which each of the two programs does the same."""
    # What no two writes have in common.
    DIFFERS = re.compile(r'"(?:time|uid|resourceVersion|creationTimestamp|deletionTimestamp|clusterIP)": "[^"]*"'
                         r"|^ *(?:time|uid|resourceVersion|creationTimestamp): .*$"
                         r"|Timestamp: .*$|\b(?:LIVE|MERGED)-\w+|\t[-0-9]{10} [0-9:.]+ \+0000$"
                         r"|^[-+ ] +(?:time|uid|resourceVersion|creationTimestamp): .*$", re.MULTILINE)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.server.folder / "written"
        cls.folder.mkdir(exist_ok=True)
        cls.temporary = cls.server.folder / "temporary"
        cls.temporary.mkdir()
        cls.server.environment["TMPDIR"] = str(cls.temporary)
        for name, text in APPLIED.items():
            (cls.folder / name).write_text(text, encoding="utf-8")
        cls.server.kubectl("create", "-f", "-", stdin=CRD)

    def compare(self, name, commands):
        namespaces = [f"{name}-{letter}" for letter in "kp"]
        for namespace in namespaces:
            self.server.make_namespace(namespace)
            self.kubectl("create", "-n", namespace, "-f", str(self.folder / "plain"), "-f",
                         str(self.folder / "going"))
            self.kubectl("delete", "-n", namespace, "cm", "going", "--wait=false")
        programs = (api_server.KUBECTL, worlds.PODIUM)
        for arguments in lines(commands):
            answers = api_server.side_by_side(lambda place, arguments=arguments: self.one(
                programs[place], namespaces[place], arguments))
            with self.subTest(" ".join(arguments)):
                self.assertEqual(answers[1], answers[0])

    def one(self, program, namespace, arguments):
        run = subprocess.run([program, "-n", namespace, *arguments], text=True, timeout=60,
                             capture_output=True, cwd=self.folder, env=self.server.environment,
                             stdin=subprocess.DEVNULL, check=False)
        return (run.returncode,
                *(self.DIFFERS.sub("X", part.replace(namespace, "NAMESPACE"))
                  for part in (run.stdout, LOGGED.sub("", run.stderr).replace("kubectl", "podium"))))

    def test_patch(self):
        self.compare("patch", PATCH)

    def test_apply(self):
        self.compare("apply", APPLY)

    def test_what_was_applied_last(self):
        self.compare("last", LAST_APPLIED)

    def test_apply_and_what_it_prunes(self):
        self.compare("prune", PRUNE)

    def test_diff(self):
        self.compare("diff", DIFF)
        self.assertEqual(os.listdir(self.temporary), [])

    def test_the_program_that_shows_differences(self):
        self.addCleanup(self.server.environment.pop, "KUBECTL_EXTERNAL_DIFF", None)
        for program, status in (("echo -u /x y=z --b", 0), ("false", 1), ("true", 0), ("no such", 2),
                                ("ls --nosuch", 2), ("cat -- x", 1)):
            self.server.environment["KUBECTL_EXTERNAL_DIFF"] = program
            with self.subTest(program):
                kubectl, podium = (self.one(each, self.namespace, ["diff", "-f", "map"])
                                   for each in (api_server.KUBECTL, worlds.PODIUM))
                self.assertEqual(podium, kubectl)
                self.assertEqual(podium[0], status)

    def test_diff_hides_what_secrets_hold(self):
        """kubectl shows the values of those that would be pruned, and of what was applied last."""
        self.kubectl("apply", "-f", str(self.folder / "both"))
        status, out, err = self.one(worlds.PODIUM, self.namespace, [
            "diff", "-f", "one of two", "--prune", "-l", "set"])
        # Endpoints are among the kinds that are looked through.
        self.assertEqual((status, err), (
            1, "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 "
            "EndpointSlice\n"))
        self.assertIn("-  a: '***'\n", out)
        self.assertNotIn("AAEC", out)
        self.kubectl("label", "secret", "s1", "set=changed", "--overwrite")
        status, out, err = self.one(worlds.PODIUM, self.namespace, ["diff", "-f", "both"])
        self.assertEqual((status, err), (1, ""))
        self.assertIn("+    set: both\n", out)
        self.assertNotIn("AAEC", out)


class ChangingCase(TwinCase):
    """The same changes in two namespaces, one for each of the programs."""
    folder = None  # where they run, if not in the server's

    tests = 0  # as many have begun

    def setUp(self):
        # Each test in namespaces of its own: the last one's go with the server.
        number = ChangingCase.tests = ChangingCase.tests + 1
        self.namespaces = [f"{self.namespace}-{number}-{letter}" for letter in "kp"]
        for name in self.namespaces:
            self.server.make_namespace(name)
        api_server.side_by_side(lambda place: self.make(
            place, OBJECTS.replace("10.43.0.77", f"10.43.0.{80 + 2 * number + place}").replace(
                "namespace: reading", f"namespace: {self.namespaces[place]}") + "---\n" + KEPT))

    def make(self, place, text):
        self.admin("-n", self.namespaces[place], "create", "--validate=false", "-f", "-", stdin=text)

    def admin(self, *arguments, stdin="", check=True):
        status, out, err = self.server.kubectl(*arguments, stdin=stdin)
        self.assertFalse(check and status, err)
        return out

    def both_change(self, arguments, stdin=""):
        return api_server.side_by_side(lambda place: self.one_change(place, arguments, stdin))

    def one_change(self, place, arguments, stdin="", environment=None):
        run = subprocess.run(
            [(api_server.KUBECTL, worlds.PODIUM)[place], "-n", self.namespaces[place], *arguments],
            input=stdin, text=True, timeout=60, cwd=self.folder or self.server.folder,
            env={**self.server.environment, **(environment or {})}, capture_output=True, check=False)
        return run.returncode, self.neutral(run.stdout), self.neutral(run.stderr)

    def neutral(self, text):
        """Without what no two objects share, and without what kubectl's library logs of watches that
        end early."""
        for name in self.namespaces:
            text = text.replace(name, "NAMESPACE")
        text = re.sub(r"(uid\W+)[-0-9a-f]{36}", r"\1UID", text)
        text = re.sub(r'(resourceVersion\W+)\d+', r"\1VERSION", text)
        text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
        text = LOGGED.sub("", text)
        return re.sub(r"\b(kubectl|podium)\b", "PROGRAM", text)

    def assert_same_change(self, arguments, stdin=""):
        kubectl, podium = self.both_change(arguments, stdin)
        self.assertEqual(podium, kubectl)

    def left(self, types, show=lambda item: None):
        """The names of all objects of these types, and what is to be shown of them."""
        return [self.neutral("\n".join(
            f"{kind}/{item['metadata']['name']} {json.dumps(show(item))}"
            for kind, item in self.server.objects(name, types))) for name in self.namespaces]

    def assert_same_left(self, types, show=lambda item: None):
        kubectl, podium = self.left(types, show)
        self.assertEqual(podium, kubectl)


def managers(item):
    return [entry["manager"] for entry in item["metadata"].get("managedFields", ())]


class ChangingTest(ChangingCase):
    def test_deletions(self):
        for arguments in lines(DELETES):
            with self.subTest(" ".join(arguments)):
                self.assert_same_change(arguments)
                self.assert_same_left("pods,cm,secrets,deploy,rs,svc")

    def test_labels_and_annotations(self):
        def marks(item):
            return (item["metadata"].get("labels"), item["metadata"].get("annotations"),
                    managers(item))

        for arguments in lines(MARKS):
            with self.subTest(" ".join(arguments)):
                self.assert_same_change(arguments)
                self.assert_same_left("pods,cm", marks)

    def test_several_labels_in_no_order(self):
        """kubectl's order is another at each run; podium's is that of the keys."""
        for arguments in (["label", "pod", "p1", "a=x", "app.kubernetes.io/name=y"],
                          ["label", "pod", "p1", "--list"]):
            kubectl, podium = self.both_change(arguments)
            self.assertEqual(podium[0], kubectl[0])
            for place in (1, 2):
                self.assertEqual(podium[place].splitlines(), sorted(kubectl[place].splitlines()))

    def test_labels_by_files(self):
        for arguments in (["x=y"], ["x=z"], ["--list"], ["x-", "-o", "name"]):
            with self.subTest(arguments):
                self.assert_same_change(["label", "-f", "-", *arguments], stdin=ONE)

    def test_deletions_by_files(self):
        for options in ([], [], ["--ignore-not-found"]):
            with self.subTest(options):
                self.assert_same_change(["delete", "-f", "-", *options], stdin=ONE)

    def test_deletions_that_are_confirmed(self):
        for arguments, answer in ((["pod", "p1"], "n\n"), (["pod", "p1"], ""), (["pod", "p1"], "yes\n"),
                                  (["pods", "--all"], "N"), (["deploy/web", "svc/web"], "\n"),
                                  (["pod/p2", "deploy/web"], "Y\n"), (["pod", "p1", "-o", "name"], " y ")):
            with self.subTest(arguments, answer=answer):
                self.assert_same_change(["delete", "-i", *arguments], stdin=answer)
        self.assert_same_left("pods,deploy,svc")

    def test_a_deletion_ends_when_the_object_is_gone(self):
        name = self.namespaces[1]
        process = subprocess.Popen(
            [worlds.PODIUM, "-n", name, "delete", "cm", "kept"], text=True,
            env=self.server.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.assertEqual(process.stdout.readline(), 'configmap "kept" deleted\n')
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        self.admin("-n", name, "patch", "cm", "kept", "--type=merge",
                   "-p", '{"metadata":{"finalizers":null}}')
        self.assertEqual(process.communicate(timeout=30)[0], "")
        self.assertEqual(process.returncode, 0)


class ProxyTest(TwinCase):
    """Attack rows: a page of another site, or a name that leads to loopback (DNS rebinding), would
    use the proxy with this user's rights."""

    def serve(self, *arguments):
        process = subprocess.Popen(
            [worlds.PODIUM, "proxy", "--port=0", *arguments], env=self.server.environment,
            text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self._end, process)
        line = process.stdout.readline()
        found = re.fullmatch(r"Starting to serve on (\S+)\n", line)
        self.assertTrue(found, line)
        return found[1]

    def ask(self, where, path="/version", method="GET", body=None, **headers):
        connection = http.client.HTTPConnection(*where.rsplit(":", 1), timeout=20)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def test_loopback_is_served_and_others_are_not(self):
        where = self.serve()
        port = where.rsplit(":", 1)[1]
        status, text = self.ask(where)
        self.assertEqual((status, json.loads(text)["major"]), (200, "1"))
        for headers, expected in (
                ({"Host": f"localhost:{port}"}, 200), ({"Host": "[::1]"}, 200),
                ({"Host": "evil.example"}, 403), ({"Host": f"localhost.evil.example:{port}"}, 403),
                ({"Host": f"127.0.0.1.evil.example:{port}"}, 403), ({"Host": "xlocalhost"}, 403),
                ({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403),
                ({"Origin": f"http://127.0.0.1:{port}"}, 200)):
            with self.subTest(headers):
                self.assertEqual(self.ask(where, **headers)[0], expected)

    def test_requests_are_passed_on_as_this_user(self):
        where = self.serve()
        path = f"/api/v1/namespaces/{self.namespace}/configmaps"
        made = self.ask(where, path, "POST", json.dumps({"metadata": {"name": "by-proxy"}}),
                        **{"Content-Type": "application/json", "Authorization": "Bearer wrong"})
        self.assertEqual(made[0], 201, made[1])
        self.assertEqual(self.get("cm", "by-proxy")["metadata"]["name"], "by-proxy")
        self.assertEqual(self.ask(where, path + "/none")[0], 404)
        self.assertEqual(self.ask(where, "/api/v1/namespaces/x/pods/y/exec")[0], 403)
        self.assertEqual(self.ask(where, path + "?watch=true&timeoutSeconds=1")[0], 200)
        self.assertEqual(self.ask(where, **{"Upgrade": "websocket", "Connection": "upgrade"})[0],
                         501)

    def test_a_prefix_and_filters_of_ones_own(self):
        where = self.serve("--api-prefix=/k8s", "--reject-methods=^POST$", "--accept-hosts=^ok$")
        self.assertEqual(self.ask(where, "/k8s/version", Host="ok")[0], 200)
        self.assertEqual(self.ask(where, "/version", Host="ok")[0], 404)
        self.assertEqual(self.ask(where, "/k8s/version", "POST", Host="ok")[0], 403)
        self.assertEqual(self.ask(where, "/k8s/version")[0], 403)


class ConfigTest(TwinCase):
    def test_both_write_the_same_files(self):
        folder = self.server.folder / "config-test"
        folder.mkdir()
        files = [folder / "kubectl", folder / "podium"]
        for arguments in lines(CONFIG):
            answers = []
            for place, file in enumerate(files):
                answers.append(self.one(place, arguments, file))
            with self.subTest(" ".join(arguments)):
                self.assertEqual(answers[1], answers[0])
                contents = [file.read_text(encoding="utf-8").replace("preferences: {}\n", "")
                            if file.exists() else "" for file in files]
                self.assertEqual(contents[1], contents[0])

    def test_a_file_that_is_named_stands_alone(self):
        file = self.server.folder / "alone"
        self.one(1, ["config", "set-cluster", "one", f"--kubeconfig={file}"], file)
        for options in (["--merge=false"], ["--merge"], ["--merge=true"], []):
            kubectl, podium = (self.one(place, ["config", "view", f"--kubeconfig={file}", *options],
                                        "/none") for place in range(2))
            self.assertEqual(podium[1], kubectl[1].replace("preferences: {}\n", ""))
            self.assertEqual(podium[0], "0", podium)
            self.assertIn("name: one", podium[1])

    def test_pairs_that_are_none(self):
        """Behind the message kubectl prints its help."""
        file = self.server.folder / "pairs"
        for arguments, says in (
                (["--exec-env=x", "--exec-env==y", "--exec-env=-"], "exec-env format: x, =y, -"),
                (["--exec-env=", "--exec-env="], "exec-env format: , "),
                (["--auth-provider-arg=a,=b"], "auth-provider-arg format: a, =b")):
            answers = [self.one(place, ["config", "set-credentials", "x", *arguments], file)
                       for place in range(2)]
            self.assertEqual(answers[1], ("1", "", f"error: invalid {says}\n"))
            self.assertEqual(answers[0][2], answers[1][2])

    def test_options_that_have_nothing_to_change_are_refused(self):
        """kubectl passes over them."""
        file = self.server.folder / "nothing"
        for option, needed in (
                ("exec-arg=a", "exec-command"), ("exec-env=a=b", "exec-command"),
                ("exec-api-version=v1", "exec-command"),
                ("exec-interactive-mode=Never", "exec-command"),
                ("exec-provide-cluster-info", "exec-command"),
                ("auth-provider-arg=a=b", "auth-provider")):
            name = option.split("=", 1)[0]
            self.assertEqual(self.one(1, ["config", "set-credentials", "x", "--" + option], file),
                             ("1", "", f"error: --{name} changes what --{needed} has set, and user "
                                       '"x" has none\n'))
        self.assertFalse(file.exists())

    def test_names_of_servers_and_users_are_in_order(self):
        file = self.server.folder / "names"
        for arguments in (["set-cluster", "b"], ["set-cluster", "a"], ["set-credentials", "d"],
                          ["set-credentials", "c"]):
            self.one(1, ["config", *arguments], file)
        self.assertEqual(self.one(1, ["config", "get-clusters"], file), ("0", "NAME\na\nb\n", ""))
        self.assertEqual(self.one(1, ["config", "get-users"], file), ("0", "NAME\nc\nd\n", ""))

    def one(self, place, arguments, file):
        program = (api_server.KUBECTL, worlds.PODIUM)[place]
        run = subprocess.run([program, *arguments], text=True, timeout=60, capture_output=True,
                             env={**self.server.environment, "KUBECONFIG": str(file)},
                             stdin=subprocess.DEVNULL, check=False)
        name = ("kubectl", "podium")[place]
        return tuple(str(part).replace(str(file), "FILE").replace(name, "NAME")
                     for part in (run.returncode, run.stdout, run.stderr))


def check_version():
    """Ends the test as skipped where there is no kubectl whose words are these."""
    version = subprocess.run([api_server.KUBECTL, "version", "--client"], text=True,
                             capture_output=True, check=False).stdout
    found = re.search(r"v1\.(\d+)", version)
    if not shutil.which(api_server.KUBECTL) or not found or int(found[1]) < 32:
        print("skipped: needs kubectl 1.32 or newer; KUBECTL names one")
        sys.exit(77)


def main():
    check_version()
    api_server.main()


if __name__ == "__main__":
    main()
