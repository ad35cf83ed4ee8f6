#include "api/validation/policy.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using policy::v1::PodDisruptionBudget;
using OldBudget = policy::v1beta1::PodDisruptionBudget;

constexpr char kBudget[] = R"({
  "metadata": {"name": "b", "namespace": "n"},
  "spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}})";

template <class Budget>
void ExpectSpecs() {
  ExpectCreate<Budget>(
      kBudget,
      {{{"spec.minAvailable=\"50%\"", "spec.unhealthyPodEvictionPolicy=\"AlwaysAllow\""}, {}},
       {{"metadata.name=\"A_b\""}, {}},
       {{"metadata.name=\"a/b\""}, {"metadata.name: Invalid value: \"a/b\": may not contain '/'"}},
       {{"spec.maxUnavailable=-1"},
        {"spec: Invalid value: "
         "{\"MinAvailable\":1,\"Selector\":{\"matchLabels\":{\"a\":\"b\"}},\"MaxUnavailable\":-1,"
         "\"UnhealthyPodEvictionPolicy\":null}: minAvailable and maxUnavailable cannot be both set",
         "spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0"}},
       // The metadata is looked at when the rest is right.
       {{"metadata.name=\"a/b\"", "spec.minAvailable=\"101%\"", "spec.selector.matchLabels.a=\"-\"",
         "spec.unhealthyPodEvictionPolicy=\"X\""},
        {"spec.minAvailable: Invalid value: \"101%\": must not be greater than 100%",
         "spec.selector.matchLabels: Invalid value: \"-\": " + kBadLabelValue,
         "spec.unhealthyPodEvictionPolicy: Unsupported value: \"X\": supported values: "
         "\"AlwaysAllow\", \"IfHealthyBudget\""}}});
  ExpectUpdate<Budget>(kBudget, {{{"spec.minAvailable=2"}, {}},
                                 {{"metadata.uid=\"u\"", "spec.minAvailable=-1"},
                                  {"metadata.uid: Invalid value: \"u\": field is immutable",
                                   "spec.minAvailable: Invalid value: -1: must be greater than or "
                                   "equal to 0"}}});
}

TEST(Policy, Specs) {
  ExpectSpecs<PodDisruptionBudget>();
  ExpectSpecs<OldBudget>();
}

TEST(Policy, Status) {
  const std::string counters =
      R"(status={"disruptionsAllowed":-1,"currentHealthy":-1,"desiredHealthy":-1,"expectedPods":-1})";
  const std::string negative = ": Invalid value: -1: must be greater than or equal to 0";
  ExpectUpdate<PodDisruptionBudget>(
      kBudget,
      {{{R"(status={"disruptionsAllowed":1})"}, {}},
       {{counters},
        {"status.disruptionsAllowed" + negative, "status.currentHealthy" + negative,
         "status.desiredHealthy" + negative, "status.expectedPods" + negative}}},
      "status");
  ExpectUpdate<OldBudget>(kBudget, {{{counters}, {}}}, "status");
}

TEST(Policy, Conditions) {
  const std::string first = "status.conditions[0].";
  const std::string second = "status.conditions[1].";
  const std::string good =
      R"({"type":"A","status":"True","reason":"R","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"})";
  ExpectUpdate<PodDisruptionBudget>(
      kBudget,
      {{{"status.conditions=[" + good + "]"}, {}},
       {{"status.conditions=[" + good + "," + good + "]"},
        {second + "type: Duplicate value: \"A\""}},
       {{R"(status.conditions=[{"type":"-","status":"X","reason":"1","message":"","observedGeneration":-1,"lastTransitionTime":null}])"},
        {first + "type: Invalid value: \"-\": " + kBadQualified,
         first + "status: Unsupported value: \"X\": supported values: \"False\", \"True\", "
                 "\"Unknown\"",
         first + "observedGeneration: Invalid value: -1: must be greater than or equal to zero",
         first + "lastTransitionTime: Required value: must be set",
         first +
             "reason: Invalid value: \"1\": a condition reason must start with alphabetic "
             "character, optionally followed by a string of alphanumeric characters or '_,:', "
             "and must end with an alphanumeric character or '_' (e.g. 'my_name',  or "
             "'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used "
             "for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')"}},
       {{"status.conditions=[" + good + "]", "status.conditions[0].reason=\"\"",
         "status.conditions[0].message=\"" + std::string(32769, 'x') + "\""},
        {first + "reason: Required value: must be set",
         first + "message: Too long: may not be more than 32768 bytes"}},
       {{"status.conditions=[" + good + "]",
         "status.conditions[0].reason=\"" + std::string(1025, 'x') + "\""},
        {first + "reason: Too long: may not be more than 1024 bytes"}}},
      "status");
}

}  // namespace
}  // namespace podium::api
