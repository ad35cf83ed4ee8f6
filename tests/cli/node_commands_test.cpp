// The commands that speak to /node/v1, against an agent that a server in the test plays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "cli/agent_case.h"
#include "cli/node_facts.h"
#include "cli/pull_view.h"
#include "http/url.h"

namespace podium::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Two pods: of "web", one container runs and one has ended; "job" has ended altogether.
constexpr std::string_view kSandboxes = R"({"items":[
{"status":{"id":"1111111111112222","metadata":{"name":"web","uid":"u-1","namespace":"default"},
  "createdAt":"1700000000000000000","network":{"ip":"10.208.0.2","additionalIps":[{"ip":"fd00::2"}]}},
 "info":{"info":"{\"pid\":100,\"cgroup\":\"podium/u-1\",\"namespaces\":{\"net\":7,\"ipc\":8,\"uts\":9,\"pid\":10,\"mnt\":11}}"},
 "containersStatuses":[{"id":"aaaaaaaaaaaabbbb"},{"id":"ccccccccccccdddd"},{"id":"gone"}]},
{"status":{"id":"3333333333334444","metadata":{"name":"job","uid":"u-2","namespace":"shop"},
  "state":"SANDBOX_NOTREADY","createdAt":"1700000000000000000"},
 "info":{"info":"{\"pid\":0,\"cgroup\":\"\",\"namespaces\":{}}"}}]})";
constexpr std::string_view kContainers = R"({"items":[
{"status":{"id":"ccccccccccccdddd","metadata":{"name":"old","attempt":2},"state":"CONTAINER_EXITED",
  "exitCode":3,"startedAt":"1700000000000000000","image":{"image":"sha256:1","userSpecifiedImage":"b:2"}},
 "info":{"info":"{\"pid\":0,\"cgroup\":\"podium/u-1/c\",\"namespaces\":{}}"}},
{"status":{"id":"aaaaaaaaaaaabbbb","metadata":{"name":"app"},"state":"CONTAINER_RUNNING",
  "startedAt":"1700000000000000000","image":{"image":"nginx:1.25"}},
 "info":{"info":"{\"pid\":101,\"cgroup\":\"podium/u-1/a\",\"namespaces\":{\"net\":7,\"ipc\":8,\"uts\":9,\"pid\":12,\"mnt\":13}}"}}]})";
constexpr std::string_view kPod =
    R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"default","uid":"u-1"},
"status":{"phase":"Running"}})";

class NodeCommandsTest : public AgentCase {
 protected:
  void ServeNode() {
    Serve([](const std::string& request, const ExchangePtr& exchange) {
      if (request == "GET /node/v1/sandboxes") return Json(exchange, kSandboxes);
      if (request == "GET /node/v1/containers") return Json(exchange, kContainers);
      if (request == "GET /api/v1/namespaces/default/pods/web") return Json(exchange, kPod);
      Json(
          exchange,
          R"({"kind":"Status","status":"Failure","message":"no such thing","reason":"NotFound","code":404})",
          404);
    });
  }
};

TEST_F(NodeCommandsTest, PsListsWhatRunsWithInfraContainers) {
  ServeNode();
  const Outcome outcome = Run({"ps"});
  ASSERT_EQ(outcome.status, kOk) << outcome.err;
  std::istringstream lines(outcome.out);
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "POD   CONTAINER   ID             STATE     PID   IMAGE        STARTED");
  std::getline(lines, line);
  EXPECT_THAT(line, ::testing::StartsWith("web   (infra)     111111111111   running   100   -"));
  std::getline(lines, line);
  EXPECT_THAT(line, ::testing::StartsWith(
                        "web   app         aaaaaaaaaaaa   running   101   nginx:1.25   "));
  EXPECT_THAT(line, ::testing::EndsWith(" ago"));
  EXPECT_FALSE(std::getline(lines, line));
}

TEST_F(NodeCommandsTest, PsAllAndNamespaces) {
  ServeNode();
  const Outcome all = Run({"ps", "-a"});
  EXPECT_THAT(all.out, HasSubstr("exited (3)"));
  EXPECT_THAT(all.out, HasSubstr("b:2"));
  EXPECT_THAT(all.out, HasSubstr("shop/job"));
  const Outcome one = Run({"ps", "-a", "-n", "shop", "-o", "json"});
  const auto json = reflect::ParseJson(one.out);
  ASSERT_TRUE(json.ok());
  ASSERT_EQ(json->array().size(), 1U);
  EXPECT_EQ(TextAt(&json->array()[0], "id"), "3333333333334444");
  EXPECT_EQ(TextAt(&json->array()[0], "state"), "exited");
  EXPECT_EQ(json->array()[0].Find("pid"), nullptr);
}

TEST_F(NodeCommandsTest, InspectMarksSharedNamespaces) {
  ServeNode();
  const Outcome text = Run({"inspect", "web"});
  ASSERT_EQ(text.status, kOk) << text.err;
  EXPECT_THAT(text.out, HasSubstr("Pod default/web, uid u-1, Running\n"));
  EXPECT_THAT(text.out, HasSubstr("addresses: 10.208.0.2, fd00::2"));
  EXPECT_THAT(text.out, HasSubstr("(infra)      7     8     9     10    11    -      -\n"));
  EXPECT_THAT(text.out, HasSubstr("app          7*    8*    9*    12    13    -      -\n"));

  const Outcome json = Run({"inspect", "web", "-o", "json"});
  const auto value = reflect::ParseJson(json.out);
  ASSERT_TRUE(value.ok()) << json.out;
  EXPECT_EQ(TextAt(value->Find("pod")->Find("metadata"), "uid"), "u-1");
  ASSERT_EQ(ListAt(&*value, "sandboxes").size(), 1U);
  const auto& containers = ListAt(&ListAt(&*value, "sandboxes")[0], "containers");
  ASSERT_EQ(containers.size(), 2U);
  EXPECT_EQ(NumberAt(containers[0].Find("namespaces"), "net"), 7);
  EXPECT_EQ(reflect::ToText(*containers[0].Find("sharedNamespaces")), R"(["net","ipc","uts"])");
  EXPECT_EQ(reflect::ToText(*containers[1].Find("sharedNamespaces")), "[]");
  EXPECT_EQ(NumberAt(&containers[1], "exitCode"), 3);
}

TEST_F(NodeCommandsTest, InspectSaysWhyAContainerWaits) {
  constexpr std::string_view kWaiting =
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"default","uid":"u-1"},
"status":{"phase":"Pending","initContainerStatuses":[{"name":"first","state":{"terminated":{"exitCode":0,"reason":"Completed"}}}],
"containerStatuses":[
{"name":"app","state":{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image \"x\""}}},
{"name":"old","state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 10s"}},
 "lastState":{"terminated":{"exitCode":3,"reason":"Error","message":"one\ntwo\u001b[31m"}}},
{"name":"fine","state":{"running":{}}}]}})";
  const std::string times = R"("lastTimestamp":"2020-01-01T00:00:0)";
  const std::string events =
      R"({"kind":"EventList","apiVersion":"v1","items":[{"type":"Warning","reason":"Failed","message":"later","count":4,)" +
      times + R"(9Z"},{"type":"Normal","reason":"Pulling","message":"earlier","count":1,)" + times +
      R"(1Z"}]})";
  Serve([&](const std::string& request, const ExchangePtr& exchange) {
    if (request == "GET /node/v1/sandboxes") return Json(exchange, kSandboxes);
    if (request == "GET /node/v1/containers") return Json(exchange, kContainers);
    if (request.starts_with("GET /api/v1/namespaces/default/events?"))
      return Json(exchange, events);
    Json(exchange, kWaiting);
  });
  const Outcome outcome = Run({"inspect", "web"});
  ASSERT_EQ(outcome.status, kOk) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("\napp\n   Waiting: ImagePullBackOff: Back-off pulling image "
                                     "\"x\"\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\nold\n   Waiting: CrashLoopBackOff: back-off 10s\n"
                                     "   Last: Error, exit code 3: one\n   two"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\nfine\n")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\nfirst\n")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b")));
  const size_t earlier = outcome.out.find("earlier\n");
  ASSERT_NE(earlier, std::string::npos) << outcome.out;
  EXPECT_LT(earlier, outcome.out.find("later\n"));
  EXPECT_THAT(outcome.out, HasSubstr(" (x4)   later\n"));
  EXPECT_THAT(requests_, Contains(HasSubstr("fieldSelector=involvedObject.uid%3Du-1")));
}

TEST_F(NodeCommandsTest, InspectWithoutPodSaysWhatTheAgentSays) {
  ServeNode();
  const Outcome outcome = Run({"inspect", "nope"});
  EXPECT_EQ(outcome.status, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("podium inspect: no such thing"));
  EXPECT_EQ(Run({"inspect"}).status, kUsage);
}

TEST_F(NodeCommandsTest, DescribeShowsPodsWithTheirEvents) {
  const std::string pods =
      R"({"kind":"PodList","apiVersion":"v1","items":[)" + std::string(kPod) +
      R"(,{"metadata":{"name":"web-2","namespace":"default","uid":"u-2"},"spec":{"containers":[]}}]})";
  const char* events =
      R"({"kind":"EventList","apiVersion":"v1","items":[{"metadata":{"name":"e","namespace":"default"},)"
      R"("involvedObject":{"kind":"Pod","name":"web","namespace":"default","uid":"u-1"},)"
      R"("type":"Normal","reason":"Pulling","message":"it pulls","source":{"component":"podium"}}]})";
  Serve([&](const std::string& request, const ExchangePtr& exchange) {
    const std::string start = "GET /api/v1/namespaces/default/";
    if (request.starts_with(start + "events")) return Json(exchange, events);
    if (request == start + "pods/web") return Json(exchange, kPod);
    if (request.starts_with(start + "pods?")) return Json(exchange, pods);
    Json(exchange,
         R"({"kind":"Status","apiVersion":"v1","status":"Failure",)"
         R"("message":"pods \"x\" not found","reason":"NotFound","code":404})",
         404);
  });
  for (const auto& arguments : {std::vector{"describe", "pod", "web"}, {"describe", "po/web"}}) {
    const Outcome outcome = Run(arguments);
    ASSERT_EQ(outcome.status, kOk) << outcome.err;
    EXPECT_TRUE(outcome.out.starts_with("Name:         web\nNamespace:    default\n"));
    EXPECT_THAT(outcome.out, HasSubstr("Normal  Pulling  <unknown>  podium  it pulls\n"));
    EXPECT_THAT(outcome.out, Not(HasSubstr("web-2")));
  }
  // As kubectl: all of them, two empty lines between; and by how names begin.
  EXPECT_THAT(Run({"describe", "pods"}).out,
              HasSubstr("it pulls\n\n\nName:         web-2\nNamespace:    default\n"));
  EXPECT_TRUE(Run({"describe", "pod", "web-"}).out.starts_with("Name:         web-2\n"));
  EXPECT_THAT(Run({"describe", "pod", "web", "--show-events=false"}).out, Not(HasSubstr("Events")));
  const Outcome missing = Run({"describe", "pod", "x"});
  EXPECT_EQ(missing.status, kFailed);
  EXPECT_EQ(missing.err, "Error from server (NotFound): pods \"x\" not found\n");
  EXPECT_EQ(Run({"describe"}).status, kUsage);
  const Outcome node = Run({"describe", "node"});
  EXPECT_EQ(node.status, kFailed);
  EXPECT_THAT(node.err, HasSubstr("the agent of this machine has configmaps, events, pods"));
}

std::string StatsJson(int64_t second, int64_t cpu) {
  const std::string usage =
      R"("cpu":{"timestamp":")" + std::to_string(second) +
      R"(000000000","usageCoreNanoSeconds":{"value":")" + std::to_string(cpu) +
      R"("}},"memory":{"workingSetBytes":{"value":"1572864"},"availableBytes":{"value":"524288"}})";
  return R"({"items":[{"attributes":{"id":"p","metadata":{"name":"web","namespace":"default"}},"linux":{)" +
         usage +
         R"(,"process":{"processCount":{"value":"4"}},"network":{"defaultInterface":{"rxBytes":{"value":"2048"},"txBytes":{}}},)"
         R"("containers":[{"attributes":{"id":"c","metadata":{"name":"app"}},)" +
         usage + "}]}}]}";
}

TEST_F(NodeCommandsTest, StatsAreOfTheLastSecond) {
  std::atomic<int64_t> reading = 0;
  Serve([&](const std::string&, const ExchangePtr& exchange) {
    ++reading;
    // A quarter of a core.
    Json(exchange, StatsJson(100 + 2 * reading, 500'000'000 * reading));
  });
  const Outcome outcome = Run({"stats", "web", "--no-stream"});
  ASSERT_EQ(outcome.status, kOk) << outcome.err;
  EXPECT_EQ(outcome.out,
            "POD   CONTAINER   CPU    MEMORY   LIMIT    PIDS   NET IN / OUT\n"
            "web   (pod)       250m   1.5MiB   2.0MiB   4      2.0KiB / 0B\n"
            "web   app         250m   1.5MiB   2.0MiB   -      -\n");
  EXPECT_EQ(reading, 2);
  const Outcome json = Run({"stats", "--no-stream", "-o", "json"});
  const auto value = reflect::ParseJson(json.out);
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(NumberAt(&value->array()[1], "cpuMillicores"), 250);
  EXPECT_EQ(NumberAt(&value->array()[0], "receivedBytes"), 2048);
  EXPECT_THAT(Run({"stats", "other"}).err, HasSubstr("does not run"));
}

TEST_F(NodeCommandsTest, ImagesByName) {
  Serve([](const std::string&, const ExchangePtr& exchange) {
    Json(exchange, R"({"items":[{"id":"sha256:0123456789abcdef","repoTags":["a:1","b:2"],
"repoDigests":[],"created":"2001-09-09T01:46:40.5Z",
"size":1024,"unpackedSize":2048,"pinned":false,"inUse":1},
{"id":"sha256:fedcba9876543210","repoTags":[],"created":"0001-01-01T00:00:00Z",
"size":5,"unpackedSize":0,"inUse":0}]})");
  });
  EXPECT_THAT(
      Run({"images"}).out,
      ::testing::MatchesRegex("IMAGE    ID             CREATED   SIZE     UNPACKED   IN USE\n"
                              "a:1      0123456789ab   [0-9]+y ago +1.0KiB   2.0KiB     yes\n"
                              "b:2      0123456789ab   [0-9]+y ago +1.0KiB   2.0KiB     yes\n"
                              "<none>   fedcba987654   - +5B       0B         no\n"));
  const auto json = reflect::ParseJson(Run({"images", "-o", "json"}).out);
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->array().size(), 2U);
}

TEST_F(NodeCommandsTest, VerifyingTellsWhatWasMended) {
  std::string items;
  Serve([&](const std::string& request, const ExchangePtr& exchange) {
    EXPECT_EQ(request, "POST /node/v1/images/verify");
    (void)exchange->Begin(200, {});
    (void)exchange->Write("{\"done\":4096}\n" + items);
    (void)exchange->End();
  });
  items = R"({"items":[]})";
  Outcome outcome = Run({"images", "--verify"});
  EXPECT_EQ(outcome.status, kOk) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  items = R"({"items":[{"problem":"layer a is damaged","mended":true}]})";
  outcome = Run({"images", "--verify"});
  EXPECT_EQ(outcome.status, kOk) << outcome.err;
  EXPECT_EQ(outcome.out, "layer a is damaged; unpacked again\n");
  items = R"({"items":[{"problem":"blob b is missing","mended":false}]})";
  outcome = Run({"images", "--verify"});
  EXPECT_EQ(outcome.status, kFailed);
  EXPECT_EQ(outcome.out, "blob b is missing; pull or import the image again\n");
  items = R"({"error":"the disk is gone"})";
  EXPECT_EQ(Run({"images", "--verify"}).err, "podium images: the disk is gone\n");
  items = "";
  EXPECT_THAT(Run({"images", "--verify"}).err, HasSubstr("without saying what it found"));
}

TEST_F(NodeCommandsTest, RemovalsGoOnAfterAnError) {
  Serve([](const std::string& request, const ExchangePtr& exchange) {
    if (request.find("busy") != std::string::npos) {
      return Json(
          exchange,
          R"({"kind":"Status","status":"Failure","message":"in use","reason":"Conflict","code":409})",
          409);
    }
    Json(exchange, R"({"untagged":["a:1"],"deleted":["sha256:1"],"bytes":2048})");
  });
  const Outcome removed = Run({"rmi", "-f", "busy", "a:1"});
  EXPECT_EQ(removed.status, kFailed);
  EXPECT_EQ(removed.err,
            "podium rmi: in use; podium stop ends a pod, and --force takes only the names away\n");
  EXPECT_EQ(removed.out, "untagged a:1\ndeleted sha256:1\nfreed 2.0KiB\n");
  EXPECT_EQ(Run({"prune", "--all"}).status, kOk);
  EXPECT_THAT(Requests(), ElementsAre("DELETE /node/v1/images?image=busy&force=true",
                                      "DELETE /node/v1/images?image=a%3A1&force=true",
                                      "POST /node/v1/images/prune?all=true"));
}

TEST_F(NodeCommandsTest, PullShowsStepsAndPrintsTheId) {
  Serve([](const std::string& request, const ExchangePtr& exchange) {
    if (request.find("bad") != std::string::npos) {
      return Json(exchange,
                  "{\"layer\":0,\"layers\":1,\"digest\":\"sha256:1\",\"state\":\"waiting\"}\n"
                  "{\"error\":\"the registry is gone\"}\n");
    }
    if (request.find("cut") != std::string::npos) return Json(exchange, "");
    Json(exchange,
         "{\"layer\":0,\"layers\":1,\"digest\":\"sha256:0123456789abcdef\",\"state\":"
         "\"downloading\","
         "\"done\":10,\"total\":1024}\n"
         "{\"layer\":0,\"layers\":1,\"digest\":\"sha256:0123456789abcdef\",\"state\":"
         "\"downloading\","
         "\"done\":500,\"total\":1024}\n"
         "{\"layer\":0,\"layers\":1,\"digest\":\"sha256:0123456789abcdef\",\"state\":\"done\","
         "\"done\":1024,\"total\":1024}\n"
         "{\"id\":\"sha256:77\",\"size\":1024}");
  });
  const Outcome good = Run({"pull", "a:1"});
  EXPECT_EQ(good.status, kOk);
  EXPECT_EQ(good.out, "sha256:77\n");
  EXPECT_EQ(good.err, "0123456789ab: downloading (1.0KiB)\n0123456789ab: done (1.0KiB)\n");
  EXPECT_THAT(Requests(), ElementsAre("POST /node/v1/images/pull?image=a%3A1&progress=true"));
  const Outcome bad = Run({"pull", "-q", "bad"});
  EXPECT_EQ(bad.status, kFailed);
  EXPECT_EQ(bad.err, "podium pull: the registry is gone\n");
  EXPECT_THAT(Run({"pull", "cut"}).err, HasSubstr("without saying how it went"));
}

TEST(PullView, DrawsBarsInPlace) {
  PullView view(68);
  const auto step = reflect::ParseJson(
      R"({"layer":1,"layers":2,"digest":"sha256:0123456789abcdef","state":"downloading","done":512,"total":1024})");
  const std::string first = view.Show(*step);
  EXPECT_THAT(first, HasSubstr("0123456789ab downloading [==========          ] 512B/1.0KiB\n"));
  EXPECT_THAT(first, Not(HasSubstr("\x1b[2A")));
  EXPECT_THAT(view.Show(*step), ::testing::StartsWith("\x1b[2A"));
  // Nothing that an agent says draws without bounds, or steers the terminal.
  EXPECT_EQ(view.Show(*reflect::ParseJson(R"({"layer":0,"layers":1000000})")), "");
  EXPECT_EQ(view.Show(*reflect::ParseJson(R"({"layer":-1,"layers":2})")), "");
  EXPECT_THAT(
      view.Show(*reflect::ParseJson(R"({"layer":0,"layers":1,"digest":"x","state":"\u001b]0;x"})")),
      HasSubstr("\\x1b]0;x"));
}

TEST_F(NodeCommandsTest, ImportSendsTheFileAndItsConfiguration) {
  Serve([](const std::string&, const ExchangePtr& exchange) {
    Json(exchange, R"({"items":[{"id":"sha256:77","repoTags":["docker.io/library/base:1"]}]})");
  });
  const std::string archive = folder_ + "/root.tar";
  std::ofstream(archive) << std::string(100'000, 'x');
  const Outcome outcome = Run({"import", archive.c_str(), "--name", "base:1", "--cmd", R"(["sh"])",
                               "--entrypoint", "exec a", "-e", "A=b=c", "-l", "k=v", "-u", "7"});
  ASSERT_EQ(outcome.status, kOk) << outcome.err;
  EXPECT_EQ(outcome.out, "sha256:77 docker.io/library/base:1\n");
  EXPECT_EQ(bodies_.at(0), std::string(100'000, 'x'));
  const std::string target = Requests().at(0);
  const auto query = http::ParseQuery(target.substr(target.find('?') + 1));
  ASSERT_TRUE(query.ok());
  EXPECT_THAT(
      *query,
      ElementsAre(
          std::pair("name", "base:1"),
          std::pair("config",
                    R"({"Entrypoint":["/bin/sh","-c","exec a"],"Cmd":["sh"],"Env":["A=b=c"],)"
                    R"("User":"7","Labels":{"k":"v"}})")));
}

TEST_F(NodeCommandsTest, ImportSendsAFolderAsAnArchive) {
  Serve([](const std::string&, const ExchangePtr& exchange) {
    Json(exchange, R"({"items":[{"id":"sha256:77"}]})");
  });
  const std::filesystem::path folder = std::filesystem::path(folder_) / "layout";
  const std::string blob = "blobs/sha512/" + std::string(128, 'a');
  std::filesystem::create_directories(folder / "blobs/sha512");
  std::ofstream(folder / "oci-layout") << "{}";
  std::ofstream(folder / "index.json") << std::string(512, 'i');
  std::ofstream(folder / blob) << std::string(100'001, 'b');
  std::ofstream(folder / "blobs/empty") << "";
  std::filesystem::create_symlink("index.json", folder / "link");
  ASSERT_EQ(Run({"import", folder.c_str()}).status, kOk);
  EXPECT_THAT(Requests().at(0), HasSubstr("kind=images"));

  // What tar makes of it.
  const std::string archive = folder_ + "/sent.tar";
  std::ofstream(archive, std::ios::binary) << bodies_.at(0);
  const std::filesystem::path out = std::filesystem::path(folder_) / "unpacked";
  std::filesystem::create_directories(out);
  const std::string listing = folder_ + "/listing";
  ASSERT_EQ(std::system(("tar -xvf " + archive + " -C " + out.string() + " > " + listing).c_str()),
            0);
  EXPECT_EQ(Contents(listing), "oci-layout\nindex.json\nblobs/empty\n" + blob + "\nlink\n");
  for (const std::string& name : {std::string("oci-layout"), std::string("index.json"), blob}) {
    EXPECT_EQ(Contents((out / name).string()), Contents((folder / name).string())) << name;
  }
  EXPECT_EQ(std::filesystem::file_size(out / "blobs/empty"), 0U);
  EXPECT_EQ(std::filesystem::read_symlink(out / "link"), "index.json");
}

TEST_F(NodeCommandsTest, ImportRefusesWhatIsNotClear) {
  const std::string folder = folder_;
  EXPECT_THAT(Run({"import", "x", "-e", "=b"}).err, HasSubstr("is no NAME=VALUE"));
  EXPECT_THAT(Run({"import", "x", "-l", "b"}).err, HasSubstr("is no KEY=VALUE"));
  EXPECT_THAT(Run({"import", "x", "--cmd", "[1]"}).err, HasSubstr("no JSON list"));
  EXPECT_THAT(Run({"import", folder.c_str()}).err, HasSubstr("it is no OCI layout"));
  EXPECT_THAT(Run({"import", (folder + "/none").c_str()}).err, HasSubstr("none"));
}

TEST_F(NodeCommandsTest, ExportWritesWholeFilesOrNone) {
  Serve([](const std::string& request, const ExchangePtr& exchange) {
    if (request.find("cut") != std::string::npos) {
      // Dropped amid the answer.
      (void)exchange->Begin(200, {});
      (void)exchange->Write("half");
      return;
    }
    (void)exchange->Respond(200, {}, "archive");
  });
  const std::string file = folder_ + "/image.tar";
  ASSERT_EQ(Run({"export", "a:1", file.c_str()}).status, kOk);
  EXPECT_EQ(Contents(file), "archive");
  EXPECT_EQ(Run({"export", "cut", file.c_str()}).status, kFailed);
  EXPECT_EQ(Contents(file), "archive");
  EXPECT_FALSE(std::filesystem::exists(file + ".part"));
  EXPECT_EQ(Run({"export", "a:1", "-"}).out, "archive");
  EXPECT_EQ(Run({"export", "a:1"}).status, kUsage);
}

TEST_F(NodeCommandsTest, WithoutAnAgentTheySayWhatToDo) {
  for (const std::vector<const char*>& arguments :
       std::vector<std::vector<const char*>>{{"ps"},
                                             {"inspect", "a"},
                                             {"stats"},
                                             {"images"},
                                             {"pull", "a"},
                                             {"rmi", "a"},
                                             {"prune"}}) {
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.status, kFailed);
    EXPECT_THAT(outcome.err, HasSubstr(std::string("podium ") + arguments[0] + ": "))
        << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("podium agent")) << outcome.err;
  }
}

TEST_F(NodeCommandsTest, CommandsOfImagesStartAnAgent) {
  const auto own = Commands();
  std::vector<Command> commands(own.begin(), own.end());
  for (Command& command : commands) {
    command.ensure_agent = [] { return Result<void>(Error(Code::kInternal, "asked")); };
  }
  for (const std::vector<const char*>& arguments :
       std::vector<std::vector<const char*>>{{"images"},
                                             {"pull", "a"},
                                             {"import", "a"},
                                             {"export", "a", "b"},
                                             {"rmi", "a"},
                                             {"prune"}}) {
    EXPECT_EQ(RunCommand(commands, arguments).err,
              std::string("podium ") + arguments[0] + ": asked\n");
  }
  for (const char* name : {"ps", "pods", "stats"}) {
    EXPECT_THAT(RunCommand(commands, std::vector<const char*>{name}).err, HasSubstr("no agent"));
  }
}

TEST(NodeFacts, SizesAndIds) {
  EXPECT_EQ(Bytes(0), "0B");
  EXPECT_EQ(Bytes(1023), "1023B");
  EXPECT_EQ(Bytes(1536), "1.5KiB");
  EXPECT_EQ(Bytes(uint64_t{200} << 20), "200MiB");
  EXPECT_EQ(Bytes(UINT64_MAX), "16.0EiB");
  EXPECT_EQ(ShortId("sha256:0123456789abcdef"), "0123456789ab");
  EXPECT_EQ(ShortId("abc"), "abc");
}

TEST(NodeFacts, AnswersThatAreNone) {
  EXPECT_FALSE(SandboxesOf("{", "{}").ok());
  EXPECT_TRUE(SandboxesOf("[]", "7")->empty());
  EXPECT_EQ(SandboxesOf(R"({"items":[1,{"status":null,"info":{"info":"{"}}]})", "{}")->size(), 2U);
  EXPECT_FALSE(UsageOf("").ok());
}

}  // namespace
}  // namespace podium::cli
