#include "image/puller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "image/registry_fixture.h"
#include "image/tar_builder.h"

namespace podium::image {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using State = PullProgress::State;

class PullerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HaveDockerRegistry()) GTEST_SKIP() << "needs docker-registry";
    fs::create_directory(folder_.path() + "/storage");
    registry_ = std::make_unique<DockerRegistry>(
        DockerRegistryOptions{.storage = folder_.path() + "/storage"});
    options_.retry.first_delay = milliseconds(1);
    auto store = ImageStore::Open(folder_.path() + "/images");
    ASSERT_TRUE(store.ok()) << store.error().message();
    store_ = *std::move(store);
  }

  Puller MakePuller() { return Puller(*store_, options_, &machine_); }
  Result<ImageInfo> Pull(const std::string& image) {
    Puller puller = MakePuller();
    return puller.Pull({.image = image});
  }
  Error PullError(const std::string& image) {
    auto pulled = Pull(image);
    if (pulled.ok()) return {Code::kInternal, "no error"};
    return std::move(pulled).error();
  }
  static std::string Read(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  http::TestFolder folder_;
  RegistryOptions options_;
  Keyring machine_;
  std::unique_ptr<DockerRegistry> registry_;
  std::unique_ptr<ImageStore> store_;
};

TEST_F(PullerTest, ByTag) {
  const Digest manifest = PushImage(registry_->host(), "team/app", "v1", ImageOf({"zero", "one"}));
  const std::string repository = registry_->host() + "/team/app";
  const auto pulled = Pull(repository + ":v1");
  ASSERT_TRUE(pulled.ok()) << pulled.error().message();
  EXPECT_EQ(pulled->manifest, manifest);
  EXPECT_THAT(pulled->names, ElementsAre(repository + ":v1"));
  EXPECT_THAT(pulled->repo_digests, ElementsAre(repository + "@" + manifest.String()));
  EXPECT_TRUE(pulled->runnable);
  ASSERT_EQ(pulled->layers.size(), 2);
  EXPECT_EQ(Read(pulled->layers[0] + "/0"), "zero");
  EXPECT_EQ(Read(pulled->layers[1] + "/1"), "one");
}

TEST_F(PullerTest, LatestIsMeantWithoutATag) {
  PushImage(registry_->host(), "app", "latest", ImageOf({"x"}));
  const auto pulled = Pull(registry_->host() + "/app");
  ASSERT_TRUE(pulled.ok()) << pulled.error().message();
  EXPECT_THAT(pulled->names, ElementsAre(registry_->host() + "/app:latest"));
}

TEST_F(PullerTest, ByDigest) {
  const Digest manifest = PushImage(registry_->host(), "app", "v1", ImageOf({"x"}));
  const std::string name = registry_->host() + "/app@" + manifest.String();
  const auto pulled = Pull(name);
  ASSERT_TRUE(pulled.ok()) << pulled.error().message();
  EXPECT_THAT(pulled->names, ElementsAre());
  EXPECT_THAT(pulled->repo_digests, ElementsAre(name));
  EXPECT_TRUE(store_->Resolve(name).ok());
}

TEST_F(PullerTest, TheManifestForThePlatform) {
  const ImageBuilder ours = ImageOf({"ours"});
  ImageBuilder theirs = ImageOf({"theirs"});
  theirs.architecture = "s390x";
  PushImage(registry_->host(), "app", "ours", ours);
  PushImage(registry_->host(), "app", "theirs", theirs);
  const auto entry = [](const ImageBuilder& image) {
    std::string text = DescriptorText(image.Manifest(), kManifestType);
    text.insert(text.size() - 1,
                R"(,"platform":{"os":"linux","architecture":")" + image.architecture + R"("})");
    return text;
  };
  const std::string index = R"({"schemaVersion":2,"mediaType":")" + std::string(kIndexType) +
                            R"(","manifests":[)" + entry(theirs) + ',' + entry(ours) + "]}";
  const Digest root = PushManifest(registry_->host(), "app", "v1", kIndexType, index);

  const auto pulled = Pull(registry_->host() + "/app:v1");
  ASSERT_TRUE(pulled.ok()) << pulled.error().message();
  EXPECT_EQ(Read(pulled->layers[0] + "/0"), "ours");
  // Known by the digest that the registry knows the tag by.
  EXPECT_THAT(pulled->repo_digests, ElementsAre(registry_->host() + "/app@" + root.String()));

  Puller puller = MakePuller();
  Platform other = HostPlatform();
  other.architecture = "s390x";
  const auto foreign = puller.Pull({.image = registry_->host() + "/app:v1", .platform = other});
  ASSERT_TRUE(foreign.ok()) << foreign.error().message();
  EXPECT_EQ(Read(foreign->layers[0] + "/0"), "theirs");
  other.architecture = "riscv64";
  const auto none = puller.Pull({.image = registry_->host() + "/app:v1", .platform = other});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code(), Code::kNotFound);
}

TEST_F(PullerTest, WhatIsHereIsNotFetchedAgain) {
  FaultyProxy proxy(registry_->port(), [](FaultyProxy::Exchange&) {});
  PushImage(registry_->host(), "app", "v1", ImageOf({"shared", "one"}));
  PushImage(registry_->host(), "app", "v2", ImageOf({"shared", "two"}));
  const std::string name = proxy.host() + "/app";
  ASSERT_TRUE(Pull(name + ":v1").ok());
  EXPECT_EQ(proxy.Count("GET /v2/app/blobs/"), 3);  // the configuration and both layers
  const auto again = Pull(name + ":v1");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(proxy.Count("GET /v2/app/blobs/"), 3);
  EXPECT_EQ(proxy.Count("GET /v2/app/manifests/v1"), 1);
  EXPECT_EQ(proxy.Count("HEAD /v2/app/manifests/v1"), 1);
  ASSERT_TRUE(Pull(name + ":v2").ok());
  EXPECT_EQ(proxy.Count("GET /v2/app/blobs/"), 5);

  // A tag that has moved.
  PushImage(registry_->host(), "app", "v1", ImageOf({"shared", "three"}));
  const auto moved = Pull(name + ":v1");
  ASSERT_TRUE(moved.ok());
  EXPECT_EQ(Read(moved->layers[1] + "/1"), "three");
}

TEST_F(PullerTest, WhatTheDiskHasDamagedIsFetchedAgain) {
  const ImageBuilder image = ImageOf({"text"});
  PushImage(registry_->host(), "app", "v1", image);
  // As if an earlier pull had brought them.
  const Digest layer = *store_->content().Put(image.layers[0].bytes);
  const Digest config = *store_->content().Put(image.Config());
  for (const Digest& digest : {layer, config}) {
    const fs::path blob = folder_.path() + "/images/blobs/sha256/" + digest.hex;
    fs::permissions(blob, fs::perms::owner_all);
    std::fstream(blob, std::ios::in | std::ios::out) << "!";
  }
  const auto pulled = Pull(registry_->host() + "/app:v1");
  ASSERT_TRUE(pulled.ok()) << pulled.error().message();
  EXPECT_EQ(Read(pulled->layers[0] + "/0"), "text");
  EXPECT_TRUE(store_->Verify()->empty());
}

TEST_F(PullerTest, ProgressOfEachLayer) {
  const std::string noise = Noise(3 << 20, 5);
  PushImage(registry_->host(), "app", "v1", ImageOf({noise, "small", "small"}));
  std::map<size_t, std::vector<State>> states;
  std::map<size_t, uint64_t> done;
  const auto observe = [&](const PullProgress& progress) {
    EXPECT_EQ(progress.layers, 3);
    EXPECT_LE(progress.done, progress.total);
    auto& seen = states[progress.layer];
    if (seen.empty() || seen.back() != progress.state) seen.push_back(progress.state);
    done[progress.layer] = progress.done;
    if (progress.layer == 0) EXPECT_GT(progress.total, noise.size());
  };
  Puller puller = MakePuller();
  ASSERT_TRUE(puller.Pull({.image = registry_->host() + "/app:v1", .progress = observe}).ok());
  EXPECT_THAT(states[0],
              ElementsAre(State::kWaiting, State::kDownloading, State::kExtracting, State::kDone));
  EXPECT_EQ(states[1].back(), State::kDone);
  EXPECT_GT(done[0], noise.size());

  PushImage(registry_->host(), "app", "v2", ImageOf({noise, "other"}));
  states.clear();
  const auto two = [&](const PullProgress& progress) {
    states[progress.layer].push_back(progress.state);
  };
  ASSERT_TRUE(puller.Pull({.image = registry_->host() + "/app:v2", .progress = two}).ok());
  EXPECT_THAT(states[0], ElementsAre(State::kWaiting, State::kExists));
}

TEST_F(PullerTest, LayersComeThreeAtATime) {
  PushImage(registry_->host(), "app", "v1", ImageOf({"0", "1", "2", "3", "4", "5", "6", "7"}));
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  FaultyProxy proxy(registry_->port(), [&](FaultyProxy::Exchange& exchange) {
    if (exchange.line.find("/blobs/") == std::string::npos) return;
    const int here = ++now;
    int seen = most;
    while (here > seen && !most.compare_exchange_weak(seen, here)) {
    }
    std::this_thread::sleep_for(milliseconds(100));
    --now;
  });
  const auto pulled = Pull(proxy.host() + "/app:v1");
  ASSERT_TRUE(pulled.ok()) << pulled.error().message();
  EXPECT_EQ(most, 3);
}

TEST_F(PullerTest, PullsAtTheSameTimeShareTheirBlobs) {
  FaultyProxy proxy(registry_->port(),
                    [](FaultyProxy::Exchange&) { std::this_thread::sleep_for(milliseconds(50)); });
  PushImage(registry_->host(), "app", "v1", ImageOf({"a", "b", "c"}));
  PushImage(registry_->host(), "app", "v2", ImageOf({"a", "b", "d"}));
  Puller puller = MakePuller();
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      const auto pulled =
          puller.Pull({.image = proxy.host() + (i % 2 == 0 ? "/app:v1" : "/app:v2")});
      EXPECT_TRUE(pulled.ok()) << pulled.error().message();
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Two configurations and four layers.
  EXPECT_EQ(proxy.Count("GET /v2/app/blobs/"), 6);
}

TEST_F(PullerTest, CancelledAmidALayer) {
  PushImage(registry_->host(), "app", "v1", ImageOf({Noise(1 << 20, 1), Noise(1 << 20, 2)}));
  const auto cancellation = *http::Cancellation::Create();
  FaultyProxy proxy(registry_->port(), [&](FaultyProxy::Exchange& exchange) {
    if (exchange.answer.size() < 1 << 20) return;
    exchange.peer->Send(exchange.answer.substr(0, exchange.answer.size() / 2));
    exchange.answer.clear();
    cancellation->Cancel();
    std::this_thread::sleep_for(milliseconds(200));
  });
  Puller puller = MakePuller();
  const auto begin = std::chrono::steady_clock::now();
  const auto cancelled =
      puller.Pull({.image = proxy.host() + "/app:v1", .cancellation = cancellation.get()});
  ASSERT_FALSE(cancelled.ok());
  EXPECT_EQ(cancelled.error().code(), Code::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_FALSE(store_->Resolve(proxy.host() + "/app:v1").ok());
  // What came is kept, and the pull goes on with it.
  EXPECT_TRUE(Pull(registry_->host() + "/app:v1").ok());
}

TEST_F(PullerTest, MirrorsComeFirstAndTheRegistryWhenTheyFail) {
  PushImage(registry_->host(), "app", "v1", ImageOf({"x"}));
  FaultyProxy good(registry_->port(), [](FaultyProxy::Exchange&) {});
  FaultyProxy half(registry_->port(), [](FaultyProxy::Exchange& exchange) {
    if (exchange.line.find("/blobs/") != std::string::npos) exchange.answer = AnswerOf(404, "", "");
  });
  auto& mirrors = options_.registries[registry_->host()].mirrors;
  mirrors = {"http://127.0.0.1:1", "http://" + half.host(), "http://" + good.host()};
  const auto pulled = Pull(registry_->host() + "/app:v1");
  ASSERT_TRUE(pulled.ok()) << pulled.error().message();
  EXPECT_EQ(half.Count("/blobs/"), 1);
  EXPECT_EQ(good.Count("/blobs/"), 2);
  // Its name is the registry's, wherever it came from.
  EXPECT_THAT(pulled->names, ElementsAre(registry_->host() + "/app:v1"));

  mirrors = {"http://127.0.0.1:1"};
  EXPECT_TRUE(Pull(registry_->host() + "/app:v1").ok());
  const Error missing = PullError(registry_->host() + "/app:v9");
  EXPECT_EQ(missing.code(), Code::kNotFound);
  EXPECT_THAT(missing.message(), HasSubstr("; mirror 127.0.0.1:1: "));
}

TEST_F(PullerTest, CredentialsAreTriedOneAfterTheOther) {
  PushImage(registry_->host(), "team/app", "v1", ImageOf({"x"}));
  std::vector<std::string> tried;
  FaultyProxy proxy(registry_->port(), [&](FaultyProxy::Exchange& exchange) {
    const size_t at = exchange.head.find("Authorization: Basic ");
    const std::string who =
        at == std::string::npos
            ? ""
            : exchange.head.substr(at + 21, exchange.head.find("\r\n", at) - at - 21);
    if (!who.empty() && (tried.empty() || tried.back() != who)) tried.push_back(who);
    if (who == "Z29vZDpnb29k") return;  // good:good
    exchange.answer = AnswerOf(401, "WWW-Authenticate: Basic realm=\"x\"\r\n", "");
  });
  const auto config = [&](const std::string& location, const std::string& user) {
    return DockerConfig{
        .auths = {{location, {.username = user, .password = user}}}, .helpers = {}, .store = {}};
  };
  Keyring secrets;
  secrets.Add(config(proxy.host() + "/team", "bad"));
  machine_.Add(config(proxy.host(), "good"));
  Puller puller = MakePuller();
  const auto pulled = puller.Pull({.image = proxy.host() + "/team/app:v1", .keyring = &secrets});
  ASSERT_TRUE(pulled.ok()) << pulled.error().message();
  EXPECT_THAT(tried, ElementsAre("YmFkOmJhZA==", "Z29vZDpnb29k"));
}

TEST_F(PullerTest, ForeignLayersComeFromTheirUrls) {
  ImageBuilder image = ImageOf({"here", "elsewhere"});
  const std::string elsewhere = image.layers[1].bytes;
  FaultyProxy origin(registry_->port(), [&](FaultyProxy::Exchange& exchange) {
    EXPECT_EQ(exchange.head.find("Authorization"), std::string::npos);
    exchange.answer = AnswerOf(200, "", elsewhere);
  });
  PushBlob(registry_->host(), "app", image.layers[0].bytes);
  PushBlob(registry_->host(), "app", image.Config());
  std::string manifest = image.Manifest();
  const std::string type = "application/vnd.oci.image.layer.nondistributable.v1.tar";
  const size_t at = manifest.rfind("application/vnd.oci.image.layer.v1.tar");
  manifest.replace(at, std::string("application/vnd.oci.image.layer.v1.tar").size(), type);
  manifest.insert(manifest.size() - 3, R"(,"urls":["http://)" + origin.host() + R"(/layer"])");
  // A registry need not have such layers, but Debian's takes only known hosts' URLs.
  FaultyProxy registry(registry_->port(), [&](FaultyProxy::Exchange& exchange) {
    if (exchange.line.find("/manifests/") == std::string::npos) return;
    exchange.answer =
        AnswerOf(200, std::string("Content-Type: ") + kManifestType + "\r\n", manifest);
  });
  const auto pulled = Pull(registry.host() + "/app:v1");
  ASSERT_TRUE(pulled.ok()) << pulled.error().message();
  EXPECT_EQ(Read(pulled->layers[1] + "/1"), "elsewhere");
  EXPECT_EQ(origin.Count("GET /layer"), 1);
}

TEST_F(PullerTest, Limits) {
  PushImage(registry_->host(), "app", "v1", ImageOf({Noise(10000, 1), Noise(10000, 2)}));
  options_.max_layer_size = 10000;
  const Error layer = PullError(registry_->host() + "/app:v1");
  EXPECT_EQ(layer.code(), Code::kResourceExhausted);
  EXPECT_THAT(layer.message(), HasSubstr("more than the 10000 allowed"));
  options_.max_layer_size = 0;
  options_.max_image_size = 15000;
  EXPECT_THAT(PullError(registry_->host() + "/app:v1").message(), HasSubstr("the image has"));
  options_.max_image_size = 1 << 20;
  EXPECT_TRUE(Pull(registry_->host() + "/app:v1").ok());
}

TEST_F(PullerTest, ErrorsSayWhatWasAskedForAndWhatToDo) {
  PushImage(registry_->host(), "app", "v1", ImageOf({"x"}));
  const std::string name = registry_->host() + "/app:v2";
  const Error missing = PullError(name);
  EXPECT_EQ(missing.code(), Code::kNotFound);
  EXPECT_EQ(missing.message(), "failed to pull and unpack image \"" + name +
                                   "\": failed to resolve reference \"" + name + "\": " + name +
                                   ": not found");
  const Error refused = PullError("127.0.0.1:1/app:v1");
  EXPECT_EQ(refused.code(), Code::kUnavailable);
  EXPECT_THAT(refused.message(),
              AllOf(StartsWith("failed to pull and unpack image \"127.0.0.1:1/app:v1\": failed to "
                               "resolve reference \"127.0.0.1:1/app:v1\": failed to do request: "),
                    HasSubstr("Connection refused (nothing listens there")));
  EXPECT_EQ(PullError("Upper/Case").code(), Code::kInvalidArgument);
  EXPECT_EQ(PullError("a_b.c/d").code(), Code::kInvalidArgument);
}

TEST_F(PullerTest, AnImageThatIsNotWhatItSays) {
  ImageBuilder image = ImageOf({"x"});
  image.diff_ids[0] = DigestOf("something else").String();
  PushImage(registry_->host(), "app", "v1", image);
  const Error error = PullError(registry_->host() + "/app:v1");
  EXPECT_THAT(error.message(), HasSubstr("failed to extract layer"));
  EXPECT_FALSE(store_->Resolve(registry_->host() + "/app:v1").ok());

  ImageBuilder short_of = ImageOf({"x", "y"});
  short_of.diff_ids.pop_back();
  PushImage(registry_->host(), "app", "v2", short_of);
  EXPECT_EQ(PullError(registry_->host() + "/app:v2").code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace podium::image
