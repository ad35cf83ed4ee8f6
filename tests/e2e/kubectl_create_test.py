#!/usr/bin/env python3
"""podium's commands that make and scale objects, beside kubectl's, as kubectl_twin_test.py does it:
status, output, errors and what is there afterwards are the same bytes.
"""

import re

import api_server
import kubectl_twin_test as twin

setUpModule = api_server.begin
tearDownModule = api_server.end

FILES = {
    "one": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, labels: {a: b}}\ndata: {z: '1'}\n",
    "two": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: m1, labels: {a: b}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d1, labels: {a: c}}
spec:
  selector: {matchLabels: {app: d1}}
  template:
    metadata: {labels: {app: d1}}
    spec: {containers: [{name: main, image: "nginx:1"}]}
""",
    "list": """\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: l1}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: l2}, data: {n: 1}}
""",
    "generated": "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x-}\n",
    "nameless": "apiVersion: v1\nkind: ConfigMap\nmetadata: {labels: {a: b}}\n",
    "unknown": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: u}\nnope: 1\n",
    "invalid": "apiVersion: v1\nkind: Pod\nmetadata: {name: pod}\nspec: {containers: []}\n",
    "nokind": "apiVersion: v1\nmetadata: {name: x}\n",
    "newkind": "apiVersion: example.com/v1\nkind: Nope\nmetadata: {name: x}\n",
    "some": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: BAD}
---
apiVersion: example.com/v1
kind: Nope
metadata: {name: x}
---
metadata: {labels: {a: b}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: last}
""",
    "elsewhere": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: u, namespace: other}\n",
    "empty": "# nothing\n",
    "saved": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: saved, annotations: {kubectl.kubernetes.io/last-applied-configuration: old}}
data: {x: y}
""",
    "f1": "one\n",
    "f2": "two\nlines\n",
    "env": "# c\nA=b\n\n  C=d e=f\nHOME2\r\nHOME\n",
    "badenv": "A b=c\n",
    "folder/f1": "in\n",
    "folder/z.conf": "more\n",
    "in/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: below}\n",
    "cert": """\
-----BEGIN CERTIFICATE-----
MIIBbDCCAROgAwIBAgIUFBAi5G6XYjkYR2mUFb0BIZFduU0wCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBeDAeFw0yNjExMjMwNDA5NTdaFw0yNjEyMDMwNDA5NTdaMAwx
CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATh1NLN2E38lqZI
TJn9mDF4ieRKPHue1PhdslhuJeh3pADCYMZqNXLxPmQMkoOpvIWYT/aZwe8F0tjn
wM7g8oxHo1MwUTAdBgNVHQ4EFgQUDSb3DHU6rCmPQxK3mvYn8gdfWsYwHwYDVR0j
BBgwFoAUDSb3DHU6rCmPQxK3mvYn8gdfWsYwDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNHADBEAiBf6nV/FwWMCtgK6Lmom6KKQoN8x/xFH9hqGhk87Ra1RQIg
a99upKPqOhxbtHC7iVLPsAmfvI/QxnDXHfZTzjgu88o=
-----END CERTIFICATE-----
""",
    "key": """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRyVblN8mcKlUD8Jn
lx40XGKO4KiCrNJyicDbmt/RtQ2hRANCAATh1NLN2E38lqZITJn9mDF4ieRKPHue
1PhdslhuJeh3pADCYMZqNXLxPmQMkoOpvIWYT/aZwe8F0tjnwM7g8oxH
-----END PRIVATE KEY-----
""",
    "ed25519": """\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIMK4Os8GAqNPbocaTzpqK4NSeDVQHFtvqgt8jst1u0J+
-----END PRIVATE KEY-----
""",
    "other": """\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIK9yF6dtcPd4eTT0YXg/CGs2rPfjP7U1YQkfoSG1elXnoAoGCCqGSM49
AwEHoUQDQgAEVHp9t8EKVnE52DmFEcn2K64m3hXRW3blUUSeKe495Vf3OxNJE58V
qmMImliR4WpXPcRHrytHPVDTQlOTxvXzdw==
-----END EC PRIVATE KEY-----
""",
    "cluster": "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n",
}

# Beside twin.OBJECTS.
SCENE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: exprs}
spec:
  selector: {matchExpressions: [{key: app, operator: In, values: [web]}]}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "nginx:1", ports: [{containerPort: 80}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: mixed}
spec:
  selector:
    matchLabels: {app: web}
    matchExpressions: [{key: app, operator: In, values: [web, x]}, {key: app, operator: Exists}]
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: main, image: "nginx:1", ports: [{containerPort: 80}, {containerPort: 53}]}
---
apiVersion: v1
kind: Pod
metadata: {name: nolabel}
spec: {containers: [{name: m, image: x}]}
---
apiVersion: v1
kind: Pod
metadata: {name: multi, labels: {a: b}}
spec:
  containers:
  - name: m
    image: x
    ports:
    - {containerPort: 53, protocol: UDP}
    - {containerPort: 53, protocol: TCP}
    - {containerPort: 80}
---
apiVersion: v1
kind: Service
metadata: {name: s1, labels: {x: z}}
spec: {selector: {a: b}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: nosel}
spec: {ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    metadata: {labels: {l: m}, annotations: {o: p}}
    spec: {template: {spec: {restartPolicy: Never, containers: [{name: m, image: x}]}}}
"""

CREATES = r"""
create
create nosuch
create -f one extra words
create -f nosuch
create -f one --dry-run=client
create -f one --dry-run=client -o yaml
create -f one --dry-run=client -o json --save-config
create -f one --dry-run=server -o yaml
create -f one --dry-run=server
create -f one --dry-run=perhaps
create -f one
create -f one
create -f one --dry-run=server
create -f two -o name
create -f two
create -f two -l a=b
create -f two -l no=such
create -f two -l 'a in'
create -f list --save-config
create -f list -o jsonpath={.metadata.name}
create -f generated --dry-run=client
create -f generated --dry-run=client -o name
create -f nameless
create -f nameless --dry-run=client
create -f unknown
create -f unknown --validate=warn
create -f unknown --validate=ignore
create -f invalid
create -f nokind
create -f newkind
create -f newkind -f one -f nokind
create -f some -f some --validate=false
create -f some
create -f elsewhere
create -f empty
create -f saved
create -f saved --field-manager=me
create -f cluster
create -f one --as nobody
create -f . -R --dry-run=client
create --raw /api/v1/namespaces/default/configmaps
create --raw /api/v1/namespaces/default/configmaps -f one -f two
create --raw /api/v1/namespaces/default/configmaps -f http://x
create --raw /api/v1/namespaces/default/configmaps -f one -R
create --raw /api/v1/namespaces/default/configmaps -f one -l a=b
create --raw /api/v1/namespaces/default/configmaps -f one -o yaml
create --raw /api/v1/namespaces/default/configmaps -f one --edit
create --raw api/v1 -f one
create --raw /api/v1/namespaces/default/nosuch -f cluster
create --raw /api/v1/namespaces?dryRun=All -f cluster
"""

SCALES = r"""
scale --replicas=1
scale --replicas=-1 deploy/web
scale --replicas=1 deploy/web --current-replicas=-2
scale --replicas=1 deploy
scale --replicas=1 deploy/none
scale --replicas=1 nosuch/x
scale --replicas=1 deploy/none deploy/web
scale --replicas=1 deploy/none deploy/no
scale --replicas=3 deploy/web --dry-run=client
scale --replicas=3 deploy/web --dry-run=server
scale --replicas=3 deploy web --dry-run=perhaps
scale --replicas=3 deploy web
scale --replicas=3 deploy web
scale --replicas=4 deploy/web -o name
scale --replicas=5 deploy/web -o yaml
scale --replicas=5 deploy/web -o jsonpath={.spec.replicas} --dry-run=client
scale --replicas=2 deploy/web --current-replicas=4
scale --replicas=2 deploy/web --current-replicas=5
scale --replicas=2 deploy/web --resource-version=1
scale --replicas=2 deploy --all --resource-version=1
scale --replicas=2 pod/p1
scale --replicas=2 pod/p1 --current-replicas=1
scale --replicas=2 pod --all --resource-version=1
scale --replicas=1 deploy --all
scale --replicas=2 deploy -l app=web
scale --replicas=2 deploy -l no=such
scale --replicas=2 deploy/web -l app=web
scale --replicas=2 deploy,rs --all
scale --replicas=0 deploy/web --timeout=5s
scale --replicas=4 deploy/web --timeout=1s
scale --replicas=4 deploy/web --timeout=1s --dry-run=server
scale --replicas=4 deploy/web --as nobody
scale --replicas=1 -f /nope
"""

RUNS = r"""
run --image=nginx
run web --image=nginx --dry-run=client
run web --image=nginx --dry-run=client -o yaml
run web --image=nginx --dry-run=client -o json
run web --image=nginx --dry-run=client -o name
run web --image=nginx --dry-run=server -o yaml
run web --image=nginx --dry-run=server -o json
run web --image=nginx --dry-run=server -o jsonpath={.metadata.labels}
run web --image=nginx --port=80 --expose --dry-run=server -o json
run web --image=nginx --port=80 --expose --dry-run=client -o json
run web --image=nginx --port=80 --expose --dry-run=client -o yaml
run web --image=nginx --port=80 --expose --dry-run=client --labels=a=b,c=d -o yaml
run web --image=nginx --expose --dry-run=client
run web --image=nginx --port=x --dry-run=client
run web --image=nginx --port=99999 --dry-run=server
run web --image= --dry-run=client
run web --image=Bad:: --dry-run=client
run web --image=nginx --labels=a --dry-run=client
run web --image=nginx --labels==a --dry-run=client
run web --image=nginx --env=A=b --env=C= --dry-run=client -o yaml
run web --image=nginx --env=A --dry-run=client -o yaml
run web --image=nginx --env=1A=x --dry-run=client -o yaml
run web --image=nginx --env==x --dry-run=client -o yaml
run web --image=nginx --annotations=a=b --annotations=c=d=e --dry-run=client -o yaml
run web --image=nginx --annotations=a --dry-run=client -o yaml
run web --image=nginx --annotations==a --dry-run=client -o yaml
run web --image=nginx --restart=Never --dry-run=client -o yaml
run web --image=nginx --restart=OnFailure --dry-run=client -o yaml
run web --image=nginx --restart=Sometimes --dry-run=client -o yaml
run web --image=nginx --restart= --dry-run=client -o yaml
run web --image=nginx --image-pull-policy=Never --privileged --dry-run=client -o yaml
run web --image=nginx --image-pull-policy=Nev --privileged --dry-run=client -o yaml
run web --image=nginx --dry-run=client -o yaml -- sleep 10
run web --image=nginx --command --dry-run=client -o yaml -- sleep 10
run web --image=nginx --dry-run=client -o yaml sleep 10
run web --image=nginx --dry-run=perhaps
run web --image=nginx --dry-run=server --save-config -o yaml
run web --image=nginx --dry-run=client --save-config -o yaml
run WEB --image=nginx --dry-run=server
run web --image=nginx --dry-run=server --as nobody
run web --image=nginx --dry-run=server --field-manager=me -o yaml --show-managed-fields
run web --image=nginx --dry-run=server -o json --show-managed-fields
run web --image=nginx --dry-run=client -o yaml --overrides={"spec":{"hostNetwork":true,"nope":1}}
run web --image=nginx --dry-run=client -o yaml --overrides={"spec":{"containers":[]}}
run web --image=nginx --dry-run=client -o yaml --override-type=strategic --overrides={"spec":{"containers":[{"name":"web","tty":true}]}}
run web --image=nginx --dry-run=client -o yaml --override-type=json --overrides=[{"op":"add","path":"/spec/hostNetwork","value":true}]
run web --image=nginx --dry-run=client -o yaml --override-type=json --overrides=[{"op":"remove","path":"/metadata/creationTimestamp"}]
run web --image=nginx --dry-run=client -o yaml --override-type=json --overrides=[{"op":"remove","path":"/spec/x"}]
run web --image=nginx --dry-run=client -o yaml --override-type=json --overrides=[{"op":"test","path":"/kind","value":1}]
run web --image=nginx --dry-run=client -o yaml --overrides={"metadata":{"name":"y"}} --expose --port=80
run web --image=nginx --dry-run=client -o yaml --overrides={"apiVersion":"v1","kind":"ConfigMap"}
run web --image=nginx --dry-run=client --overrides=x
run web --image=nginx --dry-run=client --overrides=null
run web --image=nginx --dry-run=client --override-type=strategic --overrides=x
run web --image=nginx --dry-run=client --override-type=x --overrides={}
run web --image=nginx --dry-run=client --override-type=x
run web --image=nginx --rm
run web --image=nginx -t
run web --image=nginx -i --attach=false -t --dry-run=client -o yaml
run web --image=nginx -i --attach=false --leave-stdin-open --dry-run=client -o yaml
run web --image=nginx -i --dry-run=client
run web --image=nginx --attach --dry-run=server
run web --image=nginx --pod-running-timeout=0s
run web --image=nginx --pod-running-timeout=-1s
run web --image=nginx --rm -t
run web --image=nginx --rm --attach=false -i
run over --image=nginx --overrides={"metadata":{"labels":{"a":"b"}},"spec":{"hostname":"h"}}
run web --image=nginx
run web --image=nginx
run web2 --image=nginx --port=80 --expose --labels=a=b,c=d --save-config -- sleep 10
run web2 --image=nginx --port=80 --expose
run web3 --image=nginx --env=A=b -o yaml --restart=Never --command -- a b
run web4 --image=nginx -o json --show-managed-fields --annotations=why=so
"""

EXPOSES = r"""
expose deploy/web --port=80 --dry-run=client -o yaml
expose deploy/web --port=80 --dry-run=client -o json
expose deploy/web --dry-run=client -o yaml
expose deploy/web --dry-run=server -o json
expose deploy/web --port=80 --dry-run=client -o yaml --overrides={"spec":{"type":"NodePort"}}
expose deploy/web --port=80 --dry-run=client -o yaml --override-type=strategic --overrides={"spec":{"ports":[{"port":80,"nodePort":30001}]}}
expose deploy/web --port=80 --dry-run=client --override-type=x --overrides={}
expose deploy/web --port=80,81 --dry-run=client -o yaml
expose deploy/web --target-port=http --port=80 --dry-run=client -o yaml
expose deploy/web --target-port=8080 --port=80 --name=other --dry-run=server -o yaml
expose deploy web --port=80 --protocol=UDP --dry-run=client -o yaml
expose deploy web --port=80 --type=NodePort --dry-run=server -o yaml
expose deploy web --port=80 --type=LoadBalancer --load-balancer-ip=1.2.3.4 --dry-run=client -o yaml
expose deploy web --port=80 --load-balancer-ip=1.2.3.4 --dry-run=client -o yaml
expose deploy web --port=80 --session-affinity=ClientIP --cluster-ip=None --external-ip=1.2.3.4 --dry-run=client -o yaml
expose deploy web --port=80 --session-affinity=X --dry-run=client -o yaml
expose deploy web --port=x --dry-run=client -o yaml
expose deploy web --port=80 --selector=a=b,c=d -l x=y --dry-run=client -o yaml
expose deploy web --port=80 --selector=a --dry-run=client -o yaml
expose deploy web --port=80 -l a --dry-run=client -o yaml
expose deploy web --port=80 --save-config --dry-run=server -o yaml
expose deploy web --port=80 --save-config --dry-run=client -o yaml
expose deploy web --port=80 --dry-run=perhaps
expose deploy none --port=80
expose deploy
expose
expose ns default --port=80
expose ds web --port=80
expose pod p1 --port=80 --dry-run=client -o yaml
expose pod p1 --dry-run=client -o yaml
expose pod p1 --cluster-ip=None --dry-run=client -o yaml
expose pod multi --dry-run=client -o yaml
expose pod multi --protocol=SCTP --dry-run=client -o yaml
expose pod multi --port=53 --dry-run=client -o yaml
expose pod nolabel --port=80 --dry-run=client -o yaml
expose svc s1 --name=s2 --dry-run=client -o yaml
expose svc s1 --name=s2 --port=443 --target-port=8443 --dry-run=server -o yaml
expose svc nosel --port=80 --dry-run=client
expose deploy web --port=80 --dry-run=server -o name
expose deploy web --port=80 --dry-run=server
expose deploy web --port=80 --dry-run=client
expose svc s1
expose deploy web --port=80 --as nobody
expose nosuch x --port=80
expose deploy/web pod/p1 --port=80 --dry-run=client
expose deploy exprs --port=80 --dry-run=client
expose deploy mixed --port=80 --dry-run=client
expose deploy mixed --selector=a=b --dry-run=client -o yaml
expose deploy/web --port=80 --name=w1 --save-config
expose deploy/web --name=w1
expose pod multi --name=w2 -o yaml
expose svc s1 --name=w3 --type=NodePort -o name
expose deploy/web pod/p1 --port=80 --selector=a=b -l x=y
"""

KINDS = r"""
create configmap
create configmap a b
create cm map --dry-run=client -o json
create cm map --from-literal=a=b --from-literal=c=d=e --dry-run=client -o yaml
create cm map --from-literal=a=b --dry-run=client -o json --save-config
create cm map --from-literal=a=b --dry-run=server -o yaml --save-config
create cm map --from-literal=a --dry-run=client
create cm map --from-literal==a --dry-run=client
create cm map --from-literal=a=b --from-literal=a=c --dry-run=client
create cm map --from-literal=a/b=c --dry-run=client
create cm map --from-file=f1 --from-file=k=f2 --from-file=bin --dry-run=client -o yaml
create cm map --from-file=f1,f2 --dry-run=client -o yaml
create cm map '--from-file="f1",f2' --dry-run=client -o yaml
create cm map '--from-file="a,b"' --dry-run=client -o yaml
create cm map --from-file=folder --dry-run=client -o yaml
create cm map --from-file=folder/ --dry-run=client -o yaml
create cm map --from-file=folder/f1 --dry-run=client -o yaml
create cm map --from-file=x=folder --dry-run=client -o yaml
create cm map --from-file=nosuch --dry-run=client
create cm map --from-file==f1 --dry-run=client
create cm map --from-file=k= --dry-run=client
create cm map --from-file=a=b=c --dry-run=client
create cm map --from-env-file=env --dry-run=client -o yaml
create cm map --from-env-file=badenv --dry-run=client -o yaml
create cm map --from-env-file=folder --dry-run=client
create cm map --from-env-file=nosuch --dry-run=client
create cm map --from-env-file=env --from-literal=a=b --dry-run=client
create cm BAD --from-literal=a=b
create cm map --dry-run=server
create cm map --dry-run=client -o name
create cm map --as nobody
create cm kube-root-ca.crt
create secret generic sec --from-literal=a=b --dry-run=client -o yaml
create secret generic sec --from-literal=a=b --dry-run=client -o json
create secret generic sec --from-literal=a=b --from-file=bin --type=x/y --dry-run=server -o yaml
create secret generic sec --from-literal=a=b --from-literal=a=c --dry-run=server -o yaml
create secret generic sec --from-literal=a/c=c --dry-run=server -o yaml
create secret generic sec --from-env-file=env --dry-run=client -o yaml
create secret generic sec --from-env-file=folder --dry-run=client -o yaml
create secret generic BAD
create secret generic
create secret docker-registry r --docker-server=h --docker-username=u --docker-password=p --docker-email=e@x --dry-run=client -o yaml
create secret docker-registry r --docker-server=h --docker-username=u --docker-password=p<>& --dry-run=client -o yaml
create secret docker-registry r --docker-server=h
create secret docker-registry r --from-file=f1 --dry-run=client -o yaml
create secret docker-registry r --from-file=.dockerconfigjson=f1 --dry-run=server
create secret docker-registry r --docker-server=h --docker-username=u --docker-password=p --append-hash --dry-run=client -o name
create cm map --append-hash --dry-run=client -o name
create cm map --from-file=bin --from-literal=a=<&> --append-hash --dry-run=client -o yaml
create secret generic sec --from-literal=a=b --append-hash
create secret generic sec --from-literal=a=b --type=x/y --append-hash --dry-run=server
create secret tls
create secret tls t
create secret tls t --cert=cert
create secret tls t --cert=cert --key=key --dry-run=client -o yaml
create secret tls t --cert=cert --key=key --append-hash --dry-run=client -o name
create secret tls t --cert=cert --key=key
create secret tls t --cert=cert --key=key
create secret tls t --cert=cert --key=other
create secret tls t --cert=cert --key=ed25519
create secret tls t --cert=key --key=key
create secret tls t --cert=cert --key=cert
create secret tls t --cert=f1 --key=key
create secret tls t --cert=cert --key=f1
create secret tls t --cert=nosuch --key=key
create secret tls t --cert=folder --key=key
create ns x --dry-run=client -o yaml
create namespace x --dry-run=client -o json
create namespace x --dry-run=server -o yaml
create namespace default
create namespace
create ns BAD
create sa x --dry-run=client -o yaml
create sa x --dry-run=server -o json
create serviceaccount default
create deployment app --image=nginx --dry-run=client -o yaml
create deployment app --image=nginx --dry-run=client -o json --save-config
create deploy app --image=nginx --dry-run=server -o yaml
create deploy app --image=nginx --dry-run=server -o json
create deployment app --image=nginx,reg:5000/a/busybox:1@sha256:x -r 3 --port=80 --dry-run=client -o yaml
create deployment app --image=nginx --dry-run=client -o yaml -- sleep 10
create deployment app --image=nginx --image=x --dry-run=client -o yaml -- sleep 10
create deployment app sleep --image=nginx --dry-run=client
create deployment WEB --image=nginx
create deployment app --image=nginx --replicas=-1 --dry-run=server
create job j --image=x --dry-run=client -o yaml
create job j --image=x --dry-run=server -o yaml
create job j --image=x --dry-run=client -o json -- a b
create job j
create job j --image=x --from=cronjob/y
create job j --from=cronjob/none
create job j --from=pod/none
create job j --from=cj/nightly --dry-run=client -o yaml
create job j --from=cronjob/nightly --dry-run=server -o yaml
create job j --from=cronjobs.batch/nightly --dry-run=client -o json --save-config
create job j --from=nightly
create job j --from=deploy/web
create job j --from=pod/p1
create job j --from=cj/nightly -- a
create cronjob c --image=x --schedule=* --dry-run=client -o yaml
create cj c --image=x '--schedule=0 3 * * *' --restart=Never --dry-run=client -o json -- a b
create cj c --image=x '--schedule=0 3 * * *' --dry-run=server -o yaml
create cj c --image=x '--schedule=bad'
create service clusterip s --tcp=80 --dry-run=client -o yaml
create service clusterip s --tcp=80:8080 --tcp=443:https --dry-run=client -o json
create svc clusterip s --clusterip=None --dry-run=client -o yaml
create svc clusterip s --dry-run=client -o yaml
create svc clusterip s --tcp=x --dry-run=client -o yaml
create svc clusterip s --tcp=80:-- --dry-run=client -o yaml
create svc clusterip s --tcp=99999 --dry-run=client -o yaml
create svc clusterip s --tcp=80:99999 --dry-run=client -o yaml
create svc clusterip s --tcp=80 --dry-run=server -o yaml
create svc nodeport s --tcp=80 --node-port=30080 --dry-run=server -o yaml
create svc nodeport s --tcp=80,81 --dry-run=client -o yaml
create svc loadbalancer s --tcp=80 --dry-run=client -o yaml
create svc externalname s --external-name=a.b --dry-run=client -o yaml
create svc externalname s --external-name=a.b --tcp=80 --dry-run=server -o yaml
create svc externalname s --external-name=A_b --dry-run=client -o yaml
create svc clusterip BAD --tcp=80
create role r --verb=get --resource=pods --dry-run=client -o yaml
create role r --verb=get,list,get --resource=deploy,pods/log,po,deployments.apps/scale --dry-run=client -o json
create role r --verb=*,get --resource=* --dry-run=server -o yaml
create role r --verb=get --resource=nosuch
create role r --verb=get --resource=nosuch.foo
create role r --verb=get
create role r --resource=pods
create role r --verb=odd --resource=pods --dry-run=client
create role r --verb=bind --resource=roles --dry-run=client -o yaml
create role r --verb=bind --resource=pods --dry-run=client -o yaml
create role r --verb=impersonate --resource=users,groups --dry-run=client -o yaml
create role r --verb=impersonate --resource=userextras.authentication.k8s.io --dry-run=client -o yaml
create role r --verb=get --resource=pods --resource-name=a --resource-name=b --resource-name=a --dry-run=client -o yaml
create role '' --verb=get --resource=pods
create clusterrole r --verb=get --resource=nodes --dry-run=client -o yaml
create clusterrole r --verb=get --non-resource-url=/healthz,/logs/* --dry-run=client -o json
create clusterrole r --verb=get --non-resource-url=/healthz --resource=nodes --dry-run=server -o yaml
create clusterrole r --verb=list --non-resource-url=/healthz --dry-run=client -o yaml
create clusterrole r --verb=get --non-resource-url=healthz --dry-run=client -o yaml
create clusterrole r --verb=get --non-resource-url=/a*/b --dry-run=client -o yaml
create clusterrole r --verb=get --non-resource-url=* --dry-run=client -o yaml
create clusterrole r --verb=get
create clusterrole r
create clusterrole r --aggregation-rule=a=b,c=d --dry-run=client -o yaml
create clusterrole r --aggregation-rule=a=b --verb=get --dry-run=client -o yaml
create clusterrole view --verb=get --resource=pods
create rolebinding b --role=r --user=u --user=v --group=g --serviceaccount=n:s --dry-run=client -o yaml
create rolebinding b --clusterrole=r --dry-run=client -o json
create rolebinding b --clusterrole=r --role=x
create rolebinding b
create rolebinding b --role=r --serviceaccount=x
create rolebinding b --role=r --user=u --dry-run=server -o yaml
create clusterrolebinding b --clusterrole=r --user=u --group=g --serviceaccount=n:s --dry-run=client -o yaml
create clusterrolebinding b --clusterrole=r --serviceaccount=n --dry-run=client -o yaml
create clusterrolebinding cluster-admin --clusterrole=r
create clusterrolebinding b --clusterrole=r --dry-run=server -o json
create quota q --hard=pods=10,cpu=1 --scopes=BestEffort,NotTerminating --dry-run=client -o yaml
create quota q --hard=pods=x --dry-run=client -o yaml
create quota q --hard=pods --dry-run=client -o yaml
create quota q --scopes=a, --dry-run=client -o yaml
create quota q --dry-run=client -o json
create quota q --hard=pods=10 --dry-run=server -o yaml
create resourcequota q --hard=memory=1Gi --dry-run=server
create pdb p --selector=a=b --min-available=50% --dry-run=client -o yaml
create poddisruptionbudget p '--selector=a in (x,b),c,!d,e notin (f),g==h' --max-unavailable=2 --dry-run=client -o json
create pdb p --selector=a=b --min-available=5x --dry-run=client
create pdb p --selector=a=b --max-unavailable=5x --dry-run=client
create pdb p --selector=a=b --dry-run=client
create pdb p --selector=a=b --min-available=1 --max-unavailable=2
create pdb p --min-available=1
create pdb p --selector=a!=b --min-available=1 --dry-run=client
create pdb p --selector=a== --min-available=1 --dry-run=client -o yaml
create pdb p '--selector=a in' --min-available=1 --dry-run=client -o yaml
create pdb p '--selector=a>1' --min-available=1 --dry-run=client -o yaml
create pdb p --selector=a=b --min-available=1 --dry-run=server -o yaml
create priorityclass p --value=10 --description=x --dry-run=client -o yaml
create pc p --value=-10 --global-default --preemption-policy=Never --dry-run=client -o json
create pc p --value=10 --global-default=false --dry-run=server -o yaml
create pc p --dry-run=client -o yaml
create ingress i --rule=foo.com/bar=svc1:8080,tls=my-cert --dry-run=client -o yaml
create ingress i --class=c --rule=/path=svc:port --dry-run=client -o json
create ing i --rule=foo.com/=svc:port --rule=foo.com/admin/=svcadmin:portadmin --rule=bar.com/x*=s:80,tls --annotation=a=b --annotation=c= --dry-run=client -o yaml
create ing i --rule=a.com/*=s:80,tls=x --rule=b.com/*=s:80,tls=x --rule=a.com/y=s:80,tls=z --dry-run=client -o yaml
create ing i --rule=/*=s:80,tls --dry-run=client -o yaml
create ing i --default-backend=svc:http --dry-run=client -o yaml
create ing i --default-backend=svc:80 --dry-run=server -o yaml
create ing i --default-backend=svc --dry-run=server -o yaml
create ing i --rule=foo --dry-run=server -o yaml
create ing i --rule=foo/=s:80 --annotation=a --dry-run=server -o yaml
create ing i
create token none
create token default --duration=-1s
create token default --duration=1500ms
create token default --audience=
create token default --bound-object-name=x
create token default --bound-object-uid=x
create token default --bound-object-kind=x
create token default --bound-object-kind=Pod
create token default --bound-object-kind=Secret --bound-object-name=none
create token default --duration=1s
create token
create cm made --from-literal=a=b --from-file=bin --save-config
create cm made
create secret generic made --from-literal=a=b -o yaml
create sa made
create deploy made --image=nginx --port=80
create deploy made --image=nginx
create job made --image=x -- a
create cj made --image=x --schedule='1 1 * * *' -o json
create svc clusterip made --tcp=80:8080 --validate=ignore
create role made --verb=get --resource=pods -o yaml
create rolebinding made --role=made --user=u
create quota made --hard=pods=20
create pdb made --selector=a=b --min-available=1
create ingress made --rule=a.b/*=s:80,tls=x --field-manager=me
"""


class CreatingTest(twin.ChangingCase):
    """Each command once with either program, each in its namespace; then all that there is."""
    @staticmethod
    def whole(item):
        return [item.get(part) for part in ("metadata", "spec", "data", "subjects")]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.server.folder / "files"
        for folder in ("in", "folder"):
            (cls.folder / folder).mkdir(parents=True)
        for name, text in FILES.items():
            (cls.folder / name).write_text(text, encoding="utf-8")
        (cls.folder / "bin").write_bytes(b"\xff\0\1")

    def setUp(self):
        super().setUp()
        api_server.side_by_side(lambda place: self.make(place, SCENE))

    def compare(self, commands, types):
        for arguments in twin.lines(commands):
            with self.subTest(" ".join(arguments)):
                self.assert_same_change(arguments)
        self.assert_same_left(types, self.whole)

    def podium(self, *arguments, stdin=""):
        return self.one_change(1, arguments, stdin)

    def neutral(self, text):
        text = re.sub(r"(resource version to be \d+, was) \d+", r"\1 VERSION",
                      super().neutral(text))
        text = re.sub(r"(nodePort\W+)\d+", r"\1PORT", re.sub(r"10\.43\.\d+\.\d+", "ADDRESS", text))
        # What kubectl says on a machine where its last look would come too late.
        text = text.replace("client rate limiter Wait returned an error: rate: Wait(n=1) would "
                            "exceed context deadline", 'timed out waiting for "web" to be synced')
        text = re.sub(r"(token\W+)[-.\w]{100,}", r"\1TOKEN", text)
        return re.sub(r"(kube-api-access)-\w{5}\b", r"\1-RANDOM", text)

    def test_files(self):
        self.compare(CREATES, "cm,deploy")

    def test_the_standard_input(self):
        for arguments in (["create", "-f", "-"], ["create", "-f", "-"],
                          ["create", "-f", "-", "-f", "-"]):
            kubectl, podium = self.both_change(arguments, stdin=twin.ONE)
            if arguments.count("-") < 2:
                self.assertEqual(podium, kubectl)
        self.assertEqual(podium[0], 1)

    def test_names_that_the_server_makes(self):
        for _, out, _ in self.both_change(["create", "-f", "generated"]):
            self.assertRegex(out, r"^configmap/x-[a-z0-9]{5} created\n$")

    def test_scales(self):
        self.compare(SCALES, "deploy")

    def test_a_scale_by_a_file(self):
        deployment = twin.OBJECTS.split("---")[0]
        for arguments in (["--replicas=3"], ["--replicas=4", "-o", "yaml"]):
            self.assert_same_change(["scale", "-f", "-", *arguments], stdin=deployment)

    def test_run(self):
        self.compare(RUNS, "pods,svc")

    def test_expose(self):
        self.compare(EXPOSES, "svc")

    def test_kinds(self):
        self.compare(KINDS, "cm,secrets,sa,deploy,jobs,cj,svc,roles,rolebindings,quota,pdb,ingress")

    def test_expose_a_file(self):
        deployment = twin.OBJECTS.split("---")[0]
        for options in (["-o", "yaml"], ["--selector=a=b", "--port=8080", "-o", "json"]):
            self.assert_same_change(["expose", "-f", "-", "--dry-run=client", *options],
                                    stdin=deployment)

    def test_several_objects_have_services_of_their_own(self):
        """kubectl takes the first one's selector for all of them."""
        self.assertEqual(self.podium("expose", "deploy/web", "pod/p2", "--port=80", "--name=",
                                     "--dry-run=client", "-o", "jsonpath={.spec.selector}"),
                         (0, '{"app":"web"}{"a":"c"}', ""))

    def test_names_of_containers(self):
        for _, out, _ in self.both_change(
                ["create", "deploy", "x", "--image=a/my_app.x:1", "--dry-run=client", "-o",
                 "jsonpath={.spec.template.spec.containers[0].name}"]):
            self.assertRegex(out, r"^my-app-x-[a-z0-9]{5}$")

    def test_tokens(self):
        for _, out, err in self.both_change(["create", "token", "default"]):
            self.assertEqual(err, "")
            self.assertRegex(out, r"^[-\w]+\.[-\w]+\.[-\w]+$")
        for options in (["--duration=1h", "-o", "json"], ["--audience=a", "--audience=b", "-o", "yaml"],
                        ["--bound-object-kind=Secret", "--bound-object-name=s", "-o", "yaml"]):
            self.assert_same_change(["create", "token", "default", *options])

    def test_what_is_missing_is_said(self):
        for arguments, flags in (
                (["run", "x"], '"image"'), (["create", "deploy", "x"], '"image"'),
                (["create", "cj", "x"], '"image", "schedule"'),
                (["create", "clusterrolebinding", "x"], '"clusterrole"'),
                (["create", "svc", "externalname", "x"], '"external-name"')):
            self.assertEqual(self.podium(*arguments),
                             (1, "", f"error: required flag(s) {flags} not set\n"))

    def test_without_the_number_nothing_is_scaled(self):
        self.assertEqual(self.podium("scale", "deploy/web"),
                         (1, "", 'error: required flag(s) "replicas" not set\n'))
        status, _, err = self.podium("scale", "deploy/web", "--replicas=x")
        self.assertEqual((status, err), (
            1, 'error: invalid argument "x" for "--replicas" flag: strconv.ParseInt: parsing "x": '
               "invalid syntax\n"))


if __name__ == "__main__":
    twin.main()
