#include "api/ip.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "base/ascii.h"
#include "reflect/go_text.h"

namespace podium::api {
namespace {

constexpr std::array<uint8_t, 12> kIPv4Prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// Takes a number of up to `max` off *text; *padded is set when it has zeros in front that a strict
// reader refuses. False when there is none, or when it is larger.
bool TakeNumber(std::string_view* text, unsigned base, unsigned max, unsigned* value,
                bool* padded) {
  *value = 0;
  size_t size = 0;
  for (; size < text->size(); ++size) {
    int digit = HexValue((*text)[size]);
    if (digit < 0 || static_cast<unsigned>(digit) >= base) break;
    *value = *value * base + static_cast<unsigned>(digit);
    if (*value > max) return false;
  }
  // Of decimal numbers no zero in front is right; hexadecimal groups are four digits at most.
  *padded |= base == 16 ? size > 4 : size > 1 && text->front() == '0';
  text->remove_prefix(size);
  return size > 0;
}

bool ReadIPv4(std::string_view text, std::span<uint8_t, 4> out, bool* padded) {
  for (size_t i = 0; i < 4; ++i) {
    if (i > 0) {
      if (!text.starts_with('.')) return false;
      text.remove_prefix(1);
    }
    unsigned value;
    if (!TakeNumber(&text, 10, 255, &value, padded)) return false;
    out[i] = static_cast<uint8_t>(value);
  }
  return text.empty();
}

bool ReadIPv6(std::string_view text, std::array<uint8_t, 16>* out, bool* padded) {
  size_t at = 0;  // bytes read
  std::optional<size_t> gap;
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
    if (text.empty()) return true;
  }
  while (at < 16) {
    std::string_view group = text;
    bool group_padded = *padded;
    unsigned value;
    if (!TakeNumber(&text, 16, 0xffff, &value, &group_padded)) return false;
    if (text.starts_with('.')) {
      if ((!gap && at != 12) || at > 12) return false;
      if (!ReadIPv4(group, std::span(*out).subspan(at).first<4>(), padded)) return false;
      at += 4;
      text = {};
      break;
    }
    *padded = group_padded;
    (*out)[at++] = static_cast<uint8_t>(value >> 8);
    (*out)[at++] = static_cast<uint8_t>(value);
    if (text.empty()) break;
    if (text.front() != ':' || text.size() == 1) return false;
    text.remove_prefix(1);
    if (text.front() == ':') {
      if (gap) return false;
      gap = at;
      text.remove_prefix(1);
      if (text.empty()) break;
    }
  }
  if (!text.empty()) return false;
  if (at == 16) return !gap;
  if (!gap) return false;
  std::rotate(out->begin() + *gap, out->begin() + at, out->end());
  return true;
}

// `padded`: a strict reader refuses it for zeros in front of a number.
std::optional<IPAddress> ReadIP(std::string_view text, bool* padded) {
  IPAddress address;
  size_t separator = text.find_first_of(".:");
  if (separator == text.npos) return {};
  if (text[separator] == '.') {
    address.ipv4_text = true;
    std::ranges::copy(kIPv4Prefix, address.bytes.begin());
    if (!ReadIPv4(text, std::span(address.bytes).last<4>(), padded)) return {};
  } else if (!ReadIPv6(text, &address.bytes, padded)) {
    return {};
  }
  return address;
}

std::optional<IPNetwork> ReadCIDR(std::string_view text, bool* padded) {
  size_t slash = text.find('/');
  if (slash == text.npos) return {};
  std::optional<IPAddress> address = ReadIP(text.substr(0, slash), padded);
  if (!address) return {};
  std::string_view length = text.substr(slash + 1);
  unsigned value;
  if (!TakeNumber(&length, 10, address->ipv4_text ? 32 : 128, &value, padded)) return {};
  if (!length.empty()) return {};
  return IPNetwork{*address, static_cast<int>(value)};
}

std::string IPv6Text(const std::array<uint8_t, 16>& bytes) {
  auto group = [&](size_t i) { return bytes[2 * i] << 8 | bytes[2 * i + 1]; };
  // The longest run of two or more zero groups, the first of equals, is written as "::".
  size_t run_start = 8, run_size = 1;
  for (size_t i = 0; i < 8; ++i) {
    size_t size = 0;
    while (i + size < 8 && group(i + size) == 0) ++size;
    if (size > run_size) {
      run_start = i;
      run_size = size;
    }
  }
  std::string out;
  for (size_t i = 0; i < 8; ++i) {
    if (i == run_start) {
      out += "::";
      i += run_size - 1;
      continue;
    }
    if (!out.empty() && !out.ends_with(':')) out += ':';
    char buffer[4];
    out.append(buffer, std::to_chars(buffer, std::end(buffer), group(i), 16).ptr);
  }
  return out;
}

bool IsMapped(const IPAddress& address) { return address.IsIPv4() && !address.ipv4_text; }

// The form that messages ask for. Of IPv4 written as IPv6, upstream makes an IPv4 network.
std::string NetworkText(const IPAddress& address, const IPNetwork& network) {
  int length = network.prefix_length;
  if (IsMapped(network.address) && length > 32) length -= 96;
  return address.String() + "/" + std::to_string(length);
}

constexpr const char* kNoIP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
constexpr const char* kNoCIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

std::string NotCanonical(std::string_view canonical) {
  return "must be in canonical form (" + reflect::GoQuoted(canonical) + ")";
}

}  // namespace

bool IPAddress::IsIPv4() const {
  return std::equal(kIPv4Prefix.begin(), kIPv4Prefix.end(), bytes.begin());
}

std::string IPAddress::String() const {
  if (!IsIPv4()) return IPv6Text(bytes);
  std::string out;
  for (size_t i = 12; i < 16; ++i) {
    if (i > 12) out += '.';
    out += std::to_string(bytes[i]);
  }
  return out;
}

std::optional<IPAddress> ParseIP(std::string_view text) {
  bool padded = false;
  return ReadIP(text, &padded);
}

IPAddress IPNetwork::Masked() const {
  IPAddress out = address;
  int length = address.ipv4_text ? 96 + prefix_length : prefix_length;
  for (int i = 0; i < 16; ++i) {
    int kept = std::clamp(length - 8 * i, 0, 8);
    out.bytes[static_cast<size_t>(i)] &= static_cast<uint8_t>(0xff00 >> kept);
  }
  return out;
}

std::optional<IPNetwork> ParseCIDR(std::string_view text) {
  bool padded = false;
  return ReadCIDR(text, &padded);
}

Messages IsValidIPForLegacyField(std::string_view value, IPRules rules) {
  bool padded = false;
  std::optional<IPAddress> address = ReadIP(value, &padded);
  if (!address) return {kNoIP};
  if (rules == IPRules::kLoose) return {};
  if (padded) return {"must not have leading 0s"};
  if (IsMapped(*address)) return {"must not be an IPv4-mapped IPv6 address"};
  return {};
}

Messages IsValidIP(std::string_view value) {
  Messages messages = IsValidIPForLegacyField(value);
  if (!messages.empty()) return messages;
  std::string canonical = ParseIP(value)->String();
  if (value != canonical) messages.push_back(NotCanonical(canonical));
  return messages;
}

Messages IsValidCIDRForLegacyField(std::string_view value, IPRules rules) {
  bool padded = false;
  std::optional<IPNetwork> network = ReadCIDR(value, &padded);
  if (!network) return {kNoCIDR};
  if (rules == IPRules::kLoose) return {};
  if (padded) return {"must not have leading 0s in IP or prefix length"};
  if (IsMapped(network->address)) return {"must not have an IPv4-mapped IPv6 address"};
  if (network->Masked() != network->address) {
    return {"must not have bits set beyond the prefix length"};
  }
  return {};
}

Messages IsValidCIDR(std::string_view value) {
  Messages messages = IsValidCIDRForLegacyField(value);
  if (!messages.empty()) return messages;
  IPNetwork network = *ParseCIDR(value);
  std::string canonical = NetworkText(network.Masked(), network);
  if (value != canonical) messages.push_back(NotCanonical(canonical));
  return messages;
}

Messages IsValidInterfaceAddress(std::string_view value) {
  std::optional<IPNetwork> network = ParseCIDR(value);
  if (!network) {
    return {"must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"};
  }
  std::string canonical = NetworkText(network->address, *network);
  if (value != canonical) return {NotCanonical(canonical)};
  return {};
}

Messages IsValidIPv4Address(std::string_view value) {
  std::optional<IPAddress> address = ParseIP(value);
  if (address && address->IsIPv4()) return {};
  return {"must be a valid IPv4 address"};
}

Messages IsValidIPv6Address(std::string_view value) {
  std::optional<IPAddress> address = ParseIP(value);
  if (address && !address->IsIPv4()) return {};
  return {"must be a valid IPv6 address"};
}

}  // namespace podium::api
