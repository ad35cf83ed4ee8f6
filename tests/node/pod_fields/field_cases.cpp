#include "node/pod_fields/field_cases.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <algorithm>
#include <filesystem>
#include <ostream>

#include "api/validation/validation.h"
#include "base/text.h"
#include "node/agent.h"
#include "node/volumes/volumes.h"
#include "reflect/field_access.h"
#include "reflect/json.h"
#include "support/own_namespaces.h"

namespace podium::node::pod_fields {
namespace {

// The CRI's names are written as its specification has them; reflection knows their JSON's.
std::string CamelCase(std::string_view name) {
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    const bool next = name[i] == '_' && i + 1 < name.size();
    out += next ? UpperCase(name.substr(++i, 1)) : std::string(1, name[i]);
  }
  return out;
}

template <class T>
std::string ValueAt(const T& object, const std::string& path) {
  const auto parsed = reflect::FieldPath::Parse(CamelCase(path));
  EXPECT_TRUE(parsed.ok()) << path;
  const auto& type = reflect::TypeOf<T>();
  const auto found = reflect::FindField(type, &object, *parsed);
  if (!found.ok()) {
    EXPECT_EQ(found.error().code(), Code::kNotFound) << found.error().message();
    return {};
  }
  if (found->kind() == reflect::Kind::kBytes) return found->template as<reflect::Bytes>().data;
  const auto text = reflect::FieldText(type, &object, *parsed);
  if (text.ok()) return *text;
  std::string json;
  EXPECT_TRUE(reflect::EncodeJsonValue(*found, &json).ok());
  return json;
}

// Of an event, without how often it came (" x2").
std::string WithoutCount(const std::string& event) {
  const size_t count = event.rfind(" x");
  const bool counted = count != std::string::npos &&
                       event.find_first_not_of("0123456789", count + 2) == std::string::npos;
  return counted ? event.substr(0, count) : event;
}

std::string Underscored(std::string name) {
  std::ranges::replace(name, '.', '_');
  return name;
}

}  // namespace

PodRun::PodRun(v1::Pod to_run) : pod(std::move(to_run)) {
  node.runtime.SetEventHandler([this](const wire::cri::ContainerEventResponse&) {
    if (worker_) worker_->Wake();
  });
}

PodRun::~PodRun() {
  if (worker_) worker_->Stop();
  (void)volumes.TearDown(pod.metadata.uid);
}

void PodRun::Start() {
  if (worker_) return;
  worker_ = PodWorker::Create(services_, pod,
                              {.status = [](const std::string&, const v1::PodStatus&) {},
                               .unmounted = [](const std::string&) {},
                               .gone = [](const std::string&) {}});
  node.time.Settle();
}

void PodRun::For(std::chrono::nanoseconds time) {
  Start();
  node.time.RunFor(time);
}

void PodRun::Delete(int64_t grace) {
  Start();
  pod.metadata.deletionTimestamp = api::Time::FromUnix((node.time.Now() / kSecond) + grace);
  pod.metadata.deletionGracePeriodSeconds = grace;
  worker_->Update(pod);
  node.time.Settle();
}

v1::PodStatus PodRun::Status() {
  Start();
  return worker_->status();
}

wire::cri::PodSandboxConfig PodRun::Sandbox() {
  Start();
  const auto sandboxes = node.runtime.ListPodSandbox({});
  if (sandboxes->empty()) return {};
  return *node.runtime.SandboxConfigOf(sandboxes->front().id);
}

wire::cri::ContainerConfig PodRun::Container(std::string_view name) {
  Start();
  auto config = node.runtime.ConfigOf(node.IdOf(name));
  return config.ok() ? *std::move(config) : wire::cri::ContainerConfig();
}

std::vector<std::string> PodRun::Calls(std::string_view method) const {
  std::vector<std::string> out;
  for (const std::string& call : node.runtime.calls()) {
    if (call.starts_with(method)) out.push_back(call);
  }
  return out;
}

std::string PodRun::FileAt(const std::string& mount_path, const std::string& file) {
  for (const wire::cri::Mount& mount : Container("a").mounts) {
    if (mount.container_path == mount_path) return ReadText(mount.host_path + file);
  }
  return "(no mount)";
}

std::string CaseName(const FieldCase& each) { return Underscored(each.field); }
std::string CaseName(const RefusedCase& each) { return Underscored(each.field); }
std::string CaseName(const UnmovedCase& each) { return Underscored(each.field); }

v1::Pod PodToRun(const FieldCase& each) {
  // What a specification does not say is there before a field is dropped.
  v1::Pod pod = PodOf(each.spec);
  if (!each.field.starts_with("ObjectMeta.") || !each.before) return pod;
  PodRun run(std::move(pod));
  each.before(run);
  return run.pod;
}

std::string SeenOf(const FieldCase& each, const v1::Pod& pod) {
  std::string seen;
  const auto see = [&] {
    PodRun run(pod);
    if (each.before && !each.field.starts_with("ObjectMeta.")) each.before(run);
    seen = each.look(run);
  };
  if (!NeedsRoot(each)) {
    see();
    return seen;
  }
  podium::testing::InOwnNamespaces([&] {
    // What the machine has there is nobody's business, and what a run leaves there goes with it.
    ASSERT_EQ(mount("none", kHostFolder, "tmpfs", 0, ""), 0);
    see();
  });
  return seen;
}

bool NeedsRoot(const FieldCase& each) { return !PodOf(each.spec).spec.volumes.empty(); }

Look Sandbox(std::string path) {
  return [path = std::move(path)](PodRun& run) { return ValueAt(run.Sandbox(), path); };
}

Look Container(std::string path, std::string name) {
  return [path = std::move(path), name = std::move(name)](PodRun& run) {
    return ValueAt(run.Container(name), path);
  };
}

Look StatusOf(std::string path) {
  return [path = std::move(path)](PodRun& run) { return ValueAt(run.Status(), path); };
}

Look EventOf(std::string reason) {
  return [reason = std::move(reason)](PodRun& run) -> std::string {
    run.Start();
    for (const std::string& event : run.node.Events()) {
      if (event.starts_with(reason + ": ")) return WithoutCount(event);
    }
    return {};
  };
}

Look PhaseAfter(std::chrono::seconds time) {
  return [time](PodRun& run) {
    run.For(time);
    return run.Status().phase;
  };
}

Look HostsLine(std::string with) {
  return [with = std::move(with)](PodRun& run) -> std::string {
    for (const std::string_view line : Split(run.FileAt("/etc/hosts"), '\n')) {
      if (line.find(with) != std::string_view::npos) return std::string(line);
    }
    return {};
  };
}

std::vector<FieldCase> CasesOf(const std::vector<ContainerCase>& cases) {
  std::vector<FieldCase> out;
  for (const ContainerCase& each : cases) {
    const std::string more = each.spec.empty() ? "" : each.spec + ", ";
    const bool own = each.field.find('.') == std::string::npos;
    out.push_back({.field = own ? "Container." + each.field : each.field,
                   .spec = more + "containers: [{name: a, " + each.container + "}]",
                   .look = each.look,
                   .expected = each.expected,
                   .before = each.before});
    if (!each.ephemeral) continue;
    out.push_back({.field = "EphemeralContainer." + each.field,
                   .spec = more + "containers: [{name: other}], ephemeralContainers: [{name: a, " +
                           each.container + "}]",
                   .look = each.look,
                   .expected = each.expected,
                   .before = each.before});
  }
  return out;
}

std::string EverythingOf(const v1::Pod& pod) {
  PodRun run(pod);
  run.Start();
  std::string out = Admitted(run) + "\n" + *reflect::ToJson(run.Sandbox());
  for (const v1::Container& container : pod.spec.containers) {
    out += "\n" + *reflect::ToJson(run.Container(container.name));
  }
  run.For(std::chrono::minutes(1));
  out += "\n" + *reflect::ToJson(run.Status());
  for (const std::string& event : run.node.Events()) out += "\n" + event;
  for (const std::string& call : run.node.runtime.calls()) out += "\n" + call;
  // Each run has a folder of its own.
  const std::string& folder = run.node.folder.path();
  for (size_t at = out.find(folder); at != std::string::npos; at = out.find(folder, at)) {
    out.replace(at, folder.size(), "FOLDER");
  }
  return out;
}

std::vector<FieldCase> AllCases() {
  std::vector<FieldCase> out;
  for (auto part : {PodCases, ContainerCases, SecurityCases, ProbeCases, EnvironmentCases,
                    VolumeCases, PayloadCases, AdmissionCases}) {
    std::ranges::move(part(), std::back_inserter(out));
  }
  return out;
}

void PrintTo(const FieldCase& each, std::ostream* out) { *out << each.field; }
void PrintTo(const RefusedCase& each, std::ostream* out) { *out << each.field; }
void PrintTo(const UnmovedCase& each, std::ostream* out) { *out << each.field; }

// First as whoever creates it hears from the API, then as the agent tells of one that came through.
std::vector<std::string> ToldOf(const v1::Pod& pod) {
  std::vector<std::string> out;
  for (const auto& error : api::ValidateCreate(pod)) out.push_back(error.Text());
  PodRun run(pod);
  ObjectStore objects(run.node.config);
  Agent::Parts parts = PartsOf(run.node, objects);
  Agent::Parts with_volumes{.config = parts.config,
                            .clock = parts.clock,
                            .executor = parts.executor,
                            .runtime = parts.runtime,
                            .images = parts.images,
                            .volumes = run.volumes,
                            .objects = parts.objects,
                            .network = parts.network,
                            .commands = parts.commands,
                            .wheel = parts.wheel,
                            .events = parts.events,
                            .metrics = parts.metrics,
                            .source = nullptr};
  auto agent = Agent::Open(with_volumes);
  EXPECT_TRUE(agent.ok()) << agent.error().message();
  const auto assigned = (*agent)->Assign(pod, PodOrigin::kApi);
  EXPECT_TRUE(assigned.ok()) << assigned.error().message();
  run.node.time.RunFor(std::chrono::seconds(2));
  for (const std::string& event : run.node.Events()) out.push_back(WithoutCount(event));
  return out;
}

}  // namespace podium::node::pod_fields
