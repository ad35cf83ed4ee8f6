// DeviceClasses, ResourceClaims and their templates, after pkg/apis/resource/validation but for
// expressions, of which only the length counts.
#include <string>

#include "api/types/resource_v1.h"
#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using resource::v1::DeviceClass;
using resource::v1::ResourceClaim;
using resource::v1::ResourceClaimTemplate;

constexpr char kClaim[] = R"({"metadata": {"name": "c", "namespace": "ns"}, "spec": {"devices": {
  "requests": [
    {"name": "one", "exactly": {"deviceClassName": "gpu.example.com", "count": 2,
      "selectors": [{"cel": {"expression": "true"}}],
      "tolerations": [{"key": "a/b", "operator": "Exists", "effect": "NoExecute"}]}},
    {"name": "two", "firstAvailable": [
      {"name": "large", "deviceClassName": "large", "allocationMode": "All"},
      {"name": "small", "deviceClassName": "small"}]}],
  "constraints": [{"requests": ["one", "two/small"], "matchAttribute": "example.com/numa"},
    {"distinctAttribute": "example.com/slot"}],
  "config": [{"requests": ["two"], "opaque": {"driver": "gpu.example.com",
    "parameters": {"kind": "Settings"}}}]}}})";

const std::string kNoRequest =  // NOLINT: a constant of tests
    "must be the name of a request in the claim or the name of a request and a subrequest "
    "separated by '/'";

// A list of `count` times `item`, in which # is the index.
std::string Repeated(int count, const std::string& item) {
  std::string list = "[";
  for (int i = 0; i < count; ++i) {
    if (i > 0) list += ',';
    for (char c : item) {
      if (c == '#') {
        list += std::to_string(i);
      } else {
        list += c;
      }
    }
  }
  return list + "]";
}

TEST(ResourceClaimTest, Requests) {
  const std::string r = "spec.devices.requests";
  const std::string exactly_one = ": exactly one of `exactly` or `firstAvailable` is required";
  const std::string exact = R"({"name":"r#","exactly":{"deviceClassName":"c"}})";
  ExpectCreate<ResourceClaim>(
      kClaim,
      {
          {{}, {}},
          {{"spec={}"}, {}},
          {{"metadata.name=\"A\"", r + "[0].name=\"A\"", "spec.devices.constraints"},
           {"metadata.name: Invalid value: \"A\": " + kBadSubdomain,
            r + "[0].name: Invalid value: \"A\": " + kBadLabel}},
          {{r + "[0].exactly"}, {r + "[0]: Required value" + exactly_one}},
          {{r + R"([0].firstAvailable=[{"name":"x","deviceClassName":"c"}])"},
           {r + "[0]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is "
                "required, but multiple fields are set"}},
          {{"spec.devices="
            "{\"requests\":" +
            Repeated(32, exact) + "}"},
           {}},
          {{"spec.devices="
            "{\"requests\":" +
            Repeated(33, exact) + "}"},
           {r + ": Too many: 33: must have at most 32 items"}},
          {{r + "[0].name=\"two\"", "spec.devices.constraints"},
           {r + "[1]: Duplicate value: \"two\""}},
          {{r + "[1].firstAvailable[0].name=\"A\"",
            r + "[1].firstAvailable[1].deviceClassName=\"\""},
           {r + "[1].firstAvailable[0].name: Invalid value: \"A\": " + kBadLabel,
            r + "[1].firstAvailable[1].deviceClassName: Required value"}},
          {{r + "[1].firstAvailable[0].name=\"small\""},
           {r + "[1].firstAvailable[1]: Duplicate value: \"small\""}},
          {{r + "[1].firstAvailable=" + Repeated(8, R"({"name":"a#","deviceClassName":"c"})"),
            "spec.devices.constraints"},
           {}},
          {{r + "[1].firstAvailable=" + Repeated(9, R"({"name":"a#","deviceClassName":"c"})"),
            "spec.devices.constraints"},
           {r + "[1].firstAvailable: Too many: 9: must have at most 8 items"}},
      });
}

TEST(ResourceClaimTest, ExactRequest) {
  const std::string e = "spec.devices.requests[0].exactly";
  ExpectCreate<ResourceClaim>(
      kClaim,
      {
          {{e + ".deviceClassName=\"\""}, {e + ".deviceClassName: Required value"}},
          {{e + ".deviceClassName=\"A\""},
           {e + ".deviceClassName: Invalid value: \"A\": " + kBadSubdomain}},
          {{e + ".allocationMode=\"All\""},
           {e + ".count: Invalid value: 2: must not be specified when allocationMode is 'All'"}},
          {{e + ".count=-1", e + ".allocationMode=\"ExactCount\""},
           {e + ".count: Invalid value: -1: must be greater than zero"}},
          {{e + ".allocationMode=\"Some\""},
           {e + ".allocationMode: Unsupported value: \"Some\": supported values: \"All\", "
                "\"ExactCount\""}},
          {{e + ".selectors=[{}]"}, {e + ".selectors[0].cel: Required value"}},
          {{e + ".selectors=" + Repeated(32, R"({"cel":{"expression":"1"}})")}, {}},
          {{e + ".selectors=" + Repeated(33, R"({"cel":{"expression":"1"}})")},
           {e + ".selectors: Too many: 33: must have at most 32 items"}},
          {{e + ".selectors[0].cel.expression=\"" + std::string(10240, '1') + "\""}, {}},
          {{e + ".selectors[0].cel.expression=\"" + std::string(10241, '1') + "\""},
           {e + ".selectors[0].cel.expression: Too long: may not be more than 10240 bytes"}},
      });
}

TEST(ResourceClaimTest, Tolerations) {
  const std::string t = "spec.devices.requests[0].exactly.tolerations";
  ExpectCreate<ResourceClaim>(
      kClaim,
      {
          // Equal is the default, every key and effect are tolerated.
          {{t + R"(=[{},{"key":"k","value":"v"},{"operator":"Exists"},{"effect":"None"}])"}, {}},
          {{t + R"(=[{"key":"-","operator":"Exists","value":"v","effect":"NoSchedule"}])"},
           {t + "[0].key: Invalid value: \"-\": " + kBadQualified,
            t + "[0].value: Invalid value: \"v\": must be empty for operator `Exists`"}},
          {{t + R"(=[{"operator":"Equal","value":"-","effect":"PreferNoSchedule"}])"},
           {t + "[0].value: Invalid value: \"-\": " + kBadLabelValue,
            t + "[0].effect: Unsupported value: \"PreferNoSchedule\": supported values: "
                "\"NoExecute\", \"NoSchedule\", \"None\""}},
          {{t + R"(=[{"operator":"Less"}])"},
           {t + "[0].operator: Unsupported value: \"Less\": supported values: \"Equal\", "
                "\"Exists\""}},
      });
  auto claim = Load<ResourceClaim>(kClaim);
  claim.spec.devices.requests[0].exactly->tolerations[0].operator_.clear();
  EXPECT_THAT(Texts(ValidateCreate(claim)),
              ::testing::ElementsAre(t + "[0].operator: Required value"));
}

TEST(ResourceClaimTest, Constraints) {
  const std::string c = "spec.devices.constraints";
  const auto attribute = [&](const std::string& name) {
    return std::vector<std::string>{c + "[0].matchAttribute=\"" + name + "\""};
  };
  const std::string a = c + "[0].matchAttribute: ";
  const std::string bad_identifier =
      "a valid C identifier must start with alphabetic character or '_', followed by a string of "
      "alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for "
      "validation is '[A-Za-z_][A-Za-z0-9_]*')";
  ExpectCreate<ResourceClaim>(
      kClaim,
      {
          {{c + "=[{}]"},
           {c + "[0]: Required value: exactly one of \"matchAttribute\" or \"distinctAttribute\" "
                "is required, but multiple fields are set"}},
          {{c + "=" + Repeated(33, R"({"matchAttribute":"a/b"})")},
           {c + ": Too many: 33: must have at most 32 items"}},
          {attribute("name"),
           {a + "Invalid value: \"name\": a fully qualified name must be a domain and a name "
                "separated by a slash"}},
          {attribute("/"),
           {a + "Invalid value: \"\": the domain must not be empty",
            a + "Invalid value: \"\": the name must not be empty"}},
          {attribute("a_b/1"),
           {a + "Invalid value: \"a_b\": " + kBadSubdomain,
            a + "Invalid value: \"1\": " + bad_identifier}},
          {attribute(std::string(64, 'a') + "/" + std::string(33, 'n')),
           {a + "Too long: may not be more than 63 bytes",
            a + "Too long: may not be more than 32 bytes"}},
          {attribute("-"),
           {a + "Invalid value: \"-\": " + bad_identifier,
            a + "Invalid value: \"-\": a fully qualified name must be a domain and a name "
                "separated by a slash"}},
          // As upstream.
          {attribute("a/b/c"), {}},
          {{c + "[1].distinctAttribute=\"slot\""},
           {c + "[1].distinctAttribute: Invalid value: \"slot\": a fully qualified name must be a "
                "domain and a name separated by a slash"}},
          {{c + R"([0].requests=["one","three","two/large","two/medium","one/x","a/b/c","one"])"},
           {c + "[0].requests[1]: Invalid value: \"three\": " + kNoRequest,
            c + "[0].requests[3]: Invalid value: \"two/medium\": " + kNoRequest,
            c + "[0].requests[4]: Invalid value: \"one/x\": " + kNoRequest,
            c + "[0].requests[5]: Invalid value: \"a/b/c\": " + kNoRequest,
            c + "[0].requests[6]: Duplicate value: \"one\""}},
          {{c + R"([0].requests=["two/A"])"},
           {c + "[0].requests[0]: Invalid value: \"A\": " + kBadLabel,
            c + "[0].requests[0]: Invalid value: \"two/A\": " + kNoRequest}},
          {{c + "[0].requests=" + Repeated(33, "\"one\"")},
           {c + "[0].requests: Too many: 33: must have at most 32 items"}},
      });
}

TEST(ResourceClaimTest, Configuration) {
  const std::string c = "spec.devices.config";
  const std::string o = c + "[0].opaque";
  // A JSON object of so many bytes.
  const auto object = [](size_t size) { return "{\"k\":\"" + std::string(size - 8, 'v') + "\"}"; };
  ExpectCreate<ResourceClaim>(
      kClaim,
      {
          {{c + "=[{\"requests\":[\"x\"]}]"},
           {c + "[0].requests[0]: Invalid value: \"x\": " + kNoRequest, o + ": Required value"}},
          {{c + "=" + Repeated(33, "{}")}, {c + ": Too many: 33: must have at most 32 items"}},
          {{o + ".driver=\"\"", o + ".parameters=null"},
           {o + ".driver: Required value", o + ".parameters: Required value"}},
          {{o + ".driver=\"a_b\""}, {o + ".driver: Invalid value: \"a_b\": " + kBadSubdomain}},
          {{o + ".parameters=[1]"},
           {o + ".parameters: Invalid value: \"<value omitted>\": must be a valid JSON object"}},
          {{o + ".parameters=" + object(10240)}, {}},
          {{o + ".parameters=" + object(10241)},
           {o + ".parameters: Too long: may not be more than 10240 bytes"}},
      });
}

// What came by protobuf was not read before.
TEST(ResourceClaimTest, RawParameters) {
  const auto errors = [](const std::string& raw) {
    auto claim = Load<ResourceClaim>(kClaim);
    claim.spec.devices.config[0].opaque->parameters.text = raw;
    return Texts(ValidateCreate(claim));
  };
  const std::string p = "spec.devices.config[0].opaque.parameters: ";
  const std::string parsing =
      p + "Invalid value: \"<value omitted>\": error parsing data as JSON: ";
  EXPECT_THAT(errors("{\"a\": 1} "), ::testing::IsEmpty());
  EXPECT_THAT(errors(" null"), ::testing::ElementsAre(p + "Required value"));
  EXPECT_THAT(errors("{\"a\":"), ::testing::ElementsAre(parsing + "unexpected end of JSON input"));
  EXPECT_THAT(errors("[1e999]"),
              ::testing::ElementsAre(parsing + "json: cannot unmarshal number 1e999 into Go value "
                                               "of type float64"));
}

TEST(ResourceClaimTest, Update) {
  ExpectUpdate<ResourceClaim>(
      kClaim,
      {
          {{"metadata.labels={\"a\":\"b\"}"}, {}},
          {{"metadata.labels={\"a\":\"-\"}", "metadata.name=\"A\""},
           {"metadata.name: Invalid value: \"A\": " + kBadSubdomain,
            "metadata.labels: Invalid value: \"-\": " + kBadLabelValue,
            "metadata.name: Invalid value: \"A\": field is immutable",
            "metadata.labels: Invalid value: \"-\": " + kBadLabelValue}},
          {{R"(spec={"devices":{"requests":[{"name":"r","exactly":{"deviceClassName":"c"}}]}})"},
           {"spec: Invalid value: {\"Devices\":{\"Requests\":[{\"Name\":\"r\",\"Exactly\":{"
            "\"DeviceClassName\":\"c\",\"Selectors\":null,\"AllocationMode\":\"ExactCount\","
            "\"Count\":1,\"AdminAccess\":null,\"Tolerations\":null,\"Capacity\":null},"
            "\"FirstAvailable\":null}],\"Constraints\":null,\"Config\":null}}: field is "
            "immutable"}},
          {{R"(spec={"devices":{"requests":[{"name":"r","exactly":{"deviceClassName":"c","selectors":
                [{"cel":{"expression":"1"}}]}}],"config":[{"opaque":{"driver":"d",
                "parameters":{"a":1}}}]}})"},
           {"spec: Invalid value: {\"Devices\":{\"Requests\":[{\"Name\":\"r\",\"Exactly\":{"
            "\"DeviceClassName\":\"c\",\"Selectors\":[{\"CEL\":{\"Expression\":\"1\"}}],"
            "\"AllocationMode\":\"ExactCount\",\"Count\":1,\"AdminAccess\":null,\"Tolerations\":"
            "null,\"Capacity\":null},\"FirstAvailable\":null}],\"Constraints\":null,\"Config\":[{"
            "\"Requests\":null,\"Opaque\":{\"Driver\":\"d\",\"Parameters\":{\"a\":1}}}]}}: field "
            "is immutable"}},
      });
}

TEST(ResourceClaimTemplateTest, Rules) {
  const std::string claim_template =
      R"({"metadata": {"name": "t", "namespace": "ns"}, "spec": {"metadata": {"labels": {"a": "b"}},
          "spec": {"devices": {"requests": [
            {"name": "r", "exactly": {"deviceClassName": "c"}}]}}}})";
  ExpectCreate<ResourceClaimTemplate>(
      claim_template,
      {
          {{}, {}},
          {{"metadata.name=\"A\"", "spec.metadata.name=\"n\"",
            "spec.metadata.annotations={\"-\":\"\"}", "spec.metadata.labels={\"-\":\"\"}",
            "spec.spec.devices.requests[0].name=\"A\""},
           {"metadata.name: Invalid value: \"A\": " + kBadSubdomain,
            "spec.metadata.annotations: Invalid value: \"-\": " + kBadQualified,
            "spec.metadata.labels: Invalid value: \"-\": " + kBadQualified,
            "spec.metadata.name: Forbidden: cannot be set",
            "spec.spec.devices.requests[0].name: Invalid value: \"A\": " + kBadLabel}},
      });
  ExpectUpdate<ResourceClaimTemplate>(
      claim_template,
      {
          {{"metadata.labels={\"a\":\"b\"}"}, {}},
          {{"metadata.labels={\"a\":\"-\"}", "spec.spec.devices.requests"},
           {"metadata.labels: Invalid value: \"-\": " + kBadLabelValue,
            "spec: Invalid value: {\"labels\":{\"a\":\"b\"},\"Spec\":{\"Devices\":{\"Requests\":"
            "null,\"Constraints\":null,\"Config\":null}}}: field is immutable"}},
      });
}

constexpr char kClass[] = R"({"metadata": {"name": "gpu.example.com"}, "spec": {
  "selectors": [{"cel": {"expression": "true"}}],
  "config": [{"opaque": {"driver": "gpu.example.com", "parameters": {}}}],
  "extendedResourceName": "example.com/gpu"}})";

TEST(DeviceClassTest, Spec) {
  const std::string c = "spec.config";
  ExpectCreate<DeviceClass>(
      kClass,
      {
          {{}, {}},
          {{"spec={}"}, {}},
          // What the name was made from is not looked at.
          {{"metadata.generateName=\"A\""}, {}},
          {{"metadata.name=\"A\""}, {"metadata.name: Invalid value: \"A\": " + kBadSubdomain}},
          {{"spec.selectors=[{}]"}, {"spec.selectors[0].cel: Required value"}},
          {{"spec.selectors=" + Repeated(33, "{}")},
           {"spec.selectors: Too many: 33: must have at most 32 items"}},
          {{c + "=[{}]"}, {c + "[0].opaque: Required value"}},
          {{c + "=" + Repeated(33, "{}")}, {c + ": Too many: 33: must have at most 32 items"}},
          {{"spec.extendedResourceName=\"cpu\""},
           {"spec.extendedResourceName: Invalid value: \"cpu\": must be a valid extended resource "
            "name"}},
      });
}

TEST(DeviceClassTest, Update) {
  const std::string too_long =
      "spec.config[0].opaque.parameters={\"k\":\"" + std::string(10240, 'v') + "\"}";
  ExpectUpdate<DeviceClass>(
      kClass,
      {
          {{"spec.extendedResourceName", "spec.selectors"}, {}},
          {{"metadata.name=\"A\"", "spec.selectors=[{}]"},
           {"metadata.name: Invalid value: \"A\": " + kBadSubdomain,
            "metadata.name: Invalid value: \"A\": field is immutable",
            "spec.selectors[0].cel: Required value"}},
          {{too_long},
           {"spec.config[0].opaque.parameters: Too long: may not be more than 10240 bytes"}},
      });
  // Stored settings may be longer than new ones, as long as none of them changes.
  ExpectUpdate<DeviceClass>(
      Edited(kClass, {too_long}),
      {
          {{"spec.extendedResourceName"}, {}},
          {{"spec.config[0].opaque.driver=\"d\""},
           {"spec.config[0].opaque.parameters: Too long: may not be more than 10240 bytes"}},
      });
}

}  // namespace
}  // namespace podium::api
