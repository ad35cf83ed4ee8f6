// Affinity, tolerations, spread and gates.
#include "api/validation/scheduling.h"

#include "api/validation/pod_harness.h"

namespace podium::api {
namespace {

std::string T(const std::string& json) { return "spec.tolerations=" + json; }
const std::string kT = "spec.tolerations";

TEST(SchedulingTest, Tolerations) {
  ExpectPodErrors({
      {{T(R"([{"operator":"Exists"},{"key":"a/b","value":"v","effect":"NoSchedule"},
              {"key":"k","operator":"Equal","effect":"NoExecute","tolerationSeconds":0}])")},
       {}},
      {{T(R"([{"key":"-"}])")}, {kT + "[0].key: Invalid value: \"-\": " + kNotQualified}},
      {{T(R"([{"operator":"Equal"}])")},
       {kT + "[0].operator: Invalid value: \"Equal\": operator must be Exists when `key` is empty, "
             "which means \"match all values and all keys\""}},
      {{T(R"([{"key":"k","effect":"NoSchedule","tolerationSeconds":1}])")},
       {kT + "[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when "
             "`tolerationSeconds` is set"}},
      {{T(R"([{"key":"k","value":"-"}])")},
       {kT + "[0].operator: Invalid value: \"-\": " + kNotLabelValue}},
      {{T(R"([{"key":"k","operator":"Exists","value":"v"}])")},
       {kT +
        "[0].operator: Invalid value: \"v\": value must be empty when `operator` is 'Exists'"}},
      {{T(R"([{"key":"k","operator":"In"}])")},
       {kT + "[0].operator: Unsupported value: \"In\": supported values: \"Equal\", \"Exists\""}},
      {{T(R"([{"key":"k","operator":"Lt","value":"1"}])")},
       {kT + "[0].operator: Unsupported value: \"Lt\": supported values: \"Equal\", \"Exists\", "
             "\"Lt\", \"Gt\""}},
      {{T(R"([{"key":"k","value":")" + std::string(64, '-') + R"("}])")},
       {kT + "[0].operator: Invalid value: \"" + std::string(64, '-') +
        "\": must be no more than 63 bytes;" + kNotLabelValue}},
      {{T(R"([{"key":"k","effect":"Never"}])")},
       {kT + "[0].effect: Unsupported value: \"Never\": supported values: \"NoSchedule\", "
             "\"PreferNoSchedule\", \"NoExecute\""}},
  });
}

TEST(SchedulingTest, ComparingTolerations) {
  PodValidationOptions options{.allow_taint_toleration_comparison_operators = true};
  auto errors = [&](const std::string& value) {
    core::v1::Toleration toleration;
    toleration.key = "k";
    toleration.operator_ = "Gt";
    toleration.value = value;
    return Texts(ValidateTolerations({toleration}, field::Path("t"), options));
  };
  const std::string form = "must be a valid decimal integer in canonical form";
  EXPECT_THAT(errors("-5"), ::testing::IsEmpty());
  EXPECT_THAT(errors("0"), ::testing::IsEmpty());
  EXPECT_THAT(errors("9223372036854775807"), ::testing::IsEmpty());
  EXPECT_THAT(errors("05"), ::testing::ElementsAre("t[0].value: Invalid value: \"05\": " + form));
  EXPECT_THAT(errors("+5"), ::testing::ElementsAre("t[0].value: Invalid value: \"+5\": " + form));
  EXPECT_THAT(errors("x"),
              ::testing::ElementsAre("t[0].value: Invalid value: \"x\": " + form,
                                     "t[0].value: Invalid value: \"x\": strconv.ParseInt: parsing "
                                     "\"x\": invalid syntax"));
  EXPECT_THAT(errors("9223372036854775808"),
              ::testing::ElementsAre(
                  "t[0].value: Invalid value: \"9223372036854775808\": strconv.ParseInt: parsing "
                  "\"9223372036854775808\": value out of range"));
  EXPECT_THAT(
      errors("+9223372036854775808"),
      ::testing::ElementsAre("t[0].value: Invalid value: \"+9223372036854775808\": " + form,
                             "t[0].value: Invalid value: \"+9223372036854775808\": "
                             "strconv.ParseInt: parsing \"+9223372036854775808\": value out of "
                             "range"));
  EXPECT_THAT(errors(""), ::testing::ElementsAre(
                              "t[0].value: Invalid value: \"\": must be non-empty",
                              "t[0].value: Invalid value: \"\": strconv.ParseInt: parsing \"\": "
                              "invalid syntax"));
  EXPECT_THAT(errors("-0"), ::testing::ElementsAre("t[0].value: Invalid value: \"-0\": " + form));
}

TEST(SchedulingTest, Gates) {
  ExpectPodErrors({
      {{R"(spec.schedulingGates=[{"name":"a"},{"name":"example.com/b"}])"}, {}},
      {{R"(spec.schedulingGates=[{"name":""}])"},
       {"spec.schedulingGates[0]: Invalid value: \"\": " + kEmptyQualified,
        "spec.schedulingGates[0]: Invalid value: \"\": " + kNotQualified}},
      {{R"(spec.schedulingGates=[{"name":"a"},{"name":"a"}])"},
       {"spec.schedulingGates[1]: Duplicate value: \"a\""}},
      {{R"(spec.schedulingGates=[{"name":"a"}])", "spec.nodeName=\"n\""},
       {"spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"}},
      {{R"(spec.readinessGates=[{"conditionType":"a"}])"}, {}},
      {{R"(spec.readinessGates=[{"conditionType":"a b"}])"},
       {"spec.readinessGates[0].conditionType: Invalid value: \"a b\": " + kNotQualified}},
      {{R"(spec.schedulingGroup={"podGroupName":"g"})"}, {}},
      {{R"(spec.schedulingGroup={})"},
       {"spec.schedulingGroup.podGroupName: Invalid value: null: must specify one of: "
        "`podGroupName`"}},
      {{R"(spec.schedulingGroup={"podGroupName":"G"})"},
       {"spec.schedulingGroup.podGroupName: Invalid value: \"G\": " + kNotSubdomain}},
  });
}

TEST(SchedulingTest, TopologySpread) {
  auto s = [](const std::string& json) { return "spec.topologySpreadConstraints=" + json; };
  const std::string at = "spec.topologySpreadConstraints[0]";
  const std::string good =
      R"("maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule")";
  ExpectPodErrors({
      {{s("[{" + good + R"(,"labelSelector":{"matchLabels":{"a":"b"}},"minDomains":2,
             "nodeAffinityPolicy":"Honor","nodeTaintsPolicy":"Ignore","matchLabelKeys":["c"]}])")},
       {}},
      {{s(R"([{"maxSkew":0,"topologyKey":"","whenUnsatisfiable":""}])")},
       {at + ".maxSkew: Invalid value: 0: must be greater than zero",
        at + ".topologyKey: Required value: can not be empty",
        at + ".whenUnsatisfiable: Unsupported value: \"\": supported values: \"DoNotSchedule\", "
             "\"ScheduleAnyway\""}},
      {{s("[{" + good + "},{" + good + "}]")},
       {at + ".{topologyKey, whenUnsatisfiable}: Duplicate value: \"{zone, DoNotSchedule}\""}},
      {{s("[{" + good + R"(,"minDomains":0}])")},
       {at + ".minDomains: Invalid value: 0: must be greater than zero"}},
      {{s(R"([{"maxSkew":1,"topologyKey":"z","whenUnsatisfiable":"ScheduleAnyway","minDomains":1}])")},
       {at + ".minDomains: Invalid value: 1: can only use minDomains if "
             "whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"}},
      {{s("[{" + good + R"(,"nodeAffinityPolicy":"x","nodeTaintsPolicy":"y"}])")},
       {at + ".nodeAffinityPolicy: Unsupported value: \"x\": supported values: \"Honor\", "
             "\"Ignore\"",
        at + ".nodeTaintsPolicy: Unsupported value: \"y\": supported values: \"Honor\", "
             "\"Ignore\""}},
      {{s("[{" + good + R"(,"matchLabelKeys":["a"]}])")},
       {at + ".matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"}},
      {{s("[{" + good + R"(,"labelSelector":{},"matchLabelKeys":["-"]}])")},
       {at + ".matchLabelKeys[0]: Invalid value: \"-\": " + kNotQualified}},
      // The pod's own label is merged in, beside what the user wrote.
      {{s("[{" + good + R"(,"labelSelector":{"matchLabels":{"a":"b"}},"matchLabelKeys":["a"]}])"),
        R"(metadata.labels={"a":"c"})"},
       {at + "[0]: Invalid value: \"a\": exists in both matchLabelKeys and labelSelector"}},
      {{s("[{" + good + R"(,"labelSelector":{"matchLabels":{"a":"b"}},"matchLabelKeys":["a"]}])")},
       {}},
      {{s("[{" + good + R"(,"labelSelector":{"matchLabels":{"b":"c"}},"matchLabelKeys":["a"]}])"),
        R"(metadata.labels={"a":"c"})"},
       {}},
      {{s("[{" + good + R"(,"labelSelector":{"matchExpressions":[{"key":"a","operator":"Exists",
             "values":["x"]}]}}])")},
       {at + ".labelSelector.matchExpressions[0].values: Forbidden: may not be specified when "
             "`operator` is 'Exists' or 'DoesNotExist'"}},
  });
}

TEST(SchedulingTest, OlderSpreadRule) {
  core::v1::TopologySpreadConstraint constraint;
  constraint.maxSkew = 1;
  constraint.topologyKey = "zone";
  constraint.whenUnsatisfiable = "DoNotSchedule";
  constraint.labelSelector.emplace().matchLabels["a"] = "b";
  constraint.matchLabelKeys = {"a"};
  PodValidationOptions options{.old_pod_violates_match_label_keys_validation = true};
  EXPECT_THAT(Texts(ValidateTopologySpreadConstraints({constraint}, field::Path("s"), options)),
              ::testing::ElementsAre("s[0].matchLabelKeys[0]: Invalid value: \"a\": exists in both "
                                     "matchLabelKeys and labelSelector"));
  EXPECT_THAT(Texts(ValidateTopologySpreadConstraints({constraint}, field::Path("s"), {})),
              ::testing::IsEmpty());
  // The rule of before holds too where the selectors are not merged, unless the old object broke
  // it.
  const auto errors = [&](const PodValidationOptions& other) {
    return Texts(ValidateTopologySpreadConstraints({constraint}, field::Path("s"), other));
  };
  const std::string both = ": exists in both matchLabelKeys and labelSelector";
  const PodValidationOptions unmerged{
      .allow_match_label_keys_in_pod_topology_spread_selector_merge = false};
  PodValidationOptions broken = unmerged;
  broken.old_pod_violates_legacy_match_label_keys_validation = true;
  const PodValidationOptions off{.allow_match_label_keys_in_pod_topology_spread = false};
  constraint.labelSelector->matchExpressions = {{.key = "c", .operator_ = "Exists", .values = {}}};
  constraint.matchLabelKeys = {"a", "d", "c", "-"};
  const std::string at = "s[0].matchLabelKeys";
  for (const PodValidationOptions& each : {unmerged, off}) {
    EXPECT_THAT(errors(each),
                ::testing::ElementsAre(at + "[0]: Invalid value: \"a\"" + both,
                                       at + "[2]: Invalid value: \"c\"" + both,
                                       at + "[3]: Invalid value: \"-\": " + kNotQualified));
  }
  EXPECT_THAT(errors(broken),
              ::testing::ElementsAre(at + "[3]: Invalid value: \"-\": " + kNotQualified));
  constraint.matchLabelKeys.clear();
  EXPECT_THAT(errors(unmerged), ::testing::IsEmpty());
  constraint.matchLabelKeys = {"a"};
  constraint.labelSelector.reset();
  EXPECT_THAT(errors(unmerged),
              ::testing::ElementsAre(
                  at + ": Forbidden: must not be specified when labelSelector is not set"));
}

TEST(SchedulingTest, NodeSelector) {
  ExpectPodErrors({
      {{R"(spec.nodeSelector={"a":"b"})"}, {}},
      {{R"(spec.nodeSelector={"-":"b"})"},
       {"spec.nodeSelector: Invalid value: \"-\": " + kNotQualified}},
      {{R"(spec.nodeSelector={"a":"-"})"},
       {"spec.nodeSelector: Invalid value: \"-\": " + kNotLabelValue}},
  });
}

TEST(SchedulingTest, NodeAffinity) {
  auto required = [](const std::string& terms) {
    return R"(spec.affinity={"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":
              {"nodeSelectorTerms":)" +
           terms + "}}}";
  };
  const std::string terms =
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
  const std::string e = terms + "[0].matchExpressions[0]";
  const std::string f = terms + "[0].matchFields[0]";
  auto expression = [&](const std::string& json) {
    return required(R"([{"matchExpressions":[)" + json + "]}]");
  };
  auto match_field = [&](const std::string& json) {
    return required(R"([{"matchFields":[)" + json + "]}]");
  };
  ExpectPodErrors({
      {{required("[]")}, {terms + ": Required value: must have at least one node selector term"}},
      {{required("[{}]")}, {}},
      {{expression(R"({"key":"a","operator":"In","values":["b"]})")}, {}},
      {{expression(R"({"key":"a","operator":"Gt","values":["5"]})")}, {}},
      {{expression(R"({"key":"a","operator":"DoesNotExist"})")}, {}},
      {{expression(R"({"key":"a","operator":"In"})")},
       {e + ".values: Required value: must be specified when `operator` is 'In' or 'NotIn'"}},
      {{expression(R"({"key":"a","operator":"Exists","values":["b"]})")},
       {e +
        ".values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"}},
      {{expression(R"({"key":"a","operator":"Lt","values":["1","2"]})")},
       {e + ".values: Required value: must be specified single value when `operator` is 'Lt' or "
            "'Gt'"}},
      {{expression(R"({"key":"-","operator":"=","values":["-"]})")},
       {e + ".operator: Invalid value: \"=\": not a valid selector operator",
        e + ".key: Invalid value: \"-\": " + kNotQualified,
        e + ".values[0]: Invalid value: \"-\": " + kNotLabelValue}},
      {{match_field(R"({"key":"metadata.name","operator":"In","values":["n"]})")}, {}},
      {{match_field(R"({"key":"metadata.name","operator":"In","values":["n","m"]})")},
       {f +
        ".values: Required value: must be only one value when `operator` is 'In' or 'NotIn' for "
        "node field selector"}},
      {{match_field(R"({"key":"spec.x","operator":"Exists"})")},
       {f + ".operator: Invalid value: \"Exists\": not a valid selector operator",
        f + ".key: Invalid value: \"spec.x\": not a valid field selector key"}},
      {{match_field(R"({"key":"metadata.name","operator":"In","values":["N"]})")},
       {f + ".values[0]: Invalid value: \"N\": " + kNotSubdomain}},
  });
}

TEST(SchedulingTest, PreferredNodeAffinity) {
  auto preferred = [](const std::string& json) {
    return R"(spec.affinity={"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":)" +
           json + "}}";
  };
  const std::string at =
      "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]";
  ExpectPodErrors({
      {{preferred(R"([{"weight":1,"preference":{"matchExpressions":[
            {"key":"a","operator":"In","values":["-not a value-"]}]}}])")},
       {}},
      {{preferred(
           R"([{"weight":0,"preference":{"matchExpressions":[{"key":"","operator":"In"}]}}])")},
       {at + ".weight: Invalid value: 0: must be in the range 1-100",
        at + ".preference.matchExpressions[0].values: Required value: must be specified when "
             "`operator` is 'In' or 'NotIn'",
        at + ".preference.matchExpressions[0].key: Invalid value: \"\": " + kEmptyQualified,
        at + ".preference.matchExpressions[0].key: Invalid value: \"\": " + kNotQualified}},
      {{preferred(R"([{"weight":101,"preference":{}}])")},
       {at + ".weight: Invalid value: 101: must be in the range 1-100"}},
  });
}

TEST(SchedulingTest, PodAffinity) {
  for (const std::string kind : {"podAffinity", "podAntiAffinity"}) {
    auto required = [&](const std::string& json) {
      return "spec.affinity." + kind + R"(.requiredDuringSchedulingIgnoredDuringExecution=[)" +
             json + "]";
    };
    auto preferred = [&](const std::string& json) {
      return "spec.affinity." + kind + R"(.preferredDuringSchedulingIgnoredDuringExecution=[)" +
             json + "]";
    };
    const std::string r =
        "spec.affinity." + kind + ".requiredDuringSchedulingIgnoredDuringExecution[0]";
    const std::string p =
        "spec.affinity." + kind + ".preferredDuringSchedulingIgnoredDuringExecution[0]";
    ExpectPodErrors({
        {{required(R"({"labelSelector":{"matchLabels":{"a":"b"}},"namespaces":["n"],
                       "namespaceSelector":{},"topologyKey":"zone","matchLabelKeys":["k"],
                       "mismatchLabelKeys":["l"]})")},
         {}},
        {{required("{}")},
         {r + ".topologyKey: Required value: can not be empty",
          r + ".topologyKey: Invalid value: \"\": " + kEmptyQualified,
          r + ".topologyKey: Invalid value: \"\": " + kNotQualified}},
        {{required(R"({"topologyKey":"z","namespaces":["A"]})")},
         {r + ".namespace: Invalid value: \"A\": " + kNotLabel}},
        {{required(R"({"topologyKey":"z","labelSelector":{"matchExpressions":
             [{"key":"a","operator":"In","values":["-"]}]}})")},
         {r +
          ".labelSelector.matchExpressions[0].values[0]: Invalid value: \"-\": " + kNotLabelValue}},
        {{required(R"({"topologyKey":"z","namespaceSelector":{"matchLabels":{"-":"b"}}})")},
         {r + ".namespaceSelector.matchLabels: Invalid value: \"-\": " + kNotQualified}},
        {{required(R"({"topologyKey":"z","matchLabelKeys":["a"],"mismatchLabelKeys":["b"]})")},
         {r + ".matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
          r + ".mismatchLabelKeys: Forbidden: must not be specified when labelSelector is not "
              "set"}},
        {{required(R"({"topologyKey":"z","labelSelector":{},"matchLabelKeys":["a","c"],
                       "mismatchLabelKeys":["a"]})")},
         {r + ".matchLabelKeys[0]: Invalid value: \"a\": exists in both matchLabelKeys and "
              "mismatchLabelKeys"}},
        {{required(R"({"topologyKey":"z","labelSelector":{"matchLabels":{"a":"b"}},
                       "matchLabelKeys":["a"]})"),
          R"(metadata.labels={"a":"c"})"},
         {r + "[0]: Invalid value: \"a\": exists in both matchLabelKeys and labelSelector"}},
        {{preferred(R"({"weight":50,"podAffinityTerm":{"topologyKey":"z"}})")}, {}},
        {{preferred(R"({"weight":101,"podAffinityTerm":{"topologyKey":"-"}})")},
         {p + ".weight: Invalid value: 101: must be in the range 1-100",
          p + ".podAffinityTerm.topologyKey: Invalid value: \"-\": " + kNotQualified}},
    });
  }
}

TEST(SchedulingTest, MergesLabelKeysOnce) {
  auto pod = Load<core::v1::Pod>(Edited(
      kPod, {R"(metadata.labels={"a":"1","b":"2"})",
             R"(spec.affinity={"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
                  {"topologyKey":"z","labelSelector":{},"matchLabelKeys":["a","none"],
                   "mismatchLabelKeys":["b"]},
                  {"topologyKey":"z","matchLabelKeys":["a"]}]}})"}));
  MergeMatchLabelKeys(&pod);
  const auto& terms =
      pod.spec.affinity->podAffinity->requiredDuringSchedulingIgnoredDuringExecution;
  EXPECT_EQ(*reflect::ToJson(*terms[0].labelSelector),
            R"({"matchExpressions":[{"key":"a","operator":"In","values":["1"]},)"
            R"({"key":"b","operator":"NotIn","values":["2"]}]})");
  EXPECT_FALSE(terms[1].labelSelector.has_value());
}

}  // namespace
}  // namespace podium::api
