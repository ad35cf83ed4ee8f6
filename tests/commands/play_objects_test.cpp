#include "commands/play_objects.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace podium::commands {
namespace {

class PlayObjects : public ::testing::Test {
 protected:
  // Of manifests in YAML.
  Result<commands::PlayObjects> Collect(const std::string& yaml) {
    // Cases run side by side, each in a process of its own.
    const std::string path =
        ::testing::TempDir() + "podium-play-objects-" + std::to_string(getpid()) + ".yaml";
    std::ofstream(path) << "---\n" << yaml;
    const cli::Manifests manifests =
        cli::ReadManifests({path}, false, {.rules = true, .ignore_unknown_kinds = true});
    std::filesystem::remove(path);
    EXPECT_EQ(manifests.errors, "");
    return CollectPlayObjects(manifests.objects);
  }
};

constexpr char kTemplate[] =
    "template: {metadata: {labels: {app: web}}, spec: {restartPolicy: RESTART, "
    "containers: [{name: c, image: nginx}]}}";

std::string Template(const std::string& restart) {
  std::string text = kTemplate;
  return text.replace(text.find("RESTART"), 7, restart);
}

TEST_F(PlayObjects, PodsAndWhatTheyRead) {
  auto got = Collect(R"(
apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [{name: c, image: nginx}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: m, namespace: other}
data: {k: v}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
data: {old: b2xk, both: b2xk}
stringData: {both: new}
)");
  ASSERT_TRUE(got.ok()) << got.error().message();
  ASSERT_EQ(got->pods.size(), 1U);
  EXPECT_EQ(got->pods[0].metadata.namespace_, "default");
  ASSERT_EQ(got->config_maps.size(), 1U);
  EXPECT_EQ(got->config_maps[0].metadata.namespace_, "other");
  ASSERT_EQ(got->secrets.size(), 1U);
  EXPECT_EQ(got->secrets[0].data.at("old").data, "old");
  EXPECT_EQ(got->secrets[0].data.at("both").data, "new");
  EXPECT_TRUE(got->secrets[0].stringData.empty());
  EXPECT_TRUE(got->notes.empty());
}

TEST_F(PlayObjects, ListsAreTheirItems) {
  auto got = Collect(R"(
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: i}]}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: m}}
- {apiVersion: example.com/v1, kind: Widget, metadata: {name: w}}
---
apiVersion: v1
kind: PodList
items:
- {metadata: {name: b}, spec: {containers: [{name: c, image: i}]}}
)");
  ASSERT_TRUE(got.ok()) << got.error().message();
  ASSERT_EQ(got->pods.size(), 2U);
  EXPECT_EQ(got->pods[1].metadata.name, "b");
  EXPECT_EQ(got->pods[1].kind, "Pod");
  EXPECT_EQ(got->config_maps.size(), 1U);
  EXPECT_EQ(got->notes,
            (std::vector<std::string>{"widget: passed over, podium does not know this kind"}));
}

TEST_F(PlayObjects, WorkloadsRunOnePodOfTheirTemplate) {
  struct Case {
    const char* what;
    std::string yaml;
    const char* note;
  };
  const std::string selector = "selector: {matchLabels: {app: web}}, ";
  const Case cases[] = {
      {"Deployment",
       "{apiVersion: apps/v1, kind: Deployment, metadata: {name: w}, spec: {replicas: 3, " +
           selector + "strategy: {type: Recreate}, " + Template("Always") + "}}",
       "deployment \"w\": runs one pod of its template; passed over: replicas, strategy"},
      {"ReplicaSet",
       "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: w}, spec: {" + selector +
           Template("Always") + "}}",
       "replicaset \"w\": runs one pod of its template"},
      {"StatefulSet",
       "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: w}, spec: {serviceName: s, " +
           selector + Template("Always") + "}}",
       "statefulset \"w\": runs one pod of its template; passed over: serviceName"},
      {"DaemonSet",
       "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: w}, spec: {" + selector +
           Template("Always") + "}}",
       "daemonset \"w\": runs one pod of its template"},
      {"ReplicationController",
       "{apiVersion: v1, kind: ReplicationController, metadata: {name: w}, spec: {replicas: 2, " +
           Template("Always") + "}}",
       "replicationcontroller \"w\": runs one pod of its template; passed over: replicas"},
      {"Job",
       "{apiVersion: batch/v1, kind: Job, metadata: {name: w}, spec: {completions: 5, " +
           Template("Never") + "}}",
       "job \"w\": runs one pod of its template; passed over: completions"},
      {"CronJob",
       "{apiVersion: batch/v1, kind: CronJob, metadata: {name: w}, spec: {schedule: '* * * * *', "
       "jobTemplate: {spec: {backoffLimit: 1, " +
           Template("Never") + "}}}}",
       "cronjob \"w\": runs one pod of its template; passed over: schedule, "
       "jobTemplate.spec.backoffLimit"},
      {"PodTemplate",
       "{apiVersion: v1, kind: PodTemplate, metadata: {name: w}, " + Template("Always") + "}",
       "podtemplate \"w\": runs one pod of its template"},
  };
  for (const Case& c : cases) {
    auto got = Collect(c.yaml);
    ASSERT_TRUE(got.ok()) << c.what << ": " << got.error().message();
    ASSERT_EQ(got->pods.size(), 1U) << c.what;
    const v1::Pod& pod = got->pods[0];
    EXPECT_EQ(pod.metadata.name, "w") << c.what;
    EXPECT_EQ(pod.metadata.namespace_, "default") << c.what;
    EXPECT_EQ(pod.metadata.labels.at("app"), "web") << c.what;
    EXPECT_EQ(pod.spec.containers.at(0).image, "nginx") << c.what;
    ASSERT_EQ(got->notes.size(), 1U) << c.what;
    EXPECT_EQ(got->notes[0], c.note);
  }
}

TEST_F(PlayObjects, OtherKindsArePassedOver) {
  auto got =
      Collect("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80}]}}");
  ASSERT_TRUE(got.ok()) << got.error().message();
  EXPECT_TRUE(got->pods.empty());
  EXPECT_EQ(got->notes,
            (std::vector<std::string>{"service \"s\": passed over, it needs an API server"}));
}

TEST_F(PlayObjects, TwoPodsOfOneNameAreAnError) {
  const std::string pod =
      "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: i}]}}";
  auto got = Collect(pod + "\n---\n" + pod);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().message(), "two pods are called \"a\" in namespace \"default\"");
}

}  // namespace
}  // namespace podium::commands
