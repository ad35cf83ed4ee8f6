// Times, durations, addresses and other short texts, and the protobuf form of every leaf type: what
// is read and written again stays the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/int_or_string.h"
#include "api/ip.h"
#include "api/names.h"
#include "api/quantity.h"
#include "api/time.h"
#include "fuzz/require.h"
#include "reflect/go_text.h"

using namespace podium::api;
using podium::fuzz::Require;

namespace {

template <class T>
void CheckText(std::string_view text) {
  podium::Result<T> value = T::Parse(text);
  if (!value.ok()) {
    Require(!value.error().message().empty());
    return;
  }
  podium::Result<T> again = T::Parse(value->String());
  Require(again.ok() && *again == *value);
}

template <class T>
void CheckProtobuf(std::string_view bytes) {
  const podium::reflect::Leaf& leaf = *podium::reflect::TypeOf<T>().leaf;
  T value;
  std::string problem;
  if (!leaf.from_proto(bytes, &value, &problem)) {
    Require(!problem.empty());
    return;
  }
  std::string written;
  leaf.to_proto(&value, &written);
  T again;
  Require(leaf.from_proto(written, &again, &problem) && again == value);
  std::string json;
  leaf.to_json(&value, &json);
  Require(!json.empty());
}

void CheckAddress(std::string_view text) {
  std::optional<IPAddress> address = ParseIP(text);
  Require(address.has_value() == IsValidIPForLegacyField(text, IPRules::kLoose).empty());
  if (address) {
    Require(ParseIP(address->String()) == address && IsValidIP(address->String()).empty());
  }
  if (IsValidIP(text).empty()) Require(IsValidIPForLegacyField(text).empty());
  std::optional<IPNetwork> network = ParseCIDR(text);
  if (network && network->Masked() == network->address) {
    Require(IsValidCIDRForLegacyField(text, IPRules::kLoose).empty());
  }
  if (IsValidCIDR(text).empty()) Require(network.has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckText<Time>(text);
  CheckText<MicroTime>(text);
  CheckText<Duration>(text);
  CheckAddress(text);
  CheckProtobuf<Time>(text);
  CheckProtobuf<MicroTime>(text);
  CheckProtobuf<Duration>(text);
  CheckProtobuf<IntOrString>(text);
  CheckProtobuf<Quantity>(text);
  Require(podium::reflect::GoQuoted(text).size() >= text.size() + 2);
  // A label is a subdomain, and both are keys of config maps.
  if (IsDNS1123Label(text).empty()) Require(IsDNS1123Subdomain(text).empty());
  if (IsDNS1123Subdomain(text).empty()) {
    Require(IsConfigMapKey(text).empty() && IsDNS1123SubdomainCaseless(text).empty() &&
            IsDNS1123SubdomainWithUnderscore(text).empty());
  }
  return 0;
}
