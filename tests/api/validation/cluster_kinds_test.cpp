#include "api/validation/cluster_kinds.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using apps::v1::ControllerRevision;
using coordination::v1::Lease;
using node::v1::RuntimeClass;
using scheduling::v1::PriorityClass;

TEST(ClusterKinds, Lease) {
  constexpr char kLease[] = R"({"metadata": {"name": "l", "namespace": "n"}, "spec": {}})";
  const std::vector<ErrorCase> cases = {
      {{"spec.leaseDurationSeconds=1", "spec.leaseTransitions=0"}, {}},
      {{"spec.strategy=\"OldestEmulationVersion\"", "spec.preferredHolder=\"h\""}, {}},
      {{"spec.strategy=\"a.b/c\"", R"(metadata.finalizers=["own"])"}, {}},
      {{"spec.leaseDurationSeconds=0", "spec.leaseTransitions=-1", "spec.strategy=\"X\""},
       {"spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
        "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
        "spec.strategy.strategy: Unsupported value: \"X\": supported values: "
        "\"OldestEmulationVersion\""}},
      {{"spec.strategy=\"a.b/-\"", "spec.preferredHolder=\"h\""},
       {"spec.strategy.strategy: Invalid value: \"a.b/-\": " + kBadQualified}},
      {{"spec.preferredHolder=\"h\""},
       {"spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined"}}};
  ExpectCreate<Lease>(kLease, cases);
  ExpectUpdate<Lease>(kLease, cases);
}

TEST(ClusterKinds, PriorityClass) {
  constexpr char kPriority[] = R"({"metadata": {"name": "p"}, "value": 10})";
  const std::string reserved =
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for "
      "system "
      "use only. error: ";
  ExpectCreate<PriorityClass>(
      kPriority,
      {{{"value=1000000000", "preemptionPolicy=\"Never\""}, {}},
       {{"metadata.name=\"system-node-critical\"", "value=2000001000"}, {}},
       {{"metadata.name=\"system-cluster-critical\"", "value=2000000000"}, {}},
       {{"metadata.name=\"system-node-critical\""},
        {reserved + "value of system-node-critical PriorityClass must be 2000001000"}},
       {{"metadata.name=\"system-node-critical\"", "value=2000001000", "globalDefault=true"},
        {reserved + "globalDefault of system-node-critical PriorityClass must be false"}},
       {{"metadata.name=\"system-x\""},
        {reserved + "system-x is not a known system priority class"}},
       {{"value=1000000001", "preemptionPolicy=\"X\""},
        {"value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
         "preemptionPolicy: Unsupported value: \"X\": supported values: \"PreemptLowerPriority\", "
         "\"Never\""}},
       {{"preemptionPolicy=\"\""}, {"preemptionPolicy: Required value"}}});
  ExpectUpdate<PriorityClass>(
      kPriority, {{{"globalDefault=true", "description=\"d\""}, {}},
                  {{"value=11", "preemptionPolicy=\"Never\""},
                   {"value: Forbidden: may not be changed in an update.",
                    "preemptionPolicy: Invalid value: \"Never\": field is immutable"}}});
}

TEST(ClusterKinds, RuntimeClass) {
  constexpr char kRuntime[] = R"({"metadata": {"name": "r"}, "handler": "h"})";
  ExpectCreate<RuntimeClass>(
      kRuntime,
      {{{"overhead.podFixed.cpu=\"1\"", "scheduling.nodeSelector.a=\"b\"",
         R"(scheduling.tolerations=[{"key":"a"},{"key":"b"}])"},
        {}},
       {{"handler=\"H\"", "overhead.podFixed.cpu=\"-1\"", "scheduling.nodeSelector.a=\"-\"",
         R"(scheduling.tolerations=[{"key":"a","operator":"Exists"},{"key":"a","operator":"Exists"}])"},
        {"handler: Invalid value: \"H\": " + kBadLabel,
         "overhead.limits[cpu]: Invalid value: \"-1\": must be greater than or equal to 0",
         "scheduling.nodeSelector: Invalid value: \"-\": " + kBadLabelValue,
         "scheduling.tolerations[1]: Duplicate value: "
         "{\"Key\":\"a\",\"Operator\":\"Exists\",\"Value\":\"\",\"Effect\":\"\","
         "\"TolerationSeconds\":null}"}}});
  ExpectUpdate<RuntimeClass>(
      kRuntime, {{{"metadata.labels.a=\"b\""}, {}},
                 {{"handler=\"i\""}, {"handler: Invalid value: \"i\": field is immutable"}}});
}

TEST(ClusterKinds, ControllerRevision) {
  constexpr char kRevision[] =
      R"({"metadata": {"name": "c", "namespace": "n"}, "data": {"a": 1}, "revision": 1})";
  ExpectCreate<ControllerRevision>(
      kRevision, {{{}, {}},
                  {{"data", "revision=-1"},
                   {"data: Required value: data is mandatory",
                    "revision: Invalid value: -1: must be greater than or equal to 0"}}});
  ExpectUpdate<ControllerRevision>(
      kRevision, {{{"revision=2"}, {}},
                  {{"data={\"a\":2}"}, {"data: Invalid value: {\"a\":2}: field is immutable"}}});
}

}  // namespace
}  // namespace podium::api
