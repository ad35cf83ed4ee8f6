#include "api/name_hash.h"

#include "pki/digest.h"
#include "reflect/base64.h"
#include "reflect/json.h"

namespace podium::api {
namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  reflect::AppendJsonString(text, &out);
  return out;
}

template <class Map, class Value>
std::string ObjectOf(const Map& map, Value value) {
  std::string out = "{";
  for (const auto& [key, each] : map) {
    if (out.size() > 1) out += ',';
    out += Quoted(key) + ':' + value(each);
  }
  return out + '}';
}

std::string Base64(const auto& bytes) {
  std::string out;
  reflect::AppendBase64(bytes.data, &out);
  return Quoted(out);
}

// So that no word arises, and none of the numbers that are taken for letters.
std::string Encoded(const std::string& json) {
  std::string hash = pki::Sha256Hex(json).substr(0, 10);
  for (char& c : hash) {
    switch (c) {
      case '0':
        c = 'g';
        break;
      case '1':
        c = 'h';
        break;
      case '3':
        c = 'k';
        break;
      case 'a':
        c = 'm';
        break;
      case 'e':
        c = 't';
        break;
      default:
        break;
    }
  }
  return hash;
}

}  // namespace

// Members in the order of their names, as Go prints a map.
std::string NameHash(const core::v1::ConfigMap& map) {
  std::string json = "{";
  if (!map.binaryData.empty()) {
    json += "\"binaryData\":" +
            ObjectOf(map.binaryData, [](const auto& bytes) { return Base64(bytes); }) + ",";
  }
  json += "\"data\":" + ObjectOf(map.data, [](const auto& text) { return Quoted(text); });
  return Encoded(json + ",\"kind\":\"ConfigMap\",\"name\":" + Quoted(map.metadata.name) + "}");
}

std::string NameHash(const core::v1::Secret& secret) {
  return Encoded(
      "{\"data\":" + ObjectOf(secret.data, [](const auto& bytes) { return Base64(bytes); }) +
      ",\"kind\":\"Secret\",\"name\":" + Quoted(secret.metadata.name) +
      ",\"type\":" + Quoted(secret.type) + "}");
}

}  // namespace podium::api
