// ResourceSlices, after pkg/apis/resource/validation.
#include <string>

#include "api/types/resource_v1.h"
#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using resource::v1::ResourceSlice;

constexpr char kSlice[] = R"({"metadata": {"name": "s"}, "spec": {"driver": "d.example.com",
  "pool": {"name": "p/1", "generation": 0, "resourceSliceCount": 1}, "nodeName": "n",
  "devices": [{"name": "gpu-0",
    "attributes": {"model": {"string": "x"}, "example.com/v": {"version": "1.2.3-rc.1+b.7"},
      "i": {"int": 0}, "b": {"bool": false}},
    "capacity": {"memory": {"value": "1Gi"}},
    "taints": [{"key": "a", "value": "b", "effect": "None"}],
    "consumesCounters": [{"counterSet": "c", "counters": {"m": {"value": "1"}}}],
    "nodeAllocatableResourceMappings": {"cpu": {"allocationMultiplier": "2"},
      "memory": {"capacityKey": "memory"}}}]}})";

// `count` of them, in which # is the index, between brackets or braces.
std::string Repeated(int count, const std::string& item, std::string_view around = "[]") {
  std::string list(1, around[0]);
  for (int i = 0; i < count; ++i) {
    if (i > 0) list += ',';
    const size_t mark = item.find('#');
    list +=
        mark == item.npos ? item : item.substr(0, mark) + std::to_string(i) + item.substr(mark + 1);
  }
  return list + around[1];
}

TEST(ResourceSliceTest, Spec) {
  const std::string exactly_one =
      "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
  ExpectCreate<ResourceSlice>(
      kSlice,
      {
          {{}, {}},
          {{"metadata.name=\"A\""}, {"metadata.name: Invalid value: \"A\": " + kBadSubdomain}},
          {{"spec.driver=\"\"", R"(spec.pool={"name":"","generation":-1})"},
           {"spec.driver: Required value", "spec.pool.name: Required value",
            "spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero",
            "spec.pool.generation: Invalid value: -1: must be greater than or equal to zero"}},
          {{"spec.nodeName"}, {"spec: Required value: " + exactly_one}},
          {{"spec.nodeName=\"\"", "spec.allNodes=true"},
           {"spec.nodeName: Invalid value: \"\": must be either unset or set to a non-empty "
            "string"}},
          {{"spec.nodeName=\"N\""}, {"spec.nodeName: Invalid value: \"N\": " + kBadSubdomain}},
          {{"spec.allNodes=false", "spec.perDeviceNodeSelection=false"},
           {"spec.allNodes: Invalid value: false: must be either unset or set to true",
            "spec.perDeviceNodeSelection: Invalid value: false: must be either unset or set to "
            "true"}},
          {{"spec.allNodes=true", R"(spec.nodeSelector={"nodeSelectorTerms":[{}]})"},
           {"spec: Invalid value: \"{`nodeName`, `nodeSelector`, `allNodes`}\": " + exactly_one +
            ", but multiple fields are set"}},
          {{"spec.nodeName", R"(spec.nodeSelector={"nodeSelectorTerms":[]})"},
           {"spec.nodeSelector.nodeSelectorTerms: Required value: must have at least one node "
            "selector term",
            "spec.nodeSelector.nodeSelectorTerms: Invalid value: []: must have exactly one node "
            "selector term"}},
          {{"spec.nodeName", R"(spec.nodeSelector={"nodeSelectorTerms":[{},{}]})"},
           {"spec.nodeSelector.nodeSelectorTerms: Invalid value: [{\"MatchExpressions\":null,"
            "\"MatchFields\":null},{\"MatchExpressions\":null,\"MatchFields\":null}]: must have "
            "exactly one node selector term"}},
          {{"spec.nodeName", R"(spec.nodeSelector={"nodeSelectorTerms":[{"matchExpressions":[
              {"key":"k","operator":"Exists"}]}]})"},
           {}},
          {{R"(spec.sharedCounters=[{"name":"c","counters":{"m":{"value":"1"}}}])"},
           {"spec: Invalid value: \"\": only one of `sharedCounters` or `devices` is allowed"}},
      });
}

TEST(ResourceSliceTest, SharedCounters) {
  const std::string c = "spec.sharedCounters";
  const std::string set = R"({"name":"s#","counters":{"m":{"value":"-1"}}})";
  const std::string counters = R"("m#":{"value":"1"})";
  ExpectCreate<ResourceSlice>(
      Edited(kSlice, {"spec.devices"}),
      {
          {{c + "=" + Repeated(8, set)}, {}},
          {{c + "=" + Repeated(9, set)}, {c + ": Too many: 9: must have at most 8 items"}},
          {{c + "=[{}]"}, {c + "[0].name: Required value", c + "[0].counters: Required value"}},
          {{c + R"(=[{"name":"A","counters":{"B":{}}},{"name":"A","counters":{"b":{}}}])"},
           {c + "[0].name: Invalid value: \"A\": " + kBadLabel,
            c + "[0].counters: Invalid value: \"B\": " + kBadLabel,
            c + "[1].name: Invalid value: \"A\": " + kBadLabel, c + "[1]: Duplicate value: \"A\""}},
          {{c + "=[{\"name\":\"s\",\"counters\":" + Repeated(32, counters, "{}") + "}]"}, {}},
          {{c + "=[{\"name\":\"s\",\"counters\":" + Repeated(33, counters, "{}") + "}]"},
           {c + "[0].counters: Too many: 33: must have at most 32 items"}},
      });
}

TEST(ResourceSliceTest, Devices) {
  const std::string d = "spec.devices";
  ExpectCreate<ResourceSlice>(
      kSlice,
      {
          {{d + "=[{\"name\":\"A\"},{\"name\":\"a\"},{\"name\":\"a\"}]"},
           {d + "[0].name: Invalid value: \"A\": " + kBadLabel, d + "[2]: Duplicate value: \"a\""}},
          {{d + "=" + Repeated(128, R"({"name":"d#"})")}, {}},
          {{d + "=" + Repeated(129, R"({"name":"d#"})")},
           {d + ": Too many: 129: must have at most 128 items"}},
          // Half as many where one of them says much of itself.
          {{d + "=" + Repeated(64, R"({"name":"d#","taints":[{"key":"a","effect":"None"}]})")}, {}},
          {{d + "=" + Repeated(65, R"({"name":"d#"})"),
            d + "[7].taints=[{\"key\":\"a\",\"effect\":\"None\"}]"},
           {d + ": Too many: 65: must have at most 64 items"}},
          {{d + "=" + Repeated(65, R"({"name":"d#"})"),
            d + R"([7].consumesCounters=[{"counterSet":"c","counters":{"m":{"value":"1"}}}])"},
           {d + ": Too many: 65: must have at most 64 items"}},
          {{d + "=" + Repeated(65, R"({"name":"d#"})"), d + R"([7].attributes={"a":{"ints":[1]}})"},
           {d + ": Too many: 65: must have at most 64 items"}},
      });
}

TEST(ResourceSliceTest, Attributes) {
  const std::string d = "spec.devices[0]";
  const std::string a = d + ".attributes";
  const std::string one = ": exactly one value must be specified";
  const std::string not_version = ": must be a string compatible with semver.org spec 2.0.0";
  const std::string long_key = std::string(60, 'a') + "." + std::string(60, 'b') + "/c";
  ExpectCreate<ResourceSlice>(
      kSlice,
      {
          {{a + R"(={"a":{"ints":[1,2]},"b":{"bools":[true]},"c":{"strings":["x",""]},
              "d":{"versions":["0.0.0"]}})"},
           {}},
          {{a + R"(={"a":{}})"}, {a + "[a]: Invalid value: \"\"" + one}},
          {{a + R"(={"a":{"int":1,"strings":["s"]}})"},
           {a +
            "[a]: Invalid value: {\"IntValue\":1,\"BoolValue\":null,\"StringValue\":null,"
            "\"VersionValue\":null,\"IntValues\":null,\"BoolValues\":null,\"StringValues\":["
            "\"s\"],\"VersionValues\":null}" +
            one}},
          {{a + "={\"a\":{\"string\":\"" + std::string(64, 's') + "\"}}"}, {}},
          {{a + "={\"a\":{\"string\":\"" + std::string(65, 's') + "\"}}"},
           {a + "[a].string: Too long: may not be more than 64 bytes"}},
          {{a + "={\"a\":{\"strings\":[\"" + std::string(65, 's') + "\"]}}"},
           {a + "[a].strings[0]: Too long: may not be more than 64 bytes"}},
          {{a + R"(={"a":{"version":"1.0"},"b":{"versions":["1.0.0","01.0.0"]}})"},
           {a + "[a].version: Invalid value: \"1.0\"" + not_version,
            a + "[b].versions[1]: Invalid value: \"01.0.0\"" + not_version}},
          {{a + "={\"a\":{\"version\":\"1.0.0-" + std::string(59, 'r') + "\"}}"},
           {a + "[a].version: Too long: may not be more than 64 bytes"}},
          {{a + R"(={"1":{"int":1},"/a":{"int":1},"a/":{"int":1},"a/b/c":{"int":1}})"},
           {a + ": Invalid value: \"\": the domain must not be empty",
            a + ": Invalid value: \"1\": a valid C identifier must start with alphabetic character "
                "or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  "
                "or 'MY_NAME',  or 'MyName', regex used for validation is "
                "'[A-Za-z_][A-Za-z0-9_]*')",
            a + ": Invalid value: \"\": the name must not be empty"}},
          // A key that is too long is shown without its middle.
          {{a + "={\"" + long_key + "\":{}}"},
           {a + ": Too long: may not be more than 63 bytes",
            a + "[" + long_key.substr(0, 47) + "..." + long_key.substr(long_key.size() - 46) +
                "]: Invalid value: \"\"" + one}},
          {{a + "=" + Repeated(31, R"("a#":{"int":1})", "{}")}, {}},
          {{a + "=" + Repeated(32, R"("a#":{"int":1})", "{}")},
           {d + ": Invalid value: 33: the total number of attributes and capacities must not "
                "exceed 32"}},
          {{a + "=" + Repeated(16, R"("a#":{"ints":[1,2,3]})", "{}")}, {}},
          {{a + "=" + Repeated(16, R"("a#":{"ints":[1,2,3]})", "{}"), a + ".b={\"int\":1}"},
           {d + ": Invalid value: 49: the total number of attribute values must not exceed 48"}},
      });
}

TEST(ResourceSliceTest, TaintsAndCounters) {
  const std::string d = "spec.devices[0]";
  const std::string t = d + ".taints";
  const std::string c = d + ".consumesCounters";
  const std::string taint = R"({"key":"a#","effect":"NoSchedule"})";
  const std::string consumption = R"({"counterSet":"s#","counters":{"m":{"value":"1"}}})";
  ExpectCreate<ResourceSlice>(
      kSlice,
      {
          {{t + "=" + Repeated(16, taint)}, {}},
          {{t + "=" + Repeated(17, taint)}, {t + ": Too many: 17: must have at most 16 items"}},
          {{t + R"(=[{"key":"-","value":"-"},{"key":"a","effect":"Never"}])"},
           {t + "[0].key: Invalid value: \"-\": " + kBadQualified,
            t + "[0].value: Invalid value: \"-\": " + kBadLabelValue,
            t + "[0].effect: Required value",
            t + "[1].effect: Unsupported value: \"Never\": supported values: \"NoExecute\", "
                "\"NoSchedule\", \"None\""}},
          {{c + "=" + Repeated(2, consumption)}, {}},
          {{c + "=" + Repeated(3, consumption)}, {c + ": Too many: 3: must have at most 2 items"}},
          {{c + "=[{},{\"counterSet\":\"\",\"counters\":{\"A\":{}}}]"},
           {c + "[0].counterSet: Required value", c + "[0].counters: Required value",
            c + "[1].counterSet: Required value",
            c + "[1].counters: Invalid value: \"A\": " + kBadLabel,
            c + "[1]: Duplicate value: \"\""}},
          {{d + ".bindingConditions=[\"a\"]"},
           {d + ".bindingFailureConditions: Invalid value: null: bindingFailureConditions are "
                "required to use bindingConditions"}},
      });
}

TEST(ResourceSliceTest, NodesOfDevices) {
  const std::string d = "spec.devices[0]";
  const std::string one =
      "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when "
      "`perDeviceNodeSelection` is set to true in the ResourceSlice spec";
  const std::string not_here =
      ": Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if "
      "`perDeviceNodeSelection` is set to true in the ResourceSlice spec";
  ExpectCreate<ResourceSlice>(
      kSlice, {{{d + ".allNodes=false"}, {d + not_here}},
               {{d + ".nodeName=\"n\""}, {d + not_here}},
               {{d + R"(.nodeSelector={"nodeSelectorTerms":[]})"}, {d + not_here}}});
  ExpectCreate<ResourceSlice>(
      Edited(kSlice, {"spec.nodeName", "spec.perDeviceNodeSelection=true"}),
      {
          {{}, {d + ": Required value: " + one}},
          {{d + ".nodeName=\"n\""}, {}},
          {{d + ".allNodes=true"}, {}},
          {{d + R"(.nodeSelector={"nodeSelectorTerms":[{},{}]})"}, {}},
          {{d + ".nodeName=\"\"", d + ".allNodes=false"},
           {d + ".nodeName: Invalid value: \"\": must not be empty",
            d + ".allNodes: Invalid value: false: must be either unset or set to true",
            d + ": Required value: " + one}},
          {{d + ".nodeName=\"N\"", d + R"(.nodeSelector={"nodeSelectorTerms":[]})"},
           {d + ".nodeName: Invalid value: \"N\": " + kBadSubdomain,
            d + ".nodeSelector.nodeSelectorTerms: Required value: must have at least one node "
                "selector term",
            d + ": Invalid value: \"{`nodeName`, `nodeSelector`}\": " + one}},
      });
}

TEST(ResourceSliceTest, NodeResources) {
  const std::string m = "spec.devices[0].nodeAllocatableResourceMappings";
  ExpectCreate<ResourceSlice>(
      kSlice,
      {
          {{m + R"(={"example.com/x":{"allocationMultiplier":"1"}})"},
           {m + "[example.com/x]: Invalid value: \"example.com/x\": must be a node allocatable "
                "resource name"}},
          {{m + R"(={"cpu":{}})"},
           {m + "[cpu]: Invalid value: \"\": at least one of allocationMultiplier or capacityKey "
                "must be set"}},
          {{m + R"(={"cpu":{"allocationMultiplier":"0","capacityKey":""},
                    "memory":{"capacityKey":"other"}})"},
           {m + "[cpu].allocationMultiplier: Invalid value: \"0\": must be positive",
            m + "[cpu].capacityKey: Invalid value: \"\": capacityKey must not be an empty string",
            m + "[memory].capacityKey: Not found: \"other\""}},
      });
}

TEST(ResourceSliceTest, RequestPolicy) {
  const std::string c = "spec.devices[0].capacity";
  const std::string p = c + "[memory].requestPolicy";
  const auto policy = [&](const std::string& json) {
    return std::vector<std::string>{c + ".memory.requestPolicy=" + json};
  };
  ExpectCreate<ResourceSlice>(
      kSlice, {{policy("{}"), {p + ": Forbidden: allowMultipleAllocations must be true"}},
               {{c + R"(={"1":{"value":"1"}})", "spec.devices[0].nodeAllocatableResourceMappings"},
                {c + ": Invalid value: \"1\": a valid C identifier must start with alphabetic "
                     "character or '_', followed by a string of alphanumeric characters or '_' "
                     "(e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is "
                     "'[A-Za-z_][A-Za-z0-9_]*')"}}});
  const std::string v = p + ".validValues";
  ExpectCreate<ResourceSlice>(
      Edited(kSlice, {"spec.devices[0].allowMultipleAllocations=true"}),
      {
          {policy("{}"), {}},
          {policy(R"({"default":"1","validValues":["1"],"validRange":{"min":"1"}})"),
           {p + ": Forbidden: exactly one policy can be specified, cannot specify \"validValues\" "
                "and \"validRange\" at the same time"}},
          {policy(R"({"validValues":["1"]})"),
           {p + ".default: Required value: required when validValues is defined"}},
          {policy(R"({"validRange":{}})"),
           {p + ".default: Required value: required when validRange is defined"}},
          {policy(R"({"default":"2","validValues":["1","2","1Gi"]})"), {}},
          {policy(R"({"default":"3","validValues":["2","1","2Gi","2"]})"),
           {v + "[1]: Invalid value: \"1\": values must be sorted in ascending order",
            v + "[3]: Invalid value: \"2\": values must be sorted in ascending order",
            v + "[2]: Invalid value: \"2Gi\": option is larger than capacity value: 1Gi",
            v + "[3]: Duplicate value: \"2\"",
            v + ": Invalid value: \"3\": default value is not valid according to the "
                "requestPolicy"}},
          {policy(R"({"default":"1","validValues":)" + Repeated(11, "\"#\"") + "}"),
           {v + ": Too many: 11: must have at most 10 items",
            v + ": Invalid value: \"1\": default value is not valid according to the "
                "requestPolicy"}},
      });
}

TEST(ResourceSliceTest, RequestRange) {
  const std::string r = "spec.devices[0].capacity[memory].requestPolicy.validRange";
  const auto range = [](const std::string& value, const std::string& json) {
    return std::vector<std::string>{
        "spec.devices[0].capacity.memory.requestPolicy={\"default\":\"" + value +
        "\",\"validRange\":" + json + "}"};
  };
  ExpectCreate<ResourceSlice>(
      Edited(kSlice, {"spec.devices[0].allowMultipleAllocations=true"}),
      {
          {range("3", R"({"min":"1","max":"9","step":"2"})"), {}},
          {range("1", R"({"min":"1"})"), {}},
          {range("1", "{}"), {r + ".min: Required value: required when validRange is defined"}},
          {range("1", R"({"min":"2Gi"})"),
           {r + ".min: Invalid value: \"2Gi\": min is larger than capacity value: 1Gi",
            r + ".min: Invalid value: \"1\": default is less than min: 2Gi"}},
          {range("3", R"({"min":"2","max":"1"})"),
           {r + ".max: Invalid value: \"2\": min is larger than max: 1",
            r + ".max: Invalid value: \"3\": default is more than max: 1"}},
          {range("3", R"({"min":"2","max":"2Gi"})"),
           {r + ".max: Invalid value: \"2Gi\": max is larger than capacity value: 1Gi"}},
          {range("3", R"({"min":"2","step":"0"})"),
           {r + ".step: Invalid value: \"0\": must be greater than zero"}},
          {range("2", R"({"min":"2","step":"1Gi"})"),
           {r + ".step: Invalid value: \"1Gi\": one step 1073741826 is larger than capacity value: "
                "1Gi"}},
          {range("4", R"({"min":"1","max":"6","step":"2"})"),
           {r + ".step: Invalid value: \"4\": value is not a multiple of a given step (2) from (1)",
            r + ".step: Invalid value: \"6\": value is not a multiple of a given step (2) from "
                "(1)"}},
          // Amounts beyond an int64 neither trap nor wrap.
          {range("3", R"({"min":"-9E","max":"9E","step":"1n"})"),
           {r + ".max: Invalid value: \"9E\": max is larger than capacity value: 1Gi"}},
      });
}

TEST(ResourceSliceTest, Update) {
  const std::string two_taints =
      R"(spec.devices[0].taints=[{"key":"a","effect":"None"},{"key":"-","effect":"None"}])";
  ExpectUpdate<ResourceSlice>(
      kSlice,
      {
          {{"spec.devices", "spec.pool.generation=2"}, {}},
          {{"spec.pool.name=\"q\"", "spec.driver=\"e\"", "spec.nodeName=\"m\""},
           {"spec.pool.name: Invalid value: \"q\": field is immutable",
            "spec.driver: Invalid value: \"e\": field is immutable",
            "spec.nodeName: Invalid value: \"m\": field is immutable"}},
          {{"spec.nodeName", "spec.allNodes=true", "metadata.labels={\"a\":\"-\"}"},
           {"metadata.labels: Invalid value: \"-\": " + kBadLabelValue,
            "spec.nodeName: Invalid value: null: field is immutable"}},
          {{two_taints}, {"spec.devices[0].taints[1].key: Invalid value: \"-\": " + kBadQualified}},
      });
  // Taints that a device had may stay.
  ExpectUpdate<ResourceSlice>(
      Edited(kSlice, {two_taints}),
      {
          {{"spec.pool.generation=2"}, {}},
          {{"spec.devices[0].taints[0].effect=\"NoExecute\""},
           {"spec.devices[0].taints[1].key: Invalid value: \"-\": " + kBadQualified}},
          {{"spec.devices[0].name=\"other\""},
           {"spec.devices[0].taints[1].key: Invalid value: \"-\": " + kBadQualified}},
      });
}

}  // namespace
}  // namespace podium::api
