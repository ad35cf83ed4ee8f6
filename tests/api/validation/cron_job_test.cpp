#include "api/validation/cron_job.h"

#include "api/validation/validation.h"
#include "api/validation/workload_cases.h"

namespace podium::api {
namespace {

using batch::v1::CronJob;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kCronJob[] = R"({
  "metadata": {"name": "j", "namespace": "n", "resourceVersion": "1"},
  "spec": {"schedule": "*/5 * * * *",
           "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never",
             "containers": [{"name": "c", "image": "i"}]}}}}}})";

std::vector<std::string> Create(const std::string& json) {
  return Texts(ValidateCronJob(Load<CronJob>(json)));
}

TEST(CronJob, Create) {
  ExpectErrors(
      kCronJob,
      {{{}, {}},
       {{"metadata.name"}, {"metadata.name: Required value: name or generateName is required"}},
       {{"metadata.name=\"" + std::string(52, 'a') + "\""}, {}},
       {{"metadata.name=\"" + std::string(53, 'a') + "\""},
        {"metadata.name: Invalid value: \"" + std::string(53, 'a') +
         "\": must be no more than 52 characters"}},
       {{"spec.startingDeadlineSeconds=-1", "spec.successfulJobsHistoryLimit=-1",
         "spec.failedJobsHistoryLimit=-1"},
        {std::string("spec.startingDeadlineSeconds") + kNegative,
         std::string("spec.successfulJobsHistoryLimit") + kNegative,
         std::string("spec.failedJobsHistoryLimit") + kNegative}},
       {{"spec.startingDeadlineSeconds=0", "spec.successfulJobsHistoryLimit=0",
         "spec.failedJobsHistoryLimit=0", "spec.concurrencyPolicy=\"Replace\""},
        {}},
       {{"spec.concurrencyPolicy=\"X\""},
        {"spec.concurrencyPolicy: Unsupported value: \"X\": supported values: \"Allow\", "
         "\"Forbid\", \"Replace\""}}},
      Create);
  auto cron_job = Load<CronJob>(kCronJob);
  cron_job.spec.concurrencyPolicy.clear();
  EXPECT_THAT(Texts(ValidateCronJob(cron_job)),
              ElementsAre("spec.concurrencyPolicy: Required value"));
}

TEST(CronJob, Schedule) {
  const std::string zone = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
  ExpectErrors(
      kCronJob,
      {{{"spec.schedule=\"@hourly\""}, {}},
       {{"spec.schedule=\"@every 5m\""}, {}},
       {{"spec.schedule=\"\""}, {"spec.schedule: Required value"}},
       {{"spec.schedule=\"error\""},
        {"spec.schedule: Invalid value: \"error\": expected exactly 5 fields, found 1: [error]"}},
       {{"spec.schedule=\"TZ=UTC 0 * * * *\""},
        {"spec.schedule: Invalid value: \"TZ=UTC 0 * * * *\": " + zone}},
       {{"spec.schedule=\"CRON_TZ=Mars/Base 0 * * * *\""},
        {"spec.schedule: Invalid value: \"CRON_TZ=Mars/Base 0 * * * *\": provided bad location "
         "Mars/Base: unknown time zone Mars/Base",
         "spec.schedule: Invalid value: \"CRON_TZ=Mars/Base 0 * * * *\": " + zone}},
       {{"spec.schedule=\"TZ=0\""},
        {"spec.schedule: Invalid value: \"TZ=0\": invalid schedule format: runtime error: slice "
         "bounds out of range [:-1]",
         "spec.schedule: Invalid value: \"TZ=0\": " + zone}}},
      Create);
}

TEST(CronJob, TimeZone) {
  for (const char* zone : {"UTC", "Etc/UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+1"}) {
    EXPECT_THAT(Create(Edited(kCronJob, {"spec.timeZone=\"" + std::string(zone) + "\""})),
                IsEmpty());
  }
  EXPECT_THAT(Create(Edited(kCronJob, {"spec.timeZone=\"\""})),
              ElementsAre("spec.timeZone: Invalid value: \"\": timeZone must be nil or non-empty "
                          "string"));
  for (const char* zone :
       {"Mars/Base", "Europe", "utc", "..", ".", "Europe//Zurich", "/UTC", "UTC/", "-UTC", "a b",
        "Africa/Addis_Ababa_More", "America/Argentina/../Cordoba"}) {
    EXPECT_THAT(Create(Edited(kCronJob, {"spec.timeZone=\"" + std::string(zone) + "\""})),
                ElementsAre("spec.timeZone: Invalid value: \"" + std::string(zone) +
                            "\": unknown time zone " + zone));
  }
  // A good part that the zone files are not searched for.
  EXPECT_THAT(Create(Edited(kCronJob, {"spec.timeZone=\"Europe/A..B\""})),
              ElementsAre("spec.timeZone: Invalid value: \"Europe/A..B\": time: invalid location "
                          "name"));
  const std::string explicit_zone =
      "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
  EXPECT_THAT(Create(Edited(kCronJob, {"spec.timeZone=\"Local\""})),
              ElementsAre("spec.timeZone: Invalid value: \"Local\": " + explicit_zone));
  EXPECT_THAT(Create(Edited(kCronJob, {"spec.timeZone=\"LOCAL\""})),
              ElementsAre("spec.timeZone: Invalid value: \"LOCAL\": " + explicit_zone,
                          "spec.timeZone: Invalid value: \"LOCAL\": unknown time zone LOCAL"));
}

TEST(CronJob, JobTemplate) {
  const std::string spec = "spec.jobTemplate.spec";
  ExpectErrors(
      kCronJob,
      {{{spec + ".parallelism=-1"}, {spec + ".parallelism" + kNegative}},
       {{spec + ".template.spec.restartPolicy=\"Always\""},
        {spec + ".template.spec.restartPolicy: Required value: valid values: \"OnFailure\", "
                "\"Never\""}},
       {{spec + ".template.spec.containers[0].image=\"\""},
        {spec + ".template.spec.containers[0].image: Required value"}},
       {{spec + R"(.selector={"matchLabels":{"a":"b"}})", spec + ".manualSelector=true"},
        {spec + ".selector: Invalid value: {\"matchLabels\":{\"a\":\"b\"}}: `selector` will be "
                "auto-generated",
         spec + ".manualSelector: Unsupported value: true: supported values: \"nil\", \"false\""}},
       {{spec + ".manualSelector=false"}, {}}},
      Create);
}

TEST(CronJob, Update) {
  const auto update = [](const std::string& old_json) {
    return [old_job = Load<CronJob>(old_json)](const std::string& json) {
      return Texts(ValidateCronJobUpdate(Load<CronJob>(json), old_job));
    };
  };
  ExpectErrors(kCronJob,
               {{{"spec.schedule=\"@daily\"", "spec.timeZone=\"UTC\"",
                  "spec.jobTemplate.spec.template.spec.containers[0].image=\"j\""},
                 {}},
                {{"spec.schedule=\"TZ=UTC @daily\""},
                 {"spec.schedule: Invalid value: \"TZ=UTC @daily\": cannot use TZ or CRON_TZ in "
                  "schedule, use timeZone field instead"}},
                {{"spec.timeZone=\"Mars\""},
                 {"spec.timeZone: Invalid value: \"Mars\": unknown time zone Mars"}}},
               update(kCronJob));
  // What was refused later may stay: a long name, a zone in the schedule, a zone that went away.
  const std::string old_json =
      Edited(kCronJob, {"metadata.name=\"" + std::string(53, 'a') + "\"",
                        "spec.schedule=\"TZ=UTC @daily\"", "spec.timeZone=\"Mars\""});
  ExpectErrors(Edited(old_json, {"spec.timeZone"}), {{{"spec.schedule=\"TZ=UTC @hourly\""}, {}}},
               update(Edited(old_json, {"spec.timeZone"})));
  ExpectErrors(old_json,
               {{{"spec.schedule=\"@daily\""}, {}},
                {{},
                 {"spec.schedule: Invalid value: \"TZ=UTC @daily\": cannot use both timeZone field "
                  "and TZ or CRON_TZ in schedule"}}},
               update(old_json));
}

// The old version has the same fields and the same rules.
TEST(CronJob, V1Beta1) {
  using Old = batch::v1beta1::CronJob;
  const std::vector<ErrorCase> cases = {
      {{}, {}},
      {{"spec.schedule=\"x\"", "spec.timeZone=\"Mars\"", "spec.concurrencyPolicy=\"X\"",
        "spec.jobTemplate.spec.parallelism=-1", "spec.failedJobsHistoryLimit=-1"},
       {"spec.schedule: Invalid value: \"x\": expected exactly 5 fields, found 1: [x]",
        "spec.timeZone: Invalid value: \"Mars\": unknown time zone Mars",
        ("spec.concurrencyPolicy: Unsupported value: \"X\": supported values: \"Allow\", "
         "\"Forbid\", \"Replace\""),
        std::string("spec.jobTemplate.spec.parallelism") + kNegative,
        std::string("spec.failedJobsHistoryLimit") + kNegative}}};
  ExpectErrors(kCronJob, cases,
               [](const std::string& json) { return Texts(ValidateCreate(Load<Old>(json))); });
  ExpectErrors(kCronJob, cases, [](const std::string& json) {
    return Texts(ValidateUpdate(Load<Old>(json), Load<Old>(kCronJob)));
  });
  const std::string long_name =
      Edited(kCronJob, {"metadata.name=\"" + std::string(53, 'a') + "\""});
  EXPECT_THAT(Texts(ValidateCreate(Load<Old>(long_name))), ::testing::SizeIs(1));
  EXPECT_THAT(Texts(ValidateUpdate(Load<Old>(long_name), Load<Old>(long_name))), IsEmpty());
}

}  // namespace
}  // namespace podium::api
