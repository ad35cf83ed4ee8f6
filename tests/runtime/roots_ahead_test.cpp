// Roots made ahead: a container gets an untouched one of its own image, or makes one.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "embedded_harness.h"
#include "image/tar_builder.h"

namespace podium::runtime {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

bool Within(std::chrono::seconds time, const std::function<bool()>& probe) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!probe()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

size_t EntriesOf(const std::string& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), {}));
}

class RootsAheadTest : public EmbeddedTest {
 protected:
  void SetUp() override {
    if (const std::string problem = EnterTestWorld(); !problem.empty()) GTEST_SKIP() << problem;
    machine_ = std::make_unique<Machine>(MachineOptions{.prepared = 2});
    pod_ = RunPod(TestPod("p"));
  }

  std::string Roots() const { return machine_->instance().data_dir + "/roots"; }
  std::string LayerOf(const std::string& id) const {
    return machine_->instance().data_dir + "/containers/" + id + "/upper";
  }
  // The writable layers that wait.
  std::vector<ino_t> Waiting() const {
    std::vector<ino_t> found;
    for (const auto& entry : fs::directory_iterator(Roots())) {
      found.push_back(InodeOf(entry.path().string() + "/upper"));
    }
    return found;
  }
  static ino_t InodeOf(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
    return status.st_ino;
  }
  void AwaitRoots(size_t count) {
    EXPECT_TRUE(Within(std::chrono::seconds(10), [&] {
      return runtime().roots_ahead() == count && EntriesOf(Roots()) == count;
    })) << runtime().roots_ahead();
  }
  // Whether a container's writable layer is one of those that waited.
  static bool IsOneOf(const std::vector<ino_t>& waiting, ino_t inode) {
    return std::ranges::find(waiting, inode) != waiting.end();
  }
  cri::ContainerConfig Of(const std::string& image, const std::string& name,
                          const std::string& script) {
    cri::ContainerConfig config = Shell(name, script);
    config.image->image = image;
    return config;
  }

  std::string pod_;
};

TEST_F(RootsAheadTest, IsTheNextContainersAndUntouched) {
  const std::string script =
      "ls -d /file /etc/made /bin/sh 2>/dev/null; touch /file /etc/made; stat -c %a:%u:%g /; "
      "grep -c ' / / ' /proc/self/mountinfo";
  const auto first = Wait(Start(pod_, Shell("a", script)));
  AwaitRoots(1);
  const std::vector<ino_t> waiting = Waiting();
  const std::string id = Start(pod_, Shell("b", script));
  EXPECT_TRUE(IsOneOf(waiting, InodeOf(LayerOf(id))));
  const auto second = Wait(id);
  // It finds what the first one found, nothing of the first one's, and wrote into its own layer.
  EXPECT_EQ(LogOf(second), LogOf(first));
  EXPECT_EQ(LogOf(second).find("/file"), std::string::npos);
  EXPECT_TRUE(fs::exists(LayerOf(id) + "/etc/made"));
  // One for each of the last two containers.
  AwaitRoots(2);
}

TEST_F(RootsAheadTest, AreOfTheLastContainersImages) {
  std::string oldest;
  for (const char* name : {"one:1", "two:1", "three:1"}) {
    machine_->AddImage(name, std::string(R"("Cmd":["/bin/true"],"Labels":{"n":")") + name + "\"}");
    Wait(Start(pod_, Of(name, name, "true")));
    AwaitRoots(oldest.empty() ? 1 : 2);
    if (oldest.empty()) oldest = fs::directory_iterator(Roots())->path();
  }
  EXPECT_TRUE(Within(std::chrono::seconds(10), [&] { return !fs::exists(oldest); }));
  AwaitRoots(2);
  const std::vector<ino_t> waiting = Waiting();
  EXPECT_FALSE(IsOneOf(waiting, InodeOf(LayerOf(Start(pod_, Of("one:1", "x", "true"))))));
  EXPECT_TRUE(IsOneOf(waiting, InodeOf(LayerOf(Start(pod_, Of("three:1", "y", "true"))))));
}

// A root of layers that are gone shows an empty folder where these were.
TEST_F(RootsAheadTest, OfAnImageThatWasRemovedAndCameBackIsNotTaken) {
  const auto add = [&] {
    image::TarBuilder tar;
    tar.File("only-here", "here\n");
    machine_->AddImage("other:1", R"("Cmd":["/bin/true"])", tar.Finish());
  };
  add();
  const std::string before = Start(pod_, Of("other:1", "a", "cat /only-here"));
  EXPECT_EQ(LogOf(Wait(before)).find("No such file"), std::string::npos);
  AwaitRoots(1);
  ASSERT_TRUE(runtime().RemoveContainer(before).ok());
  // A root keeps no image from being removed.
  const auto removed = machine_->images().Remove("other:1");
  ASSERT_TRUE(removed.ok()) << removed.error().message();
  const std::vector<ino_t> waiting = Waiting();
  add();
  const std::string after = Start(pod_, Of("other:1", "b", "cat /only-here"));
  EXPECT_FALSE(IsOneOf(waiting, InodeOf(LayerOf(after))));
  const auto ended = Wait(after);
  EXPECT_EQ(ended.exit_code, 0) << LogOf(ended);
  EXPECT_NE(LogOf(ended).find("here"), std::string::npos);
}

TEST_F(RootsAheadTest, OfAProcessThatWasKilledGo) {
  Wait(Start(pod_, Shell("a", "true")));
  AwaitRoots(1);
  const Recovery recovery = machine_->Restart([&] {
    // An orderly end has left none.
    EXPECT_EQ(EntriesOf(Roots()), 0U);
    fs::create_directories(Roots() + "/left/upper/etc");
    fs::create_directories(Roots() + "/left/work/work");
  });
  EXPECT_TRUE(recovery.problems.empty());
  EXPECT_TRUE(Within(std::chrono::seconds(10), [&] { return !fs::exists(Roots() + "/left"); }));
}

}  // namespace
}  // namespace podium::runtime
