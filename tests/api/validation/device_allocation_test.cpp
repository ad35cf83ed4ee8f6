// The status of ResourceClaims, after pkg/apis/resource/validation.
#include <string>

#include "api/types/resource_v1.h"
#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using resource::v1::ResourceClaim;

constexpr char kUnallocated[] = R"({"metadata": {"name": "c", "namespace": "ns"}, "spec": {
  "devices": {"requests": [
    {"name": "one", "exactly": {"deviceClassName": "c"}},
    {"name": "two", "firstAvailable": [{"name": "a", "deviceClassName": "c"}]}]}}})";

constexpr char kAllocation[] = R"({
  "devices": {
    "results": [
      {"request": "one", "driver": "d.example.com", "pool": "node/1", "device": "gpu-0",
       "shareID": "01234567-89ab-cdef-0123-456789abcdef",
       "bindingConditions": ["a"], "bindingFailureConditions": ["b"], "tolerations": [{}]},
      {"request": "two/a", "driver": "d.example.com", "pool": "p", "device": "gpu-1"}],
    "config": [{"source": "FromClass", "requests": ["one"],
      "opaque": {"driver": "d", "parameters": {}}},
      {"source": "FromClaim", "opaque": {"driver": "d", "parameters": {}}}]},
  "nodeSelector": {"nodeSelectorTerms": [{"matchFields": [
    {"key": "metadata.name", "operator": "In", "values": ["n"]}]}]}})";

std::string Allocated() {
  return Edited(kUnallocated, {std::string("status.allocation=") + kAllocation});
}

void ExpectStatus(const std::string& base, const std::vector<ErrorCase>& cases) {
  ExpectUpdate<ResourceClaim>(base, cases, "status");
}

// A list of `count` times `item`, in which # is the index.
std::string Repeated(int count, const std::string& item) {
  std::string list = "[";
  for (int i = 0; i < count; ++i) {
    if (i > 0) list += ',';
    const size_t mark = item.find('#');
    list +=
        mark == item.npos ? item : item.substr(0, mark) + std::to_string(i) + item.substr(mark + 1);
  }
  return list + "]";
}

TEST(DeviceAllocationTest, Allocation) {
  const std::string a = "status.allocation";
  const std::string set = a + "=" + kAllocation;
  const std::string r = a + ".devices.results";
  const std::string c = a + ".devices.config";
  const std::string no_request =
      "must be the name of a request in the claim or the name of a request and a subrequest "
      "separated by '/'";
  ExpectStatus(
      kUnallocated,
      {
          {{set}, {}},
          {{a + "={}"}, {}},
          {{set, "metadata.labels={\"a\":\"-\"}"},
           {"metadata.labels: Invalid value: \"-\": " + kBadLabelValue}},
          {{set, r + "[1]={\"request\":\"three\"}"},
           {r + "[1].request: Invalid value: \"three\": " + no_request,
            r + "[1].driver: Required value", r + "[1].pool: Required value",
            r + "[1].device: Invalid value: \"\": " + kBadLabel}},
          {{set, r + "[1].driver=\"-\"", r + "[1].pool=\"a//B\"", r + "[1].device=\"D\""},
           {r + "[1].driver: Invalid value: \"-\": " + kBadSubdomain,
            r + "[1].pool: Invalid value: \"\": " + kBadSubdomain,
            r + "[1].pool: Invalid value: \"B\": " + kBadSubdomain,
            r + "[1].device: Invalid value: \"D\": " + kBadLabel}},
          {{set, r + "[1].pool=\"" + std::string(127, 'a') + "/" + std::string(126, 'b') + "\""},
           {r + "[1].pool: Too long: may not be more than 253 bytes"}},
          {{set, r + "[1].tolerations=[{\"value\":\"-\"}]"},
           {r + "[1].tolerations[0].value: Invalid value: \"-\": " + kBadLabelValue}},
          {{a + ".devices.results=" +
            Repeated(33, R"({"request":"one","driver":"d","pool":"p","device":"d#"})")},
           {r + ": Too many: 33: must have at most 32 items"}},
          {{set, c + "[0].source=\"\"", c + "[0].opaque", c + "[1].source=\"FromPod\"",
            c + "[1].requests=[\"one\",\"one\"]"},
           {c + "[0].source: Required value", c + "[0].opaque: Required value",
            c + "[1].source: Unsupported value: \"FromPod\": supported values: \"FromClaim\", "
                "\"FromClass\"",
            c + "[1].requests[1]: Duplicate value: \"one\""}},
          {{c + "=" + Repeated(65, "{}")}, {c + ": Too many: 65: must have at most 64 items"}},
          {{set, a + ".nodeSelector={\"nodeSelectorTerms\":[]}"},
           {a + ".nodeSelector.nodeSelectorTerms: Required value: must have at least one node "
                "selector term"}},
      });
}

TEST(DeviceAllocationTest, BindingConditions) {
  const std::string r = "status.allocation.devices.results[0]";
  const std::string b = r + ".bindingConditions";
  const std::string f = r + ".bindingFailureConditions";
  const auto set = [&](const std::string& conditions, const std::string& failures) {
    return std::vector<std::string>{std::string("status.allocation=") + kAllocation,
                                    b + "=[" + conditions + "]", f + "=[" + failures + "]"};
  };
  ExpectStatus(
      kUnallocated,
      {
          {set("", ""), {}},
          {set(R"("a","b","c","d")", R"("e","f","g","h")"), {}},
          {set(R"("a","-","a")", R"("b","-")"),
           {b + "[1]: Invalid value: \"-\": " + kBadQualified,
            f + "[1]: Invalid value: \"-\": " + kBadQualified, b + "[2]: Duplicate value: \"a\"",
            f + "[1]: Invalid value: \"-\": bindingFailureConditions must not overlap with "
                "bindingConditions"}},
          {set(R"("a")", R"("b","b")"), {f + "[1]: Duplicate value: \"b\""}},
          {set(R"("a","b","c","d","e")", R"("f","g","h","i","f")"),
           {b + ": Too many: 5: must have at most 4 items",
            f + ": Too many: 5: must have at most 4 items", f + "[4]: Duplicate value: \"f\""}},
          {set(R"("a")", ""),
           {f + ": Invalid value: null: bindingFailureConditions are required to use "
                "bindingConditions"}},
          {set("", R"("a")"),
           {b + ": Invalid value: null: bindingConditions are required to use "
                "bindingFailureConditions"}},
      });
}

// The forms that github.com/google/uuid reads, of which one may be stored.
TEST(DeviceAllocationTest, ShareID) {
  const std::string s = "status.allocation.devices.results[0].shareID";
  const std::string plain = "01234567-89ab-cdef-0123-456789abcdef";
  const auto expect = [&](const std::string& id, const std::string& detail) {
    std::vector<std::string> errors;
    if (!detail.empty()) errors.push_back(s + ": Invalid value: \"" + id + "\": " + detail);
    ExpectStatus(
        kUnallocated,
        {{{std::string("status.allocation=") + kAllocation, s + "=\"" + id + "\""}, errors}});
  };
  const std::string not_normal =
      "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with "
      "lowercase hexadecimal characters";
  const std::string problem = "error validating uid: ";
  expect(plain, "");
  expect("01234567-89AB-cdef-0123-456789abcdef", not_normal);
  expect("urn:UUID:" + plain, not_normal);
  expect("{" + plain + "}", not_normal);
  expect("0123456789abcdef0123456789abcdef", not_normal);
  expect("", problem + "invalid UUID length: 0");
  expect(plain + "0", problem + "invalid UUID length: 37");
  expect("0123456789abcdef0123456789abcdeg", problem + "invalid UUID format");
  expect("01234567-89ab-cdef-0123-456789abcdeg", problem + "invalid UUID format");
  expect("01234567089ab-cdef-0123-456789abcdef", problem + "invalid UUID format");
  expect("[" + plain + "}", problem + "invalid bracketed UUID format");
  ExpectStatus(
      kUnallocated,
      {{{std::string("status.allocation=") + kAllocation, s + "=\"urn:guid:" + plain + "\""},
        {s + ": Invalid value: \"urn:guid:" + plain + "\": " + problem +
         "invalid urn prefix: \"urn:guid:\""}}});
}

TEST(DeviceAllocationTest, AllocationStays) {
  const std::string allocated =
      Edited(kUnallocated, {"status.allocation.nodeSelector.nodeSelectorTerms=[{}]"});
  ExpectStatus(
      allocated,
      {
          {{}, {}},
          {{"status.allocation"}, {}},
          // Nothing else is said of one that changes.
          {{R"(status.allocation={"devices":{"results":[{}]}})"},
           {"status.allocation: Invalid value: {\"Devices\":{\"Results\":[{\"Request\":\"\","
            "\"Driver\":\"\",\"Pool\":\"\",\"Device\":\"\",\"AdminAccess\":null,\"Tolerations\":"
            "null,\"BindingConditions\":null,\"BindingFailureConditions\":null,\"ShareID\":null,"
            "\"ConsumedCapacity\":null}],\"Config\":null},\"NodeSelector\":null,"
            "\"AllocationTimestamp\":null}: field is immutable"}},
      });
}

TEST(DeviceAllocationTest, ReservedFor) {
  const std::string u = "status.reservedFor";
  const std::string user = R"({"resource":"pods","name":"p","uid":"1"})";
  const std::string many = R"({"resource":"pods","name":"p","uid":"u#"})";
  ExpectStatus(Allocated(),
               {
                   {{u + "=[" + user + "]"}, {}},
                   {{u + "=" + Repeated(256, many)}, {}},
                   {{u + "=" + Repeated(257, many)},
                    {u + ": Too many: 257: must have at most 256 "
                         "items"}},
                   {{u + "=[{}]"},
                    {u + "[0].resource: Required value", u + "[0].name: Required value",
                     u + "[0].uid: Required value"}},
                   {{u + "=[" + user + "," + user + "]"}, {u + "[1]: Duplicate value: \"1\""}},
               });
  ExpectStatus(kUnallocated,
               {{{u + "=[" + user + "]"},
                 {u + ": Forbidden: may not be specified when `allocated` is not set"}}});
  const std::string deleted =
      Edited(Allocated(), {"metadata.deletionTimestamp=\"2024-01-01T00:00:00Z\"",
                           u + "=[" + user + R"(,{"resource":"pods","name":"q","uid":"2"}])"});
  ExpectStatus(deleted,
               {
                   {{u + "=[" + user + "]"}, {}},
                   {{u + R"(=[{"resource":"pods","name":"other","uid":"1"}])"},
                    {u + ": Forbidden: new entries may not be added while `deallocationRequested` "
                         "or `deletionTimestamp` are set"}},
               });
}

TEST(DeviceAllocationTest, Reports) {
  const std::string d = "status.devices";
  const std::string device = R"({"driver":"d.example.com","pool":"p","device":"gpu-1"})";
  const std::string not_allocated = ": must be an allocated device in the claim";
  ExpectStatus(
      Allocated(),
      {
          {{d + "=[" + device + R"(,{"driver":"d.example.com","pool":"node/1","device":"gpu-0",
              "shareID":"01234567-89ab-cdef-0123-456789abcdef"}])"},
           {}},
          {{d + "=[" + device + "," + device + "]"},
           {d + "[1]: Duplicate value: {\"Driver\":\"d.example.com\",\"Pool\":\"p\",\"Device\":"
                "\"gpu-1\",\"ShareID\":\"\"}"}},
          {{d + "=[{\"shareID\":\"x\"}]"},
           {d + "[0].driver: Required value", d + "[0].pool: Required value",
            d + "[0].device: Invalid value: \"\": " + kBadLabel,
            d + "[0].shareID: Invalid value: \"x\": error validating uid: invalid UUID length: 1",
            d +
                "[0]: Invalid value: {\"Driver\":\"\",\"Pool\":\"\",\"Device\":\"\",\"ShareID\":"
                "\"x\"}" +
                not_allocated}},
          // A share is not the device.
          {{d + R"(=[{"driver":"d.example.com","pool":"node/1","device":"gpu-0"}])"},
           {d +
            "[0]: Invalid value: {\"Driver\":\"d.example.com\",\"Pool\":\"node/1\","
            "\"Device\":\"gpu-0\",\"ShareID\":\"\"}" +
            not_allocated}},
      });
}

TEST(DeviceAllocationTest, ReportedFacts) {
  const std::string d = "status.devices[0]";
  const std::string device =
      "status.devices=[{\"driver\":\"d.example.com\",\"pool\":\"p\",\"device\":\"gpu-1\"}]";
  const std::string n = d + ".networkData";
  const std::string condition = R"({"type":"T#","status":"True","reason":"R","message":"",
      "lastTransitionTime":"2024-01-01T00:00:00Z"})";
  ExpectStatus(
      Allocated(),
      {
          {{device, d + ".conditions=" + Repeated(8, condition), d + ".data={\"a\":1}",
            n + R"(={"interfaceName":"eth0","ips":["10.0.0.1/24"],"hardwareAddress":"ea"})"},
           {}},
          {{device, d + ".data=null", n + "={}"}, {}},
          {{device, d + ".conditions=" + Repeated(9, condition)},
           {d + ".conditions: Too many: 9: must have at most 8 items"}},
          {{device, d + ".conditions=" + Repeated(1, condition), d + ".conditions[0].reason=\"\""},
           {d + ".conditions[0].reason: Required value: must be set"}},
          {{device, d + ".data=\"text\""},
           {d + ".data: Invalid value: \"<value omitted>\": must be a valid JSON object"}},
          {{device, n + ".interfaceName=\"" + std::string(257, 'e') + "\"",
            n + ".hardwareAddress=\"" + std::string(129, 'e') + "\"",
            n + R"(.ips=["10.0.0.1","::1/128","::1/128"])"},
           {n + ".interfaceName: Too long: may not be more than 256 bytes",
            n + ".hardwareAddress: Too long: may not be more than 128 bytes",
            n + ".ips[0]: Invalid value: \"10.0.0.1\": must be a valid address in CIDR form, (e.g. "
                "10.9.8.7/24 or 2001:db8::1/64)",
            n + ".ips[2]: Duplicate value: \"::1/128\""}},
          {{device, n + ".ips=" + Repeated(17, "\"10.0.0.#/8\"")},
           {n + ".ips: Too many: 17: must have at most 16 items"}},
      });
}

}  // namespace
}  // namespace podium::api
