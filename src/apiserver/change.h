// Change: one write in the making; what creations, updates, patches and deletions share. Internal
// to the writing half (write.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/object_meta.h"
#include "api/time.h"
#include "apiserver/write.h"
#include "reflect/type.h"

namespace podium::apiserver {

// What an attempt comes to.
struct NextState {
  enum class Kind {
    kStore,   // `object` replaces what is there
    kDelete,  // what is there goes
    kStay,    // nothing is to be changed: the answer is what is there
  };
  Kind kind = Kind::kStay;
  reflect::AnyObject object{};  // of the stored type
  std::unique_ptr<Allocation> allocation{};
  int status = 200;
  // kStore: nothing may be there under the key.
  bool is_new = false;
  // kStore: another change follows at once: the object has no reason to stay any longer.
  bool then_delete = false;
};

class Change : public std::enable_shared_from_this<Change> {
 public:
  Change(const Writer& writer, CallPtr call, const ServedResource& resource, WriteDone done);
  virtual ~Change() = default;
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

  // Reads options and body, and says whether what follows may wait for somebody. Called once.
  virtual Result<bool> Prepare() = 0;
  // The key that is read and written. After Prepare; may change from one attempt to the next.
  virtual std::string Key() const = 0;
  // Pure but for what admission and strategies ask the store. `current` is null when there is no
  // such object.
  virtual Result<NextState> Compute(const store::EntryPtr& current) = 0;
  // A creation that found the key taken. True: compute again.
  virtual bool Collided() { return false; }
  // Of two changes the first one is stored (NextState::then_delete): the next attempt is about the
  // second.
  virtual void FirstStored() {}

  // From the first attempt on.
  void Run();
  void Fail(Error error) { Finish(std::move(error)); }

 protected:
  const Writer::Parts& parts() const { return parts_; }
  Call& call() { return *call_; }
  const ServedResource& resource() const { return resource_; }
  // Of what is written: the object, or a part of it through a subresource.
  const Strategy& strategy() const { return strategy_; }
  // Of the object as a whole, whatever part of it is written.
  const Strategy& object_strategy() const { return StrategyOf(resource_, ""); }
  // Whether reading or storing the object may wait for a webhook that converts it.
  bool MayWait() const;
  api::GroupResource group_resource() const { return resource_.group_resource(); }
  // Cut to seconds, the same for all attempts.
  api::Time now() const { return now_; }
  StrategyContext Context(std::string_view name);
  AdmissionRequest Admission(Operation operation, std::string_view name) const;

  // The state of a new object behind admission: uid and time, what is taken from elsewhere, checks.
  // `request` is for its validation, and has the object.
  Result<NextState> NewState(std::string_view name, reflect::AnyObject object,
                             const AdmissionRequest& request);

  // By the chain's plugins. `object` is the request's; what webhooks made of a custom resource is
  // pruned and gets its defaults again, and then it is another one: the request is of no use more.
  Result<void> Admit(AdmissionRequest& request, reflect::AnyObject* object);

  // What the kind has to say to the client; `old` is null for a new object.
  void WarnOf(const reflect::AnyObject& object, const reflect::AnyObject* old);

  // A decoded copy of what is stored, with its resourceVersion.
  Result<reflect::AnyObject> Decoded(const store::Entry& entry) const;
  // From the request's version to the stored one, and back.
  Result<reflect::AnyObject> ToStored(reflect::AnyObject object) const;
  Result<reflect::AnyObject> FromStored(const reflect::AnyObject& object) const;
  api::meta::v1::ObjectMeta& MetaOf(reflect::AnyObject& object) const {
    return *api::EnsureObjectMeta(object.type(), object.get());
  }

  // 403 when a role or binding gives what its writer does not have. `old` is null for a creation.
  Result<void> CheckEscalation(std::string_view name, const reflect::AnyObject& object,
                               const reflect::AnyObject* old);

  bool dry_run_ = false;

 private:
  static const Strategy& StrategyOf(const ServedResource& resource, std::string_view part);
  // What is stored of it.
  Result<std::string> TextOf(reflect::AnyObject& object) const;

  void Attempt();
  void Store(const store::EntryPtr& current, NextState next);
  void OnStored(Result<store::Written> written, const std::shared_ptr<NextState>& next);
  void TryAgain();
  void FinishDry(const store::EntryPtr& current, NextState next);
  void Finish(Result<WriteOutcome> outcome);

  const Gate::Pass pass_;  // the writer waits for it
  const Writer::Parts& parts_;
  const CallPtr call_;
  const ServedResource& resource_;  // kept by the call
  const Strategy& strategy_;
  WriteDone done_;
  const api::Time now_;
  int attempts_ = 0;
};

// Owner references that name the same object several times are cut to one, with upstream's warning.
void DropDoubledOwners(Call& call, api::meta::v1::ObjectMeta* metadata);
// The namespace of the request into an object that does not say it; 400 when it says another.
Result<void> MatchNamespace(std::string_view name_space, api::meta::v1::ObjectMeta* metadata);
// 500 without a reason, as upstream answers what it has no word for.
Error UnknownError(std::string message);

}  // namespace podium::apiserver
