#include "network/network.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/ascii.h"
#include "reflect/json_value.h"

namespace podium::network {

using reflect::JsonValue;

namespace {

JsonValue ListOf(const std::vector<std::string>& texts) {
  JsonValue::Array list;
  for (const std::string& text : texts) list.push_back(JsonValue::String(text));
  return JsonValue::Of(std::move(list));
}

Error NotARecord(std::string_view key) {
  return Error(Code::kInvalidArgument,
               "record of a pod's network: " + std::string(key) + " has another type");
}

Result<void> ReadText(const JsonValue& record, std::string_view key, std::string* out) {
  const JsonValue* value = record.Find(key);
  if (value == nullptr) return {};
  if (!value->is_string()) return NotARecord(key);
  *out = value->string();
  return {};
}

Result<void> ReadList(const JsonValue& record, std::string_view key,
                      std::vector<std::string>* out) {
  const JsonValue* value = record.Find(key);
  if (value == nullptr) return {};
  if (!value->is_array()) return NotARecord(key);
  for (const JsonValue& element : value->array()) {
    if (!element.is_string()) return NotARecord(key);
    out->push_back(element.string());
  }
  return {};
}

Result<void> ReadNumber(const JsonValue& record, std::string_view key, uint32_t* out) {
  const JsonValue* value = record.Find(key);
  if (value == nullptr) return {};
  if (!value->is_number()) return NotARecord(key);
  const std::string& digits = value->number();
  const char* end = digits.data() + digits.size();
  if (const auto read = std::from_chars(digits.data(), end, *out);
      read.ec != std::errc() || read.ptr != end) {
    return NotARecord(key);
  }
  return {};
}

}  // namespace

std::string_view ProtocolName(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTcp:
      return "tcp";
    case Protocol::kUdp:
      return "udp";
    case Protocol::kSctp:
      return "sctp";
  }
  return "tcp";
}

Result<void> CheckSandboxId(std::string_view id) {
  constexpr size_t kMaxSandboxId = 64;
  const bool plain = std::ranges::all_of(
      id, [](char c) { return IsLetterOrDigit(c) || c == '.' || c == '-' || c == '_'; });
  if (id.empty() || id.size() > kMaxSandboxId || !plain || id[0] == '.' || id[0] == '-') {
    return Error(Code::kInvalidArgument, "'" + std::string(id) + "' is no sandbox id");
  }
  return {};
}

std::string EncodePodNetwork(const PodNetwork& network) {
  JsonValue record = JsonValue::Of(JsonValue::Object{});
  record.Set("interface", JsonValue::String(network.interface));
  record.Set("mac", JsonValue::String(network.mac));
  record.Set("addresses", ListOf(network.addresses));
  record.Set("gateways", ListOf(network.gateways));
  record.Set("hostInterface", JsonValue::String(network.host_interface));
  record.Set("mtu", JsonValue::Number(std::to_string(network.mtu)));
  return ToText(record);
}

Result<PodNetwork> DecodePodNetwork(std::string_view text) {
  TRY(const JsonValue record, reflect::ParseJson(text, {.max_depth = 8}));
  if (!record.is_object()) return Error(Code::kInvalidArgument, "no record of a pod's network");
  PodNetwork network;
  TRY_VOID(ReadText(record, "interface", &network.interface));
  TRY_VOID(ReadText(record, "mac", &network.mac));
  TRY_VOID(ReadList(record, "addresses", &network.addresses));
  TRY_VOID(ReadList(record, "gateways", &network.gateways));
  TRY_VOID(ReadText(record, "hostInterface", &network.host_interface));
  TRY_VOID(ReadNumber(record, "mtu", &network.mtu));
  return network;
}

}  // namespace podium::network
