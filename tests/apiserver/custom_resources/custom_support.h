// Definitions and what they define, over a store in memory.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "apiserver/custom_resources/definitions.h"
#include "apiserver/read.h"
#include "apiserver/write_support.h"

namespace podium::apiserver {

inline const std::string kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
inline const std::string kTabs = "/apis/stable.example.com/v1/namespaces/a/crontabs";

// A schema of spec with everything that a schema may say.
inline const std::string kTabSchema = R"({"type":"object","properties":{
  "spec":{"type":"object","required":["cronSpec"],"properties":{
    "cronSpec":{"type":"string","pattern":"^[0-9*/ ]+$"},
    "image":{"type":"string","default":"nginx"},
    "replicas":{"type":"integer","minimum":1,"maximum":10},
    "port":{"x-kubernetes-int-or-string":true},
    "any":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
    "template":{"type":"object","x-kubernetes-embedded-resource":true,
                "x-kubernetes-preserve-unknown-fields":true},
    "nothing":{"type":"string","nullable":true},
    "hosts":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}},
    "ports":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],
             "items":{"type":"object","required":["name"],"properties":{
               "name":{"type":"string"},"number":{"type":"integer","default":80}}}}}},
  "status":{"type":"object","properties":{"replicas":{"type":"integer"},
            "selector":{"type":"string"},"note":{"type":"string"}}}}})";

// `version`: more members of the one version v1, each with a comma before it.
inline std::string TabDefinition(const std::string& version = "", const std::string& names = "",
                                 const std::string& spec = "") {
  return R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",)"
         R"("metadata":{"name":"crontabs.stable.example.com"},"spec":{"group":"stable.example.com",)"
         R"("scope":"Namespaced","names":{"plural":"crontabs","kind":"CronTab")" +
         names + R"(},"versions":[{"name":"v1","served":true,"storage":true,)" +
         R"("schema":{"openAPIV3Schema":)" + kTabSchema + "}" + version + "}]" + spec + "}}";
}
inline const std::string kParts =
    R"(,"subresources":{"status":{},"scale":{"specReplicasPath":".spec.replicas",)"
    R"("statusReplicasPath":".status.replicas","labelSelectorPath":".status.selector"}})";

inline std::string TabText(const std::string& name, const std::string& spec = "",
                           const std::string& more = "") {
  return R"({"apiVersion":"stable.example.com/v1","kind":"CronTab","metadata":{"name":")" + name +
         R"("},"spec":{"cronSpec":"* *")" + spec + "}" + more + "}";
}

struct CustomRig : WriteRig {
  explicit CustomRig(const ConversionWebhooks* webhooks = nullptr) : webhooks_(webhooks) {
    Restart();
  }
  ~CustomRig() { followed->Stop(); }

  // Everything that is not stored is forgotten.
  void Restart() {
    if (followed != nullptr) followed->Stop();
    catalog.Replace(Catalog::Make({}));
    followed = std::make_unique<Definitions>(Definitions::Parts{.store = &store.memory,
                                                                .clock = &clock,
                                                                .executor = &store.executor,
                                                                .catalog = &catalog,
                                                                .webhooks = webhooks_});
    definitions = followed.get();
    EXPECT_TRUE(followed->Start().ok());
  }

  Replied Define(const std::string& definition) {
    Replied made = Post(kDefinitions, definition);
    EXPECT_EQ(made.status, 201) << made.message();
    return made;
  }

  Replied Get(const std::string& target, const std::string& accept = "application/json") {
    const CallPtr call = AcceptCall(target, accept);
    const CatalogPtr now = catalog.Now();
    const auto resource = Dispatcher::Find(*call, *now);
    if (!resource.ok()) return ReplyOf(*call, AnswerWithError(*call, resource.error()));
    if (call->info.subresource == "scale") {
      const auto entry =
          ReadEntry(store.memory, **resource, call->info.namespace_, call->info.name, "");
      return ReplyOf(*call, entry.ok() ? AnswerWithScale(*call, **resource, **entry, 200)
                                       : AnswerWithError(*call, entry.error()));
    }
    return ReplyOf(*call, call->info.verb == "get"
                              ? AnswerGet(call, store.memory, **resource)
                              : AnswerList(call, store.memory, **resource, now));
  }

  // Until the path answers with this status; the last answer.
  Replied WaitFor(const std::string& target, int status) {
    Replied answer;
    for (int i = 0; i < 500; ++i) {
      answer = Get(target);
      if (answer.status == status) return answer;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << target << " answers " << answer.status;
    return answer;
  }

  std::unique_ptr<Definitions> followed;

 private:
  const ConversionWebhooks* webhooks_;
};

// The condition of this type: "True Reason message"; "" when there is none.
inline std::string ConditionIn(const Replied& definition, const std::string& type) {
  const auto* conditions = definition.Find("status.conditions");
  if (conditions == nullptr || !conditions->is_array()) return "";
  for (const auto& each : conditions->array()) {
    if (each.Find("type")->string() != type) continue;
    return each.Find("status")->string() + " " + each.Find("reason")->string() + " " +
           each.Find("message")->string();
  }
  return "";
}

}  // namespace podium::apiserver
