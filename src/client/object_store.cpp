#include "client/object_store.h"

namespace podium::client {

void ObjectStore::Index::Add(const std::string& key, const SharedObject& object) {
  for (const std::string& value : values(object)) keys[value].insert(key);
}

void ObjectStore::Index::Remove(const std::string& key, const SharedObject& object) {
  for (const std::string& value : values(object)) {
    const auto found = keys.find(value);
    if (found == keys.end()) continue;
    found->second.erase(key);
    if (found->second.empty()) keys.erase(found);
  }
}

void ObjectStore::AddIndex(const std::string& name, IndexFunction index) {
  Index& added = indexes_[name];
  added = {.values = std::move(index), .keys = {}};
  for (const auto& [key, object] : objects_) added.Add(key, object);
}

SharedObject ObjectStore::Get(std::string_view key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? SharedObject() : found->second;
}

SharedObject ObjectStore::Set(const std::string& key, const SharedObject& object) {
  SharedObject& place = objects_[key];
  const SharedObject old = place;
  place = object;
  for (auto& [name, index] : indexes_) {
    if (old) index.Remove(key, old);
    index.Add(key, object);
  }
  return old;
}

SharedObject ObjectStore::Erase(std::string_view key) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return {};
  const SharedObject old = found->second;
  for (auto& [name, index] : indexes_) index.Remove(found->first, old);
  objects_.erase(found);
  return old;
}

std::vector<SharedObject> ObjectStore::List(std::string_view name_space) const {
  std::vector<SharedObject> list;
  const std::string prefix = name_space.empty() ? "" : std::string(name_space) + "/";
  if (prefix.empty()) list.reserve(objects_.size());
  for (auto at = objects_.lower_bound(prefix); at != objects_.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    list.push_back(at->second);
  }
  return list;
}

Result<std::vector<SharedObject>> ObjectStore::ByIndex(std::string_view index,
                                                       std::string_view value) const {
  const auto found = indexes_.find(index);
  if (found == indexes_.end()) {
    return Error(Code::kInvalidArgument, "no index is called " + std::string(index));
  }
  std::vector<SharedObject> list;
  const auto keys = found->second.keys.find(value);
  if (keys == found->second.keys.end()) return list;
  list.reserve(keys->second.size());
  for (const std::string& key : keys->second) list.push_back(objects_.at(key));
  return list;
}

Result<std::vector<std::string>> ObjectStore::IndexValues(std::string_view index) const {
  const auto found = indexes_.find(index);
  if (found == indexes_.end()) {
    return Error(Code::kInvalidArgument, "no index is called " + std::string(index));
  }
  std::vector<std::string> values;
  for (const auto& [value, keys] : found->second.keys) values.push_back(value);
  return values;
}

}  // namespace podium::client
