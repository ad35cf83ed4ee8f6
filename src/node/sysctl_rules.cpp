#include "node/sysctl_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "reflect/go_text.h"

namespace podium::node {
namespace {

using reflect::GoQuoted;

constexpr size_t kMaxName = 253;
constexpr const char* kPattern =
    R"(([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9*])";

constexpr std::array<std::string_view, 12> kSafe = {
    "kernel.shm_rmid_forced",           "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",        "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",     "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",      "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",          "net.ipv4.tcp_wmem",
};

// Segments of [a-z0-9_-] that begin and end with a letter or digit, between dots or slashes; the
// last one may end with '*' instead, or be nothing else.
bool IsPattern(std::string_view name) {
  if (name.empty() || name.size() > kMaxName) return false;
  const auto inner = [](char c) { return IsLowerOrDigit(c) || c == '-' || c == '_'; };
  for (;;) {
    const size_t end = name.find_first_of("./");
    std::string_view segment = name.substr(0, end);
    const bool last = end == name.npos;
    const bool open = last && segment.ends_with('*');
    if (open) segment.remove_suffix(1);
    if (segment.empty()) return open;
    if (!IsLowerOrDigit(segment.front()) || !std::ranges::all_of(segment, inner)) return false;
    if (!open && !IsLowerOrDigit(segment.back())) return false;
    if (last) return true;
    name.remove_prefix(end + 1);
  }
}

}  // namespace

std::string DottedSysctl(std::string name) {
  const size_t first = name.find_first_of("./");
  if (first == std::string::npos || name[first] == '.') return name;
  for (char& c : name) c = c == '/' ? '.' : c == '.' ? '/' : c;
  return name;
}

std::optional<SysctlRules::Namespace> SysctlRules::NamespaceOf(std::string_view name) {
  if (name == "kernel.sem") return Namespace::kIpc;
  for (const std::string_view beginning : {"kernel.shm", "kernel.msg", "fs.mqueue."}) {
    if (name.starts_with(beginning)) return Namespace::kIpc;
  }
  if (name.starts_with("net.")) return Namespace::kNet;
  return std::nullopt;
}

Result<SysctlRules> SysctlRules::Of(const std::vector<std::string>& allowed_unsafe) {
  SysctlRules rules;
  for (const std::string_view name : kSafe) {
    rules.names_.emplace(name, *NamespaceOf(name));
  }
  for (const std::string& written : allowed_unsafe) {
    if (!IsPattern(written)) {
      return Error(Code::kInvalidArgument,
                   fmt::format("sysctl {} must have at most {} characters and match regex {}",
                               GoQuoted(written), kMaxName, kPattern));
    }
    std::string name = DottedSysctl(written);
    const bool open = name.ends_with('*');
    const auto space = NamespaceOf(open ? name.substr(0, name.size() - 1) : name);
    if (!space) {
      return Error(Code::kInvalidArgument,
                   fmt::format("the {} {} are not known to be namespaced",
                               open ? "sysctls" : "sysctl", GoQuoted(name)));
    }
    if (open) name.pop_back();
    (open ? rules.beginnings_ : rules.names_).emplace(std::move(name), *space);
  }
  return rules;
}

std::optional<SysctlRules::Namespace> SysctlRules::Find(std::string_view name) const {
  const auto found = names_.find(name);
  if (found != names_.end()) return found->second;
  for (const auto& [beginning, space] : beginnings_) {
    if (name.starts_with(beginning)) return space;
  }
  return std::nullopt;
}

std::optional<std::string> SysctlRules::Refusal(const v1::Pod& pod) const {
  if (!pod.spec.securityContext) return std::nullopt;
  for (const v1::Sysctl& each : pod.spec.securityContext->sysctls) {
    const std::string name = DottedSysctl(each.name);
    const auto space = Find(name);
    if (!space) return "forbidden sysctl: " + GoQuoted(name) + " not allowlisted";
    const char* shared = nullptr;
    if (*space == Namespace::kIpc && pod.spec.hostIPC) shared = "ipc";
    if (*space == Namespace::kNet && pod.spec.hostNetwork) shared = "net";
    if (shared) {
      return fmt::format("forbidden sysctl: {} not allowed with host {} enabled", GoQuoted(name),
                         shared);
    }
  }
  return std::nullopt;
}

}  // namespace podium::node
