// @kubernetes/client-node and pods that run: client_node_pods_test.py has started a server and an
// agent. Arguments: the library's folder, the node's name, an image of busybox, an empty folder.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { PassThrough, Writable } from 'node:stream';
import { before, test } from 'node:test';

import { core, eventually, k8s, kc, patchAs, refused } from './support.mjs';

const [nodeName, image, folder] = process.argv.slice(3);
const namespace = 'client-node-pods';
const loop = 'while :; do sleep 0.05; done';

before(async () => {
  await core.createNamespace({ body: { metadata: { name: namespace } } });
  await eventually('the default account is made', () =>
    core.readNamespacedServiceAccount({ namespace, name: 'default' }).then(
      () => true,
      () => false,
    ),
  );
});

const read = (name) => core.readNamespacedPod({ namespace, name });
const pod = (name, command, container = {}, spec = {}) => ({
  metadata: { name, labels: { app: name } },
  spec: {
    nodeName,
    terminationGracePeriodSeconds: 1,
    automountServiceAccountToken: false,
    containers: [{ name: 'main', image, command: ['sh', '-c', command], ...container }],
    ...spec,
  },
});

async function running(name, ...more) {
  await core.createNamespacedPod({ namespace, body: pod(name, ...more) });
  await eventually(`${name} is ready`, async () =>
    (await read(name)).status.conditions?.some(
      (each) => each.type === 'Ready' && each.status === 'True',
    ),
  );
  return name;
}

// A writable that keeps what comes, as a terminal of this size or as none.
function sink(size) {
  const stream = new Writable({
    write(chunk, _, done) {
      stream.chunks.push(chunk);
      done();
    },
  });
  stream.chunks = [];
  stream.bytes = () => Buffer.concat(stream.chunks);
  stream.text = () => stream.bytes().toString();
  return Object.assign(stream, size);
}

const bounded = (promise, what) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within 40 s: ${what}`)), 40000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

// Runs a command; what it says, and the Status at its end.
async function run(name, command, { stdin = null, tty = false, stdout = sink() } = {}) {
  const stderr = tty ? null : sink();
  const ended = Promise.withResolvers();
  const exec = new k8s.Exec(kc);
  const socket = await exec.exec(
    namespace, name, 'main', command, stdout, stderr, stdin, tty, ended.resolve,
  );
  const status = await bounded(ended.promise, command.join(' '));
  socket.close();
  return { status, out: stdout.bytes(), err: stderr?.text() };
}

test('exec', async () => {
  const name = await running('exec', loop);
  const said = await run(name, ['sh', '-c', 'echo out; echo err >&2']);
  assert.deepEqual(
    [said.status.status, said.out.toString(), said.err],
    ['Success', 'out\n', 'err\n'],
  );
  const failed = (await run(name, ['sh', '-c', 'exit 7'])).status;
  assert.deepEqual(
    [failed.status, failed.reason, failed.details.causes],
    ['Failure', 'NonZeroExitCode', [{ reason: 'ExitCode', message: '7' }]],
  );
  const data = randomBytes(3 << 20);
  const stdin = new PassThrough();
  stdin.end(data);
  const { status, out } = await run(name, ['cat'], { stdin });
  assert.equal(status.status, 'Success');
  assert.ok(out.equals(data), `${out.length} of ${data.length} bytes`);
});

test('exec at a terminal', async () => {
  const name = await running('terminal', loop);
  const stdin = new PassThrough();
  const stdout = sink({ rows: 31, columns: 71 });
  // A signal ends a read, too.
  const command = "trap 'stty size' WINCH; until read x; do :; done; tty; exit 4";
  const done = run(name, ['sh', '-c', command], { stdin, stdout, tty: true });
  await eventually('the first size', () => /\b31 71\r\n/.test(stdout.text()));
  Object.assign(stdout, { rows: 50, columns: 90 });
  stdout.emit('resize');
  // A size and what is typed go by two ways.
  await eventually('the second size', () => /\b50 90\r\n/.test(stdout.text()));
  stdin.write('go\n');
  const { status } = await done;
  assert.match(stdout.text(), /go\r\n/);
  assert.match(stdout.text(), /\/dev\/pts\/0\r\n$/);
  assert.equal(status.details.causes[0].message, '4');
});

test('a resize while a program runs', async () => {
  const name = await running('resized', loop);
  const stdin = new PassThrough();
  const stdout = sink({ rows: 31, columns: 71 });
  const command = `trap 'stty size' WINCH; trap 'exit 3' INT; echo begun; ${loop}`;
  const done = run(name, ['sh', '-c', command], { stdin, stdout, tty: true });
  await eventually('it has begun', () => /begun\r\n/.test(stdout.text()));
  for (const [rows, columns] of [
    [10, 20],
    [60, 200],
  ]) {
    Object.assign(stdout, { rows, columns });
    stdout.emit('resize');
    await eventually('the signal', () => stdout.text().includes(`\n${rows} ${columns}\r\n`));
  }
  stdin.write('\x03');
  assert.equal((await done).status.details.causes[0].message, '3');
});

test('attach', async () => {
  const talker = 'while read line; do echo "heard $line"; done';
  const name = await running('attach', talker, { stdin: true });
  const stdin = new PassThrough();
  const stdout = sink();
  const attach = new k8s.Attach(kc);
  const socket = await attach.attach(namespace, name, 'main', stdout, null, stdin, false);
  stdin.write('one\n');
  await eventually('the answer', () => stdout.text().includes('heard one\n'));
  socket.close();
  const log = await core.readNamespacedPodLog({ namespace, name });
  assert.equal(log, 'heard one\n');
});

test('port-forward', async () => {
  const serve = "exec nc -ll -p 7000 -e sh -c 'while read line; do echo $line $line; done'";
  const name = await running('forward', serve, {
    readinessProbe: { tcpSocket: { port: 7000 }, periodSeconds: 1 },
  });
  const forward = new k8s.PortForward(kc);
  const [stdin, out, err] = [new PassThrough(), sink(), sink()];
  const socket = await forward.portForward(namespace, name, [7000], out, err, stdin);
  for (const word of ['one', 'two']) {
    stdin.write(`${word}\n`);
    await eventually('the answer', () => out.text().endsWith(`${word} ${word}\n`));
  }
  const closed = once(socket, 'close');
  socket.close();
  await bounded(closed, 'the connection ends');
  assert.equal(err.text(), '');
  const [nobody, says] = [new PassThrough(), sink()];
  const other = await forward.portForward(namespace, name, [9], sink(), says, nobody);
  await eventually('it says that nobody listens', () => /refused/i.test(says.text()));
  other.close();
});

test('log, to its end and as it comes', async () => {
  const name = await running('log', 'echo one; while ! test -e /go; do sleep 0.05; done; echo two',
    {}, { restartPolicy: 'Never' });
  const stream = sink();
  const ended = once(stream, 'finish');
  await new k8s.Log(kc).log(namespace, name, 'main', stream, { follow: true });
  await eventually('the first line', () => stream.text() === 'one\n');
  await run(name, ['touch', '/go']);
  await bounded(ended, 'the log ends');
  assert.equal(stream.text(), 'one\ntwo\n');
  const tail = sink();
  const read = once(tail, 'finish');
  await new k8s.Log(kc).log(namespace, name, 'main', tail, { tailLines: 1, timestamps: true });
  await bounded(read, 'the log ends');
  assert.match(tail.text(), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\S+ two\n$/);
});

test('cp, both ways', async () => {
  const name = await running('cp', loop);
  const data = randomBytes(1 << 20);
  mkdirSync(`${folder}/there/deep`, { recursive: true });
  writeFileSync(`${folder}/there/deep/large`, data);
  writeFileSync(`${folder}/there/small`, 'small\n');
  const cp = new k8s.Cp(kc);
  await run(name, ['mkdir', '/to']);
  await cp.cpToPod(namespace, name, 'main', `${folder}/there`, '/to');
  const sum = createHash('sha256').update(data).digest('hex');
  await eventually('it is there', async () =>
    (await run(name, ['sha256sum', '/to/deep/large'])).out.toString().startsWith(sum),
  );
  await cp.cpFromPod(namespace, name, 'main', '.', `${folder}/back`, '/to');
  const same = (file, content) => {
    try {
      return readFileSync(`${folder}/back/${file}`).equals(content);
    } catch {
      return false;
    }
  };
  await eventually('it is here', () => same('deep/large', data));
  await eventually('it is here', () => same('small', Buffer.from('small\n')));
});

test('a watch sees a pod run and end', async () => {
  const seen = [];
  const request = await new k8s.Watch(kc).watch(
    `/api/v1/namespaces/${namespace}/pods`,
    { labelSelector: 'app=watched' },
    (type, object) => seen.push([type, object.status.phase, object]),
    () => {},
  );
  await core.createNamespacedPod({
    namespace,
    body: pod('watched', 'sleep 0.5; exit 3', {}, { restartPolicy: 'Never' }),
  });
  await eventually('it has failed', () => seen.some((each) => each[1] === 'Failed'));
  await core.deleteNamespacedPod({ namespace, name: 'watched' });
  await eventually('it is gone', () => seen.at(-1)[0] === 'DELETED');
  request.abort();
  const phases = seen.map((each) => each[1]).filter((phase, i, all) => phase !== all[i - 1]);
  assert.deepEqual(phases, ['Pending', 'Running', 'Failed']);
  const versions = seen.map((each) => BigInt(each[2].metadata.resourceVersion));
  assert.deepEqual(versions, versions.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
  const ended = seen.at(-1)[2].status.containerStatuses[0].state.terminated;
  assert.deepEqual([ended.exitCode, ended.reason], [3, 'Error']);
});

test('an informer has what runs', async () => {
  const list = () => core.listNamespacedPod({ namespace, labelSelector: 'app=informed' });
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const informer = k8s.makeInformer(kc, path, list, 'app=informed');
  let following = true;
  informer.on('error', () => setTimeout(() => following && informer.start(), 200));
  await informer.start();
  await running('informed', loop);
  await eventually('it runs', () => informer.get('informed', namespace)?.status.podIP);
  const shown = informer.get('informed', namespace);
  assert.equal(shown.status.podIP, (await read('informed')).status.podIP);
  await core.deleteNamespacedPod({ namespace, name: 'informed' });
  await eventually('it is gone', () => !informer.get('informed', namespace));
  following = false;
  await informer.stop();
});

test('an ephemeral container by a patch', async () => {
  const name = await running('puzzle', loop, {}, { shareProcessNamespace: true });
  const ephemeralContainers = [
    { name: 'look', image, command: ['sh', '-c', 'ps; echo looked'], targetContainerName: 'main' },
  ];
  await core.patchNamespacedPodEphemeralcontainers(
    { namespace, name, body: { spec: { ephemeralContainers } } },
    patchAs(k8s.PatchStrategy.StrategicMergePatch),
  );
  const state = async () => (await read(name)).status.ephemeralContainerStatuses?.[0].state;
  await eventually('it has ended', async () => (await state())?.terminated?.exitCode === 0);
  const log = await core.readNamespacedPodLog({ namespace, name, container: 'look' });
  assert.match(log, / sh -c while(.*\n)*looked\n$/);
  const status = await refused(
    core.patchNamespacedPodEphemeralcontainers(
      {
        namespace,
        name,
        body: { spec: { ephemeralContainers: [{ name: 'look', image: 'other' }] } },
      },
      patchAs(k8s.PatchStrategy.StrategicMergePatch),
    ),
    422,
    'Invalid',
  );
  assert.equal(status.details.causes[0].field, 'spec.ephemeralContainers');
});

test('deletion with grace and without', async () => {
  const stubborn = `trap '' TERM; ${loop}`;
  const gone = (name) =>
    eventually(`${name} is gone`, () =>
      read(name).then(
        () => false,
        (error) => error.code === 404,
      ),
    );
  await running('polite', stubborn, {}, { terminationGracePeriodSeconds: 600 });
  const start = Date.now();
  const last = await core.deleteNamespacedPod({
    namespace,
    name: 'polite',
    gracePeriodSeconds: 2,
  });
  assert.equal(last.metadata.deletionGracePeriodSeconds, 2);
  assert.equal((await read('polite')).metadata.deletionGracePeriodSeconds, 2);
  await gone('polite');
  assert.ok(Date.now() - start >= 2000);

  await running('killed', stubborn, {}, { terminationGracePeriodSeconds: 600 });
  await core.deleteNamespacedPod({ namespace, name: 'killed', gracePeriodSeconds: 0 });
  await refused(read('killed'), 404, 'NotFound');
});
