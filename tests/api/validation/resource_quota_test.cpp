#include "api/validation/resource_quota.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using core::v1::LimitRange;
using core::v1::ResourceQuota;

constexpr char kQuota[] =
    R"({"metadata": {"name": "q", "namespace": "n"}, "spec": {"hard": {"pods": "5"}}})";
constexpr char kRange[] = R"({
  "metadata": {"name": "r", "namespace": "n"},
  "spec": {"limits": [{"type": "Container", "min": {"cpu": "1"}, "max": {"cpu": "4"},
                       "default": {"cpu": "3"}, "defaultRequest": {"cpu": "2"}}]}})";

TEST(ResourceQuota, Amounts) {
  ExpectCreate<ResourceQuota>(
      kQuota,
      {{{}, {}},
       {{"spec.hard['count/jobs.batch']=\"1\"", "status.used.pods=\"1\""}, {}},
       {{"spec.hard={\"-\":\"1\"}"},
        {"spec.hard[-]: Invalid value: \"-\": " + kBadQualified,
         "spec.hard[-]: Invalid value: \"-\": must be a standard resource for quota"}},
       {{"spec.hard={\"own\":\"1\",\"storage\":\"1\",\"pods\":\"-1\"}",
         "status.hard.secrets=\"500m\"", "status.used.x=\"1\""},
        {("spec.hard[own]: Invalid value: \"own\": must be a standard resource type or fully "
          "qualified"),
         "spec.hard[own]: Invalid value: \"own\": must be a standard resource for quota",
         "spec.hard[pods]: Invalid value: \"-1\": must be greater than or equal to 0",
         "spec.hard[storage]: Invalid value: \"storage\": must be a standard resource for quota",
         "status.hard[secrets]: Invalid value: \"500m\": must be an integer",
         "status.used[x]: Invalid value: \"x\": must be a standard resource type or fully "
         "qualified",
         "status.used[x]: Invalid value: \"x\": must be a standard resource for quota"}}});
}

TEST(ResourceQuota, Scopes) {
  ExpectCreate<ResourceQuota>(
      kQuota,
      {{{R"(spec.scopes=["BestEffort","Terminating"])"}, {}},
       {{R"(spec.scopes=["VolumeAttributesClass"])", "spec.hard={\"requests.storage\":\"1Gi\"}"},
        {}},
       {{R"(spec.scopes=["X","BestEffort","NotBestEffort","Terminating","NotTerminating"])"},
        {"spec.scopes: Invalid value: "
         "[\"X\",\"BestEffort\",\"NotBestEffort\",\"Terminating\",\"NotTerminating\"]: unsupported "
         "scope",
         "spec.scopes: Invalid value: "
         "[\"X\",\"BestEffort\",\"NotBestEffort\",\"Terminating\",\"NotTerminating\"]: conflicting "
         "scopes",
         "spec.scopes: Invalid value: "
         "[\"X\",\"BestEffort\",\"NotBestEffort\",\"Terminating\",\"NotTerminating\"]: conflicting "
         "scopes"}},
       {{R"(spec.scopes=["BestEffort"])", "spec.hard.cpu=\"1\""},
        {"spec.scopes: Invalid value: [\"BestEffort\"]: unsupported scope applied to resource"}},
       {{R"(spec.scopes=["PriorityClass"])", "spec.hard={\"secrets\":\"1\"}"},
        {"spec.scopes: Invalid value: [\"PriorityClass\"]: unsupported scope applied to resource"}},
       {{R"(spec.scopes=["VolumeAttributesClass"])"},
        {"spec.scopes: Invalid value: [\"VolumeAttributesClass\"]: unsupported scope applied to "
         "resource"}}});
}

TEST(ResourceQuota, ScopeSelector) {
  const std::string list = "spec.scopeSelector.matchExpressions";
  ExpectCreate<ResourceQuota>(
      kQuota,
      {{{list + R"(=[{"scopeName":"PriorityClass","operator":"In","values":["high"]}])"}, {}},
       {{list + R"(=[{"scopeName":"Terminating","operator":"Exists"}])"}, {}},
       {{list + R"(=[{"scopeName":"X","operator":"Y"}])"},
        {list + ".scopeName: Invalid value: \"X\": unsupported scope",
         list + ".operator: Invalid value: \"Y\": not a valid selector operator"}},
       {{list +
         R"(=[{"scopeName":"Terminating","operator":"In"},{"scopeName":"NotTerminating","operator":"Exists","values":["v"]}])"},
        {list + ".operator: Invalid value: \"In\": must be 'Exists' when scope is any of "
                "ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
                "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
                "ResourceQuotaScopeCrossNamespacePodAffinity",
         list + ".values: Required value: must be at least one value when `operator` is 'In' or "
                "'NotIn' for scope selector",
         list + ".values: Invalid value: [\"v\"]: must be no value when `operator` is 'Exist' or "
                "'DoesNotExist' for scope selector",
         list + ": Invalid value: null: conflicting scopes"}},
       {{list + R"(=[{"scopeName":"BestEffort","operator":"Exists"}])", "spec.hard.cpu=\"1\""},
        {list + ": Invalid value: "
                "{\"MatchExpressions\":[{\"ScopeName\":\"BestEffort\",\"Operator\":\"Exists\","
                "\"Values\":null}]}: unsupported scope applied to resource"}}});
}

TEST(ResourceQuota, Update) {
  const std::string scoped = Edited(kQuota, {R"(spec.scopes=["BestEffort","Terminating"])"});
  ExpectUpdate<ResourceQuota>(
      scoped, {{{R"(spec.scopes=["Terminating","BestEffort"])", "spec.hard.pods=\"6\""}, {}},
               {{R"(spec.scopes=["BestEffort"])"},
                {"spec.scopes: Invalid value: [\"BestEffort\"]: field is immutable"}}});
  ExpectUpdate<ResourceQuota>(
      kQuota,
      {{{"status.used.pods=\"1\""}, {}},
       {{"metadata.resourceVersion=\"\"", "status.hard.pods=\"-1\""},
        {"metadata.resourceVersion: Invalid value: \"\": must be specified for an update",
         "resourceVersion: Required value",
         "status.hard[pods]: Invalid value: \"-1\": must be greater than or equal to 0"}}},
      "status");
}

TEST(LimitRange, Names) {
  ExpectCreate<LimitRange>(
      kRange,
      {{{}, {}},
       {{R"(spec.limits=[{"type":"example.com/t","max":{"storage":"1"}}])"}, {}},
       {{R"(spec.limits=[{"type":"X"},{"type":"X"},{"type":"-"}])"},
        {"spec.limits[0].type: Invalid value: \"X\": must be a standard limit type or fully "
         "qualified",
         "spec.limits[1].type: Invalid value: \"X\": must be a standard limit type or fully "
         "qualified",
         "spec.limits[1].type: Duplicate value: \"X\"",
         "spec.limits[2].type: Invalid value: \"-\": " + kBadQualified}},
       {{R"(spec.limits=[{"type":"Pod","max":{"storage":"1"},"default":{"cpu":"1"},"defaultRequest":{"cpu":"1"}}])"},
        {"spec.limits[0].max[storage]: Invalid value: \"storage\": must be a standard resource for "
         "containers",
         "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
         "spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod'"}},
       {{R"(spec.limits=[{"type":"PersistentVolumeClaim","max":{"storage":"1Gi"}}])"}, {}},
       {{R"(spec.limits=[{"type":"PersistentVolumeClaim","maxLimitRequestRatio":{"x":"1"}}])"},
        {"spec.limits[0].limits: Required value: either minimum or maximum storage value is "
         "required, but neither was provided",
         "spec.limits[0].maxLimitRequestRatio[x]: Invalid value: \"x\": must be a standard "
         "resource "
         "type or fully qualified"}}});
}

TEST(LimitRange, Amounts) {
  const std::string item = "spec.limits[0].";
  ExpectCreate<LimitRange>(
      kRange,
      {{{item + "min.cpu=\"5\""},
        {item + "min[cpu]: Invalid value: \"5\": min value 5 is greater than max value 4",
         item + "defaultRequest[cpu]: Invalid value: \"2\": min value 5 is greater than default "
                "request value 2",
         item + "default[cpu]: Invalid value: \"5\": min value 5 is greater than default value 3"}},
       {{item + "defaultRequest.cpu=\"5\""},
        {item +
             "defaultRequest[cpu]: Invalid value: \"5\": default request value 5 is greater than "
             "max value 4",
         item +
             "defaultRequest[cpu]: Invalid value: \"5\": default request value 5 is greater than "
             "default limit value 3"}},
       {{item + "default.cpu=\"5\""},
        {item + "default[cpu]: Invalid value: \"4\": default value 5 is greater than max value 4"}},
       {{item + "maxLimitRequestRatio.cpu=\"4\""}, {}},
       {{item + "maxLimitRequestRatio.cpu=\"500m\""},
        {item + "maxLimitRequestRatio[cpu]: Invalid value: \"500m\": ratio 500m is less than 1"}},
       {{item + "maxLimitRequestRatio.cpu=\"4500m\""},
        {item + "maxLimitRequestRatio[cpu]: Invalid value: \"4500m\": ratio 4500m is greater than "
                "max/min = 4.000000"}},
       {{item + "default['a.b/c']=\"2\"", item + "defaultRequest['a.b/c']=\"1\""},
        {item + "defaultRequest[a.b/c]: Invalid value: \"1\": default value 2 must equal to "
                "defaultRequest value 1 in a.b/c"}}});
  ExpectUpdate<LimitRange>(
      kRange, {{{"spec.limits=[]"}, {}},
               {{"metadata.uid=\"u\"", item + "default.cpu=\"5\""},
                {item + "default[cpu]: Invalid value: \"4\": default value 5 is greater than max "
                        "value 4"}}});
}

}  // namespace
}  // namespace podium::api
