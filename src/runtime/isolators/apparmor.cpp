// AppArmor, where the kernel has it. The runtime loads no profile: RuntimeDefault is the profile
// "podium-default" if the administrator has loaded one of that name, and else none.
#include <fcntl.h>

#include <string_view>

#include "linux/path.h"
#include "runtime/isolators/all.h"

namespace podium::runtime {
namespace {

constexpr const char* kProfiles = "/sys/kernel/security/apparmor/profiles";
constexpr const char* kDefaultProfile = "podium-default";
constexpr size_t kMaxProfiles = size_t{4} << 20;

// Lines are "name (mode)".
bool IsLoaded(std::string_view name) {
  const auto text = kernel::ReadFile(AT_FDCWD, kProfiles, kMaxProfiles);
  if (!text.ok()) return false;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    if (line.substr(0, line.rfind(" (")) == name) return true;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return false;
}

// The structured field; else the old one, "runtime/default", "localhost/NAME" or "unconfined".
cri::SecurityProfile ProfileOf(const cri::LinuxContainerSecurityContext& security) {
  if (security.apparmor) return *security.apparmor;
  cri::SecurityProfile profile;
  const std::string& old = security.apparmor_profile;
  if (old == "unconfined") profile.profile_type = cri::ProfileType::kUnconfined;
  if (old.starts_with("localhost/")) {
    profile.profile_type = cri::ProfileType::kLocalhost;
    profile.localhost_ref = old;
  }
  return profile;
}

}  // namespace

Result<void> PrepareApparmor(const ContainerContext& context, Draft* draft) {
  const auto& security = SecurityOf(context.config);
  const cri::SecurityProfile profile = ProfileOf(security);
  std::string name = profile.localhost_ref;
  if (name.starts_with("localhost/")) name.erase(0, std::string_view("localhost/").size());
  switch (profile.profile_type) {
    case cri::ProfileType::kUnconfined:
      return {};
    case cri::ProfileType::kRuntimeDefault:
      if (security.privileged || !context.host.apparmor || !IsLoaded(kDefaultProfile)) return {};
      name = kDefaultProfile;
      break;
    case cri::ProfileType::kLocalhost:
      if (!context.host.apparmor) return Error(Code::kUnsupported, "apparmor is not supported");
      if (name.empty() || !IsLoaded(name)) {
        return Error(Code::kInvalidArgument, "apparmor profile not found " + name);
      }
      break;
  }
  draft->plan.label_kind = shim::LabelKind::kAppArmor;
  draft->plan.label = name;
  return {};
}

}  // namespace podium::runtime
