#include "apiserver/services/ip_range.h"

#include <algorithm>

namespace podium::apiserver {
namespace {

uint64_t LowHalf(const api::IPAddress& address) {
  uint64_t number = 0;
  for (size_t i = 8; i < 16; ++i) number = number << 8 | address.bytes[i];
  return number;
}

void SetLowHalf(uint64_t number, api::IPAddress* address) {
  for (size_t i = 16; i > 8; --i, number >>= 8) {
    address->bytes[i - 1] = static_cast<uint8_t>(number);
  }
}

}  // namespace

std::optional<IpRange> IpRange::Parse(std::string_view cidr) {
  const auto network = api::ParseCIDR(cidr);
  if (!network) return std::nullopt;
  IpRange range;
  range.is_ipv4_ = network->address.ipv4_text;
  const int host_bits = (range.is_ipv4_ ? 32 : 128) - network->prefix_length;
  if (host_bits > 64) return std::nullopt;
  range.network_ = network->Masked();
  const uint64_t all = host_bits == 64 ? ~uint64_t{0} : (uint64_t{1} << host_bits) - 1;
  // `all` is one less than there are; the network's own address is not given, and of IPv4 not that
  // of all hosts.
  range.size_ = range.is_ipv4_ ? all - std::min<uint64_t>(all, 1) : all;
  range.static_size_ = all < 16 ? 0 : StaticPart(all == ~uint64_t{0} ? all : all + 1, 16, 256, 16);
  return range;
}

std::string IpRange::At(uint64_t index) const {
  api::IPAddress address = network_;
  SetLowHalf(LowHalf(network_) + index + 1, &address);
  return address.String();
}

bool IpRange::Contains(const api::IPAddress& address) const {
  if (!std::equal(network_.bytes.begin(), network_.bytes.begin() + 8, address.bytes.begin())) {
    return false;
  }
  if (address.IsIPv4() != is_ipv4_) return false;
  const uint64_t offset = LowHalf(address) - LowHalf(network_);
  return offset >= 1 && offset <= size_;
}

std::string IpRange::NetworkAddress() const { return network_.String(); }

std::string_view FamilyOf(std::string_view address) {
  const auto parsed = api::ParseIP(address);
  if (!parsed) return "";
  return parsed->IsIPv4() ? "IPv4" : "IPv6";
}

uint64_t StaticPart(uint64_t size, uint64_t least, uint64_t most, uint64_t step) {
  return std::clamp(size / step, least, most);
}

}  // namespace podium::apiserver
