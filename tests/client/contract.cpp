#include "client/contract.h"

#include <gmock/gmock.h>

#include <thread>

#include "api/status.h"

namespace podium::client {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace core = api::core::v1;
namespace meta = api::meta::v1;

WatchReader::WatchReader(Connection& connection, const Target& target,
                         const meta::ListOptions& options) {
  auto watch = connection.Watch(target, options, [this] {
    const std::lock_guard lock(mutex_);
    ready_ = true;
    called_.notify_all();
  });
  if (!watch.ok()) {
    started_ = std::move(watch).error();
    return;
  }
  watch_ = *std::move(watch);
}

WatchReader::~WatchReader() { watch_.reset(); }

Result<ObjectEvent> WatchReader::Next() {
  while (events_.empty()) {
    if (!watch_) return Error(Code::kInternal, "no watch");
    if (ended_) return Error(Code::kInternal, "the watch ended");
    {
      std::unique_lock lock(mutex_);
      const bool called = called_.wait_for(lock, std::chrono::seconds(10), [&] { return ready_; });
      if (!called) return Error(Code::kDeadlineExceeded, "nothing came");
      ready_ = false;
    }
    TRY(EventBatch batch, watch_->Take(2));
    if (batch.events.size() > 2) return Error(Code::kInternal, "more than was asked for");
    ended_ = batch.ended;
    events_ = std::move(batch.events);
    if (batch.more) {
      const std::lock_guard lock(mutex_);
      ready_ = true;
    }
  }
  ObjectEvent event = std::move(events_.front());
  events_.erase(events_.begin());
  return event;
}

std::vector<std::string> WatchReader::Take(size_t count) {
  static constexpr const char* kTypes[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK"};
  std::vector<std::string> taken;
  while (taken.size() < count) {
    const auto event = Next();
    if (!event.ok()) {
      taken.push_back(event.error().message());
      break;
    }
    std::string text = kTypes[static_cast<int>(event->type)];
    if (event->object) text += " " + event->object.meta()->name;
    if (event->initial_events_end) text += " end";
    taken.push_back(text);
  }
  return taken;
}

bool WatchReader::Silent(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (events_.empty()) {
    {
      std::unique_lock lock(mutex_);
      if (!called_.wait_until(lock, end, [&] { return ready_; })) return true;
      ready_ = false;
    }
    auto batch = watch_->Take(2);
    if (!batch.ok() || batch->ended) return false;
    events_ = std::move(batch->events);
  }
  return false;
}

void ConnectionContract::SetUp() {
  server_ = GetParam()();
  ASSERT_TRUE(server_);
  core::Namespace space;
  space.metadata.name = "contract";
  const auto made = connection().Create({"", "v1", "namespaces"}, space, {});
  ASSERT_TRUE(made.ok()) << made.error().message();
}

Target ConnectionContract::ConfigMapNamed(std::string_view name) {
  Target target = ConfigMaps();
  target.name = name;
  return target;
}

core::ConfigMap ConnectionContract::MakeConfigMap(std::string_view name, std::string_view value) {
  core::ConfigMap map;
  map.metadata.name = name;
  map.metadata.namespace_ = "contract";
  if (!value.empty()) map.data["key"] = value;
  return map;
}

std::shared_ptr<const core::ConfigMap> ConnectionContract::Created(const core::ConfigMap& map) {
  const auto created = connection().Create(ConfigMaps(), map, {});
  EXPECT_TRUE(created.ok()) << created.error().message();
  return created.ok() ? created->As<core::ConfigMap>() : nullptr;
}

std::shared_ptr<const core::ConfigMap> ConnectionContract::Read(std::string_view name) {
  const auto read = connection().Get(ConfigMapNamed(name), {});
  return read.ok() ? read->As<core::ConfigMap>() : nullptr;
}

std::vector<std::string> ConnectionContract::Names(const meta::ListOptions& options,
                                                   meta::ListMeta* metadata) {
  const auto list = connection().List(ConfigMaps(), options);
  EXPECT_TRUE(list.ok()) << list.error().message();
  std::vector<std::string> names;
  if (!list.ok()) return names;
  for (const SharedObject& object : list->items) {
    // A server makes kube-root-ca.crt in each namespace.
    if (object.meta()->name.starts_with("kube-")) continue;
    names.push_back(object.meta()->name);
  }
  if (metadata) *metadata = list->metadata;
  return names;
}

namespace {

TEST_P(ConnectionContract, CreatesAndReads) {
  const auto created = Created(MakeConfigMap("a", "1"));
  ASSERT_TRUE(created);
  EXPECT_EQ(created->kind, "ConfigMap");
  EXPECT_EQ(created->apiVersion, "v1");
  EXPECT_FALSE(created->metadata.uid.empty());
  EXPECT_FALSE(created->metadata.resourceVersion.empty());
  EXPECT_FALSE(created->metadata.creationTimestamp.IsZero());
  const auto read = Read("a");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->kind, "ConfigMap");
  EXPECT_EQ(read->data.at("key"), "1");
  EXPECT_EQ(read->metadata.uid, created->metadata.uid);
  EXPECT_EQ(read->metadata.resourceVersion, created->metadata.resourceVersion);
}

TEST_P(ConnectionContract, ErrorsAreTheServers) {
  ASSERT_TRUE(Created(MakeConfigMap("a")));
  const auto missing = connection().Get(ConfigMapNamed("b"), {});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), Code::kNotFound);
  EXPECT_EQ(missing.error().message(), "configmaps \"b\" not found");
  const meta::Status* status = api::FindStatus(missing.error());
  ASSERT_TRUE(status);
  EXPECT_EQ(status->reason, "NotFound");
  EXPECT_EQ(status->code, 404);
  ASSERT_TRUE(status->details);
  EXPECT_EQ(status->details->name, "b");
  EXPECT_EQ(status->details->kind, "configmaps");
  const auto twice = connection().Create(ConfigMaps(), MakeConfigMap("a"), {});
  EXPECT_EQ(twice.error().code(), Code::kAlreadyExists);
  EXPECT_EQ(twice.error().message(), "configmaps \"a\" already exists");
  const auto nowhere = connection().Get({"", "v1", "nothings", "contract", "x"}, {});
  EXPECT_EQ(nowhere.error().code(), Code::kNotFound);
}

TEST_P(ConnectionContract, NamesByPrefixAndTriesWithoutStoring) {
  core::ConfigMap map = MakeConfigMap("");
  map.metadata.generateName = "made-";
  const auto one = Created(map);
  const auto two = Created(map);
  ASSERT_TRUE(one && two);
  EXPECT_TRUE(one->metadata.name.starts_with("made-"));
  EXPECT_EQ(one->metadata.name.size(), 10U);
  EXPECT_NE(one->metadata.name, two->metadata.name);
  meta::CreateOptions options;
  options.dryRun = {"All"};
  const auto tried = connection().Create(ConfigMaps(), MakeConfigMap("tried"), options);
  ASSERT_TRUE(tried.ok()) << tried.error().message();
  EXPECT_EQ(tried->meta()->name, "tried");
  EXPECT_FALSE(Read("tried"));
}

TEST_P(ConnectionContract, UpdatesWhatWasRead) {
  const auto created = Created(MakeConfigMap("a", "1"));
  ASSERT_TRUE(created);
  core::ConfigMap changed = *created;
  changed.data["key"] = "2";
  const auto updated = connection().Update(ConfigMapNamed("a"), changed, {});
  ASSERT_TRUE(updated.ok()) << updated.error().message();
  EXPECT_NE(updated->meta()->resourceVersion, created->metadata.resourceVersion);
  // What was handed out stays as it was.
  EXPECT_EQ(created->data.at("key"), "1");
  EXPECT_EQ(updated->As<core::ConfigMap>()->data.at("key"), "2");
  changed.data["key"] = "3";
  const auto late = connection().Update(ConfigMapNamed("a"), changed, {});
  EXPECT_EQ(late.error().code(), Code::kConflict);
  EXPECT_THAT(late.error().message(), HasSubstr("the object has been modified"));
  // Without a version the last one wins, and one that changes nothing is no change.
  changed.metadata.resourceVersion = "";
  const auto blind = connection().Update(ConfigMapNamed("a"), changed, {});
  ASSERT_TRUE(blind.ok()) << blind.error().message();
  const auto same = connection().Update(ConfigMapNamed("a"), changed, {});
  ASSERT_TRUE(same.ok()) << same.error().message();
  EXPECT_EQ(same->meta()->resourceVersion, blind->meta()->resourceVersion);
  changed.metadata.name = "none";
  EXPECT_EQ(connection().Update(ConfigMapNamed("none"), changed, {}).error().code(),
            Code::kNotFound);
}

TEST_P(ConnectionContract, KeepsStatusApart) {
  core::Node node;
  node.metadata.name = "contract-node";
  const Target target{"", "v1", "nodes", "", "contract-node"};
  ASSERT_TRUE(connection().Create({"", "v1", "nodes"}, node, {}).ok());
  Target status = target;
  status.subresource = "status";
  node.status.nodeInfo.kernelVersion = "6.1";
  node.spec.unschedulable = true;
  ASSERT_TRUE(connection().Update(status, node, {}).ok());
  auto read = (*connection().Get(target, {})).As<core::Node>();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->status.nodeInfo.kernelVersion, "6.1");
  EXPECT_FALSE(read->spec.unschedulable);
  core::Node changed = *read;
  changed.spec.unschedulable = true;
  changed.status.nodeInfo.kernelVersion = "7";
  ASSERT_TRUE(connection().Update(target, changed, {}).ok());
  read = (*connection().Get(target, {})).As<core::Node>();
  EXPECT_EQ(read->status.nodeInfo.kernelVersion, "6.1");
  EXPECT_TRUE(read->spec.unschedulable);
}

TEST_P(ConnectionContract, Patches) {
  ASSERT_TRUE(Created(MakeConfigMap("a", "1")));
  const Target target = ConfigMapNamed("a");
  const auto merged =
      connection().Patch(target, PatchType::kMerge, R"({"data":{"key":null,"b":"2"}})", {});
  ASSERT_TRUE(merged.ok()) << merged.error().message();
  const auto json = connection().Patch(target, PatchType::kJson,
                                       R"([{"op":"add","path":"/data/c","value":"3"}])", {});
  ASSERT_TRUE(json.ok()) << json.error().message();
  const auto strategic = connection().Patch(target, PatchType::kStrategicMerge,
                                            R"({"metadata":{"finalizers":["x.io/one"]}})", {});
  ASSERT_TRUE(strategic.ok()) << strategic.error().message();
  const auto more = connection().Patch(target, PatchType::kStrategicMerge,
                                       R"({"metadata":{"finalizers":["x.io/two"]}})", {});
  ASSERT_TRUE(more.ok()) << more.error().message();
  const auto map = Read("a");
  EXPECT_EQ(map->data, (reflect::Map<std::string>{{"b", "2"}, {"c", "3"}}));
  EXPECT_EQ(map->metadata.finalizers.size(), 2U);
  EXPECT_EQ(connection().Patch(target, PatchType::kMerge, "{", {}).error().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(connection().Patch(ConfigMapNamed("b"), PatchType::kMerge, "{}", {}).error().code(),
            Code::kNotFound);
}

TEST_P(ConnectionContract, Applies) {
  meta::PatchOptions ours;
  ours.fieldManager = "ours";
  const Target target = ConfigMapNamed("a");
  const std::string config =
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"key":"1"}})";
  EXPECT_EQ(connection().Patch(target, PatchType::kApply, config, {}).error().code(),
            Code::kInvalidArgument);
  const auto made = connection().Patch(target, PatchType::kApply, config, ours);
  ASSERT_TRUE(made.ok()) << made.error().message();
  ASSERT_EQ(made->meta()->managedFields.size(), 1U);
  EXPECT_EQ(made->meta()->managedFields[0].manager, "ours");
  meta::PatchOptions theirs;
  theirs.fieldManager = "theirs";
  const std::string other =
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"key":"2"}})";
  const auto refused = connection().Patch(target, PatchType::kApply, other, theirs);
  EXPECT_EQ(refused.error().code(), Code::kConflict);
  EXPECT_THAT(refused.error().message(), HasSubstr("conflict with \"ours\""));
  theirs.force = true;
  ASSERT_TRUE(connection().Patch(target, PatchType::kApply, other, theirs).ok());
  EXPECT_EQ(Read("a")->data.at("key"), "2");
}

TEST_P(ConnectionContract, Deletes) {
  const auto created = Created(MakeConfigMap("a"));
  ASSERT_TRUE(created);
  meta::DeleteOptions options;
  options.preconditions.ensure().uid = "another";
  const auto other = connection().Delete(ConfigMapNamed("a"), options);
  EXPECT_EQ(other.error().code(), Code::kConflict);
  EXPECT_THAT(other.error().message(),
              HasSubstr("the UID in the precondition (another) does not match"));
  options.preconditions->uid = created->metadata.uid;
  const auto deleted = connection().Delete(ConfigMapNamed("a"), options);
  ASSERT_TRUE(deleted.ok()) << deleted.error().message();
  const auto status = deleted->As<meta::Status>();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->status, "Success");
  EXPECT_EQ(status->details->uid, created->metadata.uid);
  EXPECT_EQ(connection().Delete(ConfigMapNamed("a"), {}).error().code(), Code::kNotFound);
}

TEST_P(ConnectionContract, FinalizersHoldTheObject) {
  core::ConfigMap map = MakeConfigMap("a");
  map.metadata.finalizers = {"example.com/wait"};
  ASSERT_TRUE(Created(map));
  const auto deleted = connection().Delete(ConfigMapNamed("a"), {});
  ASSERT_TRUE(deleted.ok()) << deleted.error().message();
  ASSERT_TRUE(deleted->As<core::ConfigMap>());
  EXPECT_TRUE(deleted->meta()->deletionTimestamp);
  const auto waiting = Read("a");
  ASSERT_TRUE(waiting);
  core::ConfigMap done = *waiting;
  done.metadata.finalizers.clear();
  ASSERT_TRUE(connection().Update(ConfigMapNamed("a"), done, {}).ok());
  EXPECT_FALSE(Read("a"));
}

TEST_P(ConnectionContract, ListsBySelectorsAndPages) {
  for (const char* name : {"c", "a", "b", "d"}) {
    core::ConfigMap map = MakeConfigMap(name);
    map.metadata.labels["list"] = "yes";
    map.metadata.labels["odd"] = name[0] % 2 == 1 ? "yes" : "no";
    ASSERT_TRUE(Created(map));
  }
  meta::ListMeta metadata;
  EXPECT_THAT(Names({}, &metadata), ElementsAre("a", "b", "c", "d"));
  EXPECT_FALSE(metadata.resourceVersion.empty());
  meta::ListOptions odd;
  odd.labelSelector = "odd=yes";
  EXPECT_THAT(Names(odd), ElementsAre("a", "c"));
  odd.fieldSelector = "metadata.name!=a";
  EXPECT_THAT(Names(odd), ElementsAre("c"));
  odd.labelSelector = "odd=(";
  EXPECT_EQ(connection().List(ConfigMaps(), odd).error().code(), Code::kInvalidArgument);
  meta::ListOptions pages;
  pages.labelSelector = "list";
  pages.limit = 3;
  EXPECT_THAT(Names(pages, &metadata), ElementsAre("a", "b", "c"));
  ASSERT_FALSE(metadata.continue_.empty());
  const std::string version = metadata.resourceVersion;
  // A page goes on in the state that the first one was of.
  ASSERT_TRUE(connection().Delete(ConfigMapNamed("d"), {}).ok());
  pages.continue_ = metadata.continue_;
  EXPECT_THAT(Names(pages, &metadata), ElementsAre("d"));
  EXPECT_EQ(metadata.resourceVersion, version);
  EXPECT_TRUE(metadata.continue_.empty());
}

TEST_P(ConnectionContract, DeletesCollections) {
  for (const char* name : {"a", "b", "c"}) {
    core::ConfigMap map = MakeConfigMap(name);
    map.metadata.labels["go"] = name[0] == 'b' ? "no" : "yes";
    ASSERT_TRUE(Created(map));
  }
  meta::ListOptions which;
  which.labelSelector = "go=yes";
  const auto deleted = connection().DeleteCollection(ConfigMaps(), {}, which);
  ASSERT_TRUE(deleted.ok()) << deleted.error().message();
  EXPECT_THAT(Names({}), ElementsAre("b"));
}

TEST_P(ConnectionContract, WatchesFromAVersion) {
  ASSERT_TRUE(Created(MakeConfigMap("before")));
  meta::ListMeta metadata;
  Names({}, &metadata);
  const auto created = Created(MakeConfigMap("a", "1"));
  meta::ListOptions options;
  options.resourceVersion = metadata.resourceVersion;
  options.fieldSelector = "metadata.name!=kube-root-ca.crt";
  WatchReader watch(connection(), ConfigMaps(), options);
  ASSERT_TRUE(watch.started().ok()) << watch.started().error().message();
  core::ConfigMap changed = *created;
  changed.data["key"] = "2";
  ASSERT_TRUE(connection().Update(ConfigMapNamed("a"), changed, {}).ok());
  ASSERT_TRUE(Created(MakeConfigMap("b")));
  const auto added = watch.Next();
  ASSERT_TRUE(added.ok()) << added.error().message();
  EXPECT_EQ(added->type, EventType::kAdded);
  ASSERT_TRUE(added->object.As<core::ConfigMap>());
  EXPECT_EQ(added->object.As<core::ConfigMap>()->data.at("key"), "1");
  EXPECT_EQ(added->object.meta()->resourceVersion, created->metadata.resourceVersion);
  EXPECT_THAT(watch.Take(2), ElementsAre("MODIFIED a", "ADDED b"));
  EXPECT_TRUE(watch.Silent(std::chrono::milliseconds(20)));
  ASSERT_TRUE(connection().Delete(ConfigMapNamed("a"), {}).ok());
  const auto deleted = watch.Next();
  ASSERT_TRUE(deleted.ok()) << deleted.error().message();
  EXPECT_EQ(deleted->type, EventType::kDeleted);
  // The last state, at the version of the deletion.
  EXPECT_EQ(deleted->object.As<core::ConfigMap>()->data.at("key"), "2");
  meta::ListOptions again = options;
  again.resourceVersion = deleted->object.meta()->resourceVersion;
  WatchReader resumed(connection(), ConfigMaps(), again);
  ASSERT_TRUE(Created(MakeConfigMap("c")));
  EXPECT_THAT(resumed.Take(1), ElementsAre("ADDED c"));
  EXPECT_THAT(watch.Take(1), ElementsAre("ADDED c"));
}

TEST_P(ConnectionContract, WatchesWhatASelectorSees) {
  meta::ListMeta metadata;
  Names({}, &metadata);
  meta::ListOptions options;
  options.resourceVersion = metadata.resourceVersion;
  options.labelSelector = "app=x";
  WatchReader watch(connection(), ConfigMaps(), options);
  const Target target = ConfigMapNamed("a");
  ASSERT_TRUE(Created(MakeConfigMap("a", "1")));
  const auto patch = [&](std::string_view text) {
    const auto patched = connection().Patch(target, PatchType::kMerge, text, {});
    EXPECT_TRUE(patched.ok()) << patched.error().message();
  };
  patch(R"({"metadata":{"labels":{"app":"x"}}})");
  patch(R"({"data":{"key":"2"}})");
  patch(R"({"data":{"key":"3"},"metadata":{"labels":{"app":"y"}}})");
  EXPECT_THAT(watch.Take(2), ElementsAre("ADDED a", "MODIFIED a"));
  const auto left = watch.Next();
  ASSERT_TRUE(left.ok()) << left.error().message();
  EXPECT_EQ(left->type, EventType::kDeleted);
  EXPECT_EQ(left->object.As<core::ConfigMap>()->data.at("key"), "2");
  EXPECT_EQ(left->object.meta()->resourceVersion, Read("a")->metadata.resourceVersion);
}

TEST_P(ConnectionContract, WatchesOneObject) {
  meta::ListMeta metadata;
  Names({}, &metadata);
  meta::ListOptions options;
  options.resourceVersion = metadata.resourceVersion;
  WatchReader watch(connection(), ConfigMapNamed("b"), options);
  ASSERT_TRUE(watch.started().ok()) << watch.started().error().message();
  ASSERT_TRUE(Created(MakeConfigMap("a")));
  ASSERT_TRUE(Created(MakeConfigMap("b")));
  EXPECT_THAT(watch.Take(1), ElementsAre("ADDED b"));
}

TEST_P(ConnectionContract, TellsWhatIsThereFirst) {
  ASSERT_TRUE(Created(MakeConfigMap("a")));
  ASSERT_TRUE(Created(MakeConfigMap("b")));
  meta::ListOptions options;
  options.fieldSelector = "metadata.name!=kube-root-ca.crt";
  WatchReader plain(connection(), ConfigMaps(), options);
  EXPECT_THAT(plain.Take(2), ElementsAre("ADDED a", "ADDED b"));
  options.sendInitialEvents = true;
  options.allowWatchBookmarks = true;
  options.resourceVersionMatch = "NotOlderThan";
  WatchReader streamed(connection(), ConfigMaps(), options);
  EXPECT_THAT(streamed.Take(3), ElementsAre("ADDED a", "ADDED b", "BOOKMARK end"));
  ASSERT_TRUE(Created(MakeConfigMap("c")));
  EXPECT_THAT(plain.Take(1), ElementsAre("ADDED c"));
  EXPECT_THAT(streamed.Take(1), ElementsAre("ADDED c"));
}

TEST_P(ConnectionContract, AVersionThatIsGoneIsExpired) {
  meta::ListMeta metadata;
  Names({}, &metadata);
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(Created(MakeConfigMap(name)));
  meta::ListOptions pages;
  pages.limit = 1;
  meta::ListMeta first;
  Names(pages, &first);
  ASSERT_TRUE(Created(MakeConfigMap("d")));
  if (!server_->Compact()) GTEST_SKIP() << "this server's history cannot be compacted by a test";
  meta::ListOptions options;
  options.resourceVersion = metadata.resourceVersion;
  WatchReader watch(connection(), ConfigMaps(), options);
  const Code code =
      watch.started().ok() ? watch.Next().error().code() : watch.started().error().code();
  EXPECT_EQ(code, Code::kExpired);
  pages.continue_ = first.continue_;
  EXPECT_EQ(connection().List(ConfigMaps(), pages).error().code(), Code::kExpired);
}

TEST_P(ConnectionContract, AWatchThatIsGoneIsNotCalled) {
  struct Calls {
    std::mutex mutex;
    int count = 0;
  };
  const auto calls = std::make_shared<Calls>();
  meta::ListMeta metadata;
  Names({}, &metadata);
  meta::ListOptions options;
  options.resourceVersion = metadata.resourceVersion;
  auto watch = connection().Watch(ConfigMaps(), options, [calls] {
    const std::lock_guard lock(calls->mutex);
    ++calls->count;
  });
  ASSERT_TRUE(watch.ok());
  while (true) {
    const auto batch = (*watch)->Take(100);
    ASSERT_TRUE(batch.ok()) << batch.error().message();
    if (batch->events.empty() && !batch->more) break;
  }
  watch->reset();
  const int before = calls->count;
  ASSERT_TRUE(Created(MakeConfigMap("a")));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::lock_guard lock(calls->mutex);
  EXPECT_EQ(calls->count, before);
}

TEST_P(ConnectionContract, AnswersRawPaths) {
  const auto version = connection().GetRaw("/version");
  ASSERT_TRUE(version.ok()) << version.error().message();
  EXPECT_THAT(*version, HasSubstr("\"major\""));
  EXPECT_EQ(connection().GetRaw("/nothing-here").error().code(), Code::kNotFound);
}

}  // namespace
}  // namespace podium::client
