// What each field of a pod does on a node: one case for a field, of a pod that uses it and what can
// be seen of it then. The suite (works_test.cpp) runs a case as it stands, and once more without
// the field, when something else must be seen: so no field can get lost between the pod and what
// is made of it. docs/pod-spec.md names the cases; table_test.cpp holds it equal to the schema.
//
// Fields are named by the rows of that table (schema.h): "Probe.httpGet.path".
#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node/fake_services.h"
#include "node/pod_worker.h"
#include "node/pods.h"
#include "node/volumes/volume_manager.h"

namespace podium::node::pod_fields {

// A folder of the machine that is empty when a pod with volumes begins.
inline constexpr char kHostFolder[] = "/mnt";

// One pod on a node without a kernel, but for its volumes, which are real: in own namespaces, as
// root (support/own_namespaces.h).
class PodRun {
 public:
  explicit PodRun(v1::Pod to_run);
  ~PodRun();
  PodRun(const PodRun&) = delete;
  PodRun& operator=(const PodRun&) = delete;

  // Begins, once, and lets happen what can without time passing.
  void Start();
  void For(std::chrono::nanoseconds time);
  void Delete(int64_t grace);
  v1::PodStatus Status();
  // Of the sandbox, and of the container of that name that was made last; empty without one.
  wire::cri::PodSandboxConfig Sandbox();
  wire::cri::ContainerConfig Container(std::string_view name);
  // Methods of the runtime that were called, with the names: "StartContainer a".
  std::vector<std::string> Calls(std::string_view method) const;
  // The text of a file that is mounted there in container a.
  std::string FileAt(const std::string& mount_path, const std::string& file = {});
  v1::Pod pod;
  FakeNode node;
  VolumeManager volumes{node.config, node.objects, node.time};

 private:
  PodServices services_{node.config, node.time,    node.time,    node.runtime,  node.pulls,
                        volumes,     node.objects, node.network, node.commands, node.wheel,
                        node.events, node.users,   node.metrics};
  std::shared_ptr<PodWorker> worker_;
};

// What is seen of a pod, as text.
using Look = std::function<std::string(PodRun&)>;
using Prepare = std::function<void(PodRun&)>;

struct FieldCase {
  std::string field;
  std::string spec;  // of the pod, in flow style as PodOf takes it
  Look look;
  std::string expected;
  Prepare before = {};  // the node is made so; the pod's metadata, for cases of these
};

// "Probe_httpGet_path"
std::string CaseName(const FieldCase& each);
v1::Pod PodToRun(const FieldCase& each);
// What is seen of this pod.
std::string SeenOf(const FieldCase& each, const v1::Pod& pod);
// Whether it mounts volumes.
bool NeedsRoot(const FieldCase& each);

// Values by their path in what the runtime is told, or in the status; "" for what is not there.
Look Sandbox(std::string path);
Look Container(std::string path, std::string name = "a");
Look StatusOf(std::string path);
// The first event with this reason, "Reason: message".
Look EventOf(std::string reason);
// Its phase after a time.
Look PhaseAfter(std::chrono::seconds time);
// Of /etc/hosts in container a, the line in which this is.
Look HostsLine(std::string with);

// Whether two nodes take the pod: "taken", or the reason why not, of node7 in zone a with the taint
// old=very:NoExecute, and of node8 in zone b with other=very:NoExecute.
std::string Admitted(PodRun& run);

// A field of containers, by what container a says, among others.
struct ContainerCase {
  std::string field;      // "workingDir", or with its type "EnvVar.name"
  std::string container;  // "workingDir: /srv"
  Look look;
  std::string expected;
  Prepare before = {};
  std::string spec = {};   // of the pod, beside its containers: "volumes: [...]"
  bool ephemeral = false;  // an ephemeral container may have it too: that is a case more
};
std::vector<FieldCase> CasesOf(const std::vector<ContainerCase>& cases);

// The cases, by theme.
std::vector<FieldCase> AdmissionCases();
std::vector<FieldCase> PodCases();
std::vector<FieldCase> ContainerCases();
std::vector<FieldCase> SecurityCases();
std::vector<FieldCase> ProbeCases();
std::vector<FieldCase> EnvironmentCases();
std::vector<FieldCase> VolumeCases();
std::vector<FieldCase> PayloadCases();
std::vector<FieldCase> AllCases();

// A field that this node refuses, or at least a value of it.
struct RefusedCase {
  std::string field;
  std::string spec;
  std::string error;  // what a user gets: the API's message, or an event's "Reason: message"
};
std::vector<RefusedCase> RefusedCases();
std::string CaseName(const RefusedCase& each);
// All that is told of it.
std::vector<std::string> ToldOf(const v1::Pod& pod);

// A field that changes nothing here: others act on it.
struct UnmovedCase {
  std::string field;
  std::string spec;
  std::string why;   // who acts on it
  std::string test;  // of whoever does; "" where nobody does yet
};
std::vector<UnmovedCase> UnmovedCases();
std::string CaseName(const UnmovedCase& each);
// All that is made of the pod, and told of it.
std::string EverythingOf(const v1::Pod& pod);

// For messages of tests.
void PrintTo(const FieldCase& each, std::ostream* out);
void PrintTo(const RefusedCase& each, std::ostream* out);
void PrintTo(const UnmovedCase& each, std::ostream* out);

// Tests beside the cases that show what only a kernel, or a server, can show; by row.
const std::map<std::string, std::string>& MoreTests();

}  // namespace podium::node::pod_fields
