#include "apiserver/admission/pod_security_policy.h"

#include <charconv>
#include <optional>

#include "base/text.h"

namespace podium::apiserver {
namespace {

std::string_view NameOf(SecurityLevel level) {
  switch (level) {
    case SecurityLevel::kPrivileged:
      return "privileged";
    case SecurityLevel::kBaseline:
      return "baseline";
    case SecurityLevel::kRestricted:
      return "restricted";
  }
  return "";
}

std::optional<SecurityLevel> ParseLevel(std::string_view text) {
  for (const SecurityLevel level :
       {SecurityLevel::kPrivileged, SecurityLevel::kBaseline, SecurityLevel::kRestricted}) {
    if (text == NameOf(level)) return level;
  }
  return std::nullopt;
}

// "latest" or "v1.25".
std::optional<SecurityVersion> ParseVersion(std::string_view text) {
  if (text == "latest") return SecurityVersion();
  if (!text.starts_with("v1.")) return std::nullopt;
  text.remove_prefix(3);
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  SecurityVersion version;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version.minor);
  const bool all = error == std::errc() && end == text.data() + text.size();
  return all && version.minor >= 0 ? std::optional(version) : std::nullopt;
}

// The two labels of one mode: pod-security.kubernetes.io/warn and warn-version.
class ModeReader {
 public:
  ModeReader(const reflect::Map<std::string>& labels, api::field::ErrorList* errors)
      : labels_(labels), errors_(*errors) {}

  void Read(std::string_view mode, SecurityLevel on_error, LevelVersion* policy) {
    const std::string label = "pod-security.kubernetes.io/" + std::string(mode);
    if (const std::string* text = Find(label)) {
      const auto level = ParseLevel(*text);
      if (!level) AddError(label, *text, "must be one of privileged, baseline, restricted");
      policy->level = level.value_or(on_error);
    }
    if (const std::string* text = Find(label + "-version")) {
      const auto version = ParseVersion(*text);
      if (!version) AddError(label + "-version", *text, "must be \"latest\" or \"v1.x\"");
      policy->version = version.value_or(SecurityVersion());
    }
  }

 private:
  const std::string* Find(const std::string& label) const {
    const auto found = labels_.find(label);
    return found == labels_.end() ? nullptr : &found->second;
  }
  void AddError(const std::string& label, const std::string& value, std::string_view why) {
    errors_.Add(
        api::field::Invalid(api::field::Path("metadata").Child("labels").Key(label), value, why));
  }

  const reflect::Map<std::string>& labels_;
  api::field::ErrorList& errors_;
};

}  // namespace

std::string LevelVersion::String() const {
  std::string text(NameOf(level));
  if (version.minor == SecurityVersion::kLatest) return text + ":latest";
  return text + ":v1." + std::to_string(version.minor);
}

SecurityPolicy PolicyOf(const reflect::Map<std::string>& labels, const SecurityPolicy& defaults,
                        api::field::ErrorList* errors) {
  SecurityPolicy policy = defaults;
  ModeReader reader(labels, errors);
  reader.Read("enforce", SecurityLevel::kRestricted, &policy.enforce);
  reader.Read("audit", SecurityLevel::kPrivileged, &policy.audit);
  reader.Read("warn", SecurityLevel::kPrivileged, &policy.warn);
  return policy;
}

std::string ReasonsOf(const std::vector<Violation>& violations) {
  return Join(violations, ", ", &Violation::reason);
}

std::string DetailsOf(const std::vector<Violation>& violations) {
  return Join(violations, ", ", [](const Violation& each) {
    return each.detail.empty() ? each.reason : each.reason + " (" + each.detail + ")";
  });
}

}  // namespace podium::apiserver
