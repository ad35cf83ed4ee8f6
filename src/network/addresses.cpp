#include "network/addresses.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>
#include <cstring>

namespace podium::network {
namespace {

// As the bridge plugin of CNI: locally administered, and readable.
constexpr uint8_t kMacPrefix[] = {0x0a, 0x58};
// The bitmap of a /8 takes two megabytes; larger ranges are no ranges of one node.
constexpr unsigned kShortestPrefix = 8;
constexpr unsigned kLongestPrefix = 28;

Error NotARange(std::string_view text) {
  return {Code::kInvalidArgument, fmt::format("'{}' is no range of addresses", text)};
}

struct Split {
  std::string address;
  unsigned bits = 0;
};

std::optional<Split> SplitRange(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  Split split{.address = std::string(text.substr(0, slash)), .bits = 0};
  const std::string_view bits = text.substr(slash + 1);
  const auto read = std::from_chars(bits.data(), bits.data() + bits.size(), split.bits);
  if (read.ec != std::errc() || read.ptr != bits.data() + bits.size()) return std::nullopt;
  return split;
}

Mac MacOf(uint32_t v4) {
  return {kMacPrefix[0],
          kMacPrefix[1],
          static_cast<uint8_t>(v4 >> 24),
          static_cast<uint8_t>(v4 >> 16),
          static_cast<uint8_t>(v4 >> 8),
          static_cast<uint8_t>(v4)};
}

}  // namespace

std::string ToText(const Mac& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3],
                     mac[4], mac[5]);
}

std::string ToText(const Ipv6& address) {
  char text[INET6_ADDRSTRLEN] = {};
  return inet_ntop(AF_INET6, address.data(), text, sizeof text) == nullptr ? "" : text;
}

std::string ToText(uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255,
                     address & 255);
}

std::optional<uint32_t> ParseIpv4(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

std::optional<Ipv6> ParseIpv6(std::string_view text) {
  Ipv6 address{};
  if (inet_pton(AF_INET6, std::string(text).c_str(), address.data()) != 1) return std::nullopt;
  return address;
}

Result<Ipv4Range> ParseIpv4Range(std::string_view text) {
  const auto split = SplitRange(text);
  const auto first = split ? ParseIpv4(split->address) : std::nullopt;
  if (!first || split->bits > 32) return NotARange(text);
  const Ipv4Range range{.first = *first, .bits = split->bits};
  if ((range.first & range.hosts()) != 0) return NotARange(text);
  return range;
}

Result<Ipv6Range> ParseIpv6Range(std::string_view text) {
  const auto split = SplitRange(text);
  const auto first = split ? ParseIpv6(split->address) : std::nullopt;
  if (!first || split->bits > 128) return NotARange(text);
  for (unsigned bit = split->bits; bit < 128; ++bit) {
    if (((*first)[bit / 8] >> (7 - bit % 8) & 1) != 0) return NotARange(text);
  }
  return Ipv6Range{.first = *first, .bits = split->bits};
}

Result<AddressPool> AddressPool::Create(const Ipv4Range& v4, const std::optional<Ipv6Range>& v6,
                                        uint32_t start) {
  if (v4.bits < kShortestPrefix || v4.bits > kLongestPrefix) {
    return Error(Code::kInvalidArgument,
                 fmt::format("the pod range {}/{} has a prefix length outside of {} to {}",
                             ToText(v4.first), v4.bits, kShortestPrefix, kLongestPrefix));
  }
  if (v6 && 128 - v6->bits < 32 - v4.bits) {
    return Error(Code::kInvalidArgument,
                 fmt::format("the pod range {}/{} has fewer addresses than {}/{}",
                             ToText(v6->first), v6->bits, ToText(v4.first), v4.bits));
  }
  AddressPool pool(v4, v6);
  const auto places = static_cast<uint32_t>(pool.used_.size()) - kFirst;
  pool.next_ = kFirst + start % places;
  return pool;
}

PodAddress AddressPool::AddressOf(uint32_t number) const {
  PodAddress address;
  address.number = number;
  address.v4 = v4_.first + number;
  address.mac = MacOf(address.v4);
  if (v6_) {
    Ipv6 v6 = v6_->first;
    // The host bits are zero, and hold the number: nothing carries.
    for (size_t i = 0; i < 4; ++i) v6[15 - i] |= static_cast<uint8_t>(number >> (8 * i));
    address.v6 = v6;
  }
  const Mac& mac = address.mac;
  address.link_local = {
      0xfe,   0x80,   0,    0,    0,      0,      0,     0, static_cast<uint8_t>(mac[0] ^ 2),
      mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};
  return address;
}

Result<PodAddress> AddressPool::Take() {
  const auto end = static_cast<uint32_t>(used_.size());
  for (uint32_t tries = kFirst; tries < end; ++tries) {
    const uint32_t number = next_;
    next_ = next_ + 1 < end ? next_ + 1 : kFirst;
    if (used_[number]) continue;
    used_[number] = true;
    ++taken_;
    return AddressOf(number);
  }
  return Error(Code::kResourceExhausted,
               fmt::format("all {} addresses of the pod range {}/{} are taken", end - kFirst,
                           ToText(v4_.first), v4_.bits));
}

Result<PodAddress> AddressPool::Claim(uint32_t v4) {
  const uint32_t number = v4 - v4_.first;
  if (!v4_.contains(v4) || number < kFirst || number >= used_.size()) {
    return Error(Code::kInvalidArgument, fmt::format("{} is no pod's address in {}/{}", ToText(v4),
                                                     ToText(v4_.first), v4_.bits));
  }
  if (used_[number]) return Error(Code::kAlreadyExists, ToText(v4) + " is taken");
  used_[number] = true;
  ++taken_;
  return AddressOf(number);
}

void AddressPool::Free(uint32_t number) {
  if (number < kFirst || number >= used_.size() || !used_[number]) return;
  used_[number] = false;
  --taken_;
}

}  // namespace podium::network
