// @kubernetes/client-node against `podium server`, which client_node_test.py has started. Argument:
// the library's folder. A line "restart" on standard output has the server killed and started again
// at the same address; standard input ends the wait for it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

import { core, eventually, k8s, kc, patchAs, refused } from './support.mjs';

const apps = kc.makeApiClient(k8s.AppsV1Api);
const objects = k8s.KubernetesObjectApi.makeApiClient(kc);
const answers = createInterface(process.stdin);
const namespace = 'client-node';

const configMap = (name, data = { a: '1' }, labels = undefined) => ({
  metadata: { name, labels },
  data,
});
const create = (name, ...more) =>
  core.createNamespacedConfigMap({ namespace, body: configMap(name, ...more) });
const remove = (name) => core.deleteNamespacedConfigMap({ namespace, name });

async function restart() {
  const done = once(answers, 'line');
  process.stdout.write('restart\n');
  await done;
}

before(async () => {
  await core.createNamespace({ body: { metadata: { name: namespace } } });
});

after(() => process.stdin.destroy());

test('typed create, read, replace and delete', async () => {
  const made = await create('typed');
  assert.ok(made.metadata.creationTimestamp instanceof Date);
  assert.match(made.metadata.uid, /^[0-9a-f-]{36}$/);
  const read = await core.readNamespacedConfigMap({ namespace, name: 'typed' });
  assert.deepEqual(read, made);
  await refused(create('typed'), 409, 'AlreadyExists');

  const replaced = await core.replaceNamespacedConfigMap({
    namespace,
    name: 'typed',
    body: { ...read, data: { a: '2' } },
  });
  assert.equal(replaced.data.a, '2');
  assert.ok(BigInt(replaced.metadata.resourceVersion) > BigInt(read.metadata.resourceVersion));
  await refused(
    core.replaceNamespacedConfigMap({ namespace, name: 'typed', body: { ...read, data: {} } }),
    409,
    'Conflict',
  );

  const status = await remove('typed');
  assert.equal(status.status, 'Success');
  assert.equal(status.details.uid, made.metadata.uid);
  await refused(core.readNamespacedConfigMap({ namespace, name: 'typed' }), 404, 'NotFound');
});

test('what is invalid says which fields', async () => {
  const body = { metadata: { name: 'A_b' }, data: { 'a b': '1' } };
  const status = await refused(
    core.createNamespacedConfigMap({ namespace, body }),
    422,
    'Invalid',
  );
  assert.deepEqual(status.details.causes.map((cause) => cause.field).sort(), [
    'data[a b]',
    'metadata.name',
  ]);
});

test('a Deployment, its scale and its status', async () => {
  const body = {
    metadata: { name: 'web' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'main', image: 'nginx:1' }] },
      },
    },
  };
  const made = await apps.createNamespacedDeployment({ namespace, body });
  assert.equal(made.spec.strategy.rollingUpdate.maxSurge, '25%');
  assert.equal(made.spec.template.spec.containers[0].imagePullPolicy, 'IfNotPresent');

  const scale = await apps.readNamespacedDeploymentScale({ namespace, name: 'web' });
  assert.equal(scale.spec.replicas, 2);
  scale.spec.replicas = 4;
  await apps.replaceNamespacedDeploymentScale({ namespace, name: 'web', body: scale });

  const patched = await apps.patchNamespacedDeploymentStatus(
    { namespace, name: 'web', body: { spec: { replicas: 9 }, status: { replicas: 3 } } },
    patchAs(k8s.PatchStrategy.MergePatch),
  );
  assert.equal(patched.spec.replicas, 4);
  assert.equal(patched.status.replicas, 3);
  await apps.deleteNamespacedDeployment({ namespace, name: 'web' });
  await eventually('it is gone', async () => {
    const list = await apps.listNamespacedDeployment({ namespace });
    return list.items.length === 0;
  });
});

test('patches of each type', async () => {
  await create('patched', { a: '1', b: '2' });
  const patch = (body, type) =>
    core.patchNamespacedConfigMap({ namespace, name: 'patched', body }, patchAs(type));
  const byJson = await patch(
    [{ op: 'replace', path: '/data/a', value: '3' }],
    k8s.PatchStrategy.JsonPatch,
  );
  assert.deepEqual(byJson.data, { a: '3', b: '2' });
  const byMerge = await patch({ data: { a: null } }, k8s.PatchStrategy.MergePatch);
  assert.deepEqual(byMerge.data, { b: '2' });
  const byStrategy = await patch({ data: { c: '4' } }, k8s.PatchStrategy.StrategicMergePatch);
  assert.deepEqual(byStrategy.data, { b: '2', c: '4' });
  await refused(patch({ data: {} }, 'application/x-patch'), 415, 'UnsupportedMediaType');
  await remove('patched');
});

test('apply', async () => {
  const apply = (fieldManager, data, force) =>
    core.patchNamespacedConfigMap(
      {
        namespace,
        name: 'applied',
        fieldManager,
        force,
        body: { apiVersion: 'v1', kind: 'ConfigMap', ...configMap('applied', data) },
      },
      patchAs(k8s.PatchStrategy.ServerSideApply),
    );
  await apply('one', { a: '1', b: '1' });
  await apply('two', { c: '1' });
  const status = await refused(apply('two', { a: '2', c: '1' }), 409, 'Conflict');
  assert.deepEqual(
    status.details.causes.map((cause) => [cause.reason, cause.field]),
    [['FieldManagerConflict', '.data.a']],
  );
  assert.deepEqual((await apply('two', { a: '2', c: '1' }, true)).data, { a: '2', b: '1', c: '1' });
  // What an applier leaves out goes, unless another has it.
  const left = await apply('one', {});
  assert.deepEqual(left.data, { a: '2', c: '1' });
  assert.deepEqual(
    left.metadata.managedFields.map((entry) => [entry.manager, entry.operation]).sort(),
    [
      ['one', 'Apply'],
      ['two', 'Apply'],
    ],
  );
  await remove('applied');
});

test('lists in pieces, which are of one moment', async () => {
  const names = Array.from({ length: 7 }, (_, index) => `piece-${index}`);
  for (const name of names) {
    await core.createNamespacedSecret({ namespace, body: { metadata: { name } } });
  }
  const found = [];
  const versions = new Set();
  let _continue;
  do {
    const list = await core.listNamespacedSecret({ namespace, limit: 3, _continue });
    if (found.length === 0) {
      assert.equal(list.metadata.remainingItemCount, 4);
      await core.createNamespacedSecret({ namespace, body: { metadata: { name: 'piece-9' } } });
    }
    found.push(...list.items.map((item) => item.metadata.name));
    versions.add(list.metadata.resourceVersion);
    _continue = list.metadata._continue;
  } while (_continue);
  assert.deepEqual(found, names);
  assert.equal(versions.size, 1);
  await core.deleteCollectionNamespacedSecret({ namespace });
  assert.equal((await core.listNamespacedSecret({ namespace })).items.length, 0);
});

test('objects of any kind', async () => {
  const body = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'any', namespace },
    spec: {
      schedule: '0 3 * * *',
      jobTemplate: {
        spec: {
          template: {
            spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox:1' }] },
          },
        },
      },
    },
  };
  const made = await objects.create(body);
  assert.equal(made.spec.concurrencyPolicy, 'Allow');
  const patched = await objects.patch(
    { ...body, spec: { suspend: true } },
    undefined,
    undefined,
    undefined,
    undefined,
    k8s.PatchStrategy.MergePatch,
  );
  assert.equal(patched.spec.suspend, true);
  assert.equal(patched.spec.schedule, '0 3 * * *');
  const list = await objects.list('batch/v1', 'CronJob', namespace);
  assert.deepEqual(
    list.items.map((item) => item.metadata.name),
    ['any'],
  );
  await objects.delete(body);
  await eventually('it is gone', () =>
    objects.read(body).then(
      () => false,
      (error) => error.code === 404,
    ),
  );
});

test('a watch gets each event once and in order', async () => {
  const start = (await core.listNamespacedConfigMap({ namespace })).metadata.resourceVersion;
  const events = [];
  const watch = new k8s.Watch(kc);
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const query = { resourceVersion: start, labelSelector: 'watched' };
  const request = await watch.watch(
    path,
    query,
    (type, object) => events.push([type, object.metadata.name, object.data?.a]),
    () => {},
  );
  await create('seen', { a: '1' }, { watched: '' });
  await create('unseen', { a: '1' });
  const merge = (name, body) =>
    core.patchNamespacedConfigMap(
      { namespace, name, body },
      patchAs(k8s.PatchStrategy.MergePatch),
    );
  await merge('seen', { data: { a: '2' } });
  // It leaves what is watched, and comes back.
  await merge('seen', { metadata: { labels: { watched: null } } });
  await merge('seen', { data: { a: '3' } });
  await merge('seen', { metadata: { labels: { watched: '' } } });
  await remove('seen');
  await remove('unseen');
  const expected = [
    ['ADDED', 'seen', '1'],
    ['MODIFIED', 'seen', '2'],
    ['DELETED', 'seen', '2'],
    ['ADDED', 'seen', '3'],
    ['DELETED', 'seen', '3'],
  ];
  await eventually('all events are there', () => events.length >= expected.length);
  request.abort();
  assert.deepEqual(events, expected);
});

test('a watch that resumes after the server was killed misses nothing', async () => {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  let version = (await core.listNamespacedConfigMap({ namespace })).metadata.resourceVersion;
  const events = [];
  const watchOn = async () => {
    let ended;
    const end = new Promise((resolve) => (ended = resolve));
    const request = await new k8s.Watch(kc).watch(
      path,
      { resourceVersion: version, labelSelector: 'kept' },
      (type, object) => {
        events.push([type, object.metadata.name]);
        version = object.metadata.resourceVersion;
      },
      ended,
    );
    return { request, end };
  };
  const first = await watchOn();
  await create('kept-1', {}, { kept: '' });
  await eventually('the first event', () => events.length === 1);
  await restart();
  await first.end;
  // While nobody watches.
  await create('kept-2', {}, { kept: '' });
  await remove('kept-1');
  const second = await watchOn();
  await remove('kept-2');
  await eventually('the other events', () => events.length >= 4);
  second.request.abort();
  assert.deepEqual(events, [
    ['ADDED', 'kept-1'],
    ['ADDED', 'kept-2'],
    ['DELETED', 'kept-1'],
    ['DELETED', 'kept-2'],
  ]);
});

test('an informer follows, also over a restart', async () => {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const informer = k8s.makeInformer(
    kc,
    path,
    () => core.listNamespacedConfigMap({ namespace, labelSelector: 'informed' }),
    'informed',
  );
  const seen = [];
  for (const verb of ['add', 'update', 'delete']) {
    informer.on(verb, (object) => seen.push(`${verb} ${object.metadata.name}`));
  }
  // Stopping it is an error to it too.
  let following = true;
  informer.on('error', () => setTimeout(() => following && informer.start(), 200));
  await create('i1', {}, { informed: '' });
  await informer.start();
  await eventually('what was there', () => seen.length === 1);
  await create('i2', {}, { informed: '' });
  await eventually('what came', () => informer.get('i2', namespace));
  await restart();
  await core.patchNamespacedConfigMap(
    { namespace, name: 'i1', body: { data: { a: 'new' } } },
    patchAs(k8s.PatchStrategy.MergePatch),
  );
  await remove('i2');
  await eventually('what changed', () => !informer.get('i2', namespace));
  await eventually('what changed', () => informer.get('i1', namespace).data?.a === 'new');
  following = false;
  await informer.stop();
  assert.deepEqual(seen.slice(0, 2), ['add i1', 'add i2']);
  assert.deepEqual(seen.slice(2).sort(), ['delete i2', 'update i1']);
  await remove('i1');
});

test('custom resources', async () => {
  const group = 'node.example.com';
  const extensions = kc.makeApiClient(k8s.ApiextensionsV1Api);
  await extensions.createCustomResourceDefinition({
    body: {
      metadata: { name: `widgets.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'widgets', kind: 'Widget' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            subresources: { status: {} },
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  spec: {
                    type: 'object',
                    properties: {
                      size: { type: 'integer', maximum: 10 },
                      color: { type: 'string', _default: 'red' },
                    },
                  },
                  status: { type: 'object', properties: { ready: { type: 'boolean' } } },
                },
              },
            },
          },
        ],
      },
    },
  });
  const custom = kc.makeApiClient(k8s.CustomObjectsApi);
  const at = { group, version: 'v1', namespace, plural: 'widgets' };
  const widget = (name, size) => ({
    apiVersion: `${group}/v1`,
    kind: 'Widget',
    metadata: { name },
    spec: { size },
  });

  const events = [];
  const start = (await custom.listNamespacedCustomObject(at)).metadata.resourceVersion;
  const request = await new k8s.Watch(kc).watch(
    `/apis/${group}/v1/namespaces/${namespace}/widgets`,
    { resourceVersion: start },
    (type, object) => events.push([type, object.metadata.name, object.spec.size]),
    () => {},
  );
  const made = await custom.createNamespacedCustomObject({ ...at, body: widget('one', 1) });
  assert.deepEqual(made.spec, { size: 1, color: 'red' });
  const replaced = await custom.replaceNamespacedCustomObject({
    ...at,
    name: 'one',
    body: { ...made, spec: { size: 2 } },
  });
  assert.equal(replaced.metadata.generation, 2);
  const status = await refused(
    custom.createNamespacedCustomObject({ ...at, body: widget('two', 11) }),
    422,
    'Invalid',
  );
  assert.deepEqual(
    status.details.causes.map((cause) => cause.field),
    ['spec.size'],
  );
  const patched = await custom.patchNamespacedCustomObjectStatus(
    { ...at, name: 'one', body: { spec: { size: 9 }, status: { ready: true } } },
    patchAs(k8s.PatchStrategy.MergePatch),
  );
  assert.deepEqual([patched.spec.size, patched.status.ready], [2, true]);
  const applied = await custom.patchNamespacedCustomObject(
    { ...at, name: 'one', fieldManager: 'one', force: true, body: widget('one', 3) },
    patchAs(k8s.PatchStrategy.ServerSideApply),
  );
  assert.equal(applied.spec.size, 3);
  await custom.deleteNamespacedCustomObject({ ...at, name: 'one' });
  const expected = [
    ['ADDED', 'one', 1],
    ['MODIFIED', 'one', 2],
    ['MODIFIED', 'one', 2],
    ['MODIFIED', 'one', 3],
    ['DELETED', 'one', 3],
  ];
  await eventually('all events are there', () => events.length >= expected.length);
  request.abort();
  assert.deepEqual(events, expected);

  await extensions.deleteCustomResourceDefinition({ name: `widgets.${group}` });
  await eventually('it is not served any more', () =>
    custom.listNamespacedCustomObject(at).then(
      () => false,
      (error) => error.code === 404,
    ),
  );
});

test('who may', async () => {
  const authorization = kc.makeApiClient(k8s.AuthorizationV1Api);
  const review = async (user) =>
    (
      await authorization.createSubjectAccessReview({
        body: {
          spec: { user, resourceAttributes: { namespace, verb: 'get', resource: 'secrets' } },
        },
      })
    ).status.allowed;
  assert.equal(await review('anna'), false);
  const rbac = kc.makeApiClient(k8s.RbacAuthorizationV1Api);
  await rbac.createNamespacedRole({
    namespace,
    body: {
      metadata: { name: 'reader' },
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
    },
  });
  await rbac.createNamespacedRoleBinding({
    namespace,
    body: {
      metadata: { name: 'reads' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'anna' }],
    },
  });
  assert.equal(await review('anna'), true);
});
