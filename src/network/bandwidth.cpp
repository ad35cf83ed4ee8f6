#include <cmath>
#include <optional>
#include <string>

#include "base/ascii.h"
#include "network/network.h"

namespace podium::network {
namespace {

constexpr const char* kIngress = "kubernetes.io/ingress-bandwidth";
constexpr const char* kEgress = "kubernetes.io/egress-bandwidth";
constexpr long double kSmallest = 1e3L;
constexpr long double kLargest = 1e15L;

// The factor of a quantity's suffix: "" is 1, "k" 1000, "Ki" 1024, "e3" 1000.
std::optional<long double> FactorOf(std::string_view suffix) {
  constexpr std::string_view kDecimal = "num.kMGTPE";  // the dot stands for no suffix
  constexpr std::string_view kBinary = "KMGTPE";
  if (suffix.empty()) return 1.0L;
  if (suffix.size() == 1 && suffix != ".") {
    const size_t at = kDecimal.find(suffix);
    if (at == std::string_view::npos) return std::nullopt;
    return std::pow(1000.0L, static_cast<long double>(at) - 3);
  }
  if (suffix.size() == 2 && suffix[1] == 'i') {
    const size_t at = kBinary.find(suffix[0]);
    if (at == std::string_view::npos) return std::nullopt;
    return std::pow(1024.0L, static_cast<long double>(at) + 1);
  }
  if (suffix[0] != 'e' && suffix[0] != 'E') return std::nullopt;
  suffix.remove_prefix(1);
  const bool negative = suffix.starts_with('-');
  if (negative || suffix.starts_with('+')) suffix.remove_prefix(1);
  if (suffix.empty() || suffix.size() > 3) return std::nullopt;
  int exponent = 0;
  for (const char c : suffix) {
    if (!IsDigit(c)) return std::nullopt;
    exponent = exponent * 10 + (c - '0');
  }
  return std::pow(10.0L, negative ? -exponent : exponent);
}

// A Kubernetes quantity as a number. Its full form lives in api, which this room does not see; what
// is lost here, digits beyond a long double's, does not matter to a rate.
std::optional<long double> ParseQuantity(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  long double value = 0;
  long double unit = 1;
  bool digits = false;
  bool fraction = false;
  size_t at = 0;
  for (; at < text.size() && (IsDigit(text[at]) || text[at] == '.'); ++at) {
    if (text[at] == '.') {
      if (fraction) return std::nullopt;
      fraction = true;
      continue;
    }
    digits = true;
    if (fraction) unit /= 10;
    value = fraction ? value + unit * (text[at] - '0') : value * 10 + (text[at] - '0');
  }
  const auto factor = FactorOf(text.substr(at));
  if (!digits || !factor) return std::nullopt;
  return (negative ? -value : value) * *factor;
}

Result<uint64_t> RateOf(const std::map<std::string, std::string>& annotations, const char* key) {
  const auto found = annotations.find(key);
  if (found == annotations.end()) return uint64_t{0};
  auto value = ParseQuantity(found->second);
  std::string problem;
  // Upstream rounds up to a whole number first. A rounding error of our own in the last digit must
  // not turn 1000 into 1001.
  if (value) value = std::ceil(*value - 1e-6L);
  if (!value) {
    problem =
        "quantities must match the regular expression "
        "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  } else if (*value < kSmallest) {
    problem = "resource is unreasonably small (< 1kbit)";
  } else if (*value > kLargest) {
    problem = "resource is unreasonably large (> 1Pbit)";
  }
  if (!problem.empty()) {
    return Error(Code::kInvalidArgument,
                 std::string("annotation ") + key + " '" + found->second + "': " + problem);
  }
  return value ? static_cast<uint64_t>(*value) : 0;
}

}  // namespace

Result<Bandwidth> BandwidthOf(const std::map<std::string, std::string>& annotations) {
  Bandwidth bandwidth;
  TRY(bandwidth.ingress_rate, RateOf(annotations, kIngress));
  TRY(bandwidth.egress_rate, RateOf(annotations, kEgress));
  return bandwidth;
}

}  // namespace podium::network
