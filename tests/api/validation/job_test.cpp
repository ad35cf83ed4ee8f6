#include "api/validation/job.h"

#include "api/validation/workload_cases.h"

namespace podium::api {
namespace {

using batch::v1::Job;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kJob[] = R"({
  "metadata": {"name": "j", "namespace": "n", "uid": "u", "resourceVersion": "1"},
  "spec": {"template": {"spec": {"restartPolicy": "Never",
                                 "containers": [{"name": "c", "image": "i"}]}}}})";

std::vector<std::string> Create(const std::string& json) {
  return Texts(ValidateJob(Load<Job>(json)));
}

// A base with Indexed completion.
std::string Indexed(std::vector<std::string> edits = {}) {
  edits.insert(edits.begin(), {"spec.completionMode=\"Indexed\"", "spec.completions=10"});
  return Edited(kJob, edits);
}

TEST(Job, GeneratedSelector) {
  auto job = Load<Job>(kJob);
  GenerateJobSelector(&job);
  EXPECT_EQ(job.spec.selector->matchLabels,
            (reflect::Map<std::string>{{"batch.kubernetes.io/controller-uid", "u"}}));
  EXPECT_EQ(job.spec.template_.metadata.labels,
            (reflect::Map<std::string>{{"batch.kubernetes.io/controller-uid", "u"},
                                       {"batch.kubernetes.io/job-name", "j"},
                                       {"controller-uid", "u"},
                                       {"job-name", "j"}}));
  const Job before = job;
  GenerateJobSelector(&job);
  EXPECT_EQ(job.spec.selector, before.spec.selector);

  auto manual = Load<Job>(Edited(kJob, {"spec.manualSelector=true"}));
  GenerateJobSelector(&manual);
  EXPECT_FALSE(manual.spec.selector);
}

TEST(Job, Selector) {
  const std::string labels = "spec.template.metadata.labels";
  ExpectErrors(
      kJob,
      {{{}, {}},
       {{"metadata.uid"}, {}},
       {{"metadata.name"}, {"metadata.name: Required value: name or generateName is required"}},
       {{labels + ".job-name=\"x\""},
        {labels + "[job-name]: Invalid value: "
                  "{\"batch.kubernetes.io/controller-uid\":\"u\",\"batch.kubernetes.io/job-name\":"
                  "\"j\",\"controller-uid\":\"u\",\"job-name\":\"x\"}: must be 'j'"}},
       {{R"(spec.selector={"matchLabels":{"a":"b"}})"},
        {"spec.selector: Invalid value: "
         "{\"matchLabels\":{\"a\":\"b\",\"batch.kubernetes.io/controller-uid\":\"u\"}}: `selector` "
         "not auto-generated",
         labels + ": Invalid value: "
                  "{\"batch.kubernetes.io/controller-uid\":\"u\",\"batch.kubernetes.io/job-name\":"
                  "\"j\",\"controller-uid\":\"u\",\"job-name\":\"j\"}: `selector` does not match "
                  "template `labels`"}},
       {{"spec.manualSelector=true"},
        {"spec.selector: Required value",
         labels + ": Invalid value: null: `selector` does not match template `labels`"}},
       {{"spec.manualSelector=true", R"(spec.selector={"matchLabels":{"a":"b"}})",
         labels + ".a=\"b\""},
        {}},
       {{"spec.manualSelector=true",
         R"(spec.selector.matchExpressions=[{"key":"a","operator":"X"}])"},
        {"spec.selector.matchExpressions[0].operator: Invalid value: \"X\": not a valid selector "
         "operator"}}},
      Create);
}

TEST(Job, Counts) {
  ExpectErrors(
      kJob,
      {{{"spec.parallelism=0", "spec.completions=0", "spec.activeDeadlineSeconds=0",
         "spec.backoffLimit=0", "spec.ttlSecondsAfterFinished=0"},
        {}},
       {{"spec.parallelism=-1", "spec.completions=-1", "spec.activeDeadlineSeconds=-1",
         "spec.backoffLimit=-1", "spec.ttlSecondsAfterFinished=-1"},
        {std::string("spec.parallelism") + kNegative, std::string("spec.completions") + kNegative,
         std::string("spec.activeDeadlineSeconds") + kNegative,
         std::string("spec.backoffLimit") + kNegative,
         std::string("spec.ttlSecondsAfterFinished") + kNegative}},
       {{"spec.backoffLimitPerIndex=-1", "spec.maxFailedIndexes=-1"},
        {std::string("spec.backoffLimitPerIndex") + kNegative,
         std::string("spec.maxFailedIndexes") + kNegative,
         "spec.backoffLimitPerIndex: Invalid value: -1: requires indexed completion mode",
         "spec.maxFailedIndexes: Invalid value: -1: requires indexed completion mode"}}},
      Create);
}

TEST(Job, CompletionMode) {
  ExpectErrors(
      kJob,
      {{{"spec.completionMode=\"Some\""},
        {"spec.completionMode: Unsupported value: \"Some\": supported values: \"NonIndexed\", "
         "\"Indexed\""}},
       {{"spec.completionMode=\"Indexed\"", "spec.parallelism=1"},
        {"spec.completions: Required value: when completion mode is Indexed"}},
       {{"spec.completionMode=\"Indexed\"", "spec.completions=2", "spec.parallelism=100001"},
        {"spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when "
         "completion mode is Indexed"}}},
      Create);
  const std::string limit =
      " when completions are above 100000 and used with backoff limit per index";
  ExpectErrors(
      Indexed({"spec.backoffLimitPerIndex=1"}),
      {{{"spec.maxFailedIndexes=10"}, {}},
       {{"spec.maxFailedIndexes=11"},
        {"spec.maxFailedIndexes: Invalid value: 11: must be less than or equal to completions"}},
       {{"spec.completions=100000", "spec.maxFailedIndexes=100001"},
        {"spec.maxFailedIndexes: Invalid value: 100001: must be less than or equal to completions",
         "spec.maxFailedIndexes: Invalid value: 100001: must be less than or equal to 100000"}},
       {{"spec.completions=100001", "spec.parallelism=10001"},
        {"spec.maxFailedIndexes: Required value: must be specified when completions is above "
         "100000",
         "spec.parallelism: Invalid value: 10001: must be less than or equal to 10000" + limit}},
       {{"spec.completions=100001", "spec.maxFailedIndexes=10001"},
        {"spec.maxFailedIndexes: Invalid value: 10001: must be less than or equal to 10000" +
         limit}},
       {{"spec.completions=100001", "spec.maxFailedIndexes=10000", "spec.parallelism=10000"}, {}}},
      Create);
  ExpectErrors(
      Indexed({"spec.maxFailedIndexes=1"}),
      {{{}, {"spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified"}}},
      Create);
}

TEST(Job, IndexedHostnames) {
  const std::string name(62, 'a');
  ExpectErrors(Indexed({"metadata.name=\"" + name + "\"", "spec.completions=1"}),
               {{{},
                 {"metadata.name: Invalid value: \"" + name +
                  "\": will not able to create pod with invalid DNS label: " + name + "-0"}},
                {{"spec.completions=0"}, {}}},
               Create);
  ExpectErrors(Indexed(),
               {{{}, {}},
                {{"metadata.name=\"a.b\""},
                 {"metadata.name: Invalid value: \"a.b\": will not able to create pod "
                  "with invalid DNS label: a.b-9"}}},
               Create);
}

TEST(Job, ManagedBy) {
  const std::string pattern =
      "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";
  const std::string prefixed = "must be a domain-prefixed path (such as \"acme.io/foo\")";
  ExpectErrors(
      kJob,
      {{{"spec.managedBy=\"example.com/a/b\""}, {}},
       {{"spec.managedBy=\"\""}, {"spec.managedBy: Required value"}},
       {{"spec.managedBy=\"own\""}, {"spec.managedBy: Invalid value: \"own\": " + prefixed}},
       {{"spec.managedBy=\"a/b c\""}, {"spec.managedBy: Invalid value: \"b c\": " + pattern}},
       {{"spec.managedBy=\"a/" + std::string(62, 'b') + "\""},
        {"spec.managedBy: Too long: may not be more than 63 bytes"}}},
      Create);
}

TEST(Job, RestartPolicy) {
  ExpectErrors(
      kJob,
      {{{"spec.template.spec.restartPolicy=\"OnFailure\""}, {}},
       {{"spec.template.spec.restartPolicy"},
        {"spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", "
         "\"Never\""}},
       {{"spec.template.spec.restartPolicy=\"Always\""},
        {"spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", "
         "\"Never\""}},
       {{"spec.template.spec.restartPolicy=\"X\""},
        {"spec.template.spec.restartPolicy: Unsupported value: \"X\": supported values: "
         "\"Always\", \"OnFailure\", \"Never\"",
         "spec.template.spec.restartPolicy: Unsupported value: \"X\": supported values: "
         "\"OnFailure\", \"Never\""}},
       {{"spec.template.spec.restartPolicy=\"OnFailure\"", "spec.podFailurePolicy.rules=[]"},
        {"spec.template.spec.restartPolicy: Invalid value: \"OnFailure\": only \"Never\" is "
         "supported when podFailurePolicy is specified"}}},
      Create);
}

TEST(Job, PodReplacementPolicy) {
  ExpectErrors(
      kJob,
      {{{"spec.podReplacementPolicy=\"Failed\""}, {}},
       {{"spec.podReplacementPolicy=\"TerminatingOrFailed\""}, {}},
       {{"spec.podReplacementPolicy=\"X\""},
        {"spec.podReplacementPolicy: Unsupported value: \"X\": supported values: \"Failed\", "
         "\"TerminatingOrFailed\""}},
       {{"spec.podReplacementPolicy=\"TerminatingOrFailed\"", "spec.podFailurePolicy.rules=[]"},
        {"spec.podReplacementPolicy: Unsupported value: \"TerminatingOrFailed\": supported values: "
         "\"Failed\""}}},
      Create);
}

TEST(Job, WithoutDefaults) {
  auto job = Load<Job>(kJob);
  job.spec.template_.spec.restartPolicy.clear();
  EXPECT_THAT(Texts(ValidateJob(job)),
              ElementsAre("spec.template.spec.restartPolicy: Required value",
                          "spec.template.spec.restartPolicy: Required value: valid values: "
                          "\"OnFailure\", \"Never\""));
}

TEST(Job, PodFailurePolicy) {
  const std::string rule = "spec.podFailurePolicy.rules[0]";
  const std::string valid =
      R"(={"action":"FailJob","onExitCodes":{"containerName":"c","operator":"In","values":[1,2]}})";
  std::string many;
  for (int i = 0; i < 21; ++i) {
    many += (many.empty() ? "" : ",") +
            std::string(R"({"action":"Ignore","onPodConditions":[{"type":"T"}]})");
  }
  ExpectErrors(
      kJob,
      {{{rule + valid}, {}},
       {{"spec.podFailurePolicy.rules=[" + many + "]"},
        {"spec.podFailurePolicy.rules: Too many: 21: must have at most 20 items"}},
       {{rule + R"(={"action":"","onExitCodes":{"operator":"","values":[]}})"},
        {rule + ".action: Required value: valid values: [\"Count\" \"FailIndex\" \"FailJob\" "
                "\"Ignore\"]",
         rule + ".onExitCodes.operator: Required value: valid values: [\"In\" \"NotIn\"]",
         rule + ".onExitCodes.values: Invalid value: []: at least one value is required"}},
       {{rule + R"(={"action":"Count","onExitCodes":{"operator":"In"}})"},
        {rule + ".onExitCodes.values: Invalid value: null: at least one value is required"}},
       {{rule + valid, rule + ".onExitCodes.containerName=\"i\"",
         R"(spec.template.spec.initContainers=[{"name":"i","image":"i"}])"},
        {}},
       {{rule + valid, rule + ".action=\"X\"", rule + ".onExitCodes.operator=\"Y\"",
         rule + ".onExitCodes.containerName=\"d\""},
        {rule + ".action: Unsupported value: \"X\": supported values: \"Count\", \"FailIndex\", "
                "\"FailJob\", \"Ignore\"",
         rule + ".onExitCodes.operator: Unsupported value: \"Y\": supported values: \"In\", "
                "\"NotIn\"",
         rule + ".onExitCodes.containerName: Invalid value: \"d\": must be one of the container or "
                "initContainer names in the pod template"}},
       {{rule + valid, rule + ".onExitCodes.values=[3,0,3]"},
        {rule + ".onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
         rule + ".onExitCodes.values[2]: Duplicate value: 3",
         rule + ".onExitCodes.values: Invalid value: [3,0,3]: must be ordered"}},
       {{rule + valid, rule + ".onExitCodes.operator=\"NotIn\"", rule + ".onExitCodes.values=[0]"},
        {}},
       {{rule + valid, rule + ".action=\"FailIndex\""},
        {rule + ".action: Invalid value: \"FailIndex\": requires the backoffLimitPerIndex to be "
                "set"}},
       {{rule + valid, rule + R"(.onPodConditions=[{"type":"T","status":"True"}])"},
        {rule + ": Invalid value: specifying both OnExitCodes and OnPodConditions is not "
                "supported"}},
       {{rule + R"(={"action":"Count"})"},
        {rule + ": Invalid value: specifying one of OnExitCodes and OnPodConditions is required"}},
       {{rule + R"(={"action":"Count","onPodConditions":[{"type":"","status":"X"}]})"},
        {rule + ".onPodConditions[0].type: Invalid value: \"\": name part must be non-empty",
         rule + ".onPodConditions[0].type: Invalid value: \"\": name part must consist of "
                "alphanumeric characters, '-', '_' or '.', and must start and end with an "
                "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used "
                "for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
         rule + ".onPodConditions[0].status: Unsupported value: \"X\": supported values: "
                "\"False\", \"True\", \"Unknown\""}}},
      Create);
  ExpectErrors(Indexed({"spec.backoffLimitPerIndex=1", rule + valid}),
               {{{rule + ".action=\"FailIndex\""}, {}}}, Create);
}

TEST(Job, PodFailurePolicySizes) {
  auto job = Load<Job>(Edited(kJob, {"spec.podFailurePolicy.rules=[]"}));
  auto& rule = job.spec.podFailurePolicy->rules.emplace_back();
  rule.action = "Count";
  auto& codes = rule.onExitCodes.emplace();
  codes.operator_ = "In";
  for (int i = 1; i <= 256; ++i) codes.values.push_back(i);
  EXPECT_THAT(Texts(ValidateJob(job)),
              ElementsAre("spec.podFailurePolicy.rules[0].onExitCodes.values: Too many: 256: must "
                          "have at most 255 items"));
  rule.onExitCodes.reset();
  for (int i = 0; i < 21; ++i) {
    auto& pattern = rule.onPodConditions.emplace_back();
    pattern.type = "T";
    pattern.status = i == 0 ? "" : "True";
  }
  EXPECT_THAT(Texts(ValidateJob(job)),
              ElementsAre("spec.podFailurePolicy.rules[0].onPodConditions: Too many: 21: must have "
                          "at most 20 items",
                          "spec.podFailurePolicy.rules[0].onPodConditions[0].status: Required "
                          "value: valid values: [\"False\" \"True\" \"Unknown\"]"));
}

TEST(Job, SuccessPolicy) {
  const std::string rule = "spec.successPolicy.rules[0]";
  ExpectErrors(kJob,
               {{{rule + R"(={"succeededIndexes":"0","succeededCount":1})"},
                 {"spec.successPolicy: Invalid value: "
                  "{\"Rules\":[{\"SucceededIndexes\":\"0\",\"SucceededCount\":1}]}: requires "
                  "indexed completion mode"}}},
               Create);
  std::string many;
  for (int i = 0; i < 21; ++i)
    many += (many.empty() ? "" : ",") + std::string("{\"succeededCount\":1}");
  ExpectErrors(
      Indexed(),
      {{{rule + R"(={"succeededIndexes":"0-3,5","succeededCount":5})"}, {}},
       {{"spec.successPolicy.rules=[]"},
        {"spec.successPolicy.rules: Required value: at least one rules must be specified when the "
         "successPolicy is specified"}},
       {{"spec.successPolicy.rules=[" + many + "]"},
        {"spec.successPolicy.rules: Too many: 21: must have at most 20 items"}},
       {{rule + "={}"},
        {rule + ": Required value: at least one of succeededCount or succeededIndexes must be "
                "specified"}},
       {{rule + R"(={"succeededIndexes":"0-10"})"},
        {rule + ".succeededIndexes: Invalid value: \"0-10\": error parsing succeededIndexes: too "
                "large index: \"10\""}},
       {{rule + R"(={"succeededCount":-1})"}, {rule + ".succeededCount" + kNegative}},
       {{rule + R"(={"succeededCount":11})"},
        {rule + ".succeededCount: Invalid value: 11: must be less than or equal to 10 (the number "
                "of specified completions)"}},
       {{rule + R"(={"succeededIndexes":"1,2","succeededCount":3})"},
        {rule + ".succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of "
                "indexes in the specified succeededIndexes field)"}},
       {{"spec.completions", "spec.parallelism=1", rule + R"(={"succeededIndexes":"1"})"},
        {"spec.completions: Required value: when completion mode is Indexed"}}},
      Create);
  const std::string long_indexes(64 * 1024 + 1, '0');
  ExpectErrors(Indexed(),
               {{{rule + ".succeededIndexes=\"" + long_indexes + "\""},
                 {rule + ".succeededIndexes: Too long: may not be more than 65536 bytes"}}},
               Create);
}

// A stored Job: after defaulting and with its selector.
Job Stored(const std::string& json) {
  auto job = Load<Job>(json);
  GenerateJobSelector(&job);
  return job;
}

std::vector<std::string> Update(const std::string& old_json,
                                const std::vector<std::string>& edits) {
  return Texts(ValidateJobUpdate(Stored(Edited(old_json, edits)), Stored(old_json)));
}

TEST(Job, Update) {
  EXPECT_THAT(Update(kJob, {"spec.parallelism=3", "spec.completions=1", "spec.suspend=true",
                            "spec.activeDeadlineSeconds=5", "spec.backoffLimit=1",
                            "spec.ttlSecondsAfterFinished=1"}),
              IsEmpty());
  // Of a Job without either, one completion is the default; with parallelism there is none.
  EXPECT_THAT(Update(kJob, {"spec.parallelism=3"}),
              ElementsAre("spec.completions: Invalid value: null: field is immutable"));
  EXPECT_THAT(Update(kJob, {"spec.completions=5"}),
              ElementsAre("spec.completions: Invalid value: 5: field is immutable"));
  EXPECT_THAT(Update(kJob, {"spec.managedBy=\"a.b/c\""}),
              ElementsAre("spec.managedBy: Invalid value: \"a.b/c\": field is immutable"));
  EXPECT_THAT(
      Update(
          kJob,
          {R"(spec.podFailurePolicy.rules[0]={"action":"Count","onExitCodes":{"operator":"In","values":[1]}})"}),
      ElementsAre("spec.podFailurePolicy: Invalid value: "
                  "{\"Rules\":[{\"Action\":\"Count\",\"OnExitCodes\":{\"ContainerName\":null,"
                  "\"Operator\":\"In\",\"Values\":[1]},\"OnPodConditions\":null}]}: field is "
                  "immutable"));
  // The whole object is checked, and then its spec again.
  EXPECT_THAT(Update(kJob, {"spec.parallelism=-1", "spec.completions=1"}),
              ElementsAre(std::string("spec.parallelism") + kNegative,
                          std::string("spec.parallelism") + kNegative));
}

TEST(Job, UpdateOfIndexed) {
  const std::string base = Indexed({"spec.parallelism=10", "spec.backoffLimitPerIndex=1",
                                    R"(spec.successPolicy.rules=[{"succeededCount":1}])"});
  EXPECT_THAT(Update(base, {"spec.completions=5", "spec.parallelism=5"}), IsEmpty());
  EXPECT_THAT(Update(base, {"spec.completions=5"}),
              ElementsAre("spec.completions: Invalid value: 5: can only be modified in tandem with "
                          "spec.parallelism"));
  EXPECT_THAT(Update(base, {"spec.backoffLimitPerIndex=2"}),
              ElementsAre("spec.backoffLimitPerIndex: Invalid value: 2: field is immutable"));
  EXPECT_THAT(Update(base, {"spec.backoffLimitPerIndex"}),
              ElementsAre("spec.backoffLimitPerIndex: Invalid value: null: field is immutable"));
  EXPECT_THAT(Update(base, {"spec.successPolicy"}),
              ElementsAre("spec.successPolicy: Invalid value: null: field is immutable"));
  EXPECT_THAT(
      Update(Indexed({"spec.parallelism=10"}), {"spec.completionMode=\"NonIndexed\""}),
      ElementsAre("spec.completionMode: Invalid value: \"NonIndexed\": field is immutable"));
}

TEST(Job, UpdateOfSelector) {
  auto old_job = Stored(kJob);
  auto job = old_job;
  job.spec.selector->matchLabels.erase("batch.kubernetes.io/controller-uid");
  job.spec.selector->matchLabels["job-name"] = "j";
  EXPECT_THAT(Texts(ValidateJobUpdate(job, old_job)),
              ElementsAre("spec.selector: Invalid value: {\"matchLabels\":{\"job-name\":\"j\"}}: "
                          "field is immutable"));
  // Jobs from before labels had domains need not have those labels.
  for (Job* each : {&job, &old_job}) {
    each->spec.template_.metadata.labels.erase("batch.kubernetes.io/controller-uid");
    each->spec.template_.metadata.labels.erase("batch.kubernetes.io/job-name");
    each->spec.selector->matchLabels = {{"controller-uid", "u"}};
  }
  EXPECT_THAT(Texts(ValidateJobUpdate(job, old_job)), IsEmpty());
}

TEST(Job, UpdateChecksWhatWasGenerated) {
  auto job = Stored(kJob);
  job.spec.template_.metadata.labels.erase("controller-uid");
  job.spec.template_.metadata.labels.erase("job-name");
  EXPECT_THAT(Texts(ValidateJobUpdate(job, job)),
              ElementsAre("spec.template.metadata.labels[controller-uid]: Required value: must be "
                          "'u'",
                          "spec.template.metadata.labels[job-name]: Required value: must be 'j'"));
  const auto unnamed = Stored(Edited(kJob, {"metadata.uid"}));
  EXPECT_THAT(Texts(ValidateJobUpdate(unnamed, unnamed)),
              ElementsAre("metadata.uid: Required value"));
}

TEST(Job, BadSelectorValuesStay) {
  const std::string json = Edited(
      kJob, {R"(spec.selector.matchExpressions=[{"key":"a","operator":"NotIn","values":["-"]}])"});
  EXPECT_THAT(Create(json), ::testing::SizeIs(1));
  EXPECT_THAT(Update(json, {}), IsEmpty());
}

// Which part of the template changes is refused: "", "spec.template" or "spec.template.spec".
std::string RefusedPart(const std::string& old_json, const std::vector<std::string>& edits) {
  const std::vector<std::string> errors = Update(old_json, edits);
  if (errors.empty()) return "";
  EXPECT_THAT(errors, ElementsAre(::testing::EndsWith(": field is immutable")));
  return errors[0].substr(0, errors[0].find(':'));
}

TEST(Job, UpdateOfTemplate) {
  const std::string spec = "spec.template.spec";
  const std::vector<std::vector<std::string>> scheduling = {
      {spec + ".nodeSelector.a=\"b\""},
      {spec + ".tolerations=[{\"key\":\"k\",\"operator\":\"Exists\"}]"},
      {spec + ".schedulingGates=[{\"name\":\"g\"}]"},
      {spec +
       R"(.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution=[{"weight":1,"preference":{"matchExpressions":[{"key":"k","operator":"Exists"}]}}])"},
      {"spec.template.metadata.labels.a=\"b\""},
      {"spec.template.metadata.annotations.a=\"b\""},
      {spec + ".containers[0].resources.limits.cpu=\"1\""},
  };
  const std::vector<std::vector<std::string>> others = {
      {spec + ".containers[0].image=\"j\""},
      {spec + ".containers[0].name=\"d\"", spec + ".containers[0].resources.limits.cpu=\"1\""},
      {spec + ".containers[1]={\"name\":\"d\",\"image\":\"j\"}"},
      {spec +
       R"(.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution=[{"topologyKey":"k","labelSelector":{}}])"},
  };
  const std::string never_started = Edited(kJob, {"spec.suspend=true"});
  const std::string stopped =
      Edited(never_started, {"status.startTime=\"2026-01-01T00:00:00Z\"",
                             R"(status.conditions=[{"type":"Suspended","status":"True"}])"});
  for (const std::string& safe : {never_started, stopped}) {
    for (const auto& edits : scheduling) EXPECT_EQ(RefusedPart(safe, edits), "") << edits[0];
    for (const auto& edits : others) EXPECT_EQ(RefusedPart(safe, edits), spec) << edits[0];
  }
  const std::string running = kJob;
  const std::string busy = Edited(never_started, {"status.active=1"});
  const std::string stopping = Edited(never_started, {"status.startTime=\"2026-01-01T00:00:00Z\""});
  for (const std::string& unsafe : {running, busy, stopping}) {
    for (const auto& edits : scheduling) {
      EXPECT_EQ(RefusedPart(unsafe, edits), "spec.template") << edits[0];
    }
    for (const auto& edits : others) {
      EXPECT_EQ(RefusedPart(unsafe, edits), "spec.template") << edits[0];
    }
  }
}

TEST(Job, UpdateOfAffinity) {
  const std::string affinity = "spec.template.spec.affinity";
  const std::string node =
      affinity +
      R"(.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution=[{"weight":1,"preference":{"matchExpressions":[{"key":"k","operator":"Exists"}]}}])";
  const std::string pods =
      affinity +
      R"(.podAffinity.requiredDuringSchedulingIgnoredDuringExecution=[{"topologyKey":"k","labelSelector":{}}])";
  const std::string with_node = Edited(kJob, {"spec.suspend=true", node});
  EXPECT_EQ(RefusedPart(with_node, {affinity}), "");
  EXPECT_EQ(RefusedPart(with_node, {affinity + ".nodeAffinity"}), "");
  const std::string with_both = Edited(with_node, {pods});
  EXPECT_EQ(RefusedPart(with_both, {affinity + ".nodeAffinity"}), "");
  EXPECT_EQ(RefusedPart(with_both, {affinity}), "spec.template.spec");
}

TEST(Job, TemplateAsErrorsShowIt) {
  EXPECT_THAT(Update(kJob, {"spec.template.spec.containers[0].image=\"j\""}),
              ElementsAre(::testing::AllOf(
                  ::testing::StartsWith("spec.template: Invalid value: {\"labels\":"
                                        "{\"batch.kubernetes.io/controller-uid\":\"u\","),
                  ::testing::HasSubstr(",\"Spec\":{\"Volumes\":null,\"InitContainers\":null,"
                                       "\"Containers\":[{\"Name\":\"c\",\"Image\":\"j\","))));
}

}  // namespace
}  // namespace podium::api
