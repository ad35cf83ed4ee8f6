// AppArmor, where the kernel has it.
#include <string_view>

#include "runtime/isolators/all.h"

namespace podium::runtime {
namespace {

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
      if (security.privileged || !context.default_apparmor.IsLoaded()) return {};
      name = kDefaultApparmorName;
      break;
    case cri::ProfileType::kLocalhost:
      if (!context.host.apparmor) return Error(Code::kUnsupported, "apparmor is not supported");
      if (name.empty() || !IsApparmorLoaded(name)) {
        return Error(Code::kInvalidArgument, "apparmor profile not found " + name);
      }
      break;
  }
  draft->plan.label_kind = shim::LabelKind::kAppArmor;
  draft->plan.label = name;
  return {};
}

}  // namespace podium::runtime
