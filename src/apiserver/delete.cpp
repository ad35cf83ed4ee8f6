#include <algorithm>
#include <optional>
#include <utility>

#include "api/grace_period.h"
#include "api/status.h"
#include "api/types/meta_v1.h"
#include "apiserver/body.h"
#include "apiserver/change.h"
#include "apiserver/object_rules.h"
#include "apiserver/request_options.h"
#include "apiserver/storage_keys.h"
#include "reflect/copy.h"

namespace podium::apiserver {
namespace {

using api::meta::v1::DeleteOptions;
using api::meta::v1::ObjectMeta;
using reflect::AnyObject;

constexpr std::string_view kOrphan = "orphan";
constexpr std::string_view kForeground = "foregroundDeletion";

// The propagation that options, finalizers or the kind ask for; nothing for the background.
std::optional<std::string_view> PropagationFinalizer(const DeleteOptions& options,
                                                     const ObjectMeta& metadata,
                                                     const Strategy& strategy) {
  if (options.orphanDependents) {
    return *options.orphanDependents ? std::optional(kOrphan) : std::nullopt;
  }
  if (options.propagationPolicy) {
    if (*options.propagationPolicy == "Orphan") return kOrphan;
    if (*options.propagationPolicy == "Foreground") return kForeground;
    return std::nullopt;
  }
  for (const std::string_view finalizer : {kOrphan, kForeground}) {
    if (std::ranges::find(metadata.finalizers, finalizer) != metadata.finalizers.end()) {
      return finalizer;
    }
  }
  return strategy.orphans_by_default ? std::optional(kOrphan) : std::nullopt;
}

void SetPropagation(const DeleteOptions& options, const Strategy& strategy, ObjectMeta* metadata) {
  const auto wanted = PropagationFinalizer(options, *metadata, strategy);
  auto& finalizers = metadata->finalizers;
  const auto is_there = [&](std::string_view name) {
    return std::ranges::find(finalizers, name) != finalizers.end();
  };
  if (is_there(kOrphan) == (wanted == kOrphan) &&
      is_there(kForeground) == (wanted == kForeground)) {
    return;
  }
  std::erase_if(finalizers,
                [](const std::string& name) { return name == kOrphan || name == kForeground; });
  if (wanted) finalizers.emplace_back(*wanted);
}

// A deletion, the first one or one of what is being deleted already.
class Deletion final : public Change {
 public:
  using Change::Change;

  Result<bool> Prepare() override {
    TRY_VOID(ReadOptions());
    TRY_VOID(CheckDeleteOptions(options_));
    dry_run_ = !options_.dryRun.empty();
    key_ = KeyOf(resource().prefix, resource().namespaced ? call().info.namespace_ : "",
                 call().info.name);
    return MayWait() ||
           parts().admission->MayBlock(Admission(Operation::kDelete, call().info.name));
  }

  std::string Key() const override { return key_; }
  void FirstStored() override { marked_ = true; }

  Result<NextState> Compute(const store::EntryPtr& current) override {
    if (!current) {
      if (marked_) return Gone();
      return api::NotFoundError(group_resource(), call().info.name);
    }
    TRY(AnyObject object, Decoded(*current));
    if (marked_) return Final(object);
    uid_ = MetaOf(object).uid;
    TRY_VOID(CheckPreconditions(MetaOf(object)));
    TRY_VOID(Admit(object));
    return Marked(std::move(object));
  }

 private:
  Result<void> ReadOptions() {
    if (call().decoded_body.object == nullptr && call().body.empty()) {
      TRY(options_, OptionsOfQuery<DeleteOptions>(call().query));
      return {};
    }
    if (const void* decoded = call().decoded_body.object) {
      if (call().decoded_body.type != &reflect::TypeOf<DeleteOptions>()) {
        return Error(Code::kInternal, "a deletion has a body that is no DeleteOptions");
      }
      reflect::CopyObject(reflect::TypeOf<DeleteOptions>(), decoded, &options_);
      return {};
    }
    // Of any group that is served: their types are one.
    TRY(const AnyObject body, DecodeOptions());
    reflect::CopyObject(reflect::TypeOf<DeleteOptions>(), body.get(), &options_);
    return {};
  }

  Result<AnyObject> DecodeOptions();

  Result<void> CheckPreconditions(const ObjectMeta& metadata) const {
    if (!options_.preconditions) return {};
    const auto& wanted = *options_.preconditions;
    // As upstream: the kind stands where other conflicts have the resource.
    const api::GroupResource kind{resource().group, resource().kind};
    if (wanted.uid && *wanted.uid != metadata.uid) {
      return api::DeletePreconditionError(kind, metadata.name, "UID", *wanted.uid, metadata.uid);
    }
    if (wanted.resourceVersion && *wanted.resourceVersion != metadata.resourceVersion) {
      return api::DeletePreconditionError(kind, metadata.name, "ResourceVersion",
                                          *wanted.resourceVersion, metadata.resourceVersion);
    }
    return {};
  }

  Result<void> Admit(const AnyObject& object) {
    AdmissionRequest request = Admission(Operation::kDelete, call().info.name);
    request.old_type = &object.type();
    request.old_object = object.get();
    request.options_type = &reflect::TypeOf<DeleteOptions>();
    request.options = &options_;
    TRY_VOID(parts().admission->Admit(request));
    return parts().admission->Validate(request);
  }

  bool IsHeld(const AnyObject& object) const {
    const ObjectMeta& metadata = *api::FindObjectMeta(object.type(), object.get());
    return !metadata.finalizers.empty() ||
           (strategy().held != nullptr && strategy().held(object.get()));
  }

  void MarkDeleting(AnyObject* object, int64_t seconds) {
    ObjectMeta& metadata = MetaOf(*object);
    if (!metadata.deletionTimestamp && metadata.generation > 0) ++metadata.generation;
    metadata.deletionTimestamp =
        api::Time::FromUnix(now().unix_seconds() + api::BoundedGracePeriod(seconds));
    metadata.deletionGracePeriodSeconds = seconds;
    if (strategy().mark_deleting != nullptr) strategy().mark_deleting(object->get());
  }

  // What the object becomes by this request.
  Result<NextState> Marked(AnyObject object) {
    ObjectMeta& metadata = MetaOf(object);
    NextState next;
    GracefulDeletion graceful;
    if (strategy().graceful_deletion != nullptr) {
      if (metadata.deletionTimestamp && metadata.deletionGracePeriodSeconds) {
        return Shortened(std::move(object));
      }
      graceful = strategy().graceful_deletion(object.get(), options_);
    }
    SetPropagation(options_, strategy(), &metadata);
    const bool held = IsHeld(object);
    if (!graceful.graceful && !held) {
      next.kind = NextState::Kind::kDelete;
      return next;
    }
    if (graceful.graceful) {
      MarkDeleting(&object, graceful.seconds);
    } else if (!metadata.deletionTimestamp) {
      MarkDeleting(&object, 0);
    }
    next.kind = NextState::Kind::kStore;
    next.then_delete = !held && graceful.seconds == 0;
    next.object = std::move(object);
    return next;
  }

  // A deletion that has begun can only be made shorter.
  Result<NextState> Shortened(AnyObject object) {
    ObjectMeta& metadata = MetaOf(object);
    const int64_t was = *metadata.deletionGracePeriodSeconds;
    NextState next;
    if (!options_.gracePeriodSeconds || *options_.gracePeriodSeconds >= was) {
      // Nobody is there to wait for any more.
      if (was == 0 && !IsHeld(object)) next.kind = NextState::Kind::kDelete;
      return next;
    }
    const int64_t seconds = std::max<int64_t>(*options_.gracePeriodSeconds, 0);
    metadata.deletionTimestamp =
        api::Time::FromUnix(metadata.deletionTimestamp->unix_seconds() -
                            api::BoundedGracePeriod(was) + api::BoundedGracePeriod(seconds));
    metadata.deletionGracePeriodSeconds = seconds;
    SetPropagation(options_, strategy(), &metadata);
    next.kind = NextState::Kind::kStore;
    next.then_delete = seconds == 0 && !IsHeld(object);
    next.object = std::move(object);
    return next;
  }

  // After the mark: the object goes, unless somebody has given it a reason to stay, or it is
  // another one that came in its place.
  Result<NextState> Final(const AnyObject& object) {
    if (api::FindObjectMeta(object.type(), object.get())->uid != uid_) return Gone();
    NextState next;
    if (IsReadyToGo(strategy(), object)) next.kind = NextState::Kind::kDelete;
    return next;
  }
  // Somebody else was faster.
  Result<NextState> Gone() { return NextState(); }

  DeleteOptions options_;
  std::string key_;
  std::string uid_;      // of what this attempt is about
  bool marked_ = false;  // that it may go now is stored
};

Result<AnyObject> Deletion::DecodeOptions() {
  ExpectedBody expected{.type = &reflect::TypeOf<DeleteOptions>(),
                        .group = "",
                        .version = "v1",
                        .kind = "DeleteOptions"};
  return DecodeBodyOfAnyGroup(call(), expected);
}

}  // namespace

void Writer::Delete(CallPtr call, const ServedResource& resource, WriteDone done) {
  Start(std::make_shared<Deletion>(*this, std::move(call), resource, std::move(done)));
}

}  // namespace podium::apiserver
