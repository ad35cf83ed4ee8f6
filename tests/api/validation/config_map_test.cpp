#include "api/validation/config_map.h"

#include "api/validation/harness.h"

namespace podium::api {
namespace {

constexpr char kMap[] = R"({
  "metadata": {"name": "c", "namespace": "n", "resourceVersion": "1"},
  "data": {"k": "v"}, "binaryData": {"b": "AA=="}})";

const std::string kKeyRule =  // NOLINT: a test's constant
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

TEST(ConfigMap, Create) {
  const std::string big(1024 * 1024, 'x');
  ExpectErrors(
      kMap,
      {{{}, {}},
       {{"metadata.name"}, {"metadata.name: Required value: name or generateName is required"}},
       {{"data['b ad']=\"x\""}, {"data[b ad]: Invalid value: \"b ad\": " + kKeyRule}},
       {{"binaryData['..']=\"\""}, {"binaryData[..]: Invalid value: \"..\": must not be '..'"}},
       {{"data.b=\"x\""},
        {"data[b]: Invalid value: \"b\": duplicate of key present in binaryData"}},
       {{"binaryData", "data.k=\"" + big + "\""}, {}},
       {{"data.k=\"" + big + "\""}, {"[]: Too long: may not be more than 1048576 bytes"}}},
      [](const std::string& json) {
        return Texts(ValidateConfigMap(Load<core::v1::ConfigMap>(json)));
      });
}

TEST(ConfigMap, Update) {
  const auto update = [](const std::string& old_json) {
    return [old_map = Load<core::v1::ConfigMap>(old_json)](const std::string& json) {
      return Texts(ValidateConfigMapUpdate(Load<core::v1::ConfigMap>(json), old_map));
    };
  };
  ExpectErrors(
      kMap,
      {{{"data.k=\"w\"", "binaryData.b=\"AB==\"", "immutable=true"}, {}},
       {{"data['b ad']=\"x\""}, {"data[b ad]: Invalid value: \"b ad\": " + kKeyRule}},
       {{"metadata.name=\"d\""}, {"metadata.name: Invalid value: \"d\": field is immutable"}}},
      update(kMap));
  const std::string detail = ": Forbidden: field is immutable when `immutable` is set";
  const std::string fixed = Edited(kMap, {"immutable=true"});
  ExpectErrors(fixed,
               {{{}, {}},
                {{"metadata.labels.a=\"b\""}, {}},
                {{"immutable=false"}, {"immutable" + detail}},
                {{"immutable", "data.k=\"w\"", "binaryData.b=\"AQ==\""},
                 {"immutable" + detail, "data" + detail, "binaryData" + detail}}},
               update(fixed));
}

}  // namespace
}  // namespace podium::api
