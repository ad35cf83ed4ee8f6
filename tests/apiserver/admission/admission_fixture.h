// What tests of plugins share: a store, an authorizer that is told what to allow, and requests made
// of objects written as JSON.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "api/scheme.h"
#include "api/status.h"
#include "apiserver/admission/admission.h"
#include "apiserver/test_store.h"
#include "reflect/json.h"

namespace podium::apiserver {

class FakeAuthorizer final : public Authorizer {
 public:
  // "verb group/resource name"
  std::set<std::string> allowed;

  Authorization Authorize(const AuthorizationQuestion& question) const override {
    std::string asked(question.verb);
    asked += " " + std::string(question.group) + "/" + std::string(question.resource);
    asked += " " + std::string(question.name);
    return {allowed.contains(asked) ? Decision::kAllow : Decision::kNoOpinion};
  }
};

class FakeClock final : public Clock {
 public:
  int64_t Now() const override { return 0; }
  bool Sleep(std::chrono::nanoseconds time, int) const override {
    slept += time;
    if (while_sleeping) while_sleeping();
    return true;
  }

  mutable std::chrono::nanoseconds slept{0};
  std::function<void()> while_sleeping;
};

template <class T>
T Parse(const std::string& json) {
  auto object = reflect::FromJson<T>(json);
  EXPECT_TRUE(object.ok()) << (object.ok() ? "" : object.error().message()) << "\n" << json;
  return object.ok() ? *std::move(object) : T();
}

template <class T>
std::string Text(const T& object) {
  const auto json = reflect::ToJson(object);
  return json.ok() ? *json : json.error().message();
}

// An object and the request that writes it. It is not moved.
template <class T>
struct Writing {
  T object;
  T old;
  User user{.name = "alice", .groups = {std::string(kAuthenticatedGroup)}};
  std::vector<std::string> warnings;
  std::vector<std::string> annotations;
  AdmissionRequest request;

  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

  explicit Writing(const std::string& json, std::string_view subresource = "")
      : object(Parse<T>(json)) {
    Fill(Operation::kCreate, subresource);
    request.object = &object;
  }
  Writing(const std::string& old_json, const std::string& json, std::string_view subresource)
      : object(Parse<T>(json)), old(Parse<T>(old_json)) {
    Fill(Operation::kUpdate, subresource);
    request.object = &object;
    request.old_object = &old;
    request.old_type = request.type;
  }
  void BecomeDeletion() {
    request.operation = Operation::kDelete;
    old = object;
    request.object = nullptr;
    request.old_object = &old;
    request.old_type = request.type;
  }

 private:
  void Fill(Operation operation, std::string_view subresource) {
    const reflect::Type& type = reflect::TypeOf<T>();
    request.operation = operation;
    request.builtin =
        api::FindResourceByKind(type.package->group, type.package->version, type.name);
    request.group = type.package->group;
    request.version = type.package->version;
    request.kind_group = request.group;
    request.kind_version = request.version;
    request.kind = type.name;
    if (request.builtin != nullptr) request.resource = request.builtin->plural;
    request.subresource = subresource;
    request.namespace_ = object.metadata.namespace_;
    request.name = object.metadata.name;
    request.type = &type;
    request.user = &user;
    request.warn = [this](std::string warning) { warnings.push_back(std::move(warning)); };
    request.annotate = [this](const std::string& key, const std::string& value) {
      annotations.push_back(key + "=" + value);
    };
  }
};

class AdmissionTest : public ::testing::Test {
 protected:
  TestStore store_;
  FakeAuthorizer authorizer_;
  FakeClock clock_;
  AdmissionDependencies dependencies_{store_.objects, authorizer_, clock_, [] { return 7; }};

  template <class T>
  void Put(const std::string& json) {
    store_.Put(Parse<T>(json));
  }
  // "" when it was let through, otherwise the message.
  static std::string Admit(AdmissionPlugin& plugin, AdmissionRequest& request) {
    if (!plugin.Handles(request.operation)) return "";
    const auto result = plugin.Admit(request);
    return result.ok() ? "" : result.error().message();
  }
  static std::string Admit(AdmissionPlugin& plugin, AdmissionRequest&& request) {
    return Admit(plugin, request);
  }
  static std::string Validate(AdmissionPlugin& plugin, const AdmissionRequest& request) {
    if (!plugin.Handles(request.operation)) return "";
    const auto result = plugin.Validate(request);
    return result.ok() ? "" : result.error().message();
  }
};

}  // namespace podium::apiserver
