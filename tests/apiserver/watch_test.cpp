#include "apiserver/watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "api/types/core_v1.h"
#include "apiserver/read_support.h"
#include "apiserver/test_store.h"
#include "reflect/json.h"
#include "reflect/protobuf.h"

namespace podium::apiserver {
namespace {

using api::core::v1::ConfigMap;
using api::meta::v1::WatchEvent;

class SetClock : public Clock {
 public:
  int64_t Now() const override { return now_; }
  void Advance(int64_t seconds) { now_ += seconds * kNanosPerSecond; }

 private:
  std::atomic<int64_t> now_ = kNoon;
};

class WatchTest : public testing::Test {
 protected:
  void PutMap(const std::string& name, const std::string& app = "",
              const std::string& name_space = "a") {
    ConfigMap map;
    map.metadata.namespace_ = name_space;
    map.metadata.name = name;
    if (!app.empty()) map.metadata.labels["app"] = app;
    store_.Put(map);
  }
  Answer Watch(const std::string& query, const std::string& accept = "",
               const std::string& path = "/api/v1/namespaces/a/configmaps") {
    const CallPtr call = AcceptCall(path + "?watch=1&" + query, accept);
    return AnswerWatch(call, room_, *catalog_->Find("", "v1", "configmaps"), catalog_);
  }
  // What has come by now.
  std::string Text(Answer& answer) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::string text;
    ended_ = false;
    while (answer.pulled != nullptr) {
      const auto piece = answer.pulled->Next();
      EXPECT_TRUE(piece.ok());
      if (!piece.ok()) break;
      text.append(piece->bytes);
      ended_ = piece->then == http::BodyPiece::Then::kEnd;
      if (piece->then != http::BodyPiece::Then::kMore) break;
    }
    return text;
  }
  std::vector<WatchEvent> Events(Answer& answer) {
    std::vector<WatchEvent> events;
    const std::string text = Text(answer);
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin);
      auto event = reflect::FromJson<WatchEvent>(text.substr(begin, end - begin));
      EXPECT_TRUE(event.ok()) << text;
      if (event.ok()) events.push_back(std::move(*event));
      begin = end + 1;
    }
    return events;
  }
  // "ADDED one@3 …"
  std::string Told(Answer& answer) {
    std::string told;
    for (const WatchEvent& event : Events(answer)) {
      const auto map = reflect::FromJson<ConfigMap>(event.object.text, {.strict = false});
      EXPECT_TRUE(map.ok());
      told += event.type + " " + map->metadata.name + "@" + map->metadata.resourceVersion;
      if (map->metadata.annotations.contains("k8s.io/initial-events-end")) told += "!";
      told += " ";
    }
    return told;
  }

  TestStore store_;
  SetClock clock_;
  const CatalogPtr catalog_ = Catalog::Make({});
  const WatchRoom room_{.store = store_.memory, .clock = clock_, .executor = store_.executor};
  bool ended_ = false;
};

TEST_F(WatchTest, TheTextOfAnEvent) {
  PutMap("one");
  Answer watch = Watch("");
  EXPECT_EQ(watch.headers.Get("Content-Type"), "application/json");
  EXPECT_EQ(
      Text(watch),
      R"({"type":"ADDED","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"one","namespace":"a","resourceVersion":"1"}}})"
      "\n");
  EXPECT_FALSE(ended_);
}

TEST_F(WatchTest, WhereItBegins) {
  PutMap("one");
  PutMap("two");
  Answer unset = Watch("");
  EXPECT_EQ(Told(unset), "ADDED one@1 ADDED two@2 ");
  Answer any = Watch("resourceVersion=0");
  EXPECT_EQ(Told(any), "ADDED one@1 ADDED two@2 ");
  Answer after = Watch("resourceVersion=1");
  EXPECT_EQ(Told(after), "ADDED two@2 ");
  Answer none = Watch("sendInitialEvents=false&resourceVersionMatch=NotOlderThan");
  EXPECT_EQ(Told(none), "");
  Answer marked =
      Watch("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
  EXPECT_EQ(Told(marked), "ADDED one@1 ADDED two@2 BOOKMARK @2! ");
  PutMap("one");
  store_.Remove<ConfigMap>("a", "two");
  PutMap("other", "", "b");
  for (Answer* watch : {&unset, &any, &after, &none, &marked}) {
    EXPECT_EQ(Told(*watch), "MODIFIED one@3 DELETED two@4 ");
  }
}

TEST_F(WatchTest, SelectorsAndOneObject) {
  PutMap("one", "x");
  PutMap("two", "y");
  Answer labels = Watch("labelSelector=app%3Dx");
  EXPECT_EQ(Told(labels), "ADDED one@1 ");
  Answer named = Watch("fieldSelector=metadata.name%3Dtwo");
  EXPECT_EQ(Told(named), "ADDED two@2 ");
  Answer old_path = Watch("", "", "/api/v1/watch/namespaces/a/configmaps/two");
  EXPECT_EQ(Told(old_path), "ADDED two@2 ");
  PutMap("two", "x");
  PutMap("one", "y");
  // One that leaves is shown as it was, at the version of the change.
  const auto events = Events(labels);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].type, "ADDED");
  EXPECT_EQ(events[1].type, "DELETED");
  EXPECT_EQ(
      events[1].object.text,
      R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"one","namespace":"a","resourceVersion":"4","labels":{"app":"x"}}})");
  EXPECT_EQ(Told(named), "MODIFIED two@3 ");
  EXPECT_EQ(Told(old_path), "MODIFIED two@3 ");
  store_.Remove<ConfigMap>("a", "one");
  EXPECT_EQ(Told(labels), "");
}

TEST_F(WatchTest, BookmarksAndTheEnd) {
  PutMap("one");
  Answer watch = Watch("allowWatchBookmarks=true&timeoutSeconds=200");
  EXPECT_EQ(Told(watch), "ADDED one@1 ");
  PutMap("other", "", "b");
  clock_.Advance(59);
  EXPECT_EQ(Told(watch), "");
  clock_.Advance(10);
  EXPECT_EQ(Told(watch), "BOOKMARK @2 ");
  clock_.Advance(100);
  EXPECT_EQ(Told(watch), "BOOKMARK @2 ");
  clock_.Advance(29);  // two seconds before the end
  EXPECT_EQ(Told(watch), "BOOKMARK @2 ");
  EXPECT_FALSE(ended_);
  clock_.Advance(2);
  EXPECT_EQ(Text(watch), "");
  EXPECT_TRUE(ended_);
  // Of a watch that says nothing: half an hour and, here, half of that.
  Answer long_one = Watch("");
  Text(long_one);
  clock_.Advance(2699);
  Text(long_one);
  EXPECT_FALSE(ended_);
  clock_.Advance(1);
  Text(long_one);
  EXPECT_TRUE(ended_);
}

TEST_F(WatchTest, ABookmarkHasNothingButItsVersion) {
  Answer watch = Watch("allowWatchBookmarks=true&timeoutSeconds=2");
  PutMap("one", "", "b");
  Text(watch);
  clock_.Advance(1);
  Answer pods = AnswerWatch(
      MakeCall("/api/v1/pods?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&"
               "allowWatchBookmarks=true"),
      room_, *catalog_->Find("", "v1", "pods"), catalog_);
  EXPECT_EQ(
      Text(pods),
      R"({"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"1","annotations":{"k8s.io/initial-events-end":"true"}},"spec":{"containers":null},"status":{}}})"
      "\n");
}

TEST_F(WatchTest, WhatIsCompactedIsAnEventOfAnError) {
  for (int i = 0; i < 5; ++i) PutMap("one");
  Answer slow = Watch("resourceVersion=2");
  ASSERT_TRUE(store_.memory.CompactAndWait(4).ok());
  const std::string error =
      R"-({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 2 (4)","reason":"Expired","code":410}})-"
      "\n";
  EXPECT_EQ(Text(slow), error);
  EXPECT_TRUE(ended_);
  Answer late = Watch("resourceVersion=2");
  EXPECT_EQ(Text(late), error);
  EXPECT_TRUE(ended_);
}

TEST_F(WatchTest, WhatIsRefused) {
  struct Case {
    std::string query;
    int status;
    std::string message;
  };
  const Case cases[] = {
      {"resourceVersion=x", 400, "invalid resource version"},
      {"fieldSelector=a%3Db", 400, "is not a known field selector"},
      {"sendInitialEvents=true", 422,
       "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"},
      {"resourceVersionMatch=NotOlderThan", 422,
       "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"},
      {"sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1", 422,
       "supported values: \\\"NotOlderThan\\\""},
      {"sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=9", 504,
       "Too large resource version: 9, current: 0"},
  };
  for (const Case& wanted : cases) {
    const Answer answer = Watch(wanted.query);
    EXPECT_EQ(answer.status, wanted.status) << wanted.query;
    EXPECT_NE(answer.body.find(wanted.message), std::string::npos) << answer.body;
  }
  EXPECT_EQ(Watch("", "application/yaml").status, 406);
}

TEST_F(WatchTest, TablesSayTheirColumnsOnce) {
  PutMap("one");
  Answer watch = Watch("", "application/json;as=Table;v=v1;g=meta.k8s.io");
  PutMap("two");
  const auto events = Events(watch);
  ASSERT_EQ(events.size(), 2U);
  const auto first = reflect::FromJson<api::meta::v1::Table>(events[0].object.text);
  const auto second = reflect::FromJson<api::meta::v1::Table>(events[1].object.text);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->columnDefinitions.size(), 3U);
  EXPECT_FALSE(second->columnDefinitions.present);
  EXPECT_NE(events[1].object.text.find("\"columnDefinitions\":null"), std::string::npos);
  EXPECT_EQ(second->rows[0].cells[0].text, "\"two\"");
  EXPECT_EQ(second->metadata.resourceVersion, "2");
}

TEST_F(WatchTest, ProtobufStandsBehindItsLength) {
  PutMap("one");
  for (const std::string form : {"", ";as=PartialObjectMetadata;v=v1;g=meta.k8s.io"}) {
    Answer watch = Watch("", "application/vnd.kubernetes.protobuf" + form);
    EXPECT_EQ(watch.headers.Get("Content-Type"),
              "application/vnd.kubernetes.protobuf;stream=watch");
    const std::string text = Text(watch);
    ASSERT_GT(text.size(), 4U);
    EXPECT_EQ(text.substr(0, 3), std::string(3, '\0'));
    EXPECT_EQ(static_cast<unsigned char>(text[3]), text.size() - 4);
    WatchEvent event;
    ASSERT_TRUE(reflect::DecodeProtobuf(std::string_view(text).substr(4),
                                        reflect::TypeOf<WatchEvent>(), &event)
                    .ok());
    EXPECT_EQ(event.type, "ADDED");
    const auto envelope = reflect::ReadEnvelope(event.object.text);
    ASSERT_TRUE(envelope.ok());
    EXPECT_EQ(envelope->kind, form.empty() ? "ConfigMap" : "PartialObjectMetadata");
  }
}

TEST_F(WatchTest, ItIsWokenByWhatItWaitsFor) {
  std::atomic<int> ready = 0;
  WatchRequest request{.resource = catalog_->Find("", "v1", "configmaps"), .namespace_ = "a"};
  auto watch = EntryWatch::Create(store_.memory, request, [&] { ++ready; });
  ASSERT_TRUE(watch.ok());
  for (bool more = true; more;) more = (*watch)->Take()->more;
  EXPECT_EQ(ready, 0);
  PutMap("one");
  for (int i = 0; i < 1000 && ready == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(ready, 1);
  EXPECT_EQ((*watch)->Take()->events.size(), 1U);
}

// What a client knows of the objects that it watches, from the events alone.
class Follower {
 public:
  Follower(store::Store& store, const ServedResource& resource, std::string labels,
           std::string name_space)
      : store_(store) {
    request_.resource = &resource;
    request_.namespace_ = std::move(name_space);
    request_.options.labelSelector = std::move(labels);
  }

  // Takes what there is; now and then it loses its connection.
  void Follow(std::mt19937& random) {
    if (watch_ == nullptr) Connect();
    if (watch_ == nullptr) return;
    for (int i = 0; i < 4; ++i) {
      auto batch = watch_->Take();
      if (!batch.ok()) {
        EXPECT_EQ(batch.error().code(), Code::kExpired) << batch.error().message();
        Forget();
        return;
      }
      for (const EntryEvent& event : batch->events) See(event);
      if (batch->revision > 0) {
        EXPECT_GE(batch->revision, seen_);
        seen_ = batch->revision;
      }
      if (!batch->more) break;
    }
    // Before the initial state is whole there is no version to go on from.
    if (random() % 8 == 0) {
      if (!watch_->at_changes()) known_.clear();
      if (!watch_->at_changes()) seen_ = 0;
      watch_.reset();
    }
  }
  const std::map<std::string, store::Revision>& known() const { return known_; }
  store::Revision seen() const { return seen_; }
  int relists() const { return relists_; }

 private:
  void Connect() {
    request_.options.resourceVersion = seen_ == 0 ? "" : std::to_string(seen_);
    auto watch = EntryWatch::Create(store_, request_, {});
    if (!watch.ok()) {
      EXPECT_EQ(watch.error().code(), Code::kExpired);
      Forget();
      return;
    }
    watch_ = *std::move(watch);
  }
  void Forget() {
    watch_.reset();
    known_.clear();
    seen_ = 0;
    ++relists_;
  }
  void See(const EntryEvent& event) {
    const std::string key(event.entry->key());
    const bool there = known_.contains(key);
    EXPECT_EQ(event.entry->mod_revision(), event.revision);
    if (watch_->at_changes() && seen_ > 0) {
      EXPECT_GT(event.revision, last_) << "twice, or out of order";
    }
    last_ = event.revision;
    switch (event.type) {
      case WatchEventType::kAdded:
        EXPECT_FALSE(there) << key;
        known_[key] = event.revision;
        break;
      case WatchEventType::kModified:
        EXPECT_TRUE(there) << key;
        known_[key] = event.revision;
        break;
      default:
        EXPECT_TRUE(there) << key;
        known_.erase(key);
    }
  }

  store::Store& store_;
  WatchRequest request_;
  std::unique_ptr<EntryWatch> watch_;
  std::map<std::string, store::Revision> known_;
  store::Revision seen_ = 0;
  store::Revision last_ = 0;
  int relists_ = 0;
};

// Many watchers and a model, under concurrent writes, compaction and reconnects.
TEST_F(WatchTest, WatchersAgreeWithTheModel) {
  const ServedResource& maps = *catalog_->Find("", "v1", "configmaps");
  std::vector<std::unique_ptr<Follower>> followers;
  const std::pair<std::string, std::string> kinds[] = {
      {"", ""}, {"app=x", ""}, {"app in (x,y)", "a"}, {"!app", "b"}, {"", "a"}};
  for (int i = 0; i < 40; ++i) {
    const auto& [labels, name_space] = kinds[static_cast<size_t>(i) % std::size(kinds)];
    followers.push_back(std::make_unique<Follower>(store_.memory, maps, labels, name_space));
  }
  std::atomic<int> writers = 2;
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 2; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      const std::string apps[] = {"", "x", "y", "z"};
      for (int i = 0; i < 1500; ++i) {
        const std::string name = "m" + std::to_string(random() % 30);
        const std::string name_space = random() % 2 == 0 ? "a" : "b";
        if (random() % 4 == 0) {
          (void)store_.memory.WriteAndWait(
              {.key = "/registry/configmaps/" + name_space + "/" + name});
        } else {
          PutMap(name, apps[random() % 4], name_space);
        }
        if (random() % 100 == 0)
          (void)store_.memory.CompactAndWait(store_.memory.health().revision);
      }
      --writers;
    });
  }
  std::atomic<int> done = 0;
  for (unsigned part = 0; part < 4; ++part) {
    threads.emplace_back([&, part] {
      std::mt19937 random(100 + part);
      // Once nothing is written any more, all have to come to the end.
      for (bool behind = true; behind;) {
        behind = writers > 0;
        const store::Revision newest = store_.memory.health().revision;
        for (size_t i = part; i < followers.size(); i += 4) {
          // A few are so slow that their place is compacted.
          if (writers > 0 && i % 5 == 4 && random() % 50 != 0) continue;
          followers[i]->Follow(random);
          if (followers[i]->seen() < newest) behind = true;
        }
      }
      ++done;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, 4);
  int relists = 0;
  for (size_t i = 0; i < followers.size(); ++i) {
    const auto& [labels, name_space] = kinds[i % std::size(kinds)];
    ListRequest request{.resource = &maps, .namespace_ = name_space};
    request.options.labelSelector = labels;
    const auto list = ReadList(store_.memory, request);
    ASSERT_TRUE(list.ok());
    std::map<std::string, store::Revision> wanted;
    for (const auto& entry : list->entries) {
      wanted[std::string(entry->key())] = entry->mod_revision();
    }
    EXPECT_EQ(followers[i]->known(), wanted) << i;
    relists += followers[i]->relists();
  }
  EXPECT_GT(relists, 0) << "no watcher was slow enough to see a compaction";
}

}  // namespace
}  // namespace podium::apiserver
