#include "client/informer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <random>
#include <set>
#include <thread>

#include "api/types/core_v1.h"
#include "client/fake_server.h"
#include "client/virtual_time.h"

namespace podium::client {
namespace {

namespace core = api::core::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

class InformerTest : public ::testing::Test {
 protected:
  InformerOptions Options() {
    return {.executor = &time_,
            .clock = &time_,
            .page_size = 2,
            .on_error = [this](const Target&, const Error& error) {
              errors_.push_back(error.message());
            }};
  }
  std::unique_ptr<Informer> Make(InformerOptions options) {
    return std::make_unique<Informer>(server_, kMaps, std::move(options));
  }
  EventHandler Recorder(std::string prefix = "") {
    return {.on_add =
                [this, prefix](const SharedObject& object, bool initial) {
                  told_.push_back(prefix + (initial ? "there " : "add ") + Text(object));
                },
            .on_update =
                [this, prefix](const SharedObject& old, const SharedObject& object) {
                  told_.push_back(prefix + "update " + Text(old) + " " + Text(object));
                },
            .on_delete =
                [this, prefix](const SharedObject& object, bool unknown) {
                  told_.push_back(prefix + (unknown ? "lost " : "delete ") + Text(object));
                }};
  }
  // "a=1"
  static std::string Text(const SharedObject& object) {
    const auto map = object.As<core::ConfigMap>();
    const auto value = map->data.find("v");
    return map->metadata.name + (value == map->data.end() ? "" : "=" + value->second);
  }
  void Put(const std::string& name, const std::string& value, const std::string& space = "ns") {
    core::ConfigMap map;
    map.metadata.name = name;
    map.metadata.namespace_ = space;
    map.data["v"] = value;
    Target target = kMaps;
    target.namespace_ = space;
    if (server_.Create(target, map, {}).ok()) return;
    target.name = name;
    const auto updated = server_.Update(target, map, {});
    ASSERT_TRUE(updated.ok()) << updated.error().message();
  }
  void Remove(const std::string& name) {
    ASSERT_TRUE(server_.Delete({"", "v1", "configmaps", "ns", name}, {}).ok());
  }
  std::vector<std::string> Told() { return std::exchange(told_, {}); }

  inline static const Target kMaps{"", "v1", "configmaps"};
  VirtualTime time_;
  FakeServer server_{time_};
  std::vector<std::string> told_;
  std::vector<std::string> errors_;
};

TEST_F(InformerTest, TellsWhatIsThereAndWhatChanges) {
  for (const char* name : {"a", "b", "c", "d", "e"}) Put(name, "1");
  auto informer = Make(Options());
  const auto id = informer->AddHandler(Recorder());
  EXPECT_FALSE(informer->HasSynced());
  informer->Start();
  EXPECT_FALSE(informer->HasSynced());
  time_.Settle();
  EXPECT_TRUE(informer->HasSynced());
  EXPECT_TRUE(informer->HasSynced(id));
  // In pages of two.
  EXPECT_EQ(server_.calls("list"), 3);
  EXPECT_THAT(Told(), ElementsAre("there a=1", "there b=1", "there c=1", "there d=1", "there e=1"));
  Put("f", "1");
  Put("a", "2");
  Remove("b");
  EXPECT_THAT(Told(), IsEmpty());
  time_.Settle();
  EXPECT_THAT(Told(), ElementsAre("add f=1", "update a=1 a=2", "delete b=1"));
  EXPECT_EQ(Text(informer->Get("ns/a")), "a=2");
  EXPECT_FALSE(informer->Get("ns/b"));
  EXPECT_EQ(informer->size(), 5U);
  EXPECT_EQ(informer->Get<core::ConfigMap>({"ns", "f"})->data.at("v"), "1");
  EXPECT_EQ(informer->LastSyncResourceVersion(), std::to_string(server_.version()));
  EXPECT_EQ(server_.calls("watch"), 1);
}

TEST_F(InformerTest, FindsByNamespaceAndIndex) {
  auto informer = Make(Options());
  const auto by_value = [](const SharedObject& object) {
    return std::vector{object.As<core::ConfigMap>()->data.at("v")};
  };
  informer->AddIndex("early", by_value);
  informer->Start();
  Put("a", "1");
  Put("b", "2");
  Put("a", "1", "other");
  time_.Settle();
  informer->AddIndex("late", by_value);
  for (const char* index : {"early", "late"}) {
    EXPECT_EQ(informer->ByIndex(index, "1")->size(), 2U);
    EXPECT_EQ(informer->ByIndex(index, "2")->size(), 1U);
    EXPECT_THAT(*informer->IndexValues(index), ElementsAre("1", "2"));
  }
  EXPECT_EQ(informer->List().size(), 3U);
  EXPECT_EQ(informer->List("other").size(), 1U);
  EXPECT_EQ(informer->List("oth").size(), 0U);
  Put("b", "1");
  Remove("a");
  time_.Settle();
  EXPECT_EQ(informer->ByIndex("early", "1")->size(), 2U);
  EXPECT_EQ(informer->ByIndex("late", "2")->size(), 0U);
  EXPECT_THAT(*informer->IndexValues("early"), ElementsAre("1"));
  EXPECT_EQ(informer->ByIndex("none", "1").error().code(), Code::kInvalidArgument);
}

TEST_F(InformerTest, WatchesAgainFromWhereItWas) {
  Put("a", "1");
  auto informer = Make(Options());
  informer->AddHandler(Recorder());
  informer->Start();
  time_.Settle();
  Told();
  time_.RunFor(5s);
  // A watch that ends in order is begun again at once, one that breaks off after a while.
  server_.EndWatches();
  Put("b", "1");
  time_.Settle();
  EXPECT_THAT(Told(), ElementsAre("add b=1"));
  EXPECT_EQ(server_.calls("watch"), 2);
  server_.BreakWatches(Error(Code::kUnavailable, "broken"));
  Put("c", "1");
  time_.Settle();
  EXPECT_EQ(server_.calls("watch"), 2);
  time_.RunFor(2s);
  EXPECT_THAT(Told(), ElementsAre("add c=1"));
  EXPECT_EQ(server_.calls("watch"), 3);
  EXPECT_EQ(server_.calls("list"), 1);
  EXPECT_THAT(errors_, ElementsAre("broken"));
}

TEST_F(InformerTest, ListsAgainWhenItsVersionIsGone) {
  for (const char* name : {"a", "b", "c"}) Put(name, "1");
  auto informer = Make(Options());
  informer->AddHandler(Recorder());
  informer->Start();
  time_.Settle();
  Told();
  // While it does not look: a goes, b changes, c stays, d comes; and the history of it is lost.
  server_.BreakWatches(Error(Code::kUnavailable, "broken"));
  time_.Settle();
  Remove("a");
  Put("b", "2");
  Put("d", "1");
  server_.Compact();
  time_.RunFor(10s);
  EXPECT_EQ(server_.calls("list"), 4);  // two pages each time
  EXPECT_THAT(Told(), ElementsAre("update b=1 b=2", "add d=1", "lost a=1"));
  EXPECT_EQ(errors_.size(), 2U);
  Put("e", "1");
  time_.Settle();
  EXPECT_THAT(Told(), ElementsAre("add e=1"));
}

TEST_F(InformerTest, BookmarksCarryItOverCompactions) {
  auto informer = Make(Options());
  informer->Start();
  time_.Settle();
  ASSERT_TRUE(server_
                  .Create({"", "v1", "namespaces"},
                          [] {
                            core::Namespace space;
                            space.metadata.name = "x";
                            return space;
                          }(),
                          {})
                  .ok());
  server_.SendBookmarks();
  time_.Settle();
  EXPECT_EQ(informer->LastSyncResourceVersion(), std::to_string(server_.version()));
  server_.Compact();
  server_.EndWatches();
  time_.RunFor(10s);
  EXPECT_EQ(server_.calls("list"), 1);
  EXPECT_GE(server_.calls("watch"), 2);
}

TEST_F(InformerTest, TriesAgainMoreAndMoreSlowly) {
  std::vector<int64_t> at;
  const int64_t start = time_.Now();
  server_.SetFault([&](std::string_view verb, const Target&) -> std::optional<Error> {
    if (verb != "list") return std::nullopt;
    at.push_back((time_.Now() - start) / 1'000'000);
    return Error(Code::kUnavailable, "not now");
  });
  auto informer = Make(Options());
  informer->Start();
  time_.RunFor(100s);
  EXPECT_THAT(at, ElementsAre(0, 800, 2400, 5600, 12000, 24800, 50400, 80400));
  EXPECT_FALSE(informer->HasSynced());
  server_.SetFault(nullptr);
  time_.RunFor(31s);
  EXPECT_TRUE(informer->HasSynced());
}

TEST_F(InformerTest, AServerThatComesBackEachTimeIsSoonAskedAgain) {
  auto informer = Make(Options());
  informer->AddHandler(Recorder());
  informer->Start();
  for (int i = 0; i < 20; ++i) {
    if (i % 2 == 0) {
      time_.RunFor(1s);
    } else {
      Put("b", std::to_string(i));  // a watch that tells something need not last
    }
    time_.Settle();
    Told();
    server_.SetFault([](std::string_view, const Target&) -> std::optional<Error> {
      return Error(Code::kUnavailable, "it is being restarted");
    });
    server_.BreakWatches(Error(Code::kUnavailable, "killed"));
    time_.RunFor(1s);
    server_.SetFault(nullptr);
    const std::string value = std::to_string(i);
    Put("a", value);
    time_.RunFor(1500ms);
    EXPECT_THAT(Told(), ElementsAre(::testing::EndsWith("a=" + value))) << i;
  }
  EXPECT_EQ(server_.calls("list"), 1);
}

TEST_F(InformerTest, WatchesThatBreakOffAtOnceAreTriedMoreAndMoreSlowly) {
  auto informer = Make(Options());
  informer->Start();
  for (int i = 0; i < 1000; ++i) {
    time_.RunFor(100ms);
    server_.BreakWatches(Error(Code::kUnavailable, "broken"));
  }
  EXPECT_GT(server_.calls("watch"), 5);
  EXPECT_LT(server_.calls("watch"), 10);
}

// Tells what is there, and breaks off before it has told all.
class HalfServer : public FakeServer {
 public:
  using FakeServer::FakeServer;
  class Half : public ObjectWatch {
   public:
    explicit Half(SharedObject object) : object_(std::move(object)) {}
    Result<EventBatch> Take(size_t /*max_events*/) override {
      if (!object_) return Error(Code::kUnavailable, "broken");
      EventBatch batch;
      batch.events.push_back({EventType::kAdded, std::exchange(object_, {})});
      batch.more = true;
      return batch;
    }

   private:
    SharedObject object_;
  };
  Result<std::unique_ptr<ObjectWatch>> Watch(const Target& target,
                                             const api::meta::v1::ListOptions& /*options*/,
                                             Ready /*ready*/) override {
    ++watches;
    TRY(ObjectList list, List(target, {}));
    return std::unique_ptr<ObjectWatch>(std::make_unique<Half>(list.items.front()));
  }
  int watches = 0;
};

TEST_F(InformerTest, HalfOfAStreamedListIsNoSuccess) {
  HalfServer server(time_);
  core::ConfigMap map;
  map.metadata.name = "a";
  ASSERT_TRUE(server.Create({"", "v1", "configmaps", "ns"}, map, {}).ok());
  InformerOptions options = Options();
  options.streamed_list = true;
  Informer informer(server, kMaps, options);
  informer.Start();
  time_.RunFor(100s);
  EXPECT_FALSE(informer.HasSynced());
  EXPECT_GT(server.watches, 5);
  EXPECT_LT(server.watches, 10);
}

TEST_F(InformerTest, RestsWhenTheResourceIsGoneAndNobodyListens) {
  Put("a", "1");
  auto informer = Make(Options());
  const auto id = informer->AddHandler(Recorder());
  informer->Start();
  time_.Settle();
  EXPECT_FALSE(informer->IsMissing());
  int asked = 0;
  server_.SetFault([&](std::string_view verb, const Target&) -> std::optional<Error> {
    if (verb == "list" || verb == "watch") ++asked;
    return Error(Code::kNotFound, "the server could not find the requested resource");
  });
  server_.EndWatches();
  time_.RunFor(200s);
  EXPECT_TRUE(informer->IsMissing());
  EXPECT_GT(asked, 5);
  // The owner knows that it is gone; the look that was due is the last one.
  informer->RemoveHandler(id);
  asked = 0;
  time_.RunFor(3600s);
  EXPECT_LE(asked, 1);
  // It is there again, and somebody wants it.
  server_.SetFault(nullptr);
  Put("b", "1");
  Told();
  informer->AddHandler(Recorder());
  time_.Settle();
  EXPECT_FALSE(informer->IsMissing());
  EXPECT_THAT(Told(), ElementsAre("there a=1", "add b=1"));
  Put("c", "1");
  time_.Settle();
  EXPECT_THAT(Told(), ElementsAre("add c=1"));
}

TEST_F(InformerTest, JitterIsTheCallers) {
  const auto attempts = [&](unsigned seed) {
    std::vector<int64_t> at;
    VirtualTime time;
    FakeServer server(time);
    server.SetFault([&](std::string_view, const Target&) -> std::optional<Error> {
      at.push_back(time.Now());
      return Error(Code::kUnavailable, "not now");
    });
    InformerOptions options{.executor = &time, .clock = &time};
    const auto random = std::make_shared<std::mt19937>(seed);
    options.random = [random] { return static_cast<double>((*random)()) / 4294967296.0; };
    Informer informer(server, kMaps, options);
    informer.Start();
    time.RunFor(100s);
    return at;
  };
  EXPECT_EQ(attempts(1), attempts(1));
  EXPECT_NE(attempts(1), attempts(2));
}

TEST_F(InformerTest, StreamsTheFirstObjects) {
  for (const char* name : {"a", "b"}) Put(name, "1");
  InformerOptions options = Options();
  options.streamed_list = true;
  auto informer = Make(options);
  informer->AddHandler(Recorder());
  informer->Start();
  time_.Settle();
  EXPECT_EQ(server_.calls("list"), 0);
  EXPECT_EQ(server_.calls("watch"), 1);
  EXPECT_TRUE(informer->HasSynced());
  EXPECT_THAT(Told(), ElementsAre("there a=1", "there b=1"));
  Put("a", "2");
  time_.Settle();
  EXPECT_THAT(Told(), ElementsAre("update a=1 a=2"));
  // A server that does not know it.
  server_.SetFault([&](std::string_view verb, const Target&) -> std::optional<Error> {
    if (verb == "watch" && server_.calls("watch") == 2) {
      return Error(Code::kInvalidArgument, "sendInitialEvents is forbidden");
    }
    return std::nullopt;
  });
  auto other = Make(options);
  other->Start();
  time_.Settle();
  EXPECT_TRUE(other->HasSynced());
  EXPECT_EQ(server_.calls("list"), 1);
}

TEST_F(InformerTest, GreetsLateHandlersAndResyncs) {
  Put("a", "1");
  auto informer = Make(Options());
  informer->AddHandler(Recorder("1:"));
  informer->Start();
  time_.Settle();
  EventHandler late = Recorder("2:");
  late.resync = 10s;
  const auto id = informer->AddHandler(std::move(late));
  EXPECT_FALSE(informer->HasSynced(id));
  time_.Settle();
  EXPECT_TRUE(informer->HasSynced(id));
  EXPECT_THAT(Told(), ElementsAre("1:there a=1", "2:there a=1"));
  time_.RunFor(21s);
  EXPECT_THAT(Told(), ElementsAre("2:update a=1 a=1", "2:update a=1 a=1"));
  informer->RemoveHandler(id);
  Put("a", "2");
  time_.RunFor(20s);
  EXPECT_THAT(Told(), ElementsAre("1:update a=1 a=2"));
}

TEST_F(InformerTest, StopsAlsoFromAHandler) {
  Put("a", "1");
  auto informer = Make(Options());
  EventHandler handler = Recorder();
  handler.on_update = [&](const SharedObject&, const SharedObject&) { informer->Stop(); };
  informer->AddHandler(std::move(handler));
  informer->Start();
  time_.Settle();
  EXPECT_EQ(server_.watches(), 1U);
  Put("a", "2");
  time_.Settle();
  EXPECT_EQ(server_.watches(), 0U);
  Put("b", "1");
  time_.RunFor(60s);
  EXPECT_THAT(Told(), ElementsAre("there a=1"));
  auto other = Make(Options());
  other->Start();
  time_.Settle();
  other.reset();
  EXPECT_EQ(server_.watches(), 0U);
  time_.Settle();
  EXPECT_TRUE(time_.idle());
}

TEST_F(InformerTest, IsSharedByAFactory) {
  Put("a", "1");
  InformerFactory factory(server_, Options());
  Informer& maps = factory.For<core::ConfigMap>();
  EXPECT_EQ(&maps, &factory.For<core::ConfigMap>());
  EXPECT_NE(&maps, &factory.For<core::ConfigMap>("ns"));
  factory.Start();
  EXPECT_FALSE(factory.HasSynced());
  time_.Settle();
  EXPECT_TRUE(factory.HasSynced());
  Informer& pods = factory.For<core::Pod>();
  EXPECT_FALSE(factory.HasSynced());
  time_.Settle();
  EXPECT_TRUE(pods.HasSynced());
  factory.Stop();
  EXPECT_EQ(server_.watches(), 0U);
}

// What asks for one while all are being stopped must not be left with one that runs.
TEST_F(InformerTest, AFactoryThatIsStoppedStartsNothing) {
  InformerFactory factory(server_, Options());
  factory.Start();
  factory.Stop();
  Informer& late = factory.For<core::ConfigMap>();
  factory.Start();
  late.Start();
  time_.RunFor(10s);
  EXPECT_FALSE(late.HasSynced());
  EXPECT_EQ(server_.calls("list"), 0);
}

// attacks.md: a watcher loses no event and sees none twice, whatever happens to its watch.
TEST_F(InformerTest, AgreesWithTheServerWhateverHappens) {
  std::mt19937 random(7);
  InformerOptions options = Options();
  auto informer = Make(options);
  std::map<std::string, std::string> model;
  const auto set = [&](const SharedObject& object) {
    model[KeyOf(object)] = object.As<core::ConfigMap>()->data.at("v");
  };
  informer->AddHandler({.on_add =
                            [&](const SharedObject& object, bool) {
                              EXPECT_FALSE(model.contains(KeyOf(object)));
                              set(object);
                            },
                        .on_update =
                            [&](const SharedObject& old, const SharedObject& object) {
                              EXPECT_EQ(model.at(KeyOf(object)),
                                        old.As<core::ConfigMap>()->data.at("v"));
                              set(object);
                            },
                        .on_delete = [&](const SharedObject& object,
                                         bool) { EXPECT_EQ(model.erase(KeyOf(object)), 1U); }});
  informer->Start();
  std::set<std::string> there;
  for (int step = 0; step < 3000; ++step) {
    const std::string name = "m" + std::to_string(random() % 20);
    switch (random() % 12) {
      case 0:
        server_.BreakWatches(Error(Code::kUnavailable, "broken"));
        break;
      case 1:
        server_.EndWatches();
        break;
      case 2:
        server_.Compact();
        break;
      case 3:
        server_.SendBookmarks();
        break;
      case 4:
      case 5:
        if (there.erase(name) > 0) Remove(name);
        break;
      case 6:
        time_.Settle();
        break;
      case 7:
        time_.RunFor(std::chrono::milliseconds(random() % 3000));
        break;
      default:
        Put(name, std::to_string(step));
        there.insert(name);
    }
  }
  time_.RunFor(120s);
  std::map<std::string, std::string> expected;
  const auto list = server_.List(kMaps, {});
  for (const SharedObject& object : list->items) {
    expected[KeyOf(object)] = object.As<core::ConfigMap>()->data.at("v");
  }
  EXPECT_EQ(model, expected);
  EXPECT_EQ(informer->size(), expected.size());
}

// Whoever removes a handler frees what it works on.
TEST(InformerThreads, AHandlerThatIsRemovedRunsNoMore) {
  SystemClock clock;
  ThreadExecutor executor;
  FakeServer server(clock);
  Informer informer(server, {"", "v1", "configmaps"}, {.executor = &executor, .clock = &clock});
  std::promise<void> begun;
  std::promise<void> released;
  std::atomic<bool> ended = false;
  const auto slow = informer.AddHandler({.on_add = [&](const SharedObject&, bool) {
    begun.set_value();
    released.get_future().wait();
    ended = true;
  }});
  Informer::HandlerId itself = 0;
  std::promise<void> left;
  itself = informer.AddHandler({.on_add = [&](const SharedObject&, bool) {
    informer.RemoveHandler(itself);  // waits for nobody
    left.set_value();
  }});
  core::ConfigMap map;
  map.metadata.name = "m";
  map.metadata.namespace_ = "ns";
  ASSERT_TRUE(server.Create({"", "v1", "configmaps", "ns"}, map, {}).ok());
  informer.Start();
  begun.get_future().wait();
  std::thread releaser([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    released.set_value();
  });
  informer.RemoveHandler(slow);
  EXPECT_TRUE(ended);
  releaser.join();
  EXPECT_EQ(left.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST(InformerThreads, StopWhileEverythingRuns) {
  SystemClock clock;
  ThreadExecutor executor;
  FakeServer server(clock);
  for (int round = 0; round < 20; ++round) {
    Informer informer(server, {"", "v1", "configmaps"}, {.executor = &executor, .clock = &clock});
    std::atomic<int> told = 0;
    informer.AddHandler({.on_add = [&](const SharedObject&, bool) { ++told; }});
    informer.Start();
    std::thread writer([&] {
      for (int i = 0; i < 50; ++i) {
        core::ConfigMap map;
        map.metadata.name = "m" + std::to_string(round) + "-" + std::to_string(i);
        map.metadata.namespace_ = "ns";
        EXPECT_TRUE(server.Create({"", "v1", "configmaps", "ns"}, map, {}).ok());
      }
    });
    if (round % 2 == 0) {
      for (int i = 0; i < 1000 && told < (round + 1) * 50; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      EXPECT_EQ(told, (round + 1) * 50);
    }
    informer.Stop();
    const int at_stop = told;
    writer.join();
    EXPECT_EQ(told, at_stop);
    EXPECT_EQ(server.watches(), 0U);
  }
}

}  // namespace
}  // namespace podium::client
