#include "apiserver/objects.h"

#include "api/scheme.h"
#include "apiserver/storage_keys.h"

namespace podium::apiserver {
namespace {

Result<std::string> StoredPrefix(const reflect::Type& type) {
  std::string prefix = Objects::PrefixOf(type);
  if (!prefix.empty()) return prefix;
  return Error(Code::kInternal, "objects of " + std::string(type.name) + " are not stored");
}

Result<DecodedPtr> DecodeEntry(const store::Entry& entry, const reflect::Type& type, bool keep) {
  TRY(const StoredObject* stored, StoredObject::Of(entry));
  return stored->Decode(type, keep);
}

}  // namespace

std::string Objects::PrefixOf(const reflect::Type& type) {
  const api::Resource* resource =
      api::FindResourceByKind(type.package->group, type.package->version, type.name);
  if (resource == nullptr || resource->stored_version != resource->version) return "";
  return KeyPrefix(*resource);
}

Result<DecodedPtr> Objects::GetDecoded(const reflect::Type& type, std::string_view name_space,
                                       std::string_view name, bool keep) const {
  TRY(const std::string prefix, StoredPrefix(type));
  TRY(const store::EntryPtr entry, store_.Get(KeyOf(prefix, name_space, name)));
  if (!entry) return DecodedPtr();
  return DecodeEntry(*entry, type, keep);
}

Result<std::vector<DecodedPtr>> Objects::ListDecoded(const reflect::Type& type,
                                                     std::string_view name_space, bool keep) const {
  TRY(const std::string prefix, StoredPrefix(type));
  TRY(const store::RangeResult range,
      store_.Range({.keys = store::KeyRange::Prefix(KeyOf(prefix, name_space, ""))}));
  std::vector<DecodedPtr> objects;
  objects.reserve(range.entries.size());
  for (const store::EntryPtr& entry : range.entries) {
    TRY(DecodedPtr object, DecodeEntry(*entry, type, keep));
    objects.push_back(std::move(object));
  }
  return objects;
}

}  // namespace podium::apiserver
