// What the tests here share: the library, whose folder is the first argument, and ways to wait.
import assert from 'node:assert/strict';

export const k8s = await import(`${process.argv[2]}/dist/index.js`);
export const kc = new k8s.KubeConfig();
kc.loadFromDefault();
export const core = kc.makeApiClient(k8s.CoreV1Api);

export const patchAs = (type) => k8s.setHeaderOptions('Content-Type', type);

export async function refused(promise, code, reason) {
  const error = await promise.then(
    () => assert.fail('it was not refused'),
    (caught) => caught,
  );
  assert.equal(error.code, code, String(error));
  const status = typeof error.body === 'string' ? JSON.parse(error.body) : error.body;
  assert.equal(status.kind, 'Status');
  assert.equal(status.reason, reason);
  return status;
}

export async function eventually(what, probe, seconds = 40) {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const value = await probe();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`not within ${seconds} s: ${what}`);
}
