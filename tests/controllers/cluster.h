// A cluster of controllers on virtual time, for their tests.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/types/core_v1.h"
#include "client/fake_server.h"
#include "client/informer.h"
#include "client/virtual_time.h"
#include "controllers/controller.h"
#include "reflect/copy.h"

namespace podium::controllers {

// The fake server with discovery, and namespaces that are gone when they are finalized.
class Cluster : public client::FakeServer {
 public:
  using FakeServer::FakeServer;

  Result<std::string> GetRaw(const std::string& path) override {
    if (path == "/api/v1") {
      return std::string(R"({"groupVersion":"v1","resources":[
        {"name":"configmaps","namespaced":true,"kind":"ConfigMap","verbs":["list","watch","delete","deletecollection"]},
        {"name":"pods","namespaced":true,"kind":"Pod","verbs":["list","watch","delete","deletecollection"]},
        {"name":"pods/log","namespaced":true,"kind":"Pod","verbs":["get","delete"]},
        {"name":"secrets","namespaced":true,"kind":"Secret","verbs":["list","watch","delete"]},
        {"name":"bindings","namespaced":true,"kind":"Binding","verbs":["create"]},
        {"name":"nodes","namespaced":false,"kind":"Node","verbs":["list","delete"]}]})");
    }
    if (path == "/apis") {
      if (on_groups) on_groups();
      return groups;
    }
    const auto document = documents.find(path);
    if (document != documents.end()) return document->second;
    return FakeServer::GetRaw(path);
  }
  Result<client::SharedObject> Update(const client::Target& target,
                                      const client::ObjectView& object,
                                      const api::meta::v1::UpdateOptions& options) override {
    if (target.subresource == "status") CheckMetadata(target, object);
    if (target.subresource != "finalize") return FakeServer::Update(target, object, options);
    auto changed = reflect::Copy(*static_cast<const api::core::v1::Namespace*>(object.object));
    finalized.push_back(changed.metadata.name);
    if (changed.spec.finalizers.empty()) changed.metadata.finalizers.clear();
    client::Target whole = target;
    whole.subresource.clear();
    return FakeServer::Update(whole, changed, options);
  }

  // A server takes finalizers from whoever writes the status, too, unlike the fake.
  void CheckMetadata(const client::Target& target, const client::ObjectView& object) {
    client::Target whole = target;
    whole.subresource.clear();
    const auto stored = FakeServer::Get(whole, {});
    if (!stored.ok()) return;
    EXPECT_EQ(stored->meta()->finalizers, object.meta()->finalizers) << target.name;
  }

  std::string groups = R"({"groups":[]})";
  std::map<std::string, std::string> documents;  // of discovery, by path
  std::function<void()> on_groups;
  std::vector<std::string> finalized;
};

class ControllersTest : public testing::Test {
 public:
  ControllerContext Context() {
    return {.connection = &server,
            .informers = &informers,
            .executor = &time,
            .clock = &time,
            .on_error = [this](std::string_view name, const std::string& key, const Error& error) {
              errors.push_back(std::string(name) + " " + key + ": " + std::string(error.message()));
            }};
  }
  void Start(Controller& controller) {
    controller.Start();
    informers.Start();
    time.RunFor(std::chrono::seconds(1));
  }
  template <class T>
  client::Target At(const std::string& name_space, const std::string& name = "") {
    return *client::TargetOf(reflect::TypeOf<T>(), {name_space, name});
  }
  template <class T>
  void Put(T object) {
    const auto made = server.Create(At<T>(object.metadata.namespace_), object, {});
    ASSERT_TRUE(made.ok()) << made.error().message();
  }
  void PutNamespace(const std::string& name) {
    api::core::v1::Namespace space;
    space.metadata.name = name;
    space.metadata.finalizers = {"test/held-by-spec-finalizers"};
    space.spec.finalizers = {"kubernetes"};
    Put(space);
  }
  template <class T>
  void PutIn(const std::string& name_space, const std::string& name,
             const std::string& finalizer = "") {
    T object;
    object.metadata.namespace_ = name_space;
    object.metadata.name = name;
    if (!finalizer.empty()) object.metadata.finalizers = {finalizer};
    Put(object);
  }
  template <class T>
  std::shared_ptr<const T> Get(const std::string& name_space, const std::string& name) {
    const auto got = server.Get(At<T>(name_space, name), {});
    return got.ok() ? got->template As<T>() : nullptr;
  }
  template <class T>
  void Delete(const std::string& name_space, const std::string& name) {
    ASSERT_TRUE(server.Delete(At<T>(name_space, name), {}).ok());
  }
  // Type=status of each, and the messages of those that are true.
  std::vector<std::string> Conditions(const std::string& name) {
    std::vector<std::string> texts;
    for (const auto& each : Get<api::core::v1::Namespace>("", name)->status.conditions) {
      texts.push_back(each.status == "True" ? each.reason + ": " + each.message : each.reason);
    }
    return texts;
  }

  client::VirtualTime time;
  Cluster server{time};
  client::InformerFactory informers{server, {.executor = &time, .clock = &time}};
  std::vector<std::string> errors;
};

}  // namespace podium::controllers
