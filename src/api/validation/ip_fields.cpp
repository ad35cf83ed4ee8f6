#include "api/validation/ip_fields.h"

#include <algorithm>
#include <cstdint>

#include "api/ip.h"
#include "api/names.h"

namespace podium::api {
namespace {

bool IsUnspecified(const IPAddress& address) {
  const auto& bytes = address.bytes;
  // IPv4 is kept as ::ffff:a.b.c.d.
  const size_t from = address.IsIPv4() ? 12 : 0;
  return std::all_of(bytes.begin() + static_cast<ptrdiff_t>(from), bytes.end(),
                     [](uint8_t byte) { return byte == 0; });
}

bool IsLoopback(const IPAddress& address) {
  if (address.IsIPv4()) return address.bytes[12] == 127;
  return address == *ParseIP("::1");
}

bool IsLinkLocalUnicast(const IPAddress& address) {
  const auto& bytes = address.bytes;
  if (address.IsIPv4()) return bytes[12] == 169 && bytes[13] == 254;
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

bool IsLinkLocalMulticast(const IPAddress& address) {
  const auto& bytes = address.bytes;
  if (address.IsIPv4()) return bytes[12] == 224 && bytes[13] == 0 && bytes[14] == 0;
  return bytes[0] == 0xff && (bytes[1] & 0x0f) == 0x02;
}

}  // namespace

void CheckLegacyIP(const std::string& value, const KeptValues& kept, const field::Path& path,
                   field::ErrorList* errors) {
  if (!kept.contains(value)) errors->AddInvalid(path, value, IsValidIPForLegacyField(value));
}

void CheckLegacyCIDR(const std::string& value, const KeptValues& kept, const field::Path& path,
                     field::ErrorList* errors) {
  if (!kept.contains(value)) errors->AddInvalid(path, value, IsValidCIDRForLegacyField(value));
}

void CheckEndpointIP(std::string_view value, const field::Path& path, field::ErrorList* errors) {
  const auto address = ParseIP(value);
  if (!address) {
    errors->Add(field::Invalid(path, value, "must be a valid IP address"));
    return;
  }
  const auto refuse = [&](bool special, std::string_view detail) {
    if (special) errors->Add(field::Invalid(path, value, detail));
  };
  refuse(IsUnspecified(*address), "may not be unspecified (" + std::string(value) + ")");
  refuse(IsLoopback(*address), "may not be in the loopback range (127.0.0.0/8, ::1/128)");
  refuse(IsLinkLocalUnicast(*address),
         "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  refuse(IsLinkLocalMulticast(*address),
         "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
}

void CheckBalancerHostname(const std::string& hostname, const field::Path& path,
                           field::ErrorList* errors) {
  if (hostname.empty()) return;
  errors->AddInvalid(path, hostname, IsDNS1123Subdomain(hostname));
  if (ParseIP(hostname)) {
    errors->Add(field::Invalid(path, hostname, "must be a DNS name, not an IP address"));
  }
}

bool IsIPv6(std::string_view text) {
  const auto address = ParseIP(text);
  return address && !address->IsIPv4();
}

bool IsDualStackIPs(std::span<const std::string> addresses) {
  bool found[2] = {false, false};
  for (const std::string& text : addresses) {
    const auto address = ParseIP(text);
    if (!address) return false;
    found[address->IsIPv4() ? 0 : 1] = true;
  }
  return found[0] && found[1];
}

bool IsDualStackCIDRs(std::span<const std::string> networks) {
  bool found[2] = {false, false};
  for (const std::string& text : networks) {
    const auto network = ParseCIDR(text);
    if (!network) return false;
    found[network->address.IsIPv4() ? 0 : 1] = true;
  }
  return found[0] && found[1];
}

}  // namespace podium::api
