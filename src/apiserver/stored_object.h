// What the server knows of an entry of the store beyond its bytes. It hangs on the entry
// (store::Entry::Attach), so that it is found out once for all readers, and goes with it.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/labels.h"
#include "base/result.h"
#include "reflect/object.h"
#include "reflect/type.h"
#include "store/entry.h"

namespace podium::apiserver {

using DecodedPtr = std::shared_ptr<const reflect::AnyObject>;

class StoredObject final : public store::Attachment {
 public:
  // Of this entry, which has a value and lives as long as the answer is used. kDataLoss when the
  // value is no object.
  static Result<const StoredObject*> Of(const store::Entry& entry);

  const reflect::ObjectLayout& layout() const { return layout_; }
  // Of the metadata.
  const api::labels::Set& labels() const;

  // The decoded form, in the version that is stored, with its resourceVersion. It is made by who
  // asks first, and shared by all who ask while somebody holds it, or for good if somebody wants it
  // kept: of objects that are asked for at every request. kDataLoss when the value does not fit the
  // type.
  Result<DecodedPtr> Decode(const reflect::Type& type, bool keep) const;

  // What a version of a custom resource shows it as (custom_resources/custom_objects.h), under the
  // version's number; null when it was not kept. Of the last few versions that were asked for.
  std::shared_ptr<const void> Form(uint64_t number) const;
  void KeepForm(uint64_t number, std::shared_ptr<const void> form) const;

  // The metadata alone, as a PartialObjectMetadata with its resourceVersion and without
  // managedFields: for who follows everything and keeps it. Not shared. kDataLoss.
  Result<DecodedPtr> DecodeMetadata() const;

  // Whether a field that selectors ask for has this value. `read` gives its text when it is asked
  // for the first time; then it is kept under this number.
  template <class Read>
  Result<bool> FieldIs(size_t number, std::string_view value, const Read& read) const {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [known, text] : fields_) {
        if (known == number) return text == value;
      }
    }
    TRY(std::string text, read());
    const bool is = text == value;
    const std::lock_guard lock(mutex_);
    fields_.emplace_back(number, std::move(text));
    return is;
  }

 private:
  explicit StoredObject(const store::Entry& entry, reflect::ObjectLayout layout)
      : entry_(entry), layout_(layout) {}

  const store::Entry& entry_;
  const reflect::ObjectLayout layout_;
  mutable std::once_flag labels_once_;
  mutable api::labels::Set labels_;
  mutable std::mutex mutex_;
  mutable std::weak_ptr<const reflect::AnyObject> shared_;
  mutable DecodedPtr kept_;
  mutable std::vector<std::pair<size_t, std::string>> fields_;
  mutable std::vector<std::pair<uint64_t, std::shared_ptr<const void>>> forms_;
};

// Appends the object's text with its resourceVersion put in; as an element of a typed list it has
// neither kind nor apiVersion.
void AppendWithVersion(std::string_view json, const reflect::ObjectLayout& layout,
                       store::Revision version, bool without_kind, std::string* out);

}  // namespace podium::apiserver
