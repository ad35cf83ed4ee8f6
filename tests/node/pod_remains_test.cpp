#include "node/pod_remains.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/unique_fd.h"
#include "node/fake_services.h"
#include "node/pods.h"

namespace podium::node {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class PodRemainsTest : public ::testing::Test {
 protected:
  // A pod's files, as an agent makes them.
  v1::Pod Make(const std::string& uid) {
    v1::Pod pod = PodOf("containers: [{name: a}]");
    pod.metadata.uid = uid;
    pod.metadata.namespace_ = "ns";
    pod.metadata.name = "p";
    Write(Manifest(uid), R"({"metadata":{"namespace":"ns","name":"p","uid":")" + uid + "\"}}");
    Write(Folder(uid) + "/containers/a/0", "");
    Write(Logs(uid) + "/a/0.log", "");
    return pod;
  }
  static void Write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << text;
  }
  std::string Manifest(const std::string& uid) {
    return node_.config.run_dir + "/pods/" + uid + ".json";
  }
  std::string Record(const std::string& uid) {
    return node_.config.run_dir + "/pods/" + uid + ".ended";
  }
  std::string Folder(const std::string& uid) { return node_.config.data_dir + "/pods/" + uid; }
  std::string Logs(const std::string& uid) { return node_.config.log_dir + "/ns_p_" + uid; }
  bool AnythingLeft(const std::string& uid) {
    return fs::exists(Manifest(uid)) || fs::exists(Record(uid)) || fs::exists(Folder(uid)) ||
           fs::exists(Logs(uid));
  }

  FakeNode node_;
  std::shared_ptr<PodRemains> remains_ = std::make_shared<PodRemains>(node_.config, node_.time);
};

TEST_F(PodRemainsTest, GoByAndBy) {
  const v1::Pod one = Make("1");
  const v1::Pod two = Make("2");
  remains_->Leave(one);
  // Whoever looks now finds no pod, and what is left of it.
  EXPECT_FALSE(fs::exists(Manifest("1")));
  EXPECT_TRUE(fs::exists(Record("1")) && fs::exists(Folder("1")) && fs::exists(Logs("1")));
  remains_->Leave(two);
  node_.time.RunFor(200ms);
  EXPECT_FALSE(AnythingLeft("1"));
  EXPECT_FALSE(AnythingLeft("2"));
}

TEST_F(PodRemainsTest, OfAnAgentThatWasKilled) {
  Make("1");
  Make("2");
  fs::rename(Manifest("1"), Record("1"));
  Write(Record("broken"), "{");
  remains_->Recover();
  node_.time.RunFor(200ms);
  EXPECT_FALSE(AnythingLeft("1"));
  EXPECT_FALSE(AnythingLeft("broken"));
  EXPECT_TRUE(fs::exists(Manifest("2")) && fs::exists(Folder("2")) && fs::exists(Logs("2")));
}

TEST_F(PodRemainsTest, AnAgentThatEndsLeavesNone) {
  remains_->Leave(Make("1"));
  remains_->Finish();
  EXPECT_FALSE(AnythingLeft("1"));
  remains_.reset();
  node_.time.RunFor(1s);
}

TEST_F(PodRemainsTest, OldVolumesOfAPodThatStays) {
  Make("1");
  Write(RemovedVolumes(node_.config, "1") + "/kubernetes.io~empty-dir/v/file", "x");
  EXPECT_FALSE(remains_->busy());
  remains_->LeaveVolumes("1");
  EXPECT_TRUE(remains_->busy());
  EXPECT_TRUE(fs::exists(RemovedVolumes(node_.config, "1")));
  node_.time.RunFor(200ms);
  EXPECT_FALSE(fs::exists(RemovedVolumes(node_.config, "1")));
  EXPECT_FALSE(remains_->busy());
  EXPECT_TRUE(fs::exists(Manifest("1")) && fs::exists(Folder("1")) && fs::exists(Logs("1")));
}

TEST_F(PodRemainsTest, OldVolumesAndThenThePod) {
  const v1::Pod pod = Make("1");
  Write(RemovedVolumes(node_.config, "1") + "/file", "x");
  remains_->LeaveVolumes("1");
  remains_->Leave(pod);
  node_.time.RunFor(200ms);
  EXPECT_FALSE(AnythingLeft("1"));
}

TEST_F(PodRemainsTest, OldVolumesThatAnAgentWhichWasKilledHasLeft) {
  Make("1");
  Make("2");
  Write(RemovedVolumes(node_.config, "1") + "/file", "x");
  Write(Folder("2") + "/volumes/file", "x");
  remains_->Recover();
  node_.time.RunFor(200ms);
  EXPECT_FALSE(fs::exists(RemovedVolumes(node_.config, "1")));
  EXPECT_TRUE(fs::exists(Manifest("1")) && fs::exists(Folder("1")) && fs::exists(Logs("1")));
  EXPECT_TRUE(fs::exists(Folder("2") + "/volumes/file"));
}

// An agent ends in time whatever pods have left, and the next one goes on.
TEST_F(PodRemainsTest, WhatTakesTooLongIsLeftToTheNextAgent) {
  remains_->Leave(Make("1"));
  remains_->Finish(0ms);
  EXPECT_TRUE(fs::exists(Record("1")) && fs::exists(Folder("1")));
  node_.time.RunFor(20s);
  EXPECT_TRUE(fs::exists(Folder("1")));
  remains_ = std::make_shared<PodRemains>(node_.config, node_.time);
  remains_->Recover();
  node_.time.RunFor(200ms);
  EXPECT_FALSE(AnythingLeft("1"));
}

// More levels than a process has descriptors, or than a path could name.
TEST_F(PodRemainsTest, OfAnyDepth) {
  const v1::Pod pod = Make("1");
  UniqueFd at(open(Folder("1").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < 2500; ++i) {
    ASSERT_EQ(mkdirat(at.get(), "d", 0755), 0);
    at.reset(openat(at.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(at);
  }
  at.reset();
  remains_->Leave(pod);
  node_.time.RunFor(200ms);
  EXPECT_FALSE(AnythingLeft("1"));
}

TEST_F(PodRemainsTest, WhatCannotBeRemovedIsTriedAgain) {
  const v1::Pod pod = Make("1");
  // In the place of a folder that is to be entered: not a folder of ours.
  const std::string pods = node_.config.data_dir + "/pods";
  fs::rename(pods, pods + "2");
  Write(pods, "");
  remains_->Leave(pod);
  node_.time.RunFor(1s);
  EXPECT_TRUE(fs::exists(Record("1")));
  // An agent that ends without pods does not wait for it.
  EXPECT_FALSE(remains_->busy());
  fs::remove(pods);
  fs::rename(pods + "2", pods);
  node_.time.RunFor(11s);
  EXPECT_FALSE(AnythingLeft("1"));
}

}  // namespace
}  // namespace podium::node
