// label and annotate --local; with a server: tests/e2e/kubectl_twin_test.py.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "cli/agent_case.h"

namespace podium::cli {
namespace {

constexpr const char* kPod = R"(apiVersion: v1
kind: Pod
metadata: {name: a, labels: {x: "1"}}
spec: {containers: [{name: c, image: i}], anything: 1}
)";
constexpr const char* kOthers = R"(---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, namespace: elsewhere, annotations: {x: "1"}}
---
apiVersion: v1
kind: List
items:
- {apiVersion: example.com/v1, kind: Widget, metadata: {name: w}}
)";

// No server and no agent is there to be asked.
class LabelTest : public AgentCase {
 protected:
  void SetUp() override {
    AgentCase::SetUp();
    one_ = folder_ + "/one.yaml";
    all_ = folder_ + "/all.yaml";
    std::ofstream(one_) << kPod;
    std::ofstream(all_) << kPod << kOthers;
  }

  // Output where it ends well, else errors.
  std::string Local(const char* command, const std::string& file,
                    std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), {command, "--local"});
    if (!file.empty()) arguments.insert(arguments.end(), {"-f", file.c_str()});
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.status == kOk, outcome.err.empty()) << outcome.err;
    return outcome.out + outcome.err;
  }

  std::string one_;
  std::string all_;
};

TEST_F(LabelTest, LinesAreKubectls) {
  EXPECT_EQ(Local("label", one_, {"y=2"}), "pod/a labeled\n");
  EXPECT_EQ(Local("label", one_, {"y=2", "--dry-run=client"}), "pod/a labeled (dry run)\n");
  EXPECT_EQ(Local("label", one_, {"x=1"}), "pod/a not labeled\n");
  EXPECT_EQ(Local("label", one_, {"z-"}), "pod/a not labeled\n");
  EXPECT_EQ(Local("label", one_, {"x-"}), "pod/a unlabeled\n");
  EXPECT_EQ(Local("label", one_, {"x=2"}),
            "error: 'x' already has a value (1), and --overwrite is false\n");
  EXPECT_EQ(Local("label", one_, {"x=2", "--overwrite"}), "pod/a labeled\n");
  EXPECT_EQ(Local("label", one_, {"--list"}), "x=1\n");
  EXPECT_EQ(Local("label", all_, {"y=2", "-l", "no=such", "-n", "other"}),
            "pod/a labeled\ndeployment.apps/d labeled\nwidget.example.com/w labeled\n");
  EXPECT_EQ(Local("annotate", all_, {"x=2"}),
            "pod/a annotated\nwidget.example.com/w annotated\n"
            "error: --overwrite is false but found the following declared annotation(s): 'x' "
            "already has a value (1)\n");
  EXPECT_EQ(Local("annotate", all_, {"x-", "-o", "name"}),
            "pod/a\ndeployment.apps/d\nwidget.example.com/w\n");
}

TEST_F(LabelTest, ObjectsStayAsTheyStand) {
  const std::string pod =
      "apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    x: \"1\"\n    \"y\": \"2\"\n"
      "  name: a\nspec:\n  anything: 1\n  containers:\n  - image: i\n    name: c\n";
  EXPECT_EQ(Local("label", one_, {"y=2", "-o", "yaml"}), pod);
  EXPECT_TRUE(Local("label", all_, {"y=2", "-o", "yaml"}).starts_with(pod + "apiVersion: apps/v1"));
  EXPECT_TRUE(Local("annotate", all_, {"x-", "-o", "yaml"})
                  .ends_with("---\napiVersion: example.com/v1\nkind: Widget\nmetadata:\n"
                             "  annotations: {}\n  name: w\n"));
  EXPECT_EQ(Local("label", one_,
                  {"y=2", "--resource-version=4", "-o", "jsonpath={.metadata.resourceVersion}"}),
            "4");
}

TEST_F(LabelTest, WhatLocalTakes) {
  EXPECT_EQ(Local("label", one_, {"y=2", "--dry-run=server"}),
            "error: cannot specify --local and --dry-run=server - did you mean "
            "--dry-run=client?\n");
  EXPECT_EQ(Local("label", one_, {"pod/a", "y=2"}),
            "error: can only use local files by -f pod.yaml or --filename=pod.json when "
            "--local=true is set\n");
  EXPECT_EQ(Local("annotate", "", {"pod", "a", "y=2"}),
            "error: can only use local files by -f rsrc.yaml or --filename=rsrc.json when "
            "--local=true is set\n");
  EXPECT_EQ(Local("label", "", {"y=2"}),
            "error: one or more files must be specified as -f pod.yaml or --filename=pod.json\n");
  EXPECT_EQ(Local("label", one_, {}), "error: at least one label update is required\n");
  EXPECT_EQ(Local("label", "/no/such", {"y=2"}), "error: the path \"/no/such\" does not exist\n");
}

}  // namespace
}  // namespace podium::cli
