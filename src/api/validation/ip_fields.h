// Addresses and networks in fields of Services, nodes, endpoints and policies (upstream's
// pkg/apis/core/validation, release 1.36). Internal to the folder; the rules of the texts
// themselves are in api/ip.h.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "api/field_errors.h"

namespace podium::api {

// Values that the object had before, which it may keep whatever they are.
using KeptValues = std::set<std::string, std::less<>>;

void CheckLegacyIP(const std::string& value, const KeptValues& kept, const field::Path& path,
                   field::ErrorList* errors);
void CheckLegacyCIDR(const std::string& value, const KeptValues& kept, const field::Path& path,
                     field::ErrorList* errors);

// Of what is reached from outside of its node: no address that is unspecified, of the loopback or
// of one link.
void CheckEndpointIP(std::string_view value, const field::Path& path, field::ErrorList* errors);

// Of a load balancer: a DNS name and no address. An empty one passes.
void CheckBalancerHostname(const std::string& hostname, const field::Path& path,
                           field::ErrorList* errors);

// Whether `text` is an IPv6 address.
bool IsIPv6(std::string_view text);
// Whether both families are there, of addresses or networks that can all be read.
bool IsDualStackIPs(std::span<const std::string> addresses);
bool IsDualStackCIDRs(std::span<const std::string> networks);

}  // namespace podium::api
