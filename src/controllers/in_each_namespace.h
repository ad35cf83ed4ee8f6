// A controller of objects that each namespace has one of. Internal to the room.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "api/types/core_v1.h"
#include "client/work_queue.h"
#include "controllers/controller.h"

namespace podium::controllers {

// Calls `ensure` for every namespace that is not on its way out: when it comes, and whenever the
// object called `object_name` of type T in it comes (it may be of old), changes or goes.
template <class T>
class InEachNamespace : public Controller {
 public:
  using Ensure = std::function<Result<void>(const std::string& name_space)>;

  InEachNamespace(const ControllerContext& context, std::string_view name, std::string object_name,
                  Ensure ensure)
      : name_(name),
        namespaces_(context.informers->For<api::core::v1::Namespace>()),
        objects_(context.informers->For<T>()),
        object_name_(std::move(object_name)),
        ensure_(std::move(ensure)),
        queue_({.executor = context.executor,
                .clock = context.clock,
                .reconcile = [this](const std::string& key) { return Sync(key); },
                .on_error =
                    [this, tell = context.on_error](const std::string& key, const Error& error) {
                      if (tell) tell(name_, key, error);
                    }}) {}
  ~InEachNamespace() override {
    if (started_) {
      namespaces_.RemoveHandler(namespace_handler_);
      objects_.RemoveHandler(object_handler_);
    }
    queue_.ShutDown();
  }

  std::string_view name() const override { return name_; }
  void Start() override {
    started_ = true;
    const auto add_namespace = [this](const client::SharedObject& object) {
      queue_.Add(object.meta()->name);
    };
    namespace_handler_ = namespaces_.AddHandler(
        {.on_add = [=](const auto& object, bool) { add_namespace(object); },
         .on_update = [=](const auto&, const auto& object) { add_namespace(object); }});
    const auto add_object = [this](const client::SharedObject& object) {
      if (object.meta()->name == object_name_) queue_.Add(object.meta()->namespace_);
    };
    object_handler_ = objects_.AddHandler(
        {.on_add = [=](const auto& object, bool) { add_object(object); },
         .on_update = [=](const auto&, const auto& object) { add_object(object); },
         .on_delete = [=](const auto& object, bool) { add_object(object); }});
    queue_.Open();
  }

 private:
  Result<client::Reconciled> Sync(const std::string& name_space) {
    const auto found = namespaces_.Get<api::core::v1::Namespace>({"", name_space});
    if (found == nullptr || found->metadata.deletionTimestamp ||
        found->status.phase == "Terminating") {
      return client::Reconciled();
    }
    TRY_VOID(ensure_(name_space));
    return client::Reconciled();
  }

  const std::string_view name_;
  client::Informer& namespaces_;
  client::Informer& objects_;
  const std::string object_name_;
  const Ensure ensure_;
  client::WorkQueue queue_;
  bool started_ = false;
  client::Informer::HandlerId namespace_handler_ = 0;
  client::Informer::HandlerId object_handler_ = 0;
};

}  // namespace podium::controllers
