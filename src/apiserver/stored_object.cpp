#include "apiserver/stored_object.h"

#include <charconv>
#include <utility>

#include "api/object_meta.h"
#include "reflect/json.h"

namespace podium::apiserver {

using api::meta::v1::PartialObjectMetadata;

namespace {

Error Damaged(const store::Entry& entry, std::string_view why) {
  return Error(Code::kDataLoss, "the stored object " + std::string(entry.key()) +
                                    " cannot be read: " + std::string(why));
}

}  // namespace

Result<const StoredObject*> StoredObject::Of(const store::Entry& entry) {
  if (const store::Attachment* known = entry.attachment()) {
    return static_cast<const StoredObject*>(known);
  }
  auto layout = reflect::ReadLayout(entry.value());
  if (!layout.ok()) return Damaged(entry, layout.error().message());
  const auto& attached =
      entry.Attach(std::unique_ptr<const StoredObject>(new StoredObject(entry, *layout)));
  return static_cast<const StoredObject*>(&attached);
}

const api::labels::Set& StoredObject::labels() const {
  std::call_once(labels_once_, [this] {
    // What selects by labels rarely needs anything else.
    PartialObjectMetadata partial;
    const auto problems = reflect::DecodeJson(
        entry_.value(), reflect::TypeOf<PartialObjectMetadata>(), &partial, {.strict = false});
    if (problems.empty()) labels_ = std::move(partial.metadata.labels);
  });
  return labels_;
}

Result<DecodedPtr> StoredObject::Decode(const reflect::Type& type, bool keep) const {
  {
    const std::lock_guard lock(mutex_);
    DecodedPtr shared = kept_ != nullptr ? kept_ : shared_.lock();
    if (shared != nullptr) {
      if (keep) kept_ = shared;
      return shared;
    }
  }
  auto object = std::make_shared<reflect::AnyObject>(type);
  const auto decoded =
      reflect::DecodeJsonInto(entry_.value(), type, object->get(), {.strict = false});
  if (!decoded.ok()) return Damaged(entry_, decoded.error().message());
  if (auto* metadata = api::EnsureObjectMeta(type, object->get())) {
    metadata->resourceVersion = std::to_string(entry_.mod_revision());
  }
  const std::lock_guard lock(mutex_);
  shared_ = object;
  if (keep) kept_ = object;
  return DecodedPtr(std::move(object));
}

std::shared_ptr<const void> StoredObject::Form(uint64_t number) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [known, form] : forms_) {
    if (known == number) return form;
  }
  return nullptr;
}

void StoredObject::KeepForm(uint64_t number, std::shared_ptr<const void> form) const {
  constexpr size_t kMost = 3;
  const std::lock_guard lock(mutex_);
  std::erase_if(forms_, [&](const auto& each) { return each.first == number; });
  if (forms_.size() == kMost) forms_.erase(forms_.begin());
  forms_.emplace_back(number, std::move(form));
}

Result<DecodedPtr> StoredObject::DecodeMetadata() const {
  const reflect::Type& type = reflect::TypeOf<PartialObjectMetadata>();
  auto object = std::make_shared<reflect::AnyObject>(type);
  const auto decoded =
      reflect::DecodeJsonInto(entry_.value(), type, object->get(), {.strict = false});
  if (!decoded.ok()) return Damaged(entry_, decoded.error().message());
  auto& partial = *object->As<PartialObjectMetadata>();
  partial.kind = type.name;
  partial.apiVersion = type.ApiVersion();
  partial.metadata.managedFields = {};
  partial.metadata.resourceVersion = std::to_string(entry_.mod_revision());
  return DecodedPtr(std::move(object));
}

void AppendWithVersion(std::string_view json, const reflect::ObjectLayout& layout,
                       store::Revision version, bool without_kind, std::string* out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, version).ptr;
  const size_t from = without_kind ? layout.members : 1;
  out->push_back('{');
  out->append(json.substr(from, layout.version - from));
  if (layout.comma_before) out->push_back(',');
  out->append("\"resourceVersion\":\"").append(digits, end).push_back('"');
  if (layout.comma_after) out->push_back(',');
  out->append(json.substr(layout.version));
}

}  // namespace podium::apiserver
