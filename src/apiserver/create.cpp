#include <optional>

#include "api/status.h"
#include "apiserver/change.h"
#include "apiserver/managed_fields.h"
#include "apiserver/object_rules.h"
#include "apiserver/request_options.h"
#include "apiserver/storage_keys.h"
#include "base/random_name.h"
#include "reflect/copy.h"

namespace podium::apiserver {
namespace {

using api::meta::v1::CreateOptions;
using api::meta::v1::ObjectMeta;
using reflect::AnyObject;

// A generated name that is taken is tried anew so often, as upstream.
constexpr int kMostNames = 8;

class Creation final : public Change {
 public:
  using Change::Change;

  Result<bool> Prepare() override {
    TRY(options_, ReadCreateOptions(call().query));
    dry_run_ = !options_.dryRun.empty();
    TRY(AnyObject object,
        DecodeObject(call(), resource(), FieldValidationOf(options_.fieldValidation)));
    if (!MetaOf(object).resourceVersion.empty()) {
      return UnknownError("resourceVersion should not be set on objects to be created");
    }
    SetObjectDefaults(&object, now());
    ObjectMeta& metadata = MetaOf(object);
    TRY_VOID(MatchNamespace(resource().namespaced ? call().info.namespace_ : "", &metadata));
    WipeSystemFields(&metadata);
    DropDoubledOwners(call(), &metadata);
    TRY_VOID(TrackFields(resource(), "",
                         ManagerOf(options_.fieldManager, call().Header("User-Agent")), now(),
                         nullptr, &object));
    TRY(object_, ToStored(std::move(object)));
    key_ = KeyOf(resource().prefix, MetaOf(object_).namespace_, MetaOf(object_).name);
    AdmissionRequest request = Admission(Operation::kCreate, MetaOf(object_).name);
    return MayWait() || strategy().begin_create != nullptr || parts().admission->MayBlock(request);
  }

  std::string Key() const override { return key_; }

  // Nothing of what is there counts; the store says when the name is taken.
  Result<NextState> Compute(const store::EntryPtr& current) override {
    if (!admitted_) TRY_VOID(Admit());
    if (current && !needs_name_) return Taken(*current);
    AnyObject object = needs_name_ ? Copied() : std::move(object_);
    ObjectMeta& metadata = MetaOf(object);
    if (needs_name_) {
      if (++names_ > kMostNames) return NameNotFound();
      metadata.name = GeneratedName(metadata.generateName);
      key_ = KeyOf(resource().prefix, metadata.namespace_, metadata.name);
    }
    const std::string name = metadata.name;
    const AdmissionRequest request = RequestFor(name, &object);
    return NewState(name, std::move(object), request);
  }

 private:
  AdmissionRequest RequestFor(std::string_view name, AnyObject* object) const {
    AdmissionRequest request = Admission(Operation::kCreate, name);
    request.type = &object->type();
    request.object = object->get();
    request.options_type = &reflect::TypeOf<CreateOptions>();
    request.options = &options_;
    return request;
  }

  Result<void> Admit() {
    AdmissionRequest request = RequestFor(MetaOf(object_).name, &object_);
    TRY_VOID(Change::Admit(request, &object_));
    admitted_ = true;
    ObjectMeta& metadata = MetaOf(object_);
    DropDoubledOwners(call(), &metadata);
    needs_name_ = metadata.name.empty() && !metadata.generateName.empty();
    if (metadata.name.empty() && !needs_name_ && strategy().names_itself) metadata.name = NewUid();
    key_ = KeyOf(resource().prefix, metadata.namespace_, metadata.name);
    return {};
  }

  AnyObject Copied() const {
    AnyObject copy(object_.type());
    reflect::CopyObject(object_.type(), object_.get(), copy.get());
    return copy;
  }

  Error Taken(const store::Entry& current) const {
    const auto stored = Decoded(current);
    const ObjectMeta* metadata =
        stored.ok() ? api::FindObjectMeta(stored->type(), stored->get()) : nullptr;
    Error taken = api::AlreadyExistsError(group_resource(),
                                          metadata != nullptr ? metadata->name : std::string());
    if (metadata == nullptr || !metadata->deletionTimestamp) return taken;
    api::meta::v1::Status status = api::StatusOf(taken);
    status.message = "object is being deleted: " + status.message;
    return api::StatusError(std::move(status));
  }

  Error NameNotFound() const {
    api::meta::v1::Status status =
        api::StatusOf(api::AlreadyExistsError(group_resource(), MetaName()));
    status.message =
        "the server was not able to generate a unique name for the object: " + status.message;
    return api::StatusError(std::move(status));
  }
  std::string MetaName() const {
    return api::FindObjectMeta(object_.type(), object_.get())->generateName;
  }

  CreateOptions options_;
  AnyObject object_;  // of the stored type; when a name is to be made, kept for another one
  std::string key_;
  bool admitted_ = false;
  bool needs_name_ = false;
  int names_ = 0;
};

}  // namespace

void Writer::Create(CallPtr call, const ServedResource& resource, WriteDone done) {
  Start(std::make_shared<Creation>(*this, std::move(call), resource, std::move(done)));
}

}  // namespace podium::apiserver
