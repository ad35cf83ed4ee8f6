// The addresses of a network that services may have, in order, as numbers from 0 (upstream's
// pkg/registry/core/service/ipallocator). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/ip.h"

namespace podium::apiserver {

class IpRange {
 public:
  // Nothing when it is no network, or an IPv6 network of more than 64 bits of hosts.
  static std::optional<IpRange> Parse(std::string_view cidr);

  std::string_view family() const { return is_ipv4_ ? "IPv4" : "IPv6"; }
  // How many there are: neither the first of the network, nor of IPv4 the last one.
  uint64_t size() const { return size_; }
  // Of the part at the beginning that is for those who name an address: none of it is given by
  // chance unless the rest is full.
  uint64_t static_size() const { return static_size_; }
  // In canonical form; index below size().
  std::string At(uint64_t index) const;
  bool Contains(const api::IPAddress& address) const;
  // Of the network itself.
  std::string NetworkAddress() const;

 private:
  api::IPAddress network_;  // with the bits of hosts cleared
  bool is_ipv4_ = true;
  uint64_t size_ = 0;
  uint64_t static_size_ = 0;
};

// "IPv4" or "IPv6"; "" for what is no address.
std::string_view FamilyOf(std::string_view address);

// How many of `size` numbers at the beginning are set aside: a `step`-th, within the bounds; none
// of fewer than `least` (KEP 3070, KEP 3668).
uint64_t StaticPart(uint64_t size, uint64_t least, uint64_t most, uint64_t step);

}  // namespace podium::apiserver
