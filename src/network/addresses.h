// Addresses of pods, and who has which.
//
// A pod is one number within its range. Everything else about it is derived: 10.208.0.0/16 and
// number 5 give 10.208.0.5, the device address 0a:58:0a:d0:00:05, and with fd00:1::/64 as second
// range fd00:1::5. Number 0 names the range, 1 is the gateway, the last is kept free (broadcast).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace podium::network {

using Mac = std::array<uint8_t, 6>;
using Ipv6 = std::array<uint8_t, 16>;

std::string ToText(const Mac& mac);
std::string ToText(const Ipv6& address);
// IPv4 addresses are numbers: 10.0.0.1 is 0x0a000001.
std::string ToText(uint32_t address);
std::optional<uint32_t> ParseIpv4(std::string_view text);
std::optional<Ipv6> ParseIpv6(std::string_view text);

struct Ipv4Range {
  uint32_t first = 0;
  unsigned bits = 32;  // of the prefix

  uint32_t hosts() const { return bits == 0 ? UINT32_MAX : (uint32_t{1} << (32 - bits)) - 1; }
  bool contains(uint32_t address) const { return (address & ~hosts()) == first; }
};
struct Ipv6Range {
  Ipv6 first{};
  unsigned bits = 128;
};
inline constexpr uint32_t kLocalhost = 0x7f000001;  // 127.0.0.1

// "10.0.0.0/8", "fd00::/64"; bits after the prefix must be zero. kInvalidArgument.
Result<Ipv4Range> ParseIpv4Range(std::string_view text);
Result<Ipv6Range> ParseIpv6Range(std::string_view text);

// What a number stands for.
struct PodAddress {
  uint32_t number = 0;
  uint32_t v4 = 0;
  std::optional<Ipv6> v6;
  Mac mac{};
  // The link-local address that the kernel makes of the device address (RFC 4291, appendix A).
  Ipv6 link_local{};
};

// Deals out numbers. One after the other, so that a number is used again as late as possible:
// whoever still talks to a pod that is gone should not reach another.
class AddressPool {
 public:
  // v6 needs at least as many bits for hosts as v4. `start` is where dealing begins (a random
  // number will do; it is reduced to the range).
  static Result<AddressPool> Create(const Ipv4Range& v4, const std::optional<Ipv6Range>& v6,
                                    uint32_t start);

  PodAddress gateway() const { return AddressOf(kGateway); }
  const Ipv4Range& v4() const { return v4_; }
  const std::optional<Ipv6Range>& v6() const { return v6_; }
  PodAddress AddressOf(uint32_t number) const;

  // kResourceExhausted when all are taken.
  Result<PodAddress> Take();
  // A certain one, by its IPv4 address: kInvalidArgument when it is none of a pod's in this range,
  // kAlreadyExists when it is taken.
  Result<PodAddress> Claim(uint32_t v4);
  // Of one that is free: nothing happens.
  void Free(uint32_t number);
  uint32_t taken() const { return taken_; }

 private:
  static constexpr uint32_t kGateway = 1;
  static constexpr uint32_t kFirst = 2;

  AddressPool(const Ipv4Range& v4, const std::optional<Ipv6Range>& v6)
      : v4_(v4), v6_(v6), used_(v4.hosts()) {}

  Ipv4Range v4_;
  std::optional<Ipv6Range> v6_;
  std::vector<bool> used_;  // by number, without the last
  uint32_t next_ = kFirst;
  uint32_t taken_ = 0;
};

}  // namespace podium::network
