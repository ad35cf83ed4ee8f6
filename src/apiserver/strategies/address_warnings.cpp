#include "apiserver/strategies/address_warnings.h"

#include <fmt/format.h>

#include "api/ip.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::field::Path;
using reflect::GoQuoted;

// What Go's net/netip reads, and what is not IPv4 in IPv6.
bool IsStandard(std::string_view address) {
  return api::IsValidIPForLegacyField(address, api::IPRules::kStrict).empty();
}

bool HasLeadingZero(std::string_view number) {
  return number.size() > 1 && number.starts_with('0');
}

// As Go prints a net.IPNet: a network of IPv4 in IPv6 is one of IPv4.
std::string NetworkText(const api::IPNetwork& network) {
  constexpr int kIPv4InIPv6 = 96;
  const api::IPAddress masked = network.Masked();
  const bool mapped = !masked.ipv4_text && masked.IsIPv4();
  return fmt::format("{}/{}", masked.String(), network.prefix_length - (mapped ? kIPv4InIPv6 : 0));
}

}  // namespace

void WarnOfIP(const Path& path, std::string_view value, std::vector<std::string>* warnings) {
  const auto parsed = api::ParseIP(value);
  if (!parsed) return;
  if (!IsStandard(value)) {
    warnings->push_back(fmt::format(
        "{}: non-standard IP address {} will be considered invalid in a future Kubernetes release: "
        "use {}",
        path.String(), GoQuoted(value), GoQuoted(parsed->String())));
  } else if (!parsed->IsIPv4() && parsed->String() != value) {
    warnings->push_back(
        fmt::format("{}: IPv6 address {} should be in RFC 5952 canonical format ({})",
                    path.String(), GoQuoted(value), GoQuoted(parsed->String())));
  }
}

void WarnOfCIDR(const Path& path, std::string_view value, std::vector<std::string>* warnings) {
  const auto parsed = api::ParseCIDR(value);
  if (!parsed) return;
  const std::string network = NetworkText(*parsed);
  const bool ambiguous = !(parsed->address == parsed->Masked());
  if (ambiguous) {
    warnings->push_back(
        fmt::format("{}: CIDR value {} is ambiguous in this context (should be {} or {}?)",
                    path.String(), GoQuoted(value), GoQuoted(network),
                    GoQuoted(fmt::format("{}/{}", parsed->address.String(),
                                         parsed->address.ipv4_text ? 32 : 128))));
  }
  const size_t slash = value.find('/');
  if (!IsStandard(value.substr(0, slash)) || HasLeadingZero(value.substr(slash + 1))) {
    warnings->push_back(fmt::format(
        "{}: non-standard CIDR value {} will be considered invalid in a future Kubernetes release: "
        "use {}",
        path.String(), GoQuoted(value), GoQuoted(network)));
  } else if (!ambiguous && !parsed->address.ipv4_text && network != value) {
    warnings->push_back(
        fmt::format("{}: IPv6 CIDR value {} should be in RFC 5952 canonical format ({})",
                    path.String(), GoQuoted(value), GoQuoted(network)));
  }
}

}  // namespace podium::apiserver
