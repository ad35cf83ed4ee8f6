#include "node/pods.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "api/defaults.h"
#include "reflect/json.h"
#include "reflect/yaml.h"

namespace podium::node {

v1::Pod PodOf(std::string_view spec) {
  std::string text =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ns, uid: u}\nspec: {";
  text.append(spec).append("}\n");
  auto document = reflect::YamlToJson(text);
  if (!document.ok()) {
    std::fprintf(stderr, "no YAML: %s\n", document.error().message().c_str());
    std::abort();
  }
  auto pod = reflect::FromJson<v1::Pod>(document->json);
  if (!pod.ok()) {
    std::fprintf(stderr, "no pod: %s\n", pod.error().message().c_str());
    std::abort();
  }
  auto fill = [](auto& containers) {
    for (auto& container : containers) {
      if (container.image.empty()) container.image = "busybox:1";
    }
  };
  fill(pod->spec.initContainers);
  fill(pod->spec.containers);
  fill(pod->spec.ephemeralContainers);
  api::SetDefaults(*pod, {});
  return *std::move(pod);
}

ObservedContainer ContainerOf(const v1::Pod& pod, std::string_view name, std::string_view state) {
  ObservedContainer out;
  out.name = name;
  out.id = std::string(name) + "-1";
  out.sandbox_id = "s";
  out.created_at = kNow - (100 * kSecond);
  out.started_at = kNow - (99 * kSecond);
  const v1::Container* container = FindContainer(pod.spec, name);
  if (container) {
    out.hash = ContainerHash(*container);
    out.image = container->image;
  }
  if (state == "running") {
    out.state = cri::ContainerState::kContainerRunning;
  } else if (state == "created") {
    out.state = cri::ContainerState::kContainerCreated;
    out.started_at = 0;
  } else if (state.starts_with("exited ")) {
    out.state = cri::ContainerState::kContainerExited;
    std::from_chars(state.data() + 7, state.data() + state.size(), out.exit_code);
    out.finished_at = kNow - (50 * kSecond);
    out.reason = out.exit_code == 0 ? "Completed" : "Error";
  } else {
    out.state = cri::ContainerState::kContainerUnknown;
  }
  return out;
}

cri::PodSandboxStatus SandboxOf(std::string_view id, bool ready, uint32_t attempt,
                                std::string_view address) {
  cri::PodSandboxStatus out;
  out.id = id;
  out.metadata =
      cri::PodSandboxMetadata{.name = "p", .uid = "u", .namespace_ = "ns", .attempt = attempt};
  out.state = ready ? cri::PodSandboxState::kSandboxReady : cri::PodSandboxState::kSandboxNotready;
  out.created_at = kNow - (200 * kSecond) + attempt;
  out.network.emplace().ip = address;
  out.linux_.emplace().namespaces.emplace().options.emplace();
  return out;
}

}  // namespace podium::node
