#include "runtime/draft.h"

namespace podium::runtime {
namespace {

template <class T>
const T& Default() {
  static const T kValue;
  return kValue;
}

template <class T>
const T& ValueOr(const reflect::Box<T>& box) {
  return box ? *box : Default<T>();
}

}  // namespace

const cri::LinuxContainerSecurityContext& SecurityOf(const cri::ContainerConfig& config) {
  return ValueOr(ValueOr(config.linux_).security_context);
}

const cri::LinuxContainerResources& ResourcesOf(const cri::ContainerConfig& config) {
  return ValueOr(ValueOr(config.linux_).resources);
}

const cri::NamespaceOption& NamespacesOf(const cri::ContainerConfig& config) {
  return ValueOr(SecurityOf(config).namespace_options);
}

const cri::LinuxSandboxSecurityContext& SecurityOf(const cri::PodSandboxConfig& config) {
  return ValueOr(ValueOr(config.linux_).security_context);
}

const cri::NamespaceOption& NamespacesOf(const cri::PodSandboxConfig& config) {
  return ValueOr(SecurityOf(config).namespace_options);
}

bool HasUserNamespace(const cri::PodSandboxConfig& config) {
  const auto& options = NamespacesOf(config).userns_options;
  return options && options->mode == cri::NamespaceMode::kPod &&
         (!options->uids.empty() || !options->gids.empty());
}

std::string CleanPath(const std::string& path) {
  std::string clean;
  size_t at = 0;
  while (at < path.size()) {
    size_t end = path.find('/', at);
    if (end == std::string::npos) end = path.size();
    const std::string_view part = std::string_view(path).substr(at, end - at);
    if (part == "..") {
      clean.resize(clean.empty() ? 0 : clean.rfind('/'));
    } else if (!part.empty() && part != ".") {
      clean.append("/").append(part);
    }
    at = end + 1;
  }
  return clean.empty() ? "/" : clean;
}

}  // namespace podium::runtime
