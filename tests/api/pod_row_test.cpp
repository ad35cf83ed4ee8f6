#include "api/pod_row.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "reflect/json.h"
#include "reflect/yaml.h"

namespace podium::api {
namespace {

// 2026-01-01T01:00:00Z
const Time kNow = Time::FromUnix(1767229200);

core::v1::Pod PodOf(const std::string& yaml) {
  const auto document =
      reflect::YamlToJson("metadata: {name: p, creationTimestamp: 2026-01-01T00:00:00Z}\n" + yaml);
  EXPECT_TRUE(document.ok()) << document.error().message();
  auto pod = reflect::FromJson<core::v1::Pod>(document->json);
  EXPECT_TRUE(pod.ok()) << pod.error().message();
  return *std::move(pod);
}

struct Case {
  const char* name;
  std::string yaml;
  const char* ready;
  const char* status;
  const char* restarts;
};

TEST(PodRow, AsUpstreamsPrinter) {
  const std::string two = "spec: {containers: [{name: a}, {name: b}]}\n";
  const std::string init =
      "spec: {initContainers: [{name: i}, {name: s, restartPolicy: Always}], "
      "containers: [{name: a}]}\n";
  const Case cases[] = {
      {"pending", two + "status: {phase: Pending}", "0/2", "Pending", "0"},
      {"a reason", two + "status: {phase: Failed, reason: Evicted}", "0/2", "Evicted", "0"},
      {"gated",
       two + "status: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', "
             "reason: SchedulingGated}]}",
       "0/2", "SchedulingGated", "0"},
      {"running",
       two + "status: {phase: Running, containerStatuses: [{name: a, ready: true, state: "
             "{running: {}}}, {name: b, ready: true, restartCount: 2, state: {running: {}}, "
             "lastState: {terminated: {finishedAt: 2026-01-01T00:55:00Z}}}]}",
       "2/2", "Running", "2 (5m ago)"},
      {"creating",
       two + "status: {phase: Pending, containerStatuses: [{name: a, state: {waiting: {reason: "
             "ContainerCreating}}}, {name: b, state: {waiting: {reason: ContainerCreating}}}]}",
       "0/2", "ContainerCreating", "0"},
      {"crashed",
       two + "status: {phase: Running, containerStatuses: [{name: a, restartCount: 3, state: "
             "{waiting: {reason: CrashLoopBackOff}}}, {name: b, ready: true, state: {running: "
             "{}}}]}",
       "1/2", "CrashLoopBackOff", "3"},
      {"completed and running, not ready",
       two + "status: {phase: Running, containerStatuses: [{name: a, state: {terminated: {reason: "
             "Completed}}}, {name: b, ready: true, state: {running: {}}}]}",
       "1/2", "NotReady", "0"},
      {"completed and running, ready",
       two + "status: {phase: Running, conditions: [{type: Ready, status: 'True'}], "
             "containerStatuses: [{name: a, state: {terminated: {reason: Completed}}}, {name: b, "
             "ready: true, state: {running: {}}}]}",
       "1/2", "Running", "0"},
      {"ended by a signal",
       two + "status: {phase: Failed, containerStatuses: [{name: a, state: {terminated: {signal: "
             "9}}}, {name: b, state: {terminated: {}}}]}",
       "0/2", "Signal:9", "0"},
      {"ended with a code",
       two + "status: {phase: Failed, containerStatuses: [{name: a, state: {terminated: "
             "{exitCode: 3}}}]}",
       "0/2", "ExitCode:3", "0"},
      {"first init container",
       init + "status: {phase: Pending, initContainerStatuses: [{name: i, state: {running: {}}}]}",
       "0/2", "Init:0/2", "0"},
      {"init container failed",
       init + "status: {phase: Pending, initContainerStatuses: [{name: i, restartCount: 1, state: "
              "{terminated: {exitCode: 1, reason: Error}}}]}",
       "0/2", "Init:Error", "1"},
      {"init container crashed",
       init + "status: {phase: Pending, initContainerStatuses: [{name: i, state: {waiting: "
              "{reason: CrashLoopBackOff}}}]}",
       "0/2", "Init:CrashLoopBackOff", "0"},
      {"sidecar runs",
       init + "status: {phase: Running, initContainerStatuses: [{name: i, restartCount: 4, state: "
              "{terminated: {reason: Completed}}}, {name: s, restartCount: 1, started: true, "
              "ready: true, state: {running: {}}}], containerStatuses: [{name: a, ready: true, "
              "state: {running: {}}}]}",
       "2/2", "Running", "1"},
      {"sidecar starts",
       init + "status: {phase: Pending, initContainerStatuses: [{name: i, state: {terminated: "
              "{}}}, {name: s, started: false, state: {running: {}}}]}",
       "0/2", "Init:1/2", "0"},
      // The first container's end is what is looked at last; a failure of another one is told.
      {"one completed, one failed",
       two + "status: {phase: Failed, containerStatuses: [{name: a, state: {terminated: {reason: "
             "Completed}}}, {name: b, state: {terminated: {reason: Error, exitCode: 1}}}]}",
       "0/2", "Error", "0"},
      {"one completed, one failed without a reason",
       two + "status: {phase: Failed, containerStatuses: [{name: a, state: {terminated: {reason: "
             "Completed}}}, {name: b, state: {terminated: {signal: 9, exitCode: 137}}}]}",
       "0/2", "Signal:9", "0"},
      {"completed, failed and running, not ready",
       "spec: {containers: [{name: a}, {name: b}, {name: c}]}\nstatus: {phase: Running, "
       "containerStatuses: [{name: a, state: {terminated: {reason: Completed}}}, {name: b, state: "
       "{terminated: {reason: OOMKilled, exitCode: 137}}}, {name: c, ready: true, state: {running: "
       "{}}}]}",
       "1/3", "OOMKilled", "0"},
      {"completed, failed and running, ready",
       "spec: {containers: [{name: a}, {name: b}, {name: c}]}\nstatus: {phase: Running, "
       "conditions: [{type: Ready, status: 'True'}], containerStatuses: [{name: a, state: "
       "{terminated: {reason: Completed}}}, {name: b, state: {terminated: {reason: Error, "
       "exitCode: "
       "1}}}, {name: c, ready: true, state: {running: {}}}]}",
       "1/3", "Running", "0"},
      // Of two conditions of a type the first one counts.
      {"initialized twice",
       init + "status: {phase: Pending, conditions: [{type: Initialized, status: 'False'}, {type: "
              "Initialized, status: 'True'}], initContainerStatuses: [{name: i, restartCount: 2, "
              "state: {running: {}}}], containerStatuses: [{name: a, ready: true, state: {running: "
              "{}}}]}",
       "0/2", "Init:0/2", "2"},
      {"initialized before, a sidecar restarts",
       init + "status: {phase: Running, conditions: [{type: Initialized, status: 'True'}], "
              "initContainerStatuses: [{name: i, restartCount: 5, state: {terminated: {}}}, {name: "
              "s, restartCount: 3, started: false, state: {waiting: {reason: CrashLoopBackOff}}, "
              "lastState: {terminated: {finishedAt: 2026-01-01T00:59:30Z}}}], containerStatuses: "
              "[{name: a, ready: true, restartCount: 1, state: {running: {}}, lastState: "
              "{terminated: {finishedAt: 2026-01-01T00:50:00Z}}}]}",
       "1/2", "Init:CrashLoopBackOff", "4 (30s ago)"},
      {"restarted in the future",
       two + "status: {phase: Running, containerStatuses: [{name: a, restartCount: 1, state: "
             "{running: {}}, lastState: {terminated: {finishedAt: 2026-01-01T01:00:05Z}}}]}",
       "0/2", "Running", "1 (<invalid> ago)"},
  };
  for (const Case& c : cases) {
    const PodRow row = RowOf(PodOf(c.yaml), kNow);
    EXPECT_EQ(row.name, "p");
    EXPECT_EQ(row.age, "60m");
    EXPECT_EQ(row.ready, c.ready) << c.name;
    EXPECT_EQ(row.status, c.status) << c.name;
    EXPECT_EQ(row.restarts, c.restarts) << c.name;
  }
}

// What upstream's own tests of printPod and of its sidecars ask, where the cases above do not.
TEST(PodRow, AsUpstreamsTestsHaveIt) {
  const std::string plain =
      "spec: {initContainers: [{name: i}, {name: j}], containers: [{name: a}]}\n";
  const std::string sidecars =
      "spec: {initContainers: [{name: r, restartPolicy: Always}, {name: s, restartPolicy: "
      "Always}], "
      "containers: [{name: a}]}\n";
  const std::string ended_10s = "lastState: {terminated: {finishedAt: 2026-01-01T00:59:50Z}}";
  const std::string ended_20s = "lastState: {terminated: {finishedAt: 2026-01-01T00:59:40Z}}";
  const std::string waits = "containerStatuses: [{name: a, state: {waiting: {}}}]";
  const Case cases[] = {
      {"the first init container restarts",
       plain +
           "status: {phase: p, initContainerStatuses: [{name: i, restartCount: 3, state: "
           "{running: {}}, " +
           ended_10s + "}, {name: j, state: {waiting: {}}}], " + waits + "}",
       "0/1", "Init:0/2", "3 (10s ago)"},
      {"the second one restarts, the first one did",
       plain +
           "status: {phase: p, initContainerStatuses: [{name: i, restartCount: 2, state: "
           "{terminated: {}}, " +
           ended_20s +
           "}, {name: j, restartCount: 3, state: {running: "
           "{}}, " +
           ended_10s + "}], " + waits + "}",
       "0/1", "Init:1/2", "5 (10s ago)"},
      {"restarts of init containers that have completed do not count",
       plain +
           "status: {phase: Running, initContainerStatuses: [{name: i, restartCount: 2, state: "
           "{terminated: {}}, " +
           ended_10s +
           "}], containerStatuses: [{name: a, restartCount: "
           "4, state: {running: {}}, " +
           ended_20s + "}]}",
       "0/1", "Running", "4 (20s ago)"},
      {"the second sidecar has not started",
       sidecars +
           "status: {phase: Pending, initContainerStatuses: [{name: r, restartCount: 3, "
           "started: true, state: {running: {}}, " +
           ended_10s +
           "}, {name: s, started: "
           "false, state: {running: {}}}], " +
           waits +
           ", conditions: [{type: Initialized, "
           "status: 'False'}]}",
       "0/3", "Init:1/2", "3 (10s ago)"},
      {"sidecars run, not ready",
       sidecars +
           "status: {phase: Running, initContainerStatuses: [{name: r, restartCount: 3, "
           "started: true, state: {running: {}}, " +
           ended_10s +
           "}, {name: s, started: "
           "true, state: {running: {}}}], containerStatuses: [{name: a, ready: true, "
           "restartCount: 4, state: {running: {}}, " +
           ended_20s +
           "}], conditions: [{type: "
           "Initialized, status: 'True'}]}",
       "1/3", "Running", "7 (10s ago)"},
      {"sidecars ended with an error behind a completed container",
       sidecars +
           "status: {phase: Succeeded, initContainerStatuses: [{name: r, restartCount: 3, "
           "started: false, state: {terminated: {reason: Error, exitCode: 137}}, " +
           ended_10s +
           "}, {name: s, started: false, state: {terminated: {reason: Error, exitCode: "
           "137}}}], containerStatuses: [{name: a, restartCount: 4, state: {terminated: "
           "{reason: Completed}}, " +
           ended_20s +
           "}], conditions: [{type: Initialized, "
           "status: 'True'}]}",
       "0/3", "Completed", "7 (10s ago)"},
      {"statuses of containers that there are not",
       "spec: {initContainers: [{name: i}, {name: s, restartPolicy: Always}], containers: [{name: "
       "a}]}\nstatus: {phase: Running, initContainerStatuses: [{name: x}, {name: i}, {name: s}], "
       "containerStatuses: [{name: z}, {name: a}]}",
       "0/2", "Init:0/2", "0"},
  };
  for (const Case& c : cases) {
    const PodRow row = RowOf(PodOf(c.yaml), kNow);
    EXPECT_EQ(row.ready, c.ready) << c.name;
    EXPECT_EQ(row.status, c.status) << c.name;
    EXPECT_EQ(row.restarts, c.restarts) << c.name;
  }
}

TEST(PodRow, DeletionAndAddresses) {
  core::v1::Pod pod = PodOf(
      "spec: {nodeName: n1, containers: [{name: a}]}\n"
      "status: {phase: Running, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}");
  EXPECT_EQ(RowOf(pod, kNow).ip, "10.0.0.1");
  EXPECT_EQ(RowOf(pod, kNow).node, "n1");
  // Where the two differ the older field is right, as in upstream's conversion.
  pod.status.podIP = "10.0.0.9";
  EXPECT_EQ(RowOf(pod, kNow).ip, "10.0.0.9");
  pod.status.podIP = "";
  EXPECT_EQ(RowOf(pod, kNow).ip, "10.0.0.1");
  pod.metadata.deletionTimestamp = kNow;
  EXPECT_EQ(RowOf(pod, kNow).status, "Terminating");
  pod.status.reason = "NodeLost";
  EXPECT_EQ(RowOf(pod, kNow).status, "Unknown");
  pod.status.reason = "";
  pod.status.phase = "Succeeded";
  EXPECT_EQ(RowOf(pod, kNow).status, "Succeeded");
  const PodRow row = RowOf({}, kNow);
  EXPECT_EQ(row.ip, "<none>");
  EXPECT_EQ(row.node, "<none>");
  EXPECT_EQ(row.age, "<unknown>");
}

TEST(HumanDuration, TwoUnitsAtMost) {
  const std::pair<int64_t, const char*> cases[] = {
      {-2, "<invalid>"},
      {-1, "0s"},
      {0, "0s"},
      {119, "119s"},
      {120, "2m"},
      {130, "2m10s"},
      {599, "9m59s"},
      {600, "10m"},
      {10799, "179m"},
      {10800, "3h"},
      {11100, "3h5m"},
      {28799, "7h59m"},
      {28800, "8h"},
      {172799, "47h"},
      {172800, "2d"},
      {180000, "2d2h"},
      {691199, "7d23h"},
      {691200, "8d"},
      {63071999, "729d"},
      {63072000, "2y"},
      {64000000, "2y10d"},
      {252287999, "7y364d"},
      {252288000, "8y"},
      // Go's durations end before their three hundredth year.
      {9223372036, "292y"},
      {9223372037, "292y"},
      {252000000000, "292y"},
      {-252000000000, "<invalid>"},
  };
  for (const auto& [seconds, text] : cases) EXPECT_EQ(HumanDuration(seconds), text) << seconds;
}

}  // namespace
}  // namespace podium::api
