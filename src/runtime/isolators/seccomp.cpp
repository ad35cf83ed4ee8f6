// Which system calls it may make. A profile that cannot be read or says nothing is an error: no
// container runs unconfined unless that is what was asked for (CVE-2023-2431).
#include <fcntl.h>

#include "linux/path.h"
#include "linux/seccomp_filter.h"
#include "runtime/isolators/all.h"
#include "runtime/seccomp_profile.h"

namespace podium::runtime {
namespace {

constexpr size_t kMaxProfile = size_t{4} << 20;

Error Invalid(const std::string& path, const std::string& what) {
  return {Code::kInvalidArgument, "seccomp profile " + path + ": " + what};
}

Result<kernel::SeccompFilter> LoadProfile(const ContainerContext& context, std::string name,
                                          kernel::CapabilityMask granted) {
  if (name.starts_with("localhost/")) name.erase(0, std::string_view("localhost/").size());
  if (name.empty()) return Error(Code::kInvalidArgument, "seccomp profile name is empty");
  if (!name.starts_with('/')) {
    // Below the folder, whatever links and ".." say.
    if (("/" + name + "/").find("/../") != std::string::npos) {
      return Invalid(name, "is outside of " + context.seccomp_folder);
    }
    name = context.seccomp_folder + '/' + name;
  }
  auto text = kernel::ReadFile(AT_FDCWD, name, kMaxProfile);
  if (!text.ok()) return Invalid(name, "failed to load: " + text.error().message());
  const auto profile = ParseSeccompProfile(*text, {granted, RunningKernel()});
  if (!profile.ok()) return Invalid(name, profile.error().message());
  auto filter = kernel::CompileSeccomp(*profile);
  if (!filter.ok()) return Invalid(name, filter.error().message());
  return filter;
}

void SetFilter(const kernel::SeccompFilter& filter, shim::Plan* plan) {
  plan->filter.assign(reinterpret_cast<const char*>(filter.program.data()),
                      filter.program.size() * sizeof(sock_filter));
  plan->filter_flags = filter.flags;
}

// The structured field; else the old one. Absent is unconfined, as with containerd: kubelets send
// what they want.
cri::SecurityProfile ChosenProfile(const cri::LinuxContainerSecurityContext& security) {
  if (security.seccomp) return *security.seccomp;
  cri::SecurityProfile profile;
  const std::string& old = security.seccomp_profile_path;
  if (old == "runtime/default" || old == "docker/default") return profile;
  profile.profile_type = cri::ProfileType::kUnconfined;
  if (old.starts_with("localhost/")) {
    profile.profile_type = cri::ProfileType::kLocalhost;
    profile.localhost_ref = old;
  }
  return profile;
}

}  // namespace

Result<void> PrepareSeccomp(const ContainerContext& context, Draft* draft) {
  const auto& security = SecurityOf(context.config);
  const cri::SecurityProfile chosen = ChosenProfile(security);
  switch (chosen.profile_type) {
    case cri::ProfileType::kUnconfined:
      return {};
    case cri::ProfileType::kRuntimeDefault: {
      if (security.privileged) return {};
      const auto filter = context.default_seccomp.For(draft->plan.bounding);
      if (!filter) return Error(Code::kInternal, "the default seccomp profile does not compile");
      SetFilter(*filter, &draft->plan);
      return {};
    }
    case cri::ProfileType::kLocalhost: {
      if (security.privileged) return {};
      TRY(const kernel::SeccompFilter filter,
          LoadProfile(context, chosen.localhost_ref, draft->plan.bounding));
      SetFilter(filter, &draft->plan);
      return {};
    }
  }
  return Error(Code::kInvalidArgument, "unknown seccomp profile type");
}

}  // namespace podium::runtime
