#include "api/validation/api_service.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using apiregistration::v1::APIService;

constexpr char kBase[] = R"({"metadata": {"name": "v1.g.example"}, "spec": {
  "group": "g.example", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10,
  "service": {"namespace": "n", "name": "s", "port": 443}}})";

TEST(APIServices, Spec) {
  const std::string name = "must be `spec.version+\".\"+spec.group`: \"v1.g.example\"";
  ExpectCreate<APIService>(
      kBase,
      {{{}, {}},
       {{"spec.caBundle=\"YQ==\""}, {}},
       {{"spec.insecureSkipTLSVerify=true"}, {}},
       {{"spec.groupPriorityMinimum=20000", "spec.versionPriority=1000"}, {}},
       {{"spec.service"}, {}},
       // That of the core, served here.
       {{"metadata.name=\"v1.\"", "spec.group=\"\"", "spec.service"}, {}},
       {{"metadata.name=\"x\"", "metadata.generateName=\"y\"", "metadata.namespace=\"n\""},
        {"metadata.generateName: Invalid value: \"y\": " + name,
         "metadata.name: Invalid value: \"x\": " + name,
         "metadata.namespace: Forbidden: not allowed on this type"}},
       {{"metadata.name=\"v2.\"", "spec.group=\"\"", "spec.version=\"v2\""},
        {"spec.group: Required value: only v1 may have an empty group and it better be legacy "
         "kube"}},
       {{"metadata.name=\"v1.G\"", "spec.group=\"G\"", "spec.groupPriorityMinimum=20001",
         "spec.versionPriority=1001"},
        {"spec.group: Invalid value: \"G\": " + kBadSubdomain,
         "spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000",
         "spec.versionPriority: Invalid value: 1001: must be positive and less than 1000"}},
       {{"spec.groupPriorityMinimum=0", "spec.versionPriority=0"},
        {"spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000",
         "spec.versionPriority: Invalid value: 0: must be positive and less than 1000"}},
       {{"metadata.name=\"V.g.example\"", "spec.version=\"V\""},
        {"spec.version: Invalid value: \"V\": a DNS-1035 label must consist of lower case "
         "alphanumeric characters or '-', start with an alphabetic character, and end with an "
         "alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
         "'[a-z]([-a-z0-9]*[a-z0-9])?')"}}});
}

TEST(APIServices, Connections) {
  ExpectCreate<APIService>(
      kBase,
      {{{"spec.service={\"port\":70000}"},
        {"spec.service.namespace: Required value", "spec.service.name: Required value",
         "spec.service.port: Invalid value: 70000: port is not valid: " + kBadPort}},
       {{"spec.insecureSkipTLSVerify=true", "spec.caBundle=\"YQ==\""},
        {"spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is "
         "present"}},
       {{"spec.service", "spec.insecureSkipTLSVerify=true", "spec.caBundle=\"YQ==\""},
        {"spec.caBundle: Invalid value: \"1 bytes\": local APIServices may not have a caBundle",
         "spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have "
         "insecureSkipTLSVerify"}}});
}

TEST(APIServices, Updates) {
  ExpectUpdate<APIService>(
      kBase, {{{"spec.versionPriority=11"}, {}},
              {{"metadata.uid=\"u\"", "spec.versionPriority=0"},
               {"metadata.uid: Invalid value: \"u\": field is immutable",
                "spec.versionPriority: Invalid value: 0: must be positive and less than 1000"}}});
  // Of the spec nothing is looked at.
  const std::string conditions = R"(status.conditions=[{"type":"Available","status":")";
  ExpectUpdate<APIService>(
      kBase,
      {{{conditions + "True\"}]", "spec.versionPriority=0"}, {}},
       {{conditions + "x\"}]"},
        {"status.conditions[0].status: Unsupported value: \"x\": supported values: \"True\", "
         "\"False\", \"Unknown\""}}},
      "status");
}

}  // namespace
}  // namespace podium::api
