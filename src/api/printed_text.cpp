#include "api/printed_text.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "api/labels.h"
#include "api/pod_row.h"
#include "base/text.h"

namespace podium::api {
namespace {

constexpr int64_t kMicros = 1'000'000;

}  // namespace

std::string Ago(Time then, Time now) {
  if (then.IsZero()) return std::string(kUnknown);
  return HumanDuration(now.unix_seconds() - then.unix_seconds());
}

std::string Ago(MicroTime then, Time now) {
  if (then.IsZero()) return std::string(kUnknown);
  // Whole seconds, cut off towards zero, are what a duration shows.
  return HumanDuration((now.unix_seconds() * kMicros - then.unix_micros()) / kMicros);
}

std::string JoinSome(std::span<const std::string> parts, size_t most, std::string_view between) {
  if (parts.size() <= most) return Join(parts, between);
  return Join(parts.first(most), between) + " + " + std::to_string(parts.size() - most) +
         " more...";
}

std::string LabelsText(const reflect::Map<std::string>& labels) {
  std::string out;
  for (const auto& [key, value] : labels) {
    if (!out.empty()) out += ',';
    out.append(key).append("=").append(value);
  }
  return out.empty() ? std::string(kNone) : out;
}

std::string SelectorText(const meta::v1::LabelSelector* selector) {
  const auto read = labels::LabelSelectorAsSelector(selector);
  if (!read.ok()) return "<error>";
  std::string text = read->String();
  return text.empty() ? std::string(kNone) : text;
}

std::string HostPort(std::string_view host, std::string_view port) {
  const bool is_v6 = host.find(':') != std::string_view::npos;
  std::string out = is_v6 ? "[" : "";
  out.append(host).append(is_v6 ? "]:" : ":").append(port);
  return out;
}

std::string RolesOf(const core::v1::Node& node) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::set<std::string> roles;
  for (const auto& [key, value] : node.metadata.labels) {
    if (key.starts_with(kPrefix)) {
      if (key.size() > kPrefix.size()) roles.insert(key.substr(kPrefix.size()));
    } else if (key == "kubernetes.io/role" && !value.empty()) {
      roles.insert(value);
    }
  }
  return Join(roles, ",");
}

std::string AccessModes(std::span<const std::string> modes) {
  constexpr std::pair<std::string_view, const char*> kShort[] = {{"ReadWriteOnce", "RWO"},
                                                                 {"ReadOnlyMany", "ROX"},
                                                                 {"ReadWriteMany", "RWX"},
                                                                 {"ReadWriteOncePod", "RWOP"}};
  std::vector<std::string> out;
  for (const auto& [mode, short_name] : kShort) {
    if (std::ranges::find(modes, mode) != modes.end()) out.emplace_back(short_name);
  }
  return Join(out, ",");
}

std::string_view StorageClassOf(const meta::v1::ObjectMeta& metadata, std::string_view field) {
  const auto found = metadata.annotations.find("volume.beta.kubernetes.io/storage-class");
  return found == metadata.annotations.end() ? field : std::string_view(found->second);
}

}  // namespace podium::api
