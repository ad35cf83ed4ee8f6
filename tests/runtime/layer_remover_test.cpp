#include "runtime/layer_remover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "linux/path.h"

namespace podium::runtime {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class LayerRemoverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/podium_layers_XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    top_ = name;
  }
  void TearDown() override { fs::remove_all(top_); }
  std::string Layer(const std::string& name, int files) {
    std::string path = top_ + '/' + name;
    fs::create_directories(path + "/upper");
    for (int i = 0; i < files; ++i) std::ofstream(path + "/upper/" + std::to_string(i));
    return path;
  }
  static void Await(const LayerRemover& remover) {
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (remover.busy() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(1ms);
    }
    EXPECT_FALSE(remover.busy());
  }

  std::string top_;
};

TEST_F(LayerRemoverTest, OneAfterTheOther) {
  LayerRemover remover([](const Error& error) { ADD_FAILURE() << error.message(); });
  EXPECT_FALSE(remover.busy());
  for (int i = 0; i < 20; ++i) remover.Add(Layer("layer" + std::to_string(i), i));
  remover.Add(top_ + "/not there");
  Await(remover);
  EXPECT_TRUE(fs::is_empty(top_));
}

TEST_F(LayerRemoverTest, AnEndWithPatienceLeavesNone) {
  LayerRemover remover([](const Error& error) { ADD_FAILURE() << error.message(); });
  for (int i = 0; i < 20; ++i) remover.Add(Layer("layer" + std::to_string(i), 10));
  remover.Finish(30s);
  EXPECT_TRUE(fs::is_empty(top_));
}

// The next process finds them.
TEST_F(LayerRemoverTest, AnEndInTheMiddleComesAtOnce) {
  std::promise<void> removing;
  std::promise<void> ended;
  LayerRemover remover([&](const Error&) {
    removing.set_value();
    ended.get_future().wait();
  });
  // A folder that cannot be entered holds it up until the end was asked for.
  std::ofstream(top_ + "/file").close();
  remover.Add(top_ + "/file/layer");
  remover.Add(Layer("second", 3));
  removing.get_future().wait();
  std::jthread end([&] { remover.Finish(0ms); });
  std::this_thread::sleep_for(20ms);
  ended.set_value();
  end.join();
  EXPECT_TRUE(fs::exists(top_ + "/second/upper/2"));
  EXPECT_TRUE(remover.busy());
}

TEST_F(LayerRemoverTest, WhatCannotBeRemovedIsToldAndTheRestGoes) {
  std::promise<std::string> told;
  LayerRemover remover([&](const Error& error) { told.set_value(error.message()); });
  std::ofstream(top_ + "/file").close();
  remover.Add(top_ + "/file/layer");
  const std::string second = Layer("second", 3);
  remover.Add(second);
  EXPECT_THAT(told.get_future().get(), ::testing::HasSubstr("Not a directory"));
  Await(remover);
  EXPECT_FALSE(fs::exists(second));
}

}  // namespace
}  // namespace podium::runtime
