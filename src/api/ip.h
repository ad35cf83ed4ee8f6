// IP addresses and CIDR values as API fields hold them (upstream's
// k8s.io/apimachinery/pkg/util/validation, ip.go, release 1.36). Rules return messages as those of
// names.h do.
//
// Fields older than release 1.33 follow the rules "for legacy fields", which take addresses that
// are not in canonical form (FE80:0:0::1). Since 1.36 they refuse what programs read in different
// ways: leading zeros (010.0.0.1), IPv4 in IPv6 (::ffff:1.2.3.4) and CIDR values with bits beyond
// the prefix (10.0.0.1/8). An object that holds such a value already may keep it: validation of
// updates asks kLoose for values that were there before.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/names.h"

namespace podium::api {

enum class IPRules { kStrict, kLoose };

Messages IsValidIPForLegacyField(std::string_view value, IPRules rules = IPRules::kStrict);
Messages IsValidCIDRForLegacyField(std::string_view value, IPRules rules = IPRules::kStrict);

// In canonical form: 10.9.8.7, 2001:db8::ffff; 10.9.8.0/24, 2001:db8::/64.
Messages IsValidIP(std::string_view value);
Messages IsValidCIDR(std::string_view value);
// An address with the length of its network's prefix, in canonical form: 10.9.8.7/24.
Messages IsValidInterfaceAddress(std::string_view value);

Messages IsValidIPv4Address(std::string_view value);
Messages IsValidIPv6Address(std::string_view value);

// An address, or a network. Reading is loose.
struct IPAddress {
  std::array<uint8_t, 16> bytes{};  // in network order; IPv4 as ::ffff:a.b.c.d
  bool ipv4_text = false;           // written in dots, not in colons

  // The value is in the range of IPv4, however it was written.
  bool IsIPv4() const;
  // 1.2.3.4 where IsIPv4, else as RFC 5952 has it.
  std::string String() const;

  friend bool operator==(const IPAddress& a, const IPAddress& b) { return a.bytes == b.bytes; }
};
std::optional<IPAddress> ParseIP(std::string_view text);

struct IPNetwork {
  IPAddress address;  // as written, bits beyond the prefix included
  int prefix_length;  // of 32 bits where address.ipv4_text, else of 128

  // The address with the bits beyond the prefix cleared.
  IPAddress Masked() const;
};
std::optional<IPNetwork> ParseCIDR(std::string_view text);

}  // namespace podium::api
