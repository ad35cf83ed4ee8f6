// The writing half over a store in memory: calls as the server makes them of requests, and what
// they are answered.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/status.h"
#include "apiserver/admission/chain.h"
#include "apiserver/dispatch.h"
#include "apiserver/encode.h"
#include "apiserver/questions.h"
#include "apiserver/read_support.h"
#include "apiserver/test_store.h"
#include "apiserver/write.h"
#include "apiserver/write_answer.h"
#include "base/clock.h"
#include "base/text.h"
#include "reflect/json.h"
#include "reflect/json_value.h"

namespace podium::apiserver {

// Sees every write, and may do something while it is under way: what somebody else does meanwhile.
class WatchingPlugin final : public AdmissionPlugin {
 public:
  struct State {
    std::mutex mutex;
    std::vector<std::string> seen;  // "admit CREATE configmaps/a", under mutex
    // At Validate, without the mutex. Set before there are writes.
    std::function<Result<void>(const AdmissionRequest& request)> meanwhile;
  };
  explicit WatchingPlugin(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::string_view name() const override { return "Watching"; }
  bool Handles(Operation) const override { return true; }
  Result<void> Admit(AdmissionRequest& request) override {
    Note("admit", request);
    return {};
  }
  Result<void> Validate(const AdmissionRequest& request) override {
    Note("validate", request);
    return state_->meanwhile ? state_->meanwhile(request) : Result<void>();
  }

 private:
  void Note(std::string_view step, const AdmissionRequest& request) {
    static constexpr std::string_view kNames[] = {"CREATE", "UPDATE", "DELETE", "CONNECT"};
    const std::lock_guard lock(state_->mutex);
    state_->seen.push_back(std::string(step) + " " +
                           std::string(kNames[static_cast<size_t>(request.operation)]) + " " +
                           std::string(request.resource) + "/" + std::string(request.name) +
                           (request.dry_run ? " dry" : ""));
  }
  const std::shared_ptr<State> state_;
};

class AllowAll final : public Authorizer {
 public:
  Authorization Authorize(const AuthorizationQuestion&) const override {
    return {.decision = Decision::kAllow};
  }
};

// What a write was answered.
struct Replied {
  int status = 0;
  reflect::JsonValue body{};
  std::vector<std::string> warnings{};

  // The value at a path like "metadata.finalizers.0"; null where there is none.
  const reflect::JsonValue* Find(std::string_view path) const {
    const reflect::JsonValue* value = &body;
    while (value != nullptr && !path.empty()) {
      const std::string step(path.substr(0, path.find('.')));
      path.remove_prefix(std::min(path.size(), step.size() + 1));
      if (value->is_array()) {
        const size_t index = std::stoul(step);
        value = index < value->array().size() ? &value->array()[index] : nullptr;
      } else {
        value = value->is_object() ? value->Find(step) : nullptr;
      }
    }
    return value;
  }
  // Its text, of a string without quotes; "" where there is none.
  std::string At(std::string_view path) const {
    const reflect::JsonValue* value = Find(path);
    if (value == nullptr) return "";
    return value->is_string() ? value->string() : reflect::ToText(*value);
  }
  std::string message() const { return At("message"); }
  std::string reason() const { return At("reason"); }
};

struct WriteRig {
  TestStore store;
  SystemClock clock;
  std::shared_ptr<WatchingPlugin::State> plugin = std::make_shared<WatchingPlugin::State>();
  AdmissionChain admission{Plugins()};
  LiveCatalog catalog;
  AllowAll authorizer;
  const EscalationCheck* escalation = nullptr;
  Definitions* definitions = nullptr;
  User user{.name = "jane", .groups = {"system:authenticated"}};
  std::unique_ptr<Writer> writer = std::make_unique<Writer>(WriterParts());
  Questions questions{{.authorizer = &authorizer, .admission = &admission, .clock = &clock}};

  AdmissionPlugins Plugins() const {
    AdmissionPlugins plugins;
    plugins.push_back(std::make_unique<WatchingPlugin>(plugin));
    return plugins;
  }
  Writer::Parts WriterParts() {
    return {.store = &store.memory,
            .objects = &store.objects,
            .admission = &admission,
            .clock = &clock,
            .executor = &store.executor,
            .catalog = &catalog,
            .escalation = escalation};
  }
  Dispatcher::Parts DispatcherParts() {
    return {.store = &store.memory,
            .authorizer = &authorizer,
            .questions = &questions,
            .catalog = &catalog,
            .writer = writer.get(),
            .clock = &clock,
            .executor = &store.executor,
            .definitions = definitions};
  }

  // One request, until it is answered.
  Replied Send(const std::string& method, const std::string& target, std::string body = "",
               std::string content_type = "application/json", const std::string& agent = "test/1") {
    auto held = std::make_shared<std::string>(std::move(body));
    const CallPtr call =
        MakeCall(target, {{"Content-Type", content_type}, {"User-Agent", agent}}, method);
    call->keeps_alive =
        std::make_shared<std::pair<std::shared_ptr<const void>, std::shared_ptr<std::string>>>(
            call->keeps_alive, held);
    call->body = *held;
    call->user = std::make_shared<const User>(user);
    const CatalogPtr now = catalog.Now();
    call->catalog = now;
    const auto resource = Dispatcher::Find(*call, *now);
    if (!resource.ok()) return ReplyOf(*call, AnswerWithError(*call, resource.error()));
    const Dispatcher dispatcher(DispatcherParts());
    auto promise = std::make_shared<std::promise<Result<WriteOutcome>>>();
    auto future = promise->get_future();
    dispatcher.Write(call, **resource, [promise](Result<WriteOutcome> outcome) {
      promise->set_value(std::move(outcome));
    });
    if (future.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
      ADD_FAILURE() << method << " " << target << " is not answered";
      return {};
    }
    const Result<WriteOutcome> outcome = future.get();
    return ReplyOf(*call, outcome.ok() ? AnswerWithOutcome(*call, **resource, *outcome)
                                       : AnswerWithError(*call, outcome.error()));
  }
  static Replied ReplyOf(const Call& call, Answer answer) {
    Replied replied{.status = answer.status, .body = {}, .warnings = call.warnings};
    auto parsed = reflect::ParseJson(BodyOf(answer));
    EXPECT_TRUE(parsed.ok());
    if (parsed.ok()) replied.body = *std::move(parsed);
    return replied;
  }

  Replied Post(const std::string& target, std::string body) {
    return Send("POST", target, std::move(body));
  }
  Replied Put(const std::string& target, std::string body) {
    return Send("PUT", target, std::move(body));
  }
  Replied Merge(const std::string& target, std::string body) {
    return Send("PATCH", target, std::move(body), "application/merge-patch+json");
  }
  Replied Apply(const std::string& target, std::string body) {
    return Send("PATCH", target, std::move(body), "application/apply-patch+yaml");
  }
  Replied Delete(const std::string& target, std::string body = "") {
    return Send("DELETE", target, std::move(body));
  }

  // The stored value, as JSON; "" when there is none.
  std::string Stored(const std::string& key) {
    const auto entry = store.memory.Get(key);
    EXPECT_TRUE(entry.ok());
    return entry.ok() && *entry ? std::string((*entry)->value()) : "";
  }
};

inline const std::string kMaps = "/api/v1/namespaces/a/configmaps";
inline const std::string kPods = "/api/v1/namespaces/a/pods";
inline const std::string kDeployments = "/apis/apps/v1/namespaces/a/deployments";

// `more`: members of metadata, each with a comma before it.
inline std::string MapText(const std::string& name, const std::string& value = "v",
                           const std::string& more = "") {
  return R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":")" + name + "\"" + more +
         R"(},"data":{"k":")" + value + R"("}})";
}
inline std::string PodText(const std::string& name, const std::string& more = "",
                           const std::string& spec = "") {
  return R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":")" + name + "\"" + more +
         R"(},"spec":{)" + spec + R"("containers":[{"name":"c","image":"i"}]}})";
}
inline std::string DeploymentText(const std::string& name, int replicas) {
  return R"({"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":")" + name +
         R"("},"spec":{"replicas":)" + std::to_string(replicas) +
         R"(,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},)"
         R"("spec":{"containers":[{"name":"c","image":"i"}]}}}})";
}

}  // namespace podium::apiserver
