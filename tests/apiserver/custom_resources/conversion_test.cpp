// Custom resources of several versions, converted by a webhook that is asked over real TLS on
// loopback.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "apiserver/custom_resources/conversion_webhook.h"
#include "apiserver/custom_resources/custom_support.h"
#include "apiserver/off_loop_body.h"
#include "apiserver/watch.h"
#include "http/peer.h"
#include "reflect/base64.h"

namespace podium::apiserver {
namespace {

using api::apiextensions::v1::ConversionReview;
using reflect::JsonValue;

const std::string kV1 = "/apis/stable.example.com/v1/namespaces/a/crontabs";
const std::string kV2 = "/apis/stable.example.com/v2/namespaces/a/crontabs";

// Answers with what `convert` makes of each object, or, where that is set, with something else.
class Converter {
 public:
  Converter() : server_([this](http::Peer& peer, int) { Play(peer); }, {.certificate = "server"}) {}

  std::string Config() const {
    std::string roots;
    reflect::AppendBase64(http::TestCertificates::Get().Read("ca.pem"), &roots);
    return R"({"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],"clientConfig":)"
           R"({"url":"https://127.0.0.1:)" +
           std::to_string(server_.port()) + R"(/convert","caBundle":")" + roots + R"("}}})";
  }
  std::vector<size_t> TakeSizes() {
    const std::lock_guard lock(mutex_);
    return std::exchange(sizes_, {});
  }

  // Set before there are requests.
  std::function<void(JsonValue* object)> change = [](JsonValue*) {};
  std::string instead;            // of the whole answer's body
  std::string status = "200 OK";  // and what stands behind it in the head

 private:
  void Play(http::Peer& peer) {
    const std::string head = peer.ReadHead();
    const std::string wanted = "Content-Length: ";
    const size_t at = head.find(wanted);
    if (at == head.npos) return;
    const std::string body = peer.ReadExactly(std::stoul(head.substr(at + wanted.size())));
    const auto review = reflect::FromJson<ConversionReview>(body);
    ASSERT_TRUE(review.ok()) << review.error().message();
    ConversionReview answer;
    answer.kind = review->kind;
    answer.apiVersion = review->apiVersion;
    auto& response = answer.response.ensure();
    response.uid = review->request->uid;
    response.result.status = "Success";
    {
      const std::lock_guard lock(mutex_);
      sizes_.push_back(review->request->objects.size());
    }
    for (const auto& each : review->request->objects) {
      auto object = reflect::ParseJson(each.text);
      ASSERT_TRUE(object.ok());
      Convert(review->request->desiredAPIVersion, &*object);
      change(&*object);
      response.convertedObjects.push_back({reflect::ToText(*object)});
    }
    std::string text = instead.empty() ? *reflect::ToJson(answer) : instead;
    peer.Send("HTTP/1.1 " + status + "\r\nConnection: close\r\nContent-Length: " +
              std::to_string(text.size()) + "\r\n\r\n" + text);
  }

  // v1 has spec.host as host:port, v2 has both apart.
  static void Convert(const std::string& to, JsonValue* object) {
    object->Set("apiVersion", JsonValue::String(to));
    JsonValue* spec = object->Find("spec");
    if (spec == nullptr) return;
    if (to.ends_with("/v2")) {
      const std::string text = spec->Find("host")->string();
      spec->Set("host", JsonValue::String(text.substr(0, text.find(':'))));
      spec->Set("port", JsonValue::String(text.substr(text.find(':') + 1)));
    } else {
      spec->Set("host", JsonValue::String(spec->Find("host")->string() + ":" +
                                          spec->Find("port")->string()));
      spec->Erase("port");
    }
  }

  std::mutex mutex_;
  std::vector<size_t> sizes_;
  http::PeerServer server_;
};

// v1 is stored, both are served.
std::string Definition(const std::string& conversion, bool v2_stored = false) {
  const auto version = [&](const std::string& name, const std::string& properties, bool stored) {
    return R"({"name":")" + name + R"(","served":true,"storage":)" + (stored ? "true" : "false") +
           (name == "v2" ? R"(,"selectableFields":[{"jsonPath":".spec.host"}])" : "") +
           R"(,"schema":{"openAPIV3Schema":)"
           R"({"type":"object","properties":{"spec":{"type":"object","properties":{)" +
           properties + "}}}}}}";
  };
  const std::string text = R"("host":{"type":"string"})";
  return R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",)"
         R"("metadata":{"name":"crontabs.stable.example.com"},"spec":{"group":"stable.example.com",)"
         R"("scope":"Namespaced","names":{"plural":"crontabs","kind":"CronTab"},"conversion":)" +
         conversion + R"(,"versions":[)" + version("v1", text, !v2_stored) + "," +
         version("v2", text + R"(,"port":{"type":"string"})", v2_stored) + "]}}";
}

std::string Host(const std::string& name, const std::string& version, const std::string& spec) {
  return R"({"apiVersion":"stable.example.com/)" + version +
         R"(","kind":"CronTab","metadata":{"name":")" + name + R"("},"spec":{)" + spec + "}}";
}

struct ConversionTest : testing::Test {
  Converter converter;
  TestStore other;  // of services; there are none
  WebhookConversions webhooks{other.objects, [] { return uint64_t{0}; }, std::chrono::seconds(20)};
  CustomRig rig{&webhooks};
};

TEST_F(ConversionTest, EachVersionShowsTheSameObject) {
  rig.Define(Definition(converter.Config()));
  const Replied made = rig.Post(kV2, Host("one", "v2", R"("host":"h","port":"1")"));
  ASSERT_EQ(made.status, 201) << made.message();
  EXPECT_EQ(made.At("spec"), R"({"host":"h","port":"1"})");
  EXPECT_EQ(rig.Get(kV1 + "/one").At("spec"), R"({"host":"h:1"})");
  EXPECT_EQ(rig.Get(kV2 + "/one").At("spec"), R"({"host":"h","port":"1"})");
  EXPECT_TRUE(rig.Stored("/registry/stable.example.com/crontabs/a/one").contains("\"h:1\""));
  const Replied patched = rig.Merge(kV2 + "/one", R"({"spec":{"port":"2"}})");
  EXPECT_EQ(patched.At("spec.port"), "2") << patched.message();
  EXPECT_EQ(rig.Get(kV1 + "/one").At("spec.host"), "h:2");
  EXPECT_EQ(rig.Get(kV2 + "?fieldSelector=spec.host%3Dh").At("items.0.metadata.name"), "one");
}

TEST_F(ConversionTest, AListIsOneQuestion) {
  rig.Define(Definition(converter.Config()));
  for (const char* name : {"a", "b", "c"}) rig.Post(kV1, Host(name, "v1", R"("host":"h:1")"));
  converter.TakeSizes();
  EXPECT_EQ(rig.Get(kV2).At("items.2.spec.port"), "1");
  EXPECT_EQ(converter.TakeSizes(), std::vector<size_t>{3});
  // What was converted is kept while it is as it was.
  EXPECT_EQ(rig.Get(kV2 + "/b").At("spec.port"), "1");
  EXPECT_TRUE(converter.TakeSizes().empty());
}

TEST_F(ConversionTest, MetadataStaysAsItWas) {
  converter.change = [](JsonValue* object) {
    JsonValue* metadata = object->Find("metadata");
    JsonValue labels = JsonValue::Of(JsonValue::Object());
    labels.Set("converted", JsonValue::String("yes"));
    metadata->Set("labels", std::move(labels));
    metadata->Set("generation", JsonValue::Number("77"));
  };
  rig.Define(Definition(converter.Config()));
  rig.Post(kV1, Host("one", "v1", R"("host":"h:1")"));
  const Replied shown = rig.Get(kV2 + "/one");
  EXPECT_EQ(shown.At("metadata.labels.converted"), "yes");
  EXPECT_EQ(shown.At("metadata.generation"), "1");
}

// Upstream reads an object into the version that is asked for, and selects then.
TEST_F(ConversionTest, SelectorsSeeTheLabelsThatAreShown) {
  converter.change = [](JsonValue* object) {
    const bool to_v2 = object->Find("apiVersion")->string().ends_with("/v2");
    JsonValue labels = JsonValue::Of(JsonValue::Object());
    labels.Set("size", JsonValue::String(to_v2 ? "new" : "old"));
    object->Find("metadata")->Set("labels", std::move(labels));
  };
  rig.Define(Definition(converter.Config()));
  const auto names = [&](const std::string& path, const std::string& selector) {
    const Replied list = rig.Get(path + "?labelSelector=" + selector);
    EXPECT_EQ(list.status, 200);
    std::string all;
    for (const JsonValue& each : list.Find("items")->array()) {
      all += each.Find("metadata")->Find("name")->string() + " ";
    }
    return all;
  };
  const CatalogPtr catalog = rig.catalog.Now();
  const ServedResource& v2 = *catalog->Find("stable.example.com", "v2", "crontabs");
  WatchRequest watched{.resource = &v2, .namespace_ = "a"};
  watched.options.labelSelector = "size=new";
  watched.options.resourceVersion = std::to_string(rig.store.memory.health().revision);
  const auto watch = EntryWatch::Create(rig.store.memory, watched, [] {});
  ASSERT_TRUE(watch.ok());
  // One that is written in the version that is stored, and one that is converted to it.
  EXPECT_EQ(rig.Post(kV1, Host("one", "v1", R"("host":"h:1")")).status, 201);
  std::string two = Host("two", "v2", R"("host":"h","port":"2")");
  two.insert(two.find("\"name\""), R"("labels":{"size":"new"},)");
  EXPECT_EQ(rig.Post(kV2, two).status, 201);
  EXPECT_TRUE(rig.Stored("/registry/stable.example.com/crontabs/a/two").contains("\"old\""));
  EXPECT_EQ(names(kV2, "size=new"), "one two ");
  EXPECT_EQ(names(kV2, "size=old"), "");
  EXPECT_EQ(names(kV1, "size=old"), "two ");
  EXPECT_EQ(names(kV1, "!size"), "one ");
  std::vector<std::string> told;
  for (int i = 0; i < 100 && told.size() < 2; ++i) {
    auto batch = (*watch)->Take();
    ASSERT_TRUE(batch.ok());
    for (const EntryEvent& event : batch->events) {
      EXPECT_EQ(event.type, WatchEventType::kAdded);
      told.emplace_back(event.entry->key());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(told, (std::vector<std::string>{"/registry/stable.example.com/crontabs/a/one",
                                            "/registry/stable.example.com/crontabs/a/two"}));
}

TEST_F(ConversionTest, ANewNameIsRefused) {
  converter.change = [](JsonValue* object) {
    object->Find("metadata")->Set("name", JsonValue::String("other"));
  };
  rig.Define(Definition(converter.Config()));
  rig.Post(kV1, Host("one", "v1", R"("host":"h:1")"));
  const Replied refused = rig.Get(kV2 + "/one");
  EXPECT_EQ(refused.status, 500);
  EXPECT_EQ(refused.message(),
            "conversion webhook for stable.example.com/v1, Kind=CronTab returned invalid object: "
            "must have the same name: one != other");
  EXPECT_EQ(rig.Get(kV1 + "/one").status, 200);
}

TEST_F(ConversionTest, AFailureIsTheAnswer) {
  converter.instead = R"({"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1"})";
  rig.Define(Definition(converter.Config()));
  rig.Post(kV1, Host("one", "v1", R"("host":"h:1")"));
  const Replied failed = rig.Get(kV2);
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(failed.message(),
            "conversion webhook for stable.example.com/v1, Kind=CronTab failed: no response "
            "provided");
  EXPECT_EQ(rig.Post(kV2, Host("two", "v2", R"("host":"h","port":"1")")).status, 500);
}

// attacks.md: redirects (CVE-2022-3172), and nothing of what it says that is no review.
TEST_F(ConversionTest, RedirectsAreNotFollowedAndNothingIsEchoed) {
  Converter secret;
  const std::string other = secret.Config();
  const size_t url = other.find("https://");
  converter.status = "302 Found\r\nLocation: " + other.substr(url, other.find('"', url) - url);
  converter.instead = "geheim";
  rig.Define(Definition(converter.Config()));
  rig.Post(kV1, Host("one", "v1", R"("host":"h:1")"));
  const auto fails = [&] {
    const Replied failed = rig.Get(kV2 + "/one");
    EXPECT_EQ(failed.status, 500);
    EXPECT_FALSE(failed.message().contains("geheim")) << failed.message();
  };
  fails();
  EXPECT_FALSE(converter.TakeSizes().empty());
  EXPECT_TRUE(secret.TakeSizes().empty());
  converter.status = "500 geheim";
  fails();
  converter.status = "200 OK";
  fails();
}

// attacks.md: server-side request forgery (CVE-2020-8555).
TEST_F(ConversionTest, ServerSideRequestForgeryLinkLocalAddressesAreRefused) {
  for (const std::string host : {"169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]"}) {
    CustomRig rogue{&webhooks};
    rogue.Define(Definition(R"({"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],)"
                            R"("clientConfig":{"url":"https://)" +
                            host + R"(/latest"}}})"));
    rogue.Post(kV1, Host("one", "v1", R"("host":"h:1")"));
    const Replied refused = rogue.Get(kV2 + "/one");
    EXPECT_EQ(refused.status, 500);
    EXPECT_TRUE(refused.message().contains("link-local addresses are refused"))
        << refused.message();
  }
}

// One that hangs costs its own requests a while, and nobody else anything.
TEST_F(ConversionTest, AWebhookThatHangsIsGivenUp) {
  converter.change = [](JsonValue*) { std::this_thread::sleep_for(std::chrono::seconds(2)); };
  const WebhookConversions hasty{other.objects, [] { return uint64_t{0}; },
                                 std::chrono::seconds(1)};
  CustomRig hasty_rig{&hasty};
  hasty_rig.Define(Definition(converter.Config()));
  hasty_rig.Post(kV1, Host("one", "v1", R"("host":"h:1")"));
  const auto start = std::chrono::steady_clock::now();
  const Replied failed = hasty_rig.Get(kV2 + "/one");
  EXPECT_EQ(failed.status, 500);
  EXPECT_TRUE(failed.message().contains("failed: Post \"https://127.0.0.1:")) << failed.message();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_EQ(hasty_rig.Get(kV1 + "/one").status, 200);
}

TEST_F(ConversionTest, ServicesThatAreNotThere) {
  rig.Define(Definition(R"({"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],)"
                        R"("clientConfig":{"service":{"namespace":"x","name":"none"}}}})"));
  rig.Post(kV1, Host("one", "v1", R"("host":"h:1")"));
  EXPECT_EQ(rig.Get(kV2 + "/one").message(),
            "conversion webhook for stable.example.com/v1, Kind=CronTab failed: services \"none\" "
            "not found");
}

// Bodies that wait for it are made beside the loop.
TEST_F(ConversionTest, ListsAreMadeOffTheLoop) {
  rig.Define(Definition(converter.Config()));
  rig.Post(kV1, Host("one", "v1", R"("host":"h:1")"));
  const CatalogPtr now = rig.catalog.Now();
  const ServedResource* resource = now->Find("stable.example.com", "v2", "crontabs");
  ASSERT_NE(resource, nullptr);
  const WatchRoom room{
      .store = rig.store.memory, .clock = rig.clock, .executor = rig.store.executor};
  const CallPtr call = MakeCall(kV2 + "?watch=true&timeoutSeconds=1");
  call->received = rig.clock.Now();
  Answer answer = AnswerWatch(call, room, *resource, now);
  ASSERT_NE(answer.pulled, nullptr);
  const auto body = OffLoop(std::move(answer.pulled), rig.store.executor);
  std::string text;
  bool ended = false;
  for (int i = 0; i < 500 && !ended; ++i) {
    const auto piece = body->Next();
    ASSERT_TRUE(piece.ok());
    text.append(piece->bytes);
    ended = piece->then == http::BodyPiece::Then::kEnd;
    if (i == 20) rig.Post(kV1, Host("two", "v1", R"("host":"h:2")"));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(ended);
  EXPECT_TRUE(text.contains(R"("spec":{"host":"h","port":"1"})")) << text;
  EXPECT_TRUE(text.contains(R"("spec":{"host":"h","port":"2"})")) << text;
}

TEST_F(ConversionTest, AWriteBringsAnObjectToTheStorageVersion) {
  rig.Define(Definition(converter.Config()));
  rig.Post(kV1, Host("one", "v1", R"("host":"h:1")"));
  ASSERT_EQ(
      rig.Merge(
             kDefinitions + "/crontabs.stable.example.com",
             R"({"spec":{"versions":)" +
                 reflect::ToText(
                     *reflect::ParseJson(Definition("{}", true))->Find("spec")->Find("versions")) +
                 "}}")
          .status,
      200);
  const std::string key = "/registry/stable.example.com/crontabs/a/one";
  EXPECT_TRUE(rig.Stored(key).contains("com/v1\",\"metadata"));
  EXPECT_EQ(rig.Merge(kV1 + "/one", "{}").status, 200);
  EXPECT_FALSE(rig.Stored(key).contains("com/v1\",\"metadata")) << rig.Stored(key);
  EXPECT_EQ(rig.Get(kV1 + "/one").At("spec.host"), "h:1");
  EXPECT_EQ(rig.Get(kV1 + "/one").At("metadata.generation"), "1");
}

TEST(NoConversion, ChangesTheVersionAlone) {
  CustomRig rig;
  rig.Define(Definition(R"({"strategy":"None"})"));
  rig.Post(kV1, Host("one", "v1", R"("host":"h:1")"));
  const Replied shown = rig.Get(kV2 + "/one");
  EXPECT_EQ(shown.At("apiVersion"), "stable.example.com/v2");
  EXPECT_EQ(shown.At("spec"), R"({"host":"h:1"})");
  EXPECT_EQ(rig.Get("/apis/stable.example.com/v3/namespaces/a/crontabs").status, 404);
  // What the storage version does not know is lost, as upstream.
  EXPECT_EQ(rig.Post(kV2, Host("two", "v2", R"("host":"h","port":"1")")).status, 201);
  EXPECT_EQ(rig.Get(kV2 + "/two").At("spec"), R"({"host":"h"})");
}

}  // namespace
}  // namespace podium::apiserver
